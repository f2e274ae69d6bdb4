/* Means under a tent, for maps that reduce.
 *
 * The tents of all output pixels are the same but for their place between the input's pixels. So the
 * tent coordinates of a grid of taps are computed once, and an output pixel adds its own two offsets
 * to them, in 16-bit numbers that saturate where the weight is 0 anyway. Rows of the grid come in
 * pairs of 8 columns: what a register of 16 such numbers holds. Everything is summed as integers, so
 * that the order of the sums does not matter and all versions give the same bytes.
 *
 * The picture is first copied to rows that reach beyond its sides by what the fill mode shows there,
 * RGB as four bytes R G B 1, of which the last adds up the weights. Rows above and below it are found by a
 * table. The naive twin lives in tests/test_tent.c. */
#include "ops/tent.h"

#include "base/alloc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SPAN = 64, COLUMNS = 8, TAPS = 2 * COLUMNS, UNIT = 1 << 14 };

/* Pixels of an output row: where their first tap lies, and their own tent coordinates. */
typedef struct span {
    int32_t column[SPAN], row[SPAN]; /* in the extended rows, in the table of rows */
    int32_t a[SPAN], b[SPAN];
    int32_t hidden[SPAN];
    int32_t sum[SPAN][4]; /* of weighted R, G, B (grey: the first), of weights */
} span;

/* What the kernels read. */
typedef struct grid {
    const uint8_t *data;  /* extended rows */
    const size_t *rows;   /* where each row begins */
    const int16_t *a, *b; /* tent coordinates of the taps, strips * pairs * TAPS */
    int strips, pairs;    /* of 8 columns, of 2 rows; pairs is even for AVX-512 */
    int16_t one_a, one_b; /* the tip */
} grid;

void vg_tent_scratch_reset(vg_tent_scratch *scratch)
{
    free(scratch->memory);
    *scratch = (vg_tent_scratch){0};
}

/* Where coordinate i of an axis of n pixels is read. */
static int place(long i, int n, vg_fill fill)
{
    if (i >= 0 && i < n)
        return (int)i;
    if (fill == VG_FILL_WRAP || fill == VG_FILL_REFLECT) {
        long period = fill == VG_FILL_WRAP ? n : 2L * n;
        i %= period;
        if (i < 0)
            i += period;
        return (int)(i < n ? i : period - 1 - i);
    }
    return i < 0 ? 0 : n - 1;
}

/* ---- the kernels: sums of one output pixel after the other */

/* Tap k of a pair: its column and which of the two rows. */
static inline int tap_column(int k, bool grey)
{
    return grey ? k % COLUMNS : k / 2;
}

static inline int tap_row(int k, bool grey)
{
    return grey ? k / COLUMNS : k % 2;
}

static inline int32_t hat(int32_t one, int32_t place, int32_t own)
{
    int32_t v = abs(place + own);
    return v < one ? one - v : 0;
}

static VG_INLINE void add_up(const grid *g, bool grey, int count, span *s)
{
    const size_t bytes = grey ? 1 : 4;
    for (int i = 0; i < count; i++) {
        const int16_t *a = g->a, *b = g->b;
        int32_t sum[4] = {0};
        for (int strip = 0; strip < g->strips; strip++) {
            size_t first = (size_t)(s->column[i] + COLUMNS * strip) * bytes;
            for (int row = 0; row < 2 * g->pairs; row += 2, a += TAPS, b += TAPS)
                for (int k = 0; k < TAPS; k++) {
                    int32_t w = hat(g->one_a, a[k], s->a[i]) * hat(g->one_b, b[k], s->b[i]);
                    w = (w + (1 << 14)) >> 15;
                    const uint8_t *p = g->data + g->rows[s->row[i] + row + tap_row(k, grey)] +
                                       first + (size_t)tap_column(k, grey) * bytes;
                    for (size_t c = 0; c < bytes; c++)
                        sum[c] += w * p[c];
                    if (grey)
                        sum[3] += w;
                }
        }
        memcpy(s->sum[i], sum, sizeof sum);
    }
}

static void rgb_plain(const grid *g, int count, span *s)
{
    add_up(g, false, count, s);
}

static void grey_plain(const grid *g, int count, span *s)
{
    add_up(g, true, count, s);
}

#if VG_SIMD_X86
#include <immintrin.h>

VG_FOR_AVX2 static inline __m256i load_avx2(const void *p)
{
    return _mm256_loadu_si256(p);
}

VG_FOR_AVX2 static inline __m256i weigh_avx2(const int16_t *a, const int16_t *b, __m256i own_a,
                                             __m256i own_b, __m256i one_a, __m256i one_b)
{
    __m256i pa = _mm256_abs_epi16(_mm256_adds_epi16(load_avx2(a), own_a));
    __m256i pb = _mm256_abs_epi16(_mm256_adds_epi16(load_avx2(b), own_b));
    return _mm256_mulhrs_epi16(_mm256_subs_epu16(one_a, pa), _mm256_subs_epu16(one_b, pb));
}

/* Adds a pair of rows of 8 pixels R G B 1 with the weights w: pixels 0 and 4, 1 and 5, ... */
VG_FOR_AVX2 static inline __m256i add_pair_avx2(__m256i sum, const uint8_t *upper,
                                                const uint8_t *lower, __m256i w)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_unpacklo_epi8(load_avx2(upper), load_avx2(lower));
    __m256i high = _mm256_unpackhi_epi8(load_avx2(upper), load_avx2(lower));
    __m256i p0 = _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), _mm256_shuffle_epi32(w, 0x00));
    __m256i p1 = _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), _mm256_shuffle_epi32(w, 0x55));
    __m256i p2 = _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), _mm256_shuffle_epi32(w, 0xaa));
    __m256i p3 = _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), _mm256_shuffle_epi32(w, 0xff));
    return _mm256_add_epi32(sum,
                            _mm256_add_epi32(_mm256_add_epi32(p0, p1), _mm256_add_epi32(p2, p3)));
}

VG_FOR_AVX2 static void rgb_avx2(const grid *g, int count, span *s)
{
    const __m256i one_a = _mm256_set1_epi16(g->one_a), one_b = _mm256_set1_epi16(g->one_b);
    for (int i = 0; i < count; i++) {
        const __m256i own_a = _mm256_set1_epi16((int16_t)s->a[i]);
        const __m256i own_b = _mm256_set1_epi16((int16_t)s->b[i]);
        const int16_t *a = g->a, *b = g->b;
        __m256i sum = _mm256_setzero_si256();
        for (int strip = 0; strip < g->strips; strip++) {
            const uint8_t *first = g->data + 4 * (size_t)(s->column[i] + COLUMNS * strip);
            const size_t *rows = g->rows + s->row[i];
            for (int k = 0; k < g->pairs; k++, a += TAPS, b += TAPS, rows += 2) {
                __m256i w = weigh_avx2(a, b, own_a, own_b, one_a, one_b);
                sum = add_pair_avx2(sum, first + rows[0], first + rows[1], w);
            }
        }
        __m128i all = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storeu_si128((__m128i *)(void *)s->sum[i], all);
    }
}

/* The sums of four numbers each. */
VG_FOR_AVX2 static inline void store_grey(__m128i sum, __m128i weights, int32_t out[4])
{
    __m128i both = _mm_hadd_epi32(sum, weights);
    both = _mm_hadd_epi32(both, both);
    out[0] = _mm_cvtsi128_si32(both);
    out[3] = _mm_extract_epi32(both, 1);
}

VG_FOR_AVX2 static inline __m128i two_rows(const uint8_t *upper, const uint8_t *lower)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)upper),
                              _mm_loadl_epi64((const void *)lower));
}

VG_FOR_AVX2 static void grey_avx2(const grid *g, int count, span *s)
{
    const __m256i one_a = _mm256_set1_epi16(g->one_a), one_b = _mm256_set1_epi16(g->one_b);
    const __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < count; i++) {
        const __m256i own_a = _mm256_set1_epi16((int16_t)s->a[i]);
        const __m256i own_b = _mm256_set1_epi16((int16_t)s->b[i]);
        const int16_t *a = g->a, *b = g->b;
        __m256i sum = _mm256_setzero_si256(), total = sum;
        for (int strip = 0; strip < g->strips; strip++) {
            const uint8_t *first = g->data + (size_t)(s->column[i] + COLUMNS * strip);
            const size_t *rows = g->rows + s->row[i];
            for (int k = 0; k < g->pairs; k++, a += TAPS, b += TAPS, rows += 2) {
                __m256i w = weigh_avx2(a, b, own_a, own_b, one_a, one_b);
                __m256i v = _mm256_cvtepu8_epi16(two_rows(first + rows[0], first + rows[1]));
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(v, w));
                total = _mm256_add_epi32(total, _mm256_madd_epi16(ones, w));
            }
        }
        store_grey(_mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)),
                   _mm_add_epi32(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1)),
                   s->sum[i]);
    }
}

VG_FOR_AVX512 static inline __m512i weigh_avx512(const int16_t *a, const int16_t *b, __m512i own_a,
                                                 __m512i own_b, __m512i one_a, __m512i one_b)
{
    __m512i pa = _mm512_abs_epi16(_mm512_adds_epi16(_mm512_loadu_si512(a), own_a));
    __m512i pb = _mm512_abs_epi16(_mm512_adds_epi16(_mm512_loadu_si512(b), own_b));
    return _mm512_mulhrs_epi16(_mm512_subs_epu16(one_a, pa), _mm512_subs_epu16(one_b, pb));
}

VG_FOR_AVX512 static inline __m512i two_loads(const uint8_t *first, const uint8_t *second)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)first)),
                              _mm256_loadu_si256((const void *)second), 1);
}

/* As its twin, two pairs of rows at a time. */
VG_FOR_AVX512 static void rgb_avx512(const grid *g, int count, span *s)
{
    const __m512i one_a = _mm512_set1_epi16(g->one_a), one_b = _mm512_set1_epi16(g->one_b);
    const __m512i zero = _mm512_setzero_si512();
    const size_t two = 2 * (size_t)TAPS; /* pairs */
    for (int i = 0; i < count; i++) {
        const __m512i own_a = _mm512_set1_epi16((int16_t)s->a[i]);
        const __m512i own_b = _mm512_set1_epi16((int16_t)s->b[i]);
        const int16_t *a = g->a, *b = g->b;
        __m512i sum0 = zero, sum1 = zero;
        for (int strip = 0; strip < g->strips; strip++) {
            const uint8_t *first = g->data + 4 * (size_t)(s->column[i] + COLUMNS * strip);
            const size_t *rows = g->rows + s->row[i];
            for (int k = 0; k < g->pairs; k += 2, a += two, b += two, rows += 4) {
                __m512i w = weigh_avx512(a, b, own_a, own_b, one_a, one_b);
                __m512i upper = two_loads(first + rows[0], first + rows[2]);
                __m512i lower = two_loads(first + rows[1], first + rows[3]);
                __m512i low = _mm512_unpacklo_epi8(upper, lower);
                __m512i high = _mm512_unpackhi_epi8(upper, lower);
                __m512i p0 = _mm512_madd_epi16(_mm512_unpacklo_epi8(low, zero),
                                               _mm512_shuffle_epi32(w, _MM_PERM_AAAA));
                __m512i p1 = _mm512_madd_epi16(_mm512_unpackhi_epi8(low, zero),
                                               _mm512_shuffle_epi32(w, _MM_PERM_BBBB));
                __m512i p2 = _mm512_madd_epi16(_mm512_unpacklo_epi8(high, zero),
                                               _mm512_shuffle_epi32(w, _MM_PERM_CCCC));
                __m512i p3 = _mm512_madd_epi16(_mm512_unpackhi_epi8(high, zero),
                                               _mm512_shuffle_epi32(w, _MM_PERM_DDDD));
                sum0 = _mm512_add_epi32(sum0, _mm512_add_epi32(p0, p1));
                sum1 = _mm512_add_epi32(sum1, _mm512_add_epi32(p2, p3));
            }
        }
        sum0 = _mm512_add_epi32(sum0, sum1);
        __m256i half =
            _mm256_add_epi32(_mm512_castsi512_si256(sum0), _mm512_extracti64x4_epi64(sum0, 1));
        __m128i all =
            _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        _mm_storeu_si128((__m128i *)(void *)s->sum[i], all);
    }
}

VG_FOR_AVX512 static inline __m128i quarter(__m512i v)
{
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

VG_FOR_AVX512 static void grey_avx512(const grid *g, int count, span *s)
{
    const __m512i one_a = _mm512_set1_epi16(g->one_a), one_b = _mm512_set1_epi16(g->one_b);
    const __m512i ones = _mm512_set1_epi16(1);
    const size_t two = 2 * (size_t)TAPS;
    for (int i = 0; i < count; i++) {
        const __m512i own_a = _mm512_set1_epi16((int16_t)s->a[i]);
        const __m512i own_b = _mm512_set1_epi16((int16_t)s->b[i]);
        const int16_t *a = g->a, *b = g->b;
        __m512i sum = _mm512_setzero_si512(), total = sum;
        for (int strip = 0; strip < g->strips; strip++) {
            const uint8_t *first = g->data + (size_t)(s->column[i] + COLUMNS * strip);
            const size_t *rows = g->rows + s->row[i];
            for (int k = 0; k < g->pairs; k += 2, a += two, b += two, rows += 4) {
                __m512i w = weigh_avx512(a, b, own_a, own_b, one_a, one_b);
                __m256i v = _mm256_set_m128i(two_rows(first + rows[2], first + rows[3]),
                                             two_rows(first + rows[0], first + rows[1]));
                sum = _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_cvtepu8_epi16(v), w));
                total = _mm512_add_epi32(total, _mm512_madd_epi16(ones, w));
            }
        }
        store_grey(quarter(sum), quarter(total), s->sum[i]);
    }
}
#endif

/* ---- before and after the kernels */

/* Where the columns of the extended rows lie in the picture. */
typedef struct extent {
    bool periodic;     /* otherwise all columns beyond the ends look alike */
    int start, length; /* first column of the picture's, how many */
    int period;
} extent;

typedef struct work {
    const vg_tent_job *job;
    extent columns;
    int left, top; /* the first tap, from the pixel under the centre */
    long low_row;  /* of the table */
    grid grid;
} work;

/* floor(), without a call; coordinates are far below 2^31. */
static VG_INLINE double down_to_whole(double v)
{
    double w = (double)(int32_t)v;
    return w - (v < w ? 1.0 : 0.0);
}

/* SPAN pixels from (u, v). */
static VG_INLINE void find_places(const work *w, int u, int v, span *s)
{
    const vg_tent_job *j = w->job;
    const vg_tent *t = &j->tent;
    const double cx = j->m[1] * v + j->m[2], cy = j->m[4] * v + j->m[5];
    const double most = j->in.width, least = w->columns.start, period = w->columns.period;
    const double one_a = w->grid.one_a, one_b = w->grid.one_b;
    double x[SPAN], y[SPAN], left[SPAN], top[SPAN];
    for (int i = 0; i < SPAN; i++) {
        x[i] = cx + j->m[0] * (double)(u + i);
        y[i] = cy + j->m[3] * (double)(u + i);
    }
    if (j->fill == VG_FILL_CONSTANT)
        for (int i = 0; i < SPAN; i++)
            s->hidden[i] = (x[i] < j->x0) | (x[i] > j->x1) | (y[i] < j->y0) | (y[i] > j->y1);
    for (int i = 0; i < SPAN; i++) {
        left[i] = down_to_whole(x[i]);
        top[i] = down_to_whole(y[i]);
    }
    for (int i = 0; i < SPAN; i++) { /* from the middle of the four pixels around the centre */
        double dx = x[i] - left[i] - 0.5, dy = y[i] - top[i] - 0.5;
        s->a[i] = (int32_t)(32768.5 - (t->ax * dx + t->ay * dy) * one_a) - 32768;
        s->b[i] = (int32_t)(32768.5 - (t->bx * dx + t->by * dy) * one_b) - 32768;
    }
    for (int i = 0; i < SPAN; i++) {
        s->row[i] = (int32_t)(top[i] + (double)(w->top - w->low_row));
        left[i] += w->left;
    }
    if (w->columns.periodic) {
        for (int i = 0; i < SPAN; i++)
            s->column[i] = (int32_t)(left[i] - period * down_to_whole(left[i] / period));
        return;
    }
    for (int i = 0; i < SPAN; i++) {
        double c = left[i] > least ? left[i] : least;
        left[i] = c < most ? c : most;
    }
    for (int i = 0; i < SPAN; i++)
        s->column[i] = (int32_t)(left[i] - least);
}

static VG_INLINE void divide(const vg_tent_job *j, const span *s, int count, size_t plane,
                             float *out)
{
    float divisor[SPAN], mean[SPAN];
    for (int i = 0; i < SPAN; i++) {
        int32_t weights = s->sum[i][3] > 1 ? s->sum[i][3] : 1;
        divisor[i] = (float)weights;
    }
    for (int c = 0; c < j->in.channels; c++) {
        for (int i = 0; i < SPAN; i++)
            mean[i] = (float)s->sum[i][c] / divisor[i];
        if (j->fill == VG_FILL_CONSTANT)
            for (int i = 0; i < SPAN; i++)
                mean[i] = s->hidden[i] ? j->value : mean[i];
        memcpy(out + (size_t)c * plane, mean, (size_t)count * sizeof *out);
    }
}

/* n pixels R G B to R G B 1. */
static void widen_plain(const uint8_t *restrict from, size_t n, uint8_t *restrict to)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 3; c++)
            to[4 * i + c] = from[3 * i + c];
        to[4 * i + 3] = 1;
    }
}

typedef struct version {
    void (*places)(const work *w, int u, int v, span *s);
    void (*rgb)(const grid *g, int count, span *s);
    void (*grey)(const grid *g, int count, span *s);
    void (*divide)(const vg_tent_job *j, const span *s, int count, size_t plane, float *out);
    void (*widen)(const uint8_t *from, size_t n, uint8_t *to);
} version;

static void places_plain(const work *w, int u, int v, span *s)
{
    find_places(w, u, v, s);
}

static void divide_plain(const vg_tent_job *j, const span *s, int count, size_t plane, float *out)
{
    divide(j, s, count, plane, out);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void places_avx2(const work *w, int u, int v, span *s)
{
    find_places(w, u, v, s);
}

VG_FOR_AVX2 static void divide_avx2(const vg_tent_job *j, const span *s, int count, size_t plane,
                                    float *out)
{
    divide(j, s, count, plane, out);
}

VG_FOR_AVX512 static void places_avx512(const work *w, int u, int v, span *s)
{
    find_places(w, u, v, s);
}

VG_FOR_AVX512 static void divide_avx512(const vg_tent_job *j, const span *s, int count,
                                        size_t plane, float *out)
{
    divide(j, s, count, plane, out);
}

VG_FOR_AVX2 static void widen_avx2(const uint8_t *from, size_t n, uint8_t *to)
{
    const __m256i spread = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    const __m256i one = _mm256_set1_epi32(1 << 24);
    size_t i = 0;
    for (; i + 10 <= n; i += 8) { /* 28 bytes are read for 8 pixels */
        __m256i v = _mm256_set_m128i(_mm_loadu_si128((const void *)(from + 3 * i + 12)),
                                     _mm_loadu_si128((const void *)(from + 3 * i)));
        v = _mm256_or_si256(_mm256_shuffle_epi8(v, spread), one);
        _mm256_storeu_si256((__m256i *)(void *)(to + 4 * i), v);
    }
    widen_plain(from + 3 * i, n - i, to + 4 * i);
}
#endif

/* Kernels are reached through pointers only: GCC 12 was seen to drop direct calls to static functions with
 * a target attribute of their own, whose results come back through memory. The other files of versions
 * do the same, and each has a test that holds its versions against each other. */
static version choose(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return (version){places_avx512, rgb_avx512, grey_avx512, divide_avx512, widen_avx2};
    if (simd == VG_SIMD_AVX2)
        return (version){places_avx2, rgb_avx2, grey_avx2, divide_avx2, widen_avx2};
#endif
    (void)simd;
    return (version){places_plain, rgb_plain, grey_plain, divide_plain, widen_plain};
}

/* One side of a row: `count` pixels that lie elsewhere in it. */
static VG_INLINE void copy_side(uint8_t *restrict to, const uint8_t *restrict row,
                                const int32_t *index, int count, const size_t bytes)
{
    for (int k = 0; k < count; k++)
        memcpy(to + bytes * (size_t)k, row + bytes * (size_t)index[k], bytes);
}

/* The picture's rows, and beyond their ends what the fill mode shows; `index` says where that lies. */
static void extend(const work *w, const version *best, const int32_t *index, uint8_t *data,
                   size_t row_bytes)
{
    const vg_view *in = &w->job->in;
    const size_t width = (size_t)in->width;
    const int before = -w->columns.start, after = w->columns.length - before - in->width;
    for (int y = 0; y < in->height; y++, data += row_bytes) {
        const uint8_t *from = in->data + (size_t)y * in->stride;
        if (in->channels == 1) {
            uint8_t *middle = data + before;
            memcpy(middle, from, width);
            copy_side(data, middle, index, before, 1);
            copy_side(middle + width, middle, index + before, after, 1);
        } else {
            uint8_t *middle = data + 4 * (size_t)before;
            best->widen(from, width, middle);
            copy_side(data, middle, index, before, 4);
            copy_side(middle + 4 * width, middle, index + before, after, 4);
        }
    }
}

/* The tent coordinates of all taps, from the middle of the four pixels around the centre. */
static void fill_grid(const work *w, int16_t *a, int16_t *b)
{
    const vg_tent *t = &w->job->tent;
    const bool grey = w->job->in.channels == 1;
    for (int strip = 0; strip < w->grid.strips; strip++)
        for (int row = 0; row < 2 * w->grid.pairs; row += 2)
            for (int k = 0; k < TAPS; k++) {
                double x = w->left + COLUMNS * strip + tap_column(k, grey) - 0.5;
                double y = w->top + row + tap_row(k, grey) - 0.5;
                double va = (t->ax * x + t->ay * y) * w->grid.one_a;
                double vb = (t->bx * x + t->by * y) * w->grid.one_b;
                *a++ = (int16_t)lrint(fmax(-32767, fmin(32767, va)));
                *b++ = (int16_t)lrint(fmax(-32767, fmin(32767, vb)));
            }
}

/* The least and the largest of one coordinate over the output, whole. */
static void find_range(const double m[3], int width, int height, long *low, long *high)
{
    double p = m[0] * (width - 1), q = m[1] * (height - 1);
    *low = (long)floor(m[2] + fmin(p, 0) + fmin(q, 0)) - 1; /* and what rounding may add */
    *high = (long)floor(m[2] + fmax(p, 0) + fmax(q, 0)) + 1;
}

/* Sizes, and what each part of the memory is. */
static vg_status prepare(work *w, vg_simd simd, vg_tent_scratch *scratch, const version *best,
                         vg_error *err)
{
    const vg_tent_job *j = w->job;
    const int n = (int)ceil(j->tent.half_width), m = (int)ceil(j->tent.half_height);
    grid *g = &w->grid;
    w->left = 1 - n;
    w->top = 1 - m;
    g->strips = (2 * n + COLUMNS - 1) / COLUMNS;
    g->pairs = simd == VG_SIMD_AVX512 ? (m + 1) / 2 * 2 : m;
    g->one_a = g->one_b = UNIT;
    /* sums of weights are about the tent's volume; for monsters, weights are made coarser */
    double volume = 1 / fabs(j->tent.ax * j->tent.by - j->tent.ay * j->tent.bx);
    while (g->one_b > 1 && volume * g->one_b / 2 * 255 > 1 << 30)
        g->one_b = (int16_t)(g->one_b / 2);
    long low_x, high_x, low_y, high_y;
    find_range(j->m, j->width, j->height, &low_x, &high_x);
    find_range(j->m + 3, j->width, j->height, &low_y, &high_y);
    const int reach = COLUMNS * g->strips;
    const bool inside = low_x + w->left >= 0 && high_x + w->left + reach <= j->in.width;
    extent *e = &w->columns;
    e->periodic = !inside && (j->fill == VG_FILL_WRAP || j->fill == VG_FILL_REFLECT);
    e->period = j->fill == VG_FILL_WRAP ? j->in.width : 2 * j->in.width;
    e->start = e->periodic ? 0 : -reach;
    e->length = e->periodic ? e->period + reach : j->in.width + 2 * reach;
    w->low_row = low_y + w->top;
    const size_t rows = (size_t)(high_y - low_y + 1) + 2 * (size_t)g->pairs;
    const size_t taps = (size_t)g->strips * (size_t)g->pairs * TAPS;
    const size_t row_bytes = (size_t)e->length * (j->in.channels == 1 ? 1 : 4);
    const size_t sides = (size_t)(e->length - j->in.width);
    size_t data_bytes, tables = rows * sizeof(size_t) + sides * sizeof(int32_t);
    tables += 2 * taps * sizeof(int16_t);
    if (!vg_mul_size(row_bytes, (size_t)j->in.height, &data_bytes) ||
        data_bytes > SIZE_MAX - tables ||
        !vg_grow(&scratch->memory, &scratch->capacity, tables + data_bytes, 1))
        return vg_fail(err, VG_E_NOMEM, "out of memory for a warp of a picture of %d x %d",
                       j->in.width, j->in.height);
    size_t *table = scratch->memory;
    int32_t *index = (int32_t *)(void *)(table + rows);
    int16_t *a = (int16_t *)(void *)(index + sides), *b = a + taps;
    uint8_t *data = (uint8_t *)(b + taps);
    for (size_t i = 0; i < rows; i++)
        table[i] = row_bytes * (size_t)place(w->low_row + (long)i, j->in.height, j->fill);
    for (size_t i = 0; i < sides; i++) {
        int k = e->start + (int)i; /* before the picture, then behind it */
        index[i] = place(k < 0 ? k : k + j->in.width, j->in.width, j->fill);
    }
    g->rows = table;
    g->a = a;
    g->b = b;
    g->data = data;
    fill_grid(w, a, b);
    extend(w, best, index, data, row_bytes);
    return VG_OK;
}

vg_status vg_tent_run(const vg_tent_job *job, vg_simd simd, vg_tent_scratch *scratch, float *out,
                      vg_error *err)
{
    const version best = choose(simd);
    const size_t plane = (size_t)job->width * (size_t)job->height;
    work w = {.job = job};
    vg_status status = prepare(&w, simd, scratch, &best, err);
    if (status != VG_OK)
        return status;
    span s;
    memset(&s, 0, sizeof s); /* what lies behind the last pixel is divided, and thrown away */
    for (int v = 0; v < job->height; v++)
        for (int u = 0; u < job->width; u += SPAN) {
            int count = job->width - u < SPAN ? job->width - u : SPAN;
            best.places(&w, u, v, &s);
            (job->in.channels == 1 ? best.grey : best.rgb)(&w.grid, count, &s);
            best.divide(job, &s, count, plane, out + (size_t)v * (size_t)job->width + (size_t)u);
        }
    return VG_OK;
}
