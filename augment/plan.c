/* Draws the numbers for one sample, prints them, and folds all geometry and the resize into one
 * matrix.
 *
 * Every number is drawn whether the policy uses it or not, always in the same order: switching one
 * operation on or off leaves the draws of all others as they were, so that two policies can be
 * compared picture by picture. */
#include "plan.h"

#include "arithmetic.h"
#include "base/rng.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stream of automatic policies; those of choices are numbered below it. */
static const uint32_t AUTOMATIC = VG_RNG_PLAN | UINT32_C(0x8000) << 16;

vg_plan vg_plan_none(void)
{
    vg_plan plan = {.zoom_x = 1,
                    .zoom_y = 1,
                    .brightness = 1,
                    .contrast = 1,
                    .saturation = 1,
                    .colour_order = {0, 1, 2, 3}};
    return plan;
}

/* The share of its full strength that the policy has reached in this epoch. */
static double strength_in(const vg_policy *policy, uint32_t epoch)
{
    double reached = policy->ramp > 0 ? fmax(1, (double)epoch) / policy->ramp : 1;
    return reached < 1 ? reached : 1;
}

static void weaken(vg_plan *plan, double strength)
{
    double *symmetric_ones[] = {&plan->rotate_deg, &plan->shift_x, &plan->shift_y, &plan->shear_deg,
                                &plan->hue};
    double *factors[] = {&plan->zoom_x, &plan->zoom_y, &plan->brightness, &plan->contrast,
                         &plan->saturation};
    for (int i = 0; i < 5; i++) {
        *symmetric_ones[i] *= strength;
        *factors[i] = 1 + strength * (*factors[i] - 1);
    }
}

/* Flips by themselves need no resampling: they join the plan's own. */
static void gather_flips(vg_plan *plan)
{
    vg_steps *steps = &plan->steps;
    int kept = 0;
    for (int i = 0; steps->chains == 0 && i < steps->count; i++) {
        vg_operation operation = steps->step[i].operation;
        if (operation == VG_OP_FLIP_H)
            plan->flip_horizontal = !plan->flip_horizontal;
        else if (operation == VG_OP_FLIP_V)
            plan->flip_vertical = !plan->flip_vertical;
        else
            steps->step[kept++] = steps->step[i];
    }
    if (steps->chains == 0)
        steps->count = kept;
}

/* A draw of U(-range, range); +0 when the range is empty. */
static double symmetric(vg_rng *rng, double range)
{
    double u = vg_rng_double(rng);
    return range > 0 ? range * (2 * u - 1) : 0;
}

static double factor(vg_rng *rng, double v)
{
    double u = vg_rng_double(rng), low = v < 1 ? 1 - v : 0;
    return v > 0 ? low + (1 + v - low) * u : 1;
}

static double zoom(vg_rng *rng, const vg_policy *policy)
{
    double u = vg_rng_double(rng);
    return policy->zoom_low + (policy->zoom_high - policy->zoom_low) * u;
}

/* A whole number from -range to range, all alike. */
static int whole(vg_rng *rng, double range)
{
    double u = vg_rng_double(rng);
    return (int)(floor(u * (2 * range + 1)) - range);
}

/* Mirrored in every other epoch; the hash decides which samples begin (the alternating flip of K.
 * Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv:2404.00498). */
static bool alternating(const vg_sample_key *key)
{
    return (vg_mix(vg_mix(key->seed, VG_RNG_PLAN), key->index) ^ key->epoch) & 1;
}

vg_plan vg_plan_draw(const vg_policy *policy, const vg_sample_key *key, int width, int height,
                     int in_width, int in_height)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_PLAN);
    vg_plan plan = vg_plan_none();
    plan.rotate_deg = symmetric(&rng, policy->rotate_deg);
    plan.shift_x = symmetric(&rng, policy->shift_x);
    plan.shift_y = symmetric(&rng, policy->shift_y);
    if (policy->shift_x >= 1)
        plan.shift_x /= width;
    if (policy->shift_y >= 1)
        plan.shift_y /= height;
    plan.shear_deg = symmetric(&rng, policy->shear_deg);
    plan.zoom_x = zoom(&rng, policy);
    plan.zoom_y = zoom(&rng, policy);
    plan.flip_horizontal = (vg_rng_u32(&rng) >> 31) && policy->flip_horizontal;
    plan.flip_vertical = (vg_rng_u32(&rng) >> 31) && policy->flip_vertical;
    if (policy->flip_alternating)
        plan.flip_horizontal = alternating(key);
    plan.brightness = factor(&rng, policy->brightness);
    plan.contrast = factor(&rng, policy->contrast);
    plan.saturation = factor(&rng, policy->saturation);
    plan.hue = symmetric(&rng, policy->hue);
    for (int i = 3; i > 0; i--) { /* Fisher-Yates: all 24 orders alike */
        int j = (int)vg_rng_below(&rng, (uint64_t)i + 1);
        int swap = plan.colour_order[i];
        plan.colour_order[i] = plan.colour_order[j];
        plan.colour_order[j] = swap;
    }
    plan.pad_x = whole(&rng, policy->pad_crop);
    plan.pad_y = whole(&rng, policy->pad_crop);
    if (policy->crop_high > 0)
        plan.crop = vg_crop_draw(policy, key, in_width, in_height);
    plan.noise = policy->noise;
    double strength = strength_in(policy, key->epoch);
    if (strength < 1)
        weaken(&plan, strength);
    /* Chains take the steps as they are: what is drawn by itself comes before them. */
    if (policy->automatic.kind == VG_AUTO_AUGMIX) {
        vg_auto_draw(&policy->automatic, key, AUTOMATIC, width, height, &plan.steps);
    } else {
        vg_choices_draw(&policy->choices, key, strength, &plan.steps);
        vg_auto_draw(&policy->automatic, key, AUTOMATIC, width, height, &plan.steps);
    }
    gather_flips(&plan);
    plan.key = *key;
    plan.fill = policy->fill;
    plan.fill_value = policy->fill_value;
    plan.interpolation = policy->interpolation;
    return plan;
}

vg_plan vg_plan_chain(const vg_plan *plan, int chain)
{
    vg_plan one = *plan;
    int begin = chain > 0 ? plan->steps.end[chain - 1] : 0;
    one.steps = (vg_steps){0};
    if (chain >= 0) {
        one.steps.count = plan->steps.end[chain] - begin;
        memcpy(one.steps.step, plan->steps.step + begin,
               (size_t)one.steps.count * sizeof *one.steps.step);
    }
    return one;
}

static bool steps_warp(const vg_steps *steps)
{
    for (int i = 0; i < steps->count; i++) {
        const vg_step *step = &steps->step[i];
        if (vg_operation_of(step->operation)->kind == VG_KIND_GEOMETRY &&
            step->operation != VG_OP_TURN && !vg_step_is_neutral(step))
            return true;
    }
    return false;
}

bool vg_plan_warps(const vg_plan *plan)
{
    return steps_warp(&plan->steps) || plan->rotate_deg != 0 || plan->shift_x != 0 ||
           plan->shift_y != 0 || plan->shear_deg != 0 || plan->zoom_x != 1 || plan->zoom_y != 1;
}

int vg_plan_turns(const vg_plan *plan)
{
    int turns = 0;
    for (int i = 0; i < plan->steps.count; i++)
        if (plan->steps.step[i].operation == VG_OP_TURN)
            turns += (int)plan->steps.step[i].v[0];
    return turns % 4;
}

/* "+8" or "\u22128" (a true minus sign); a value that rounds to zero has no sign. */
static const char *sign(double value, int decimals)
{
    double step = pow(10, -decimals);
    if (fabs(value) < step / 2)
        return "";
    return value < 0 ? "\u2212" : "+";
}

static void put_signed(vg_line *w, const char *name, double value, int decimals, const char *unit)
{
    if (value != 0)
        vg_line_put(w, "%s%s%.*f%s ", name, sign(value, decimals), decimals, fabs(value), unit);
}

void vg_plan_print(const vg_plan *plan, char *text, size_t capacity)
{
    if (capacity == 0)
        return;
    vg_line w = vg_line_begin(text, capacity);
    if (plan->crop.width > 0)
        vg_line_put(&w, "crop %d×%d+%d+%d ", plan->crop.width, plan->crop.height, plan->crop.x,
                    plan->crop.y);
    if (plan->pad_x != 0 || plan->pad_y != 0)
        vg_line_put(&w, "pad-crop %s%d %s%d ", sign(plan->pad_x, 0), abs(plan->pad_x),
                    sign(plan->pad_y, 0), abs(plan->pad_y));
    put_signed(&w, "rot ", plan->rotate_deg, fabs(plan->rotate_deg) < 1 ? 1 : 0, "°");
    double x = 100 * plan->shift_x, y = 100 * plan->shift_y;
    if (x != 0 || y != 0)
        vg_line_put(&w, "shift %s%.0f%% %s%.0f%% ", sign(x, 0), fabs(x), sign(y, 0), fabs(y));
    put_signed(&w, "shear ", plan->shear_deg, fabs(plan->shear_deg) < 1 ? 2 : 0, "°");
    if (plan->zoom_x != 1 || plan->zoom_y != 1)
        vg_line_put(&w, "zoom %.2f %.2f ", plan->zoom_x, plan->zoom_y);
    if (plan->flip_horizontal)
        vg_line_put(&w, "flip-h ");
    if (plan->flip_vertical)
        vg_line_put(&w, "flip-v ");
    if (plan->brightness != 1)
        vg_line_put(&w, "bright %.2f ", plan->brightness);
    if (plan->contrast != 1)
        vg_line_put(&w, "contrast %.2f ", plan->contrast);
    if (plan->saturation != 1)
        vg_line_put(&w, "satur %.2f ", plan->saturation);
    put_signed(&w, "hue ", plan->hue, 3, "");
    const vg_steps *steps = &plan->steps;
    if (steps->chains)
        vg_line_put(&w, "mix %.2f ", (double)steps->original);
    for (int i = 0, chain = 0; i < steps->count; i++) {
        char one[64];
        bool begins = chain < steps->chains && i == (chain ? steps->end[chain - 1] : 0);
        if (begins)
            vg_line_put(&w, "+ %.2f ", (double)steps->weight[chain++]);
        vg_step_print(&steps->step[i], one, sizeof one);
        vg_line_put(&w, "%s ", one);
    }
    if (plan->noise != 0)
        vg_line_put(&w, "noise %g ", plan->noise);
    if (w.used && w.used + 1 < capacity)
        text[--w.used] = '\0'; /* the last blank */
    if (!w.used)
        snprintf(text, capacity, "unchanged");
}

void vg_plan_split(const vg_plan *plan, const vg_frame *frame, int width, int height,
                   double from[4], double m[6])
{
    double s, c, shear_s, shear_c;
    vg_sine_cosine(plan->rotate_deg, &s, &c);
    vg_sine_cosine(plan->shear_deg, &shear_s, &shear_c);
    /* Read from the right: an output pixel, relative to the centre, in input pixels; mirrored;
     * moved; zoomed; sheared; shifted; rotated; and put at the centre of the frame. */
    const double centre[6] = {1, 0, frame->x + (frame->width - 1) / 2.0,
                              0, 1, frame->y + (frame->height - 1) / 2.0};
    const double rotate[6] = {c, -s, 0, s, c, 0};
    const double shift[6] = {1, 0, -plan->shift_x * frame->width,
                             0, 1, -plan->shift_y * frame->height};
    const double shear[6] = {1, -shear_s, 0, 0, shear_c, 0};
    const double scale[6] = {plan->zoom_x, 0, 0, 0, plan->zoom_y, 0};
    double x = frame->width / width, y = frame->height / height;
    double left = -x * plan->pad_x, up = -y * plan->pad_y;
    if (plan->flip_horizontal)
        x = -x;
    if (plan->flip_vertical)
        y = -y;
    const double resize[4] = {x, left - x * (width - 1) / 2.0, y, up - y * (height - 1) / 2.0};
    memcpy(from, resize, sizeof resize);
    memcpy(m, centre, sizeof centre);
    vg_matrix_multiply(m, rotate);
    vg_matrix_multiply(m, shift);
    vg_matrix_multiply(m, shear);
    vg_matrix_multiply(m, scale);
    for (int i = 0; i < plan->steps.count; i++)
        vg_step_matrix(&plan->steps.step[i], frame->width, frame->height, m);
}

void vg_plan_matrix_of(const vg_plan *plan, const vg_frame *frame, int width, int height,
                       double m[6])
{
    double from[4];
    vg_plan_split(plan, frame, width, height, from, m);
    const double resize[6] = {from[0], 0, from[1], 0, from[2], from[3]};
    vg_matrix_multiply(m, resize);
}

void vg_plan_matrix(const vg_plan *plan, int in_width, int in_height, int width, int height,
                    double m[6])
{
    vg_frame frame = {0, 0, in_width, in_height};
    if (plan->crop.width > 0)
        frame = (vg_frame){plan->crop.x, plan->crop.y, plan->crop.width, plan->crop.height};
    vg_plan_matrix_of(plan, &frame, width, height, m);
}
