/* Inside the convolution: layers of few outputs, which would fill a part of a vector only. Here a vector is
 * 16 neighbouring pixels of a row instead, and weights (or gradients) are broadcast. Channels of the source lie
 * apart, "planar", with a zero rim.
 *
 * Forward the sums are those of the other kernels, term by term. The weight gradient is summed up for each
 * of the 16 columns of an image, and these in a tree; images follow in order. */
#ifndef VG_NN_KERNELS_CONV_THIN_H
#define VG_NN_KERNELS_CONV_THIN_H

#include "nn/kernels/conv.h"

/* Decided by the shape alone. */
bool vg_conv_is_thin(const vg_conv *c);
/* Floats of scratch. `multiple`: of a sink that takes rows, or 0. */
size_t vg_thin_scratch(const vg_conv *c, int multiple);

/* As vg_conv_forward (but for adding) and vg_conv_backward_weight (where rows of dy are made they have y_pixel
 * floats for a pixel, too). */
void vg_thin_forward(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, int images,
                     const float *packed, const vg_sink *y, float *scratch);
void vg_thin_weight(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, const vg_rows *dy,
                    int images, bool add, float *dw, float *scratch);

#endif
