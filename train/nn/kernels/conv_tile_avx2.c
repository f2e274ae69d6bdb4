/* The convolution's innermost kernels for AVX2 with FMA: 12 of the 16 registers are accumulators, two for
 * each pixel (or input), since a vector of 16 outputs is two registers here. */
#include "nn/kernels/conv_tile.h"

#if VG_SIMD_X86
#include <immintrin.h>
#include <string.h>

#define UNROLL _Pragma("GCC unroll 16")
#define FOR_FMA __attribute__((target("avx2,fma")))
enum { HALF = VG_LANES / 2, MOST = 6 };

/* All bits set in the lanes that exist, of both halves. */
static VG_INLINE FOR_FMA void masks_of(int lanes, __m256i mask[2])
{
    const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    mask[0] = _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), count);
    mask[1] = _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes - HALF), count);
}

static VG_INLINE FOR_FMA void tile_body(const vg_tile *t, const int pitch, const int P)
{
    __m256 acc[MOST][2];
    __m256i mask[2];
    masks_of(t->lanes, mask);
    UNROLL for (int p = 0; p < P; p++)
    {
        UNROLL for (int h = 0; h < 2; h++) acc[p][h] =
            t->bias ? _mm256_loadu_ps(t->bias + (size_t)h * HALF)
                    : _mm256_maskload_ps(t->y + (size_t)p * t->y_pixel + (size_t)h * HALF, mask[h]);
    }
    if (t->bias && t->add) {
        UNROLL for (int p = 0; p < P; p++)
        {
            UNROLL for (int h = 0; h < 2; h++) acc[p][h] = _mm256_add_ps(
                acc[p][h],
                _mm256_maskload_ps(t->y + (size_t)p * t->y_pixel + (size_t)h * HALF, mask[h]));
        }
    }
    const float *w = t->w;
    const size_t step = t->w_step;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->x + (size_t)b * t->x_block;
        int channels = b + 1 < t->blocks ? VG_LANES : t->last;
        for (int i = 0; i < t->taps; i++) {
            const float *x = block + t->tap[i];
            for (int c = 0; c < channels; c++, x++, w += step) {
                __asm__("" : "+r"(x)); /* or the compiler keeps x for the next round, and spills */
                __m256 w0 = _mm256_loadu_ps(w), w1 = _mm256_loadu_ps(w + HALF);
                UNROLL for (int p = 0; p < P; p++)
                {
                    __m256 xv = _mm256_broadcast_ss(x + (size_t)p * pitch);
                    acc[p][0] = _mm256_fmadd_ps(xv, w0, acc[p][0]);
                    acc[p][1] = _mm256_fmadd_ps(xv, w1, acc[p][1]);
                }
            }
        }
    }
    UNROLL for (int p = 0; p < P; p++)
    {
        UNROLL for (int h = 0; h < 2; h++)
        {
            /* the second operand is what max gives for a NaN */
            __m256 v = t->relu ? _mm256_max_ps(_mm256_setzero_ps(), acc[p][h]) : acc[p][h];
            float *y = t->y + (size_t)p * t->y_pixel + (size_t)h * HALF;
            if (t->lanes == VG_LANES)
                _mm256_storeu_ps(y, v);
            else
                _mm256_maskstore_ps(y, mask[h], v);
        }
    }
}

static VG_INLINE FOR_FMA void outer_body(const vg_outer *o, const bool whole, const int A)
{
    __m256 acc[MOST][2];
    __m256i mask[2];
    masks_of(o->lanes, mask);
    UNROLL for (int a = 0; a < A; a++)
    {
        UNROLL for (int h = 0; h < 2; h++) acc[a][h] =
            o->add ? _mm256_loadu_ps(o->dw + (size_t)a * o->step + (size_t)h * HALF)
                   : _mm256_setzero_ps();
    }
    const size_t x_pixel = o->x_pixel, dy_pixel = o->dy_pixel;
    for (int i = 0; i < o->images; i++)
        for (int r = 0; r < o->rows; r++) {
            const float *x = o->x + (size_t)i * o->x_image + (size_t)r * o->x_row;
            const float *dy = o->dy + (size_t)i * o->dy_image + (size_t)r * o->dy_row;
            for (int q = 0; q < o->columns; q++, x += x_pixel, dy += dy_pixel) {
                __m256 d0 = whole ? _mm256_loadu_ps(dy) : _mm256_maskload_ps(dy, mask[0]);
                __m256 d1 =
                    whole ? _mm256_loadu_ps(dy + HALF) : _mm256_maskload_ps(dy + HALF, mask[1]);
                UNROLL for (int a = 0; a < A; a++)
                {
                    __m256 xv = _mm256_broadcast_ss(x + a);
                    acc[a][0] = _mm256_fmadd_ps(xv, d0, acc[a][0]);
                    acc[a][1] = _mm256_fmadd_ps(xv, d1, acc[a][1]);
                }
            }
        }
    UNROLL for (int a = 0; a < A; a++)
    {
        UNROLL for (int h = 0; h < 2; h++)
            _mm256_storeu_ps(o->dw + (size_t)a * o->step + (size_t)h * HALF, acc[a][h]);
    }
}

static FOR_FMA void spread(const float *src, size_t src_step, int count, int c, float *dst,
                           size_t dst_block)
{
    int full = c / VG_LANES, rest = c % VG_LANES;
    for (int i = 0; i < count; i++, src += src_step, dst += VG_LANES) {
        for (int b = 0; b < full; b++) {
            float *to = dst + (size_t)b * dst_block;
            _mm256_storeu_ps(to, _mm256_loadu_ps(src + (size_t)b * VG_LANES));
            _mm256_storeu_ps(to + HALF, _mm256_loadu_ps(src + (size_t)b * VG_LANES + HALF));
        }
        if (rest)
            memcpy(dst + (size_t)full * dst_block, src + (size_t)full * VG_LANES,
                   (size_t)rest * sizeof *src);
    }
}

#define WIDTH 8
#define TARGET FOR_FMA
#include "nn/kernels/winograd_body.h"

/* Blocks of 16 columns side by side; taps and outputs of a gradient likewise. */
enum { THIN_BLOCKS = 1, THIN_TAPS = 5, THIN_GROUP = 1 };
#define VECTOR __m256
#define VECTOR_LOAD(p) _mm256_loadu_ps(p)
#define VECTOR_STORE(p, v) _mm256_storeu_ps(p, v)
#define VECTOR_SET(a) _mm256_set1_ps(a)
#define VECTOR_MADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VECTOR_RELU(v)                                                                             \
    _mm256_max_ps(_mm256_setzero_ps(), v) /* the second operand stays where it is NaN */
#include "nn/kernels/thin_body.h"

static void thin_turn(const float *from, int columns, int outputs, float *to, size_t step)
{
    int wide = (columns + VG_LANES - 1) / VG_LANES * VG_LANES;
    for (int k = 0; k < outputs; k++, to += step)
        for (int q = 0; q < wide; q++)
            to[q] = q < columns ? from[(size_t)q * (size_t)outputs + (size_t)k] : 0;
}

#define TILE(pitch, v, p)                                                                          \
    static FOR_FMA void tile_##pitch##_##p(const vg_tile *t)                                       \
    {                                                                                              \
        tile_body(t, pitch, p);                                                                    \
    }
#define OUTER(unused, v, p)                                                                        \
    static FOR_FMA void outer_##p(const vg_outer *o)                                               \
    {                                                                                              \
        if (o->lanes == VG_LANES)                                                                  \
            outer_body(o, true, p);                                                                \
        else                                                                                       \
            outer_body(o, false, p);                                                               \
    }
VG_TILE_ROW_6(TILE, 16, 1)
VG_TILE_ROW_6(TILE, 3, 1)
VG_TILE_ROW_6(TILE, 1, 1)
VG_TILE_ROW_6(OUTER, 0, 1)

#define TILE_NAME(pitch, v, p) tile_##pitch##_##p,
#define OUTER_NAME(unused, v, p) outer_##p,
const vg_tile_set vg_tiles_avx2 = {.vectors = 1,
                                   .pixels = {MOST},
                                   .tile = {{{VG_TILE_ROW_6(TILE_NAME, 16, 1)}},
                                            {{VG_TILE_ROW_6(TILE_NAME, 3, 1)}},
                                            {{VG_TILE_ROW_6(TILE_NAME, 1, 1)}}},
                                   .outer = {{VG_TILE_ROW_6(OUTER_NAME, 0, 1)}},
                                   .spread = spread,
                                   .winograd = WINOGRAD_NAMES,
                                   .thin_row = thin_row,
                                   .thin_sums = thin_sums,
                                   .thin_turn = thin_turn};
#endif
