/* Inside the convolution: the two innermost kernels and the row copy, once for each instruction set.
 *
 * Channels are cut into blocks of 16. What a kernel reads as input lies in a scratch with a zero rim, where
 * neighbouring pixels of a block are a constant number of floats apart ("pitch": 16, or 3 or 1 for
 * a first layer), so that every address inside the loops is a constant away from one pointer.
 *
 * Each output element is one chain of fused multiply-adds in a fixed order (block, tap, channel for
 * a tile; image, row, column for an outer product). How wide the vectors are and how many chains run
 * side by side changes no bit: AVX-512 and AVX2 agree. Plain C multiplies and adds separately. */
#ifndef VG_NN_KERNELS_CONV_TILE_H
#define VG_NN_KERNELS_CONV_TILE_H

#include "base/simd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VG_LANES = 16,
    VG_TILE_VECTORS = 4,
    VG_TILE_PIXELS = 28,
    VG_TILE_PITCHES = 3,
    VG_TILE_PAIRS = 7, /* of pixels side by side, at most */
    VG_THIN_OUTPUTS = 8
};

/* Pixels side by side times vectors of 16 outputs: y = start + sum over blocks, taps, channels. */
typedef struct vg_tile {
    const float *x;     /* the first pixel's first channel, in the scratch */
    const int32_t *tap; /* floats from x to each tap */
    int taps;
    int blocks, last; /* channel blocks, and channels of the last one; the others have all */
    size_t x_block;   /* floats between blocks of x */
    const float *w;   /* [block][tap][channel][w_step] */
    size_t w_step;
    float *y;
    size_t y_pixel;
    int lanes;         /* of the last vector that exist in y */
    const float *bias; /* [vectors][16], where the chains start; NULL: at y */
    bool add;          /* with a bias: at the sum of both */
    bool relu;
} vg_tile;
typedef void (*vg_tile_fn)(const vg_tile *tile);

/* One vector of outputs at `pixels` of a row and as many of the next: y gets the largest of each 2 x 2, a NaN counting as
 * the largest. Each weight that is read serves twice as many pixels as in a tile of one row. */
typedef struct vg_tile_pair {
    vg_tile tile; /* with a bias; of pitch 16; y_pixel is that of what is written */
    size_t x_row; /* floats to the next row */
} vg_tile_pair;
typedef void (*vg_tile_pair_fn)(const vg_tile_pair *pair);

/* Inputs side by side times vectors of 16 outputs, summed over pixels: the weight gradient. */
typedef struct vg_outer {
    const float *x, *dy;
    size_t x_image, x_row, x_pixel, dy_image, dy_row, dy_pixel;
    int images, rows, columns;
    int lanes; /* of the last vector that exist in dy */
    float *dw; /* [input][step] */
    size_t step;
    bool add; /* chains start at dw, else at zero */
} vg_outer;
typedef void (*vg_outer_fn)(const vg_outer *outer);

/* `count` pixels of c channels, src_step apart, into blocks of 16: dst[block][pixel][16]. */
typedef void (*vg_spread_fn)(const float *src, size_t src_step, int count, int c, float *dst,
                             size_t dst_block);

/* The transforms of Winograd's convolution with tiles of m x m outputs and n = m + 2: `count` squares,
 * `next` floats apart, of 16 channels each. Values are n x n, to_value (or from_column) apart. */
typedef struct vg_transform {
    const float *from;
    size_t from_row, from_column, from_next;
    float *to;
    size_t to_row, to_value, to_next; /* of an output: from pixel to pixel */
    int count;
    const float *bias;        /* [16], output only, like all below */
    int lanes, rows, columns; /* that exist, of the row of tiles */
    bool add, relu;           /* add: also for weight gradients */
} vg_transform;
typedef void (*vg_transform_fn)(const vg_transform *t);
typedef struct vg_winograd_set {
    vg_transform_fn input, output, gradient, weight, weight_gradient;
} vg_winograd_set;

/* A row of outputs, few for each pixel (conv_thin.h): y[q][pixel], q < columns; or the largest of each
 * 2 x 2 pixels of this row and the next, q < columns / 2, a NaN counting as the largest. */
typedef struct vg_thin_row {
    const float
        *x; /* channel 0, first tap of the first pixel; may be read up to 15 beyond the last one */
    size_t x_channel, x_row;
    int channels, kernel, outputs, columns;
    const float *w, *bias; /* [row][column][channel][16], [16] */
    bool relu, largest;
    float *y;
    size_t
        y_pixel; /* at least `outputs`; what lies between belongs to nobody else while a row is made */
} vg_thin_row;
/* sums[channel][tap][output][16] of one row of taps of one channel, over `rows` rows: `dy` is
 * [row][output][dy_output], zero beyond the columns. */
typedef struct vg_thin_sums {
    const float *x;
    size_t x_row;
    const float *dy;
    size_t dy_output;
    int rows, columns, kernel, outputs;
    float *sums; /* [tap][output][16], overwritten */
} vg_thin_sums;

typedef struct vg_tile_set {
    int vectors; /* the most side by side; 1 where registers are few */
    /* The most pixels (tile) or inputs (outer) for 1, 2, 3, 4 vectors. */
    int pixels[VG_TILE_VECTORS];
    vg_tile_fn tile[VG_TILE_PITCHES][VG_TILE_VECTORS][VG_TILE_PIXELS]; /* [pitch][v-1][p-1] */
    vg_tile_pair_fn pair[VG_TILE_PAIRS]; /* for 2, 4, .. pixels; NULL where registers are few */
    vg_outer_fn outer[VG_TILE_VECTORS][VG_TILE_PIXELS];
    vg_spread_fn spread;
    vg_winograd_set winograd[2]; /* m = 2, m = 4 */
    void (*thin_row)(const vg_thin_row *row);
    void (*thin_sums)(const vg_thin_sums *sums);
    /* to[output][step] of a row's from[columns][outputs], with zeros up to whole vectors of 16 columns. */
    void (*thin_turn)(const float *from, int columns, int outputs, float *to, size_t step);
} vg_tile_set;

/* Place in tile[]: pitches 16, 3 and 1. */
static inline int vg_pitch_index(int pitch)
{
    return pitch == 16 ? 0 : pitch == 3 ? 1 : 2;
}

/* What this machine can run of `most`. AVX2 counts only with FMA. */
const vg_tile_set *vg_tile_set_for(vg_simd most);
extern const vg_tile_set vg_tiles_plain;
#if VG_SIMD_X86
extern const vg_tile_set vg_tiles_avx2, vg_tiles_avx512;
#endif

/* The table's entries: instantiate BODY(pitch, vectors, pixels) for all that fit the registers. */
#define VG_TILE_ROW_6(M, c, v) M(c, v, 1) M(c, v, 2) M(c, v, 3) M(c, v, 4) M(c, v, 5) M(c, v, 6)
#define VG_TILE_ROW_7(M, c, v) VG_TILE_ROW_6(M, c, v) M(c, v, 7)
#define VG_TILE_ROW_9(M, c, v) VG_TILE_ROW_7(M, c, v) M(c, v, 8) M(c, v, 9)
#define VG_TILE_ROW_14(M, c, v)                                                                    \
    VG_TILE_ROW_9(M, c, v) M(c, v, 10) M(c, v, 11) M(c, v, 12) M(c, v, 13) M(c, v, 14)
#define VG_TILE_ROW_28(M, c, v)                                                                    \
    VG_TILE_ROW_14(M, c, v)                                                                        \
    M(c, v, 15)                                                                                    \
    M(c, v, 16)                                                                                    \
    M(c, v, 17)                                                                                    \
    M(c, v, 18)                                                                                    \
    M(c, v, 19)                                                                                    \
    M(c, v, 20)                                                                                    \
    M(c, v, 21) M(c, v, 22) M(c, v, 23) M(c, v, 24) M(c, v, 25) M(c, v, 26) M(c, v, 27) M(c, v, 28)

#endif
