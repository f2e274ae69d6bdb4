/* The vg_transform that the loader calls: plan, one warp, colour, noise, normalization, straight
 * into the slot. */
#ifndef VG_AUGMENT_TRANSFORM_H
#define VG_AUGMENT_TRANSFORM_H

#include "load/loader.h"
#include "normalize.h"
#include "ops/warp.h"
#include "plan.h"

/* Shared and read-only while loaders use it. */
typedef struct vg_augment {
    vg_policy policy; /* vg_policy_none(): resize and normalize only (evaluation) */
    vg_normalizer normalizer;
    int channels, height, width; /* of the network's input */
} vg_augment;

/* A transform whose context is `augment` (borrowed). */
vg_transform vg_augment_transform(const vg_augment *augment);

/* The same work up to, not including, normalization: planar floats (C H W) of 0..255 into `out`.
 * `plan` NULL: as evaluation sees it, the whole picture stretched to the input's size by
 * vg_image_resize's antialiased bilinear. `scratch` as from vg_augment_transform(...).scratch_new.
 * A picture of three channels becomes luma for a network of one; a grey one fills all three. */
vg_status vg_augment_view(const vg_augment *augment, const vg_plan *plan, void *scratch,
                          const vg_image *in, float *out, vg_error *err);
/* The same rounded to 8 bits: for previews and written datasets. */
vg_status vg_augment_apply(const vg_augment *augment, const vg_plan *plan, void *scratch,
                           const vg_image *in, vg_image *out, vg_error *err);
/* The resampling that `plan` asks for on a picture of in_width x in_height. */
vg_status vg_augment_warp(const vg_augment *augment, const vg_plan *plan, int in_width,
                          int in_height, vg_warp *warp, vg_error *err);

#endif
