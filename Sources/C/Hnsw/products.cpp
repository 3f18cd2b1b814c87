#include "products.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "include/CHnsw.h"

namespace {

refrain_row_tail tail(const void *row, std::size_t width) {
    refrain_row_tail value;
    std::memcpy(&value, static_cast<const char *>(row) + width, sizeof value);
    return value;
}

float scaled(std::int64_t product, const void *a, const void *b, std::size_t width) {
    return static_cast<float>(product) * tail(a, width).scale * tail(b, width).scale;
}

#if defined(__x86_64__)

// Products of eight bits are exact in sixteen, their sums in pairs in thirty-two.
template <typename Bytes> const Bytes *lanes(const void *row, std::size_t index) {
    return reinterpret_cast<const Bytes *>(static_cast<const char *>(row) + index);
}

/// What every x86-64 has.
float product_sse2(const void *a, const void *b, std::size_t width) {
    __m128i sum = _mm_setzero_si128();
    for (std::size_t index = 0; index < width; index += 16) {
        const __m128i x = _mm_loadu_si128(lanes<__m128i>(a, index)), y = _mm_loadu_si128(lanes<__m128i>(b, index));
        // The odd bytes as numbers of sixteen bits are one shift away, the even ones two.
        const __m128i odd = _mm_madd_epi16(_mm_srai_epi16(x, 8), _mm_srai_epi16(y, 8));
        const __m128i even = _mm_madd_epi16(
            _mm_srai_epi16(_mm_slli_epi16(x, 8), 8), _mm_srai_epi16(_mm_slli_epi16(y, 8), 8));
        sum = _mm_add_epi32(sum, _mm_add_epi32(odd, even));
    }
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    return scaled(_mm_cvtsi128_si32(sum), a, b, width);
}

__attribute__((target("avx2"))) float product_avx2(const void *a, const void *b, std::size_t width) {
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t index = 0; index < width; index += 16) {
        const __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(lanes<__m128i>(a, index)));
        const __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128(lanes<__m128i>(b, index)));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
    }
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
    return scaled(_mm_cvtsi128_si32(half), a, b, width);
}

/// VNNI multiplies bytes without a sign by bytes with one: a row is moved up by 128, and what that adds is 128 times the
/// sum of the other.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) float product_vnni(
    const void *a, const void *b, std::size_t width) {
    const __m512i top = _mm512_set1_epi8(static_cast<char>(0x80));
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t index = 0; index < width; index += 64) {
        const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(lanes<__m512i>(a, index)), top);
        sum = _mm512_dpbusd_epi32(sum, x, _mm512_loadu_si512(lanes<__m512i>(b, index)));
    }
    const std::int64_t moved = std::int64_t{128} * tail(b, width).sum;
    return scaled(_mm512_reduce_add_epi32(sum) - moved, a, b, width);
}

#else

float product_plain(const void *a, const void *b, std::size_t width) {
    const auto *x = static_cast<const std::int8_t *>(a), *y = static_cast<const std::int8_t *>(b);
    std::int32_t sum = 0;
    for (std::size_t index = 0; index < width; index += 1) sum += x[index] * y[index];
    return scaled(sum, a, b, width);
}

#endif

RowProduct choose() noexcept {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")) return product_vnni;
    if (__builtin_cpu_supports("avx2")) return product_avx2;
    return product_sse2;
#else
    return product_plain;
#endif
}

} // namespace

RowProduct row_product() noexcept {
    static const RowProduct chosen = choose();
    return chosen;
}

void refrain_rows_products(
    const void *rows, std::size_t count, std::size_t stride, std::size_t width, const void *query, float *products) {
    const RowProduct product = row_product();
    const char *row = static_cast<const char *>(rows);
    for (std::size_t index = 0; index < count; index += 1, row += stride) products[index] = product(query, row, width);
}
