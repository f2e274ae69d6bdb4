/* Quotas, a keyed permutation of the places, and shuffled rounds through every class.
 *
 * Nothing is stored per place of an epoch: what stands at a position is computed from (seed, epoch,
 * position), which makes resuming at any batch a matter of starting to count there. The only memory is
 * the list of the split's samples grouped by class: one size_t a sample. */
#include "load/sampler.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vg_sampler {
    const vg_dataset *dataset;
    vg_sampling mode;
    uint64_t seed;
    int classes;
    size_t *members; /* dataset indices grouped by class, or the list */
    size_t count;    /* of members */
    size_t *start;   /* [classes + 1] into members */
    uint64_t
        *quotas; /* [classes + 1] cumulative: class k has the places quotas[k] .. quotas[k + 1] */
    uint64_t length;
};

static const char *const mode_names[] = {"sequential", "shuffle",  "over",
                                         "under",      "balanced", "sqrt"};

vg_status vg_sampling_parse(const char *word, vg_sampling *mode, vg_error *err)
{
    size_t known = sizeof mode_names / sizeof *mode_names;
    for (size_t i = 0; i < known; i++) {
        if (strcmp(word, mode_names[i]) == 0) {
            *mode = (vg_sampling)i;
            return VG_OK;
        }
    }
    return vg_fail(err, VG_E_ARG,
                   "unknown sampling \"%s\" (sequential, shuffle, over, under, balanced, sqrt)",
                   word);
}

const char *vg_sampling_name(vg_sampling mode)
{
    return mode_names[mode];
}

struct remainder {
    double lacks;
    int label;
};

static int larger_first(const void *a, const void *b)
{
    const struct remainder *p = a, *q = b;
    if (p->lacks != q->lacks)
        return p->lacks > q->lacks ? -1 : 1;
    return p->label - q->label;
}

/* Shares `total` places among the classes in proportion to weight[], by largest remainders. False
 * when memory runs out. */
static bool share_places(const double *weight, int classes, uint64_t total, uint64_t *quota)
{
    struct remainder *order = vg_alloc((size_t)classes, sizeof *order);
    double sum = 0;
    if (!order)
        return false;
    for (int k = 0; k < classes; k++)
        sum += weight[k];
    uint64_t given = 0;
    size_t present = 0;
    for (int k = 0; k < classes; k++) {
        double share = (double)total * weight[k] / sum;
        quota[k] = (uint64_t)floor(share);
        given += quota[k];
        if (weight[k] > 0)
            order[present++] = (struct remainder){share - (double)quota[k], k};
    }
    qsort(order, present, sizeof *order, larger_first);
    for (size_t i = 0; present && given < total; i++, given++)
        quota[order[i % present].label]++;
    free(order);
    return true;
}

vg_status vg_sampling_quotas(const size_t *counts, int classes, vg_sampling mode, uint64_t *quota,
                             vg_error *err)
{
    size_t largest = 0, smallest = SIZE_MAX, total = 0;
    bool shared = mode == VG_SAMPLING_BALANCED || mode == VG_SAMPLING_SQRT;
    double *weight = vg_calloc((size_t)classes, sizeof *weight);
    if (!weight)
        return vg_fail(err, VG_E_NOMEM, "sampler: out of memory");
    for (int k = 0; k < classes; k++) {
        size_t n = counts[k];
        quota[k] = 0;
        if (n == 0)
            continue;
        total += n;
        largest = n > largest ? n : largest;
        smallest = n < smallest ? n : smallest;
        weight[k] = mode == VG_SAMPLING_SQRT ? sqrt((double)n) : 1;
    }
    bool good = !shared || !total || share_places(weight, classes, total, quota);
    free(weight);
    if (!good)
        return vg_fail(err, VG_E_NOMEM, "sampler: out of memory");
    for (int k = 0; k < classes; k++)
        if (mode == VG_SAMPLING_OVER)
            quota[k] = counts[k] ? largest : 0;
        else if (mode == VG_SAMPLING_UNDER)
            quota[k] = counts[k] ? smallest : 0;
        else if (!shared)
            quota[k] = counts[k];
    return VG_OK;
}

static vg_status set_quotas(vg_sampler *s, vg_error *err)
{
    uint64_t *quota = vg_alloc((size_t)s->classes, sizeof *quota);
    size_t *counts = vg_alloc((size_t)s->classes, sizeof *counts);
    vg_status status = VG_OK;
    if (!quota || !counts)
        status = vg_fail(err, VG_E_NOMEM, "sampler: out of memory");
    for (int k = 0; !status && k < s->classes; k++)
        counts[k] = s->start[k + 1] - s->start[k];
    if (!status)
        status = vg_sampling_quotas(counts, s->classes, s->mode, quota, err);
    for (int k = 0; !status && k < s->classes; k++)
        s->quotas[k + 1] = s->quotas[k] + quota[k];
    s->length = s->quotas[s->classes];
    free(quota);
    free(counts);
    return status;
}

/* Groups the split's samples by class (a counting sort, so dataset order is kept within a class). */
static void group(vg_sampler *s, vg_split split)
{
    size_t total = vg_dataset_count(s->dataset);
    for (size_t i = 0; i < total; i++) {
        if (vg_dataset_split(s->dataset, i) == split)
            s->start[vg_dataset_label(s->dataset, i) + 1]++;
    }
    for (int k = 0; k < s->classes; k++)
        s->start[k + 1] += s->start[k];
    for (size_t i = 0; i < total; i++) {
        if (vg_dataset_split(s->dataset, i) == split)
            s->members[s->start[vg_dataset_label(s->dataset, i)]++] = i;
    }
    for (int k = s->classes; k > 0; k--)
        s->start[k] = s->start[k - 1];
    s->start[0] = 0;
}

static vg_sampler *allocate(const vg_dataset *dataset, size_t count)
{
    int classes = vg_dataset_classes(dataset);
    vg_sampler *s = vg_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->dataset = dataset;
    s->classes = classes;
    s->count = count;
    s->members = vg_alloc(count, sizeof *s->members);
    s->start = vg_calloc((size_t)classes + 1, sizeof *s->start);
    s->quotas = vg_calloc((size_t)classes + 1, sizeof *s->quotas);
    if (!s->members || !s->start || !s->quotas) {
        vg_sampler_free(s);
        return NULL;
    }
    return s;
}

vg_status vg_sampler_new(const vg_dataset *dataset, vg_split split, vg_sampling mode, uint64_t seed,
                         vg_sampler **sampler, vg_error *err)
{
    *sampler = NULL;
    if (vg_dataset_is_counted(dataset))
        return vg_fail(err, VG_E_STATE, "%s: opened for its counts alone, there are no samples",
                       vg_dataset_path(dataset));
    size_t count = 0, total = vg_dataset_count(dataset);
    for (size_t i = 0; i < total; i++)
        count += vg_dataset_split(dataset, i) == split;
    if (count == 0)
        return vg_fail(err, VG_E_FORMAT, "%s: no samples in the %s split", vg_dataset_path(dataset),
                       vg_split_name(split));
    vg_sampler *s = allocate(dataset, count);
    if (!s)
        return vg_fail(err, VG_E_NOMEM, "sampler: out of memory for %zu samples", count);
    s->mode = mode;
    s->seed = seed;
    group(s, split);
    if (mode == VG_SAMPLING_SEQUENTIAL) {
        size_t at = 0;
        for (size_t i = 0; i < total; i++) {
            if (vg_dataset_split(dataset, i) == split)
                s->members[at++] = i;
        }
    }
    vg_status status = set_quotas(s, err);
    if (status) {
        vg_sampler_free(s);
        return status;
    }
    *sampler = s;
    return VG_OK;
}

vg_status vg_sampler_list(const vg_dataset *dataset, const size_t *indices, size_t count,
                          vg_sampler **sampler, vg_error *err)
{
    *sampler = NULL;
    if (count == 0)
        return vg_fail(err, VG_E_ARG, "%s: an empty list of samples", vg_dataset_path(dataset));
    vg_sampler *s = allocate(dataset, count);
    if (!s)
        return vg_fail(err, VG_E_NOMEM, "sampler: out of memory for %zu samples", count);
    s->mode = VG_SAMPLING_SEQUENTIAL;
    s->length = count;
    for (size_t i = 0; i < count; i++) {
        if (indices[i] >= vg_dataset_count(dataset)) {
            vg_sampler_free(s);
            return vg_fail(err, VG_E_ARG, "%s: no sample %zu", vg_dataset_path(dataset),
                           indices[i]);
        }
        s->members[i] = indices[i];
        s->quotas[vg_dataset_label(dataset, indices[i]) + 1]++;
    }
    for (int k = 0; k < s->classes; k++)
        s->quotas[k + 1] += s->quotas[k];
    *sampler = s;
    return VG_OK;
}

void vg_sampler_free(vg_sampler *sampler)
{
    if (!sampler)
        return;
    free(sampler->members);
    free(sampler->start);
    free(sampler->quotas);
    free(sampler);
}

uint64_t vg_sampler_length(const vg_sampler *sampler)
{
    return sampler->length;
}

size_t vg_sampler_samples(const vg_sampler *sampler)
{
    return sampler->count;
}

vg_sampling vg_sampler_mode(const vg_sampler *sampler)
{
    return sampler->mode;
}

uint64_t vg_sampler_quota(const vg_sampler *sampler, int label)
{
    return sampler->quotas[label + 1] - sampler->quotas[label];
}

static int class_of_place(const vg_sampler *s, uint64_t place)
{
    int low = 0, high = s->classes - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (place < s->quotas[middle + 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t vg_sampler_at(const vg_sampler *s, uint32_t epoch, uint64_t position)
{
    if (s->mode == VG_SAMPLING_SEQUENTIAL)
        return s->members[position];
    uint64_t key = vg_mix(s->seed, ((uint64_t)VG_RNG_SHUFFLE << 32) | epoch);
    uint64_t place = vg_permute(key, s->length, position);
    int k = class_of_place(s, place);
    uint64_t nth = place - s->quotas[k], n = s->start[k + 1] - s->start[k];
    uint64_t round = nth / n;
    uint64_t class_key = vg_mix(vg_mix(key, VG_RNG_SAMPLER), ((uint64_t)k << 32) | round);
    return s->members[s->start[k] + vg_permute(class_key, n, nth % n)];
}

size_t vg_sampler_substitute(const vg_sampler *s, size_t index, size_t attempt)
{
    int k = vg_dataset_label(s->dataset, index);
    size_t low = s->start[k], n = s->start[k + 1] - low, high = low + n;
    if (s->mode == VG_SAMPLING_SEQUENTIAL || attempt >= n)
        return SIZE_MAX;
    while (low + 1 < high) { /* members of a class ascend */
        size_t middle = low + (high - low) / 2;
        if (s->members[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return s->members[s->start[k] + (low - s->start[k] + attempt) % n];
}
