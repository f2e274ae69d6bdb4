/* A policy taken apart into its operations: each drawn by itself from its weakest to its strongest, and
 * plans with one of them left out. For previews and inspections that name the operation which does
 * something, instead of the policy as a whole. */
#ifndef VG_AUGMENT_PARTS_H
#define VG_AUGMENT_PARTS_H

#include "plan.h"

/* What a plan may hold: the numbers that every plan has, and any operation of operation.h as a step
 * (VG_PART_STEP + operation). */
typedef enum vg_part_code {
    VG_PART_CROP,
    VG_PART_PAD_CROP,
    VG_PART_ROTATE,
    VG_PART_SHIFT,
    VG_PART_SHEAR,
    VG_PART_ZOOM,
    VG_PART_FLIP,
    VG_PART_BRIGHTNESS,
    VG_PART_CONTRAST,
    VG_PART_SATURATION,
    VG_PART_HUE,
    VG_PART_NOISE,
    VG_PART_STEP,
    VG_PART_CODES = VG_PART_STEP + VG_OPERATIONS
} vg_part_code;
/* "rotate", "shift", ... as the words of a policy are called. */
const char *vg_part_name(int code);

/* One part of one policy. */
typedef struct vg_part {
    int code;
    int choice; /* of policy->choices, or -1 */
    int set;    /* of the automatic policy (vg_auto_operation), or -1 */
} vg_part;

/* In the order in which they are applied; returns how many there are, of which at most `capacity` are
 * written. VG_PARTS are always enough. */
enum { VG_PARTS = VG_PART_STEP + VG_CHOICES + VG_OPERATIONS };
int vg_policy_parts(const vg_policy *policy, vg_part *parts, int capacity);
/* "−20 to 20 degrees, every sample"; "0.5 to 1.5 sigma in pixels, 30 % of the samples". UTF-8. */
void vg_part_print(const vg_policy *policy, const vg_part *part, char *text, size_t capacity);

/* The part alone, at strength (variant + 1) / variants between the value that changes nothing and the
 * strongest that the policy draws, to either side in turn; where no value changes nothing, between
 * the weakest and the strongest of its range. `key` names the random rest (directions, places, noise).
 * Sizes as in vg_plan_draw. */
vg_plan vg_part_plan(const vg_policy *policy, const vg_part *part, int variant, int variants,
                     const vg_sample_key *key, const int size[2], const int in_size[2]);

/* Marks in has[] what the plan holds, steps in chains too. Returns how many different ones. */
int vg_plan_parts(const vg_plan *plan, bool has[VG_PART_CODES]);
/* The plan without that part; all else as it was. */
vg_plan vg_plan_without(const vg_plan *plan, int code);

#endif
