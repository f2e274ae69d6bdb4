/* The keys of a policy; internal to policy*.c. */
#ifndef VG_AUGMENT_POLICY_KEYS_H
#define VG_AUGMENT_POLICY_KEYS_H

#include "policy.h"

/* A key whose value is one number. */
typedef struct vg_policy_number {
    const char *name;
    size_t offset; /* of the double in vg_policy */
    double low, high;
    const char *meaning; /* for messages */
} vg_policy_number;

enum { VG_POLICY_NUMBERS = 12, VG_POLICY_KEYS = 19, VG_FLIP_ALTERNATING = 4 };
extern const vg_policy_number vg_policy_numbers[VG_POLICY_NUMBERS];
/* All keys, in the order in which they are printed. */
extern const char *const vg_policy_keys[VG_POLICY_KEYS];
extern const char *const vg_fill_names[VG_FILL_WRAP + 1]; /* by vg_fill */
extern const char *const vg_interpolation_names[VG_INTERPOLATION_BICUBIC + 1];
extern const char *const vg_flip_names[VG_FLIP_ALTERNATING + 1]; /* bit 0: h, bit 1: v */

#endif
