/* The vg_transform that the loader calls: plan, one warp, colour, noise, normalization, straight
 * into the slot. */
#ifndef VG_AUGMENT_TRANSFORM_H
#define VG_AUGMENT_TRANSFORM_H

#include "load/loader.h"
#include "normalize.h"
#include "plan.h"

/* Shared and read-only while loaders use it. */
typedef struct vg_augment {
    vg_policy policy; /* vg_policy_none(): resize and normalize only (evaluation) */
    vg_normalizer normalizer;
    int channels, height, width; /* of the network's input */
} vg_augment;

/* A transform whose context is `augment` (borrowed). */
vg_transform vg_augment_transform(const vg_augment *augment);

/* The same work up to, not including, normalization, rounded to 8 bits: for previews and written
 * datasets. `plan` NULL: as evaluation sees it. scratch as from
 * vg_augment_transform(...).scratch_new. */
vg_status vg_augment_apply(const vg_augment *augment, const vg_plan *plan, void *scratch,
                           const vg_image *in, vg_image *out, vg_error *err);

#endif
