/* An epoch of steps, with a look at the probe at its end, and in between when there are so few epochs that a verdict could
 * not settle; and what is recorded and kept of it. */
#include "run_internal.h"

#include "base/alloc.h"

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

static vg_status save(vg_training *r, int epoch, vg_error *err)
{
    const vg_run_options *o = r->options;
    if (!o->checkpoint)
        return VG_OK;
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
                               .epoch = epoch};
        vg_optimizer_average(r->optimizer, true);
        status = vg_checkpoint_save(o->checkpoint, &about, r->model, r->optimizer, err);
        vg_optimizer_average(r->optimizer, false);
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

vg_status vg_training_epoch(vg_training *r, int epoch, vg_error *err)
{
    vg_status status = vg_loader_begin(r->loader, (uint32_t)epoch, 0, err);
    vg_training_begin_epoch(r);
    double started = vg_training_now();
    for (uint64_t done = 0; !status && !r->not_finite;) {
        vg_batch batch;
        status = vg_loader_next(r->loader, &batch, err);
        if (status)
            break;
        status = vg_training_step(r, epoch, &batch, started);
        vg_batch_release(r->loader, &batch);
        if (status)
            vg_fail(err, status, "stopped in epoch %d after %llu of %llu steps", epoch,
                    (unsigned long long)r->step, (unsigned long long)r->steps);
        else if (look_now(r, ++done)) {
            r->seconds += vg_training_now() - started;
            status = vg_training_look(r, epoch, false, err);
            started = vg_training_now();
        }
    }
    r->seconds += vg_training_now() - started;
    if (status && status != VG_END)
        return status;
    if ((status = vg_training_look(r, epoch, true, err)))
        return status;
    if (r->not_finite)
        vg_monitor_break_off(&r->result->monitor, r->step);
    if (r->options->cache) /* what goes wrong there is told in its own statistics */
        (void)vg_cache_commit(r->options->cache, false, NULL);
    return save(r, epoch, err);
}
