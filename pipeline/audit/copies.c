/* Groups may hold a hundred thousand placeholders, so that each is judged in one go over its members, with counts for
 * every class that are cleared afterwards. */
#include "audit/copies.h"

#include "base/alloc.h"

#include <stdlib.h>

struct judge {
    const vg_dataset *dataset;
    vg_audit *audit;
    size_t *votes;   /* [classes] members of the group with this label */
    size_t *trained; /* [classes] of them in train */
    size_t *twin;    /* [samples] the first one with the same pixels */
};

static double area_of(const vg_facts *facts)
{
    return (double)facts->width * facts->height;
}

_Static_assert(VG_SPLIT_TRAIN < VG_SPLIT_VAL && VG_SPLIT_VAL < VG_SPLIT_TEST,
               "the later split stays");

/* Whether a should stay rather than b, which comes before it. */
static bool rather(const struct judge *j, size_t a, size_t b)
{
    const vg_facts *facts = j->audit->facts;
    size_t for_a = j->votes[vg_dataset_label(j->dataset, a)];
    size_t for_b = j->votes[vg_dataset_label(j->dataset, b)];
    if (for_a != for_b)
        return for_a > for_b;
    vg_split p = vg_dataset_split(j->dataset, a), q = vg_dataset_split(j->dataset, b);
    if (p != q)
        return p > q;
    double mine = area_of(&facts[a]), other = area_of(&facts[b]);
    if (mine < other || mine > other)
        return mine > other;
    return facts[a].file_bytes > facts[b].file_bytes;
}

static void mark(struct judge *j, const vg_copy_group *group, size_t index)
{
    vg_marks *marks = &j->audit->marks;
    bool exact = j->twin[index] == j->twin[group->stays];
    if (index != group->stays)
        vg_marks_set(marks, index, exact ? VG_MARK_EXACT_COPY : VG_MARK_NEAR_COPY);
    if (group->labels_differ)
        vg_marks_set(marks, index, VG_MARK_LABEL_CONFLICT);
}

static void judge_group(struct judge *j, vg_copy_group *group)
{
    vg_duplicates *copies = &j->audit->copies;
    const size_t *members = copies->members + group->begin;
    size_t in_train = 0;
    for (size_t m = 0; m < group->count; m++) {
        int label = vg_dataset_label(j->dataset, members[m]);
        bool trains = vg_dataset_split(j->dataset, members[m]) == VG_SPLIT_TRAIN;
        j->votes[label]++;
        j->trained[label] += trains;
        in_train += trains;
    }
    group->leaks = in_train && in_train < group->count;
    group->stays = members[0];
    for (size_t m = 1; m < group->count; m++)
        if (rather(j, members[m], group->stays))
            group->stays = members[m];
    for (size_t m = 0; m < group->count; m++) {
        vg_split split = vg_dataset_split(j->dataset, members[m]);
        mark(j, group, members[m]);
        if (!group->leaks || split == VG_SPLIT_TRAIN)
            continue;
        copies->leaked[split]++;
        copies->bought[split] += j->trained[vg_dataset_label(j->dataset, members[m])] > 0;
        vg_marks_set(&j->audit->marks, members[m], VG_MARK_LEAK);
    }
    copies->leaks += group->leaks;
    for (size_t m = 0; m < group->count; m++) {
        int label = vg_dataset_label(j->dataset, members[m]);
        j->votes[label] = j->trained[label] = 0;
    }
}

vg_status vg_copies_judge(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    const vg_duplicates *copies = &audit->copies;
    size_t classes = (size_t)vg_dataset_classes(dataset), count = vg_dataset_count(dataset);
    struct judge j = {.dataset = dataset,
                      .audit = audit,
                      .votes = vg_calloc(classes, sizeof *j.votes),
                      .trained = vg_calloc(classes, sizeof *j.trained),
                      .twin = vg_alloc(count, sizeof *j.twin)};
    vg_status status = VG_OK;
    if (j.votes && j.trained && j.twin) {
        for (size_t i = 0; i < count; i++)
            j.twin[i] = i;
        for (size_t i = 0; i < copies->link_count; i++)
            if (copies->links[i].kind == VG_COPY_EXACT) /* its first speaks for all of its kind */
                j.twin[copies->links[i].second] = copies->links[i].first;
        for (size_t g = 0; g < copies->group_count; g++)
            judge_group(&j, &audit->copies.groups[g]);
    } else {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the copies among %zu samples", count);
    }
    free(j.votes);
    free(j.trained);
    free(j.twin);
    return status;
}

vg_status vg_copies_find(const vg_dataset *dataset, const vg_fingerprint *prints, int threads,
                         vg_audit *audit, vg_error *err)
{
    vg_status status = vg_duplicates_find(dataset, prints, threads, &audit->copies, err);
    return status ? status : vg_copies_judge(dataset, audit, err);
}
