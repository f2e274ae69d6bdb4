/* A sweep over the learning rate in one short training. */
#include "study/lr_range.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "run_internal.h"

#include <math.h>
#include <stdlib.h>

static const double KEPT = 0.95, AWAY = 4, FALLEN = 0.02;
enum { SETTLES = 10 /* steps before the smoothed loss means anything */ };

vg_lr_range_options vg_lr_range_options_default(void)
{
    return (vg_lr_range_options){.low = 1e-6, .high = 10, .steps = 200};
}

void vg_lr_range_reset(vg_lr_range *range)
{
    free(range->points);
    *range = (vg_lr_range){0};
}

/* Of the points up to `last`. */
static double smoothed(const vg_lr_point *points, int last)
{
    double sum = 0, weight = 0;
    for (int i = 0; i <= last; i++) {
        sum = KEPT * sum + (1 - KEPT) * points[i].loss;
        weight = KEPT * weight + (1 - KEPT);
    }
    return sum / weight;
}

static double lowest_of(const vg_lr_range *range)
{
    double lowest = INFINITY;
    for (int i = 0; i < range->count; i++)
        lowest = fmin(lowest, range->points[i].smooth);
    return lowest;
}

bool vg_lr_range_ran_away(vg_lr_range *range)
{
    vg_lr_point *last = &range->points[range->count - 1];
    last->smooth = smoothed(range->points, range->count - 1);
    if (!isfinite(last->loss))
        return true;
    return range->count > SETTLES && last->smooth > AWAY * lowest_of(range);
}

void vg_lr_range_conclude(vg_lr_range *range)
{
    int low = 0, steep = 0, window = range->count / 20 + 1;
    double fastest = 0;
    vg_lr_point *p = range->points;
    range->lowest = range->steepest = range->suggested = NAN;
    for (int i = 0; i < range->count; i++) {
        p[i].smooth = smoothed(p, i);
        if (p[i].smooth < p[low].smooth)
            low = i;
    }
    for (int i = window + SETTLES; i + window < range->count && i <= low;
         i++) { /* the first are noise */
        double fall = p[i - window].smooth - p[i + window].smooth;
        if (fall > fastest) {
            fastest = fall;
            steep = i;
        }
    }
    if (range->count == 0 || !(p[low].smooth < (1 - FALLEN) * p[0].smooth))
        return;
    range->lowest = p[low].rate;
    range->steepest = fastest > 0 ? p[steep].rate : NAN;
    range->suggested = p[low].rate / 10;
}

static vg_status next_batch(vg_training *r, vg_batch *batch, vg_error *err)
{
    vg_status status = vg_loader_next(r->loader, batch, err);
    for (int tries = 0; status == VG_END && tries < 2; tries++) {
        status = vg_loader_begin(r->loader, (uint32_t)++r->epoch, 0, err);
        if (!status)
            status = vg_loader_next(r->loader, batch, err);
    }
    return status == VG_END ? vg_fail(err, VG_E_FORMAT, "%s: no batch of %d training images",
                                      vg_dataset_path(r->dataset), r->batch)
                            : status;
}

static vg_status run_steps(vg_training *r, int steps, vg_lr_range *range, vg_error *err)
{
    double started = vg_clock();
    r->epoch = 1;
    vg_training_freeze(r);
    vg_status status = vg_loader_begin(r->loader, 1, 0, err);
    while (!status && r->update < (uint64_t)steps && !range->ran_away) {
        vg_batch batch;
        if ((status = next_batch(r, &batch, err)))
            break;
        vg_lr_point *point = &range->points[range->count++];
        r->loss_sum = 0;
        bool stop = vg_training_step(r, &batch, started);
        *point = (vg_lr_point){.rate = r->rate, .loss = r->loss_sum / (double)batch.count};
        vg_batch_release(r->loader, &batch);
        range->ran_away = vg_lr_range_ran_away(range);
        if (stop)
            status = vg_fail(err, VG_E_STOPPED, "stopped after %d steps", range->count);
    }
    return status;
}

vg_status vg_lr_range_measure(const vg_dataset *dataset, const vg_run_options *options,
                              const vg_lr_range_options *how, const vg_run_events *events,
                              vg_lr_range *range, vg_error *err)
{
    *range = (vg_lr_range){0};
    if (!(how->low > 0 && how->low < how->high && isfinite(how->high)) || how->steps < 10 ||
        how->steps > 100000)
        return vg_fail(err, VG_E_ARG,
                       "rates from %g to %g in %d steps: the first must be above 0 and below the "
                       "second, and 10 to 100000 steps are possible",
                       how->low, how->high, how->steps);
    vg_run_options job;
    vg_run_result result = {0};
    vg_status status = vg_run_options_copy(options, &job, err);
    if (!status)
        status = vg_run_prepare(dataset, &job, err);
    job.schedule = (vg_schedule){
        .kind = VG_SCHEDULE_EXPONENTIAL, .base = how->low, .final_factor = how->high / how->low};
    vg_training run = {.dataset = dataset, .options = &job, .events = events, .result = &result};
    if (!status)
        status = vg_training_open(&run, err);
    size_t most = (size_t)how->steps * (size_t)(job.accumulate > 0 ? job.accumulate : 1);
    run.updates = (uint64_t)how->steps - 1; /* the last step has the highest rate */
    if (!status && !(range->points = vg_calloc(most, sizeof *range->points)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu steps", most);
    if (!status)
        status = run_steps(&run, how->steps, range, err);
    vg_training_close(&run);
    vg_run_result_reset(&result);
    vg_run_options_reset(&job);
    if (status)
        vg_lr_range_reset(range);
    else
        vg_lr_range_conclude(range);
    return status;
}
