/* Trains the arms of a ladder, seed by seed.
 *
 * All arms of a seed come before the next seed, so that a machine that slows down meanwhile slows
 * all arms alike. Of each training only the measures stay, and of the first seed the whole result
 * as an example: a study of forty trainings holds a handful. What is compared is the final look on
 * all held-out samples. A study that was stopped or failed leaves nothing behind: unpaired arms
 * would be compared by accident. */
#include "study/compare_internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

/* With six pairs the smallest p is 0.031, which no correction for a second change survives. */
enum { SEEDS_DEFAULT = 7, SEEDS_MOST = 1000 };

vg_compare_options vg_compare_options_default(void)
{
    return (vg_compare_options){
        .changes = {VG_CHANGE_NORMALIZE, VG_CHANGE_REBALANCE, VG_CHANGE_AUGMENT},
        .change_count = 3,
        .seeds = SEEDS_DEFAULT,
        .first_seed = 1};
}

void vg_comparison_reset(vg_comparison *comparison)
{
    for (int i = 0; comparison->arms && i < comparison->arm_count; i++) {
        free(comparison->arms[i].values);
        free(comparison->arms[i].verdicts);
        vg_run_result_reset(&comparison->arms[i].example);
    }
    free(comparison->arms);
    free(comparison->effects);
    *comparison = (vg_comparison){0};
}

static vg_status prepare(const vg_ladder *ladder, int seeds, vg_comparison *result, vg_error *err)
{
    result->arms = vg_calloc((size_t)ladder->arm_count, sizeof *result->arms);
    result->effects = vg_calloc((size_t)ladder->arm_count - 1, sizeof *result->effects);
    bool enough = result->arms && result->effects;
    result->arm_count = ladder->arm_count;
    result->change_count = ladder->arm_count - 1;
    result->seeds = seeds;
    for (int i = 0; enough && i < ladder->arm_count; i++) {
        vg_arm *arm = &result->arms[i];
        snprintf(arm->name, sizeof arm->name, "%s", ladder->names[i]);
        arm->values = vg_calloc((size_t)seeds, VG_MEASURES * sizeof *arm->values);
        arm->verdicts = vg_calloc((size_t)seeds, sizeof *arm->verdicts);
        enough = arm->values && arm->verdicts;
    }
    if (!enough)
        return vg_fail(err, VG_E_NOMEM, "no memory for a comparison of %d arms and %d seeds",
                       ladder->arm_count, seeds);
    return VG_OK;
}

/* One training of the study. */
typedef struct training {
    vg_compare_run run;
    const vg_dataset *dataset;
    vg_run_options job;
    const vg_run_events *events;
    int seed; /* index */
} training;

static vg_status train(const training *t, vg_arm *arm, vg_error *err)
{
    vg_run_result result = {0};
    vg_status status = t->run(t->dataset, &t->job, t->events, &result, err);
    if (status) {
        char where[128];
        snprintf(where, sizeof where, "arm \"%s\", seed %llu", arm->name,
                 (unsigned long long)t->job.seed);
        vg_run_result_reset(&result);
        return vg_fail_in(err, where, status);
    }
    for (int m = 0; m < VG_MEASURES; m++)
        arm->values[t->seed * VG_MEASURES + m] = vg_measure_value(&result.final, m);
    arm->verdicts[t->seed] = result.monitor.settled;
    arm->seconds += result.seconds;
    if (t->seed == 0)
        arm->example = result; /* moved */
    else
        vg_run_result_reset(&result);
    return VG_OK;
}

static vg_status train_all(vg_compare_run run, const vg_dataset *dataset, const vg_ladder *ladder,
                           const vg_compare_options *options, const vg_compare_events *events,
                           const char *checkpoint, vg_comparison *result, vg_error *err)
{
    int total = options->seeds * ladder->arm_count, done = 0;
    for (int seed = 0; seed < options->seeds; seed++)
        for (int i = 0; i < ladder->arm_count; i++, done++) {
            vg_arm *arm = &result->arms[i];
            if (events && events->training &&
                events->training(events->context, done, total, arm->name, seed))
                return vg_fail(err, VG_E_STOPPED, "stopped after %d of %d trainings", done, total);
            training t = {.run = run,
                          .dataset = dataset,
                          .job = ladder->arms[i],
                          .events = events ? &events->run : NULL,
                          .seed = seed};
            t.job.seed = options->first_seed + (uint64_t)seed;
            if (seed == 0 && i == ladder->arm_count - 1)
                t.job.checkpoint = checkpoint;
            vg_status status = train(&t, arm, err);
            if (status)
                return status;
        }
    for (int i = 0; i < ladder->arm_count; i++) {
        vg_arm *arm = &result->arms[i];
        result->seconds += arm->seconds;
        arm->seconds /= options->seeds;
        arm->verdict = vg_verdict_of_most(arm->verdicts, options->seeds);
    }
    return VG_OK;
}

vg_status vg_compare_with(vg_compare_run run, const vg_dataset *dataset, const vg_run_options *job,
                          const vg_compare_options *options, const vg_compare_events *events,
                          vg_comparison *result, vg_error *err)
{
    vg_ladder ladder;
    vg_comparison_reset(result);
    if (options->seeds < 1 || options->seeds > SEEDS_MOST)
        return vg_fail(err, VG_E_ARG, "%d seeds to compare with; 1 to %d are possible",
                       options->seeds, SEEDS_MOST);
    vg_status status = vg_ladder_make(job, options, &ladder, err);
    if (status)
        return status;
    status = prepare(&ladder, options->seeds, result, err);
    if (status == VG_OK)
        status = train_all(run, dataset, &ladder, options, events, job->checkpoint, result, err);
    if (status == VG_OK)
        status = vg_effects_measure(&ladder, result, err);
    if (status)
        vg_comparison_reset(result);
    return status;
}

vg_status vg_compare(const vg_dataset *dataset, const vg_run_options *job,
                     const vg_compare_options *options, const vg_compare_events *events,
                     vg_comparison *result, vg_error *err)
{
    return vg_compare_with(vg_run, dataset, job, options, events, result, err);
}
