/* Taking a policy apart for the check. */
#include "check_draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Only field `code` of the policy. */
static vg_policy field_alone(const vg_policy *p, int code)
{
    vg_policy alone = vg_policy_none();
    alone.fill = p->fill;
    alone.fill_value = p->fill_value;
    switch (code) {
    case VG_PART_CROP:
        alone.crop_low = p->crop_low;
        alone.crop_high = p->crop_high;
        alone.crop_ratio_low = p->crop_ratio_low;
        alone.crop_ratio_high = p->crop_ratio_high;
        break;
    case VG_PART_PAD_CROP:
        alone.pad_crop = p->pad_crop;
        break;
    case VG_PART_ROTATE:
        alone.rotate_deg = p->rotate_deg;
        break;
    case VG_PART_SHIFT:
        alone.shift_x = p->shift_x;
        alone.shift_y = p->shift_y;
        break;
    case VG_PART_SHEAR:
        alone.shear_deg = p->shear_deg;
        break;
    case VG_PART_ZOOM:
        alone.zoom_low = p->zoom_low;
        alone.zoom_high = p->zoom_high;
        break;
    case VG_PART_FLIP:
        alone.flip_horizontal = p->flip_horizontal;
        alone.flip_vertical = p->flip_vertical;
        alone.flip_alternating = p->flip_alternating;
        break;
    case VG_PART_BRIGHTNESS:
        alone.brightness = p->brightness;
        break;
    case VG_PART_CONTRAST:
        alone.contrast = p->contrast;
        break;
    case VG_PART_SATURATION:
        alone.saturation = p->saturation;
        break;
    case VG_PART_HUE:
        alone.hue = p->hue;
        break;
    default:
        alone.noise = p->noise;
    }
    return alone;
}

static vg_policy part_alone(const vg_policy *policy, const vg_part *part)
{
    if (part->set < 0 && part->choice < 0)
        return field_alone(policy, part->code);
    vg_policy alone = vg_policy_none();
    alone.fill = policy->fill;
    alone.fill_value = policy->fill_value;
    if (part->set >= 0) {
        alone.automatic = policy->automatic;
    } else {
        alone.choices.choice[0] = policy->choices.choice[part->choice];
        alone.choices.choice_count = alone.choices.group_count = 1;
        alone.choices.group[0] = (vg_group){.count = 1, .pick = 1, .chance = 1};
    }
    return alone;
}

/* In the policy; of a set as if all of its operations were alike. */
static double chance_of(const vg_policy *policy, const vg_part *part)
{
    if (part->choice >= 0) {
        const vg_group *group = policy->choices.group;
        while (part->choice >= group->first + group->count)
            group++;
        return group->chance * group->pick / group->count;
    }
    if (part->set < 0)
        return part->code == VG_PART_FLIP ? 0.5 : 1;
    int operations = 0;
    while (vg_auto_operation(&policy->automatic, operations) != VG_OPERATIONS)
        operations++;
    int each = policy->automatic.kind == VG_AUTO_RAND ? policy->automatic.operations : 2;
    return fmin(1, (double)each / operations);
}

int check_draws(const vg_policy *policy, check_draw draws[CHECK_DRAWS])
{
    vg_part parts[VG_PARTS];
    int found = vg_policy_parts(policy, parts, VG_PARTS), count = 0;
    for (int i = 0; i < found; i++) {
        check_draw *d = &draws[count++];
        *d = (check_draw){.policy = part_alone(policy, &parts[i]),
                          .code = parts[i].code,
                          .part = parts[i],
                          .chance = chance_of(policy, &parts[i])};
        /* Both flips are two things to say something about. */
        if (d->policy.flip_horizontal && d->policy.flip_vertical) {
            check_draw *second = &draws[count++];
            *second = *d;
            d->policy.flip_vertical = false;
            second->policy.flip_horizontal = second->policy.flip_alternating = false;
        }
    }
    if (count > 0) {
        draws[count] =
            (check_draw){.policy = *policy, .code = -1, .part = {-1, -1, -1}, .chance = 1};
        draws[count++].policy.ramp = 0;
    }
    return count;
}

/* Whether it changes the sample at all; the noise of a plan does too. */
static bool does_nothing(const vg_plan *plan)
{
    if (plan->crop.width > 0 || plan->pad_x || plan->pad_y || vg_plan_warps(plan) ||
        plan->flip_horizontal || plan->flip_vertical || plan->brightness != 1 ||
        plan->contrast != 1 || plan->saturation != 1 || plan->hue != 0 || plan->noise > 0)
        return false;
    for (int i = 0; i < plan->steps.count; i++)
        if (!vg_step_is_neutral(&plan->steps.step[i]))
            return false;
    return true;
}

static vg_plan draw_once(const check_draw *draw, const vg_sample_key *key, const int size[2],
                         const int in_size[2])
{
    if (draw->code < 0 || draw->part.set < 0)
        return vg_plan_draw(&draw->policy, key, size[0], size[1], in_size[0], in_size[1]);
    vg_plan plan = vg_plan_none();
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_PLAN);
    double strength = vg_rng_double(&rng);
    bool negative = vg_rng_u32(&rng) >> 31;
    plan.steps.step[plan.steps.count++] =
        vg_auto_step(&draw->policy.automatic, draw->part.set, strength, negative, size, &rng);
    plan.key = *key;
    plan.fill = draw->policy.fill;
    plan.fill_value = draw->policy.fill_value;
    return plan;
}

vg_plan check_draw_plan(const check_draw *draw, const vg_sample_key *key, const int size[2],
                        const int in_size[2], bool *nothing)
{
    vg_sample_key next = *key;
    vg_plan plan;
    for (int i = 0; i < 8; i++) {
        plan = draw_once(draw, &next, size, in_size);
        *nothing = does_nothing(&plan);
        if (!*nothing || draw->code < 0)
            break;
        next.epoch += UINT32_C(1) << 16;
    }
    return plan;
}

void check_draw_words(const check_draw *draw, char *text, size_t capacity)
{
    char words[VG_POLICY_TEXT];
    vg_policy bare = draw->policy;
    bare.fill = VG_FILL_NEAREST;
    bare.fill_value = 0;
    if (draw->code < 0) {
        snprintf(text, capacity, "policy");
        return;
    }
    vg_policy_print(&bare, words, sizeof words);
    if (draw->part.set >= 0)
        snprintf(text, capacity, "%s: %s", words, vg_part_name(draw->code));
    else
        snprintf(text, capacity, "%s", words);
}

/* ---- weaker */

static double short_number(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.2g", value);
    return strtod(text, NULL);
}

static double towards(double value, double neutral, double strength)
{
    return short_number(neutral + strength * (value - neutral));
}

static bool weaken_choice(vg_choice *c, double strength)
{
    const vg_operation_info *info = vg_operation_of(c->operation);
    double neutral = info->neutral;
    if (c->operation == VG_OP_JPEG)
        neutral = 100;
    if (c->operation == VG_OP_POISSON)
        neutral = 1000;
    if (isnan(neutral) || info->form == VG_FORM_NONE)
        return false;
    /* A factor's one number is how far it may lie from 1. */
    double of_value = info->form == VG_FORM_FACTOR || info->form == VG_FORM_SYMMETRIC ? 0 : neutral;
    c->value = towards(c->value, of_value, strength);
    c->low = towards(c->low, neutral, strength);
    c->high = towards(c->high, neutral, strength);
    if (info->whole) {
        c->value = nearbyint(c->value);
        c->low = nearbyint(c->low);
        c->high = nearbyint(c->high);
    }
    return true;
}

bool check_draw_weaken(const check_draw *draw, double strength, check_draw *weaker)
{
    *weaker = *draw;
    vg_policy *p = &weaker->policy;
    if (draw->code < 0 || draw->code == VG_PART_FLIP || draw->part.set >= 0)
        return false;
    if (draw->part.choice >= 0)
        return weaken_choice(&p->choices.choice[0], strength);
    double *fields[] = {&p->rotate_deg, &p->shift_x,    &p->shift_y, &p->shear_deg, &p->brightness,
                        &p->contrast,   &p->saturation, &p->hue,     &p->noise};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bool pixels = (i == 1 || i == 2) && *fields[i] >= 1; /* below 1 it would be a fraction */
        *fields[i] = towards(*fields[i], 0, strength);
        if (pixels)
            *fields[i] = fmax(1, floor(*fields[i]));
    }
    p->pad_crop = floor(p->pad_crop * strength);
    p->zoom_low = towards(p->zoom_low, 1, strength);
    p->zoom_high = towards(p->zoom_high, 1, strength);
    if (p->crop_high > 0) {
        p->crop_low = fmin(towards(p->crop_low, 1, strength), 1);
        p->crop_high = fmax(p->crop_high, p->crop_low);
    }
    return true;
}
