/* Reading the one line of a policy.
 *
 * The parser refuses what cannot be meant (a value out of range, a key given twice, a preset that is
 * not the first word) instead of clamping it: a policy that silently does something else is the
 * fault this project looks for. */
#include "policy_keys.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, TEXT_MAX = 600 };

static const char blanks[] = " \t\r\n,";
static const double LEAST_CROP = 0.001;

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

static vg_status parse_number(const vg_policy_number *key, const char *word, const char *value,
                              vg_policy *policy, vg_error *err)
{
    double number;
    bool whole = strcmp(key->name, "pad_crop") == 0;
    if (!vg_text_number(value, &number) || number < key->low || number > key->high ||
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
    bool fine = vg_text_number(value, low) && vg_text_number(colon + 1, high) && *low >= least &&
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
        if (!vg_text_number(value, &v) || v < 0 || v > 0.95)
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
        if (!vg_text_number(value, &low) || low < LEAST_CROP || low > 1)
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
    int choice = find_word(value, vg_fill_names, 4);
    if (choice < 0) {
        const char *near = vg_nearest(value, vg_fill_names, 4);
        return vg_fail(err, VG_E_ARG,
                       "policy: fill=%s: expected nearest, constant, reflect or wrap%s%s%s", value,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    policy->fill = (vg_fill)choice;
    return VG_OK;
}

static vg_status parse_interpolation(const char *value, vg_policy *policy, vg_error *err)
{
    int choice = find_word(value, vg_interpolation_names, 3);
    if (choice < 0) {
        const char *near = vg_nearest(value, vg_interpolation_names, 3);
        return vg_fail(err, VG_E_ARG,
                       "policy: interpolation=%s: expected nearest, bilinear or bicubic%s%s%s",
                       value, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    policy->interpolation = (vg_interpolation)choice;
    return VG_OK;
}

static vg_status parse_flip(const char *value, vg_policy *policy, vg_error *err)
{
    int choice = find_word(value, vg_flip_names, VG_FLIP_ALTERNATING + 1);
    if (choice < 0)
        return vg_fail(err, VG_E_ARG, "policy: flip=%s: expected none, h, v, hv or alternating",
                       value);
    policy->flip_alternating = choice == VG_FLIP_ALTERNATING;
    policy->flip_horizontal = (choice & 1) != 0 || policy->flip_alternating;
    policy->flip_vertical = (choice & 2) != 0;
    return VG_OK;
}

static vg_status unknown_word(const char *word, const char *text, bool first, vg_error *err)
{
    static const char *const of_batches[] = {"mixup", "cutmix", "mix_chance"};
    if (find_word(word, of_batches, 3) >= 0)
        return vg_fail(err, VG_E_ARG,
                       "policy: \"%s\" mixes the pictures of a batch with each other: it is a key "
                       "of the job (%s: ...), not of the policy",
                       word, word);
    const char *names[VG_POLICY_KEYS + PRESETS + VG_OPERATIONS + 16];
    size_t count = 0;
    if (first && !strchr(text, '='))
        for (int i = 0; i < PRESETS; i++)
            names[count++] = presets[i].name;
    for (int i = 0; i < VG_POLICY_KEYS; i++)
        names[count++] = vg_policy_keys[i];
    for (int i = 0; i < VG_OPERATIONS; i++)
        names[count++] = vg_operation_of((vg_operation)i)->name;
    for (int i = 0; vg_auto_name(i); i++)
        names[count++] = vg_auto_name(i);
    const char *near = vg_nearest(word, names, count);
    return vg_fail(
        err, VG_E_ARG,
        "policy: unknown %s \"%s\"%s%s%s (presets: none light standard heavy "
        "keras-default, first word only; keys: crop crop_ratio pad_crop rotate shift shift_x "
        "shift_y shear zoom flip brightness contrast saturation hue noise fill fill_value "
        "interpolation ramp "
        "randaugment trivialaugment augmix autoaugment; any operation with a chance: blur=2@0.3, "
        "one_of(grey|equalize))",
        strchr(text, '=') ? "key" : "word", word, near ? "; did you mean \"" : "", near ? near : "",
        near ? "\"?" : "");
}

/* What has been read of a line. */
typedef struct line_state {
    vg_policy *policy;
    unsigned seen; /* keys, by their bits */
    bool first, automatic, chances;
} line_state;

/* "randaugment", "augmix=3:3"; "randaugment=none" takes away whichever there is. */
static vg_status parse_automatic(const char *name, const char *value, line_state *line,
                                 vg_error *err)
{
    if (line->automatic)
        return vg_fail(err, VG_E_ARG, "policy: \"%s\" after another automatic policy", name);
    line->automatic = true;
    line->policy->automatic = (vg_auto){0};
    if (value && strcmp(value, "none") == 0)
        return VG_OK;
    return vg_auto_parse(name, value, &line->policy->automatic, err);
}

/* Words that are not keys: automatic policies and operations with a chance. */
static bool parse_extra(const char *text, line_state *line, vg_status *status, vg_error *err)
{
    char name[WORD_MAX];
    size_t length = strcspn(text, "=@(");
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    if (vg_auto_named(name)) {
        *status = parse_automatic(name, text[length] == '=' ? text + length + 1 : NULL, line, err);
        return true;
    }
    bool take_away = strcmp(text, "chances=none") == 0;
    /* A key of every sample, unless it is written with a chance. */
    bool key = find_word(name, vg_policy_keys, VG_POLICY_KEYS) >= 0 && !strchr(text, '@');
    if (!take_away && (key || !vg_choices_wants(text)))
        return false;
    if (!line->chances) /* those that the line changes, if any */
        line->policy->choices = (vg_choices){0};
    line->chances = true;
    *status = take_away ? VG_OK : vg_choices_add(&line->policy->choices, text, err);
    return true;
}

static vg_status parse_key(int key, char *value, vg_policy *policy, vg_error *err)
{
    const char *word = vg_policy_keys[key];
    if (strcmp(word, "zoom") == 0)
        return parse_zoom(value, policy, err);
    if (strcmp(word, "crop") == 0)
        return parse_crop(value, policy, err);
    if (strcmp(word, "crop_ratio") == 0)
        return parse_crop_ratio(value, policy, err);
    if (strcmp(word, "fill") == 0)
        return parse_fill(value, policy, err);
    if (strcmp(word, "interpolation") == 0)
        return parse_interpolation(value, policy, err);
    if (strcmp(word, "flip") == 0)
        return parse_flip(value, policy, err);
    bool both = strcmp(word, "shift") == 0;
    for (int i = 0; i < VG_POLICY_NUMBERS; i++) {
        const char *name = vg_policy_numbers[i].name;
        if (strcmp(word, name) == 0 || (both && strncmp(name, "shift_", 6) == 0)) {
            vg_status status = parse_number(&vg_policy_numbers[i], word, value, policy, err);
            if (status != VG_OK)
                return status;
        }
    }
    return VG_OK;
}

static vg_status parse_word(char *text, line_state *line, vg_error *err)
{
    char word[WORD_MAX];
    vg_status extra;
    if (!strchr(text, '(') && strlen(text) >= sizeof word)
        return vg_fail(err, VG_E_ARG, "policy: \"%.40s...\" is too long for a key=value", text);
    if (parse_extra(text, line, &extra, err))
        return extra;
    size_t length = strcspn(text, "=");
    if (length >= sizeof word)
        return vg_fail(err, VG_E_ARG, "policy: \"%.40s...\" is too long for a word", text);
    memcpy(word, text, length);
    word[length] = '\0';
    int key = find_word(word, vg_policy_keys, VG_POLICY_KEYS);
    if (text[length] == '\0') {
        for (int i = 0; line->first && i < PRESETS; i++)
            if (strcmp(word, presets[i].name) == 0)
                return vg_policy_parse(presets[i].line, line->policy, err);
        if (key >= 0)
            return vg_fail(err, VG_E_ARG, "policy: \"%s\" needs a value: %s=...", word, word);
    }
    if (key < 0)
        return unknown_word(word, text, line->first, err);
    if (line->seen & (1u << key))
        return vg_fail(err, VG_E_ARG, "policy: \"%s\" is given twice", word);
    line->seen |= 1u << key;
    return parse_key(key, text + length + 1, line->policy, err);
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

vg_status vg_policy_change(vg_policy *policy, const char *text, vg_error *err)
{
    vg_policy result = *policy;
    line_state line = {.policy = &result, .first = true};
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        char word[TEXT_MAX];
        text = next_word(text, word);
        vg_status status = parse_word(word, &line, err);
        if (status != VG_OK)
            return status;
        line.first = false;
    }
    if (result.automatic.kind == VG_AUTO_AUGMIX && result.choices.group_count)
        return vg_fail(err, VG_E_ARG,
                       "policy: augmix mixes chains of its own and takes no operations with a "
                       "chance beside it (chances=none takes those of a policy away)");
    *policy = result;
    return VG_OK;
}

vg_status vg_policy_parse(const char *text, vg_policy *policy, vg_error *err)
{
    vg_policy result = vg_policy_none();
    vg_status status = vg_policy_change(&result, text, err);
    if (status == VG_OK)
        *policy = result;
    return status;
}
