/* Setting up one training: loader, network, optimizer, probe, from options that are checked first. What must be equal
 * between paired runs comes from `seed` alone (weights, probe); `order_seed` changes only the order of samples and
 * their augmentation. */
#include "run_internal.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/threads.h"
#include "import.h"
#include "patches.h"
#include "whiten.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    if (o->accumulate < 1)
        return vg_fail(err, VG_E_ARG, "accumulate %d: must be at least 1", o->accumulate);
    if (o->stop_patience < 0 || !(o->stop_min_delta >= 0) || (unsigned)o->stop_by >= VG_WATCHES ||
        (unsigned)o->plateau_by >= VG_WATCHES || (unsigned)o->best_by > VG_WATCH_NONE)
        return vg_fail(err, VG_E_ARG,
                       "early stopping, plateau or best: no such measure, or a "
                       "negative patience or difference");
    if (!(o->plateau.factor > 0 && o->plateau.factor < 1) || !(o->plateau.threshold >= 0) ||
        !(o->plateau.lowest >= 0) || o->plateau.patience < 0 || o->plateau.cooldown < 0)
        return vg_fail(err, VG_E_ARG,
                       "plateau: the factor must lie between 0 and 1, the others not be negative");
    if (!(o->schedule.base > 0) || !isfinite(o->schedule.base))
        return vg_fail(err, VG_E_ARG, "learning rate %g: must be above 0", o->schedule.base);
    return VG_OK;
}

static vg_status open_loader(vg_training *r, vg_error *err)
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
    uint64_t group = (uint64_t)o->accumulate;
    r->updates = (r->batches + group - 1) / group * (uint64_t)o->epochs;
    return VG_OK;
}

/* "body" stands for everything but the last layer. */
static vg_status name_frozen(vg_training *r, vg_error *err)
{
    const vg_param_rules *asked = &r->options->freeze;
    char head[VG_PARAM_PATTERN];
    vg_status status = VG_OK;
    snprintf(head, sizeof head, "%s.*",
             vg_model_layer(r->model, vg_model_layers(r->model) - 1)->name);
    for (int i = 0; i < asked->count && !status; i++) {
        bool body = strcmp(asked->rule[i].pattern, "body") == 0;
        status = vg_param_rules_add(&r->freeze, body ? "*" : asked->rule[i].pattern, 0, err);
        if (!status && body)
            status = vg_param_rules_add(&r->freeze, head, 1, err);
    }
    return status ? status : vg_param_rules_check(&r->freeze, r->model, "freeze", err);
}

static vg_status make_model(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_model_options model = {.channels = o->channels,
                              .height = o->height,
                              .width = o->width,
                              .classes = r->classes,
                              .max_batch = r->batch,
                              .init = o->init,
                              .init_scale = o->init_scale,
                              .winograd = o->winograd,
                              .seed = o->seed};
    vg_status status = vg_model_new(&o->net, &model, &r->model, err);
    if (!status && o->init_from)
        status = vg_import(o->init_from, r->model, o->init_partial, NULL, err);
    if (!status)
        status = name_frozen(r, err);
    if (!status)
        status = vg_optimizer_new(r->model, &o->optimizer, &r->optimizer, err);
    if (status)
        return status;
    vg_optimizer_plan(r->optimizer, r->updates);
    if ((status = vg_whiten_room(&r->augment.normalizer, r->batch, &r->whitened, err)))
        return status;
    r->dlogits = vg_alloc_aligned((size_t)r->batch * (size_t)r->classes, sizeof *r->dlogits);
    if (!r->dlogits)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a batch of %d", r->batch);
    if (o->accumulate > 1) {
        r->sums = vg_alloc_aligned(vg_model_parameter_count(r->model), sizeof *r->sums);
        if (!r->sums)
            return vg_fail(err, VG_E_NOMEM, "out of memory for the gradients of a group");
    }
    return VG_OK;
}

static vg_status make_mixing(vg_training *r, vg_error *err)
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

void vg_training_freeze(vg_training *r)
{
    const vg_run_options *o = r->options;
    bool now = o->freeze_epochs == 0 || r->epoch <= o->freeze_epochs;
    int count;
    vg_param *params = vg_model_params(r->model, &count);
    for (int i = 0; i < count && r->freeze.count; i++) {
        vg_param *p = &params[i];
        bool frozen = now && vg_param_rules_factor(&r->freeze, p->name, 1) <= 0;
        if (p->trainable)
            p->rate = frozen ? 0 : vg_param_rules_factor(&o->optimizer.rates, p->name, 1);
    }
    for (int l = 0; l < vg_model_layers(r->model) && r->freeze.count; l++) {
        char name[VG_PARAM_PATTERN];
        if (vg_model_layer(r->model, l)->kind != VG_LAYER_BATCHNORM)
            continue;
        snprintf(name, sizeof name, "%s.bias", vg_model_layer(r->model, l)->name);
        vg_model_hold_statistics(r->model, l,
                                 now && vg_param_rules_factor(&r->freeze, name, 1) <= 0);
    }
}

vg_probe_options vg_training_probe_options(const vg_training *r, const vg_loader_options *load)
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

static vg_status make_probe(vg_training *r, vg_error *err)
{
    vg_loader_options load = vg_run_loading(r->options);
    vg_probe_options options = vg_training_probe_options(r, &load);
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

vg_status vg_training_open(vg_training *r, vg_error *err)
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
        (status = vg_patches_fit(r->model, &o->net, r->dataset, &r->augment, o->threads, err)) ||
        (status = make_mixing(r, err)) || (status = vg_training_make_loss(r, err)) ||
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
    r->plateau = (vg_plateau){.rate = o->schedule.base};
    return VG_OK;
}

void vg_training_close(vg_training *r)
{
    vg_loader_close(r->loader);
    vg_sampler_free(r->sampler);
    vg_probe_free(r->probe);
    vg_optimizer_free(r->optimizer);
    vg_model_free(r->model);
    vg_loss_free(r->loss);
    free(r->weights);
    free(r->dlogits);
    free(r->mixed);
    free(r->partners);
    vg_class_policies_reset(&r->class_policies);
    free(r->whitened);
    free(r->sums);
    free(r->earlier_bad);
    free(r->held_out);
}
