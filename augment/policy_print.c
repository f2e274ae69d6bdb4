/* A policy as one line, in the order of the table of keys, and what is odd about it in words. */
#include "policy_keys.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fewest digits that read back as the same double. */
/* Before each word but the first. */
static const char *blank(const char *text)
{
    return text[0] ? " " : "";
}

static void print_zoom(const vg_policy *policy, char *text, size_t capacity)
{
    char low[VG_TEXT_NUMBER], high[VG_TEXT_NUMBER];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(low, sizeof low, "%.*g", digits, (policy->zoom_high - policy->zoom_low) / 2);
        double v = strtod(low, NULL);
        if (v <= 0.95 && 1 - v == policy->zoom_low && 1 + v == policy->zoom_high) {
            vg_text_append(text, capacity, "%szoom=%s", blank(text), low);
            return;
        }
    }
    vg_text_shortest(policy->zoom_low, low);
    vg_text_shortest(policy->zoom_high, high);
    vg_text_append(text, capacity, "%szoom=%s:%s", blank(text), low, high);
}

static void print_range(const char *key, double low, double high, char *text, size_t capacity)
{
    char first[VG_TEXT_NUMBER], second[VG_TEXT_NUMBER];
    vg_text_shortest(low, first);
    vg_text_shortest(high, second);
    vg_text_append(text, capacity, "%s%s=%s:%s", blank(text), key, first, second);
}

/* The keys that are more than a number; false for a number. */
static bool print_special(const vg_policy *policy, const char *key, char *text, size_t capacity)
{
    const vg_policy none = vg_policy_none();
    if (strcmp(key, "crop") == 0) {
        if (policy->crop_high > 0)
            print_range(key, policy->crop_low, policy->crop_high, text, capacity);
    } else if (strcmp(key, "crop_ratio") == 0) {
        if (policy->crop_ratio_low != none.crop_ratio_low ||
            policy->crop_ratio_high != none.crop_ratio_high)
            print_range(key, policy->crop_ratio_low, policy->crop_ratio_high, text, capacity);
    } else if (strcmp(key, "zoom") == 0) {
        if (policy->zoom_low != 1 || policy->zoom_high != 1)
            print_zoom(policy, text, capacity);
    } else if (strcmp(key, "flip") == 0) {
        int flip = (policy->flip_horizontal ? 1 : 0) + (policy->flip_vertical ? 2 : 0);
        if (policy->flip_alternating)
            flip = VG_FLIP_ALTERNATING;
        if (flip)
            vg_text_append(text, capacity, "%sflip=%s", blank(text), vg_flip_names[flip]);
    } else if (strcmp(key, "fill") == 0) {
        if (policy->fill != VG_FILL_NEAREST)
            vg_text_append(text, capacity, "%sfill=%s", blank(text), vg_fill_names[policy->fill]);
    } else if (strcmp(key, "interpolation") == 0) {
        if (policy->interpolation != VG_INTERPOLATION_BILINEAR)
            vg_text_append(text, capacity, "%sinterpolation=%s", blank(text),
                           vg_interpolation_names[policy->interpolation]);
    } else {
        return false;
    }
    return true;
}

void vg_policy_print(const vg_policy *policy, char *text, size_t capacity)
{
    if (capacity == 0)
        return;
    text[0] = '\0';
    for (int i = 0; i < VG_POLICY_KEYS; i++) {
        const char *key = vg_policy_keys[i];
        bool equal = policy->shift_x == policy->shift_y;
        if (!print_special(policy, key, text, capacity) &&
            (strncmp(key, "shift_", 6) != 0 || !equal)) {
            const char *field = strcmp(key, "shift") == 0 ? (equal ? "shift_x" : "") : key;
            for (int k = 0; k < VG_POLICY_NUMBERS; k++) {
                double value;
                memcpy(&value, (const char *)policy + vg_policy_numbers[k].offset, sizeof value);
                if (strcmp(field, vg_policy_numbers[k].name) == 0 && value != 0) {
                    char number[VG_TEXT_NUMBER];
                    vg_text_shortest(value, number);
                    vg_text_append(text, capacity, "%s%s=%s", blank(text), key, number);
                }
            }
        }
    }
    char more[VG_POLICY_TEXT];
    vg_auto_print(&policy->automatic, more, sizeof more);
    if (more[0])
        vg_text_append(text, capacity, "%s%s", blank(text), more);
    vg_choices_print(&policy->choices, more, sizeof more);
    if (more[0])
        vg_text_append(text, capacity, "%s%s", blank(text), more);
    if (!text[0])
        snprintf(text, capacity, "none");
}
size_t vg_policy_warnings(const vg_policy *policy, char *text, size_t capacity)
{
    size_t count = 0;
    if (capacity)
        text[0] = '\0';
    char buffer[160];
#define WARN(...)                                                                                  \
    do {                                                                                           \
        snprintf(buffer, sizeof buffer, __VA_ARGS__);                                              \
        if (capacity)                                                                              \
            vg_text_append(text, capacity, "%s%s%s", blank(text), count ? "| " : "", buffer);      \
        count++;                                                                                   \
    } while (0)
    if (policy->shear_deg > 0 && policy->shear_deg < 1)
        WARN("shear=%g is in degrees and changes nothing one could see; for radians write "
             "shear=%.0f",
             policy->shear_deg, policy->shear_deg * 57.29577951308232);
    if (policy->rotate_deg > 0 && policy->rotate_deg < 1)
        WARN("rotate=%g is in degrees and changes nothing one could see", policy->rotate_deg);
    if (policy->brightness >= 1)
        WARN("brightness=%g makes some pictures black", policy->brightness);
    if (policy->contrast >= 1)
        WARN("contrast=%g makes some pictures a flat grey", policy->contrast);
    double shift_x = policy->shift_x < 1 ? policy->shift_x : 0;
    double shift_y = policy->shift_y < 1 ? policy->shift_y : 0;
    if (shift_x >= 0.5 || shift_y >= 0.5)
        WARN("shift=%g pushes half of the picture out of sight", fmax(shift_x, shift_y));
    if (policy->crop_high > 0 && policy->crop_low < 0.05)
        WARN("crop down to %g keeps less than a twentieth of the picture", policy->crop_low);
    if (policy->zoom_low < 0.4)
        WARN("zoom down to %g keeps less than a sixth of the picture", policy->zoom_low);
#undef WARN
    return count;
}
