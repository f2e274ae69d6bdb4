/* Convolution in float, direct: no unfolding, the input of a band of rows copied once into a zero-rimmed
 * scratch in the level-2 cache, the weights packed once a pass. Pure functions, no threads; a caller
 * gives each thread its own scratch and cuts the work (images, tiles of the weight gradient).
 *
 * Activations are N H W C; x_pixel and y_pixel are the floats from one pixel to the next, so that a
 * group of channels is a shape of its own inside a wider map. Weights are K C R S outside, packed
 * inside. The result does not depend on the instruction set between AVX2 and AVX-512, nor on how a
 * batch is cut into calls (the weight gradient: nor on that, as long as the images stand in order).
 */
#ifndef VG_NN_KERNELS_CONV_H
#define VG_NN_KERNELS_CONV_H

#include "nn/kernels/conv_tile.h"

/* A kernel has at most 64 x 64 taps. */
enum { VG_CONV_TAPS = 4096 };

typedef struct vg_conv {
    int c, h, w;                           /* input, of one group */
    int k, p, q;                           /* output, of one group */
    int kernel, stride, padding, dilation; /* kernel is square; dilation 1: dense */
    size_t x_pixel, y_pixel;               /* all groups' channels */
} vg_conv;

/* Where the rows of a map come from. Either they lie at `base` (images image_size floats apart, from
 * channel 0 of the group on), or row() makes them: it returns row `row` of `image`, pixels `pixel`
 * floats apart, possibly written into `room` (one row). That is where a normalization or an activation
 * before the convolution, or the gradient of one behind it, is folded into the copy. */
typedef struct vg_rows {
    const float *base;
    const float *(*row)(void *context, int image, int row, float *room);
    void *context;
    size_t pixel;
} vg_rows;

/* Where the outputs go. They lie at `base` (images packed without gaps, from channel 0 of the group on),
 * or take() gets them: `rows` rows of one image from `row` on, row after row, a whole number of `multiple`
 * rows but at the end. That is where a pool behind the convolution is folded into the store. largest(), where there is
 * one, says that of each 2 x 2 pixels nothing but the largest is wanted (multiple is 2; what is left over at an edge
 * makes none), after the ReLU if `rectified`, and where those of `row`, which is even, and the next row belong: they are
 * put there, or take() is called as ever. */
typedef struct vg_sink {
    float *base;
    bool add, relu; /* add: to what lies at base; then the ReLU */
    void (*take)(void *context, int image, int row, int rows, const float *y);
    float *(*largest)(void *context, int image, int row);
    void *context;
    int multiple;
    bool rectified;
} vg_sink;

/* Floats of packed weights for the forward pass (with the bias), for the data gradient, and of a
 * packed weight gradient. */
size_t vg_conv_packed_forward(const vg_conv *c);
size_t vg_conv_packed_backward(const vg_conv *c);
size_t vg_conv_packed_gradient(const vg_conv *c);
/* weight: K C R S; bias: [K] or NULL. Part `part` of `parts`, which several threads may do at once. */
void vg_conv_pack_forward(const vg_conv *c, const float *weight, const float *bias, int part,
                          int parts, float *packed);
void vg_conv_pack_backward(const vg_conv *c, const float *weight, int part, int parts,
                           float *packed);

/* Floats of scratch for one thread, enough for each of the passes below. */
size_t vg_conv_scratch(const vg_conv *c);
/* And what a sink that takes `multiple` rows needs in the forward pass. */
size_t vg_conv_scratch_sink(const vg_conv *c, int multiple);

/* y = conv(x) + bias, then ReLU if asked (NaN stays NaN). */
void vg_conv_forward(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, int images,
                     const float *packed, const vg_sink *y, float *scratch);
/* Multiplies what is packed for each output by scale[k], and adds shift[k] to its bias: a normalization by
 * fixed numbers behind the convolution. `values`: packed numbers of one output and input channel. */
void vg_conv_scale_packed(const vg_conv *c, int values, const float *scale, const float *shift,
                          float *packed);
/* dx (+)= the adjoint. */
void vg_conv_backward_data(const vg_tile_set *set, const vg_conv *c, const vg_rows *dy, int images,
                           const float *packed, bool add, float *dx, float *scratch);
/* Packed dw (+)= the sum over the images in order, for one part of the weights. The parts are
 * independent: parts == 1 is all of it, and any number up to vg_conv_gradient_parts gives the same
 * bits. Where dy's rows are made, each part makes them anew. */
int vg_conv_gradient_parts(const vg_conv *c);
/* dw[K C R S], overwritten: the same part of the packed gradients of `shards` shards, `stride` floats
 * apart, added in a tree: ((0 + 1) + (2 + 3)) + ... The first one is overwritten too. */
void vg_conv_unpack_gradient(const vg_conv *c, float *packed, int shards, size_t stride, int part,
                             int parts, float *dw);
void vg_conv_backward_weight(const vg_tile_set *set, const vg_conv *c, const vg_rows *x,
                             const vg_rows *dy, int images, int part, int parts, bool add,
                             float *dw, float *scratch);

/* Naive twins, sums in double, K C R S weights. dx and dw are overwritten. */
void vg_conv_forward_plain(const vg_conv *c, const float *x, int images, const float *weight,
                           const float *bias, bool relu, float *y);
void vg_conv_backward_plain(const vg_conv *c, const float *x, const float *dy, int images,
                            const float *weight, float *dx, float *dw);

#endif
