/* One resampling pass for all geometry: an affine map from output to input pixels. */
#ifndef VG_AUGMENT_OPS_WARP_H
#define VG_AUGMENT_OPS_WARP_H

#include "image/image.h"
#include "image/resize.h"
#include "ops/tent.h"
#include "policy.h"

typedef struct vg_warp {
    double m[6];       /* output pixel (x, y) -> input (m0 x + m1 y + m2, m3 x + m4 y + m5), centres
                          at integers */
    int width, height; /* of the output */
    vg_fill fill;
    double fill_value; /* 0..255, VG_FILL_CONSTANT */
    double inset[2]; /* constant fill: output pixels whose centre falls less than this (x, y) inside
                          the picture's outer edge are filled. 0.5 is Keras' and scipy's rule, outside
                          [0, n - 1]; half an output pixel (in input pixels) is the same rule for a
                          picture that was resized first. */
} vg_warp;

/* Scratch of one thread; zero-initialize, release with vg_warp_scratch_reset. */
typedef struct vg_warp_scratch {
    vg_tent_scratch tent;
    vg_image reduced;
    vg_resize_scratch resize;
} vg_warp_scratch;
void vg_warp_scratch_reset(vg_warp_scratch *scratch);

/* Fills `out`, planar floats (C H W with C of `in`), 0..255, not rounded.
 *
 * Where the map enlarges or keeps the scale (down to 1 : 1.25) it is bilinear between the four
 * neighbours, as Keras' and scipy's order 1, within 0.05 of the exact value. Where it reduces, each output pixel is the mean of the
 * input under a tent that covers the neighbouring output pixels' centres, mapped into the input:
 * what Pillow's antialiased bilinear does, for any affine map (a direction that is not reduced keeps
 * a tent of one input pixel), within 0.06 of the exact mean. Reductions of 4 and more are first averaged over whole cells of the
 * input (an even number of pixels, at most a quarter of the tent's width), so that what an output
 * pixel costs does not grow with the picture; stripes or checks of one pixel, which point sampling
 * turns into black and white, stay within 14 of their mean of 127.5 at any angle and scale above
 * 2.5.
 * Taps outside the picture follow the fill mode: constant kkkk|abcd|kkkk (an output pixel is the
 * picture or the constant, never a blend), nearest aaaa|abcd|dddd, reflect dcba|abcd|dcba, wrap
 * abcd|abcd|abcd. VG_E_ARG when the map is singular, not finite or reaches absurdly far;
 * VG_E_NOMEM. Any thread, with its own scratch. */
vg_status vg_warp_run(const vg_warp *warp, const vg_view *in, vg_warp_scratch *scratch, float *out,
                      vg_error *err);

/* The share of output pixels whose centre falls outside the in_width x in_height picture. */
double vg_warp_outside(const vg_warp *warp, int in_width, int in_height);

#endif
