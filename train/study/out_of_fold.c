/* The networks of all folds go through their epochs side by side, because the noise is estimated from what all of them say.
 * Nothing is looked up by time or thread: same seed, same bits.
 *
 * What is judged with are running means of the weights (EMA): at the few epochs that are spent here they are worth a
 * point of accuracy. */
#include "study/out_of_fold.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/threads.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "study/label_noise.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_BATCH = 128 };
static const double AVERAGED = 0.99; /* decay of the running mean of the weights */
static const double LEAST = 1e-4;    /* of any transition in the loss: no picture is impossible */

typedef struct fold {
    vg_model *model;
    vg_optimizer *optimizer;
    uint32_t *train, *held; /* pictures */
    size_t train_count, held_count;
    int batch;
    uint64_t step, steps, per_epoch;
} fold;

typedef struct study {
    const vg_album *album;
    const int32_t *labels;
    int classes;
    const vg_out_of_fold_options *options;
    float *logits;
    fold folds[VG_FOLDS_MOST];
    uint8_t *part;      /* [count] fold that holds a picture back */
    float *x, *dlogits; /* a batch */
    double *transition; /* [classes][classes]; NULL: plain loss */
    uint32_t *members;  /* of the batch under way */
    uint64_t done, all; /* steps of all folds */
} study;

static vg_status no_room(vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "label errors: out of memory");
}

static void study_reset(study *s)
{
    for (int f = 0; f < s->options->folds; f++) {
        vg_optimizer_free(s->folds[f].optimizer);
        vg_model_free(s->folds[f].model);
        free(s->folds[f].train);
        free(s->folds[f].held);
    }
    free(s->part);
    free(s->x);
    free(s->dlogits);
    free(s->transition);
    free(s->members);
}

/* ---- folds */

/* By the pictures' own bytes. A class whose pictures are so alike that a network would not see half of what it should is dealt
 * out in turn. */
static vg_status deal(study *s, vg_error *err)
{
    const vg_album *a = s->album;
    size_t folds = (size_t)s->options->folds, classes = (size_t)s->classes;
    size_t bytes = (size_t)a->channels * (size_t)a->height * (size_t)a->width;
    size_t *counts = vg_calloc(classes, (folds + 1) * sizeof *counts);
    if (!counts)
        return no_room(err);
    for (size_t i = 0; i < a->count; i++) {
        uint64_t hash = vg_hash(a->pixels + i * bytes, bytes, s->options->seed);
        size_t *row = counts + (size_t)s->labels[i] * (folds + 1);
        s->part[i] = (uint8_t)(hash % folds);
        row[s->part[i]]++;
        row[folds]++;
    }
    for (size_t k = 0; k < classes; k++) {
        size_t *row = counts + k * (folds + 1), most = 0, turn = 0;
        for (size_t f = 0; f < folds; f++)
            most = row[f] > most ? row[f] : most;
        /* what is left to train on against what even folds would leave */
        if (2 * (row[folds] - most) * folds >= row[folds] * (folds - 1))
            continue;
        for (size_t i = 0; i < a->count; i++) {
            if ((size_t)s->labels[i] == k)
                s->part[i] = (uint8_t)(turn++ % folds);
        }
    }
    free(counts);
    return VG_OK;
}

static vg_status fill_folds(study *s, vg_error *err)
{
    size_t total = s->album->count;
    for (int f = 0; f < s->options->folds; f++) {
        fold *o = &s->folds[f];
        for (size_t i = 0; i < total; i++)
            o->held_count += s->part[i] == f;
        o->train = vg_alloc(total - o->held_count, sizeof *o->train);
        o->held = vg_alloc(o->held_count, sizeof *o->held);
        if (!o->train || !o->held)
            return no_room(err);
        size_t held = 0;
        for (size_t i = 0; i < total; i++) {
            if (s->part[i] == f)
                o->held[held++] = (uint32_t)i;
            else
                o->train[o->train_count++] = (uint32_t)i;
        }
        if (o->train_count < 2)
            return vg_fail(err, VG_E_ARG, "label errors: %zu pictures are too few for %d folds",
                           total, s->options->folds);
        o->batch =
            o->train_count < (size_t)s->options->batch ? (int)o->train_count : s->options->batch;
        o->per_epoch = o->train_count / (size_t)o->batch;
        o->steps = o->per_epoch * (uint64_t)s->options->epochs;
        s->all += o->steps;
    }
    return VG_OK;
}

static vg_status make_networks(study *s, vg_error *err)
{
    vg_status status = VG_OK;
    for (int f = 0; f < s->options->folds && !status; f++) {
        fold *o = &s->folds[f];
        vg_model_options model = {.channels = s->album->channels,
                                  .height = s->album->height,
                                  .width = s->album->width,
                                  .classes = s->classes,
                                  .max_batch = LOOK_BATCH > o->batch ? LOOK_BATCH : o->batch,
                                  .init = VG_INIT_HE_NORMAL,
                                  .seed = vg_mix(s->options->seed, (uint64_t)f)};
        vg_optimizer_options sgd = vg_optimizer_options_default();
        sgd.kind = VG_OPTIMIZER_SGD;
        sgd.nesterov = true;
        sgd.clip_norm = vg_optimizer_default_clip(sgd.kind);
        sgd.ema = AVERAGED;
        status = vg_model_new(s->options->net, &model, &o->model, err);
        if (!status)
            status = vg_optimizer_new(o->model, &sgd, &o->optimizer, err);
    }
    return status;
}

static vg_status check(const vg_album *album, const int32_t *labels, int classes,
                       const vg_out_of_fold_options *o, vg_error *err)
{
    if (o->folds < 2 || o->folds > VG_FOLDS_MOST || o->epochs < 1 || o->batch < 1 ||
        !(o->rate > 0) || o->shift < 0)
        return vg_fail(err, VG_E_ARG,
                       "label errors: %d folds, %d epochs, batch %d, rate %g, shift %d: out of "
                       "range (2 to %d folds, the others above 0)",
                       o->folds, o->epochs, o->batch, o->rate, o->shift, VG_FOLDS_MOST);
    if (classes < 2 || album->count < (size_t)o->folds || album->count > UINT32_MAX)
        return vg_fail(err, VG_E_ARG, "label errors: %zu pictures of %d classes for %d folds",
                       album->count, classes, o->folds);
    for (size_t i = 0; i < album->count; i++) {
        if (labels[i] < 0 || labels[i] >= classes)
            return vg_fail(err, VG_E_ARG, "label errors: picture %zu has label %d of %d classes", i,
                           (int)labels[i], classes);
    }
    return VG_OK;
}

static vg_status study_init(study *s, vg_error *err)
{
    size_t picture =
        (size_t)s->album->channels * (size_t)s->album->height * (size_t)s->album->width;
    int batch = LOOK_BATCH > s->options->batch ? LOOK_BATCH : s->options->batch;
    s->part = vg_alloc(s->album->count, sizeof *s->part);
    s->x = vg_alloc_aligned((size_t)batch * picture, sizeof *s->x);
    s->dlogits = vg_alloc_aligned((size_t)batch * (size_t)s->classes, sizeof *s->dlogits);
    s->members = vg_alloc((size_t)batch, sizeof *s->members);
    if (!s->part || !s->x || !s->dlogits || !s->members)
        return no_room(err);
    vg_status status = deal(s, err);
    if (!status)
        status = fill_folds(s, err);
    return status ? status : make_networks(s, err);
}

/* ---- a step */

static void take_batch(study *s, int n, const vg_album_view *views)
{
    size_t picture =
        (size_t)s->album->channels * (size_t)s->album->height * (size_t)s->album->width;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++)
        vg_album_take(s->album, s->members[i], views ? &views[i] : NULL,
                      s->x + (size_t)i * picture);
}

/* How a picture is shown at this place of the training. */
static vg_album_view draw_view(const study *s, int f, uint64_t epoch, uint32_t picture)
{
    const vg_out_of_fold_options *o = s->options;
    vg_album_view view = {0};
    if (o->shift == 0 && !o->mirror)
        return view;
    vg_rng rng = vg_rng_make(vg_mix(o->seed, (uint64_t)f), (uint32_t)epoch, picture, VG_RNG_PLAN);
    uint64_t reach = 2 * (uint64_t)o->shift + 1;
    view.dx = (int)vg_rng_below(&rng, reach) - o->shift;
    view.dy = (int)vg_rng_below(&rng, reach) - o->shift;
    view.mirror = o->mirror && vg_rng_below(&rng, 2) == 1;
    return view;
}

/* Gradient of -log sum_j p_j T[j][label] by the logits: p minus P(true = j | picture, label); with T = NULL the
 * second is the label itself. False when an output is not finite. */
static bool put_gradient(const float *logits, int label, int classes, const double *transition,
                         double factor, float *d)
{
    double most = logits[0], sum = 0, fitting = 0;
    for (int j = 0; j < classes; j++) {
        if (!isfinite(logits[j]))
            return false;
        most = fmax(most, logits[j]);
    }
    for (int j = 0; j < classes; j++)
        sum += exp(logits[j] - most);
    for (int j = 0; j < classes && transition; j++)
        fitting += exp(logits[j] - most) *
                   fmax(transition[(size_t)j * (size_t)classes + (size_t)label], LEAST);
    for (int j = 0; j < classes; j++) {
        double p = exp(logits[j] - most), target = j == label;
        if (transition)
            target =
                p * fmax(transition[(size_t)j * (size_t)classes + (size_t)label], LEAST) / fitting;
        d[j] = (float)((p / sum - target) * factor);
    }
    return true;
}

static vg_status train_step(study *s, int f, uint64_t epoch, uint64_t place, vg_album_view *views,
                            vg_error *err)
{
    fold *o = &s->folds[f];
    uint64_t order = vg_mix(vg_mix(s->options->seed, VG_RNG_SHUFFLE), vg_mix((uint64_t)f, epoch));
    for (int i = 0; i < o->batch; i++) {
        uint64_t at = place * (uint64_t)o->batch + (uint64_t)i;
        s->members[i] = o->train[vg_permute(order, o->train_count, at)];
        views[i] = draw_view(s, f, epoch, s->members[i]);
    }
    take_batch(s, o->batch, views);
    const float *logits = vg_model_forward(o->model, s->x, o->batch, true, o->step);
    for (int i = 0; i < o->batch; i++) {
        size_t at = (size_t)i * (size_t)s->classes;
        if (!put_gradient(logits + at, s->labels[s->members[i]], s->classes, s->transition,
                          1.0 / o->batch, s->dlogits + at))
            return vg_fail(err, VG_E_NUMERIC,
                           "label errors: the training diverged in step %llu (rate %g)",
                           (unsigned long long)o->step, s->options->rate);
    }
    const vg_schedule schedule = {.kind = VG_SCHEDULE_TRIANGLE,
                                  .base = s->options->rate,
                                  .rise_share = 0.25,
                                  .start_factor = 0.1,
                                  .final_factor = 0.01};
    vg_model_backward(o->model, s->dlogits, NULL);
    vg_optimizer_step(o->optimizer, vg_schedule_at(&schedule, o->step, o->steps));
    o->step++;
    s->done++;
    if (s->options->progress &&
        s->options->progress(s->options->context, (double)s->done / (double)s->all))
        return vg_fail(err, VG_E_STOPPED, "stopped after %llu of %llu steps",
                       (unsigned long long)s->done, (unsigned long long)s->all);
    return VG_OK;
}

static vg_status train_epoch(study *s, int epoch, vg_error *err)
{
    vg_status status = VG_OK;
    vg_album_view *views = vg_alloc((size_t)s->options->batch, sizeof *views);
    if (!views)
        return no_room(err);
    for (int f = 0; f < s->options->folds && !status; f++) {
        for (uint64_t place = 0; place < s->folds[f].per_epoch && !status; place++)
            status = train_step(s, f, (uint64_t)epoch, place, views, err);
    }
    free(views);
    return status;
}

/* ---- what they say */

/* Adds what a network says of its own fold, each picture shown shifted by so many pixels, times `part`. */
static void add_opinions(study *s, fold *o, int shift, float part)
{
    size_t classes = (size_t)s->classes;
    vg_album_view views[LOOK_BATCH];
    for (int i = 0; i < LOOK_BATCH; i++)
        views[i] = (vg_album_view){.dx = shift, .dy = shift};
    for (size_t from = 0; from < o->held_count; from += LOOK_BATCH) {
        size_t left = o->held_count - from, n = left < LOOK_BATCH ? left : LOOK_BATCH;
        memcpy(s->members, o->held + from, n * sizeof *s->members);
        take_batch(s, (int)n, views);
        const float *logits = vg_model_forward(o->model, s->x, (int)n, false, 0);
        for (size_t i = 0; i < n; i++) {
            float *sum = s->logits + s->members[i] * classes;
            for (size_t k = 0; k < classes; k++)
                sum[k] += part * logits[i * classes + k];
        }
    }
}

/* What all networks say of their own folds: of the pictures as they are, or averaged with two that are shifted by a
 * pixel, which is worth half a point of precision. */
static void judge(study *s, bool shifted)
{
    memset(s->logits, 0, s->album->count * (size_t)s->classes * sizeof *s->logits);
    for (int f = 0; f < s->options->folds; f++) {
        fold *o = &s->folds[f];
        vg_optimizer_average(o->optimizer, true);
        add_opinions(s, o, 0, shifted ? 1.0F / 3 : 1);
        for (int shift = -1; shifted && shift <= 1; shift += 2)
            add_opinions(s, o, shift, 1.0F / 3);
        vg_optimizer_average(o->optimizer, false);
    }
}

static vg_status learn_noise(study *s, vg_error *err)
{
    size_t classes = (size_t)s->classes;
    const vg_opinions opinions = {s->logits, s->labels, s->album->count, s->classes};
    if (!s->transition && !(s->transition = vg_calloc(classes * classes, sizeof *s->transition)))
        return no_room(err);
    judge(s, false);
    return vg_label_noise_count(&opinions, s->transition, err);
}

vg_status vg_out_of_fold(const vg_album *album, const int32_t *labels, int classes,
                         const vg_out_of_fold_options *options,
                         float *logits, /* NOLINT(readability-non-const-parameter) */
                         vg_error *err)
{
    study s = {
        .album = album, .labels = labels, .classes = classes, .options = options, .logits = logits};
    vg_status status = check(album, labels, classes, options, err);
    if (status)
        return status;
    omp_set_num_threads(options->threads > 0 ? options->threads : vg_threads_available());
    status = study_init(&s, err);
    int third = (options->epochs + 2) / 3;
    for (int epoch = 0; epoch < options->epochs && !status; epoch++) {
        if (epoch > 0 && epoch % third == 0 && !options->uncorrected)
            status = learn_noise(&s, err);
        if (!status)
            status = train_epoch(&s, epoch, err);
    }
    if (!status)
        judge(&s, true);
    study_reset(&s);
    return status;
}
