/* Taking policies and plans apart. Nothing is drawn here that the policy would not draw: strengths are
 * taken from its own ranges, sets and crops. */
#include "parts.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const field_names[VG_PART_STEP] = {
    "crop", "pad_crop",   "rotate",   "shift",      "shear", "zoom",
    "flip", "brightness", "contrast", "saturation", "hue",   "noise"};

const char *vg_part_name(int code)
{
    return code < VG_PART_STEP ? field_names[code]
                               : vg_operation_of((vg_operation)(code - VG_PART_STEP))->name;
}

/* ---- of a policy */

static bool has_field(const vg_policy *p, int code)
{
    switch (code) {
    case VG_PART_CROP:
        return p->crop_high > 0;
    case VG_PART_PAD_CROP:
        return p->pad_crop > 0;
    case VG_PART_ROTATE:
        return p->rotate_deg > 0;
    case VG_PART_SHIFT:
        return p->shift_x > 0 || p->shift_y > 0;
    case VG_PART_SHEAR:
        return p->shear_deg > 0;
    case VG_PART_ZOOM:
        return p->zoom_low != 1 || p->zoom_high != 1;
    case VG_PART_FLIP:
        return p->flip_horizontal || p->flip_vertical;
    case VG_PART_BRIGHTNESS:
        return p->brightness > 0;
    case VG_PART_CONTRAST:
        return p->contrast > 0;
    case VG_PART_SATURATION:
        return p->saturation > 0;
    case VG_PART_HUE:
        return p->hue > 0;
    default:
        return p->noise > 0;
    }
}

int vg_policy_parts(const vg_policy *policy, vg_part *parts, int capacity)
{
    int count = 0;
    const int noise = VG_PART_NOISE;
    for (int code = 0; code < noise; code++)
        if (has_field(policy, code) && count++ < capacity)
            parts[count - 1] = (vg_part){code, -1, -1};
    for (int i = 0; i < policy->choices.choice_count; i++)
        if (count++ < capacity)
            parts[count - 1] =
                (vg_part){VG_PART_STEP + (int)policy->choices.choice[i].operation, i, -1};
    for (int i = 0;; i++) {
        vg_operation operation = vg_auto_operation(&policy->automatic, i);
        if (operation == VG_OPERATIONS)
            break;
        if (operation != VG_OP_IDENTITY && count++ < capacity)
            parts[count - 1] = (vg_part){VG_PART_STEP + (int)operation, -1, i};
    }
    if (has_field(policy, noise) && count++ < capacity)
        parts[count - 1] = (vg_part){noise, -1, -1};
    return count;
}

/* ---- in words */

static void put_number(vg_line *w, double value)
{
    vg_line_put(w, "%s%.4g", value < 0 ? "\u2212" : "", fabs(value));
}

static void put_range(vg_line *w, double low, double high, const char *unit)
{
    put_number(w, low);
    if (high != low) {
        vg_line_put(w, " to ");
        put_number(w, high);
    }
    vg_line_put(w, "%s%s", *unit ? " " : "", unit);
}

static void put_shift(vg_line *w, const char *name, double v)
{
    vg_line_put(w, "%s ", name);
    if (v >= 1)
        put_range(w, -v, v, "pixels");
    else
        put_range(w, -100 * v, 100 * v, "%");
}

static void put_field(vg_line *w, const vg_policy *p, int code)
{
    const double factors[] = {p->brightness, p->contrast, p->saturation};
    switch (code) {
    case VG_PART_CROP:
        put_range(w, 100 * p->crop_low, 100 * p->crop_high, "% of the area");
        break;
    case VG_PART_PAD_CROP:
        put_range(w, -p->pad_crop, p->pad_crop, "pixels");
        break;
    case VG_PART_ROTATE:
        put_range(w, -p->rotate_deg, p->rotate_deg, "degrees");
        break;
    case VG_PART_SHIFT:
        put_shift(w, "x", p->shift_x);
        put_shift(w, ", y", p->shift_y);
        break;
    case VG_PART_SHEAR:
        put_range(w, -p->shear_deg, p->shear_deg, "degrees");
        break;
    case VG_PART_ZOOM:
        put_range(w, p->zoom_low, p->zoom_high, "for each side, below 1 magnifies");
        break;
    case VG_PART_FLIP:
        vg_line_put(w, "%s",
                    !p->flip_vertical     ? "left to right"
                    : !p->flip_horizontal ? "top to bottom"
                                          : "left to right, top to bottom");
        break;
    case VG_PART_HUE:
        put_range(w, -p->hue, p->hue, "turns of the colour wheel");
        break;
    case VG_PART_NOISE:
        put_range(w, p->noise, p->noise, "8-bit steps (sigma)");
        break;
    default: {
        double v = factors[code - VG_PART_BRIGHTNESS];
        put_range(w, v < 1 ? 1 - v : 0, 1 + v, "times");
    }
    }
    if (code == VG_PART_FLIP)
        vg_line_put(w, p->flip_alternating ? ", every other epoch" : ", half of the samples");
    else
        vg_line_put(w, ", every sample");
}

static const vg_group *group_of(const vg_choices *choices, int choice)
{
    const vg_group *group = choices->group;
    while (choice >= group->first + group->count)
        group++;
    return group;
}

void vg_part_print(const vg_policy *policy, const vg_part *part, char *text, size_t capacity)
{
    vg_line w = vg_line_begin(text, capacity);
    if (part->set >= 0) {
        char word[64];
        vg_auto_print(&policy->automatic, word, sizeof word);
        vg_line_put(&w, "of %s", word);
    } else if (part->choice >= 0) {
        const vg_choice *choice = &policy->choices.choice[part->choice];
        const vg_operation_info *info = vg_operation_of(choice->operation);
        const vg_group *group = group_of(&policy->choices, part->choice);
        if (info->form != VG_FORM_NONE) {
            put_range(&w, choice->low, choice->high, "");
            vg_line_put(&w, " (%s), ", info->meaning);
        }
        double share = group->chance * group->pick / group->count;
        if (share == 1)
            vg_line_put(&w, "every sample");
        else
            vg_line_put(&w, "%.3g %% of the samples", 100 * share);
    } else {
        put_field(&w, policy, part->code);
    }
}

/* ---- a part alone */

/* Between the neutral value and the end of the range on one side, or, when no value of the range is
 * neutral, between its weaker and its stronger end. */
static double value_at(double low, double high, double neutral, bool stronger_below,
                       double strength, bool negative)
{
    if (!isnan(neutral) && low <= neutral && neutral <= high) {
        bool below = low < neutral && (negative || high == neutral);
        return neutral + strength * ((below ? low : high) - neutral);
    }
    if (!isnan(neutral))
        stronger_below = neutral > high;
    return stronger_below ? high - strength * (high - low) : low + strength * (high - low);
}

/* Operations without a neutral value of which less is more. */
static bool less_is_more(vg_operation operation)
{
    return operation == VG_OP_JPEG || operation == VG_OP_POISSON;
}

static vg_step choice_step(const vg_choice *choice, double strength, bool negative, vg_rng *rng)
{
    const vg_operation_info *info = vg_operation_of(choice->operation);
    double value = value_at(choice->low, choice->high, info->neutral,
                            less_is_more(choice->operation), strength, negative);
    return vg_step_with(choice->operation, value, rng);
}

static double factor_at(double v, double strength, bool negative)
{
    return value_at(v < 1 ? 1 - v : 0, 1 + v, 1, false, strength, negative);
}

static void set_field(const vg_policy *p, int code, int variant, double strength,
                      const int in_size[2], const int size[2], vg_plan *plan)
{
    bool negative = variant & 1;
    double side = negative ? -strength : strength, other = variant & 2 ? -strength : strength;
    vg_policy weaker = *p;
    switch (code) {
    case VG_PART_CROP:
        weaker.crop_low = weaker.crop_high = p->crop_high - strength * (p->crop_high - p->crop_low);
        plan->crop = vg_crop_draw(&weaker, &plan->key, in_size[0], in_size[1]);
        break;
    case VG_PART_PAD_CROP:
        plan->pad_x = (int)lround(side * p->pad_crop);
        plan->pad_y = (int)lround(other * p->pad_crop);
        break;
    case VG_PART_ROTATE:
        plan->rotate_deg = side * p->rotate_deg;
        break;
    case VG_PART_SHIFT:
        plan->shift_x = side * (p->shift_x >= 1 ? p->shift_x / size[0] : p->shift_x);
        plan->shift_y = other * (p->shift_y >= 1 ? p->shift_y / size[1] : p->shift_y);
        break;
    case VG_PART_SHEAR:
        plan->shear_deg = side * p->shear_deg;
        break;
    case VG_PART_ZOOM:
        plan->zoom_x = value_at(p->zoom_low, p->zoom_high, 1, false, strength, negative);
        plan->zoom_y =
            value_at(p->zoom_low, p->zoom_high, 1, false, strength, negative != !!(variant & 2));
        break;
    case VG_PART_FLIP:
        plan->flip_horizontal = p->flip_horizontal && (!p->flip_vertical || variant % 3 != 1);
        plan->flip_vertical = p->flip_vertical && (!p->flip_horizontal || variant % 3 != 0);
        break;
    case VG_PART_BRIGHTNESS:
        plan->brightness = factor_at(p->brightness, strength, negative);
        break;
    case VG_PART_CONTRAST:
        plan->contrast = factor_at(p->contrast, strength, negative);
        break;
    case VG_PART_SATURATION:
        plan->saturation = factor_at(p->saturation, strength, negative);
        break;
    case VG_PART_HUE:
        plan->hue = side * p->hue;
        break;
    default:
        plan->noise = p->noise;
    }
}

vg_plan vg_part_plan(const vg_policy *policy, const vg_part *part, int variant, int variants,
                     const vg_sample_key *key, const int size[2], const int in_size[2])
{
    double strength = (variant + 1.0) / variants;
    bool negative = variant & 1;
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_PLAN);
    vg_plan plan = vg_plan_none();
    plan.key = *key;
    plan.fill = policy->fill;
    plan.fill_value = policy->fill_value;
    plan.interpolation = policy->interpolation;
    if (part->set >= 0)
        plan.steps.step[plan.steps.count++] =
            vg_auto_step(&policy->automatic, part->set, strength, negative, size, &rng);
    else if (part->choice >= 0)
        plan.steps.step[plan.steps.count++] =
            choice_step(&policy->choices.choice[part->choice], strength, negative, &rng);
    else
        set_field(policy, part->code, variant, strength, in_size, size, &plan);
    return plan;
}

/* ---- of a plan */

int vg_plan_parts(const vg_plan *plan, bool has[VG_PART_CODES])
{
    const bool fields[VG_PART_STEP] = {[VG_PART_CROP] = plan->crop.width > 0,
                                       [VG_PART_PAD_CROP] = plan->pad_x != 0 || plan->pad_y != 0,
                                       [VG_PART_ROTATE] = plan->rotate_deg != 0,
                                       [VG_PART_SHIFT] = plan->shift_x != 0 || plan->shift_y != 0,
                                       [VG_PART_SHEAR] = plan->shear_deg != 0,
                                       [VG_PART_ZOOM] = plan->zoom_x != 1 || plan->zoom_y != 1,
                                       [VG_PART_FLIP] =
                                           plan->flip_horizontal || plan->flip_vertical,
                                       [VG_PART_BRIGHTNESS] = plan->brightness != 1,
                                       [VG_PART_CONTRAST] = plan->contrast != 1,
                                       [VG_PART_SATURATION] = plan->saturation != 1,
                                       [VG_PART_HUE] = plan->hue != 0,
                                       [VG_PART_NOISE] = plan->noise != 0};
    memset(has, 0, VG_PART_CODES * sizeof *has);
    memcpy(has, fields, sizeof fields);
    for (int i = 0; i < plan->steps.count; i++)
        has[VG_PART_STEP + (int)plan->steps.step[i].operation] = true;
    int count = 0;
    for (int code = 0; code < VG_PART_CODES; code++)
        count += has[code];
    return count;
}

static void remove_steps(vg_steps *steps, vg_operation operation)
{
    int kept = 0, chain = 0;
    for (int i = 0; i <= steps->count; i++) {
        while (chain < steps->chains && steps->end[chain] == i)
            steps->end[chain++] = kept;
        if (i < steps->count && steps->step[i].operation != operation)
            steps->step[kept++] = steps->step[i];
    }
    steps->count = kept;
}

vg_plan vg_plan_without(const vg_plan *plan, int code)
{
    vg_plan result = *plan;
    const vg_plan none = vg_plan_none();
    switch (code) {
    case VG_PART_CROP:
        result.crop = none.crop;
        break;
    case VG_PART_PAD_CROP:
        result.pad_x = result.pad_y = 0;
        break;
    case VG_PART_ROTATE:
        result.rotate_deg = 0;
        break;
    case VG_PART_SHIFT:
        result.shift_x = result.shift_y = 0;
        break;
    case VG_PART_SHEAR:
        result.shear_deg = 0;
        break;
    case VG_PART_ZOOM:
        result.zoom_x = result.zoom_y = 1;
        break;
    case VG_PART_FLIP:
        result.flip_horizontal = result.flip_vertical = false;
        break;
    case VG_PART_BRIGHTNESS:
        result.brightness = 1;
        break;
    case VG_PART_CONTRAST:
        result.contrast = 1;
        break;
    case VG_PART_SATURATION:
        result.saturation = 1;
        break;
    case VG_PART_HUE:
        result.hue = 0;
        break;
    case VG_PART_NOISE:
        result.noise = 0;
        break;
    default:
        remove_steps(&result.steps, (vg_operation)(code - VG_PART_STEP));
    }
    return result;
}
