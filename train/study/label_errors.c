/* From a dataset to a list of doubtful labels: who is judged, at what size and by which network, and the list. The work is
 * done in album.c, out_of_fold.c and label_noise.c. */
#include "study/label_errors.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "run_internal.h"
#include "study/out_of_fold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 48,   /* side, unless asked for */
    SMALL = 32,     /* grey pictures up to this side: lenet */
    SHOWN = 360000, /* pictures in all trainings, if that are not too few or too many epochs */
    MANY = 20000,   /* pictures from which on two folds leave enough to train on */
    LEAST_EPOCHS = 6,
    MOST_EPOCHS = 40
};
static const double READING = 0.05; /* share of the time, for the progress */

vg_label_error_options vg_label_error_options_default(void)
{
    return (vg_label_error_options){.seed = 1, .least = 20, .most = 200000};
}

void vg_label_errors_reset(vg_label_errors *errors)
{
    free(errors->labels);
    free(errors->left_out);
    free(errors->classes);
    vg_label_noise_reset(&errors->noise);
    *errors = (vg_label_errors){0};
}

typedef struct search {
    const vg_dataset *dataset;
    const vg_label_error_options *options;
    vg_label_errors *result;
    int *number;     /* [dataset classes] of a judged class, -1 */
    size_t *indices; /* [count] who is judged */
    size_t count;
    vg_album album;
    int32_t *labels; /* [album.count] */
    float *logits;
} search;

static void search_reset(search *s)
{
    free(s->number);
    free(s->indices);
    free(s->labels);
    free(s->logits);
    vg_album_reset(&s->album);
}

static vg_status no_room(vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "label errors: out of memory");
}

/* Which classes have enough images. */
static vg_status choose_classes(search *s, vg_error *err)
{
    const vg_dataset *d = s->dataset;
    vg_label_errors *r = s->result;
    int classes = vg_dataset_classes(d), judged = 0;
    size_t most = 0, *counts = vg_calloc((size_t)classes, sizeof *counts);
    s->number = vg_alloc((size_t)classes, sizeof *s->number);
    r->classes = vg_alloc((size_t)classes, sizeof *r->classes);
    r->left_out = vg_alloc((size_t)classes, sizeof *r->left_out);
    if (!counts || !s->number || !r->classes || !r->left_out) {
        free(counts);
        return no_room(err);
    }
    for (size_t i = 0; i < vg_dataset_count(d); i++)
        counts[vg_dataset_label(d, i)]++;
    for (int k = 0; k < classes; k++) {
        bool enough = counts[k] >= s->options->least && counts[k] > 0;
        s->number[k] = enough ? judged : -1;
        most = counts[k] > most ? counts[k] : most;
        if (enough)
            r->classes[judged++] = k;
        else
            r->left_out[r->left_out_count++] = k;
    }
    free(counts);
    if (judged < 2)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: %d of %d classes have the %zu images without which labels cannot be "
                       "judged (the largest has %zu), at least 2 must",
                       vg_dataset_path(d), judged, classes, s->options->least, most);
    r->noise.classes = judged;
    return VG_OK;
}

/* All images of these classes, or a part of them that names decide. */
static vg_status choose_images(search *s, vg_error *err)
{
    const vg_dataset *d = s->dataset;
    size_t total = vg_dataset_count(d), candidates = 0;
    for (size_t i = 0; i < total; i++)
        candidates += s->number[vg_dataset_label(d, i)] >= 0;
    double share = s->options->most > 0 ? (double)s->options->most / (double)candidates : 1;
    s->indices = vg_alloc(candidates, sizeof *s->indices);
    if (!s->indices)
        return no_room(err);
    for (size_t i = 0; i < total; i++) {
        char name[512];
        if (s->number[vg_dataset_label(d, i)] < 0)
            continue;
        if (share < 1) {
            size_t length = vg_dataset_name(d, i, name, sizeof name);
            length = length < sizeof name ? length : sizeof name - 1;
            uint64_t hash = vg_hash(name, length, vg_mix(s->options->seed, VG_RNG_SELECT));
            if ((double)hash / 0x1p64 >= share)
                continue;
        }
        s->indices[s->count++] = i;
    }
    s->result->not_asked = candidates - s->count;
    return VG_OK;
}

static bool reading(void *context, size_t done, size_t count)
{
    const search *s = context;
    const vg_label_error_options *o = s->options;
    return o->progress &&
           o->progress(o->context, "reading", READING * (double)done / (double)count);
}

static bool training(void *context, double share)
{
    const search *s = context;
    const vg_label_error_options *o = s->options;
    return o->progress && o->progress(o->context, "training", READING + (1 - READING) * share);
}

static vg_status read_images(search *s, vg_error *err)
{
    vg_run_options look = vg_run_options_default();
    look.normalization = VG_NORMALIZE_UNIT;
    look.threads = s->options->threads;
    vg_status status = vg_run_prepare(s->dataset, &look, err);
    int width = look.width, height = look.height, most = s->options->side;
    vg_run_options_reset(&look);
    if (status)
        return status;
    int longest = width > height ? width : height;
    most = most > 0 ? most : LONGEST;
    if (longest > most) {
        width = (int)lround((double)width * most / longest);
        height = (int)lround((double)height * most / longest);
    }
    s->album.channels = look.channels;
    s->album.width = width < 8 ? 8 : width;
    s->album.height = height < 8 ? 8 : height;
    status = vg_album_load(s->dataset, s->indices, s->count, s->options->threads, reading, s,
                           &s->album, err);
    if (!status && s->album.count < 2)
        return vg_fail(err, VG_E_FORMAT, "%s: none of the %zu images can be read",
                       vg_dataset_path(s->dataset), s->count);
    return status;
}

static vg_status judge(search *s, vg_error *err)
{
    vg_label_errors *r = s->result;
    const vg_label_error_options *o = s->options;
    size_t n = s->album.count, classes = (size_t)r->noise.classes, values;
    int longest = s->album.width > s->album.height ? s->album.width : s->album.height;
    const char *net = o->net                                       ? o->net
                      : s->album.channels == 1 && longest <= SMALL ? "lenet"
                                                                   : "small-cnn";
    r->folds = o->folds > 0 ? o->folds : n >= MANY ? 2 : 4;
    double epochs = (double)SHOWN / ((double)n * (r->folds - 1));
    r->epochs =
        o->epochs > 0 ? o->epochs : (int)lround(fmin(fmax(epochs, LEAST_EPOCHS), MOST_EPOCHS));
    s->labels = vg_alloc(n, sizeof *s->labels);
    s->logits = vg_mul_size(n, classes, &values) ? vg_alloc(values, sizeof *s->logits) : NULL;
    if (!s->labels || !s->logits)
        return no_room(err);
    for (size_t i = 0; i < n; i++)
        s->labels[i] = s->number[vg_dataset_label(s->dataset, s->album.index[i])];
    vg_net_spec spec;
    vg_status status = vg_net_spec_preset(net, &spec, err);
    if (status)
        return status;
    snprintf(r->net, sizeof r->net, "%s", net);
    const vg_out_of_fold_options how = {.seed = o->seed,
                                        .net = &spec,
                                        .folds = r->folds,
                                        .epochs = r->epochs,
                                        .batch = n >= MANY ? 128 : 32,
                                        .rate = 0.05,
                                        .shift = r->epochs > LEAST_EPOCHS ? longest / 12 : 0,
                                        .mirror = o->mirror,
                                        .threads = o->threads,
                                        .progress = training,
                                        .context = s};
    status = vg_out_of_fold(&s->album, s->labels, (int)classes, &how, s->logits, err);
    vg_net_spec_reset(&spec);
    return status;
}

static int most_doubtful_first(const void *a, const void *b)
{
    const vg_judged_label *x = a, *y = b;
    if (x->doubt > y->doubt || x->doubt < y->doubt)
        return x->doubt > y->doubt ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static vg_status rank(search *s, vg_error *err)
{
    vg_label_errors *r = s->result;
    size_t n = s->album.count, classes = (size_t)r->noise.classes, agree = 0;
    const vg_opinions opinions = {s->logits, s->labels, n, (int)classes};
    vg_status status = vg_label_noise_estimate(&opinions, &r->noise, err);
    if (status)
        return status;
    float *doubt = vg_alloc(n, sizeof *doubt);
    int32_t *suggested = vg_alloc(n, sizeof *suggested);
    r->labels = vg_alloc(n, sizeof *r->labels);
    status = doubt && suggested && r->labels
                 ? vg_label_noise_doubts(&r->noise, &opinions, doubt, suggested, err)
                 : no_room(err);
    for (size_t i = 0; i < n && !status; i++) {
        const float *z = s->logits + i * classes;
        size_t best = 0;
        for (size_t j = 1; j < classes; j++)
            best = z[j] > z[best] ? j : best;
        agree += best == (size_t)s->labels[i];
        r->labels[i] = (vg_judged_label){s->album.index[i], r->classes[s->labels[i]],
                                         r->classes[suggested[i]], doubt[i]};
    }
    free(doubt);
    free(suggested);
    if (status)
        return status;
    qsort(r->labels, n, sizeof *r->labels, most_doubtful_first);
    r->judged = n;
    while (r->suspicious < n && r->labels[r->suspicious].doubt >= 0.5F)
        r->suspicious++;
    r->agreement = (double)agree / (double)n;
    for (size_t p = 0; p < r->noise.pair_count; p++) {
        r->noise.pairs[p].truth = r->classes[r->noise.pairs[p].truth];
        r->noise.pairs[p].given = r->classes[r->noise.pairs[p].given];
    }
    return VG_OK;
}

vg_status vg_label_errors_find(const vg_dataset *dataset, const vg_label_error_options *options,
                               vg_label_errors *errors, vg_error *err)
{
    search s = {.dataset = dataset, .options = options, .result = errors};
    double started = vg_clock();
    *errors = (vg_label_errors){0};
    vg_status status = choose_classes(&s, err);
    if (!status)
        status = choose_images(&s, err);
    if (!status)
        status = read_images(&s, err);
    if (!status)
        status = judge(&s, err);
    if (!status)
        status = rank(&s, err);
    errors->channels = s.album.channels;
    errors->height = s.album.height;
    errors->width = s.album.width;
    errors->unreadable = s.album.unreadable;
    errors->seconds = vg_clock() - started;
    search_reset(&s);
    if (status)
        vg_label_errors_reset(errors);
    return status;
}
