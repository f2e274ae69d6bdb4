/* What the difference between two arms amounts to, in numbers and in a word.
 *
 * A word is claimed only where the corrected p-value is at most 0.05; everything else is either
 * shown to be small or called undecided. Balanced accuracy has the last word, because it is what
 * the user wants in the end. Input information that falls by itself is not called harm: it falls in
 * any network that becomes less sure, as under label noise or augmentation. */
#include "study/compare_internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNIFICANT 0.05
#define SMALL 0.02 /* of balanced accuracy: a difference nobody would act upon */

enum { SEEDS_SHOWN = 1000 };

enum { INFORMATION, EFFECTIVE, MISSING, LABELS, RANK, BALANCED };

const char *vg_measure_name(int measure)
{
    static const char *const names[VG_MEASURES] = {"input_information", "effective_classes",
                                                   "missing_classes",   "label_information",
                                                   "effective_rank",    "balanced_accuracy"};
    return measure >= 0 && measure < VG_MEASURES ? names[measure] : "unknown";
}

double vg_measure_value(const vg_diversity *d, int measure)
{
    switch (measure) {
    case INFORMATION:
        return d->input_information;
    case EFFECTIVE:
        return d->effective_classes;
    case MISSING:
        return d->missing_count;
    case LABELS:
        return d->label_information;
    case RANK:
        return d->effective_rank;
    case BALANCED:
        return d->balanced_accuracy;
    default:
        return NAN;
    }
}

static bool is_bad(vg_verdict verdict)
{
    return verdict != VG_VERDICT_HEALTHY && verdict != VG_VERDICT_UNDECIDED;
}

vg_verdict vg_verdict_of_most(const vg_verdict *verdicts, int count)
{
    static const vg_verdict worst_first[] = {VG_VERDICT_CONSTANT,  VG_VERDICT_ONE_CLASS,
                                             VG_VERDICT_PARTIAL,   VG_VERDICT_DIVERSE_BUT_WRONG,
                                             VG_VERDICT_UNDECIDED, VG_VERDICT_HEALTHY};
    vg_verdict most = VG_VERDICT_UNDECIDED;
    int best = 0;
    for (size_t v = 0; v < sizeof worst_first / sizeof *worst_first; v++) {
        int votes = 0;
        for (int i = 0; i < count; i++)
            votes += verdicts[i] == worst_first[v];
        if (votes > best) {
            best = votes;
            most = worst_first[v];
        }
    }
    return most;
}

int vg_seeds_least(int tests)
{
    int n = 1;
    while (ldexp(2.0 * tests, -n) > SIGNIFICANT)
        n++;
    return n;
}

/* -1, 0 or 1: significantly worse, not shown, significantly better. */
static int direction(const vg_change_effect *e, int measure)
{
    const vg_paired *t = &e->measures[measure];
    if (!(t->p_corrected <= SIGNIFICANT) || t->difference == 0)
        return 0;
    int sign = t->difference > 0 ? 1 : -1;
    return measure == MISSING ? -sign : sign;
}

static bool cures(const vg_change_effect *e, const vg_arm *before, const vg_arm *after, int seeds)
{
    int cured = 0;
    for (int s = 0; s < seeds; s++)
        cured += is_bad(before->verdicts[s]) && after->verdicts[s] == VG_VERDICT_HEALTHY;
    return 2 * cured > seeds && (direction(e, INFORMATION) > 0 || direction(e, EFFECTIVE) > 0 ||
                                 direction(e, BALANCED) > 0);
}

static void say_undecided(vg_change_effect *e, int seeds, int tests)
{
    const vg_paired *t = &e->measures[BALANCED];
    int least = vg_seeds_least(tests), needed = t->seeds_needed;
    if (seeds > least && t->difference == 0) {
        snprintf(e->word, sizeof e->word, "undecided (no difference on average)");
        return;
    }
    needed = needed > least ? needed : least;
    needed = needed > seeds ? needed : seeds + 1; /* with these it was not enough */
    if (needed > SEEDS_SHOWN)
        snprintf(e->word, sizeof e->word, "undecided (needs more than %d seeds)", SEEDS_SHOWN);
    else
        snprintf(e->word, sizeof e->word, "undecided (needs about %d seeds)", needed);
}

static void choose_word(vg_change_effect *e, const vg_arm *before, const vg_arm *after, int seeds,
                        int tests)
{
    static const char *const plain[] = {"input information", "effective classes", "missing classes",
                                        "label information"};
    static const int others[] = {INFORMATION, EFFECTIVE, MISSING, LABELS};
    const vg_paired *accuracy = &e->measures[BALANCED];
    bool small = accuracy->low >= -SMALL && accuracy->high <= SMALL;
    int better = -1, worse = -1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int sign = direction(e, others[i]);
        if (sign > 0 && better < 0)
            better = others[i];
        if (sign < 0 && worse < 0 && others[i] != INFORMATION)
            worse = others[i];
    }
    if (cures(e, before, after, seeds))
        snprintf(e->word, sizeof e->word, "this cures it");
    else if (direction(e, BALANCED))
        snprintf(e->word, sizeof e->word, direction(e, BALANCED) > 0 ? "helps" : "harms");
    else if (better >= 0 && worse >= 0)
        snprintf(e->word, sizeof e->word, "mixed (better %s, worse %s)", plain[better],
                 plain[worse]);
    else if (better >= 0 || worse >= 0)
        snprintf(e->word, sizeof e->word, "%s diverse, accuracy %s", better >= 0 ? "more" : "less",
                 small ? "unchanged" : "undecided");
    else if (small)
        snprintf(e->word, sizeof e->word, "no effect seen");
    else
        say_undecided(e, seeds, tests);
}

static double mean_of(const vg_arm *arm, int seeds, int measure)
{
    double sum = 0;
    for (int s = 0; s < seeds; s++)
        sum += arm->values[s * VG_MEASURES + measure];
    return sum / seeds;
}

static void test_pairs(const vg_arm *before, const vg_arm *after, int seeds, double *d,
                       vg_change_effect *e)
{
    for (int m = 0; m < VG_MEASURES; m++) {
        for (int s = 0; s < seeds; s++)
            d[s] = after->values[s * VG_MEASURES + m] - before->values[s * VG_MEASURES + m];
        e->measures[m] = vg_paired_test(d, seeds);
        e->before[m] = mean_of(before, seeds, m);
        e->after[m] = mean_of(after, seeds, m);
    }
    e->seconds = after->seconds - before->seconds;
}

/* Holm over the changes, measure by measure. The control claims nothing and costs nothing. */
static int correct(vg_comparison *result)
{
    int tests = 0;
    for (int m = 0; m < VG_MEASURES; m++) {
        double p[VG_ARMS];
        tests = 0;
        for (int i = 0; i < result->change_count; i++)
            if (result->effects[i].change != VG_CHANGE_NOTHING)
                p[tests++] = result->effects[i].measures[m].p;
        vg_holm(p, tests);
        for (int i = 0, next = 0; i < result->change_count; i++)
            if (result->effects[i].change != VG_CHANGE_NOTHING)
                result->effects[i].measures[m].p_corrected = p[next++];
    }
    return tests;
}

vg_status vg_effects_measure(const vg_arms *arms, vg_comparison *result, vg_error *err)
{
    int seeds = result->seeds;
    double *d = vg_alloc((size_t)seeds, sizeof *d);
    if (!d)
        return vg_fail(err, VG_E_NOMEM, "no memory for %d differences", seeds);
    for (int i = 0; i < result->change_count; i++) {
        vg_change_effect *e = &result->effects[i];
        e->change = arms->pairs[i].change;
        snprintf(e->name, sizeof e->name, "%s", arms->pairs[i].name);
        test_pairs(&result->arms[arms->pairs[i].before], &result->arms[arms->pairs[i].after], seeds,
                   d, e);
    }
    free(d);
    int tests = correct(result);
    for (int i = 0; i < result->change_count; i++) {
        vg_change_effect *e = &result->effects[i];
        choose_word(e, &result->arms[arms->pairs[i].before], &result->arms[arms->pairs[i].after],
                    seeds, e->change == VG_CHANGE_NOTHING ? 1 : tests);
    }
    return VG_OK;
}
