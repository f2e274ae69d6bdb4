/* The measures that need nothing but the outputs of a network and the labels.
 *
 * Everything is computed in double from the recorded float logits, in the order of the samples, so
 * that a look can be repeated to the last bit. Nothing here decides: thresholds for a verdict live
 * in verdict.c, the one for a missing class belongs to its definition. */
#include "observe/measure.h"

#include "balance.h"
#include "base/alloc.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void vg_diversity_reset(vg_diversity *diversity)
{
    free(diversity->predicted_share);
    free(diversity->label_share);
    free(diversity->recall);
    free(diversity->confusion);
    free(diversity->missing);
    free(diversity->layers);
    memset(diversity, 0, sizeof *diversity);
}

double vg_entropy(const double *p, int k)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        if (p[i] > 0)
            sum -= p[i] * log(p[i]);
    return sum;
}

/* What is computed once per sample. */
typedef struct outputs {
    double *p;       /* [n][classes] */
    double *entropy; /* [n] */
    int32_t *arg_max;
} outputs;

static void outputs_reset(outputs *o)
{
    free(o->p);
    free(o->entropy);
    free(o->arg_max);
}

/* Softmax of one row into p. False, and a uniform row, when it is not finite. */
static bool softmax(const float *z, int classes, double *p, double *log_sum)
{
    double most = -INFINITY, sum = 0;
    bool finite = true;
    for (int k = 0; k < classes; k++) {
        finite = finite && isfinite(z[k]);
        most = fmax(most, (double)z[k]);
    }
    for (int k = 0; k < classes; k++) {
        p[k] = finite ? exp((double)z[k] - most) : 1;
        sum += p[k];
    }
    for (int k = 0; k < classes; k++)
        p[k] /= sum;
    *log_sum = finite ? most + log(sum) : log((double)classes);
    return finite;
}

/* Probabilities, arg max (the first of equals), row entropies; mean loss and share of bad rows. */
static void read_rows(const float *logits, const int32_t *labels, size_t n, int classes, outputs *o,
                      vg_diversity *out)
{
    double loss = 0;
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * (size_t)classes;
        double *p = o->p + i * (size_t)classes, log_sum;
        bool finite = softmax(z, classes, p, &log_sum);
        bad += !finite;
        loss += log_sum - (finite ? (double)z[labels[i]] : 0);
        int best = 0;
        for (int k = 1; k < classes; k++)
            if (p[k] > p[best])
                best = k;
        o->arg_max[i] = best;
        o->entropy[i] = vg_entropy(p, classes);
    }
    out->loss = loss / (double)n;
    out->nonfinite_share = (double)bad / (double)n;
}

static void count_classes(const int32_t *arg_max, const int32_t *labels, size_t n,
                          vg_diversity *out)
{
    size_t k = (size_t)out->classes, right = 0;
    for (size_t i = 0; i < n; i++) {
        out->confusion[(size_t)labels[i] * k + (size_t)arg_max[i]]++;
        right += labels[i] == arg_max[i];
    }
    out->accuracy = (double)right / (double)n;
    for (size_t c = 0; c < k; c++) {
        size_t named = 0, meant = 0;
        for (size_t j = 0; j < k; j++) {
            named += out->confusion[j * k + c];
            meant += out->confusion[c * k + j];
        }
        out->predicted_share[c] = (double)named / (double)n;
        out->label_share[c] = (double)meant / (double)n;
        out->recall[c] = meant ? (double)out->confusion[c * k + c] / (double)meant : NAN;
        if (out->predicted_share[c] > out->top_share) {
            out->top_share = out->predicted_share[c];
            out->top_class = (int)c;
        }
        out->top_label_share = fmax(out->top_label_share, out->label_share[c]);
        double low, high, wanted = VG_MISSING_SHARE * (double)meant;
        vg_wilson((double)named, (double)n, &low, &high);
        out->missing[c] = high < wanted / (double)n;
        out->missing_count += out->missing[c];
        out->missing_plain += (double)named < wanted;
    }
}

/* Mean recall of the classes in the probe. Its interval is put together from the Wilson intervals of
 * the recalls (method of variance estimates recovery: Zou and Donner, Statistics in Medicine 27,
 * 2008, 1693): unlike a normal interval or a bootstrap it does not shrink to nothing when a class
 * is always or never recognized. */
static void balanced_accuracy(vg_diversity *out)
{
    double sum = 0, below = 0, above = 0;
    int present = 0;
    for (int c = 0; c < out->classes; c++) {
        double meant = out->label_share[c] * (double)out->samples, low, high,
               recall = out->recall[c];
        if (meant < 0.5)
            continue;
        vg_wilson(recall * meant, meant, &low, &high);
        sum += recall;
        below += (recall - low) * (recall - low);
        above += (high - recall) * (high - recall);
        present++;
    }
    out->balanced_accuracy = sum / present;
    out->balanced_low = fmax(0, (sum - sqrt(below)) / present);
    out->balanced_high = fmin(1, (sum + sqrt(above)) / present);
}

static double input_information(const outputs *o, size_t n, int classes, double *mean)
{
    double entropy = 0;
    for (int k = 0; k < classes; k++)
        mean[k] = 0;
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < classes; k++)
            mean[k] += o->p[i * (size_t)classes + (size_t)k];
        entropy += o->entropy[i];
    }
    for (int k = 0; k < classes; k++)
        mean[k] /= (double)n;
    /* Below 0 is rounding: the entropy is concave. */
    return fmax(0, vg_entropy(mean, classes) - entropy / (double)n);
}

/* The measures over H(y). With a single class in the probe H(y) is 0 and none of them exists. */
static vg_status information(const outputs *o, const int32_t *labels, size_t n, vg_diversity *out,
                             vg_error *err)
{
    int classes = out->classes;
    double h = vg_entropy(out->label_share, classes), low, high, info, *mean;
    out->effective_classes = exp(vg_entropy(out->predicted_share, classes) - h);
    if (h <= 0) {
        out->input_information = out->input_information_low = out->input_information_high = NAN;
        out->label_information = out->label_information_p = NAN;
        return VG_OK;
    }
    mean = vg_alloc((size_t)classes, sizeof *mean);
    if (!mean)
        return vg_fail(err, VG_E_NOMEM, "no memory for %d classes", classes);
    out->input_information = input_information(o, n, classes, mean) / h;
    free(mean);
    vg_status status = vg_bootstrap_information(o->p, o->entropy, n, classes, &low, &high, err);
    if (status)
        return status;
    out->input_information_low = low / h;
    out->input_information_high = high / h;
    status =
        vg_label_information(o->arg_max, labels, n, classes, &info, &out->label_information_p, err);
    if (status)
        return status;
    out->label_information = info / h;
    return VG_OK;
}

static vg_status prepare(const int32_t *labels, size_t n, int classes, outputs *o,
                         vg_diversity *out, vg_error *err)
{
    if (n == 0 || n > INT32_MAX)
        return vg_fail(err, VG_E_ARG, "cannot measure the outputs for %zu samples", n);
    if (classes < 2)
        return vg_fail(err, VG_E_ARG, "outputs of %d classes have no diversity: 2 are needed",
                       classes);
    for (size_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return vg_fail(err, VG_E_ARG, "sample %zu has label %d, classes are 0..%d", i,
                           (int)labels[i], classes - 1);
    size_t k = (size_t)classes, all;
    out->classes = classes;
    out->samples = n;
    out->collapsed_layer = -1;
    out->effective_rank = NAN;
    out->first_look = true;
    out->predicted_share = vg_calloc(k, sizeof(double));
    out->label_share = vg_calloc(k, sizeof(double));
    out->recall = vg_calloc(k, sizeof(double));
    out->confusion = vg_calloc(k, k * sizeof(size_t));
    out->missing = vg_calloc(k, sizeof(bool));
    o->p = vg_mul_size(n, k, &all) ? vg_alloc(all, sizeof(double)) : NULL;
    o->entropy = vg_alloc(n, sizeof(double));
    o->arg_max = vg_alloc(n, sizeof(int32_t));
    if (!out->predicted_share || !out->label_share || !out->recall || !out->confusion ||
        !out->missing || !o->p || !o->entropy || !o->arg_max)
        return vg_fail(err, VG_E_NOMEM, "no memory to measure %zu samples of %d classes", n,
                       classes);
    return VG_OK;
}

vg_status vg_outputs_measure(const float *logits, const int32_t *labels, size_t n, int classes,
                             float *probabilities, vg_diversity *out, vg_error *err)
{
    outputs o = {0};
    vg_diversity_reset(out);
    vg_status status = prepare(labels, n, classes, &o, out, err);
    if (status == VG_OK) {
        read_rows(logits, labels, n, classes, &o, out);
        count_classes(o.arg_max, labels, n, out);
        balanced_accuracy(out);
        status = information(&o, labels, n, out, err);
    }
    if (status == VG_OK && probabilities)
        for (size_t i = 0; i < n * (size_t)classes; i++)
            probabilities[i] = (float)o.p[i];
    outputs_reset(&o);
    if (status)
        vg_diversity_reset(out);
    return status;
}

vg_status vg_diversity_of_outputs(const float *logits, const int32_t *labels, size_t n, int classes,
                                  vg_diversity *out, vg_error *err)
{
    return vg_outputs_measure(logits, labels, n, classes, NULL, out, err);
}
