/* The one-line policy: a table of keys, each with its range, read into and printed from a
 * vg_policy.
 *
 * One table serves parsing, printing and the messages, so that a new key is one line here. The
 * parser refuses what cannot be meant (a value out of range, a key given twice, a preset that is
 * not the first word) instead of clamping it: a policy that silently does something else is the
 * fault this project looks for. */
#include "policy.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, TEXT_MAX = 600 };

static const char blanks[] = " \t\r\n,";
static const double LEAST_CROP = 0.001;

typedef struct number_key {
    const char *name;
    size_t offset; /* of the double in vg_policy */
    double low, high;
    const char *meaning; /* for messages */
} number_key;

static const number_key numbers[] = {
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
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static const char *const known_keys[] = {
    "crop",       "crop_ratio", "pad_crop", "rotate", "shift",      "shift_x",
    "shift_y",    "shear",      "zoom",     "flip",   "brightness", "contrast",
    "saturation", "hue",        "noise",    "fill",   "fill_value", "ramp"};
enum { KEYS = sizeof known_keys / sizeof *known_keys };

static const char *const fill_names[] = {"nearest", "constant", "reflect", "wrap"};
static const char *const flip_names[] = {"none", "h", "v", "hv", "alternating"};
enum { FLIP_ALTERNATING = 4 };

/* keras-default: the generator that tutorials copy from each other, with its shear in degrees. The
 * milder presets do not turn text and digits into their mirror image: light has no flip. */
static const struct {
    const char *name, *line;
} presets[] = {
    {"none", ""},
    {"light", "rotate=5 shift=0.05 zoom=0.05 brightness=0.1 contrast=0.1 fill=reflect"},
    {"standard", "rotate=15 shift=0.1 shear=5 zoom=0.1 flip=h brightness=0.2 contrast=0.2 "
                 "saturation=0.2 fill=reflect"},
    {"heavy", "rotate=30 shift=0.15 shear=15 zoom=0.7:1.2 flip=h brightness=0.4 contrast=0.4 "
              "saturation=0.4 hue=0.05 noise=8 fill=reflect"},
    {"keras-default", "rotate=40 shift=0.2 shear=0.2 zoom=0.2 flip=h fill=nearest"},
};
enum { PRESETS = sizeof presets / sizeof *presets };

vg_policy vg_policy_none(void)
{
    vg_policy policy = {
        .crop_ratio_low = 3.0 / 4, .crop_ratio_high = 4.0 / 3, .zoom_low = 1, .zoom_high = 1};
    return policy;
}

static bool same(const vg_policy *a, const vg_policy *b)
{
    for (int i = 0; i < NUMBERS; i++) {
        double x, y;
        memcpy(&x, (const char *)a + numbers[i].offset, sizeof x);
        memcpy(&y, (const char *)b + numbers[i].offset, sizeof y);
        if (x != y)
            return false;
    }
    return a->crop_low == b->crop_low && a->crop_high == b->crop_high &&
           a->crop_ratio_low == b->crop_ratio_low && a->crop_ratio_high == b->crop_ratio_high &&
           a->zoom_low == b->zoom_low && a->zoom_high == b->zoom_high &&
           a->flip_horizontal == b->flip_horizontal && a->flip_vertical == b->flip_vertical &&
           a->flip_alternating == b->flip_alternating && a->fill == b->fill &&
           a->automatic.kind == b->automatic.kind &&
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

/* The whole of `text` as a finite number. */
static bool read_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static int find_word(const char *word, const char *const *list, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return -1;
}

static vg_status bad_value(const char *key, const char *value, const char *meaning, vg_error *err)
{
    return vg_fail(err, VG_E_ARG, "policy: %s=%s: expected %s", key, value, meaning);
}

static vg_status parse_number(const number_key *key, const char *word, const char *value,
                              vg_policy *policy, vg_error *err)
{
    double number;
    bool whole = strcmp(key->name, "pad_crop") == 0;
    if (!read_number(value, &number) || number < key->low || number > key->high ||
        (whole && number != floor(number)))
        return bad_value(word, value, key->meaning, err);
    memcpy((char *)policy + key->offset, &number, sizeof number);
    return VG_OK;
}

/* "lo:hi" with least <= lo <= hi <= most. */
static bool read_range(char *value, double least, double most, double *low, double *high)
{
    char *colon = strchr(value, ':');
    if (!colon)
        return false;
    *colon = '\0';
    bool fine = read_number(value, low) && read_number(colon + 1, high) && *low >= least &&
                *low <= *high && *high <= most;
    *colon = ':';
    return fine;
}

static vg_status parse_zoom(char *value, vg_policy *policy, vg_error *err)
{
    static const char meaning[] =
        "v for 1 - v to 1 + v with v from 0 to below 1, or lo:hi from 0.05 to 20 (below 1 "
        "magnifies)";
    double low, high, v;
    if (!read_range(value, 0.05, 20, &low, &high)) {
        if (!read_number(value, &v) || v < 0 || v > 0.95)
            return bad_value("zoom", value, meaning, err);
        low = 1 - v;
        high = 1 + v;
    }
    policy->zoom_low = low;
    policy->zoom_high = high;
    return VG_OK;
}

static vg_status parse_crop(char *value, vg_policy *policy, vg_error *err)
{
    double low = 0, high = 0;
    if (strcmp(value, "none") != 0 && !read_range(value, LEAST_CROP, 1, &low, &high)) {
        if (!read_number(value, &low) || low < LEAST_CROP || low > 1)
            return bad_value(
                "crop", value,
                "the share of the picture's area, lo:hi or lo (for lo:1) from 0.001 to "
                "1, or none",
                err);
        high = 1;
    }
    policy->crop_low = low;
    policy->crop_high = high;
    return VG_OK;
}

static vg_status parse_crop_ratio(char *value, vg_policy *policy, vg_error *err)
{
    double low, high;
    if (!read_range(value, 0.05, 20, &low, &high))
        return bad_value("crop_ratio", value,
                         "width over height, lo:hi from 0.05 to 20, as in 0.75:1.333", err);
    policy->crop_ratio_low = low;
    policy->crop_ratio_high = high;
    return VG_OK;
}

static vg_status parse_fill(const char *value, vg_policy *policy, vg_error *err)
{
    int choice = find_word(value, fill_names, 4);
    if (choice < 0) {
        const char *near = vg_nearest(value, fill_names, 4);
        return vg_fail(err, VG_E_ARG,
                       "policy: fill=%s: expected nearest, constant, reflect or wrap%s%s%s", value,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    policy->fill = (vg_fill)choice;
    return VG_OK;
}

static vg_status parse_flip(const char *value, vg_policy *policy, vg_error *err)
{
    int choice = find_word(value, flip_names, FLIP_ALTERNATING + 1);
    if (choice < 0)
        return vg_fail(err, VG_E_ARG, "policy: flip=%s: expected none, h, v, hv or alternating",
                       value);
    policy->flip_alternating = choice == FLIP_ALTERNATING;
    policy->flip_horizontal = (choice & 1) != 0 || policy->flip_alternating;
    policy->flip_vertical = (choice & 2) != 0;
    return VG_OK;
}

static vg_status unknown_word(const char *word, const char *text, bool first, vg_error *err)
{
    const char *names[KEYS + PRESETS + VG_OPERATIONS + 4];
    size_t count = 0;
    if (first && !strchr(text, '='))
        for (int i = 0; i < PRESETS; i++)
            names[count++] = presets[i].name;
    for (int i = 0; i < KEYS; i++)
        names[count++] = known_keys[i];
    for (int i = 0; i < VG_OPERATIONS; i++)
        names[count++] = vg_operation_of((vg_operation)i)->name;
    for (int i = 0; vg_auto_name(i); i++)
        names[count++] = vg_auto_name(i);
    const char *near = vg_nearest(word, names, count);
    return vg_fail(
        err, VG_E_ARG,
        "policy: unknown %s \"%s\"%s%s%s (presets: none light standard heavy "
        "keras-default, first word only; keys: crop crop_ratio pad_crop rotate shift shift_x "
        "shift_y shear zoom flip brightness contrast saturation hue noise fill fill_value ramp "
        "randaugment trivialaugment augmix autoaugment; any operation with a chance: blur=2@0.3, "
        "one_of(grey|equalize))",
        strchr(text, '=') ? "key" : "word", word, near ? "; did you mean \"" : "", near ? near : "",
        near ? "\"?" : "");
}

/* Words that are not keys: automatic policies and operations with a chance. */
static bool parse_extra(char *text, vg_policy *policy, vg_status *status, vg_error *err)
{
    char name[WORD_MAX];
    size_t length = strcspn(text, "=@(");
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    if (vg_auto_named(name)) {
        *status =
            policy->automatic.kind == VG_AUTO_NONE
                ? vg_auto_parse(name, text[length] == '=' ? text + length + 1 : NULL,
                                &policy->automatic, err)
                : vg_fail(err, VG_E_ARG, "policy: \"%s\" after another automatic policy", name);
        return true;
    }
    /* A key of every sample, unless it is written with a chance. */
    bool key = find_word(name, known_keys, KEYS) >= 0 && !strchr(text, '@');
    if (key || !vg_choices_wants(text))
        return false;
    *status = vg_choices_add(&policy->choices, text, err);
    return true;
}

static vg_status parse_word(char *text, bool first, unsigned *seen, vg_policy *policy,
                            vg_error *err)
{
    char word[WORD_MAX];
    vg_status extra;
    if (!strchr(text, '(') && strlen(text) >= sizeof word)
        return vg_fail(err, VG_E_ARG, "policy: \"%.40s...\" is too long for a key=value", text);
    if (parse_extra(text, policy, &extra, err))
        return extra;
    size_t length = strcspn(text, "=");
    memcpy(word, text, length);
    word[length] = '\0';
    if (text[length] == '\0') {
        for (int i = 0; first && i < PRESETS; i++)
            if (strcmp(word, presets[i].name) == 0)
                return vg_policy_parse(presets[i].line, policy, err);
        int key = find_word(word, known_keys, KEYS);
        if (key >= 0)
            return vg_fail(err, VG_E_ARG, "policy: \"%s\" needs a value: %s=...", word, word);
        return unknown_word(word, text, first, err);
    }
    char *value = text + length + 1;
    int key = find_word(word, known_keys, KEYS);
    if (key < 0)
        return unknown_word(word, text, first, err);
    if (*seen & (1u << key))
        return vg_fail(err, VG_E_ARG, "policy: \"%s\" is given twice", word);
    *seen |= 1u << key;
    if (strcmp(word, "zoom") == 0)
        return parse_zoom(value, policy, err);
    if (strcmp(word, "crop") == 0)
        return parse_crop(value, policy, err);
    if (strcmp(word, "crop_ratio") == 0)
        return parse_crop_ratio(value, policy, err);
    if (strcmp(word, "fill") == 0)
        return parse_fill(value, policy, err);
    if (strcmp(word, "flip") == 0)
        return parse_flip(value, policy, err);
    bool both = strcmp(word, "shift") == 0;
    for (int i = 0; i < NUMBERS; i++) {
        const char *name = numbers[i].name;
        if (strcmp(word, name) == 0 || (both && strncmp(name, "shift_", 6) == 0)) {
            vg_status status = parse_number(&numbers[i], word, value, policy, err);
            if (status != VG_OK)
                return status;
        }
    }
    return VG_OK;
}

/* The next word, without the blanks that stand inside its brackets. Returns where it ends. */
static const char *next_word(const char *text, char word[TEXT_MAX])
{
    size_t used = 0;
    int depth = 0;
    for (; *text && (depth > 0 || !strchr(blanks, *text)); text++) {
        depth += (*text == '(') - (*text == ')');
        bool blank = *text == ' ' || *text == '\t' || *text == '\n' || *text == '\r';
        if (!blank && used + 1 < TEXT_MAX)
            word[used++] = *text;
    }
    word[used] = '\0';
    return text;
}

vg_status vg_policy_parse(const char *text, vg_policy *policy, vg_error *err)
{
    vg_policy result = vg_policy_none();
    unsigned seen = 0;
    bool first = true;
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        char word[TEXT_MAX];
        text = next_word(text, word);
        vg_status status = parse_word(word, first, &seen, &result, err);
        if (status != VG_OK)
            return status;
        first = false;
    }
    if (result.automatic.kind == VG_AUTO_AUGMIX && result.choices.group_count)
        return vg_fail(
            err, VG_E_ARG,
            "policy: augmix mixes chains of its own and takes no operations with a chance "
            "beside it");
    *policy = result;
    return VG_OK;
}

/* The fewest digits that read back as the same double. */
static void shortest(double value, char text[32])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        bool tens = strchr(text, 'e') && fabs(value) >= 1; /* 4e+01 */
        if (strtod(text, NULL) == value && !tens)
            return;
    }
}

static void append(char *text, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t capacity, const char *format, ...)
{
    size_t used = strlen(text);
    if (used && used + 1 < capacity) {
        text[used++] = ' ';
        text[used] = '\0';
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, capacity - used, format, arguments);
    va_end(arguments);
}

static void print_zoom(const vg_policy *policy, char *text, size_t capacity)
{
    char low[32], high[32];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(low, sizeof low, "%.*g", digits, (policy->zoom_high - policy->zoom_low) / 2);
        double v = strtod(low, NULL);
        if (v <= 0.95 && 1 - v == policy->zoom_low && 1 + v == policy->zoom_high) {
            append(text, capacity, "zoom=%s", low);
            return;
        }
    }
    shortest(policy->zoom_low, low);
    shortest(policy->zoom_high, high);
    append(text, capacity, "zoom=%s:%s", low, high);
}

static void print_range(const char *key, double low, double high, char *text, size_t capacity)
{
    char first[32], second[32];
    shortest(low, first);
    shortest(high, second);
    append(text, capacity, "%s=%s:%s", key, first, second);
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
            flip = FLIP_ALTERNATING;
        if (flip)
            append(text, capacity, "flip=%s", flip_names[flip]);
    } else if (strcmp(key, "fill") == 0) {
        if (policy->fill != VG_FILL_NEAREST)
            append(text, capacity, "fill=%s", fill_names[policy->fill]);
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
    for (int i = 0; i < KEYS; i++) {
        const char *key = known_keys[i];
        bool equal = policy->shift_x == policy->shift_y;
        if (!print_special(policy, key, text, capacity) &&
            (strncmp(key, "shift_", 6) != 0 || !equal)) {
            const char *field = strcmp(key, "shift") == 0 ? (equal ? "shift_x" : "") : key;
            for (int k = 0; k < NUMBERS; k++) {
                double value;
                memcpy(&value, (const char *)policy + numbers[k].offset, sizeof value);
                if (strcmp(field, numbers[k].name) == 0 && value != 0) {
                    char number[32];
                    shortest(value, number);
                    append(text, capacity, "%s=%s", key, number);
                }
            }
        }
    }
    char more[VG_POLICY_TEXT];
    vg_auto_print(&policy->automatic, more, sizeof more);
    if (more[0])
        append(text, capacity, "%s", more);
    if (vg_choices_print(&policy->choices, more, sizeof more) > 0)
        append(text, capacity, "%s", more);
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
            append(text, capacity, "%s%s", count ? "| " : "", buffer);                             \
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
