/* Puts the measures of the labels together, and what held-out images can prove: how many of a class it
 * takes to see that it is never named, and which difference of two accuracies is more than chance. */
#include "audit/labels.h"

#include "base/alloc.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

size_t vg_label_power_needed(size_t n)
{
    double low, high;
    vg_wilson(0, (double)n, &low, &high);
    /* the rule of the monitor: bound < share wanted of `needed` in n */
    double needed = floor(high * (double)n / VG_MISSING_SHARE) + 1;
    return n && needed <= (double)n ? (size_t)needed : 0;
}

double vg_label_power_difference(double n, double accuracy, double alike)
{
    const double z = 1.959963984540054 + 0.8416212335729143; /* 5 % two-sided; power 80 % */
    double disagree = 2 * accuracy * (1 - accuracy) * (1 - alike);
    return n > 0 ? fmin(1, z * sqrt(disagree / n)) : 1;
}

/* Images of the probe that are of a class with `count`, of the even share that each class may have. */
static size_t in_probe(size_t count, size_t share)
{
    return count < share ? count : share;
}

static int count_blind(const size_t *counts, int classes, size_t share, size_t most)
{
    size_t n = 0;
    int blind = 0;
    for (int k = 0; k < classes; k++)
        n += in_probe(counts[k], share);
    n = n < most ? n : most;
    size_t needed = vg_label_power_needed(n);
    for (int k = 0; k < classes; k++)
        blind += counts[k] && (!needed || in_probe(counts[k], share) < needed);
    return blind;
}

vg_label_power vg_label_power_measure(const size_t *counts, int classes, size_t probe)
{
    vg_label_power power = {0};
    double inverse = 0;
    for (int k = 0; k < classes; k++) {
        if (!counts[k])
            continue;
        power.count += counts[k];
        inverse += 1 / (double)counts[k];
        if (!power.present++ || counts[k] < power.smallest)
            power.smallest = counts[k];
    }
    if (!power.count)
        return power;
    size_t all = power.count, k = (size_t)classes;
    power.balanced_count = (double)power.present * power.present / inverse;
    power.needed = vg_label_power_needed(all);
    power.blind = power.probe_blind = count_blind(counts, classes, all, all);
    power.probe = all;
    if (!probe)
        return power;
    size_t share = (probe + k - 1) / k, drawn = 0; /* as train/probe.h picks them */
    for (int c = 0; c < classes; c++)
        drawn += in_probe(counts[c], share);
    power.probe = drawn < probe ? drawn : probe;
    power.probe_blind = count_blind(counts, classes, share, probe);
    if (power.probe_blind > power.blind)
        power.probe_wanted = power.needed * k;
    return power;
}

vg_labels_options vg_labels_options_default(void)
{
    return (vg_labels_options){.probe = 2000, .batch = 32};
}

static bool has_order(const vg_dataset *dataset)
{
    vg_dataset_kind kind = vg_dataset_kind_of(dataset);
    return kind != VG_DATASET_FOLDER && kind != VG_DATASET_ARCHIVE;
}

struct place {
    uint64_t position;
    int32_t label;
};

static int by_position(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->position != q->position)
        return p->position > q->position ? 1 : -1;
    return p->label - q->label; /* two names of one member */
}

static vg_status read_order(const vg_dataset *dataset, size_t batch, vg_labels *labels,
                            vg_error *err)
{
    bool training = labels->by_data && labels->split[VG_SPLIT_TRAIN].total > 0;
    size_t most = training ? labels->split[VG_SPLIT_TRAIN].total : labels->all.total, n = 0;
    struct place *places = vg_alloc(most, sizeof *places);
    int32_t *sequence = vg_alloc(most, sizeof *sequence);
    vg_status status = VG_OK;
    if (!places || !sequence) {
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for the order of %zu labels",
                         vg_dataset_path(dataset), most);
    } else {
        bool ascending = true;
        for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
            if (training && vg_dataset_split(dataset, i) != VG_SPLIT_TRAIN)
                continue;
            places[n] = (struct place){vg_dataset_position(dataset, i),
                                       (int32_t)vg_dataset_label(dataset, i)};
            ascending &= n == 0 || places[n - 1].position < places[n].position;
            n++;
        }
        if (!ascending)
            qsort(places, n, sizeof *places, by_position);
        for (size_t i = 0; i < n; i++)
            sequence[i] = places[i].label;
        status = vg_label_order_measure(sequence, n, labels->classes, batch, &labels->order, err);
    }
    free(places);
    free(sequence);
    return status;
}

static void fill_classes(vg_labels *labels, const size_t *all)
{
    const vg_balance *split = labels->split;
    vg_split tests = split[VG_SPLIT_TEST].total == 0 && split[VG_SPLIT_VAL].total > 0
                         ? VG_SPLIT_VAL
                         : VG_SPLIT_TEST;
    for (int k = 0; k < labels->classes; k++) {
        vg_label_class *class = &labels->per_class[k];
        double n = (double)labels->all.total, high;
        class->share = n > 0 ? (double)all[k] / n : 0;
        vg_wilson((double)all[k], n, &class->share_low, &class->share_high);
        class->effective = vg_effective_number(all[k], VG_EFFECTIVE_BETA);
        class->tested = vg_labels_counts(labels, tests)[k];
        vg_exact_interval((double)class->tested, (double)class->tested, &class->perfect_low, &high);
        for (int s = 0; s < VG_SPLIT_COUNT; s++) {
            size_t count = vg_labels_counts(labels, (vg_split)s)[k];
            if (split[s].total && !count) {
                class->absent |= 1u << s;
                labels->absent[s]++;
            }
            if (s != VG_SPLIT_TRAIN && count &&
                (!labels->power[s].needed || count < labels->power[s].needed))
                class->blind |= 1u << s;
        }
    }
}

static vg_status compare_splits(vg_labels *labels, vg_error *err)
{
    static const vg_split pairs[][2] = {{VG_SPLIT_TRAIN, VG_SPLIT_VAL},
                                        {VG_SPLIT_TRAIN, VG_SPLIT_TEST},
                                        {VG_SPLIT_VAL, VG_SPLIT_TEST}};
    vg_status status = VG_OK;
    for (size_t i = 0; !status && i < sizeof pairs / sizeof *pairs; i++) {
        vg_split a = pairs[i][0], b = pairs[i][1];
        if (!labels->split[a].total || !labels->split[b].total)
            continue;
        vg_drift *drift = &labels->drift[labels->drift_count++];
        drift->split[0] = a;
        drift->split[1] = b;
        status = vg_drift_measure(vg_labels_counts(labels, a), vg_labels_counts(labels, b),
                                  labels->classes, drift, err);
    }
    return status;
}

static vg_status fill(const vg_dataset *dataset, const vg_labels_options *options,
                      vg_labels *labels, size_t *all, vg_error *err)
{
    int classes = labels->classes;
    vg_dataset_tally(dataset, labels->counts);
    for (int s = 0; s < VG_SPLIT_COUNT; s++) {
        const size_t *counts = vg_labels_counts(labels, (vg_split)s);
        labels->split[s] = vg_balance_measure(counts, classes);
        for (int k = 0; k < classes; k++)
            all[k] += counts[k];
        if (s != VG_SPLIT_TRAIN)
            labels->power[s] = vg_label_power_measure(counts, classes, options->probe);
    }
    labels->all = vg_balance_measure(all, classes);
    fill_classes(labels, all);
    vg_status status = compare_splits(labels, err);
    if (!status && has_order(dataset))
        status = read_order(dataset, options->batch, labels, err);
    return status;
}

vg_status vg_labels_of(const vg_dataset *dataset, const vg_labels_options *options,
                       vg_labels *labels, vg_error *err)
{
    vg_labels_options standard = vg_labels_options_default();
    size_t classes = (size_t)vg_dataset_classes(dataset);
    *labels = (vg_labels){.classes = (int)classes, .by_data = vg_dataset_brings_splits(dataset)};
    labels->counts = vg_calloc(classes, VG_SPLIT_COUNT * sizeof *labels->counts);
    labels->per_class = vg_calloc(classes, sizeof *labels->per_class);
    size_t *all = vg_calloc(classes, sizeof *all);
    vg_status status;
    if (!labels->counts || !labels->per_class || !all)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for %zu classes",
                         vg_dataset_path(dataset), classes);
    else
        status = fill(dataset, options ? options : &standard, labels, all, err);
    free(all);
    if (status)
        vg_labels_reset(labels);
    return status;
}

void vg_labels_reset(vg_labels *labels)
{
    free(labels->counts);
    free(labels->per_class);
    *labels = (vg_labels){0};
}
