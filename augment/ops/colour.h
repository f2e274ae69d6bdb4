/* Brightness, contrast, saturation and hue, as torchvision's ColorJitter defines them for float
 * pictures, on planar floats 0..255 (C planes of n values). In place; results are clamped to
 * 0..255, never rounded. Pure functions. */
#ifndef VG_AUGMENT_OPS_COLOUR_H
#define VG_AUGMENT_OPS_COLOUR_H

#include <stddef.h>

/* v * factor. */
void vg_colour_brightness(float *x, int channels, size_t n, double factor);
/* factor * v + (1 - factor) * mean luma of the whole picture. */
void vg_colour_contrast(float *x, int channels, size_t n, double factor);
/* factor * v + (1 - factor) * luma of the pixel. Grey pictures (one plane) have none. */
void vg_colour_saturation(float *x, int channels, size_t n, double factor);
/* Turns the hue of HSV by `turns` of the colour wheel. Grey pictures have none. */
void vg_colour_hue(float *x, int channels, size_t n, double turns);

#endif
