/* The policy is asked by drawing from it, not read: a policy of flips alone has two views of a picture, a crop by
 * whole pixels has some hundred, and which it is follows from the draws. Each draw becomes a number for all that it
 * does; numbers are sorted, and the shares of equal ones give the expected count for any number of draws:
 * the sum of 1 - (1 - p)^n. */
#include "distinct.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 4096 };
/* Of so many draws at least this share was never seen twice: more views than any epoch asks for. */
static const double hardly_twice = 0.98;

/* All that a draw does, without what only names it. */
typedef struct trace {
    double m[6], brightness, contrast, saturation, hue, noise;
    uint64_t order, position;
} trace;

/* Whether an operation draws more than its numbers, from a stream named by the sample's place. */
static bool has_grain(const vg_step *step)
{
    return vg_operation_of(step->operation)->kind == VG_KIND_NOISE ||
           step->operation == VG_OP_ELASTIC;
}

static uint64_t hash_steps(const vg_steps *steps, uint64_t position)
{
    uint64_t hash = vg_hash(&steps->chains, sizeof steps->chains, 0);
    for (int i = 0; i < steps->count; i++) {
        const vg_step *step = &steps->step[i];
        if (vg_step_is_neutral(step))
            continue;
        hash = vg_hash(&step->operation, sizeof step->operation, hash);
        hash = vg_hash(step->v, sizeof step->v, hash);
        if (has_grain(step))
            hash = vg_mix(hash, position);
    }
    for (int i = 0; i < steps->chains; i++)
        hash = vg_hash(&steps->weight[i], sizeof steps->weight[i], hash);
    return hash;
}

static uint64_t number_of(const vg_policy *policy, const int input[2], const int picture[2],
                          uint64_t position)
{
    const vg_sample_key key = {.seed = 1, .epoch = 1, .position = position};
    vg_plan plan = vg_plan_draw(policy, &key, input[0], input[1], picture[0], picture[1]);
    trace t;
    memset(&t, 0, sizeof t); /* padding is hashed, too */
    vg_plan_matrix(&plan, picture[0], picture[1], input[0], input[1], t.m);
    t.brightness = plan.brightness;
    t.contrast = plan.contrast;
    t.saturation = plan.saturation;
    t.hue = plan.hue;
    t.noise = plan.noise;
    int active =
        (plan.brightness != 1) + (plan.contrast != 1) + (plan.saturation != 1) + (plan.hue != 0);
    for (int i = 0; active > 1 && i < 4; i++)
        t.order = 4 * t.order + (uint64_t)plan.colour_order[i];
    t.position = plan.noise > 0 ? position : 0;
    uint64_t hash = vg_hash(&t, sizeof t, 0);
    return plan.steps.count ? vg_mix(hash, hash_steps(&plan.steps, position)) : hash;
}

static int ascending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

vg_status vg_view_kinds_find(const vg_policy *policy, const int input[2], const int picture[2],
                             vg_view_kinds *kinds, vg_error *err)
{
    uint64_t *numbers = vg_alloc(DRAWS, sizeof *numbers);
    *kinds = (vg_view_kinds){.shares = vg_calloc(DRAWS, sizeof *kinds->shares)};
    if (!numbers || !kinds->shares) {
        free(numbers);
        vg_view_kinds_reset(kinds);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the views of a policy");
    }
    for (uint64_t i = 0; i < DRAWS; i++)
        numbers[i] = number_of(policy, input, picture, i);
    qsort(numbers, DRAWS, sizeof *numbers, ascending);
    for (size_t i = 0; i < DRAWS; i++) {
        kinds->count += i == 0 || numbers[i] != numbers[i - 1];
        kinds->shares[kinds->count - 1] += 1.0 / DRAWS;
    }
    kinds->endless = (double)kinds->count > hardly_twice * DRAWS;
    free(numbers);
    return VG_OK;
}

void vg_view_kinds_reset(vg_view_kinds *kinds)
{
    free(kinds->shares);
    *kinds = (vg_view_kinds){0};
}

double vg_view_kinds_among(const vg_view_kinds *kinds, uint64_t draws)
{
    double expected = 0, n = (double)draws;
    if (kinds->endless || draws < 2)
        return n;
    for (size_t i = 0; i < kinds->count; i++)
        expected += kinds->shares[i] < 1 ? -expm1(n * log1p(-kinds->shares[i])) : 1;
    return fmin(expected, n);
}

double vg_view_kinds_of_class(const vg_view_kinds *kinds, uint64_t images, uint64_t seen)
{
    if (images == 0)
        return 0;
    uint64_t each = seen / images, more = seen % images;
    return (double)(images - more) * vg_view_kinds_among(kinds, each) +
           (double)more * vg_view_kinds_among(kinds, each + 1);
}
