#include "include/CLanes.h"

#include <string.h>

// Four rows are carried through the whole of an attention, so that their scores never leave the first cache: times every
// key, the softmax, times every value (Dao et al., "FlashAttention", 2022, with all keys in one block). Keys and values
// are packed first into panels of sixteen columns, which one vector holds.

enum { LANE = 16, ROWS = 4 };

typedef float Lane __attribute__((vector_size(LANE * sizeof(float))));
typedef uint32_t Bits __attribute__((vector_size(LANE * sizeof(float))));

// Inlined always, so that each is compiled for the processor of whoever calls it: none is called with a vector.
#define INLINE static inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

INLINE size_t padded(size_t count) { return (count + LANE - 1) / LANE * LANE; }

INLINE Lane load(const float *from) {
    Lane value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(Lane value, float *to) { memcpy(to, &value, sizeof value); }

size_t refrain_lanes_attention_room(size_t rows, size_t depth) {
    const size_t keys = padded(rows) * depth, values = rows * padded(depth);
    return keys + values + ROWS * (depth + padded(rows) + padded(depth));
}

/// Sixteen rows of sixteen numbers as columns: in each of four rounds, rows of the first half are interleaved with rows of
/// the second half, which moves every number's row and column on by one bit (H. S. Stone, "Parallel Processing with the
/// Perfect Shuffle", 1971).
INLINE void transpose(const float *from, size_t stride, float *to) {
    Lane rows[LANE], next[LANE];
    for (size_t row = 0; row < LANE; row++) rows[row] = load(from + row * stride);
    for (size_t round = 0; round < 4; round++) {
        for (size_t row = 0; row < LANE / 2; row++) {
            const Lane a = rows[row], b = rows[row + LANE / 2];
            next[2 * row] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * row + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (size_t row = 0; row < LANE; row++) rows[row] = next[row];
    }
    for (size_t row = 0; row < LANE; row++) store(rows[row], to + row * LANE);
}

/// Keys as columns: panels of `depth` rows. The columns behind the last key are zeros.
INLINE void pack_keys(const float *keys, size_t stride, size_t rows, size_t depth, float *panels) {
    for (size_t first = 0; first < rows; first += LANE, panels += depth * LANE) {
        const float *from = keys + first * stride;
        const size_t count = rows - first < LANE ? rows - first : LANE;
        size_t done = 0;
        if (count == LANE)
            for (; done + LANE <= depth; done += LANE) transpose(from + done, stride, panels + done * LANE);
        else
            memset(panels, 0, depth * LANE * sizeof *panels);
        for (size_t column = 0; column < count; column++)
            for (size_t index = done; index < depth; index++)
                panels[index * LANE + column] = from[column * stride + index];
    }
}

/// Values as they are: panels of `rows` rows.
INLINE void pack_values(const float *values, size_t stride, size_t rows, size_t depth, float *panels) {
    for (size_t first = 0; first < depth; first += LANE, panels += rows * LANE) {
        const size_t count = depth - first < LANE ? depth - first : LANE;
        for (size_t row = 0; row < rows; row++) {
            const float *from = values + row * stride + first;
            float *to = panels + row * LANE;
            if (count == LANE) {
                store(load(from), to);
            } else {
                memset(to, 0, LANE * sizeof *to);
                memcpy(to, from, count * sizeof *to);
            }
        }
    }
}

/// Four rows times `count` panels, a number that the compiler knows: sums stay in registers.
INLINE void tile(
    const float *a, size_t a_stride, const float *panels, size_t depth, size_t count, float *out, size_t out_stride) {
    Lane sums[ROWS][4];
    for (size_t row = 0; row < ROWS; row++)
        for (size_t panel = 0; panel < count; panel++) sums[row][panel] = (Lane){0};
    for (size_t index = 0; index < depth; index++) {
        Lane columns[4];
        for (size_t panel = 0; panel < count; panel++) columns[panel] = load(panels + (panel * depth + index) * LANE);
        for (size_t row = 0; row < ROWS; row++) {
            const float factor = a[row * a_stride + index];
            for (size_t panel = 0; panel < count; panel++) sums[row][panel] += factor * columns[panel];
        }
    }
    for (size_t row = 0; row < ROWS; row++)
        for (size_t panel = 0; panel < count; panel++) store(sums[row][panel], out + row * out_stride + panel * LANE);
}

/// Four rows times all panels; `wide` of them at once, as registers allow.
INLINE void multiply(
    const float *a, size_t a_stride, const float *panels, size_t depth, size_t columns, size_t wide, float *out,
    size_t out_stride) {
    size_t column = 0;
    if (wide == 4)
        for (; column + 4 * LANE <= columns; column += 4 * LANE)
            tile(a, a_stride, panels + column * depth, depth, 4, out + column, out_stride);
    if (wide >= 2)
        for (; column + 2 * LANE <= columns; column += 2 * LANE)
            tile(a, a_stride, panels + column * depth, depth, 2, out + column, out_stride);
    for (; column < columns; column += LANE)
        tile(a, a_stride, panels + column * depth, depth, 1, out + column, out_stride);
}

/// e to the x for x ≤ 0, to two units in the last place; nothing to speak of below -87. S. L. Moshier, Cephes
/// Mathematical Library, expf.
INLINE Lane power(Lane x) {
    const Lane least = (Lane){0} - 87.0f;
    x = __builtin_elementwise_max(x, least);
    // Adding and taking away 1.5 · 2^23 rounds to a whole number.
    const Lane shifted = x * 1.44269504f + 12582912.0f;
    const Lane whole = shifted - 12582912.0f;
    const Lane rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    Lane sum = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    sum = sum * rest * rest + rest + 1.0f;
    return sum * (Lane)(((Bits)shifted << 23) + 0x3F800000u);
}

/// Of the first `count` of a row of whole lanes: e to each score less the greatest one, in place, and their sum.
INLINE float powers(float *scores, size_t count) {
    const size_t whole = padded(count);
    for (size_t index = count; index < whole; index++) scores[index] = -3.0e38f;
    Lane greatest = load(scores);
    for (size_t index = LANE; index < whole; index += LANE)
        greatest = __builtin_elementwise_max(greatest, load(scores + index));
    const float top = __builtin_reduce_max(greatest);
    Lane sums = {0};
    for (size_t index = 0; index < whole; index += LANE) {
        const Lane value = power(load(scores + index) - top);
        store(value, scores + index);
        sums += value;
    }
    float sum = 0;
    for (size_t index = 0; index < LANE; index++) sum += sums[index];
    return sum;
}

INLINE void attend(
    const float *queries, const float *keys, const float *values, size_t stride, size_t rows, size_t depth, float scale,
    size_t wide, float *room, float *out) {
    const size_t columns = padded(rows), width = padded(depth);
    // Whole lanes first, so that each starts a cache line.
    float *key_panels = room, *value_panels = key_panels + columns * depth;
    float *scores = value_panels + rows * width, *sums = scores + ROWS * columns, *block = sums + ROWS * width;
    pack_keys(keys, stride, rows, depth, key_panels);
    pack_values(values, stride, rows, depth, value_panels);
    for (size_t first = 0; first < rows; first += ROWS) {
        const size_t count = rows - first < ROWS ? rows - first : ROWS;
        if (count < ROWS) memset(block, 0, ROWS * depth * sizeof *block);
        for (size_t row = 0; row < count; row++) {
            const float *query = queries + (first + row) * stride;
            for (size_t index = 0; index < depth; index++) block[row * depth + index] = query[index] * scale;
        }
        multiply(block, depth, key_panels, depth, columns, wide, scores, columns);
        float factors[ROWS];
        for (size_t row = 0; row < ROWS; row++) factors[row] = 1 / powers(scores + row * columns, rows);
        multiply(scores, columns, value_panels, rows, width, wide, sums, width);
        for (size_t row = 0; row < count; row++) {
            float *to = out + (first + row) * stride;
            for (size_t index = 0; index < depth; index++) to[index] = sums[row * width + index] * factors[row];
        }
    }
}

#define VERSION(name, wide, ...) \
    __VA_ARGS__ static void name( \
        const float *queries, const float *keys, const float *values, size_t stride, size_t rows, size_t depth, \
        float scale, float *room, float *out) { \
        attend(queries, keys, values, stride, rows, depth, scale, wide, room, out); \
    }

typedef void Attend(const float *, const float *, const float *, size_t, size_t, size_t, float, float *, float *);

#if defined(__x86_64__)

VERSION(attend_avx512, 4, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))))
VERSION(attend_avx2, 1, __attribute__((target("avx2,fma"))))
VERSION(attend_plain, 1)

static Attend *choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return attend_avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? attend_avx2 : attend_plain;
}

#else

VERSION(attend_plain, 1)

static Attend *choose(void) { return attend_plain; }

#endif

void refrain_lanes_attend(
    const float *queries, const float *keys, const float *values, size_t stride, size_t rows, size_t depth, float scale,
    float *room, float *out) {
    choose()(queries, keys, values, stride, rows, depth, scale, room, out);
}
