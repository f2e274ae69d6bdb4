/* One look at a network: collects the outputs, the features and the sums of every layer while the
 * probe passes through, then measures.
 *
 * Outputs and features are kept (they are small), layers are summed on the way. Samples must come
 * in the same order in every look: the change of the outputs is told against the first look. All
 * memory that depends on the model is taken in vg_observer_new; adding cannot fail, what was wrong
 * with it is told by vg_observer_measure. */
#include "observe/measure.h"

#include "base/alloc.h"
#include "nn/loss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAT 1e-4 /* spread below which a layer is called collapsed */

/* The rank costs the cube of the smaller side of the features: wide layers are represented by this
 * many evenly spaced samples, far more than the K-1 directions that are asked for. */
enum { RANK_MOST = 1024 };

struct vg_observer {
    size_t samples; /* room */
    int classes;
    int layers; /* of the model; sums has one more, the input */
    int feature_layer;
    size_t features, stride;               /* every stride-th sample keeps its features */
    float *logits, *probabilities, *first; /* [samples][classes] */
    float *kept;                           /* [samples / stride][features] */
    int32_t *labels;
    bool *usable;            /* [samples] logits are finite */
    vg_layer_sums *sums;     /* [layers + 1]; first the input */
    vg_layer_spread *layout; /* [shown], names only */
    int *layer;              /* [shown] index into sums */
    int shown;               /* 0 until a network was seen at work */
    size_t added, first_count, refused;
};

static size_t values_of(const vg_layer_info *info)
{
    return (size_t)info->channels * (size_t)info->height * (size_t)info->width;
}

static vg_status take_memory(vg_observer *o, const vg_model *model, vg_error *err)
{
    size_t outputs, smaller = o->features < o->samples ? o->features : o->samples;
    o->stride = smaller > RANK_MOST ? (o->samples + RANK_MOST - 1) / RANK_MOST : 1;
    size_t rows = (o->samples + o->stride - 1) / o->stride, cells;
    if (!vg_mul_size(o->samples, (size_t)o->classes, &outputs) ||
        !vg_mul_size(rows, o->features, &cells))
        return vg_fail(err, VG_E_LIMIT, "a probe of %zu samples is too large", o->samples);
    o->logits = vg_alloc(outputs, sizeof *o->logits);
    o->probabilities = vg_calloc(outputs, sizeof *o->probabilities);
    o->first = vg_alloc(outputs, sizeof *o->first);
    o->kept = vg_alloc(cells, sizeof *o->kept);
    o->labels = vg_alloc(o->samples, sizeof *o->labels);
    o->usable = vg_alloc(o->samples, sizeof *o->usable);
    o->sums = vg_calloc((size_t)o->layers + 1, sizeof *o->sums);
    o->layout = vg_calloc((size_t)o->layers + 1, sizeof *o->layout);
    o->layer = vg_calloc((size_t)o->layers + 1, sizeof *o->layer);
    if (!o->logits || !o->probabilities || !o->first || !o->kept || !o->labels || !o->usable ||
        !o->sums || !o->layout || !o->layer)
        return vg_fail(err, VG_E_NOMEM, "no memory to look at %zu samples", o->samples);
    for (int i = -1; i < o->layers; i++) {
        const vg_layer_info *info = vg_model_layer(model, i);
        vg_status status = vg_layer_sums_init(&o->sums[i + 1], values_of(info), err);
        if (status)
            return status;
    }
    return VG_OK;
}

vg_status vg_observer_new(const vg_model *model, size_t samples, vg_observer **observer,
                          vg_error *err)
{
    *observer = NULL;
    if (samples == 0)
        return vg_fail(err, VG_E_ARG, "a probe without samples shows nothing");
    vg_observer *o = vg_calloc(1, sizeof *o);
    if (!o)
        return vg_fail(err, VG_E_NOMEM, "no memory for an observer");
    o->samples = samples;
    o->classes = vg_model_classes(model);
    o->layers = vg_model_layers(model);
    o->feature_layer = vg_model_feature_layer(model);
    o->features = values_of(vg_model_layer(model, o->feature_layer));
    vg_status status = take_memory(o, model, err);
    if (status) {
        vg_observer_free(o);
        return status;
    }
    *observer = o;
    return VG_OK;
}

void vg_observer_free(vg_observer *o)
{
    if (!o)
        return;
    for (int i = 0; o->sums && i <= o->layers; i++)
        vg_layer_sums_reset(&o->sums[i]);
    free(o->sums);
    free(o->layout);
    free(o->layer);
    free(o->logits);
    free(o->probabilities);
    free(o->first);
    free(o->kept);
    free(o->labels);
    free(o->usable);
    free(o);
}

void vg_observer_begin(vg_observer *o)
{
    o->added = o->refused = 0;
    for (int i = 0; i <= o->layers; i++)
        vg_layer_sums_begin(&o->sums[i]);
}

/* Which outputs can be seen: of layers that work in place on one buffer only the last is left, and
 * stands under the names of all ("0.conv+relu"). Only a network that has run can tell. */
static void find_layers(vg_observer *o, const vg_model *model)
{
    bool open = false; /* the name of a shared buffer is begun */
    o->shown = 0;
    for (int i = -1; i < o->layers; i++) {
        const vg_layer_info *info = vg_model_layer(model, i);
        char *name = o->layout[o->shown].name;
        size_t capacity = sizeof o->layout->name, used = open ? strlen(name) : 0;
        bool logits = i == vg_model_head(model) && i == o->layers - 1;
        const char *own = i < 0 ? "input" : logits ? "logits" : info->name;
        snprintf(name + used, capacity - used, "%s%s", open ? "+" : "",
                 open ? vg_layer_kind_name(info->kind) : own);
        open = i >= 0 && i + 1 < o->layers &&
               vg_model_activation(model, i) == vg_model_activation(model, i + 1);
        if (!open)
            o->layer[o->shown++] = i + 1;
    }
}

static bool row_is_finite(const float *row, int classes)
{
    for (int k = 0; k < classes; k++)
        if (!isfinite(row[k]))
            return false;
    return true;
}

/* Features of the samples whose place is a multiple of the stride; those of a row that is not
 * finite are 0, as in the layer sums. */
static void keep_features(vg_observer *o, const float *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t place = o->added + i;
        if (place % o->stride)
            continue;
        float *row = o->kept + place / o->stride * o->features;
        if (o->usable[place])
            memcpy(row, h + i * o->features, o->features * sizeof *row);
        else
            memset(row, 0, o->features * sizeof *row);
    }
}

void vg_observer_add(vg_observer *o, const vg_model *model, const int32_t *labels, int count)
{
    vg_observer_add_outputs(o, model, vg_model_activation(model, o->layers - 1), labels, count);
}

void vg_observer_add_outputs(vg_observer *o, const vg_model *model, const float *outputs,
                             const int32_t *labels, int count)
{
    if (count <= 0)
        return;
    size_t n = (size_t)count, classes = (size_t)o->classes;
    if (n > o->samples - o->added) {
        o->refused += n;
        return;
    }
    float *logits = o->logits + o->added * classes;
    bool *usable = o->usable + o->added;
    vg_outputs_to_logits(vg_model_layer(model, o->layers - 1)->kind, outputs, n, o->classes,
                         logits);
    memcpy(o->labels + o->added, labels, n * sizeof *labels);
    for (size_t i = 0; i < n; i++)
        usable[i] = row_is_finite(logits + i * classes, o->classes);
    if (o->shown == 0)
        find_layers(o, model);
    /* The input is what it is, whatever the network made of it. */
    for (int i = 0; i < o->shown; i++)
        vg_layer_sums_add(&o->sums[o->layer[i]], vg_model_activation(model, o->layer[i] - 1),
                          i ? usable : NULL, count);
    keep_features(o, vg_model_activation(model, o->feature_layer), n);
    o->added += n;
}

static void measure_change(vg_observer *o, vg_diversity *out)
{
    size_t outputs = o->added * (size_t)o->classes;
    out->first_look = o->first_count == 0;
    if (out->first_look) {
        memcpy(o->first, o->probabilities, outputs * sizeof *o->first);
        o->first_count = o->added;
        return;
    }
    size_t both = o->added < o->first_count ? o->added : o->first_count;
    double sum = 0;
    for (size_t i = 0; i < both * (size_t)o->classes; i++)
        sum += fabs((double)o->probabilities[i] - (double)o->first[i]);
    out->output_change = sum / 2 / (double)both;
}

static vg_status measure_layers(const vg_observer *o, vg_diversity *out, vg_error *err)
{
    int count = o->shown;
    out->layers = vg_alloc((size_t)count, sizeof *out->layers);
    if (!out->layers)
        return vg_fail(err, VG_E_NOMEM, "no memory for %d layers", count);
    memcpy(out->layers, o->layout, (size_t)count * sizeof *out->layers);
    out->layer_count = count;
    for (int i = 0; i < count; i++) {
        vg_layer_sums_finish(&o->sums[o->layer[i]], &out->layers[i].spread, &out->layers[i].level);
        if (out->collapsed_layer < 0 && out->layers[i].spread < FLAT)
            out->collapsed_layer = i;
    }
    if (o->classes == 2)
        return VG_OK; /* over K - 1 = 1 the rank would say nothing */
    size_t rows = (o->added + o->stride - 1) / o->stride;
    double rank;
    vg_status status = vg_effective_rank(o->kept, rows, o->features, &rank, err);
    if (status == VG_OK)
        out->effective_rank = rank / (o->classes - 1);
    return status;
}

vg_status vg_observer_measure(vg_observer *o, vg_diversity *out, vg_error *err)
{
    vg_diversity_reset(out);
    if (o->refused)
        return vg_fail(err, VG_E_STATE, "%zu samples were shown to an observer of %zu",
                       o->added + o->refused, o->samples);
    vg_status status =
        vg_outputs_measure(o->logits, o->labels, o->added, o->classes, o->probabilities, out, err);
    if (status)
        return status;
    measure_change(o, out);
    status = measure_layers(o, out, err);
    if (status)
        vg_diversity_reset(out);
    return status;
}

const float *vg_observer_probabilities(const vg_observer *o)
{
    return o->probabilities;
}

const float *vg_observer_first(const vg_observer *o, size_t *samples)
{
    *samples = o->first_count;
    return o->first;
}

vg_status vg_observer_set_first(vg_observer *o, const float *first, size_t samples, vg_error *err)
{
    if (samples > o->samples)
        return vg_fail(err, VG_E_SHAPE, "outputs of %zu samples for an observer of %zu", samples,
                       o->samples);
    if (samples)
        memcpy(o->first, first, samples * (size_t)o->classes * sizeof *first);
    o->first_count = samples;
    return VG_OK;
}
