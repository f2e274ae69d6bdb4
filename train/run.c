/* One training from the outside: open, a look before the first step, epochs, a look at everything held out, close. How it is
 * set up, stepped and recorded stands in run_setup.c, run_step.c and run_epoch.c. */
#include "run_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double vg_training_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void vg_run_result_reset(vg_run_result *result)
{
    for (int i = 0; i < result->epoch_count; i++)
        vg_diversity_reset(&result->epochs[i].diversity);
    free(result->epochs);
    vg_diversity_reset(&result->final);
    free(result->bad);
    *result = (vg_run_result){0};
}

/* Takes over what the ledger of a loader holds. */
static vg_status collect_bad(vg_training *r, vg_loader *loader, vg_error *err)
{
    size_t more, old = r->result->bad_samples;
    uint64_t counts[VG_BAD_SUSPICIOUS + 1];
    const vg_bad_sample *list = vg_loader_bad(loader, &more);
    vg_bad_sample *all = vg_realloc(r->result->bad, old + more, sizeof *all);
    if (!all)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of bad files");
    r->result->bad = all;
    r->result->bad_samples = old + more;
    if (more)
        memcpy(all + old, list, more * sizeof *list);
    vg_loader_bad_counts(loader, counts);
    for (int i = 0; i <= VG_BAD_SUSPICIOUS; i++)
        r->result->bad_counts[i] += counts[i];
    return VG_OK;
}

static vg_status measure_all(vg_training *r, vg_error *err)
{
    vg_probe *all = NULL;
    vg_loader_options load = vg_run_loading(r->options);
    vg_probe_options options = vg_training_probe_options(r, &load);
    options.views = r->options->test_views;
    vg_status status =
        vg_probe_new(r->dataset, r->held_out, r->held_out_count, r->model, &options, &all, err);
    vg_optimizer_average(r->optimizer, true);
    if (!status)
        status = vg_probe_look(all, r->model, &r->result->final, err);
    vg_optimizer_average(r->optimizer, false);
    if (!status || status == VG_E_LIMIT) {
        vg_status collected = collect_bad(r, vg_probe_loader(all), status ? NULL : err);
        status = status ? status : collected;
    }
    vg_probe_free(all);
    return status;
}

static vg_status train(vg_training *r, vg_error *err)
{
    vg_training_begin_epoch(r);
    vg_status status = vg_training_look(r, 0, true, err);
    for (int epoch = 1; !status && epoch <= r->options->epochs && !r->not_finite; epoch++)
        status = vg_training_epoch(r, epoch, err);
    r->result->loading = vg_loader_times_of(r->loader);
    double seconds = 0;
    for (int i = 0; i < r->result->epoch_count; i++)
        seconds += r->result->epochs[i].seconds;
    r->result->limit = vg_loader_limit(&(vg_loader_times){0}, &r->result->loading, seconds);
    if (!status || status == VG_E_LIMIT) {
        vg_status collected = collect_bad(r, r->loader, status ? NULL : err);
        if (status) /* it may have been the probe's */
            (void)collect_bad(r, vg_probe_loader(r->probe), NULL);
        status = status ? status : collected;
    }
    return status ? status : measure_all(r, err);
}

/* What is left of a run that failed. */
static void keep_only_bad(vg_run_result *result)
{
    vg_run_result kept = {.bad = result->bad, .bad_samples = result->bad_samples};
    memcpy(kept.bad_counts, result->bad_counts, sizeof kept.bad_counts);
    result->bad = NULL;
    vg_run_result_reset(result);
    *result = kept;
}

vg_status vg_run(const vg_dataset *dataset, const vg_run_options *options,
                 const vg_run_events *events, vg_run_result *result, vg_error *err)
{
    *result = (vg_run_result){0};
    double started = vg_training_now();
    vg_run_options prepared;
    vg_status status = vg_run_options_copy(options, &prepared, err);
    if (!status)
        status = vg_run_prepare(dataset, &prepared, err);
    vg_training run = {
        .dataset = dataset, .options = &prepared, .events = events, .result = result};
    if (!status)
        status = vg_training_open(&run, err);
    if (!status)
        status = train(&run, err);
    vg_training_close(&run);
    vg_run_options_reset(&prepared);
    result->seconds = vg_training_now() - started;
    if (status == VG_E_LIMIT)
        keep_only_bad(result);
    else if (status && status != VG_E_STOPPED)
        vg_run_result_reset(result);
    return status;
}
