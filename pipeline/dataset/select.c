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
    uint32_t group; /* label * VG_SPLIT_COUNT + split */
};

struct plan {
    vg_dataset *dataset;
    const vg_selection *selection;
    vg_error *err;
    const char **names; /* of all classes, for finding the nearest */
    int *renumbered;    /* [classes] new label, -1: leaves */
    size_t *offsets;    /* [kept] names of the new classes */
    int kept;
    size_t *quota; /* [classes * VG_SPLIT_COUNT] samples that stay, by old label */
    struct candidate *candidates;
    bool *stays; /* [count] */
};

static void plan_reset(struct plan *plan)
{
    free(plan->names);
    free(plan->renumbered);
    free(plan->offsets);
    free(plan->quota);
    free(plan->candidates);
    free(plan->stays);
}

static vg_status plan_allocate(struct plan *plan)
{
    size_t classes = (size_t)plan->dataset->class_count, count = plan->dataset->count;
    plan->names = vg_alloc(classes, sizeof *plan->names);
    plan->renumbered = vg_alloc(classes, sizeof *plan->renumbered);
    plan->offsets = vg_alloc(classes, sizeof *plan->offsets);
    plan->quota = vg_calloc(classes * VG_SPLIT_COUNT, sizeof *plan->quota);
    plan->candidates = vg_alloc(count, sizeof *plan->candidates);
    plan->stays = vg_calloc(count, sizeof *plan->stays);
    if (!plan->names || !plan->renumbered || !plan->offsets || !plan->quota || !plan->candidates ||
        !plan->stays)
        return vg_fail(plan->err, VG_E_NOMEM, "%s: out of memory for the selection",
                       plan->dataset->path);
    for (size_t k = 0; k < classes; k++)
        plan->names[k] = vg_index_class_name(plan->dataset, (int)k);
    return VG_OK;
}

static vg_status find_class(const struct plan *plan, const char *name, int *label)
{
    size_t classes = (size_t)plan->dataset->class_count;
    for (size_t k = 0; k < classes; k++)
        if (strcmp(plan->names[k], name) == 0) {
            *label = (int)k;
            return VG_OK;
        }
    const char *near = vg_nearest(name, plan->names, classes);
    if (near)
        return vg_fail(plan->err, VG_E_ARG, "%s: no class \"%s\"; did you mean \"%s\"?",
                       plan->dataset->path, name, near);
    return vg_fail(plan->err, VG_E_ARG, "%s: no class \"%s\"; there are %zu, from \"%s\" to \"%s\"",
                   plan->dataset->path, name, classes, plan->names[0], plan->names[classes - 1]);
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

static size_t *quota_of(const struct plan *plan, int label, int split)
{
    return &plan->quota[(size_t)label * VG_SPLIT_COUNT + (size_t)split];
}

static vg_status limit_classes(struct plan *plan)
{
    for (size_t i = 0; i < plan->dataset->count; i++) {
        int label = vg_dataset_label(plan->dataset, i);
        if (plan->renumbered[label] >= 0)
            ++*quota_of(plan, label, (int)vg_dataset_split(plan->dataset, i));
    }
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
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    if (p->hash != q->hash)
        return p->hash < q->hash ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

/* Within each class and split the smallest hashes stay. */
static void choose_samples(struct plan *plan)
{
    const vg_dataset *dataset = plan->dataset;
    char name[4096];
    for (size_t i = 0; i < dataset->count; i++) {
        size_t length = vg_dataset_name(dataset, i, name, sizeof name);
        if (length >= sizeof name)
            length = sizeof name - 1;
        plan->candidates[i] = (struct candidate){
            .hash = vg_hash(name, length, plan->selection->seed),
            .index = i,
            .group = (uint32_t)vg_dataset_label(dataset, i) * VG_SPLIT_COUNT +
                     (uint32_t)vg_dataset_split(dataset, i),
        };
    }
    if (dataset->count > 1)
        qsort(plan->candidates, dataset->count, sizeof *plan->candidates, compare_candidates);
    for (size_t i = 0, rank = 0; i < dataset->count; i++, rank++) {
        const struct candidate *c = &plan->candidates[i];
        if (i && c->group != plan->candidates[i - 1].group)
            rank = 0;
        plan->stays[c->index] = rank < plan->quota[c->group];
    }
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
        choose_samples(&plan);
        apply(&plan);
    }
    plan_reset(&plan);
    return status;
}
