/* Operations that look at the value of a pixel and at most at a histogram. See pixels.h for what all
 * of them promise. */
#ifndef VG_AUGMENT_OPS_TONE_H
#define VG_AUGMENT_OPS_TONE_H

#include "ops/pixels.h"

#include <stdbool.h>

/* 255 (v / 255)^gamma; above 1 darkens. Within 0.001 of the exact value. gamma in (0, 10]. */
void vg_tone_gamma(const vg_pixels *p, double gamma);
/* 255 - v. */
void vg_tone_invert(const vg_pixels *p);
/* Inverts values from `threshold` on; above 255 none. */
void vg_tone_solarize(const vg_pixels *p, double threshold);
/* Keeps the highest `bits` of the rounded 8-bit value (torchvision, PIL); 8 or more: unchanged. */
void vg_tone_posterize(const vg_pixels *p, int bits);
/* Stretches each channel to 0..255; a flat channel stays. torchvision's autocontrast. */
void vg_tone_autocontrast(const vg_pixels *p);
/* Equalizes the histogram of each channel by PIL's integer rule; works on rounded 8-bit values. */
void vg_tone_equalize(const vg_pixels *p);
/* Luma in all three channels. */
void vg_tone_grey(const vg_pixels *p);
/* Adds `amount` to every value and clips to the range that the picture had before over all channels:
 * Keras' channel_shift. */
void vg_tone_shift(const vg_pixels *p, double amount);
/* Adds amount[c] to channel c, clipped to 0..255: Albumentations' RGBShift. */
void vg_tone_shift_channels(const vg_pixels *p, const double amount[3]);
/* Channel c becomes what channel order[c] was. `order` must be a permutation of 0 1 2. */
void vg_tone_shuffle(const vg_pixels *p, const int order[3]);
/* Contrast limited adaptive histogram equalization as OpenCV's CLAHE does it (tiles x tiles tiles,
 * at most 8; clip in multiples of a flat histogram, 0: no limit), on the rounded luma; the change
 * of luma is added to each channel. Pictures of fewer pixels than tiles on a side use fewer. */
void vg_tone_clahe(const vg_pixels *p, double clip, int tiles);

#endif
