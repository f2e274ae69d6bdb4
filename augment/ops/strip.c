/* Sums under a tent. Two versions of one arithmetic: the float operations are the same ones lane by
 * lane (no fused multiply-add, -ffp-contract=off), and the sums are of integers. SSE2 is what every
 * x86-64 has, so nothing is chosen at run time. */
#include "ops/strip.h"

#include <math.h>
#include <string.h>

void vg_strip_sum_plain(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                        float b, int32_t sum[4])
{
    memset(sum, 0, 4 * sizeof *sum);
    for (int j = 0; j < count; j++) {
        const uint8_t *p = strip->planes + (size_t)rows[j] * strip->stride + column;
        float row_a = a + strip->ay * (float)j, row_b = b + strip->by * (float)j;
        for (int i = 0; i < VG_STRIP_COLUMNS; i++) {
            float wa = 1 - fabsf(row_a + strip->ax * (float)i);
            float wb = 1 - fabsf(row_b + strip->bx * (float)i);
            wa = wa > 0 ? wa : 0;
            wb = wb > 0 ? wb : 0;
            int32_t w = (int32_t)(wa * wb * VG_STRIP_ONE + 0.5f);
            for (int c = 0; c < strip->channels; c++)
                sum[c] += w * p[(size_t)c * strip->plane + (size_t)i];
            sum[3] += w;
        }
    }
}

#ifdef __SSE2__
#include <emmintrin.h>

/* max(0, 1 - |v|) */
static inline __m128 slope(__m128 v)
{
    __m128 size = _mm_andnot_ps(_mm_set1_ps(-0.0f), v);
    return _mm_max_ps(_mm_sub_ps(_mm_set1_ps(1), size), _mm_setzero_ps());
}

/* Four weights, as 32-bit integers. */
static inline __m128i weigh(__m128 a, __m128 b)
{
    __m128 w = _mm_mul_ps(_mm_mul_ps(slope(a), slope(b)), _mm_set1_ps(VG_STRIP_ONE));
    return _mm_cvttps_epi32(_mm_add_ps(w, _mm_set1_ps(0.5f)));
}

/* Four partial sums of eight weights times eight bytes. */
static inline __m128i weighted(__m128i weights, const uint8_t *bytes)
{
    __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
    return _mm_madd_epi16(weights, _mm_unpacklo_epi8(v, _mm_setzero_si128()));
}

/* `channels` is a constant where this is inlined. */
static inline void sum_sse2(const vg_strip *strip, const uint8_t *at, const int *rows, int count,
                            float a, float b, const int channels, int32_t sum[4])
{
    const __m128 low = _mm_set_ps(3, 2, 1, 0), high = _mm_set_ps(7, 6, 5, 4);
    const __m128 ax = _mm_set1_ps(strip->ax), bx = _mm_set1_ps(strip->bx);
    const __m128 a0 = _mm_mul_ps(ax, low), a1 = _mm_mul_ps(ax, high);
    const __m128 b0 = _mm_mul_ps(bx, low), b1 = _mm_mul_ps(bx, high);
    const size_t plane = strip->plane;
    __m128i r = _mm_setzero_si128(), g = r, blue = r, total = r;
    for (int j = 0; j < count; j++) {
        const uint8_t *p = at + (size_t)rows[j] * strip->stride;
        __m128 row_a = _mm_set1_ps(a + strip->ay * (float)j);
        __m128 row_b = _mm_set1_ps(b + strip->by * (float)j);
        __m128i w = _mm_packs_epi32(weigh(_mm_add_ps(row_a, a0), _mm_add_ps(row_b, b0)),
                                    weigh(_mm_add_ps(row_a, a1), _mm_add_ps(row_b, b1)));
        r = _mm_add_epi32(r, weighted(w, p));
        if (channels == 3) {
            g = _mm_add_epi32(g, weighted(w, p + plane));
            blue = _mm_add_epi32(blue, weighted(w, p + 2 * plane));
        }
        total = _mm_add_epi32(total, _mm_madd_epi16(w, _mm_set1_epi16(1)));
    }
    /* The four lanes of each into one: a transposition. */
    __m128i rg = _mm_add_epi32(_mm_unpacklo_epi32(r, g), _mm_unpackhi_epi32(r, g));
    __m128i bt = _mm_add_epi32(_mm_unpacklo_epi32(blue, total), _mm_unpackhi_epi32(blue, total));
    __m128i all = _mm_add_epi32(_mm_unpacklo_epi64(rg, bt), _mm_unpackhi_epi64(rg, bt));
    _mm_storeu_si128((__m128i *)(void *)sum, all);
}

void vg_strip_sum(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                  float b, int32_t sum[4])
{
    if (strip->channels == 3)
        sum_sse2(strip, strip->planes + column, rows, count, a, b, 3, sum);
    else
        sum_sse2(strip, strip->planes + column, rows, count, a, b, 1, sum);
}
#else
void vg_strip_sum(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                  float b, int32_t sum[4])
{
    vg_strip_sum_plain(strip, column, rows, count, a, b, sum);
}
#endif
