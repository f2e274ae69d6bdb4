/* The convolution's innermost kernels for AVX-512: up to 28 of the 32 registers are accumulators, the
 * rest hold the weights (or gradients) of one channel (or pixel) and one broadcast. Every loop over
 * accumulators is unrolled by the compiler, so that they never leave the registers. */
#include "nn/kernels/conv_tile.h"

#if VG_SIMD_X86
#include <immintrin.h>
#include <string.h>

#define UNROLL _Pragma("GCC unroll 32")

/* Two hundred unrolled functions would keep a sanitizer busy for minutes. The other sets, which it does
 * watch, make the same accesses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOR_TILES                                                                                  \
    VG_FOR_AVX512                                                                                  \
    __attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined")))
#else
#define FOR_TILES VG_FOR_AVX512
#endif

static VG_INLINE __mmask16 mask_of(int lanes)
{
    return (__mmask16)((1u << lanes) - 1u);
}

/* acc[0..count) += x times the vectors at w. Where 28 accumulators leave only three registers for
 * weights, the fourth is read from memory each time; the compiler would load it once and spill. */
static VG_INLINE FOR_TILES void add_products(__m512 *acc, __m512 x, const __m512 *held,
                                             const float *w, const int V, const __mmask16 *full)
{
    UNROLL for (int v = 0; v < V; v++)
    {
        if (full && v == 3)
            __asm__("vfmadd231ps %2, %1, %0 %{%3%}"
                    : "+v"(acc[v])
                    : "v"(x), "m"(*(const __m512_u *)(w + (size_t)3 * VG_LANES)), "Yk"(*full));
        else
            acc[v] = _mm512_fmadd_ps(x, held[v], acc[v]);
    }
}

static VG_INLINE FOR_TILES void tile_body(const vg_tile *t, const int pitch, const int V,
                                          const int P)
{
    __m512 acc[VG_TILE_PIXELS];
    __mmask16 last = mask_of(t->lanes);
    if (t->bias) {
        UNROLL for (int v = 0; v < V; v++)
        {
            __m512 b = _mm512_loadu_ps(t->bias + (size_t)v * VG_LANES);
            UNROLL for (int p = 0; p < P; p++) acc[p * V + v] = b;
        }
    } else {
        UNROLL for (int p = 0; p < P; p++)
        {
            UNROLL for (int v = 0; v < V; v++) acc[p * V + v] =
                _mm512_maskz_loadu_ps(v == V - 1 ? last : (__mmask16)0xffff,
                                      t->y + (size_t)p * t->y_pixel + (size_t)v * VG_LANES);
        }
    }
    if (t->bias && t->add) {
        UNROLL for (int p = 0; p < P; p++)
        {
            UNROLL for (int v = 0; v < V; v++) acc[p * V + v] = _mm512_add_ps(
                acc[p * V + v],
                _mm512_maskz_loadu_ps(v == V - 1 ? last : (__mmask16)0xffff,
                                      t->y + (size_t)p * t->y_pixel + (size_t)v * VG_LANES));
        }
    }
    const float *w = t->w;
    const __mmask16 all = 0xffff;
    const size_t step = t->w_step;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->x + (size_t)b * t->x_block;
        int channels = b + 1 < t->blocks ? VG_LANES : t->last;
        for (int i = 0; i < t->taps; i++) {
            const float *x = block + t->tap[i];
            for (int c = 0; c < channels; c++, x++, w += step) {
                __m512 wv[VG_TILE_VECTORS];
                __asm__("" : "+r"(x)); /* or the compiler keeps x for the next round, and spills */
                UNROLL for (int v = 0; v < V; v++)
                {
                    if (V < 4 || P < 7 || v < 3)
                        wv[v] = _mm512_loadu_ps(w + (size_t)v * VG_LANES);
                }
                UNROLL for (int p = 0; p < P; p++)
                    add_products(acc + (size_t)p * V, _mm512_set1_ps(x[(size_t)p * pitch]), wv, w,
                                 V, V == 4 && P == 7 ? &all : NULL);
            }
        }
    }
    if (t->relu) {
        /* the second operand is what max gives for a NaN */
        UNROLL for (int i = 0; i < P * V; i++) acc[i] = _mm512_max_ps(_mm512_setzero_ps(), acc[i]);
    }
    UNROLL for (int p = 0; p < P; p++)
    {
        UNROLL for (int v = 0; v < V - 1; v++)
            _mm512_storeu_ps(t->y + (size_t)p * t->y_pixel + (size_t)v * VG_LANES, acc[p * V + v]);
        _mm512_mask_storeu_ps(t->y + (size_t)p * t->y_pixel + (size_t)(V - 1) * VG_LANES, last,
                              acc[p * V + V - 1]);
    }
}

static VG_INLINE FOR_TILES void outer_body(const vg_outer *o, const int V, const int A)
{
    __m512 acc[VG_TILE_PIXELS];
    UNROLL for (int a = 0; a < A; a++)
    {
        UNROLL for (int v = 0; v < V; v++) acc[a * V + v] =
            o->add ? _mm512_loadu_ps(o->dw + (size_t)a * o->step + (size_t)v * VG_LANES)
                   : _mm512_setzero_ps();
    }
    const __mmask16 last = mask_of(o->lanes);
    const size_t x_pixel = o->x_pixel, dy_pixel = o->dy_pixel;
    for (int i = 0; i < o->images; i++)
        for (int r = 0; r < o->rows; r++) {
            const float *x = o->x + (size_t)i * o->x_image + (size_t)r * o->x_row;
            const float *dy = o->dy + (size_t)i * o->dy_image + (size_t)r * o->dy_row;
            for (int q = 0; q < o->columns; q++, x += x_pixel, dy += dy_pixel) {
                __m512 d[VG_TILE_VECTORS];
                UNROLL for (int v = 0; v < V - 1; v++) d[v] =
                    _mm512_loadu_ps(dy + (size_t)v * VG_LANES);
                if (V < 4 || A < 7)
                    d[V - 1] = _mm512_maskz_loadu_ps(last, dy + (size_t)(V - 1) * VG_LANES);
                UNROLL for (int a = 0; a < A; a++)
                    add_products(acc + (size_t)a * V, _mm512_set1_ps(x[a]), d, dy, V,
                                 V == 4 && A == 7 ? &last : NULL);
            }
        }
    UNROLL for (int a = 0; a < A; a++)
    {
        UNROLL for (int v = 0; v < V; v++)
            _mm512_storeu_ps(o->dw + (size_t)a * o->step + (size_t)v * VG_LANES, acc[a * V + v]);
    }
}

static FOR_TILES void spread(const float *src, size_t src_step, int count, int c, float *dst,
                             size_t dst_block)
{
    int full = c / VG_LANES;
    __mmask16 rest = mask_of(c % VG_LANES);
    for (int i = 0; i < count; i++, src += src_step, dst += VG_LANES) {
        for (int b = 0; b < full; b++)
            _mm512_storeu_ps(dst + (size_t)b * dst_block,
                             _mm512_loadu_ps(src + (size_t)b * VG_LANES));
        if (rest)
            _mm512_storeu_ps(dst + (size_t)full * dst_block,
                             _mm512_maskz_loadu_ps(rest, src + (size_t)full * VG_LANES));
    }
}

#define WIDTH 16
#define TARGET FOR_TILES
#include "nn/kernels/winograd_body.h"

#define TILE(pitch, v, p)                                                                          \
    static FOR_TILES void tile_##pitch##_##v##_##p(const vg_tile *t)                               \
    {                                                                                              \
        tile_body(t, pitch, v, p);                                                                 \
    }
#define OUTER(unused, v, p)                                                                        \
    static FOR_TILES void outer_##v##_##p(const vg_outer *o)                                       \
    {                                                                                              \
        outer_body(o, v, p);                                                                       \
    }
#define ALL(M, c)                                                                                  \
    VG_TILE_ROW_28(M, c, 1)                                                                        \
    VG_TILE_ROW_14(M, c, 2) VG_TILE_ROW_9(M, c, 3) VG_TILE_ROW_7(M, c, 4)
ALL(TILE, 16)
ALL(TILE, 3)
ALL(TILE, 1)
ALL(OUTER, 0)

#define TILE_NAME(pitch, v, p) tile_##pitch##_##v##_##p,
#define OUTER_NAME(unused, v, p) outer_##v##_##p,
#define NAMES(M, c)                                                                                \
    {                                                                                              \
        {VG_TILE_ROW_28(M, c, 1)}, {VG_TILE_ROW_14(M, c, 2)}, {VG_TILE_ROW_9(M, c, 3)},            \
        {                                                                                          \
            VG_TILE_ROW_7(M, c, 4)                                                                 \
        }                                                                                          \
    }
const vg_tile_set vg_tiles_avx512 = {
    .vectors = 4,
    .pixels = {28, 14, 9, 7},
    .tile = {NAMES(TILE_NAME, 16), NAMES(TILE_NAME, 3), NAMES(TILE_NAME, 1)},
    .outer = NAMES(OUTER_NAME, 0),
    .spread = spread,
    .winograd = WINOGRAD_NAMES};
#endif
