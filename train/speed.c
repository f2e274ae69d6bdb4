/* A training's first steps, timed. The steps are those of vg_run itself, with its loader, policy and optimizer, so that
 * what is told is what a training costs. Measured on the wall: processor time would not show a thread that waits.
 *
 * The time of a layer is what all threads spent in it over their number; layers run shard by shard without a barrier
 * between them, so that no moment of the wall belongs to one alone. What the parts do not explain (starting the team,
 * threads that wait for the last one) is the rest. */
#include "speed.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/usage.h"
#include "nn/kernels/blas.h"
#include "run_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* From this share of the peak on, convolutions and dense layers count as near it: no library in wide use is much
 * nearer in training. */
static const double NEAR_PEAK = 0.5;
/* The roof is measured for so long. */
static const double PEAK_SECONDS = 0.15;

vg_speed_options vg_speed_options_default(void)
{
    return (vg_speed_options){.warm_up = 2, .least_steps = 3, .seconds = 3};
}

const char *vg_speed_limit_name(vg_speed_limit limit)
{
    static const char *const names[VG_SPEED_LIMITS] = {"loading", "arithmetic", "kernels",
                                                       "memory",  "update",     "overhead"};
    return (unsigned)limit < VG_SPEED_LIMITS ? names[limit] : "?";
}

void vg_speed_reset(vg_speed *speed)
{
    free(speed->layers);
    *speed = (vg_speed){0};
}

/* ---- running */

static vg_status next_batch(vg_training *r, uint32_t *epoch, vg_batch *batch, vg_error *err)
{
    vg_status status = vg_loader_next(r->loader, batch, err);
    for (int tries = 0; status == VG_END && tries < 2; tries++) {
        status = vg_loader_begin(r->loader, ++*epoch, 0, err);
        if (!status)
            status = vg_loader_next(r->loader, batch, err);
    }
    return status == VG_END ? vg_fail(err, VG_E_FORMAT, "%s: no batch of %d training images",
                                      vg_dataset_path(r->dataset), r->batch)
                            : status;
}

static vg_status run_steps(vg_training *r, int least, double seconds, uint32_t *epoch, int *steps,
                           vg_error *err)
{
    double started = vg_clock();
    for (*steps = 0; *steps < least || vg_clock() - started < seconds; ++*steps) {
        vg_batch batch;
        vg_status status = next_batch(r, epoch, &batch, err);
        if (status)
            return status;
        r->epoch = (int)*epoch;
        bool stop = vg_training_step(r, &batch, started);
        vg_batch_release(r->loader, &batch);
        if (stop)
            return vg_fail(err, VG_E_STOPPED, "stopped after %d steps", *steps);
        if (r->not_finite)
            return vg_fail(err, VG_E_NUMERIC,
                           "the loss was not finite after %llu steps: a smaller learning_rate?",
                           (unsigned long long)r->step);
    }
    return VG_OK;
}

/* ---- taking apart */

static bool multiplies(vg_layer_kind kind)
{
    return kind == VG_LAYER_CONV || kind == VG_LAYER_DENSE;
}

static void take_layers(const vg_training *r, vg_speed *s)
{
    const int team_size = s->threads < VG_MODEL_SHARDS ? s->threads : VG_MODEL_SHARDS;
    const double team = (double)team_size * s->steps, n = s->batch;
    const double all = (double)vg_model_parameter_count(r->model);
    double most = 0;
    s->slowest = -1;
    for (int i = 0; i < s->layer_count; i++) {
        vg_layer_speed *l = &s->layers[i];
        vg_layer_clock clock = vg_model_clock_of(r->model, i);
        l->info = *vg_model_layer(r->model, i);
        l->forward_s = clock.forward / team;
        l->backward_s = clock.backward / team;
        l->update_s = all > 0 ? s->update * (double)l->info.parameters / all : 0;
        double took = l->forward_s + l->backward_s;
        if (multiplies(l->info.kind)) {
            l->forward_flop = 2 * n * (double)l->info.macs;
            l->backward_flop = l->forward_flop * vg_model_backward_products(r->model, i);
            s->arithmetic_s += took;
        } else {
            s->other_layers_s += took;
        }
        s->flop += l->forward_flop + l->backward_flop;
        if (took > most) {
            most = took;
            s->slowest = i;
        }
    }
}

static vg_speed_limit limit_of(const vg_speed *s)
{
    double overhead = s->seconds - s->waited - s->arithmetic_s - s->other_layers_s - s->update;
    const double parts[] = {s->waited, s->arithmetic_s, s->other_layers_s, s->update, overhead};
    int most = 0;
    for (int i = 1; i < 5; i++)
        most = parts[i] > parts[most] ? i : most;
    double possible = s->flop / fmax(s->peak.flop_per_s, 1);
    switch (most) {
    case 0:
        return VG_SPEED_LOADING;
    case 1:
        return possible >= NEAR_PEAK * s->arithmetic_s ? VG_SPEED_ARITHMETIC : VG_SPEED_KERNELS;
    case 2:
        return VG_SPEED_MEMORY;
    case 3:
        return VG_SPEED_UPDATE;
    default:
        return VG_SPEED_OVERHEAD;
    }
}

static void take_loading(const vg_loader_times *a, const vg_loader_times *b, vg_speed *s)
{
    double samples = (double)(b->samples - a->samples), each = samples > 0 ? 1 / samples : 0;
    s->read_s = (b->read - a->read) * each;
    s->decode_s = (b->decode - a->decode) * each;
    s->transform_s = (b->transform - a->transform) * each;
    /* asked for a moment in which the caller did nothing but wait */
    s->loading = samples > 0 ? vg_loader_limit(a, b, (b->waited_by_caller - a->waited_by_caller))
                             : VG_STAGE_CALLER;
}

static vg_status measure(vg_training *r, const vg_speed_options *how, vg_speed *s, vg_error *err)
{
    uint32_t epoch = 1;
    int steps;
    vg_status status = vg_loader_begin(r->loader, epoch, 0, err);
    if (!status)
        status = run_steps(r, how->warm_up, 0, &epoch, &steps, err);
    if (status)
        return status;
    vg_loader_times before = vg_loader_times_of(r->loader);
    r->spent = (vg_phases){0};
    vg_model_clock(r->model, true);
    vg_usage usage = vg_usage_now();
    double started = vg_clock();
    status = run_steps(r, how->least_steps, how->seconds, &epoch, &s->steps, err);
    double wall = vg_clock() - started;
    if (status)
        return status;
    s->others = vg_usage_others_since(&usage);
    vg_loader_times after = vg_loader_times_of(r->loader);
    double steps_done = s->steps;
    s->seconds = wall / steps_done;
    s->waited = (after.waited_by_caller - before.waited_by_caller) / steps_done;
    s->prepared = r->spent.prepare / steps_done;
    s->forward = r->spent.forward / steps_done;
    s->loss = r->spent.loss / steps_done;
    s->backward = r->spent.backward / steps_done;
    s->update = r->spent.update / steps_done;
    s->rest = fmax(0, s->seconds - s->waited - s->prepared - s->forward - s->loss - s->backward -
                          s->update);
    take_layers(r, s);
    take_loading(&before, &after, s);
    return VG_OK;
}

vg_status vg_speed_measure(const vg_dataset *dataset, const vg_run_options *options,
                           const vg_speed_options *how, const vg_run_events *events,
                           vg_speed *speed, vg_error *err)
{
    *speed = (vg_speed){0};
    if (how->least_steps < 1)
        return vg_fail(err, VG_E_ARG, "%d steps: at least one must be measured", how->least_steps);
    vg_run_result unused = {0};
    vg_run_options prepared;
    vg_status status = vg_run_options_copy(options, &prepared, err);
    if (!status)
        status = vg_run_prepare(dataset, &prepared, err);
    vg_training run = {
        .dataset = dataset, .options = &prepared, .events = events, .result = &unused};
    if (!status)
        status = vg_training_open(&run, err);
    if (!status) {
        speed->threads = omp_get_max_threads();
        speed->batch = run.batch;
        speed->channels = prepared.channels;
        speed->height = prepared.height;
        speed->width = prepared.width;
        speed->layer_count = vg_model_layers(run.model);
        speed->layers = vg_calloc((size_t)speed->layer_count, sizeof *speed->layers);
        if (!speed->layers)
            status = vg_fail(err, VG_E_NOMEM, "out of memory for %d layers", speed->layer_count);
    }
    if (!status) {
        speed->peak = vg_peak_measure(VG_SIMD_AVX512, speed->threads, PEAK_SECONDS);
        speed->blas_core = vg_blas_core();
        speed->better_core = vg_blas_better_core();
        status = measure(&run, how, speed, err);
    }
    if (!status) { /* what disturbs it makes it lower, never higher */
        vg_peak again = vg_peak_measure(VG_SIMD_AVX512, speed->threads, PEAK_SECONDS);
        if (again.flop_per_s > speed->peak.flop_per_s)
            speed->peak = again;
        speed->limit = limit_of(speed);
    }
    vg_training_close(&run);
    vg_run_options_reset(&prepared);
    vg_run_result_reset(&unused);
    if (status)
        vg_speed_reset(speed);
    return status;
}
