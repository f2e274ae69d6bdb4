/* The estimate of label noise out of the rows that noise_row.c fits: the transition matrix, how many labels are wrong with an
 * interval, which pairs of classes stand out, and the doubt about each label.
 *
 * Three estimates of one number are made: the fitted transitions times the classes' shares, the mean of the doubts, and
 * plain counting among the pictures of which the network is surest. The interval spans all three. What it cannot
 * contain is noise that follows the picture; the header says so. */
#include "study/label_noise.h"

#include "base/alloc.h"
#include "study/noise_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of a class's pictures that count as its surest: for a bound, and for a first guess that has LEANS more of an
 * average class. */
static const double SURE = 0.1, ANCHORS = 0.2, LEANS = 10;
static const double SPREAD = 0.05; /* of a row's wrong labels may fall on any class */
static const double LEAST = 1e-5;  /* of any transition */
/* Of the errors of the network so many may pass for wrong labels, and as many hide. */
static const double MISTAKEN = 0.05, MISSED = 0.02;

void vg_label_noise_reset(vg_label_noise *noise)
{
    free(noise->transition);
    free(noise->pairs);
    *noise = (vg_label_noise){0};
}

const char *vg_noise_kind_name(vg_noise_kind kind)
{
    static const char *const names[] = {"none", "scattered", "pairs", "mixed"};
    return names[kind];
}

void vg_label_noise_posterior(const vg_label_noise *noise, const float *logits, int label,
                              double *chances)
{
    size_t classes = (size_t)noise->classes;
    double most = logits[0], sum = 0;
    for (size_t j = 1; j < classes; j++)
        most = fmax(most, logits[j]);
    for (size_t j = 0; j < classes; j++) {
        const double *row = noise->transition + j * classes;
        double other = (1 - row[j]) / (double)(classes - 1);
        double t = j == (size_t)label ? row[j] : (1 - SPREAD) * row[label] + SPREAD * other;
        chances[j] = exp(logits[j] - most) * fmax(t, LEAST);
        sum += chances[j];
    }
    for (size_t j = 0; j < classes; j++)
        chances[j] = sum > 0 ? chances[j] / sum : (j == (size_t)label);
}

vg_status vg_label_noise_doubts(const vg_label_noise *noise, const vg_opinions *opinions,
                                float *doubt, int32_t *suggested, vg_error *err)
{
    size_t classes = (size_t)opinions->classes;
    if (noise->classes != opinions->classes)
        return vg_fail(err, VG_E_ARG, "label noise of %d classes, found outputs of %d",
                       noise->classes, opinions->classes);
    double *chances = vg_alloc(classes, sizeof *chances);
    if (!chances)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t n = 0; n < opinions->count; n++) {
        int given = opinions->labels[n], best = given == 0;
        vg_label_noise_posterior(noise, opinions->logits + n * classes, given, chances);
        for (int j = 0; j < opinions->classes; j++) {
            if (j != given && chances[j] > chances[best])
                best = j;
        }
        doubt[n] = (float)(1 - chances[given]);
        if (suggested)
            suggested[n] = best;
    }
    free(chances);
    return VG_OK;
}

/* ---- what the estimate is made of */

typedef struct work {
    const vg_opinions *opinions;
    vg_seen *seen;  /* [count], by class and then the surest first */
    size_t *begins; /* [classes + 1] places in seen */
    double *counts; /* [classes][classes] of class j labelled i, expected */
    /* Of the pictures taken for a class, [classes]: the share on which the network errs, and how many tell
     * about wrong labels. */
    double *natural, *worth;
    double *chances;     /* [classes] */
    double below, above; /* how far the interval reaches when margins alone are looked at */
} work;

static void work_reset(work *w)
{
    free(w->seen);
    free(w->begins);
    free(w->counts);
    free(w->natural);
    free(w->worth);
    free(w->chances);
}

static vg_status work_init(work *w, const vg_opinions *o, vg_error *err)
{
    size_t classes = (size_t)o->classes, cells;
    *w = (work){.opinions = o};
    if (o->classes < 2 || o->count == 0)
        return vg_fail(err, VG_E_ARG,
                       "label noise: found %d classes and %zu pictures, expected at least 2 and 1",
                       o->classes, o->count);
    for (size_t n = 0; n < o->count; n++) {
        if (o->labels[n] < 0 || o->labels[n] >= o->classes)
            return vg_fail(err, VG_E_ARG, "label noise: picture %zu has label %d of %d classes", n,
                           (int)o->labels[n], o->classes);
        for (size_t j = 0; j < classes; j++) {
            if (!isfinite(o->logits[n * classes + j]))
                return vg_fail(err, VG_E_NUMERIC,
                               "label noise: an output for picture %zu is not finite", n);
        }
    }
    if (!vg_mul_size(classes, classes, &cells))
        return vg_fail(err, VG_E_NOMEM, "label noise: %zu classes are too many", classes);
    w->seen = vg_alloc(o->count, sizeof *w->seen);
    w->begins = vg_calloc(classes + 1, sizeof *w->begins);
    w->counts = vg_calloc(cells, sizeof *w->counts);
    w->natural = vg_calloc(classes, sizeof *w->natural);
    w->worth = vg_calloc(classes, sizeof *w->worth);
    w->chances = vg_alloc(classes, sizeof *w->chances);
    if (!w->seen || !w->begins || !w->counts || !w->natural || !w->worth || !w->chances)
        return vg_fail(err, VG_E_NOMEM, "label noise: out of memory for %zu pictures", o->count);
    return VG_OK;
}

static int surest_first(const void *a, const void *b)
{
    const vg_seen *x = a, *y = b;
    if (x->taken_for != y->taken_for)
        return (x->taken_for > y->taken_for) - (x->taken_for < y->taken_for);
    if (x->margin > y->margin || x->margin < y->margin)
        return x->margin > y->margin ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static void look(work *w)
{
    const vg_opinions *o = w->opinions;
    size_t classes = (size_t)o->classes;
    for (size_t n = 0; n < o->count; n++) {
        const float *z = o->logits + n * classes;
        size_t best = 0;
        for (size_t j = 1; j < classes; j++)
            best = z[j] > z[best] ? j : best;
        float second = -INFINITY;
        for (size_t j = 0; j < classes; j++)
            second = j != best && z[j] > second ? z[j] : second;
        w->seen[n] = (vg_seen){z[best] - second, (int32_t)best, o->labels[n]};
        w->begins[best + 1]++;
    }
    for (size_t j = 0; j < classes; j++)
        w->begins[j + 1] += w->begins[j];
    qsort(w->seen, o->count, sizeof *w->seen, surest_first);
}

/* The transitions of all classes. */
static vg_status fit_rows(work *w, vg_label_noise *noise, vg_error *err)
{
    const vg_opinions *o = w->opinions;
    size_t classes = (size_t)o->classes;
    vg_noise_prior prior;
    vg_status status = vg_noise_row_pool(w->seen, o->count, &prior, err);
    w->below = prior.wrong - prior.low;
    w->above = prior.high - prior.wrong;
    for (size_t j = 0; j < classes && !status; j++) {
        double *row = noise->transition + j * classes, wrong = 0;
        vg_noise_row fit = {.transition = row};
        status = vg_noise_row_fit(w->seen + w->begins[j], w->begins[j + 1] - w->begins[j], (int)j,
                                  o->classes, &prior, &fit, err);
        for (size_t i = 0; i < classes; i++)
            wrong += i != j ? row[i] : 0;
        row[j] = 1 - wrong;
        w->natural[j] = fit.natural;
        w->worth[j] = fit.worth;
    }
    return status;
}

static double share_taken_for(const work *w, size_t j)
{
    return (double)(w->begins[j + 1] - w->begins[j]) / (double)w->opinions->count;
}

/* Of the surest pictures of each class, those that are labelled otherwise. Never below the truth but by chance: errors of
 * the network add to it. */
static double counted(const work *w, double share)
{
    double sum = 0;
    for (size_t j = 0; j < (size_t)w->opinions->classes; j++) {
        size_t n = w->begins[j + 1] - w->begins[j], sure = (size_t)ceil(share * (double)n), off = 0;
        for (size_t s = 0; s < sure; s++)
            off += w->seen[w->begins[j] + s].label != (int32_t)j;
        if (sure > 0)
            sum += share_taken_for(w, j) * (double)off / (double)sure;
    }
    return sum;
}

/* Expected counts of each transition; returns the share of labels in doubt. */
static double weigh(work *w, const vg_label_noise *noise)
{
    const vg_opinions *o = w->opinions;
    size_t classes = (size_t)o->classes;
    double doubts = 0;
    for (size_t n = 0; n < o->count; n++) {
        size_t given = (size_t)o->labels[n];
        vg_label_noise_posterior(noise, o->logits + n * classes, o->labels[n], w->chances);
        for (size_t j = 0; j < classes; j++)
            w->counts[j * classes + given] += w->chances[j];
        doubts += 1 - w->chances[given];
    }
    return doubts / (double)o->count;
}

static void bound(const work *w, vg_label_noise *noise, double doubted)
{
    size_t classes = (size_t)noise->classes;
    double fitted = 0, variance = 0, all = (double)w->opinions->count;
    for (size_t j = 0; j < classes; j++) {
        double wrong = 1 - noise->transition[j * classes + j], share = share_taken_for(w, j);
        double worth = w->worth[j];
        fitted += share * wrong;
        noise->network += share * w->natural[j];
        /* one more and one less, so that none of ten is not taken for certainly none */
        double p = (wrong * worth + 1) / (worth + 2);
        if (share > 0)
            variance += share * share * p * (1 - p) / fmax(worth, 1);
    }
    double sampling = 2 * sqrt(variance), plain = counted(w, SURE);
    double least = fmin(fitted, fmin(plain, doubted)), most = fmax(fitted, fmax(plain, doubted));
    noise->wrong = all * doubted;
    noise->low = all * fmax(least - fmax(sampling, w->below) - MISTAKEN * noise->network, 0);
    noise->high = all * fmin(most + fmax(sampling, w->above) + MISSED * noise->network, 1);
    if (noise->low < 1)
        noise->low = 0;
}

/* ---- pairs of classes */

static int most_first(const void *a, const void *b)
{
    const vg_noise_pair *x = a, *y = b;
    if (x->images > y->images || x->images < y->images)
        return x->images > y->images ? -1 : 1;
    return x->truth != y->truth ? (x->truth > y->truth) - (x->truth < y->truth)
                                : (x->given > y->given) - (x->given < y->given);
}

/* Whether class j is called i clearly more often than any other, and than errors of the network can feign. */
static bool stands_out(const work *w, const vg_label_noise *noise, size_t j, size_t i,
                       vg_noise_pair *pair)
{
    size_t classes = (size_t)noise->classes;
    const double *row = noise->transition + j * classes;
    double worth = w->worth[j];
    double rest = (1 - row[j] - row[i]) / fmax((double)classes - 2, 1);
    double deviation = sqrt(fmax(row[i], 1 / fmax(worth, 1)) / fmax(worth, 1));
    double of_class = 0;
    for (size_t k = 0; k < classes; k++)
        of_class += w->counts[j * classes + k];
    *pair = (vg_noise_pair){(int)j, (int)i, w->counts[j * classes + i], row[i],
                            row[i] - fmax(2 * deviation, w->below) - MISTAKEN * w->natural[j]};
    pair->share = of_class > 0 ? pair->images / of_class : row[i];
    return pair->low > 0 && row[i] > 3 * rest && row[i] - 4 * deviation > rest;
}

static vg_status find_pairs(const work *w, vg_label_noise *noise, vg_error *err)
{
    size_t classes = (size_t)noise->classes, room = 0;
    double in_pairs = 0;
    noise->kind = noise->low > 0 ? VG_NOISE_SCATTERED : VG_NOISE_NONE;
    if (noise->kind == VG_NOISE_NONE || classes < 3) /* of two classes each has one other */
        return VG_OK;
    for (size_t j = 0; j < classes; j++) {
        for (size_t i = 0; i < classes; i++) {
            vg_noise_pair pair;
            if (i == j || !stands_out(w, noise, j, i, &pair))
                continue;
            if (!vg_grow(&noise->pairs, &room, noise->pair_count + 1, sizeof pair))
                return vg_fail(err, VG_E_NOMEM, "label noise: out of memory for pairs of classes");
            noise->pairs[noise->pair_count++] = pair;
            in_pairs += pair.images;
        }
    }
    if (noise->pair_count > 0) {
        qsort(noise->pairs, noise->pair_count, sizeof *noise->pairs, most_first);
        noise->kind = in_pairs >= 0.5 * noise->wrong ? VG_NOISE_PAIRS : VG_NOISE_MIXED;
    }
    return VG_OK;
}

vg_status vg_label_noise_count(const vg_opinions *opinions, double *transition, vg_error *err)
{
    work w;
    size_t classes = (size_t)opinions->classes;
    vg_status status = work_init(&w, opinions, err);
    if (!status) {
        look(&w);
        double wrong = counted(&w, ANCHORS);
        for (size_t j = 0; j < classes; j++) {
            double *row = transition + j * classes;
            const vg_seen *seen = w.seen + w.begins[j];
            size_t sure = (size_t)ceil(ANCHORS * (double)(w.begins[j + 1] - w.begins[j]));
            for (size_t i = 0; i < classes; i++)
                row[i] = LEANS * (i == j ? 1 - wrong : wrong / (double)(classes - 1));
            for (size_t s = 0; s < sure; s++)
                row[seen[s].label]++;
            for (size_t i = 0; i < classes; i++)
                row[i] /= (double)sure + LEANS;
        }
    }
    work_reset(&w);
    return status;
}

vg_status vg_label_noise_estimate(const vg_opinions *opinions, vg_label_noise *noise, vg_error *err)
{
    work w;
    *noise = (vg_label_noise){.classes = opinions->classes};
    vg_status status = work_init(&w, opinions, err);
    if (!status) {
        noise->transition =
            vg_calloc((size_t)opinions->classes * (size_t)opinions->classes, sizeof(double));
        if (!noise->transition)
            status = vg_fail(err, VG_E_NOMEM, "label noise: out of memory");
    }
    if (!status) {
        look(&w);
        status = fit_rows(&w, noise, err);
    }
    if (!status) {
        bound(&w, noise, weigh(&w, noise));
        status = find_pairs(&w, noise, err);
    }
    work_reset(&w);
    if (status)
        vg_label_noise_reset(noise);
    return status;
}
