/* Convolution of 3 x 3 kernels with stride 1 by Winograd's algorithm, F(2 x 2) and F(4 x 4): 2.25 and 4
 * times fewer multiplications than the direct one, for transforms of inputs and outputs (Lavin and
 * Gray, "Fast algorithms for convolutional neural networks", CVPR 2016). A result is off by some 5
 * times as much as the direct one's in F(4 x 4), 2 times in F(2 x 2); in both it is a few 1e-6 of
 * the outputs' deviation. AVX-512 and AVX2 give the same bits. Pure functions, no threads, like conv.h. */
#ifndef VG_NN_KERNELS_WINOGRAD_H
#define VG_NN_KERNELS_WINOGRAD_H

#include "nn/kernels/conv.h"

/* What to use for each pass: outputs to a side of a tile, 2 or 4 (at most `largest`), or 0 for the
 * direct kernels. Decided by the shape alone, so that the same net gives the same bits anywhere. */
typedef struct vg_winograd {
    int forward, data, weight;
} vg_winograd;
vg_winograd vg_winograd_choose(const vg_conv *c, int largest);

/* The same shape seen from the gradient: dx is a convolution of dy. */
vg_conv vg_winograd_reverse(const vg_conv *c);

/* Floats of transformed weights (with the bias) for tiles of m; of scratch for one thread. */
size_t vg_winograd_packed(const vg_conv *c, int m);
size_t vg_winograd_scratch(const vg_conv *c, const vg_winograd *choice);
/* And of the forward pass, where a sink takes its outputs: a multiple of m rows at a time. */
size_t vg_winograd_scratch_sink(const vg_conv *c, int m);

/* weight: K C R S of the layer. For the data gradient give the reversed shape and `reversed`. */
void vg_winograd_pack(const vg_tile_set *set, const vg_conv *c, int m, bool reversed,
                      const float *weight, const float *bias, int part, int parts, float *packed);

/* y = conv(x) + bias, then ReLU if asked. For the data gradient: the reversed shape, x is dy. */
void vg_winograd_forward(const vg_tile_set *set, const vg_conv *c, int m, const vg_rows *x,
                         int images, const float *packed, const vg_sink *y, float *scratch);
/* The packed gradient of vg_conv_backward_weight. Images are summed up in batches of tiles: how they
 * are cut into calls shows in the last bits. */
void vg_winograd_backward_weight(const vg_tile_set *set, const vg_conv *c, int m, const vg_rows *x,
                                 const vg_rows *dy, int images, bool add, float *dw,
                                 float *scratch);

#endif
