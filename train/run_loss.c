/* The loss of a training: which counts of the dataset it follows, and when class weights begin. */
#include "run_internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

/* The layer whose outputs the loss gets. */
static vg_layer_kind last_layer(const vg_net_spec *net)
{
    for (int i = 0; i < net->count; i++)
        if (vg_layer_is_head(&net->layers[i]))
            return net->layers[net->count - 1].kind;
    return VG_LAYER_DENSE;
}

const char *vg_run_warning(const vg_run_options *options)
{
    bool even = options->sampling == VG_SAMPLING_BALANCED ||
                options->sampling == VG_SAMPLING_OVER || options->sampling == VG_SAMPLING_UNDER;
    const char *warning = vg_loss_warning(&options->loss, last_layer(&options->net));
    if (!warning && even && options->loss.kind == VG_LOSS_LOGIT_ADJUSTED)
        return "loss logit-adjusted follows how often classes are seen, and balance.sampling shows "
               "all "
               "equally often: it is plain softmax then; set balance.sampling to none";
    if (!warning && even && options->weighting != VG_WEIGHTING_NONE)
        return "balance.weights follow how often classes are seen, and balance.sampling shows all "
               "equally often: they are all 1 then; set balance.sampling to none";
    return warning;
}

/* Weights follow what the sampler delivers, so that a resampled epoch is not corrected twice. */
static bool make_weights(vg_training *r, const uint64_t *seen)
{
    const vg_run_options *o = r->options;
    if (o->weighting == VG_WEIGHTING_NONE)
        return true;
    size_t classes = (size_t)r->classes, *counts = vg_calloc(classes, sizeof *counts);
    r->weights = vg_calloc(classes, sizeof *r->weights);
    bool made = counts && r->weights;
    for (int k = 0; made && k < r->classes; k++)
        counts[k] = (size_t)seen[k];
    if (made)
        vg_balance_weights(counts, r->classes, o->weighting, o->weights_beta, r->weights);
    free(counts);
    return made;
}

vg_status vg_training_make_loss(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    if (!(o->weights_beta >= 0 && o->weights_beta <= 1) ||
        !(o->weights_from >= 0 && o->weights_from <= 1))
        return vg_fail(err, VG_E_ARG, "weights_beta %g and weights_from %g must be in 0 to 1",
                       o->weights_beta, o->weights_from);
    size_t classes = (size_t)r->classes;
    uint64_t *counts = vg_calloc(2 * classes, sizeof *counts);
    if (!counts)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", r->classes);
    uint64_t *samples = counts + classes;
    for (int k = 0; k < r->classes; k++)
        counts[k] = vg_sampler_quota(r->sampler, k);
    for (size_t i = 0; i < vg_dataset_count(r->dataset); i++)
        if (vg_dataset_split(r->dataset, i) == VG_SPLIT_TRAIN)
            samples[vg_dataset_label(r->dataset, i)]++;
    vg_loss_setup setup = {.classes = r->classes,
                           .max_batch = r->batch,
                           .last = last_layer(&o->net),
                           .seen = counts,
                           .samples = samples};
    vg_status status = vg_loss_new(&o->loss, &setup, &r->loss, err);
    if (!status && !make_weights(r, counts))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", r->classes);
    free(counts);
    return status;
}

/* Asked anew in each step: a training that goes on in the middle needs no memory of it. */
bool vg_training_weighs(const vg_training *r)
{
    return r->weights && (double)r->step >= r->options->weights_from * (double)r->steps;
}

vg_loss_result vg_training_loss(vg_training *r, const float *outputs, const vg_label_pairs *labels,
                                int n)
{
    vg_loss_weigh(r->loss, vg_training_weighs(r) ? r->weights : NULL);
    return vg_loss_batch(r->loss, outputs, labels, n, r->dlogits);
}
