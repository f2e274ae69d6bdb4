/* What chance alone would do to the measures of a look: bootstrap over the probe and permutations
 * of its labels.
 *
 * Every resample has a random stream of its own, so that they can be drawn by any number of threads
 * in any order with the same result. The streams are the same in every look: two looks at the same
 * probe are compared under the same resamples. Percentile intervals only: the bias of the plug-in
 * entropies, about (K-1)/2N nats, is below what the verdicts look at. */
#include "observe/measure.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In [0, n) from 32 bits: biased by at most n / 2^32, which is nothing against the error of a
 * bootstrap, and four times as fast as exact rejection. */
static uint32_t draw_below(vg_rng *rng, uint32_t n)
{
    return (uint32_t)(((uint64_t)vg_rng_u32(rng) * n) >> 32);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996). */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* One resample: `count` [n] and `mean` [classes] are scratch. */
static double resampled_information(const double *p, const double *row_entropy, size_t n,
                                    int classes, int resample, uint32_t *count, double *mean)
{
    vg_rng rng = vg_rng_make(0, 0, (uint64_t)resample, VG_RNG_BOOTSTRAP);
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[draw_below(&rng, (uint32_t)n)]++;
    for (int k = 0; k < classes; k++)
        mean[k] = 0;
    double entropy = 0;
    for (size_t i = 0; i < n; i++) {
        if (!count[i])
            continue;
        double weight = count[i];
        const double *row = p + i * (size_t)classes;
        for (int k = 0; k < classes; k++)
            mean[k] += weight * row[k];
        entropy += weight * row_entropy[i];
    }
    for (int k = 0; k < classes; k++)
        mean[k] /= (double)n;
    return fmax(0, vg_entropy(mean, classes) - entropy / (double)n);
}

vg_status vg_bootstrap_information(const double *p, const double *row_entropy, size_t n,
                                   int classes, double *low, double *high, vg_error *err)
{
    double *values = vg_alloc(VG_BOOTSTRAP, sizeof *values);
    if (!values)
        return vg_fail(err, VG_E_NOMEM, "no memory for %d resamples", VG_BOOTSTRAP);
    int failed = 0;
#pragma omp parallel reduction(+ : failed)
    {
        uint32_t *count = vg_alloc(n, sizeof *count);
        double *mean = vg_alloc((size_t)classes, sizeof *mean);
        failed = !count || !mean;
#pragma omp for schedule(static)
        for (int b = 0; b < VG_BOOTSTRAP; b++)
            if (!failed)
                values[b] = resampled_information(p, row_entropy, n, classes, b, count, mean);
        free(count);
        free(mean);
    }
    if (!failed) {
        qsort(values, VG_BOOTSTRAP, sizeof *values, compare_doubles);
        *low = quantile(values, VG_BOOTSTRAP, 0.025);
        *high = quantile(values, VG_BOOTSTRAP, 0.975);
    }
    free(values);
    if (failed)
        return vg_fail(err, VG_E_NOMEM, "no memory to resample %zu samples", n);
    return VG_OK;
}

/* sum over the cells of the joint histogram of c log c, which is all of the mutual information that
 * a permutation of the labels changes. clogc[c] is a table for c = 0..n. */
static double joint_term(const int32_t *predicted, const int32_t *labels, size_t n, int classes,
                         uint32_t *joint, const double *clogc)
{
    size_t cells = (size_t)classes * (size_t)classes;
    memset(joint, 0, cells * sizeof *joint);
    for (size_t i = 0; i < n; i++)
        joint[(size_t)labels[i] * (size_t)classes + (size_t)predicted[i]]++;
    double sum = 0;
    for (size_t c = 0; c < cells; c++)
        if (joint[c] > 1) /* 1 log 1 = 0 */
            sum += clogc[joint[c]];
    return sum;
}

static void shuffle(int32_t *labels, size_t n, int permutation)
{
    vg_rng rng = vg_rng_make(0, 0, (uint64_t)permutation, VG_RNG_PERMUTE);
    for (size_t i = n; i > 1; i--) {
        size_t j = draw_below(&rng, (uint32_t)i);
        int32_t label = labels[i - 1];
        labels[i - 1] = labels[j];
        labels[j] = label;
    }
}

/* How many permutations reach `least`; -1: no memory. */
static int count_hits(const int32_t *predicted, const int32_t *labels, size_t n, int classes,
                      const double *clogc, double least)
{
    int hits = 0, failed = 0;
#pragma omp parallel reduction(+ : hits, failed)
    {
        int32_t *mixed = vg_alloc(n, sizeof *mixed);
        uint32_t *joint = vg_alloc((size_t)classes * (size_t)classes, sizeof *joint);
        failed = !mixed || !joint;
#pragma omp for schedule(static)
        for (int i = 0; i < VG_PERMUTATIONS; i++) {
            if (failed)
                continue;
            memcpy(mixed, labels, n * sizeof *mixed);
            shuffle(mixed, n, i);
            hits += joint_term(predicted, mixed, n, classes, joint, clogc) >= least;
        }
        free(mixed);
        free(joint);
    }
    return failed ? -1 : hits;
}

vg_status vg_label_information(const int32_t *predicted, const int32_t *labels, size_t n,
                               int classes, double *information, double *p, vg_error *err)
{
    size_t k = (size_t)classes;
    double *clogc = vg_alloc(n + 1, sizeof *clogc);
    uint32_t *joint = vg_alloc(k, k * sizeof *joint), *margin = vg_calloc(2 * k, sizeof *margin);
    int hits = -1;
    if (clogc && joint && margin) {
        clogc[0] = 0;
        for (size_t c = 1; c <= n; c++)
            clogc[c] = (double)c * log((double)c);
        for (size_t i = 0; i < n; i++) {
            margin[predicted[i]]++;
            margin[k + (size_t)labels[i]]++;
        }
        double margins = 0, total = (double)n;
        for (size_t c = 0; c < 2 * k; c++)
            margins += clogc[margin[c]];
        double observed = joint_term(predicted, labels, n, classes, joint, clogc);
        *information = fmax(0, log(total) + (observed - margins) / total);
        /* Equal tables may differ in the last bits of their sums. */
        hits = count_hits(predicted, labels, n, classes, clogc, observed - 1e-12 * total);
        *p = (1.0 + hits) / (1.0 + VG_PERMUTATIONS);
    }
    free(clogc);
    free(joint);
    free(margin);
    if (hits < 0)
        return vg_fail(err, VG_E_NOMEM, "no memory to permute %zu labels", n);
    return VG_OK;
}
