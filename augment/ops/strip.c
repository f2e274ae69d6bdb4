/* Sums under a tent: plain C, SSE2 (which every x86-64 has) and AVX2, chosen at run time.
 *
 * AVX2 is asked for without FMA, and the tree is built with -ffp-contract=off: no version may fuse a
 * multiplication and an addition, or its bits would differ. */
#include "ops/strip.h"

#include <math.h>
#include <string.h>

static void sum_plain(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                      float b, int32_t sum[4])
{
    float place_a[VG_STRIP_COLUMNS], place_b[VG_STRIP_COLUMNS];
    for (int i = 0; i < VG_STRIP_COLUMNS; i++) {
        place_a[i] = a + strip->ax * (float)i;
        place_b[i] = b + strip->bx * (float)i;
    }
    memset(sum, 0, 4 * sizeof *sum);
    for (int j = 0; j < count; j++) {
        const uint8_t *p = strip->planes + (size_t)rows[j] * strip->stride + column;
        for (int i = 0; i < VG_STRIP_COLUMNS; i++) {
            float wa = 1 - fabsf(place_a[i]), wb = VG_STRIP_ONE - fabsf(place_b[i]);
            wa = wa > 0 ? wa : 0;
            wb = wb > 0 ? wb : 0;
            int32_t w = (int32_t)(wa * wb + 0.5f);
            for (int c = 0; c < strip->channels; c++)
                sum[c] += w * p[(size_t)c * strip->plane + (size_t)i];
            sum[3] += w;
            place_a[i] += strip->ay;
            place_b[i] += strip->by;
        }
    }
}

/* Pixels from .. n - 1. */
static void split_plain(const uint8_t *restrict rgb, size_t from, size_t n,
                        uint8_t *restrict planes, size_t plane)
{
    for (size_t i = from; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            planes[c * plane + i] = rgb[3 * i + c];
}

#if defined __SSE2__ && defined __GNUC__
#include <immintrin.h>

/* Four weights, as 32-bit integers. */
static inline __m128i weigh4(__m128 a, __m128 b)
{
    const __m128 sign = _mm_set1_ps(-0.0f), zero = _mm_setzero_ps();
    __m128 wa = _mm_max_ps(_mm_sub_ps(_mm_set1_ps(1), _mm_andnot_ps(sign, a)), zero);
    __m128 wb = _mm_max_ps(_mm_sub_ps(_mm_set1_ps(VG_STRIP_ONE), _mm_andnot_ps(sign, b)), zero);
    return _mm_cvttps_epi32(_mm_add_ps(_mm_mul_ps(wa, wb), _mm_set1_ps(0.5f)));
}

/* Four partial sums of eight weights times eight bytes. */
static inline __m128i weighted(__m128i weights, const uint8_t *bytes)
{
    __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
    return _mm_madd_epi16(weights, _mm_unpacklo_epi8(v, _mm_setzero_si128()));
}

/* The four lanes of each into one number: a transposition. */
static inline void store_sums(__m128i r, __m128i g, __m128i b, __m128i total, int32_t sum[4])
{
    __m128i rg = _mm_add_epi32(_mm_unpacklo_epi32(r, g), _mm_unpackhi_epi32(r, g));
    __m128i bt = _mm_add_epi32(_mm_unpacklo_epi32(b, total), _mm_unpackhi_epi32(b, total));
    __m128i all = _mm_add_epi32(_mm_unpacklo_epi64(rg, bt), _mm_unpackhi_epi64(rg, bt));
    _mm_storeu_si128((__m128i *)(void *)sum, all);
}

static void sum_sse2(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                     float b, int32_t sum[4])
{
    const __m128 low = _mm_set_ps(3, 2, 1, 0), high = _mm_set_ps(7, 6, 5, 4);
    const __m128 ax = _mm_set1_ps(strip->ax), bx = _mm_set1_ps(strip->bx);
    const __m128 ay = _mm_set1_ps(strip->ay), by = _mm_set1_ps(strip->by);
    __m128 a0 = _mm_add_ps(_mm_set1_ps(a), _mm_mul_ps(ax, low));
    __m128 a1 = _mm_add_ps(_mm_set1_ps(a), _mm_mul_ps(ax, high));
    __m128 b0 = _mm_add_ps(_mm_set1_ps(b), _mm_mul_ps(bx, low));
    __m128 b1 = _mm_add_ps(_mm_set1_ps(b), _mm_mul_ps(bx, high));
    const uint8_t *at = strip->planes + column;
    const size_t plane = strip->plane, stride = strip->stride;
    const int colours = strip->channels == 3;
    __m128i r = _mm_setzero_si128(), g = r, blue = r, total = r;
    for (int j = 0; j < count; j++) {
        const uint8_t *p = at + (size_t)rows[j] * stride;
        __m128i w = _mm_packs_epi32(weigh4(a0, b0), weigh4(a1, b1));
        r = _mm_add_epi32(r, weighted(w, p));
        if (colours) {
            g = _mm_add_epi32(g, weighted(w, p + plane));
            blue = _mm_add_epi32(blue, weighted(w, p + 2 * plane));
        }
        total = _mm_add_epi32(total, _mm_madd_epi16(w, _mm_set1_epi16(1)));
        a0 = _mm_add_ps(a0, ay);
        a1 = _mm_add_ps(a1, ay);
        b0 = _mm_add_ps(b0, by);
        b1 = _mm_add_ps(b1, by);
    }
    store_sums(r, g, blue, total, sum);
}

__attribute__((target("avx2"))) static void sum_avx2(const vg_strip *strip, size_t column,
                                                     const int *rows, int count, float a, float b,
                                                     int32_t sum[4])
{
    const __m256 lane = _mm256_set_ps(7, 6, 5, 4, 3, 2, 1, 0);
    const __m256 sign = _mm256_set1_ps(-0.0f), zero = _mm256_setzero_ps();
    const __m256 one = _mm256_set1_ps(1), tip = _mm256_set1_ps(VG_STRIP_ONE);
    const __m256 ay = _mm256_set1_ps(strip->ay), by = _mm256_set1_ps(strip->by);
    __m256 pa = _mm256_mul_ps(_mm256_set1_ps(strip->ax), lane);
    __m256 pb = _mm256_mul_ps(_mm256_set1_ps(strip->bx), lane);
    pa = _mm256_add_ps(_mm256_set1_ps(a), pa);
    pb = _mm256_add_ps(_mm256_set1_ps(b), pb);
    const uint8_t *at = strip->planes + column;
    const size_t plane = strip->plane, stride = strip->stride;
    const int colours = strip->channels == 3;
    __m128i r = _mm_setzero_si128(), g = r, blue = r, total = r;
    for (int j = 0; j < count; j++) {
        const uint8_t *p = at + (size_t)rows[j] * stride;
        __m256 wa = _mm256_max_ps(_mm256_sub_ps(one, _mm256_andnot_ps(sign, pa)), zero);
        __m256 wb = _mm256_max_ps(_mm256_sub_ps(tip, _mm256_andnot_ps(sign, pb)), zero);
        __m256 wide = _mm256_add_ps(_mm256_mul_ps(wa, wb), _mm256_set1_ps(0.5f));
        __m256i whole = _mm256_cvttps_epi32(wide);
        __m128i w =
            _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
        r = _mm_add_epi32(r, weighted(w, p));
        if (colours) {
            g = _mm_add_epi32(g, weighted(w, p + plane));
            blue = _mm_add_epi32(blue, weighted(w, p + 2 * plane));
        }
        total = _mm_add_epi32(total, _mm_madd_epi16(w, _mm_set1_epi16(1)));
        pa = _mm256_add_ps(pa, ay);
        pb = _mm256_add_ps(pb, by);
    }
    store_sums(r, g, blue, total, sum);
}

/* Sixteen pixels at a time; returns how many were split. */
__attribute__((target("avx2"))) static size_t split_avx2(const uint8_t *restrict rgb, size_t n,
                                                         uint8_t *restrict planes, size_t plane)
{
    /* Where each of 16 samples of a colour lies in three loads: byte 3 i + c of 48. */
    int8_t pick[3][3][16];
    for (int c = 0; c < 3; c++)
        for (int part = 0; part < 3; part++)
            for (int i = 0; i < 16; i++) {
                int at = 3 * i + c - 16 * part;
                pick[c][part][i] = (int8_t)(at >= 0 && at < 16 ? at : -1); /* -1: zero */
            }
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i in[3];
        for (int part = 0; part < 3; part++)
            in[part] = _mm_loadu_si128((const __m128i *)(const void *)(rgb + 3 * i) + part);
        for (int c = 0; c < 3; c++) {
            __m128i sum = _mm_setzero_si128();
            for (int part = 0; part < 3; part++) {
                __m128i which = _mm_loadu_si128((const __m128i *)(const void *)pick[c][part]);
                sum = _mm_or_si128(sum, _mm_shuffle_epi8(in[part], which));
            }
            _mm_storeu_si128((__m128i *)(void *)(planes + (size_t)c * plane + i), sum);
        }
    }
    return i;
}

void vg_strip_split(const uint8_t *restrict rgb, size_t n, uint8_t *restrict planes, size_t plane)
{
    size_t done = __builtin_cpu_supports("avx2") ? split_avx2(rgb, n, planes, plane) : 0;
    split_plain(rgb, done, n, planes, plane);
}

vg_strip_sum vg_strip_version(int version)
{
    if (version == VG_STRIP_AVX2)
        return __builtin_cpu_supports("avx2") ? sum_avx2 : NULL;
    return version == VG_STRIP_SSE2 ? sum_sse2 : version == VG_STRIP_PLAIN ? sum_plain : NULL;
}
#else
void vg_strip_split(const uint8_t *restrict rgb, size_t n, uint8_t *restrict planes, size_t plane)
{
    split_plain(rgb, 0, n, planes, plane);
}

vg_strip_sum vg_strip_version(int version)
{
    return version == VG_STRIP_PLAIN ? sum_plain : NULL;
}
#endif

vg_strip_sum vg_strip_best(void)
{
    vg_strip_sum best = NULL;
    for (int version = VG_STRIP_VERSIONS; !best; version--)
        best = vg_strip_version(version);
    return best;
}
