/* What may be done to samples: ranges, chances and the fill mode. A small value, parsed from one
 * line such as rotate=20 shift=0.2 shear=20 zoom=0.2 flip=h brightness=0.2 noise=5 fill=nearest or
 * named by a preset. Meanings follow Keras' ImageDataGenerator as documented (geometry) and
 * torchvision's RandomResizedCrop, RandomCrop and ColorJitter (crops, colour); where Keras' code
 * departs from its documentation the documented meaning is used. */
#ifndef VG_AUGMENT_POLICY_H
#define VG_AUGMENT_POLICY_H

#include "base/status.h"
#include "choice.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum vg_fill { VG_FILL_NEAREST, VG_FILL_CONSTANT, VG_FILL_REFLECT, VG_FILL_WRAP } vg_fill;

/* Of what is drawn: resizes, crops and warps. Evaluation is always bilinear, antialiased. Nearest takes
 * points, as the default of torchvision's geometry does, and aliases where it reduces; bicubic is
 * sharper, and slower. */
typedef enum vg_interpolation {
    VG_INTERPOLATION_BILINEAR,
    VG_INTERPOLATION_NEAREST,
    VG_INTERPOLATION_BICUBIC
} vg_interpolation;

/* Members stand by what they are about. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
typedef struct vg_policy {
    /* Random resized crop: its share of the picture's area is U(crop_low, crop_high), width over
     * height is log-uniform in the ratios; crop_high 0: off. Stretched to the input's size. */
    double crop_low, crop_high;
    double crop_ratio_low, crop_ratio_high; /* 3/4, 4/3 */
    double
        pad_crop; /* whole pixels of the input: the picture at the input's size, padded by so many
                        on each side as `fill` says, then cut out at random */
    double rotate_deg;       /* U(-r, r); positive turns the picture counter-clockwise */
    double shift_x, shift_y; /* U(-s, s): fraction of width / height if below 1, else pixels */
    double shear_deg;        /* U(-s, s) */
    double zoom_low,
        zoom_high; /* U(low, high) for x and y by themselves; below 1 magnifies; 1, 1: off */
    bool flip_horizontal, flip_vertical; /* with chance 0.5 each */
    bool flip_alternating; /* of flip_horizontal: a sample is mirrored in every other epoch, half of
                              the samples in even ones */
    vg_fill fill;          /* what stands beyond the picture's edges */
    double brightness, contrast, saturation; /* factor U(max(0, 1 - v), 1 + v) */
    double hue;                              /* U(-v, v) turns of the colour wheel, v <= 0.5 */
    double noise;      /* sigma of Gaussian noise, in 8-bit steps, each channel its own */
    double fill_value; /* 0..255, for VG_FILL_CONSTANT */
    vg_interpolation interpolation;
    double ramp;        /* epochs over which everything but crops, flips and noise grows to its full
                    strength, linearly: epoch 1, the first of a training, has 1 / ramp (epoch 0,
                    where somebody counts from there, as well); 0: at once */
    vg_auto automatic;  /* drawn after all of the above */
    vg_choices choices; /* and these last, in the order in which they were written */
} vg_policy;

/* Does nothing: zoom 1..1, ratios 3/4..4/3, all else 0. */
vg_policy vg_policy_none(void);
/* One line -> policy. Words are separated by blanks or commas; the first may be a preset (none,
 * light, standard, heavy, keras-default) that the others then change. Keys: crop (lo:hi, lo for lo:1,
 * none) crop_ratio (lo:hi) pad_crop rotate shift shift_x shift_y shear zoom (v or lo:hi) flip (h, v,
 * hv, alternating, none) brightness contrast saturation hue noise fill fill_value interpolation ramp; randaugment
 * trivialaugment augmix autoaugment (automatic.h), one of them; and every operation of operation.h,
 * with a chance or in groups (choice.h). `rotate=20` is applied to every sample, `rotate=20@0.5` to
 * half of them. VG_E_ARG names the word, what is allowed there, and the nearest known key. */
vg_status vg_policy_parse(const char *text, vg_policy *policy, vg_error *err);
/* Changes `policy` by what the line says: keys that are given replace its own, the others stay; a preset
 * replaces all; words with a chance replace all words with a chance (chances=none: takes them away), an
 * automatic policy the one that is there (randaugment=none, or any other's name: takes it away).
 * Unchanged on errors, which are those of vg_policy_parse. */
vg_status vg_policy_change(vg_policy *policy, const char *text, vg_error *err);
/* The line of all keys that differ from "none", each with the fewest digits that read back as the
 * same number: parses back to the same policy ("none" for nothing). VG_POLICY_TEXT bytes are enough. */
#define VG_POLICY_TEXT 4096
void vg_policy_print(const vg_policy *policy, char *text, size_t capacity);
/* Whether it changes no picture, whatever it draws. */
bool vg_policy_is_none(const vg_policy *policy);
/* What in the policy is probably not what its author meant (a shear below one degree: a no-op that
 * was meant in radians; brightness that blackens), one sentence each, separated by " | ". Returns
 * how many. */
size_t vg_policy_warnings(const vg_policy *policy, char *text, size_t capacity);

#endif
