/* Names the class of a picture from one number, and asks whether that works better than it should.
 *
 * The classifier is naive Bayes over bins with equal priors: bins of equal weight, every class
 * weighing the same, so that a rare class is not lost inside the bins of a frequent one. Accuracy is
 * balanced and cross-validated over 5 folds; the folds are contiguous runs of each class in the
 * order of the data, because neighbours are often shots of one series and would betray each other.
 * What chance reaches is measured, not assumed: the same procedure over 99 shuffles of the numbers.
 *
 * Refuses to accuse on significance alone: with many pictures any difference is significant, so the
 * gain must also be worth 0.3 of a class (with two classes: 65 % instead of 50 %). */
#include "audit/shortcuts.h"

#include "audit/shortcuts_join.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS = 5, SHUFFLES = 99, MOST_PICTURES = 20000, MOST_BINS = 64 };

static const double LEAST_GAIN = 0.3; /* of a class */
static const double LEAST_SIGMAS = 4; /* above the mean of the shuffles */
static const double LEAST_Z = 1;      /* for one class to stand out */

/* The pictures that are looked at, classes renumbered without the small ones. */
struct table {
    size_t count;
    size_t *rows; /* [count] which picture */
    int *labels;  /* [count] 0..classes-1 */
    uint8_t *folds;
    int classes;
    int *original; /* [classes] */
    size_t *sizes; /* [classes] */
    int bins;
};

struct entry {
    double value, weight;
    size_t at;
};

/* What the properties share, and what becomes of each. */
struct work {
    const struct table *table;
    const vg_property *properties;
    vg_shortcut results[VG_SHORTCUTS];
    bool clear[VG_SHORTCUTS];
    vg_status statuses[VG_SHORTCUTS];
    uint8_t *bins[VG_SHORTCUTS]; /* [table->count]; NULL: all pictures have the same value */
};

static void table_reset(struct table *table)
{
    free(table->rows);
    free(table->labels);
    free(table->folds);
    free(table->original);
    free(table->sizes);
}

/* Counts the pictures that are looked at; leaves out small classes. */
static void choose_rows(struct table *table, const int *labels, size_t count, int *renumbered,
                        size_t *counts, int classes)
{
    size_t some = count > MOST_PICTURES ? MOST_PICTURES : count;
    for (size_t i = 0; i < count; i++) /* a keyed permutation: the same part every time */
        if (some == count || vg_permute(MOST_PICTURES, count, i) < some) {
            table->rows[table->count++] = i;
            counts[labels[i]]++;
        }
    for (int k = 0; k < classes; k++) {
        renumbered[k] = -1;
        if (counts[k] < FOLDS)
            continue;
        renumbered[k] = table->classes;
        table->original[table->classes] = k;
        table->sizes[table->classes++] = counts[k];
    }
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++)
        if (renumbered[labels[table->rows[i]]] >= 0) {
            table->rows[kept] = table->rows[i];
            table->labels[kept++] = renumbered[labels[table->rows[i]]];
        }
    table->count = kept;
}

static vg_status table_make(struct table *table, const int *labels, size_t count, int classes,
                            vg_error *err)
{
    size_t *counts = vg_calloc((size_t)classes, sizeof *counts);
    int *renumbered = vg_alloc((size_t)classes, sizeof *renumbered);
    table->rows = vg_alloc(count, sizeof *table->rows);
    table->labels = vg_alloc(count, sizeof *table->labels);
    table->folds = vg_alloc(count, 1);
    table->original = vg_alloc((size_t)classes, sizeof *table->original);
    table->sizes = vg_alloc((size_t)classes, sizeof *table->sizes);
    vg_status status = VG_OK;
    if (!counts || !renumbered || !table->rows || !table->labels || !table->folds ||
        !table->original || !table->sizes) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
    } else {
        choose_rows(table, labels, count, renumbered, counts, classes);
        memset(counts, 0, (size_t)classes * sizeof *counts);
        for (size_t i = 0; i < table->count; i++) {
            int k = table->labels[i];
            table->folds[i] = (uint8_t)(counts[k]++ * FOLDS / table->sizes[k]);
        }
        /* Enough bins to tell the classes apart, few enough to fill them. */
        size_t wanted = 2 * (size_t)table->classes;
        size_t filled = table->classes ? table->count / (3 * (size_t)table->classes) : 0;
        wanted = wanted < filled ? wanted : filled;
        table->bins = wanted < 8 ? 8 : wanted > MOST_BINS ? MOST_BINS : (int)wanted;
    }
    free(counts);
    free(renumbered);
    return status;
}

static int by_value(const void *a, const void *b)
{
    const struct entry *p = a, *q = b;
    if (p->value != q->value)
        return p->value < q->value ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

/* Bins of equal weight; equal values share a bin. False when all values are equal. */
static bool make_bins(const struct table *table, const double *values, struct entry *entries,
                      uint8_t *bins)
{
    for (size_t i = 0; i < table->count; i++)
        entries[i] =
            (struct entry){values[table->rows[i]], 1.0 / (double)table->sizes[table->labels[i]], i};
    qsort(entries, table->count, sizeof *entries, by_value);
    double before = 0;
    int bin = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (i == 0 || entries[i].value != entries[i - 1].value) {
            bin = (int)(before / table->classes * table->bins);
            bin = bin < table->bins ? bin : table->bins - 1;
        }
        bins[entries[i].at] = (uint8_t)bin;
        before += entries[i].weight;
    }
    return entries[0].value != entries[table->count - 1].value;
}

/* Scratch of one property: pictures per bin and class, over all folds and in each. */
struct counts {
    uint32_t *all;       /* [bins][classes] */
    uint32_t *fold;      /* [FOLDS][bins][classes] */
    uint32_t *fold_size; /* [FOLDS][classes] */
    double *right;       /* [classes] pictures named rightly, ties shared */
};

static void counts_reset(struct counts *counts)
{
    free(counts->all);
    free(counts->fold);
    free(counts->fold_size);
    free(counts->right);
}

static bool counts_make(const struct table *table, struct counts *counts)
{
    size_t classes = (size_t)table->classes, cells = classes * (size_t)table->bins;
    counts->all = vg_calloc(cells, sizeof *counts->all);
    counts->fold = vg_calloc(cells, FOLDS * sizeof *counts->fold);
    counts->fold_size = vg_calloc(classes, FOLDS * sizeof *counts->fold_size);
    counts->right = vg_calloc(classes, sizeof *counts->right);
    if (!counts->all || !counts->fold || !counts->fold_size || !counts->right)
        return false;
    for (size_t i = 0; i < table->count; i++)
        counts->fold_size[(size_t)table->folds[i] * classes + (size_t)table->labels[i]]++;
    return true;
}

/* Names the pictures of one bin in one fold by what the other folds hold in that bin: the class with
 * the largest share of its own pictures there; equal shares divide the credit. */
static void score_bin(const struct table *table, struct counts *counts, size_t fold, size_t bin)
{
    size_t classes = (size_t)table->classes, cells = classes * (size_t)table->bins, ties = 0;
    const uint32_t *all = counts->all + bin * classes;
    const uint32_t *own = counts->fold + fold * cells + bin * classes;
    const uint32_t *held = counts->fold_size + fold * classes;
    double best = -1;
    for (size_t k = 0; k < classes; k++) {
        double p = (double)(all[k] - own[k]) / (double)(table->sizes[k] - held[k]);
        if (p > best) {
            best = p;
            ties = 0;
        }
        ties += p == best;
    }
    for (size_t k = 0; k < classes; k++) {
        double p = (double)(all[k] - own[k]) / (double)(table->sizes[k] - held[k]);
        if (p == best)
            counts->right[k] += (double)own[k] / (double)ties;
    }
}

/* Cross-validated balanced accuracy of naming the class from the bin. */
static double accuracy(const struct table *table, const uint8_t *bins, struct counts *counts)
{
    size_t classes = (size_t)table->classes, cells = classes * (size_t)table->bins;
    memset(counts->all, 0, cells * sizeof *counts->all);
    memset(counts->fold, 0, FOLDS * cells * sizeof *counts->fold);
    memset(counts->right, 0, classes * sizeof *counts->right);
    for (size_t i = 0; i < table->count; i++) {
        size_t cell = bins[i] * classes + (size_t)table->labels[i];
        counts->all[cell]++;
        counts->fold[table->folds[i] * cells + cell]++;
    }
    for (size_t fold = 0; fold < FOLDS; fold++)
        for (size_t bin = 0; bin < (size_t)table->bins; bin++)
            score_bin(table, counts, fold, bin);
    double sum = 0;
    for (size_t k = 0; k < classes; k++)
        sum += counts->right[k] / (double)table->sizes[k];
    return sum / (double)classes;
}

/* The class whose mean is farthest from the pictures of the other classes, in standard deviations of
 * those (every class with the same weight). Fills class_index and z; a class that is less than one of
 * them away does not stand out. */
static void find_outlier(const struct table *table, const double *values, double *mean,
                         double *square, vg_shortcut *result)
{
    int classes = table->classes;
    for (int k = 0; k < classes; k++)
        mean[k] = square[k] = 0;
    for (size_t i = 0; i < table->count; i++)
        mean[table->labels[i]] += values[table->rows[i]];
    for (int k = 0; k < classes; k++)
        mean[k] /= (double)table->sizes[k];
    for (size_t i = 0; i < table->count; i++) {
        double d = values[table->rows[i]] - mean[table->labels[i]];
        square[table->labels[i]] += d * d;
    }
    double sum = 0;
    for (int k = 0; k < classes; k++)
        sum += mean[k];
    result->class_index = -1;
    result->z = 0;
    for (int k = 0; k < classes; k++) {
        double others = (sum - mean[k]) / (classes - 1), variance = 0;
        for (int j = 0; j < classes; j++)
            if (j != k)
                variance +=
                    square[j] / (double)table->sizes[j] + (mean[j] - others) * (mean[j] - others);
        variance /= classes - 1;
        double off = mean[k] - others;
        /* others that are all the same: what is not infinitely far would still be far enough */
        double z = variance > 0 ? off / sqrt(variance) : off == 0 ? 0 : copysign(99, off);
        z = fmax(-99, fmin(99, z));
        if (fabs(z) >= LEAST_Z && fabs(z) > fabs(result->z)) {
            result->class_index = table->original[k];
            result->z = z;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

/* Fills the null of the result; the first shuffle that does as well ends it. Spoils the bins' order. */
static bool beats_shuffles(const struct table *table, uint8_t *bins, struct counts *counts,
                           vg_shortcut *result, uint64_t stream)
{
    double reached = result->accuracy, all[SHUFFLES];
    vg_rng rng = vg_rng_make(0, 0, stream, VG_RNG_PERMUTE);
    double sum = 0, squares = 0;
    for (int s = 0; s < SHUFFLES; s++) {
        for (size_t i = table->count - 1; i > 0; i--) {
            size_t j = (size_t)vg_rng_below(&rng, i + 1);
            uint8_t other = bins[i];
            bins[i] = bins[j];
            bins[j] = other;
        }
        double a = accuracy(table, bins, counts);
        if (a >= reached)
            return false;
        all[s] = a;
        sum += a;
        squares += a * a;
    }
    double mean = sum / SHUFFLES, variance = fmax(squares / SHUFFLES - mean * mean, 0);
    qsort(all, SHUFFLES, sizeof *all, by_size);
    result->null_mean = mean;
    result->null_high = all[SHUFFLES * 95 / 100];
    return reached > mean + LEAST_SIGMAS * sqrt(variance);
}

static void test_property(void *context, int thread, size_t item)
{
    (void)thread;
    struct work *work = context;
    const struct table *table = work->table;
    const vg_property *property = &work->properties[item];
    size_t classes = (size_t)table->classes;
    struct counts counts = {0};
    struct entry *entries = vg_alloc(table->count, sizeof *entries);
    uint8_t *bins = vg_alloc(table->count, 1);
    double *moments = vg_alloc(classes, 2 * sizeof *moments);
    if (!entries || !bins || !moments || !counts_make(table, &counts)) {
        work->statuses[item] = VG_E_NOMEM;
    } else if (make_bins(table, property->values, entries, bins)) {
        vg_shortcut *result = &work->results[item];
        *result = (vg_shortcut){.property = property->name, .chance = 1.0 / table->classes};
        result->accuracy = accuracy(table, bins, &counts);
        work->bins[item] = vg_alloc(table->count, 1);
        if (work->bins[item])
            memcpy(work->bins[item], bins, table->count);
        else
            work->statuses[item] = VG_E_NOMEM;
        work->clear[item] = result->accuracy * table->classes - 1 >= LEAST_GAIN &&
                            beats_shuffles(table, bins, &counts, result, (uint64_t)item);
        find_outlier(table, property->values, moments, moments + classes, result);
    }
    counts_reset(&counts);
    free(entries);
    free(bins);
    free(moments);
}

vg_status vg_shortcuts_find(const vg_property *properties, int property_count, const int *labels,
                            size_t count, int classes, int threads, vg_shortcut *found,
                            int *found_count, vg_shortcut *together, vg_error *err)
{
    struct table table = {0};
    struct work work = {.table = &table, .properties = properties};
    *found_count = 0;
    if (together)
        *together = (vg_shortcut){.property = "all together", .class_index = -1};
    if (count == 0 || classes < 2)
        return VG_OK;
    vg_status status = table_make(&table, labels, count, classes, err);
    if (!status && table.classes >= 2) {
        vg_parallel_for(threads, (size_t)property_count, test_property, &work);
        for (int i = 0; i < property_count; i++) {
            if (work.statuses[i])
                status = vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
            if (!work.clear[i])
                continue;
            int at = (*found_count)++;
            for (; at > 0 && found[at - 1].accuracy < work.results[i].accuracy; at--)
                found[at] = found[at - 1];
            found[at] = work.results[i];
        }
        if (!status && together)
            status =
                vg_shortcuts_join(&(vg_join){.rows = table.count,
                                             .labels = table.labels,
                                             .folds = table.folds,
                                             .fold_count = FOLDS,
                                             .classes = table.classes,
                                             .bins = table.bins,
                                             .values = work.bins,
                                             .properties = property_count},
                                  threads, *found_count ? found[0].accuracy : 0, together, err);
        for (int i = 0; i < property_count; i++)
            free(work.bins[i]);
    }
    table_reset(&table);
    return status;
}
