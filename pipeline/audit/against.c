/* Every judgement needs a distance that matters and one that chance does not explain. Facts are read in the order of
 * the samples, and everything is sorted or added up in that order. */
#include "audit/against.h"

#include "audit/across.h"
#include "audit/shortcuts.h"
#include "base/alloc.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Distributions this far apart matter: of an even light, a tenth of the pictures went from below a level to above. */
static const double far_apart = 0.1;
/* Chance of one false alarm over all properties. */
static const double false_alarm = 0.001;

/* ---- classes by name */

static int by_name(const void *left, const void *right)
{
    const vg_against_class *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static vg_status match_classes(const vg_dataset *const datasets[2], const vg_audit *const audits[2],
                               vg_against *a, vg_error *err)
{
    size_t most = (size_t)vg_dataset_classes(datasets[0]) + (size_t)vg_dataset_classes(datasets[1]);
    size_t n = 0, kept = 0;
    a->classes = vg_calloc(most, sizeof *a->classes);
    size_t *counts = vg_calloc(2 * most, sizeof *counts);
    if (!a->classes || !counts) {
        free(counts);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", most);
    }
    for (int d = 0; d < 2; d++)
        for (int k = 0; k < vg_dataset_classes(datasets[d]); k++, n++) {
            const size_t *count = audits[d]->per_class[k].count;
            a->classes[n].name = vg_dataset_class_name(datasets[d], k);
            a->classes[n].there[d] = true;
            a->classes[n].count[d] =
                count[VG_SPLIT_TRAIN] + count[VG_SPLIT_VAL] + count[VG_SPLIT_TEST];
        }
    qsort(a->classes, n, sizeof *a->classes, by_name);
    for (size_t i = 0; i < n; i++) {
        if (kept && strcmp(a->classes[kept - 1].name, a->classes[i].name) == 0) {
            for (int d = 0; d < 2; d++) {
                a->classes[kept - 1].count[d] += a->classes[i].count[d];
                a->classes[kept - 1].there[d] |= a->classes[i].there[d];
            }
        } else {
            a->classes[kept++] = a->classes[i];
        }
    }
    a->class_count = kept;
    for (size_t k = 0; k < kept; k++)
        for (int d = 0; d < 2; d++) {
            counts[(size_t)d * kept + k] = a->classes[k].count[d];
            a->images[d] += a->classes[k].count[d];
            a->only[d] += a->classes[k].there[d] && !a->classes[k].there[1 - d];
        }
    vg_status status = vg_drift_measure(counts, counts + kept, (int)kept, &a->shares, err);
    free(counts);
    return status;
}

/* ---- properties */

static const char *const names[VG_AGAINST_PROPERTIES] = {
    "brightness", "contrast", "red",       "green",  "blue",  "edge width",
    "entropy",    "width",    "file size", "aspect", "height"};

/* What a picture has of a property; `shown` as people read it, the value itself as it is compared. */
static double value_of(const vg_facts *f, int property, double *shown)
{
    double value;
    switch (property) {
    case 0:
        return *shown = (double)f->brightness;
    case 1:
        return *shown = (double)f->contrast;
    case 2:
    case 3:
    case 4:
        return *shown = (double)f->mean[property - 2];
    case 5:
        return *shown = (double)f->edge / VG_EDGE_STEPS;
    case 6:
        return *shown = (double)f->entropy / VG_ENTROPY_STEPS;
    case 7:
        value = f->width;
        break;
    case 8:
        *shown = (double)f->file_bytes;
        return log1p((double)f->file_bytes);
    case 9:
        value = (double)f->width / f->height;
        break;
    default:
        value = f->height;
        break;
    }
    *shown = value;
    return log(value);
}

/* Values of both datasets, those here first. */
typedef struct column {
    double *values, *sorted;
    size_t n[2];
} column;

static void fill(const vg_audit *const audits[2], int property, column *c,
                 vg_against_property *result)
{
    size_t at = 0;
    *result = (vg_against_property){.name = names[property]};
    for (int d = 0; d < 2; d++) {
        double sum = 0, squares = 0, shown;
        size_t begin = at;
        for (size_t i = 0; i < audits[d]->found; i++) {
            if (!(audits[d]->facts[i].flags & VG_FACT_DECODED))
                continue;
            c->values[at++] = value_of(&audits[d]->facts[i], property, &shown);
            sum += shown;
        }
        c->n[d] = at - begin;
        double n = c->n[d] ? (double)c->n[d] : 1, mean = sum / n;
        for (size_t i = 0; i < audits[d]->found; i++) {
            if (!(audits[d]->facts[i].flags & VG_FACT_DECODED))
                continue;
            value_of(&audits[d]->facts[i], property, &shown);
            squares += (shown - mean) * (shown - mean);
        }
        result->mean[d] = mean;
        result->std[d] = sqrt(squares / n);
    }
}

static void moments(const double *x, size_t n, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *variance = squares / (double)n;
}

/* Cohen's d with the interval of Hedges and Olkin (1985). */
static void standardize(const column *c, vg_against_property *p)
{
    double mean[2], variance[2], n = (double)c->n[0], m = (double)c->n[1];
    moments(c->values, c->n[0], &mean[0], &variance[0]);
    moments(c->values + c->n[0], c->n[1], &mean[1], &variance[1]);
    double unit = sqrt((variance[0] + variance[1]) / 2), off = mean[1] - mean[0];
    if (fabs(off) <= 1e-12 * fmax(fabs(mean[0]), 1))
        off = 0;
    double d = off == 0 ? 0 : unit > 0 ? off / unit : copysign(99, off);
    d = fmin(fmax(d, -99), 99);
    double half = 1.959963984540054 * sqrt((n + m) / (n * m) + d * d / (2 * (n + m)));
    p->difference = d;
    p->low = fmax(d - half, -99);
    p->high = fmin(d + half, 99);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* P(D >= d) as Numerical Recipes and scipy's asymptotic mode have it: Stephens' correction of Kolmogorov's limit. */
static double chance_of(double distance, double n, double m)
{
    double root = sqrt(n * m / (n + m)), x = (root + 0.12 + 0.11 / root) * distance, sum = 0;
    if (x < 0.2)
        return 1;
    for (int k = 1; k <= 100; k++) {
        double term = exp(-2 * k * k * x * x);
        sum += k % 2 ? term : -term;
        if (term < 1e-18)
            break;
    }
    return fmin(fmax(2 * sum, 0), 1);
}

static void hold_distributions(column *c, vg_against_property *p)
{
    size_t n = c->n[0], m = c->n[1], i = 0, j = 0;
    double *a = c->sorted, *b = c->sorted + n;
    memcpy(c->sorted, c->values, (n + m) * sizeof *c->sorted);
    qsort(a, n, sizeof *a, ascending);
    qsort(b, m, sizeof *b, ascending);
    while (i < n && j < m) {
        double at = fmin(a[i], b[j]);
        while (i < n && a[i] <= at)
            i++;
        while (j < m && b[j] <= at)
            j++;
        p->distance = fmax(p->distance, fabs((double)i / (double)n - (double)j / (double)m));
    }
    p->p = chance_of(p->distance, (double)n, (double)m);
    p->moved = p->distance >= far_apart && p->p <= false_alarm / VG_AGAINST_PROPERTIES;
}

static int farthest_first(const void *left, const void *right)
{
    const vg_against_property *a = left, *b = right;
    if (a->distance != b->distance)
        return a->distance > b->distance ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int property_named(const char *name)
{
    int i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* How well each moved property alone tells the datasets apart: the search for shortcuts, with the dataset as label. */
static vg_status tell_apart(const vg_audit *const audits[2], int threads, vg_against *a,
                            vg_error *err)
{
    enum { MOST = sizeof a->properties / sizeof a->properties[0] };
    _Static_assert((int)MOST <= (int)VG_SHORTCUTS, "as many as the search takes");
    vg_property properties[MOST];
    vg_shortcut found[VG_SHORTCUTS];
    size_t n = a->decoded[0] + a->decoded[1];
    int moved = 0, found_count = 0;
    while (moved < MOST && moved < a->property_count && a->properties[moved].moved)
        moved++;
    if (!moved)
        return VG_OK;
    double *values = vg_alloc(n, MOST * sizeof *values);
    int *labels = vg_alloc(n, sizeof *labels);
    vg_status status = VG_OK;
    if (!values || !labels)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", n);
    for (int p = 0; !status && p < moved; p++) {
        column c = {.values = values + (size_t)p * n};
        vg_against_property ignored;
        fill(audits, property_named(a->properties[p].name), &c, &ignored);
        properties[p] = (vg_property){a->properties[p].name, c.values};
    }
    for (size_t i = 0; !status && i < n; i++)
        labels[i] = i >= a->decoded[0];
    if (!status)
        status = vg_shortcuts_find(properties, moved, labels, n, 2, threads, found, &found_count,
                                   NULL, err);
    for (int f = 0; !status && f < found_count; f++)
        for (int p = 0; p < moved; p++)
            if (strcmp(found[f].property, a->properties[p].name) == 0)
                a->properties[p].accuracy = found[f].accuracy;
    free(values);
    free(labels);
    return status;
}

static vg_status compare_properties(const vg_audit *const audits[2], int threads, vg_against *a,
                                    vg_error *err)
{
    size_t n = audits[0]->decoded + audits[1]->decoded;
    a->decoded[0] = audits[0]->decoded;
    a->decoded[1] = audits[1]->decoded;
    if (!a->decoded[0] || !a->decoded[1])
        return VG_OK;
    column c = {.values = vg_alloc(n, sizeof *c.values), .sorted = vg_alloc(n, sizeof *c.sorted)};
    if (!c.values || !c.sorted) {
        free(c.values);
        free(c.sorted);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", n);
    }
    for (int p = 0; p < VG_AGAINST_PROPERTIES; p++) {
        fill(audits, p, &c, &a->properties[p]);
        standardize(&c, &a->properties[p]);
        hold_distributions(&c, &a->properties[p]);
        a->moved += a->properties[p].moved;
    }
    a->property_count = VG_AGAINST_PROPERTIES;
    free(c.values);
    free(c.sorted);
    qsort(a->properties, VG_AGAINST_PROPERTIES, sizeof *a->properties, farthest_first);
    return tell_apart(audits, threads, a, err);
}

vg_status vg_against_make(const vg_dataset *here, const vg_audit *of_here, const vg_dataset *there,
                          const vg_audit *of_there, int threads, vg_against *against, vg_error *err)
{
    const vg_dataset *const datasets[2] = {here, there};
    const vg_audit *const audits[2] = {of_here, of_there};
    const vg_fingerprint *const prints[2] = {of_here->prints, of_there->prints};
    threads = threads < 1 ? vg_threads_available() : threads;
    *against = (vg_against){.labels_only = of_here->labels_only || of_there->labels_only};
    vg_status status = match_classes(datasets, audits, against, err);
    if (!status)
        against->moved +=
            against->shares.word == VG_DRIFT_SOME || against->shares.word == VG_DRIFT_GRAVE;
    if (!status && !against->labels_only)
        status = compare_properties(audits, threads, against, err);
    if (!status && prints[0] && prints[1])
        status = vg_across_find(datasets, prints, threads, against, err);
    if (status)
        vg_against_reset(against);
    return status;
}

void vg_against_reset(vg_against *against)
{
    free(against->classes);
    free(against->across);
    *against = (vg_against){0};
}
