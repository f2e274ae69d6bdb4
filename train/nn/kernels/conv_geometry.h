/* Inside the convolution: how outputs are cut into vectors, taps are ordered and rows are gathered. */
#ifndef VG_NN_KERNELS_CONV_GEOMETRY_H
#define VG_NN_KERNELS_CONV_GEOMETRY_H

#include "nn/kernels/conv.h"

/* Of the copied source at a time: well within the level-2 cache, beside weights and outputs. */
enum { VG_BAND_FLOATS = 96 * 1024 };

/* A correlation with a zero-rimmed source: output (u, v) reads source row u stride + top + i for the
 * row taps i, likewise for columns. Forward and weight gradient: the source is x. Data gradient: the
 * source is dy with stride 1, and each residue of dx's pixels modulo the stride is a class of
 * outputs with its own taps. */
typedef struct vg_source {
    const vg_rows *rows;
    size_t pixel; /* of the source in memory */
    size_t image; /* likewise, floats between images */
    int channel;  /* the first one wanted */
    int c, h, w;
    int pitch; /* of the scratch: 16, 3 or 1; any up to 16 for the weight gradient */
    int stride;
    int top, left; /* source place of the first output's first tap: zero or less, or more */
    int span;      /* rows that one output row needs, of `stride` 1 distance */
    int columns;   /* of a scratch row, before they are dealt to the phases */
    int out_rows;  /* of the largest class */
    uint64_t row_phases, column_phases; /* used by any tap; phases from 63 on count as used */
    /* the scratch, in floats */
    int phase_columns;
    size_t row, block, band;    /* between rows, channel blocks, images */
    int images_once, rows_once; /* in the scratch at a time: whole images, or rows of one */
} vg_source;

static inline int vg_ceil(int a, int b)
{
    return (a + b - 1) / b;
}
static inline int vg_vectors(int k)
{
    return vg_ceil(k, VG_LANES);
}
/* Vectors of outputs are worked on in groups of at most four, as equal as can be. The group that
 * begins at vector `first`. */
static inline int vg_group_width(int vectors, int first)
{
    int groups = vg_ceil(vectors, VG_TILE_VECTORS), wide = vectors % groups,
        width = vectors / groups;
    if (wide == 0)
        return width;
    return first < wide * (width + 1) ? width + 1 : width;
}

/* A part of the weight gradient: one channel block times one group of outputs, [tap][channel][lane] in
 * the packed array. */
typedef struct vg_unit {
    int block, channels; /* and how many channels the block has */
    int first, width;    /* vectors of outputs */
    size_t at, floats;   /* in the packed gradient */
} vg_unit;
vg_unit vg_unit_at(const vg_conv *c, int unit);

/* The order of taps in packed weights: rows, then columns by their phase (s dilation) mod stride, so
 * that neighbours in the scratch are neighbours in the packed array. */
void vg_tap_order(const vg_conv *c, int32_t *rs); /* [kernel kernel], r kernel + s */
/* Taps of the data gradient's class (a, b), each as r kernel + s; returns how many. */
int vg_class_taps(const vg_conv *c, int a, int b, int32_t *rs);

/* Channels [channel, channel + count) of x; at most rows_most output rows in all at a time (0: any). */
vg_source vg_source_forward(const vg_conv *c, const vg_rows *x, int channel, int count,
                            int rows_most);
/* The same for the weight gradient, whose kernels take any pitch: fewer than 16 channels lie without gaps,
 * so that neighbouring taps are one run of places. */
vg_source vg_source_weights(const vg_conv *c, const vg_rows *x, int channel, int count,
                            int rows_most);
vg_source vg_source_backward(const vg_conv *c, const vg_rows *dy);
/* Few input channels would leave most lanes of the data gradient empty. Then the columns' taps times the
 * channels are the outputs of a correlation over rows, and their sums are laid over each other behind it. */
bool vg_conv_is_narrow(const vg_conv *c);
vg_source vg_source_narrow(const vg_conv *c, const vg_rows *dy);
size_t vg_narrow_scratch(const vg_conv *c); /* without the source's row */
/* Holds so many whole images, or rows of one, at a time. */
void vg_source_hold(vg_source *s, int images, int rows);
size_t vg_source_scratch(const vg_source *s);
/* Scratch of `images` images from `first` on, for output rows [row, row + rows). `room` is a row. */
void vg_source_gather(const vg_tile_set *set, const vg_source *s, int first, int images, int row,
                      int rows, float *scratch, float *room);
/* Floats from an output pixel's origin in the scratch to a tap at (i, j) rows and columns from the
 * source's top left. */
static inline int32_t vg_source_offset(const vg_source *s, int i, int j)
{
    int phase = j % s->stride, at = j / s->stride;
    return (int32_t)((size_t)i * s->row +
                     ((size_t)phase * (size_t)s->phase_columns + (size_t)at) * (size_t)s->pitch);
}

#endif
