/* Points of a picture: nearest, bilinear or bicubic, along an affine map or at any places. Private to
 * ops/. */
#ifndef VG_AUGMENT_OPS_SAMPLE_H
#define VG_AUGMENT_OPS_SAMPLE_H

#include "base/simd.h"
#include "image/image.h"
#include "policy.h"

typedef struct vg_sample_job {
    vg_view in;
    double m[6]; /* as vg_warp */
    int width, height;
    vg_fill fill;
    vg_interpolation interpolation;
    double x0, x1, y0, y1; /* constant fill: output pixels whose centres fall outside are filled */
    float value;
} vg_sample_job;

/* Fills `out`, planar floats of 0..255. Places are rounded to 2^-14 pixels, weights to 2^-14 of their
 * sum, and everything is added up in integers:
 * - nearest is the pixel whose square the place lies in, its right and lower neighbour at the border
 *   between two: floor(x + 1/2), as Pillow and scipy (order 0);
 * - bilinear lies within 0.05 of the exact value;
 * - bicubic, the cubic convolution of 4 x 4 pixels (R. Keys, "Cubic convolution interpolation for digital
 *   image processing", IEEE ASSP 29, 1981) with a = -1/2 as Pillow's resize (OpenCV and PyTorch have -3/4,
 *   Pillow's transform -1), within 0.15. It overshoots at edges, by up to 13 % of a step in each
 *   direction; what leaves 0..255 is clamped.
 * Neighbours outside of the picture are what the fill mode says, the nearest for VG_FILL_CONSTANT. All
 * versions give the same bytes; `simd` must be one that this machine has. The map must be finite and
 * reach no further than 2^22. Pure. */
void vg_sample_run(const vg_sample_job *job, vg_simd simd, float *out);

/* The same at `count` places of the caller's, at most VG_SAMPLE_SPAN: (x[i], y[i]), finite and no
 * further than 2^22 away, gives out[i], plane by plane `plane` values apart. x and y have
 * VG_SAMPLE_SPAN numbers each, all of them such places. The job's map and size are not looked at. */
enum { VG_SAMPLE_SPAN = 128 };
void vg_sample_points(const vg_sample_job *job, vg_simd simd, const double *x, const double *y,
                      int count, size_t plane, float *out);

#endif
