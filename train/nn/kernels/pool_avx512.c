/* Max pooling for AVX-512: 16 channels of a window at a time, the largest value and its place in
 * registers, a mask where there are fewer channels. */
#include "nn/kernels/pool_window.h"

#if VG_SIMD_X86
#include <immintrin.h>
#include <string.h>

typedef struct best {
    __m512 value;
    __m512i place;
} best;

static VG_INLINE VG_FOR_AVX512 best take(best b, __m512 v, int place)
{
    __mmask16 more =
        _mm512_cmp_ps_mask(v, b.value, _CMP_GT_OQ) | _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return (best){_mm512_mask_mov_ps(b.value, more, v),
                  _mm512_mask_set1_epi32(b.place, more, place)};
}

/* Rows [r0, r1) and columns [s0, s1) of a window of `kernel`; x at its first place, `row` values to the
 * next row. */
static VG_INLINE VG_FOR_AVX512 best largest(const float *x, size_t row, size_t c, int kernel,
                                            int r0, int r1, int s0, int s1, __mmask16 m)
{
    best b = {_mm512_maskz_loadu_ps(m, x + (size_t)r0 * row + (size_t)s0 * c),
              _mm512_set1_epi32(r0 * kernel + s0)};
    for (int r = r0; r < r1; r++)
        for (int s = s0; s < s1; s++) {
            const float *at = x + (size_t)r * row + (size_t)s * c;
            if (r > r0 || s > s0)
                b = take(b, _mm512_maskz_loadu_ps(m, at), r * kernel + s);
        }
    return b;
}

static VG_INLINE VG_FOR_AVX512 void put(best b, bool relu, float *y, uint8_t *chosen, __mmask16 m)
{
    if (relu) {
        __m512 zero = _mm512_setzero_ps();
        __mmask16 none = _mm512_cmp_ps_mask(b.value, zero, _CMP_LE_OQ);
        b.value = _mm512_mask_mov_ps(b.value, none, zero);
        b.place = _mm512_mask_set1_epi32(b.place, none, VG_POOL_NOWHERE);
    }
    _mm512_mask_storeu_ps(y, m, b.value);
    _mm_mask_storeu_epi8(chosen, m, _mm512_cvtepi32_epi8(b.place));
}

static VG_INLINE __mmask16 mask_of(size_t left)
{
    return (__mmask16)(left >= 16 ? 0xFFFFu : (1u << left) - 1u);
}

/* The common case by itself: windows of 2 x 2 side by side. Full vectors are stored where what follows in
 * the image is written later anyway: masked stores are slow on some machines. */
typedef struct four {
    __m512 a, b, c, d;
} four;

static VG_INLINE VG_FOR_AVX512 four load_four(const float *x, size_t row, size_t c, __mmask16 m)
{
    return (four){_mm512_maskz_loadu_ps(m, x), _mm512_maskz_loadu_ps(m, x + c),
                  _mm512_maskz_loadu_ps(m, x + row), _mm512_maskz_loadu_ps(m, x + row + c)};
}

static VG_INLINE VG_FOR_AVX512 bool has_nan(four f)
{
    return (_mm512_cmp_ps_mask(f.a, f.b, _CMP_UNORD_Q) |
            _mm512_cmp_ps_mask(f.c, f.d, _CMP_UNORD_Q)) != 0;
}

static VG_INLINE VG_FOR_AVX512 void put_two(const float *x, size_t row, size_t c, bool relu,
                                            float *y, uint8_t *chosen, __mmask16 m, bool masked)
{
    four f = load_four(x, row, c, m);
    if (has_nan(f)) {
        put(largest(x, row, c, 2, 0, 2, 0, 2, m), relu, y, chosen, m);
        return;
    }
    __mmask16 right = _mm512_cmp_ps_mask(f.b, f.a, _CMP_GT_OQ);
    __mmask16 below_right = _mm512_cmp_ps_mask(f.d, f.c, _CMP_GT_OQ);
    __m512 top = _mm512_mask_mov_ps(f.a, right, f.b);
    __m512 bottom = _mm512_mask_mov_ps(f.c, below_right, f.d);
    __mmask16 below = _mm512_cmp_ps_mask(bottom, top, _CMP_GT_OQ);
    top = _mm512_mask_mov_ps(top, below, bottom);
    __mmask16 odd = (__mmask16)((below & below_right) | (~below & right));
    __m128i place = _mm_or_si128(_mm_maskz_set1_epi8(odd, 1), _mm_maskz_set1_epi8(below, 2));
    if (relu) {
        __mmask16 none = _mm512_cmp_ps_mask(top, _mm512_setzero_ps(), _CMP_LE_OQ);
        top = _mm512_mask_mov_ps(top, none, _mm512_setzero_ps());
        place = _mm_mask_set1_epi8(place, none, (char)VG_POOL_NOWHERE);
    }
    if (masked) {
        _mm512_mask_storeu_ps(y, m, top);
        _mm_mask_storeu_epi8(chosen, m, place);
    } else {
        _mm512_storeu_ps(y, top);
        _mm_storeu_si128((__m128i *)(void *)chosen, place);
    }
}

VG_FOR_AVX512 static void maxpool_two(const vg_window *g, const float *x, float *y, uint8_t *chosen,
                                      bool relu)
{
    size_t c = (size_t)g->c, row = (size_t)g->w * c, left = (size_t)g->p * (size_t)g->q * c;
    for (int p = 0; p < g->p; p++, x += 2 * row) {
        const float *at = x;
        for (int q = 0; q < g->q; q++, at += 2 * c, y += c, chosen += c, left -= c)
            for (size_t i = 0; i < c; i += 16)
                put_two(at + i, row, c, relu, y + i, chosen + i, mask_of(c - i), left - i < 16);
    }
}

VG_FOR_AVX512 void vg_maxpool_avx512(const vg_window *g, const float *x, float *y, uint8_t *chosen,
                                     bool relu)
{
    size_t c = (size_t)g->c, row = (size_t)g->w * c;
    int k = g->kernel;
    if (k == 2 && g->stride == 2 && g->padding == 0) {
        maxpool_two(g, x, y, chosen, relu);
        return;
    }
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++, y += c, chosen += c) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            const float *at = x + (ptrdiff_t)a.y * (ptrdiff_t)row + (ptrdiff_t)a.x * (ptrdiff_t)c;
            bool whole = a.r1 - a.r0 == k && a.s1 - a.s0 == k;
            for (size_t i = 0; i < c; i += 16) {
                __mmask16 m = mask_of(c - i);
                best b = whole && k == 3 ? largest(at + i, row, c, 3, 0, 3, 0, 3, m)
                                         : largest(at + i, row, c, k, a.r0, a.r1, a.s0, a.s1, m);
                put(b, relu, y + i, chosen + i, m);
            }
        }
}

/* Without places. A maximum gives its second operand where one is not a number: the largest so far stays
 * what it is, and a new one is put in its place. Rows [r0, r1) and columns [s0, s1) as above. */
static VG_INLINE VG_FOR_AVX512 void put_largest(const float *x, size_t row, size_t c, int r0,
                                                int r1, int s0, int s1, bool relu, float *y,
                                                __mmask16 m)
{
    __m512 top = _mm512_maskz_loadu_ps(m, x + (size_t)r0 * row + (size_t)s0 * c);
    for (int r = r0; r < r1; r++)
        for (int s = s0; s < s1; s++) {
            __m512 v = _mm512_maskz_loadu_ps(m, x + (size_t)r * row + (size_t)s * c);
            __mmask16 none = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
            top = _mm512_mask_mov_ps(_mm512_max_ps(v, top), none, v);
        }
    if (relu)
        top = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(top, _mm512_setzero_ps(), _CMP_NLE_UQ), top);
    _mm512_mask_storeu_ps(y, m, top);
}

VG_FOR_AVX512 static void values_two(const vg_window *g, const float *x, float *y, bool relu)
{
    size_t c = (size_t)g->c, row = (size_t)g->w * c, left = (size_t)g->p * (size_t)g->q * c;
    for (int p = 0; p < g->p; p++, x += 2 * row) {
        const float *at = x;
        for (int q = 0; q < g->q; q++, at += 2 * c, y += c, left -= c)
            for (size_t i = 0; i < c; i += 16) {
                __mmask16 m = mask_of(c - i);
                four f = load_four(at + i, row, c, m);
                /* of equal ones the first: the second operand */
                __m512 top = _mm512_max_ps(_mm512_max_ps(f.d, f.c), _mm512_max_ps(f.b, f.a));
                if (relu)
                    top = _mm512_max_ps(top, _mm512_setzero_ps());
                if (has_nan(f))
                    put_largest(at + i, row, c, 0, 2, 0, 2, relu, y + i, m);
                else if (left - i < 16)
                    _mm512_mask_storeu_ps(y + i, m, top);
                else
                    _mm512_storeu_ps(y + i, top);
            }
    }
}

VG_FOR_AVX512 void vg_maxpool_values_avx512(const vg_window *g, const float *x, float *y, bool relu)
{
    size_t c = (size_t)g->c, row = (size_t)g->w * c;
    int k = g->kernel;
    if (k == 2 && g->stride == 2 && g->padding == 0) {
        values_two(g, x, y, relu);
        return;
    }
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++, y += c) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            const float *at = x + (ptrdiff_t)a.y * (ptrdiff_t)row + (ptrdiff_t)a.x * (ptrdiff_t)c;
            for (size_t i = 0; i < c; i += 16)
                put_largest(at + i, row, c, a.r0, a.r1, a.s0, a.s1, relu, y + i, mask_of(c - i));
        }
}

/* Where windows lie side by side each value of dx is written once. */
static VG_INLINE VG_FOR_AVX512 void give_apart(const float *dy, const uint8_t *chosen, float *dx,
                                               size_t row, size_t c, int kernel, __mmask16 m)
{
    __m512 d = _mm512_maskz_loadu_ps(m, dy);
    __m512i place = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, chosen));
    for (int r = 0; r < kernel; r++)
        for (int s = 0; s < kernel; s++) {
            __mmask16 here = _mm512_cmpeq_epi32_mask(place, _mm512_set1_epi32(r * kernel + s));
            _mm512_mask_storeu_ps(dx + (size_t)r * row + (size_t)s * c, m,
                                  _mm512_maskz_mov_ps(here, d));
        }
}

VG_FOR_AVX512 static void backward_apart(const vg_window *g, const uint8_t *chosen, const float *dy,
                                         float *dx)
{
    size_t c = (size_t)g->c, row = (size_t)g->w * c, k = (size_t)g->kernel;
    size_t covered = (size_t)g->q * k * c;
    for (int p = 0; p < g->p; p++) {
        float *to = dx + (size_t)p * k * row;
        for (size_t r = 0; r < k && covered < row; r++)
            memset(to + r * row + covered, 0, (row - covered) * sizeof *to);
        for (int q = 0; q < g->q; q++, to += k * c, dy += c, chosen += c)
            for (size_t i = 0; i < c; i += 16) {
                __mmask16 m = mask_of(c - i);
                if (k == 2)
                    give_apart(dy + i, chosen + i, to + i, row, c, 2, m);
                else
                    give_apart(dy + i, chosen + i, to + i, row, c, (int)k, m);
            }
    }
    size_t done = (size_t)g->p * k;
    memset(dx + done * row, 0, ((size_t)g->h - done) * row * sizeof *dx);
}

VG_FOR_AVX512 void vg_maxpool_backward_avx512(const vg_window *g, const uint8_t *chosen,
                                              const float *dy, float *dx)
{
    if (g->stride == g->kernel && g->padding == 0) {
        backward_apart(g, chosen, dy, dx);
        return;
    }
    size_t c = (size_t)g->c, row = (size_t)g->w * c;
    memset(dx, 0, (size_t)g->h * row * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++, dy += c, chosen += c) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            float *at = dx + (ptrdiff_t)a.y * (ptrdiff_t)row + (ptrdiff_t)a.x * (ptrdiff_t)c;
            for (size_t i = 0; i < c; i += 16) {
                __mmask16 m = mask_of(c - i);
                __m512 d = _mm512_maskz_loadu_ps(m, dy + i);
                __m512i place = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, chosen + i));
                for (int r = a.r0; r < a.r1; r++)
                    for (int s = a.s0; s < a.s1; s++) {
                        float *to = at + (size_t)r * row + (size_t)s * c + i;
                        __m512i tap = _mm512_set1_epi32(r * g->kernel + s);
                        __mmask16 here = _mm512_mask_cmpeq_epi32_mask(m, place, tap);
                        __m512 old = _mm512_maskz_loadu_ps(m, to);
                        _mm512_mask_storeu_ps(to, m, _mm512_mask_add_ps(old, here, old, d));
                    }
            }
        }
}

/* Row r of windows of `kernel`, side by side. */
static VG_INLINE VG_FOR_AVX512 void give_row(const float *dy, const uint8_t *chosen, float *dx,
                                             size_t windows, size_t c, int kernel, int r)
{
    for (size_t q = 0; q < windows; q++, dy += c, chosen += c, dx += (size_t)kernel * c)
        for (size_t i = 0; i < c; i += 16) {
            __mmask16 m = mask_of(c - i);
            __m512 d = _mm512_maskz_loadu_ps(m, dy + i);
            __m512i place = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, chosen + i));
            for (int s = 0; s < kernel; s++) {
                __mmask16 here = _mm512_cmpeq_epi32_mask(place, _mm512_set1_epi32(r * kernel + s));
                _mm512_mask_storeu_ps(dx + (size_t)s * c + i, m, _mm512_maskz_mov_ps(here, d));
            }
        }
}

VG_FOR_AVX512 void vg_maxpool_backward_row_avx512(const vg_window *g, const uint8_t *chosen,
                                                  const float *dy, int row, float *dx)
{
    size_t c = (size_t)g->c, q = (size_t)g->q;
    size_t at = (size_t)(row / g->kernel) * q * c;
    if (g->kernel == 2)
        give_row(dy + at, chosen + at, dx, q, c, 2, row % 2);
    else
        give_row(dy + at, chosen + at, dx, q, c, g->kernel, row % g->kernel);
}
#endif
