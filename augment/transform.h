/* The vg_transform that the loader calls: plan, one warp, colour, noise, normalization, straight
 * into the slot. */
#ifndef VG_AUGMENT_TRANSFORM_H
#define VG_AUGMENT_TRANSFORM_H

#include "class_policy.h"
#include "geometry.h"
#include "load/loader.h"
#include "normalize.h"
#include "plan.h"

/* Shared and read-only while loaders use it. */
typedef struct vg_augment {
    vg_policy policy; /* vg_policy_none(): resize and normalize only (evaluation) */
    const vg_class_policies *class_policies; /* of single classes, by the label of the sample's key;
                                                borrowed; NULL: the policy is that of all */
    vg_normalizer normalizer;
    int channels, height, width; /* of the network's input */
    vg_framing framing;          /* how a picture comes to that size where no crop is drawn */
    /* 2, 4, 8: pictures may be shrunk so far while they are decoded, as far as vg_geometry_shrink
     * allows it for them. 0 or 1: always decoded in full, which is the default, because shrinking
     * shows. On 300 photographs of 300 to 500 pixels at evaluation, with two pixels left for each of
     * the output, values differ by 0.7 to 0.9 of 255 on average (1/2 and 1/4; 1.0 to 1.2 at 1/8), one
     * of a thousand by 8 to 18, none by more than 54; with four left by 0.3 to 0.7. Decoding and
     * resizing take 1.2 to 2.1 times as long in full; the larger the pictures, the more. */
    int max_shrink;
} vg_augment;

/* The policy for samples of this class. */
const vg_policy *vg_augment_policy(const vg_augment *augment, int label);
/* A transform whose context is `augment` (borrowed). It reads what vg_geometry_make says and nothing
 * else, so that its output is the same, bit for bit, whatever more it is given. Thread-safe with a
 * scratch for each thread. */
vg_transform vg_augment_transform(const vg_augment *augment);

/* The same work up to, not including, normalization: planar floats (C H W) of 0..255 into `out`.
 * `plan` NULL: as evaluation sees it, brought to the input's size as the framing says by
 * vg_view_resize's antialiased bilinear. `scratch` as from vg_augment_transform(...).scratch_new.
 * A picture of three channels becomes luma for a network of one; a grey one fills all three. */
vg_status vg_augment_view(const vg_augment *augment, const vg_plan *plan, void *scratch,
                          const vg_image *in, float *out, vg_error *err);
/* The same rounded to 8 bits: for previews and written datasets. */
vg_status vg_augment_apply(const vg_augment *augment, const vg_plan *plan, void *scratch,
                           const vg_image *in, vg_image *out, vg_error *err);
/* The affine map of `plan` on a whole picture of in_width x in_height, also where a resize is enough. */
vg_status vg_augment_warp(const vg_augment *augment, const vg_plan *plan, int in_width,
                          int in_height, vg_warp *warp, vg_error *err);
/* The same of all of its geometry, perspective and elastic steps included. */
vg_status vg_augment_remap(const vg_augment *augment, const vg_plan *plan, int in_width,
                           int in_height, vg_remap *remap, vg_error *err);

#endif
