/* The table of keys and what follows from it: the empty policy, and whether a policy is one.
 *
 * One table serves parsing, printing and the messages, so that a new key that is a number is one
 * line here. */
#include "policy_keys.h"

#include <string.h>

const vg_policy_number vg_policy_numbers[VG_POLICY_NUMBERS] = {
    {"pad_crop", offsetof(vg_policy, pad_crop), 0, 1024, "whole pixels of the input, 0 to 1024"},
    {"rotate", offsetof(vg_policy, rotate_deg), 0, 180, "degrees to either side, 0 to 180"},
    {"shift_x", offsetof(vg_policy, shift_x), 0, 65535, "a fraction below 1, or pixels"},
    {"shift_y", offsetof(vg_policy, shift_y), 0, 65535, "a fraction below 1, or pixels"},
    {"shear", offsetof(vg_policy, shear_deg), 0, 80, "degrees to either side, 0 to 80"},
    {"brightness", offsetof(vg_policy, brightness), 0, 10, "v for factors 1 - v to 1 + v, 0 to 10"},
    {"contrast", offsetof(vg_policy, contrast), 0, 10, "v for factors 1 - v to 1 + v, 0 to 10"},
    {"saturation", offsetof(vg_policy, saturation), 0, 10, "v for factors 1 - v to 1 + v, 0 to 10"},
    {"hue", offsetof(vg_policy, hue), 0, 0.5, "turns of the colour wheel to either side, 0 to 0.5"},
    {"noise", offsetof(vg_policy, noise), 0, 255, "sigma in 8-bit steps, 0 to 255"},
    {"fill_value", offsetof(vg_policy, fill_value), 0, 255, "a sample value, 0 to 255"},
    {"ramp", offsetof(vg_policy, ramp), 0, 100000, "epochs up to the full strength"},
};

const char *const vg_policy_keys[VG_POLICY_KEYS] = {
    "crop",  "crop_ratio", "pad_crop",   "rotate",        "shift",    "shift_x",    "shift_y",
    "shear", "zoom",       "flip",       "brightness",    "contrast", "saturation", "hue",
    "noise", "fill",       "fill_value", "interpolation", "ramp"};

const char *const vg_fill_names[VG_FILL_WRAP + 1] = {"nearest", "constant", "reflect", "wrap"};
const char *const vg_interpolation_names[VG_INTERPOLATION_BICUBIC + 1] = {"bilinear", "nearest",
                                                                          "bicubic"};
const char *const vg_flip_names[VG_FLIP_ALTERNATING + 1] = {"none", "h", "v", "hv", "alternating"};

vg_policy vg_policy_none(void)
{
    vg_policy policy = {
        .crop_ratio_low = 3.0 / 4, .crop_ratio_high = 4.0 / 3, .zoom_low = 1, .zoom_high = 1};
    return policy;
}

static bool same(const vg_policy *a, const vg_policy *b)
{
    for (int i = 0; i < VG_POLICY_NUMBERS; i++) {
        double x, y;
        memcpy(&x, (const char *)a + vg_policy_numbers[i].offset, sizeof x);
        memcpy(&y, (const char *)b + vg_policy_numbers[i].offset, sizeof y);
        if (x != y)
            return false;
    }
    return a->crop_low == b->crop_low && a->crop_high == b->crop_high &&
           a->crop_ratio_low == b->crop_ratio_low && a->crop_ratio_high == b->crop_ratio_high &&
           a->zoom_low == b->zoom_low && a->zoom_high == b->zoom_high &&
           a->flip_horizontal == b->flip_horizontal && a->flip_vertical == b->flip_vertical &&
           a->flip_alternating == b->flip_alternating && a->fill == b->fill &&
           a->interpolation == b->interpolation && a->automatic.kind == b->automatic.kind &&
           a->choices.group_count == b->choices.group_count;
}

bool vg_policy_is_none(const vg_policy *policy)
{
    vg_policy none = vg_policy_none();
    none.fill = policy->fill; /* how to fill is no change by itself, nor the shape of no crop */
    none.fill_value = policy->fill_value;
    none.ramp = policy->ramp;
    none.crop_ratio_low = policy->crop_ratio_low;
    none.crop_ratio_high = policy->crop_ratio_high;
    return same(policy, &none);
}
