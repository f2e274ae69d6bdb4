/* The arms of a comparison: which data changes a job contains, and the job without them.
 *
 * Each arm differs from the one before by one change, so that the effects add up to the difference
 * between the bare and the complete job. Only what was asked about is taken away: a change that is
 * not in the list stays as the job has it, in all arms. */
#include "study/compare_internal.h"

#include "base/rng.h"

#include <stdio.h>
#include <string.h>

static const char *const change_names[VG_CHANGES] = {"normalize", "rebalance", "augment",
                                                     "nothing"};

const char *vg_change_name(vg_change change)
{
    return (unsigned)change < VG_CHANGES ? change_names[change] : "unknown";
}

vg_status vg_change_parse(const char *word, vg_change *change, vg_error *err)
{
    for (int i = 0; i < VG_CHANGES; i++)
        if (!strcmp(word, change_names[i])) {
            *change = (vg_change)i;
            return VG_OK;
        }
    return vg_fail(
        err, VG_E_ARG,
        "unknown data change \"%s\"; known are normalize, rebalance, augment and nothing", word);
}

/* Losses that know how often a class is seen. */
static bool rebalances(vg_loss_kind loss)
{
    return loss == VG_LOSS_LOGIT_ADJUSTED || loss == VG_LOSS_LDAM;
}

static bool contains(const vg_run_options *job, vg_change change)
{
    switch (change) {
    case VG_CHANGE_NORMALIZE:
        return job->normalization != VG_NORMALIZE_NONE && job->normalization != VG_NORMALIZE_UNIT;
    case VG_CHANGE_REBALANCE:
        return job->sampling != VG_SAMPLING_SHUFFLE || job->weighting != VG_WEIGHTING_NONE ||
               rebalances(job->loss.kind);
    case VG_CHANGE_AUGMENT:
        return !vg_policy_is_none(&job->policy) || vg_mixing_is_on(&job->mixing) ||
               !vg_class_rules_are_none(&job->class_rules, &job->policy);
    default:
        return true;
    }
}

static void take_away(vg_run_options *arm, vg_change change)
{
    if (change == VG_CHANGE_NORMALIZE)
        arm->normalization = VG_NORMALIZE_UNIT;
    else if (change == VG_CHANGE_AUGMENT) {
        arm->policy = vg_policy_none();
        arm->class_rules = (vg_class_rules){0}; /* the job's, lent to its arms */
        arm->mixing = (vg_mixing){0};
    } else if (change == VG_CHANGE_REBALANCE) {
        arm->sampling = VG_SAMPLING_SHUFFLE;
        arm->weighting = VG_WEIGHTING_NONE;
        if (rebalances(arm->loss.kind))
            arm->loss.kind = VG_LOSS_SOFTMAX;
    }
}

static void put_back(vg_run_options *arm, const vg_run_options *job, vg_change change)
{
    if (change == VG_CHANGE_NORMALIZE)
        arm->normalization = job->normalization;
    else if (change == VG_CHANGE_AUGMENT) {
        arm->policy = job->policy;
        arm->class_rules = job->class_rules;
        arm->mixing = job->mixing;
    } else if (change == VG_CHANGE_REBALANCE) {
        arm->sampling = job->sampling;
        arm->weighting = job->weighting;
        arm->loss.kind = job->loss.kind;
    } else {
        arm->order_seed = vg_mix(arm->order_seed, VG_RNG_SHUFFLE);
    }
}

vg_status vg_ladder_make(const vg_run_options *job, const vg_compare_options *options,
                         vg_arms *ladder, vg_error *err)
{
    bool named[VG_CHANGES] = {false};
    int count = 0;
    *ladder = (vg_arms){0};
    if (options->change_count < 1 || options->change_count > VG_CHANGES)
        return vg_fail(err, VG_E_ARG, "%d data changes to compare; 1 to %d are possible",
                       options->change_count, VG_CHANGES);
    for (int i = 0; i < options->change_count; i++) {
        vg_change change = options->changes[i];
        if ((unsigned)change >= VG_CHANGES)
            return vg_fail(err, VG_E_ARG, "unknown data change %d", (int)change);
        if (named[change])
            return vg_fail(err, VG_E_ARG, "the data change \"%s\" is named twice",
                           vg_change_name(change));
        named[change] = true;
        if (contains(job, change))
            ladder->pairs[count++].change = change;
    }
    if (count == 0)
        return vg_fail(err, VG_E_ARG,
                       "nothing to compare: the job contains none of the data changes asked about "
                       "(set a normalization beyond 0..1, a sampling or weighting against "
                       "imbalance, or an augmentation policy)");
    ladder->count = count + 1;
    ladder->pair_count = ladder->whole = count;
    ladder->jobs[0] = *job;
    /* the arms would overwrite each other */
    ladder->jobs[0].checkpoint = ladder->jobs[0].best = ladder->jobs[0].state = NULL;
    snprintf(ladder->names[0], sizeof ladder->names[0], "without changes");
    for (int i = 0; i < count; i++)
        take_away(&ladder->jobs[0], ladder->pairs[i].change);
    for (int i = 0; i < count; i++) {
        vg_change change = ladder->pairs[i].change;
        ladder->jobs[i + 1] = ladder->jobs[i];
        put_back(&ladder->jobs[i + 1], job, change);
        snprintf(ladder->names[i + 1], sizeof ladder->names[i + 1], "+ %s", vg_change_name(change));
        ladder->pairs[i].before = i;
        ladder->pairs[i].after = i + 1;
        snprintf(ladder->pairs[i].name, sizeof ladder->pairs[i].name, "%s", vg_change_name(change));
    }
    return VG_OK;
}
