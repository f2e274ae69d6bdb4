/* An epoch of steps, with a look at the probe at its end, and in between when there are so few epochs that a verdict could
 * not settle; and what is recorded and kept of it. */
#include "base/clock.h"
#include "checkpoint_internal.h"
#include "run_internal.h"

#include "base/alloc.h"
#include "patches.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_LOOKS = 5 /* in a training, after the one before it */ };

void vg_training_begin_epoch(vg_training *r)
{
    r->loss_sum = r->seconds = 0;
    r->correct = r->seen = 0;
    r->before = vg_loader_times_of(r->loader);
}

vg_status vg_training_look(vg_training *r, int epoch, bool record, vg_error *err)
{
    vg_run_result *result = r->result;
    vg_diversity passing = {0};
    vg_epoch_record *e = &result->epochs[result->epoch_count];
    vg_diversity *diversity = record ? &e->diversity : &passing;
    vg_optimizer_average(r->optimizer, true);
    vg_status status = vg_probe_look(r->probe, r->model, diversity, err);
    vg_optimizer_average(r->optimizer, false);
    if (status) {
        vg_diversity_reset(diversity);
        return status;
    }
    vg_monitor_add(&result->monitor, r->step, diversity);
    if (record) {
        bool trained = r->seen > 0;
        e->epoch = epoch;
        e->step = r->step;
        e->train_loss = trained ? r->loss_sum / (double)r->seen : NAN;
        e->train_accuracy = trained ? (double)r->correct / (double)r->seen : NAN;
        e->learning_rate = trained ? r->rate : NAN;
        e->gradient_norm = trained ? r->gradient_norm : NAN;
        e->seconds = r->seconds;
        e->images_per_s = r->seconds > 0 ? (double)r->seen / r->seconds : 0;
        e->load_share = vg_training_load_share(r, r->seconds, &e->limit);
        e->verdict = result->monitor.last;
        result->epoch_count++;
        if (r->events && r->events->epoch)
            r->events->epoch(r->events->context, e);
    }
    vg_diversity_reset(&passing);
    return VG_OK;
}

vg_status vg_training_save_weights(vg_training *r, const char *path,
                                   const vg_checkpoint_extra *extra, vg_error *err)
{
    const vg_run_options *o = r->options;
    char **names = vg_calloc((size_t)r->classes, sizeof *names);
    vg_status status = names ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for class names");
    for (int k = 0; !status && k < r->classes; k++) {
        names[k] = vg_strdup(vg_dataset_class_name(r->dataset, k));
        if (!names[k])
            status = vg_fail(err, VG_E_NOMEM, "out of memory for class names");
    }
    if (!status) {
        vg_checkpoint about = {.net = o->net,
                               .channels = o->channels,
                               .height = o->height,
                               .width = o->width,
                               .framing = o->framing,
                               .max_shrink = o->max_shrink,
                               .background = vg_dataset_background(r->dataset),
                               .classes = r->classes,
                               .class_names = names,
                               .normalizer = r->augment.normalizer,
                               .seed = o->seed,
                               .step = r->step,
                               .epoch = r->epoch};
        if (extra) {
            status = vg_checkpoint_save_with(path, &about, r->model, r->optimizer, extra, err);
        } else { /* what is measured and used, where weights are averaged */
            vg_optimizer_average(r->optimizer, true);
            status = vg_checkpoint_save(path, &about, r->model, NULL, err);
            vg_optimizer_average(r->optimizer, false);
        }
    }
    for (int k = 0; names && k < r->classes; k++)
        free(names[k]);
    free(names);
    return status;
}

/* Looks between the ends of epochs: enough of them that a verdict can settle. */
static bool look_now(const vg_training *r, uint64_t done)
{
    uint64_t looks = (uint64_t)((LEAST_LOOKS + r->options->epochs - 1) / r->options->epochs);
    if (looks < 2 || done >= r->batches)
        return false;
    return done * looks / r->batches != (done - 1) * looks / r->batches;
}

/* Writes the state where that is possible (a group of batches is complete) and due. */
static vg_status keep_state(vg_training *r, bool asked, bool *kept, vg_error *err)
{
    const vg_run_options *o = r->options;
    *kept = false;
    if (r->lent > 0)
        return VG_OK;
    *kept = true;
    bool due = asked || (o->state_steps && r->step - r->saved_step >= o->state_steps) ||
               (o->state_minutes > 0 && vg_clock() - r->saved >= 60 * o->state_minutes);
    return due ? vg_training_save_state(r, err) : VG_OK;
}

/* The batches of the epoch from r->next on. VG_E_STOPPED once an event asked to stop and everything is kept. */
static vg_status train_batches(vg_training *r, vg_error *err)
{
    bool asked = false, kept = true;
    vg_status status = r->next < r->batches
                           ? vg_loader_begin(r->loader, (uint32_t)r->epoch, r->next, err)
                           : VG_END;
    double started = vg_clock();
    while (!status && !r->not_finite && !(asked && kept)) {
        vg_batch batch;
        status = vg_loader_next(r->loader, &batch, err);
        if (status)
            break;
        asked |= vg_training_step(r, &batch, started);
        vg_batch_release(r->loader, &batch);
        r->seconds += vg_clock() - started;
        if (look_now(r, ++r->done))
            status = vg_training_look(r, r->epoch, false, err);
        if (!status)
            status = keep_state(r, asked, &kept, err);
        started = vg_clock();
    }
    r->seconds += vg_clock() - started;
    if (asked && (!status || status == VG_END))
        return vg_fail(err, VG_E_STOPPED, "stopped in epoch %d after %llu of %llu steps", r->epoch,
                       (unsigned long long)r->step, (unsigned long long)r->steps);
    return status == VG_END ? VG_OK : status;
}

/* What follows from the record of an epoch: the rate, the best weights, the end. */
static vg_status decide(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_run_result *result = r->result;
    int newest = result->epoch_count - 1;
    const vg_epoch_record *e = &result->epochs[newest];
    if (o->schedule.kind == VG_SCHEDULE_PLATEAU)
        vg_plateau_step(&o->plateau, &r->plateau, vg_watch_higher(o->plateau_by),
                        vg_watch_value(o->plateau_by, e));
    if (vg_patience_step(&r->patience, o->stop_patience, o->stop_min_delta,
                         vg_watch_higher(o->stop_by), vg_watch_value(o->stop_by, e)))
        result->ended = r->epoch < o->epochs;
    if (o->best_by == VG_WATCH_NONE)
        return VG_OK;
    double value = vg_watch_value(o->best_by, e);
    double before = vg_watch_value(o->best_by, &result->epochs[result->best]);
    bool better = vg_watch_higher(o->best_by) ? value > before : value < before;
    if (!isfinite(value) || (result->best > 0 && !better))
        return VG_OK;
    result->best = newest;
    return o->best ? vg_training_save_weights(r, o->best, NULL, err) : VG_OK;
}

vg_status vg_training_epoch(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_training_freeze(r);
    vg_patches_rest(r->model, &o->net, &o->optimizer.rates,
                    o->whiten_bias_epochs > 0 && r->epoch > o->whiten_bias_epochs);
    vg_status status = train_batches(r, err);
    if (status)
        return status;
    if ((status = vg_training_look(r, r->epoch, true, err)))
        return status;
    if (r->not_finite)
        vg_monitor_break_off(&r->result->monitor, r->step);
    if (r->options->cache) /* what goes wrong there is told in its own statistics */
        (void)vg_cache_commit(r->options->cache, false, NULL);
    if ((status = decide(r, err)))
        return status;
    if (r->options->checkpoint)
        status = vg_training_save_weights(r, r->options->checkpoint, NULL, err);
    if (status)
        return status;
    r->epoch++;
    r->next = r->done = 0;
    vg_training_begin_epoch(r);
    return vg_training_save_state(r, err);
}
