/* Nearest and bicubic sampling of a picture at any places: the companions of vg_bilinear_points.
 * Private to ops/. */
#ifndef VG_AUGMENT_OPS_POINTS_H
#define VG_AUGMENT_OPS_POINTS_H

#include "ops/bilinear.h"

/* Arguments as vg_bilinear_points; all versions give the same bytes. The value of the pixel whose
 * square the place lies in, with its right and lower neighbour's at the border: floor(x + 1/2), as
 * Pillow and scipy (order 0). Pure. */
void vg_points_nearest(const vg_bilinear *job, vg_simd simd, const double *x, const double *y,
                       int count, size_t plane, float *out);
/* Cubic convolution of 4 x 4 pixels (R. Keys, "Cubic convolution interpolation for digital image
 * processing", IEEE ASSP 29, 1981) with a = -1/2, as Pillow's resize; OpenCV and PyTorch have -3/4,
 * Pillow's transform -1. It overshoots at edges, by up to 13 % of a step in each direction; what leaves
 * 0..255 is clamped. Neighbours outside of the picture are what the fill mode says, the nearest for
 * VG_FILL_CONSTANT. */
void vg_points_bicubic(const vg_bilinear *job, vg_simd simd, const double *x, const double *y,
                       int count, size_t plane, float *out);

#endif
