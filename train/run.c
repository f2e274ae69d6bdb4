/* One training: set up the floors below, then epochs of steps, with a look at the probe before the first step, at every
 * epoch's end, and in between when there are so few epochs that a verdict could not settle.
 *
 * What must be equal between paired runs comes from `seed` alone (weights, probe); `order_seed` changes only the order
 * of samples and their augmentation. */
#include "run.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/threads.h"
#include "checkpoint.h"
#include "nn/loss.h"
#include "probe.h"
#include "whiten.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEAST_LOOKS = 5 /* in a training, after the one before it */ };

/* Everything a run holds while it goes. */
struct run {
    const vg_dataset *dataset;
    const vg_run_options *options;
    const vg_run_events *events;
    vg_run_result *result;
    vg_augment augment;
    vg_class_policies class_policies;
    vg_sampler *sampler;
    vg_loader *loader;
    vg_model *model;
    vg_optimizer *optimizer;
    vg_probe *probe;
    float *weights;    /* of the loss, [classes]; NULL: none */
    float *dlogits;    /* [batch][classes] */
    float *mixed;      /* a batch's pictures after mixing; NULL: never mixed */
    int32_t *partners; /* [batch] and their second labels */
    uint64_t order;    /* the seed of order, augmentation and mixing */
    float *whitened;   /* [batch] inputs; NULL: the normalization needs none */
    size_t *held_out, held_out_count;
    int classes, batch;
    uint64_t step, steps, batches;
    /* of the epoch under way */
    double loss_sum, seconds;
    vg_loader_times before; /* the loader's at its beginning */
    size_t correct, seen;
    double gradient_norm, rate;
    bool not_finite;
};

static double now(void)
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

/* ---- setting up */

static vg_status check(const vg_run_options *o, vg_error *err)
{
    if (o->epochs < 1 || o->batch < 1)
        return vg_fail(err, VG_E_ARG, "%d epochs of batch %d: both must be at least 1", o->epochs,
                       o->batch);
    if (o->net.count == 0)
        return vg_fail(err, VG_E_ARG, "the network has no layers");
    if (vg_mixing_is_on(&o->mixing) && o->batch < 2)
        return vg_fail(err, VG_E_ARG, "mixing needs two pictures in a batch, found batch %d",
                       o->batch);
    if (!(o->schedule.base > 0) || !isfinite(o->schedule.base))
        return vg_fail(err, VG_E_ARG, "learning rate %g: must be above 0", o->schedule.base);
    return VG_OK;
}

static vg_status open_loader(struct run *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    r->order = o->order_seed ? vg_mix(o->seed, o->order_seed) : o->seed;
    vg_status status =
        vg_sampler_new(r->dataset, VG_SPLIT_TRAIN, o->sampling, r->order, &r->sampler, err);
    if (status)
        return status;
    uint64_t length = vg_sampler_length(r->sampler);
    r->batch = length < (uint64_t)o->batch ? (int)length : o->batch;
    vg_loader_options load = vg_run_loading(o);
    load.batch = r->batch;
    load.drop_last = true; /* a last batch of one or two would upset batch normalization */
    load.seed = r->order;
    vg_transform transform = vg_augment_transform(&r->augment);
    status = vg_loader_open(r->dataset, r->sampler, &transform, &load, &r->loader, err);
    if (status)
        return status;
    r->batches = vg_loader_batches(r->loader);
    r->steps = r->batches * (uint64_t)o->epochs;
    return VG_OK;
}

static vg_status make_model(struct run *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_model_options model = {.channels = o->channels,
                              .height = o->height,
                              .width = o->width,
                              .classes = r->classes,
                              .max_batch = r->batch,
                              .init = o->init,
                              .init_scale = o->init_scale,
                              .seed = o->seed};
    vg_status status = vg_model_new(&o->net, &model, &r->model, err);
    if (!status)
        status = vg_optimizer_new(r->model, &o->optimizer, &r->optimizer, err);
    if (status)
        return status;
    if ((status = vg_whiten_room(&r->augment.normalizer, r->batch, &r->whitened, err)))
        return status;
    r->dlogits = vg_alloc_aligned((size_t)r->batch * (size_t)r->classes, sizeof *r->dlogits);
    if (!r->dlogits)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a batch of %d", r->batch);
    return VG_OK;
}

static vg_status make_mixing(struct run *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    if (!vg_mixing_is_on(&o->mixing))
        return VG_OK;
    size_t picture = (size_t)o->channels * (size_t)o->height * (size_t)o->width;
    r->mixed = vg_alloc_aligned((size_t)r->batch * picture, sizeof *r->mixed);
    r->partners = vg_alloc((size_t)r->batch, sizeof *r->partners);
    if (!r->mixed || !r->partners)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a batch of %d", r->batch);
    return VG_OK;
}

/* Loss weights follow what the sampler delivers, so that a resampled epoch is not corrected twice. */
static vg_status make_weights(struct run *r, vg_error *err)
{
    if (r->options->weighting == VG_WEIGHTING_NONE)
        return VG_OK;
    size_t classes = (size_t)r->classes, *counts = vg_calloc(classes, sizeof *counts);
    r->weights = vg_calloc(classes, sizeof *r->weights);
    if (!counts || !r->weights) {
        free(counts);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", r->classes);
    }
    for (int k = 0; k < r->classes; k++)
        counts[k] = (size_t)vg_sampler_quota(r->sampler, k);
    vg_balance_weights(counts, r->classes, r->options->weighting, r->weights);
    free(counts);
    return VG_OK;
}

static vg_probe_options probe_options(const struct run *r, const vg_loader_options *load)
{
    const vg_run_options *o = r->options;
    return (vg_probe_options){.normalizer = r->augment.normalizer,
                              .channels = o->channels,
                              .height = o->height,
                              .width = o->width,
                              .framing = o->framing,
                              .max_shrink = o->max_shrink,
                              .batch = r->batch,
                              .load = load};
}

/* Validation is what decisions are made on; a dataset that brings only a test split is measured there. */
static vg_split choose_held_out(const vg_dataset *dataset)
{
    size_t total = vg_dataset_count(dataset);
    for (size_t i = 0; i < total; i++) {
        if (vg_dataset_split(dataset, i) == VG_SPLIT_VAL)
            return VG_SPLIT_VAL;
    }
    return VG_SPLIT_TEST;
}

static vg_status make_probe(struct run *r, vg_error *err)
{
    vg_loader_options load = vg_run_loading(r->options);
    vg_probe_options options = probe_options(r, &load);
    size_t *indices = NULL, count = 0;
    vg_split split = choose_held_out(r->dataset);
    r->result->held_out = split;
    vg_status status =
        vg_probe_pick(r->dataset, split, 0, 0, &r->held_out, &r->held_out_count, err);
    if (!status)
        status = vg_probe_pick(r->dataset, split, r->options->probe, 0, &indices, &count, err);
    if (!status)
        status = vg_probe_new(r->dataset, indices, count, r->model, &options, &r->probe, err);
    free(indices);
    r->result->held_out_samples = r->held_out_count;
    r->result->probe_samples = count;
    return status;
}

static vg_status set_up(struct run *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_status status = check(o, err);
    if (status)
        return status;
    r->classes = vg_dataset_classes(r->dataset);
    if (r->classes < 2)
        return vg_fail(err, VG_E_FORMAT, "%s: %d class: a classifier needs at least two",
                       vg_dataset_path(r->dataset), r->classes);
    omp_set_num_threads(o->threads > 0 ? o->threads : vg_threads_available());
    status =
        vg_class_policies_make(&o->class_rules, &o->policy, r->dataset, &r->class_policies, err);
    if (status)
        return status;
    r->augment = (vg_augment){
        .policy = o->policy,
        .class_policies = &r->class_policies,
        .normalizer = vg_run_normalizer(o),
        .channels = o->channels,
        .height = o->height,
        .width = o->width,
        .framing = o->framing,
        .max_shrink = o->max_shrink,
    };
    if ((status = open_loader(r, err)) || (status = make_model(r, err)) ||
        (status = make_mixing(r, err)) || (status = make_weights(r, err)) ||
        (status = make_probe(r, err)))
        return status;
    vg_run_result *result = r->result;
    result->normalizer = r->augment.normalizer;
    result->normalizer.pixels = NULL;
    result->channels = o->channels;
    result->height = o->height;
    result->width = o->width;
    result->parameters = vg_model_parameter_count(r->model);
    for (int i = 0; i < vg_model_layers(r->model); i++)
        result->macs += vg_model_layer(r->model, i)->macs;
    for (size_t i = 0; i < vg_dataset_count(r->dataset); i++)
        result->train_samples += vg_dataset_split(r->dataset, i) == VG_SPLIT_TRAIN;
    result->epochs = vg_calloc((size_t)o->epochs + 1, sizeof *result->epochs);
    if (!result->epochs)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d epochs", o->epochs);
    vg_monitor_init(&result->monitor, r->steps);
    return VG_OK;
}

static void tear_down(struct run *r)
{
    vg_loader_close(r->loader);
    vg_sampler_free(r->sampler);
    vg_probe_free(r->probe);
    vg_optimizer_free(r->optimizer);
    vg_model_free(r->model);
    free(r->weights);
    free(r->dlogits);
    free(r->mixed);
    free(r->partners);
    vg_class_policies_reset(&r->class_policies);
    free(r->whitened);
    free(r->held_out);
}

/* ---- looking and recording */

/* What the trainer spent waiting in the epoch so far, and what it waited for. */
static double load_share(struct run *r, double seconds, vg_stage *limit)
{
    vg_loader_times times = vg_loader_times_of(r->loader);
    *limit = vg_loader_limit(&r->before, &times, seconds);
    return (times.waited_by_caller - r->before.waited_by_caller) / fmax(seconds, 1e-9);
}

static void begin_epoch(struct run *r)
{
    r->loss_sum = r->seconds = 0;
    r->correct = r->seen = 0;
    r->before = vg_loader_times_of(r->loader);
}

/* Looks at the probe; at an epoch's end (and before the first step) the look is recorded. */
static vg_status look(struct run *r, int epoch, bool record, vg_error *err)
{
    vg_run_result *result = r->result;
    vg_diversity passing = {0};
    vg_epoch_record *e = &result->epochs[result->epoch_count];
    vg_diversity *diversity = record ? &e->diversity : &passing;
    vg_status status = vg_probe_look(r->probe, r->model, diversity, err);
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
        e->load_share = load_share(r, r->seconds, &e->limit);
        e->verdict = result->monitor.last;
        result->epoch_count++;
        if (r->events && r->events->epoch)
            r->events->epoch(r->events->context, e);
    }
    vg_diversity_reset(&passing);
    return VG_OK;
}

static vg_status save(struct run *r, int epoch, vg_error *err)
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
                               .classes = r->classes,
                               .class_names = names,
                               .normalizer = r->augment.normalizer,
                               .seed = o->seed,
                               .step = r->step,
                               .epoch = epoch};
        status = vg_checkpoint_save(o->checkpoint, &about, r->model, r->optimizer, err);
    }
    for (int k = 0; names && k < r->classes; k++)
        free(names[k]);
    free(names);
    return status;
}

/* ---- training */

/* The pictures that the network gets, and the labels of their shares. */
static const float *mix_batch(struct run *r, const vg_batch *batch, vg_label_pairs *labels)
{
    const vg_run_options *o = r->options;
    const int shape[3] = {o->channels, o->height, o->width}, n = batch->count;
    const size_t picture = (size_t)shape[0] * (size_t)shape[1] * (size_t)shape[2];
    *labels = (vg_label_pairs){batch->y, batch->y, 1};
    vg_mixture mix = vg_mix_draw(&o->mixing, r->order, batch->epoch,
                                 batch->first / (uint64_t)r->batch, o->height, o->width);
    if (mix.kind == VG_MIX_NONE || n < 2)
        return batch->x;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        int partner = vg_mix_partner(i, n);
        r->partners[i] = batch->y[partner];
        vg_mix_sample(&mix, batch->x + (size_t)i * picture, batch->x + (size_t)partner * picture,
                      shape, r->mixed + (size_t)i * picture);
    }
    *labels = (vg_label_pairs){batch->y, r->partners, mix.share};
    return r->mixed;
}

static vg_status train_batch(struct run *r, int epoch, const vg_batch *batch, double started)
{
    vg_label_pairs labels;
    const float *x = vg_whiten_batch(&r->augment.normalizer, mix_batch(r, batch, &labels),
                                     batch->count, r->whitened);
    const float *logits = vg_model_forward(r->model, x, batch->count, true, r->step);
    vg_loss_result loss = vg_softmax_cross_entropy_pairs(logits, &labels, batch->count, r->classes,
                                                         r->weights, r->dlogits);
    r->rate = vg_schedule_at(&r->options->schedule, r->step, r->steps);
    r->step++;
    r->loss_sum += loss.loss * batch->count;
    r->correct += (size_t)loss.correct;
    r->seen += (size_t)batch->count;
    r->not_finite = !isfinite(loss.loss);
    if (!r->not_finite) {
        vg_model_backward(r->model, r->dlogits, NULL);
        r->gradient_norm = vg_optimizer_step(r->optimizer, r->rate);
    }
    if (!r->events || !r->events->batch)
        return VG_OK;
    double seconds = r->seconds + now() - started;
    vg_run_moment moment = {.epoch = epoch,
                            .step = r->step,
                            .steps = r->steps,
                            .loss = loss.loss,
                            .images_per_s = (double)r->seen / fmax(seconds, 1e-9)};
    moment.load_share = load_share(r, seconds, &moment.limit);
    return r->events->batch(r->events->context, &moment) ? VG_E_STOPPED : VG_OK;
}

/* Looks between the ends of epochs: enough of them that a verdict can settle. */
static bool look_now(const struct run *r, uint64_t done)
{
    uint64_t looks = (uint64_t)((LEAST_LOOKS + r->options->epochs - 1) / r->options->epochs);
    if (looks < 2 || done >= r->batches)
        return false;
    return done * looks / r->batches != (done - 1) * looks / r->batches;
}

static vg_status train_epoch(struct run *r, int epoch, vg_error *err)
{
    vg_status status = vg_loader_begin(r->loader, (uint32_t)epoch, 0, err);
    begin_epoch(r);
    double started = now();
    for (uint64_t done = 0; !status && !r->not_finite;) {
        vg_batch batch;
        status = vg_loader_next(r->loader, &batch, err);
        if (status)
            break;
        status = train_batch(r, epoch, &batch, started);
        vg_batch_release(r->loader, &batch);
        if (status)
            vg_fail(err, status, "stopped in epoch %d after %llu of %llu steps", epoch,
                    (unsigned long long)r->step, (unsigned long long)r->steps);
        else if (look_now(r, ++done)) {
            r->seconds += now() - started;
            status = look(r, epoch, false, err);
            started = now();
        }
    }
    r->seconds += now() - started;
    if (status && status != VG_END)
        return status;
    if ((status = look(r, epoch, true, err)))
        return status;
    if (r->not_finite)
        vg_monitor_break_off(&r->result->monitor, r->step);
    if (r->options->cache) /* what goes wrong there is told in its own statistics */
        (void)vg_cache_commit(r->options->cache, false, NULL);
    return save(r, epoch, err);
}

/* Takes over what the ledger of a loader holds. */
static vg_status collect_bad(struct run *r, vg_loader *loader, vg_error *err)
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

static vg_status measure_all(struct run *r, vg_error *err)
{
    vg_probe *all = NULL;
    vg_loader_options load = vg_run_loading(r->options);
    vg_probe_options options = probe_options(r, &load);
    vg_status status =
        vg_probe_new(r->dataset, r->held_out, r->held_out_count, r->model, &options, &all, err);
    if (!status)
        status = vg_probe_look(all, r->model, &r->result->final, err);
    if (!status || status == VG_E_LIMIT) {
        vg_status collected = collect_bad(r, vg_probe_loader(all), status ? NULL : err);
        status = status ? status : collected;
    }
    vg_probe_free(all);
    return status;
}

static vg_status train(struct run *r, vg_error *err)
{
    begin_epoch(r);
    vg_status status = look(r, 0, true, err);
    for (int epoch = 1; !status && epoch <= r->options->epochs && !r->not_finite; epoch++)
        status = train_epoch(r, epoch, err);
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
    double started = now();
    vg_run_options prepared;
    vg_status status = vg_run_options_copy(options, &prepared, err);
    if (!status)
        status = vg_run_prepare(dataset, &prepared, err);
    struct run run = {.dataset = dataset, .options = &prepared, .events = events, .result = result};
    if (!status)
        status = set_up(&run, err);
    if (!status)
        status = train(&run, err);
    tear_down(&run);
    vg_run_options_reset(&prepared);
    result->seconds = now() - started;
    if (status == VG_E_LIMIT)
        keep_only_bad(result);
    else if (status && status != VG_E_STOPPED)
        vg_run_result_reset(result);
    return status;
}
