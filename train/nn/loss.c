/* Losses over a batch: weights, priors and margins made ready once, rows worked on in parallel where
 * they are many, their sum taken in the order of the samples. What a row costs is in loss_rows.c. */
#include "nn/loss_internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL = 4096 /* outputs in a batch from which threads pay */ };

static void free_parts(vg_loss *l)
{
    free(l->own);
    free(l->adjust);
    free(l->margin);
    free(l->rows);
}

static double counted(uint64_t count)
{
    return count ? (double)count : 0.5;
}

/* log prior times tau. */
static bool make_adjustment(vg_loss *l, const uint64_t *seen)
{
    l->adjust = vg_calloc((size_t)l->classes, sizeof *l->adjust);
    double total = 0;
    for (int k = 0; l->adjust && k < l->classes; k++)
        total += counted(seen[k]);
    for (int k = 0; l->adjust && k < l->classes; k++)
        l->adjust[k] = l->options.tau * log(counted(seen[k]) / total);
    return l->adjust;
}

static bool make_margins(vg_loss *l, const uint64_t *samples)
{
    l->margin = vg_calloc((size_t)l->classes, sizeof *l->margin);
    double most = 0;
    for (int k = 0; l->margin && k < l->classes; k++) {
        l->margin[k] = 1 / sqrt(sqrt(counted(samples[k])));
        most = fmax(most, l->margin[k]);
    }
    for (int k = 0; l->margin && k < l->classes; k++)
        l->margin[k] *= l->options.scale * l->options.margin / most;
    return l->margin;
}

/* Whether a network that ends in `last` gives what the loss would make of logits. */
static bool gives_probabilities(vg_loss_kind kind, vg_layer_kind last)
{
    bool sigmoid = kind == VG_LOSS_SIGMOID || kind == VG_LOSS_SIGMOID_FOCAL;
    if (kind == VG_LOSS_MSE)
        return last == VG_LAYER_SOFTMAX || last == VG_LAYER_SIGMOID;
    return last == (sigmoid ? VG_LAYER_SIGMOID : VG_LAYER_SOFTMAX);
}

vg_status vg_loss_new(const vg_loss_options *options, const vg_loss_setup *setup, vg_loss **loss,
                      vg_error *err)
{
    *loss = NULL;
    vg_status status = vg_loss_check(options, err);
    if (status)
        return status;
    vg_loss *l = vg_calloc(1, sizeof *l);
    if (!l)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the loss");
    l->options = *options;
    l->classes = setup->classes;
    l->max_batch = setup->max_batch;
    l->all = (double)l->classes;
    if (l->options.from_logits == VG_FROM_LOGITS_AUTO)
        l->options.from_logits = gives_probabilities(options->kind, setup->last)
                                     ? VG_FROM_LOGITS_NO
                                     : VG_FROM_LOGITS_YES;
    l->own = vg_calloc((size_t)l->classes, sizeof *l->own);
    l->rows = vg_calloc((size_t)l->max_batch, sizeof *l->rows);
    bool made = l->own && l->rows;
    if (made && options->kind == VG_LOSS_LOGIT_ADJUSTED)
        made = make_adjustment(l, setup->seen);
    if (made && options->kind == VG_LOSS_LDAM)
        made = make_margins(l, setup->samples);
    if (!made) {
        vg_loss_free(l);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the loss of %d classes", setup->classes);
    }
    *loss = l;
    return VG_OK;
}

void vg_loss_free(vg_loss *loss)
{
    if (!loss)
        return;
    free_parts(loss);
    free(loss);
}

static void use_weights(vg_loss *l, const float *weights)
{
    l->weights = weights;
    l->all = weights ? 0 : (double)l->classes;
    for (int k = 0; weights && k < l->classes; k++)
        l->all += (double)weights[k];
}

void vg_loss_weigh(vg_loss *loss, const float *weights)
{
    if (weights)
        memcpy(loss->own, weights, (size_t)loss->classes * sizeof *weights);
    use_weights(loss, weights ? loss->own : NULL);
}

static int arg_max(const float *z, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (z[k] > z[best])
            best = k;
    return best;
}

static double weight_of(const vg_loss *l, int label)
{
    return l->weights ? (double)l->weights[label] : 1;
}

/* Row i with its label or labels; `total` is the sum of the batch's weights. */
static double row(const vg_loss *l, const float *outputs, const vg_label_pairs *labels, int i,
                  double total, float *doutputs)
{
    const float *z = outputs + (size_t)i * (size_t)l->classes;
    float *d = doutputs ? doutputs + (size_t)i * (size_t)l->classes : NULL;
    double rest = 1 - labels->share, per = total > 0 ? 1 / total : 0;
    vg_loss_target t = {.label = labels->first[i], .share = labels->share * per};
    t.weight = t.share * weight_of(l, t.label);
    double loss = vg_loss_row(l, z, &t, d);
    if (rest == 0)
        return loss;
    t = (vg_loss_target){.label = labels->second[i], .share = rest * per, .add = true};
    t.weight = t.share * weight_of(l, t.label);
    return loss + vg_loss_row(l, z, &t, d);
}

static double total_weight(const vg_loss *l, const vg_label_pairs *labels, int n)
{
    double total = 0, rest = 1 - labels->share;
    for (int i = 0; i < n; i++) {
        total += labels->share * weight_of(l, labels->first[i]);
        if (rest != 0)
            total += rest * weight_of(l, labels->second[i]);
    }
    return total;
}

static int count_correct(int classes, const float *outputs, const vg_label_pairs *labels, int n)
{
    int correct = 0;
    const int32_t *meant = labels->share >= 0.5 ? labels->first : labels->second;
    for (int i = 0; i < n; i++)
        correct += arg_max(outputs + (size_t)i * (size_t)classes, classes) == meant[i];
    return correct;
}

vg_loss_result vg_loss_batch(vg_loss *l, const float *outputs, const vg_label_pairs *labels, int n,
                             float *doutputs)
{
    double total = total_weight(l, labels, n);
#pragma omp parallel for schedule(static) if ((long)n * l->classes >= PARALLEL)
    for (int i = 0; i < n; i++)
        l->rows[i] = row(l, outputs, labels, i, total, doutputs);
    vg_loss_result result = {.correct = count_correct(l->classes, outputs, labels, n)};
    for (int i = 0; i < n; i++)
        result.loss += l->rows[i];
    return result;
}

vg_loss_result vg_softmax_cross_entropy(const float *logits, const int32_t *labels, int n,
                                        int classes, const float *weights, float *dlogits)
{
    vg_loss l = {.options = {.kind = VG_LOSS_SOFTMAX, .from_logits = VG_FROM_LOGITS_YES},
                 .classes = classes,
                 .weights = weights};
    const vg_label_pairs pairs = {labels, labels, 1};
    double total = total_weight(&l, &pairs, n);
    vg_loss_result result = {.correct = count_correct(classes, logits, &pairs, n)};
    for (int i = 0; i < n; i++)
        result.loss += row(&l, logits, &pairs, i, total, dlogits);
    return result;
}

void vg_outputs_to_logits(vg_layer_kind last, const float *outputs, size_t n, int classes,
                          float *logits)
{
    size_t count = n * (size_t)classes;
    if (last != VG_LAYER_SOFTMAX && last != VG_LAYER_SIGMOID) {
        if (logits != outputs)
            memcpy(logits, outputs, count * sizeof *logits);
        return;
    }
    for (size_t i = 0; i < count; i++)
        logits[i] = isnan(outputs[i])          ? outputs[i]
                    : last == VG_LAYER_SOFTMAX ? (float)vg_log_probability(outputs[i])
                                               : (float)vg_logit_probability(outputs[i]);
}
