/* The convolution's innermost kernels in plain C, for machines without AVX2 and FMA: the same order of
 * sums, but a multiplication and an addition are rounded apart, so the last bits differ from the
 * others. The compiler makes of the 16 lanes what its target has. */
#include "nn/kernels/conv_tile.h"

#include <string.h>

enum { MOST = 2 };

static VG_INLINE void tile_body(const vg_tile *t, const int pitch, const int P)
{
    float acc[MOST][VG_LANES] = {{0}};
    for (int p = 0; p < P; p++)
        memcpy(acc[p], t->bias ? t->bias : t->y + (size_t)p * t->y_pixel,
               (size_t)(t->bias ? VG_LANES : t->lanes) * sizeof(float));
    for (int p = 0; t->bias && t->add && p < P; p++)
        for (int l = 0; l < t->lanes; l++)
            acc[p][l] += t->y[(size_t)p * t->y_pixel + (size_t)l];
    const float *w = t->w;
    for (int b = 0; b < t->blocks; b++) {
        const float *block = t->x + (size_t)b * t->x_block;
        int channels = b + 1 < t->blocks ? VG_LANES : t->last;
        for (int i = 0; i < t->taps; i++) {
            const float *x = block + t->tap[i];
            for (int c = 0; c < channels; c++, x++, w += t->w_step)
                for (int p = 0; p < P; p++)
                    for (int l = 0; l < VG_LANES; l++)
                        acc[p][l] += x[(size_t)p * pitch] * w[l];
        }
    }
    for (int p = 0; p < P; p++) {
        if (t->relu)
            for (int l = 0; l < VG_LANES; l++)
                acc[p][l] = acc[p][l] < 0 ? 0 : acc[p][l];
        memcpy(t->y + (size_t)p * t->y_pixel, acc[p], (size_t)t->lanes * sizeof(float));
    }
}

static VG_INLINE void outer_body(const vg_outer *o, const int A)
{
    float acc[MOST][VG_LANES] = {{0}};
    if (o->add)
        for (int a = 0; a < A; a++)
            memcpy(acc[a], o->dw + (size_t)a * o->step, sizeof acc[a]);
    for (int i = 0; i < o->images; i++)
        for (int r = 0; r < o->rows; r++) {
            const float *x = o->x + (size_t)i * o->x_image + (size_t)r * o->x_row;
            const float *dy = o->dy + (size_t)i * o->dy_image + (size_t)r * o->dy_row;
            for (int q = 0; q < o->columns; q++, x += o->x_pixel, dy += o->dy_pixel) {
                float d[VG_LANES] = {0};
                if (o->lanes == VG_LANES)
                    memcpy(d, dy, sizeof d);
                else
                    memcpy(d, dy, (size_t)o->lanes * sizeof *d);
                for (int a = 0; a < A; a++)
                    for (int l = 0; l < VG_LANES; l++)
                        acc[a][l] += x[a] * d[l];
            }
        }
    for (int a = 0; a < A; a++)
        memcpy(o->dw + (size_t)a * o->step, acc[a], sizeof acc[a]);
}

static void spread(const float *src, size_t src_step, int count, int c, float *dst,
                   size_t dst_block)
{
    int full = c / VG_LANES, rest = c % VG_LANES;
    for (int i = 0; i < count; i++, src += src_step, dst += VG_LANES) {
        for (int b = 0; b < full; b++)
            memcpy(dst + (size_t)b * dst_block, src + (size_t)b * VG_LANES, VG_LANES * sizeof *src);
        if (rest)
            memcpy(dst + (size_t)full * dst_block, src + (size_t)full * VG_LANES,
                   (size_t)rest * sizeof *src);
    }
}

#define WIDTH 4
#define TARGET
#include "nn/kernels/winograd_body.h"

/* Blocks of 16 columns side by side; taps and outputs of a gradient likewise. */
enum { THIN_BLOCKS = 1, THIN_TAPS = 5, THIN_GROUP = 1 };
#define VECTOR lanes
#define VECTOR_LOAD(p) load(p)
#define VECTOR_STORE(p, v) store(p, v)
#define VECTOR_SET(a) ((lanes){0} + (a))
#define VECTOR_MADD(a, b, c) ((c) + (a) * (b))
#define VECTOR_RELU(v) ((lanes)((int_lanes)(v) & ~((v) < 0))) /* NaN stays */
#include "nn/kernels/thin_body.h"

static void thin_turn(const float *from, int columns, int outputs, float *to, size_t step)
{
    int wide = (columns + VG_LANES - 1) / VG_LANES * VG_LANES;
    for (int k = 0; k < outputs; k++, to += step)
        for (int q = 0; q < wide; q++)
            to[q] = q < columns ? from[(size_t)q * (size_t)outputs + (size_t)k] : 0;
}

#define TILE(pitch, p)                                                                             \
    static void tile_##pitch##_##p(const vg_tile *t)                                               \
    {                                                                                              \
        tile_body(t, pitch, p);                                                                    \
    }
#define OUTER(p)                                                                                   \
    static void outer_##p(const vg_outer *o)                                                       \
    {                                                                                              \
        outer_body(o, p);                                                                          \
    }
TILE(16, 1)
TILE(16, 2)
TILE(3, 1)
TILE(3, 2)
TILE(1, 1)
TILE(1, 2)
OUTER(1)
OUTER(2)

const vg_tile_set vg_tiles_plain = {
    .vectors = 1,
    .pixels = {MOST},
    .tile = {{{tile_16_1, tile_16_2}}, {{tile_3_1, tile_3_2}}, {{tile_1_1, tile_1_2}}},
    .outer = {{outer_1, outer_2}},
    .spread = spread,
    .winograd = WINOGRAD_NAMES,
    .thin_row = thin_row,
    .thin_sums = thin_sums,
    .thin_turn = thin_turn};

const vg_tile_set *vg_tile_set_for(vg_simd most)
{
#if VG_SIMD_X86
    vg_simd best = vg_simd_best();
    if (most >= VG_SIMD_AVX512 && best >= VG_SIMD_AVX512)
        return &vg_tiles_avx512;
    if (most >= VG_SIMD_AVX2 && best >= VG_SIMD_AVX2 && __builtin_cpu_supports("fma"))
        return &vg_tiles_avx2;
#else
    (void)most;
#endif
    return &vg_tiles_plain;
}
