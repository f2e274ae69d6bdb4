/* One resampling pass for geometry that is more than affine: a homography, a field of displacements,
 * and any of the three interpolations. Affine maps with the bilinear one are ops/warp.h's. */
#ifndef VG_AUGMENT_OPS_REMAP_H
#define VG_AUGMENT_OPS_REMAP_H

#include "ops/warp.h"

/* A smooth field of displacements (Simard, Steinkraus, Platt: "Best practices for convolutional neural
 * networks applied to visual document analysis", ICDAR 2003): a uniform cubic B-spline over a coarse
 * grid of cells that is centred on the origin. Independent coefficients give what those authors' white
 * noise gives under a Gaussian of 0.577 cells (the spline's own standard deviation), for the cost of
 * a few multiplications a pixel. No displacement is larger than the largest coefficient. Beyond the
 * grid the field is what it is at its border. */
enum { VG_FIELD_CELLS = 16, VG_FIELD_SIDE = VG_FIELD_CELLS + 3 };
typedef struct vg_field {
    int columns, rows; /* cells, at most VG_FIELD_CELLS each; 0: there is no field */
    double cell;       /* the side of one */
    float x[VG_FIELD_SIDE]
           [VG_FIELD_SIDE]; /* coefficients, row by row, (rows + 3) x (columns + 3) */
    float y[VG_FIELD_SIDE][VG_FIELD_SIDE];
} vg_field;
/* The displacement at (x, y). */
void vg_field_at(const vg_field *field, double x, double y, double displacement[2]);

typedef struct vg_remap {
    double from[4]; /* output pixel (u, v) -> q = (from0 u + from1, from2 v + from3) */
    vg_field field; /* q -> q + field(q) */
    double p[9];    /* q -> input pixel ((p0 x + p1 y + p2) / d, (p3 x + p4 y + p5) / d) with
                    d = p6 x + p7 y + p8, centres at integers. What lies behind the horizon (d <= 0)
                    counts as infinitely far. */
    int width, height;
    vg_fill fill;
    double fill_value, inset[2]; /* as in vg_warp */
    vg_interpolation interpolation;
} vg_remap;

/* The same map as a warp, with another interpolation. */
vg_remap vg_remap_of_warp(const vg_warp *warp, vg_interpolation interpolation);
/* Where output place (u, v) falls; no further than 2^22. */
void vg_remap_at(const vg_remap *remap, double u, double v, double place[2]);
/* By how much the map reduces an in_width x in_height picture along its x and y axes: the mean, over
 * that part of the output which shows the picture (1 when none does), of the input pixels
 * between two output pixels. */
void vg_remap_scale(const vg_remap *remap, int in_width, int in_height, double scale[2]);

/* Fills `out`, planar floats (C H W with C of `in`), 0..255, not rounded.
 *
 * Nearest takes points, whatever the scale. Bilinear and bicubic do so where the mean scale is at most
 * 1.25 in both directions; otherwise the picture is first brought to it (vg_view_resize, antialiased,
 * the same kind of filter), and points are taken of that: what is near the mean scale is antialiased,
 * what is reduced more than that aliases a little, what is reduced less is a little softer. On a drawn
 * scene of fine detail, reduced twice and three times by maps whose local scale varies by a third to both sides,
 * the result is 4 to 6 levels (root mean square) from the ideal, a tent that follows the map at every pixel;
 * points without a filter are 10 to 14 from it.
 * Fill modes as vg_warp_run's. VG_E_ARG when the map is not finite, VG_E_NOMEM. All instruction sets
 * give the same bytes. Any thread, with its own scratch. */
vg_status vg_remap_run(const vg_remap *remap, const vg_view *in, vg_warp_scratch *scratch,
                       float *out, vg_error *err);
/* The same with a chosen instruction set, which the machine must have; for tests. */
vg_status vg_remap_run_with(const vg_remap *remap, const vg_view *in, vg_simd simd,
                            vg_warp_scratch *scratch, float *out, vg_error *err);

/* The share of output pixels whose centre falls outside the in_width x in_height picture. */
double vg_remap_outside(const vg_remap *remap, int in_width, int in_height);

#endif
