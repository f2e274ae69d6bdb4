/* A narrower view of a dataset: some classes, fewer samples. Who stays follows from the hash of
 * (seed, name), so the choice does not depend on the order of the files, and a smaller choice is
 * contained in a larger one of the same class. Everything that can fail comes before the first
 * change. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct candidate {
    uint64_t hash;
    size_t index;
};

struct known {
    const char *name;
    int label;
};

struct plan {
    vg_dataset *dataset;
    const vg_selection *selection;
    vg_error *err;
    struct known *known; /* [classes] by name */
    int *renumbered;     /* [classes] new label, -1: leaves */
    size_t *offsets;     /* [kept] names of the new classes */
    int kept;
    size_t *total; /* [classes * VG_SPLIT_COUNT] samples that there are, by old label */
    size_t *quota; /* the same, that stay */
    struct candidate *candidates; /* of those of which only some stay */
    bool *stays;                  /* [count] */
};

static void plan_reset(struct plan *plan)
{
    free(plan->known);
    free(plan->renumbered);
    free(plan->offsets);
    free(plan->total);
    free(plan->quota);
    free(plan->candidates);
    free(plan->stays);
}

static int compare_known(const void *a, const void *b)
{
    const struct known *p = a, *q = b;
    return strcmp(p->name, q->name);
}

static vg_status no_memory(const struct plan *plan)
{
    return vg_fail(plan->err, VG_E_NOMEM, "%s: out of memory for the selection",
                   plan->dataset->path);
}

static vg_status plan_allocate(struct plan *plan)
{
    size_t classes = (size_t)plan->dataset->class_count, count = plan->dataset->count;
    plan->known = vg_alloc(classes, sizeof *plan->known);
    plan->renumbered = vg_alloc(classes, sizeof *plan->renumbered);
    plan->offsets = vg_alloc(classes, sizeof *plan->offsets);
    plan->total = vg_calloc(classes * VG_SPLIT_COUNT, sizeof *plan->total);
    plan->quota = vg_calloc(classes * VG_SPLIT_COUNT, sizeof *plan->quota);
    plan->stays = vg_calloc(count, sizeof *plan->stays);
    if (!plan->known || !plan->renumbered || !plan->offsets || !plan->total || !plan->quota ||
        !plan->stays)
        return no_memory(plan);
    for (size_t k = 0; k < classes; k++)
        plan->known[k] = (struct known){vg_index_class_name(plan->dataset, (int)k), (int)k};
    if (classes > 1)
        qsort(plan->known, classes, sizeof *plan->known, compare_known);
    return VG_OK;
}

static vg_status unknown_class(const struct plan *plan, const char *name)
{
    size_t classes = (size_t)plan->dataset->class_count;
    const char **names = vg_alloc(classes, sizeof *names);
    if (!names)
        return no_memory(plan);
    for (size_t k = 0; k < classes; k++)
        names[k] = vg_index_class_name(plan->dataset, (int)k);
    const char *near = vg_nearest(name, names, classes);
    vg_status status =
        near ? vg_fail(plan->err, VG_E_ARG, "%s: no class \"%s\"; did you mean \"%s\"?",
                       plan->dataset->path, name, near)
             : vg_fail(plan->err, VG_E_ARG,
                       "%s: no class \"%s\"; there are %zu, from \"%s\" to \"%s\"",
                       plan->dataset->path, name, classes, names[0], names[classes - 1]);
    free(names);
    return status;
}

static vg_status find_class(const struct plan *plan, const char *name, int *label)
{
    struct known wanted = {name, 0};
    const struct known *found = bsearch(&wanted, plan->known, (size_t)plan->dataset->class_count,
                                        sizeof wanted, compare_known);
    if (!found)
        return unknown_class(plan, name);
    *label = found->label;
    return VG_OK;
}

static vg_status choose_classes(struct plan *plan)
{
    const vg_selection *selection = plan->selection;
    int classes = plan->dataset->class_count;
    for (int k = 0; k < classes; k++) {
        plan->renumbered[k] = selection->classes ? -1 : k;
        plan->offsets[k] = plan->dataset->classes[k];
    }
    plan->kept = classes;
    if (!selection->classes)
        return VG_OK;
    if (selection->class_count < 1)
        return vg_fail(plan->err, VG_E_ARG, "%s: a selection of no classes", plan->dataset->path);
    plan->kept = 0;
    for (int i = 0; i < selection->class_count; i++) {
        int label;
        vg_status status = find_class(plan, selection->classes[i], &label);
        if (status)
            return status;
        if (plan->renumbered[label] >= 0)
            return vg_fail(plan->err, VG_E_ARG, "%s: class \"%s\" is selected twice",
                           plan->dataset->path, selection->classes[i]);
        plan->renumbered[label] = plan->kept;
        plan->offsets[plan->kept++] = plan->dataset->classes[label];
    }
    return VG_OK;
}

static size_t group_of(const vg_dataset *dataset, size_t index)
{
    return (size_t)vg_dataset_label(dataset, index) * VG_SPLIT_COUNT +
           (size_t)vg_dataset_split(dataset, index);
}

static size_t *quota_of(const struct plan *plan, int label, int split)
{
    return &plan->quota[(size_t)label * VG_SPLIT_COUNT + (size_t)split];
}

static vg_status limit_classes(struct plan *plan)
{
    size_t classes = (size_t)plan->dataset->class_count;
    for (size_t i = 0; i < plan->dataset->count; i++)
        plan->total[group_of(plan->dataset, i)]++;
    for (size_t k = 0; k < classes; k++)
        if (plan->renumbered[k] >= 0)
            memcpy(&plan->quota[k * VG_SPLIT_COUNT], &plan->total[k * VG_SPLIT_COUNT],
                   VG_SPLIT_COUNT * sizeof *plan->quota);
    for (int i = 0; i < plan->selection->limit_count; i++) {
        int label;
        const char *name = plan->selection->limit_classes[i];
        vg_status status = find_class(plan, name, &label);
        if (status)
            return status;
        if (plan->renumbered[label] < 0)
            return vg_fail(plan->err, VG_E_ARG,
                           "%s: a limit for class \"%s\", which is not among the selected",
                           plan->dataset->path, name);
        size_t *quota = quota_of(plan, label, VG_SPLIT_TRAIN);
        if (*quota > plan->selection->limits[i])
            *quota = plan->selection->limits[i];
    }
    return VG_OK;
}

/* Cuts the quotas of a split to `total` together: one for each class that has any, as far as that
 * goes, and the rest in proportion. */
static void cut_total(struct plan *plan, int split, size_t total)
{
    int classes = plan->dataset->class_count;
    size_t sum = 0, present = 0;
    for (int k = 0; k < classes; k++) {
        sum += *quota_of(plan, k, split);
        present += *quota_of(plan, k, split) > 0;
    }
    if (total == 0 || sum <= total)
        return;
    size_t base = total >= present ? 1 : 0; /* fewer places than classes: none comes first */
    size_t pool = sum - base * present, wanted = total - base * present, given = 0, before = 0;
    /* Rounding the cumulated share instead of each share makes the sum come out as wanted. */
    for (int k = 0; k < classes; k++) {
        size_t *quota = quota_of(plan, k, split);
        if (!*quota)
            continue;
        before += *quota - base;
        size_t upto = pool ? (before * wanted + pool / 2) / pool : 0;
        *quota = base + (upto - given);
        given = upto;
    }
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *p = a, *q = b;
    if (p->hash != q->hash)
        return p->hash < q->hash ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

/* Within each class and split the smallest hashes stay. Where all or none stay nothing is hashed. */
static vg_status choose_samples(struct plan *plan)
{
    const vg_dataset *dataset = plan->dataset;
    size_t groups = (size_t)dataset->class_count * VG_SPLIT_COUNT, wanted = 0;
    size_t *next = vg_alloc(groups, sizeof *next); /* where a group's next candidate goes */
    for (size_t g = 0; next && g < groups; g++) {
        next[g] = wanted;
        if (plan->quota[g] > 0 && plan->quota[g] < plan->total[g])
            wanted += plan->total[g];
    }
    plan->candidates = vg_alloc(wanted, sizeof *plan->candidates);
    if (!next || !plan->candidates) {
        free(next);
        return no_memory(plan);
    }
    vg_namer namer = {0};
    for (size_t i = 0; i < dataset->count; i++) {
        size_t g = group_of(dataset, i), quota = plan->quota[g];
        plan->stays[i] = quota > 0;
        if (quota == 0 || quota >= plan->total[g])
            continue;
        size_t length = vg_namer_get(&namer, dataset, i);
        plan->candidates[next[g]++] =
            (struct candidate){vg_hash(namer.name, length, plan->selection->seed), i};
    }
    for (size_t g = 0; g < groups; g++) {
        size_t total = plan->total[g], quota = plan->quota[g];
        if (quota == 0 || quota >= total)
            continue;
        struct candidate *group = plan->candidates + next[g] - total;
        qsort(group, total, sizeof *group, compare_candidates);
        for (size_t i = quota; i < total; i++)
            plan->stays[group[i].index] = false;
    }
    free(next);
    return VG_OK;
}

static void apply(const struct plan *plan)
{
    vg_dataset *dataset = plan->dataset;
    size_t kept = 0;
    for (size_t i = 0; i < dataset->count; i++) {
        vg_sample s = dataset->samples[i];
        if (plan->stays[i])
            dataset->samples[kept++] = vg_sample_pack(
                vg_sample_place(s), plan->renumbered[vg_sample_label(s)], vg_sample_split(s));
    }
    dataset->count = kept;
    dataset->class_count = plan->kept;
    memcpy(dataset->classes, plan->offsets, (size_t)plan->kept * sizeof *plan->offsets);
}

vg_status vg_dataset_select(vg_dataset *dataset, const vg_selection *selection, vg_error *err)
{
    if (dataset->tally)
        return vg_fail(err, VG_E_STATE, "%s: opened for its counts alone, nothing can be selected",
                       dataset->path);
    struct plan plan = {.dataset = dataset, .selection = selection, .err = err};
    vg_status status = plan_allocate(&plan);
    if (!status)
        status = choose_classes(&plan);
    if (!status)
        status = limit_classes(&plan);
    if (!status) {
        cut_total(&plan, VG_SPLIT_TRAIN, selection->train_total);
        cut_total(&plan, VG_SPLIT_VAL, selection->held_out_total);
        cut_total(&plan, VG_SPLIT_TEST, selection->held_out_total);
        status = choose_samples(&plan);
    }
    if (!status)
        apply(&plan);
    plan_reset(&plan);
    return status;
}

void vg_dataset_leave_out(vg_dataset *dataset, const bool *gone)
{
    size_t kept = 0;
    for (size_t i = 0; i < dataset->count; i++)
        if (!gone[i])
            dataset->samples[kept++] = dataset->samples[i];
    dataset->count = kept;
}
