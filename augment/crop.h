/* The rectangle of a random resized crop. */
#ifndef VG_AUGMENT_CROP_H
#define VG_AUGMENT_CROP_H

#include "load/loader.h"
#include "policy.h"

/* Whole pixels of the upright picture. */
typedef struct vg_crop {
    int x, y, width, height;
} vg_crop;

/* Draws from the stream (key, VG_RNG_CROP) as torchvision's RandomResizedCrop.get_params: ten times an
 * area U(crop_low, crop_high) of the picture's and a ratio exp(U(log low, log high)), sides rounded
 * half to even; the first that fits lies anywhere with the same chance. When none fits: the largest
 * centred rectangle whose ratio is within the limits (the picture itself if its own is). */
vg_crop vg_crop_draw(const vg_policy *policy, const vg_sample_key *key, int width, int height);
/* Lower bounds of both sides of what vg_crop_draw can give for a picture of this size. */
void vg_crop_least(const vg_policy *policy, int width, int height, int *least_width,
                   int *least_height);
/* The middle one of vg_crop_draw, without a draw. */
vg_crop vg_crop_fallback(const vg_policy *policy, int width, int height);

#endif
