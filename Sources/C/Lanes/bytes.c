#include "include/CLanes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

static inline LANES __mmask16 first_lanes(size_t left) {
    return left >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1);
}

// e to the x. S. L. Moshier, Cephes Mathematical Library, expf.
static inline LANES __m512 exp_lanes(__m512 x) {
    x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-87.0f)), _mm512_set1_ps(88.0f));
    __m512 whole = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0x08);
    __m512 rest = _mm512_fnmadd_ps(whole, _mm512_set1_ps(0.693359375f), x);
    rest = _mm512_fmadd_ps(whole, _mm512_set1_ps(2.12194440e-4f), rest);
    __m512 sum = _mm512_set1_ps(1.9875691500e-4f);
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.3981999507e-3f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(8.3334519073e-3f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(4.1665795894e-2f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.6666665459e-1f));
    sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(5.0000001201e-1f));
    sum = _mm512_add_ps(_mm512_fmadd_ps(sum, _mm512_mul_ps(rest, rest), rest), _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(sum, whole);
}

// x times the normal distribution of x. Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
static inline LANES __m512 gelu_lanes(__m512 x) {
    __m512 scaled = _mm512_mul_ps(x, _mm512_set1_ps(0.70710678f));
    __m512 size = _mm512_abs_ps(scaled);
    __m512 t = _mm512_div_ps(_mm512_set1_ps(1.0f), _mm512_fmadd_ps(size, _mm512_set1_ps(0.3275911f), _mm512_set1_ps(1.0f)));
    __m512 sum = _mm512_set1_ps(1.061405429f);
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(-1.453152027f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(1.421413741f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(-0.284496736f));
    sum = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(0.254829592f));
    __m512 power = exp_lanes(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(size, size)));
    __m512 erf = _mm512_fnmadd_ps(_mm512_mul_ps(sum, t), power, _mm512_set1_ps(1.0f));
    __mmask16 below = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ);
    erf = _mm512_mask_sub_ps(erf, below, _mm512_setzero_ps(), erf);
    __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f));
    return _mm512_fmadd_ps(half, erf, half);
}

LANES void refrain_lanes_quantize(
    const float *x, size_t rows, size_t width, const float *factor, const float *shift, uint8_t *bytes, float *scale,
    int32_t *zero) {
    for (size_t row = 0; row < rows; row++, x += width, bytes += width) {
        __m512 least = _mm512_setzero_ps(), greatest = _mm512_setzero_ps();
        for (size_t i = 0; i < width; i += 16) {
            __mmask16 mask = first_lanes(width - i);
            __m512 value = _mm512_fmsub_ps(
                _mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, factor + i),
                _mm512_maskz_loadu_ps(mask, shift + i));
            least = _mm512_min_ps(least, value);
            greatest = _mm512_max_ps(greatest, value);
        }
        float low = _mm512_reduce_min_ps(least), high = _mm512_reduce_max_ps(greatest);
        float step = (high - low) / 255.0f;
        // A row of zeros, or of numbers too small to tell from them.
        float inverse = step > 1e-30f ? 1.0f / step : 0.0f;
        int32_t offset = (int32_t)(-low * inverse + 0.5f);
        scale[row] = step;
        zero[row] = offset;
        __m512 inverses = _mm512_set1_ps(inverse);
        __m512i offsets = _mm512_set1_epi32(offset);
        for (size_t i = 0; i < width; i += 16) {
            __mmask16 mask = first_lanes(width - i);
            __m512 value = _mm512_fmsub_ps(
                _mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, factor + i),
                _mm512_maskz_loadu_ps(mask, shift + i));
            __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(value, inverses)), offsets);
            _mm512_mask_cvtusepi32_storeu_epi8(bytes + i, mask, _mm512_max_epi32(whole, _mm512_setzero_si512()));
        }
    }
}

LANES void refrain_lanes_dequantize(
    const int32_t *sums, size_t rows, size_t width, const float *scale, const int32_t *zero, const float *weightScale,
    const int32_t *weightSum, const float *bias, int32_t end, float *y) {
    for (size_t row = 0; row < rows; row++, sums += width, y += width) {
        __m512 scales = _mm512_set1_ps(scale[row]);
        __m512i zeros = _mm512_set1_epi32(zero[row]);
        for (size_t i = 0; i < width; i += 16) {
            __mmask16 mask = first_lanes(width - i);
            __m512i centred = _mm512_sub_epi32(
                _mm512_maskz_loadu_epi32(mask, sums + i),
                _mm512_mullo_epi32(zeros, _mm512_maskz_loadu_epi32(mask, weightSum + i)));
            __m512 factor = _mm512_mul_ps(scales, _mm512_maskz_loadu_ps(mask, weightScale + i));
            __m512 value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(centred), factor, _mm512_maskz_loadu_ps(mask, bias + i));
            if (end == 1) value = gelu_lanes(value);
            if (end == 2) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, y + i));
            _mm512_mask_storeu_ps(y + i, mask, value);
        }
    }
}

#endif
