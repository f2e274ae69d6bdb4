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

/* The larger, a where they are equal; a NaN wins. */
static VG_INLINE FOR_TILES __m512 larger(__m512 a, __m512 b)
{
    __m512 most = _mm512_max_ps(b, a); /* a where either is NaN */
    return _mm512_mask_mov_ps(most, _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), b);
}

static VG_INLINE FOR_TILES void pair_body(const vg_tile_pair *pair, const int P)
{
    const vg_tile *t = &pair->tile;
    __m512 above[2 * VG_TILE_PAIRS], below[2 * VG_TILE_PAIRS];
    __m512 bias = _mm512_loadu_ps(t->bias);
    UNROLL for (int p = 0; p < P; p++) above[p] = below[p] = bias;
    const float *w = t->w;
    const size_t step = t->w_step, next = pair->x_row;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->x + (size_t)b * t->x_block;
        int channels = b + 1 < t->blocks ? VG_LANES : t->last;
        for (int i = 0; i < t->taps; i++) {
            const float *x = block + t->tap[i];
            for (int c = 0; c < channels; c++, x++, w += step) {
                __m512 v = _mm512_loadu_ps(w);
                UNROLL for (int p = 0; p < P; p++)
                {
                    above[p] =
                        _mm512_fmadd_ps(_mm512_set1_ps(x[(size_t)p * VG_LANES]), v, above[p]);
                    below[p] = _mm512_fmadd_ps(_mm512_set1_ps(x[next + (size_t)p * VG_LANES]), v,
                                               below[p]);
                }
            }
        }
    }
    __mmask16 lanes = mask_of(t->lanes);
    UNROLL for (int p = 0; p < P; p += 2)
    {
        __m512 most = larger(larger(above[p], above[p + 1]), larger(below[p], below[p + 1]));
        if (t->relu)
            most = _mm512_max_ps(_mm512_setzero_ps(), most); /* NaN stays */
        _mm512_mask_storeu_ps(t->y + (size_t)(p / 2) * t->y_pixel, lanes, most);
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

/* Blocks of 16 columns side by side; taps and outputs of a gradient likewise. */
enum { THIN_BLOCKS = 2, THIN_TAPS = 5, THIN_GROUP = 3 };
#define VECTOR __m512
#define VECTOR_LOAD(p) _mm512_loadu_ps(p)
#define VECTOR_STORE(p, v) _mm512_storeu_ps(p, v)
#define VECTOR_SET(a) _mm512_set1_ps(a)
#define VECTOR_MADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VECTOR_RELU(v)                                                                             \
    _mm512_max_ps(_mm512_setzero_ps(), v) /* the second operand stays where it is NaN */

/* Outputs 4 i to 4 i + 3 of 16 pixels: to[j] has those of pixels j, 4 + j, 8 + j, 12 + j. */
static VG_INLINE FOR_TILES void turn_four(const __m512 *a, __m512 *to)
{
    __m512d t0 = _mm512_castps_pd(_mm512_unpacklo_ps(a[0], a[1]));
    __m512d t1 = _mm512_castps_pd(_mm512_unpackhi_ps(a[0], a[1]));
    __m512d t2 = _mm512_castps_pd(_mm512_unpacklo_ps(a[2], a[3]));
    __m512d t3 = _mm512_castps_pd(_mm512_unpackhi_ps(a[2], a[3]));
    to[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(t0, t2));
    to[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t0, t2));
    to[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t1, t3));
    to[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t1, t3));
}

/* Each pixel as a whole quarter or two: what is too much is written over by the next pixel, but for
 * the last one of the row. */
static VG_INLINE FOR_TILES void thin_store(const vg_thin_row *r, const int K,
                                           __m512 (*acc)[THIN_BLOCKS], const int block, int left,
                                           float *y)
{
    __m512 a[8], low[4], high[4];
    UNROLL for (int k = 0; k < 8; k++) a[k] = k < K ? acc[k][block] : _mm512_setzero_ps();
    turn_four(a, low);
    turn_four(a + 4, high);
    const __mmask8 low_mask = (__mmask8)(K >= 4 ? 15 : (1 << K) - 1);
    const __mmask8 high_mask = (__mmask8)(K > 4 ? (1 << (K - 4)) - 1 : 0);
#define THIN_PIXEL(j)                                                                              \
    if ((j) < left) {                                                                              \
        float *at = y + (size_t)(j)*r->y_pixel;                                                    \
        __m128 one = _mm512_extractf32x4_ps(low[(j) % 4], (j) / 4);                                \
        __m128 other = _mm512_extractf32x4_ps(high[(j) % 4], (j) / 4);                             \
        if ((j) + (K > 4 ? (8 + K - 1) / K : (4 + K - 1) / K) <= left) {                           \
            _mm_storeu_ps(at, one);                                                                \
            if (K > 4)                                                                             \
                _mm_storeu_ps(at + 4, other);                                                      \
        } else {                                                                                   \
            _mm_mask_storeu_ps(at, low_mask, one);                                                 \
            if (K > 4)                                                                             \
                _mm_mask_storeu_ps(at + 4, high_mask, other);                                      \
        }                                                                                          \
    }
#define THIN_FOUR(j) THIN_PIXEL(j) THIN_PIXEL((j) + 1) THIN_PIXEL((j) + 2) THIN_PIXEL((j) + 3)
    THIN_FOUR(0)
    THIN_FOUR(4)
    THIN_FOUR(8)
    THIN_FOUR(12)
}

static VG_INLINE FOR_TILES void thin_store_largest(const vg_thin_row *r, const int K,
                                                   __m512 (*a)[THIN_BLOCKS],
                                                   __m512 (*b)[THIN_BLOCKS], const int blocks,
                                                   int left, float *y)
{
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __m512 most[VG_THIN_OUTPUTS][THIN_BLOCKS];
    UNROLL for (int k = 0; k < K; k++)
    {
        __m512 low = larger(a[k][0], b[k][0]);
        __m512 high = blocks > 1 ? larger(a[k][1], b[k][1]) : low;
        most[k][0] =
            larger(_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high));
    }
    if (blocks == 1 && left > 8)
        left = 8;
    thin_store(r, K, most, 0, left, y);
}
#define THIN_STORES
#include "nn/kernels/thin_body.h"

/* The way back: quarters of pixels j, 4 + j, 8 + j, 12 + j side by side. */
static VG_INLINE FOR_TILES __m512 quarters(const float *from, size_t pixel, int left, __mmask8 m)
{
    __m128 q[4];
    UNROLL for (int i = 0; i < 4; i++) q[i] =
        4 * i < left ? _mm_maskz_loadu_ps(m, from + (size_t)(4 * i) * pixel) : _mm_setzero_ps();
    __m512 v = _mm512_castps128_ps512(q[0]);
    v = _mm512_insertf32x4(v, q[1], 1);
    v = _mm512_insertf32x4(v, q[2], 2);
    return _mm512_insertf32x4(v, q[3], 3);
}

static FOR_TILES void thin_turn(const float *from, int columns, int outputs, float *to, size_t step)
{
    size_t k = (size_t)outputs;
    for (int q = 0; q < columns; q += VG_LANES)
        for (int first = 0; first < outputs; first += 4) {
            int real = outputs - first < 4 ? outputs - first : 4;
            __m512 pixels[4], turned[4];
            UNROLL for (int j = 0; j < 4; j++) pixels[j] =
                quarters(from + (size_t)(q + j) * k + first, k, columns - q - j,
                         (__mmask8)((1 << real) - 1));
            turn_four(pixels, turned);
            for (int i = 0; i < real; i++)
                _mm512_storeu_ps(to + (size_t)(first + i) * step + q, turned[i]);
        }
}

#define TILE(pitch, v, p)                                                                          \
    static FOR_TILES void tile_##pitch##_##v##_##p(const vg_tile *t)                               \
    {                                                                                              \
        tile_body(t, pitch, v, p);                                                                 \
    }
#define PAIR(p)                                                                                    \
    static FOR_TILES void pair_##p(const vg_tile_pair *t)                                          \
    {                                                                                              \
        pair_body(t, p);                                                                           \
    }
PAIR(2)
PAIR(4)
PAIR(6) PAIR(8) PAIR(10) PAIR(12) PAIR(14)
#define OUTER(unused, v, p)                                                                        \
    static FOR_TILES void outer_##v##_##p(const vg_outer *o)                                       \
    {                                                                                              \
        outer_body(o, v, p);                                                                       \
    }
#define ALL(M, c)                                                                                  \
    VG_TILE_ROW_28(M, c, 1)                                                                        \
    VG_TILE_ROW_14(M, c, 2) VG_TILE_ROW_9(M, c, 3) VG_TILE_ROW_7(M, c, 4)
    ALL(TILE, 16) ALL(TILE, 3) ALL(TILE, 1) ALL(OUTER, 0)

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
            .pair = {pair_2, pair_4, pair_6, pair_8, pair_10, pair_12, pair_14},
            .outer = NAMES(OUTER_NAME, 0),
            .spread = spread,
            .winograd = WINOGRAD_NAMES,
            .thin_row = thin_row,
            .thin_sums = thin_sums,
            .thin_turn = thin_turn};
#endif
