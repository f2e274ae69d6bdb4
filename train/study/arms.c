/* Trains the arms of a study, seed by seed.
 *
 * All arms of a seed come before the next seed, so that a machine that slows down meanwhile slows
 * all arms alike. Of each training only the measures stay, and of the first seed the whole result
 * as an example: a study of forty trainings holds a handful. What is compared is the final look on
 * all held-out samples. A study that was stopped or failed gives nothing: unpaired arms
 * would be compared by accident. What it has trained may be kept in a folder, for the call that goes on. */
#include "study/compare_internal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_MOST = 1000 };

static vg_status prepare(const vg_arms *arms, int seeds, vg_comparison *result, vg_error *err)
{
    result->arms = vg_calloc((size_t)arms->count, sizeof *result->arms);
    result->effects = vg_calloc((size_t)arms->pair_count, sizeof *result->effects);
    bool enough = result->arms && result->effects;
    result->arm_count = arms->count;
    result->change_count = arms->pair_count;
    result->seeds = seeds;
    for (int i = 0; enough && i < arms->count; i++) {
        vg_arm *arm = &result->arms[i];
        snprintf(arm->name, sizeof arm->name, "%s", arms->names[i]);
        arm->values = vg_calloc((size_t)seeds, VG_MEASURES * sizeof *arm->values);
        arm->verdicts = vg_calloc((size_t)seeds, sizeof *arm->verdicts);
        enough = arm->values && arm->verdicts;
    }
    if (!enough)
        return vg_fail(err, VG_E_NOMEM, "no memory for a comparison of %d arms and %d seeds",
                       arms->count, seeds);
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

/* Trains, or takes up what an earlier call has left of this training in the folder of the study. */
static vg_status train_kept(const training *t, int arm_index, const char *keep,
                            vg_run_result *result, vg_error *err)
{
    vg_run_options job = t->job;
    char name[64], *identity = NULL;
    size_t size = 0;
    snprintf(name, sizeof name, "training-%d-%d.safetensors", arm_index, t->seed);
    char *record = vg_path_join(keep, name), *state = vg_path_join(keep, "resume.safetensors");
    FILE *stream = open_memstream(&identity, &size);
    bool ok = stream != NULL;
    if (stream) {
        fprintf(stream, "%straining: arm %d, seed %llu\n", job.identity ? job.identity : "",
                arm_index, (unsigned long long)job.seed);
        ok = fclose(stream) == 0;
    }
    vg_status status = VG_OK;
    if (!ok || !record || !state) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the names of files");
    } else if (vg_path_exists(record)) {
        status = vg_record_load(record, identity, result, err);
    } else {
        if (vg_path_exists(state) && vg_run_state_fits(state, identity, NULL) != VG_OK)
            (void)remove(state); /* of the training before, whose record is there */
        job.state = state;
        job.identity = identity;
        job.resume = true;
        status = t->run(t->dataset, &job, t->events, result, err);
        if (!status)
            status = vg_record_save(record, identity, result, err);
    }
    free(identity);
    free(record);
    free(state);
    return status;
}

static vg_status train(const training *t, int arm_index, const char *keep, vg_arm *arm,
                       vg_error *err)
{
    vg_run_result result = {0};
    vg_status status = keep ? train_kept(t, arm_index, keep, &result, err)
                            : t->run(t->dataset, &t->job, t->events, &result, err);
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

static vg_status train_all(vg_compare_run run, const vg_dataset *dataset, const vg_arms *arms,
                           const vg_compare_options *options, const vg_compare_events *events,
                           const vg_run_options *whole, vg_comparison *result, vg_error *err)
{
    int total = options->seeds * arms->count, done = 0;
    for (int seed = 0; seed < options->seeds; seed++)
        for (int i = 0; i < arms->count; i++, done++) {
            vg_arm *arm = &result->arms[i];
            if (events && events->training &&
                events->training(events->context, done, total, arm->name, seed))
                return vg_fail(err, VG_E_STOPPED, "stopped after %d of %d trainings", done, total);
            training t = {.run = run,
                          .dataset = arms->data[i] ? arms->data[i] : dataset,
                          .job = arms->jobs[i],
                          .events = events ? &events->run : NULL,
                          .seed = seed};
            t.job.seed = options->first_seed + (uint64_t)seed;
            if (seed == 0 && whole && i == arms->whole) {
                t.job.checkpoint = whole->checkpoint;
                t.job.best = whole->best;
            }
            vg_status status = train(&t, i, options->keep, arm, err);
            if (status)
                return status;
        }
    for (int i = 0; i < arms->count; i++) {
        vg_arm *arm = &result->arms[i];
        result->seconds += arm->seconds;
        arm->seconds /= options->seeds;
        arm->verdict = vg_verdict_of_most(arm->verdicts, options->seeds);
    }
    return VG_OK;
}

vg_status vg_arms_run(vg_compare_run run, const vg_dataset *dataset, const vg_arms *arms,
                      const vg_compare_options *options, const vg_compare_events *events,
                      const vg_run_options *whole, vg_comparison *result, vg_error *err)
{
    vg_comparison_reset(result);
    if (options->seeds < 1 || options->seeds > SEEDS_MOST)
        return vg_fail(err, VG_E_ARG, "%d seeds to compare with; 1 to %d are possible",
                       options->seeds, SEEDS_MOST);
    vg_status status = prepare(arms, options->seeds, result, err);
    if (!status)
        status = train_all(run, dataset, arms, options, events, whole, result, err);
    if (!status)
        status = vg_effects_measure(arms, result, err);
    if (status)
        vg_comparison_reset(result);
    return status;
}
