#pragma once
// What stands between an encoder's large products: numbers to bytes and back, and attention. Swift compiles for the least
// processor of its family; these functions are compiled for several, or for one that whoever calls them has asked for.

#include <stddef.h>
#include <stdint.h>

/// Numbers that `refrain_lanes_attend` needs room for.
size_t refrain_lanes_attention_room(size_t rows, size_t depth);

/// Scaled dot-product attention of one head, for any processor: out = softmax(scale · Q · Kᵀ) · V, where Q, K and V have
/// `rows` rows of `depth` numbers, each row `stride` numbers behind the one before, and so has `out`. `room` starts a cache
/// line.
void refrain_lanes_attend(
    const float *queries, const float *keys, const float *values, size_t stride, size_t rows, size_t depth, float scale,
    float *room, float *out);

#if defined(__x86_64__)

// For AVX-512 (F, BW, DQ, VL).

/// Each row as (x - centre) * factor in 255 steps from its least to its greatest value, zero among them:
/// value = scale * (byte - zero). `shift` is centre * factor.
void refrain_lanes_quantize(
    const float *x, size_t rows, size_t width, const float *factor, const float *shift, uint8_t *bytes, float *scale,
    int32_t *zero);

/// What `end` says of the sums: 0 overwrite, 1 overwrite with GELU, 2 add.
/// y = scale * weightScale * (sum - zero * weightSum) + bias.
void refrain_lanes_dequantize(
    const int32_t *sums, size_t rows, size_t width, const float *scale, const int32_t *zero, const float *weightScale,
    const int32_t *weightSum, const float *bias, int32_t end, float *y);

#endif
