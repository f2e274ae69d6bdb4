/* Random bits for dropout: Philox4x32-10 (Salmon et al., SC 2011; the scalar twin is in base/rng.c) over
 * 16 counters at once, in plain loops that the vectorizer takes and by hand for AVX-512. A place's bits depend on the key and
 * the place alone, not on how the places are cut into calls. */
#include "base/simd.h"
#include "nn/kernels/kernels.h"

#include <string.h>
#if VG_SIMD_X86
#include <immintrin.h>
#endif

enum { LANES = 16, GROUP = 8 * LANES, ROUNDS = 10 };

/* One round is twice two products of 32 bits. */
VG_KERNEL static void draw_group(const uint32_t key[2], uint64_t group, uint32_t threshold,
                                 uint8_t *restrict kept)
{
    uint32_t c[4][LANES], k0 = key[0], k1 = key[1];
    for (uint32_t i = 0; i < LANES; i++) {
        c[0][i] = (uint32_t)(group * LANES) + i; /* a multiple of 16: no carry */
        c[1][i] = (uint32_t)(group * LANES >> 32);
        c[2][i] = c[3][i] = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c[0][i], p1 = (uint64_t)0xCD9E8D57u * c[2][i];
            c[0][i] = (uint32_t)(p1 >> 32) ^ c[1][i] ^ k0;
            c[2][i] = (uint32_t)(p0 >> 32) ^ c[3][i] ^ k1;
            c[1][i] = (uint32_t)p1;
            c[3][i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int w = 0; w < 4; w++)
        for (int i = 0; i < LANES; i++) {
            kept[2 * w * LANES + i] = (c[w][i] & 0xFFFF) >= threshold;
            kept[(2 * w + 1) * LANES + i] = (c[w][i] >> 16) >= threshold;
        }
}

#if VG_SIMD_X86
/* High and low halves of 16 products. */
static VG_INLINE VG_FOR_AVX512 void multiply(__m512i a, uint32_t by, __m512i *high, __m512i *low)
{
    __m512i m = _mm512_set1_epi64((long long)by);
    __m512i even = _mm512_mul_epu32(a, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), m);
    *high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd);
    *low = _mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64(odd, 32));
}

VG_FOR_AVX512 static void draw_group_avx512(const uint32_t key[2], uint64_t group,
                                            uint32_t threshold, uint8_t *kept)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i c[4] = {_mm512_add_epi32(lane, _mm512_set1_epi32((int)(uint32_t)(group * LANES))),
                    _mm512_set1_epi32((int)(uint32_t)(group * LANES >> 32)), _mm512_setzero_si512(),
                    _mm512_setzero_si512()};
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        __m512i high0, low0, high1, low1;
        multiply(c[0], 0xD2511F53u, &high0, &low0);
        multiply(c[2], 0xCD9E8D57u, &high1, &low1);
        c[0] = _mm512_xor_si512(_mm512_xor_si512(high1, c[1]), _mm512_set1_epi32((int)k0));
        c[2] = _mm512_xor_si512(_mm512_xor_si512(high0, c[3]), _mm512_set1_epi32((int)k1));
        c[1] = low1;
        c[3] = low0;
    }
    const __m512i limit = _mm512_set1_epi32((int)threshold), half = _mm512_set1_epi32(0xFFFF);
    for (int w = 0; w < 4; w++) {
        __mmask16 low = _mm512_cmpge_epu32_mask(_mm512_and_si512(c[w], half), limit);
        __mmask16 high = _mm512_cmpge_epu32_mask(_mm512_srli_epi32(c[w], 16), limit);
        _mm_storeu_si128((__m128i *)(void *)(kept + (size_t)(2 * w) * LANES),
                         _mm_maskz_set1_epi8(low, 1));
        _mm_storeu_si128((__m128i *)(void *)(kept + (size_t)(2 * w + 1) * LANES),
                         _mm_maskz_set1_epi8(high, 1));
    }
}
#endif

void vg_draw_kept(const uint32_t key[2], uint32_t threshold, size_t first, size_t n, uint8_t *kept)
{
    uint8_t group[GROUP] = {0};
    void (*draw)(const uint32_t *, uint64_t, uint32_t, uint8_t *) = draw_group;
#if VG_SIMD_X86
    if (vg_simd_best() == VG_SIMD_AVX512)
        draw = draw_group_avx512;
#endif
    for (size_t end = first + n; first < end;) {
        size_t skip = first % GROUP, take = GROUP - skip < end - first ? GROUP - skip : end - first;
        bool whole = take == GROUP;
        draw(key, first / GROUP, threshold, whole ? kept : group);
        if (!whole)
            memcpy(kept, group + skip, take);
        kept += take;
        first += take;
    }
}

/* In pieces: bytes become whole words in one loop and choose in the next, which keeps both simple
 * enough for the vectorizer. */
VG_KERNEL void vg_keep(const float *x, float *y, size_t n, const uint8_t *restrict kept,
                       float scale)
{
    enum { PIECE = 512 };
    int32_t word[PIECE];
    for (size_t at = 0; at < n; at += PIECE) {
        size_t m = n - at < PIECE ? n - at : PIECE;
        for (size_t i = 0; i < m; i++)
            word[i] = kept[at + i];
        for (size_t i = 0; i < m; i++) {
            float v = x[at + i] * scale;
            y[at + i] = word[i] ? v : 0;
        }
    }
}
