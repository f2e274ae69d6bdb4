/* One training from the outside: open, a look before the first step, epochs, a look at everything held out, close. How it is
 * set up, stepped and recorded stands in run_setup.c, run_step.c and run_epoch.c. */
#include "run_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

void vg_run_result_reset(vg_run_result *result)
{
    for (int i = 0; i < result->epoch_count; i++)
        vg_diversity_reset(&result->epochs[i].diversity);
    free(result->epochs);
    vg_diversity_reset(&result->final);
    free(result->bad);
    *result = (vg_run_result){0};
}

/* Adds what the ledger of a loader holds. */
static vg_status add_bad(vg_run_result *result, vg_loader *loader, vg_error *err)
{
    size_t more, old = result->bad_samples;
    uint64_t counts[VG_BAD_SUSPICIOUS + 1];
    const vg_bad_sample *list = vg_loader_bad(loader, &more);
    vg_bad_sample *all = vg_realloc(result->bad, old + more, sizeof *all);
    if (!all)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of bad files");
    result->bad = all;
    result->bad_samples = old + more;
    if (more)
        memcpy(all + old, list, more * sizeof *list);
    vg_loader_bad_counts(loader, counts);
    for (int i = 0; i <= VG_BAD_SUSPICIOUS; i++)
        result->bad_counts[i] += counts[i];
    return VG_OK;
}

/* Both lists ascend. A sample that was found before and after a resume is the same finding. Of suspicious ones more are
 * counted than listed; then the larger count is the better guess, and right after a whole epoch. */
vg_status vg_training_collect_bad(vg_training *r, vg_error *err)
{
    vg_run_result *o = r->result;
    size_t more, at = 0, count = 0;
    uint64_t counts[VG_BAD_SUSPICIOUS + 1], listed[VG_BAD_SUSPICIOUS + 1] = {0};
    const vg_bad_sample *list = vg_loader_bad(r->loader, &more);
    vg_bad_sample *all = vg_calloc(r->earlier_bad_count + more + 1, sizeof *all);
    if (!all)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of bad files");
    for (size_t i = 0; i < more || at < r->earlier_bad_count;) {
        bool old =
            at < r->earlier_bad_count && (i == more || r->earlier_bad[at].index <= list[i].index);
        if (old && i < more && r->earlier_bad[at].index == list[i].index)
            i++;
        all[count] = old ? r->earlier_bad[at++] : list[i++];
        listed[all[count++].kind]++;
    }
    vg_loader_bad_counts(r->loader, counts);
    for (int i = 0; i <= VG_BAD_SUSPICIOUS; i++) {
        uint64_t most = counts[i] > r->earlier_counts[i] ? counts[i] : r->earlier_counts[i];
        o->bad_counts[i] = most > listed[i] ? most : listed[i];
    }
    free(o->bad);
    o->bad = all;
    o->bad_samples = count;
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
        vg_status collected = add_bad(r->result, vg_probe_loader(all), status ? NULL : err);
        status = status ? status : collected;
    }
    vg_probe_free(all);
    return status;
}

vg_loader_times vg_training_times(vg_training *r)
{
    vg_loader_times t = vg_loader_times_of(r->loader), e = r->earlier_times;
    return (vg_loader_times){.read = t.read + e.read,
                             .decode = t.decode + e.decode,
                             .transform = t.transform + e.transform,
                             .waited_by_caller = t.waited_by_caller + e.waited_by_caller,
                             .samples = t.samples + e.samples,
                             .decoded = t.decoded + e.decoded,
                             .cached = t.cached + e.cached};
}

/* Where the run begins: before the first step, or where its state says. */
static vg_status begin(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    r->epoch = 0;
    r->result->resumed_step = UINT64_MAX;
    vg_training_begin_epoch(r);
    if (o->resume && o->state && vg_path_exists(o->state))
        return vg_training_restore(r, err);
    vg_status status = vg_training_look(r, 0, true, err);
    r->epoch = 1;
    return status ? status : vg_training_save_state(r, err);
}

static vg_status train(vg_training *r, vg_error *err)
{
    vg_status status = begin(r, err);
    while (!status && r->epoch <= r->options->epochs && !r->not_finite && !r->result->ended)
        status = vg_training_epoch(r, err);
    r->result->loading = vg_training_times(r);
    double seconds = 0;
    for (int i = 0; i < r->result->epoch_count; i++)
        seconds += r->result->epochs[i].seconds;
    r->result->limit = vg_loader_limit(&(vg_loader_times){0}, &r->result->loading, seconds);
    if (!status || status == VG_E_LIMIT) {
        vg_status collected = vg_training_collect_bad(r, status ? NULL : err);
        if (status) /* it may have been the probe's */
            (void)add_bad(r->result, vg_probe_loader(r->probe), NULL);
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
    double started = vg_clock();
    vg_run_options prepared;
    vg_status status = vg_run_options_copy(options, &prepared, err);
    if (!status)
        status = vg_run_prepare(dataset, &prepared, err);
    vg_training run = {.dataset = dataset,
                       .options = &prepared,
                       .events = events,
                       .result = result,
                       .opened = started};
    if (!status)
        status = vg_training_open(&run, err);
    if (!status)
        status = train(&run, err);
    result->seconds = run.earlier_seconds + vg_clock() - started;
    vg_training_close(&run);
    vg_run_options_reset(&prepared);
    if (status == VG_E_LIMIT)
        keep_only_bad(result);
    else if (status && status != VG_E_STOPPED)
        vg_run_result_reset(result);
    return status;
}
