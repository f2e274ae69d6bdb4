/* Brightness, contrast, saturation and hue, as torchvision's ColorJitter defines them for float
 * pictures, on planar floats 0..255 (C planes of n values). In place; results are clamped to
 * 0..255 after each operation, never rounded. Pure functions. */
#ifndef VG_AUGMENT_OPS_COLOUR_H
#define VG_AUGMENT_OPS_COLOUR_H

#include "base/simd.h"

#include <stddef.h>

/* All four, in any order. */
typedef struct vg_jitter {
    double brightness, contrast, saturation; /* factors, 1: none */
    double hue;                              /* turns of the colour wheel, 0: none */
    int order[4]; /* of 0 brightness, 1 contrast, 2 saturation, 3 hue; others are skipped */
} vg_jitter;

/* The four below one after the other, in at most two passes over the picture: the second only for
 * contrast, which needs the mean of what comes before it. */
void vg_colour_jitter(float *x, int channels, size_t n, const vg_jitter *jitter);
/* The same in a version that this machine must have; all give the same bytes. */
void vg_colour_run(vg_simd simd, float *x, int channels, size_t n, const vg_jitter *jitter);

/* v * factor. */
void vg_colour_brightness(float *x, int channels, size_t n, double factor);
/* factor * v + (1 - factor) * mean luma of the whole picture. */
void vg_colour_contrast(float *x, int channels, size_t n, double factor);
/* factor * v + (1 - factor) * luma of the pixel. Grey pictures (one plane) have none. */
void vg_colour_saturation(float *x, int channels, size_t n, double factor);
/* Turns the hue of HSV by `turns` of the colour wheel. Grey pictures have none. */
void vg_colour_hue(float *x, int channels, size_t n, double turns);

#endif
