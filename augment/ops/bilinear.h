/* Bilinear sampling of a picture along an affine map. Private to ops/. */
#ifndef VG_AUGMENT_OPS_BILINEAR_H
#define VG_AUGMENT_OPS_BILINEAR_H

#include "base/simd.h"
#include "image/image.h"
#include "policy.h"

typedef struct vg_bilinear {
    vg_view in;
    double m[6]; /* as vg_warp */
    int width, height;
    vg_fill fill;
    double x0, x1, y0, y1; /* constant fill: output pixels whose centres fall outside are filled */
    float value;
} vg_bilinear;

/* Fills `out`, planar floats. Coordinates and weights are exact to double and float: within 1e-4 of
 * the exact bilinear value. All versions give the same bytes; `simd` must be one that this machine
 * has. Pure. */
void vg_bilinear_run(const vg_bilinear *job, vg_simd simd, float *out);

/* The same at `count` places of the caller's, at most VG_BILINEAR_SPAN: (x[i], y[i]), finite and no
 * further than 2^22 away, gives out[i], plane by plane `plane` values apart. x and y have
 * VG_BILINEAR_SPAN numbers each, all of them such places. The job's map and size are not looked at. */
enum { VG_BILINEAR_SPAN = 128 };
void vg_bilinear_points(const vg_bilinear *job, vg_simd simd, const double *x, const double *y,
                        int count, size_t plane, float *out);

#endif
