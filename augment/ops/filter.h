/* Blurs, sharpening and loss of resolution. See pixels.h. Beyond the edge the picture is mirrored
 * without repeating the edge pixel (OpenCV's BORDER_REFLECT_101, torchvision's "reflect"). */
#ifndef VG_AUGMENT_OPS_FILTER_H
#define VG_AUGMENT_OPS_FILTER_H

#include "ops/pixels.h"

/* Widest reach of a blur to one side, pixels. */
#define VG_FILTER_REACH 64

/* Gaussian of standard deviation `sigma` pixels, cut at 3 sigma (as wide as VG_FILTER_REACH at most)
 * and normalized. 0: unchanged. */
void vg_filter_gaussian(const vg_pixels *p, double sigma);
/* Mean along a straight line of `length` pixels through the pixel, at `degrees` against the x axis,
 * counter-clockwise as seen; sampled at whole pixels of the line, bilinear. 1 or less: unchanged. */
void vg_filter_motion(const vg_pixels *p, double length, double degrees);
/* Median of the (2 radius + 1)^2 neighbourhood, radius 1 to 3, of values rounded to bytes; the edge
 * pixel is repeated (OpenCV's medianBlur). */
void vg_filter_median(const vg_pixels *p, int radius);
/* v + (factor - 1) (v - smooth), smooth by the kernel [1 1 1; 1 5 1; 1 1 1] / 13, edge pixels
 * untouched: torchvision's adjust_sharpness; 0 smooths, 1 leaves, 2 sharpens. */
void vg_filter_sharpness(const vg_pixels *p, double factor);
/* Shrinks to `scale` of each side (at least one pixel) by averaging areas, and back up bilinearly:
 * what a picture of a lower resolution would have given. 1: unchanged. */
void vg_filter_downscale(const vg_pixels *p, double scale);

#endif
