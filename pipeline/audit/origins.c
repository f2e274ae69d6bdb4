/* Names propose, pictures decide. Each rule below sorts the samples by a part of their names; what then
 * stands together is a series if the pictures say so, all samples that were named the same way (their
 * skeleton) at once: one track proves nothing, a thousand do. Rules go from wide to narrow, and what a rule
 * has taken the narrower ones leave alone. Across folders of splits and across classes a series goes on only
 * where that is tested by itself, because numbers mostly start anew there.
 *
 * Refuses to call a series what holds more than a third of its class: "n01440764_10026" is numbered, too. */
#include "audit/origins.h"

#include "audit/siblings.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "dataset/series.h"

#include <stdlib.h>
#include <string.h>

enum {
    FEWEST_PAIRS = 8,        /* that a test needs */
    FEWEST_TO_DOUBT = 20,    /* pairs from which on variants are tested, too */
    FEWEST_OF_SKELETON = 20, /* samples; rarer ones are judged together */
    FEWEST_OF_CLASS = 20     /* from which on a group can hold too much of it */
};
static const double alike_frames = 0.85, alike_across = 0.75;

typedef struct item {
    uint64_t people; /* judged together */
    uint64_t group;
    uint64_t number;
    size_t index;
} item;

typedef struct hunt {
    const vg_dataset *dataset;
    size_t count;
    vg_series *series;
    vg_sketches sketches;
    uint64_t *people; /* of each sample: its skeleton, 0 for rare ones */
    uint64_t *groups; /* of the rule that is tried */
    int8_t *level;    /* numbers that its series leaves out, -1: in none of frames yet */
    size_t *parent;   /* forest of what belongs together */
    uint8_t *kinds;   /* of each root, 1 << kind */
    item *items;
    size_t item_count;
    vg_sibling_pair *pairs;
    bool *chosen;
    size_t compared;
    double differ, expected; /* sums over accepted tests */
} hunt;

/* What a rule asks of two neighbours. */
typedef enum bond { BOND_ANY, BOND_FOLDERS_DIFFER, BOND_LABELS_DIFFER } bond_kind;

typedef struct series_rule {
    vg_origin_kind kind;
    bond_kind bond;
    double alike;
    bool trusted; /* few pairs are believed without a test */
    int level;
} series_rule;

static size_t root_of(hunt *h, size_t i)
{
    while (h->parent[i] != i)
        i = h->parent[i] = h->parent[h->parent[i]];
    return i;
}

static void join(hunt *h, size_t a, size_t b, vg_origin_kind kind)
{
    a = root_of(h, a);
    b = root_of(h, b);
    size_t low = a < b ? a : b, high = a < b ? b : a;
    h->parent[high] = low;
    h->kinds[low] = (uint8_t)(h->kinds[low] | h->kinds[high] | 1u << kind);
}

static int by_item(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->people != y->people)
        return x->people < y->people ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void add(hunt *h, uint64_t people, uint64_t group, size_t index)
{
    h->groups[index] = group;
    h->items[h->item_count++] = (item){people, group, h->series[index].number, index};
}

/* Group 0 is that of everything which the rule leaves out. */
static void begin(hunt *h)
{
    h->item_count = 0;
    memset(h->groups, 0, h->count * sizeof *h->groups);
}

static bool bonded(const hunt *h, bond_kind bond, const item *a, const item *b)
{
    if (a->people != b->people || a->group != b->group)
        return false;
    if (bond == BOND_FOLDERS_DIFFER)
        return h->series[a->index].folder != h->series[b->index].folder;
    if (bond == BOND_LABELS_DIFFER)
        return vg_dataset_label(h->dataset, a->index) != vg_dataset_label(h->dataset, b->index);
    return true;
}

/* ---- judging items[first, end) */

static int by_label_group(const void *a, const void *b)
{
    const vg_sibling_pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

/* Whether most samples are in groups that hold more than a third of their class. */
static bool swallows(hunt *h, size_t first, size_t end)
{
    vg_sibling_pair *sorted = h->pairs; /* as label and group */
    size_t n = end - first, swallowed = 0, eligible = 0;
    for (size_t i = 0; i < n; i++) {
        const item *it = &h->items[first + i];
        sorted[i] =
            (vg_sibling_pair){(size_t)vg_dataset_label(h->dataset, it->index), 0, it->group};
    }
    if (n > 1)
        qsort(sorted, n, sizeof *sorted, by_label_group);
    for (size_t i = 0, stop; i < n; i = stop) {
        for (stop = i; stop < n && sorted[stop].a == sorted[i].a;)
            stop++;
        if (stop - i < FEWEST_OF_CLASS)
            continue;
        eligible += stop - i;
        for (size_t g = i, other; g < stop; g = other) {
            for (other = g; other < stop && sorted[other].group == sorted[g].group;)
                other++;
            if (3 * (other - g) > stop - i)
                swallowed += other - g;
        }
    }
    return 2 * swallowed > eligible;
}

static void judge(hunt *h, const series_rule *rule, size_t first, size_t end)
{
    size_t n = 0;
    if (rule->bond == BOND_ANY && swallows(h, first, end))
        return;
    for (size_t i = first + 1; i < end; i++)
        if (bonded(h, rule->bond, &h->items[i - 1], &h->items[i]))
            h->pairs[n++] =
                (vg_sibling_pair){h->items[i - 1].index, h->items[i].index, h->items[i].group};
    vg_siblings found = {0};
    if (n)
        vg_siblings_test(&h->sketches, h->dataset, h->pairs, n, h->groups, &found);
    bool tested = found.compared >= (rule->trusted ? FEWEST_TO_DOUBT : FEWEST_PAIRS);
    if (tested ? !found.alike || found.ratio > rule->alike : !rule->trusted)
        return;
    if (found.compared) {
        h->compared += found.compared;
        h->differ += found.ratio * (double)found.compared;
        h->expected += (double)found.compared;
    }
    for (size_t i = first + 1; i < end; i++)
        if (bonded(h, BOND_ANY, &h->items[i - 1], &h->items[i]))
            join(h, h->items[i - 1].index, h->items[i].index, rule->kind);
    if (rule->kind == VG_ORIGIN_FRAMES && rule->bond == BOND_ANY)
        for (size_t i = first; i < end; i++)
            h->level[h->items[i].index] = (int8_t)rule->level;
}

static void judge_all(hunt *h, const series_rule *rule)
{
    if (h->item_count > 1)
        qsort(h->items, h->item_count, sizeof *h->items, by_item);
    for (size_t i = 0, end; i < h->item_count; i = end) {
        for (end = i; end < h->item_count && h->items[end].people == h->items[i].people;)
            end++;
        judge(h, rule, i, end);
    }
}

/* ---- the rules */

static uint64_t label_of(const hunt *h, size_t i)
{
    return (uint64_t)vg_dataset_label(h->dataset, i) + 1;
}

static void try_variants(hunt *h)
{
    static const series_rule within = {VG_ORIGIN_VARIANTS, BOND_ANY, 0.9, true, 0};
    static const series_rule across = {VG_ORIGIN_VARIANTS, BOND_FOLDERS_DIFFER, 0.75, false, 0};
    for (int pass = 0; pass < 2; pass++) {
        begin(h);
        for (size_t i = 0; i < h->count; i++) {
            const vg_series *s = &h->series[i];
            uint64_t folder = vg_mix(pass ? s->place : s->folder, label_of(h, i));
            add(h, 0, vg_mix(folder, s->stem), i);
        }
        judge_all(h, pass ? &across : &within);
    }
}

/* Whether classes have several folders of their own at all, and not one for each split. */
static bool has_folders(hunt *h)
{
    size_t several = 0;
    begin(h);
    for (size_t i = 0; i < h->count; i++)
        add(h, label_of(h, i), h->series[i].place, i);
    if (h->item_count > 1)
        qsort(h->items, h->item_count, sizeof *h->items, by_item);
    for (size_t i = 0, end; i < h->item_count; i = end) {
        size_t folders = 1;
        for (end = i + 1; end < h->item_count && h->items[end].people == h->items[i].people; end++)
            folders += h->items[end].group != h->items[end - 1].group;
        several += folders >= 3 ? end - i : 0;
    }
    return 2 * several > h->count;
}

static void try_folders(hunt *h)
{
    static const series_rule within = {VG_ORIGIN_FOLDER, BOND_ANY, 0.85, false, 0};
    static const series_rule splits = {VG_ORIGIN_FOLDER, BOND_FOLDERS_DIFFER, 0.75, false, 0};
    static const series_rule labels = {VG_ORIGIN_FOLDER, BOND_LABELS_DIFFER, 0.75, false, 0};
    if (!has_folders(h))
        return;
    for (int pass = 0; pass < 3; pass++) {
        begin(h);
        for (size_t i = 0; i < h->count; i++) {
            const vg_series *s = &h->series[i];
            add(h, 0,
                pass == 0   ? vg_mix(s->folder, label_of(h, i))
                : pass == 1 ? vg_mix(s->place, label_of(h, i))
                            : s->last,
                i);
        }
        size_t before = h->compared;
        judge_all(h, pass == 0 ? &within : pass == 1 ? &splits : &labels);
        if (pass == 0 && h->compared == before) /* no series: nothing that could go on elsewhere */
            return;
    }
}

/* Frames of one folder from the widest series to the narrowest; then where they go on. */
static void try_frames(hunt *h, int level, bond_kind bond)
{
    series_rule rule = {VG_ORIGIN_FRAMES, bond, bond == BOND_ANY ? alike_frames : alike_across,
                        false, level};
    begin(h);
    for (size_t i = 0; i < h->count; i++) {
        const vg_series *s = &h->series[i];
        bool free = h->level[i] < 0, same = h->level[i] == level;
        if (!s->key[level] || !(bond == BOND_ANY             ? free
                                : bond == BOND_LABELS_DIFFER ? same
                                                             : free || same))
            continue;
        uint64_t where = bond == BOND_ANY              ? vg_mix(s->folder, label_of(h, i))
                         : bond == BOND_FOLDERS_DIFFER ? vg_mix(s->place, label_of(h, i))
                                                       : 0;
        add(h, h->people[i], vg_mix(where, s->key[level]), i);
    }
    judge_all(h, &rule);
}

static vg_status try_bursts(hunt *h, vg_error *err)
{
    size_t n = 0, some = 0;
    if (!h->sketches.pixels)
        return VG_OK;
    begin(h);
    for (size_t i = 0; i < h->count; i++) {
        const vg_series *s = &h->series[i];
        if (s->numbers && h->level[i] < 0)
            add(h, h->people[i], vg_mix(vg_mix(s->place, label_of(h, i)), s->key[0]), i);
    }
    if (h->item_count > 1)
        qsort(h->items, h->item_count, sizeof *h->items, by_item);
    for (size_t i = 1; i < h->item_count; i++)
        if (bonded(h, BOND_ANY, &h->items[i - 1], &h->items[i]))
            h->pairs[n++] =
                (vg_sibling_pair){h->items[i - 1].index, h->items[i].index, h->items[i].group};
    vg_status status =
        n ? vg_siblings_choose(&h->sketches, h->dataset, h->pairs, n, h->chosen, &some, err)
          : VG_OK;
    for (size_t i = 0; !status && i < n; i++)
        if (h->chosen[i])
            join(h, h->pairs[i].a, h->pairs[i].b, VG_ORIGIN_BURST);
    h->compared += some;
    return status;
}

static vg_status try_all(hunt *h, vg_error *err)
{
    try_variants(h);
    try_folders(h);
    for (int level = VG_SERIES_LEVELS - 1; level >= 0; level--)
        try_frames(h, level, BOND_ANY);
    for (int level = VG_SERIES_LEVELS - 1; level >= 0; level--)
        try_frames(h, level, BOND_FOLDERS_DIFFER);
    for (int level = VG_SERIES_LEVELS - 1; level >= 0; level--)
        try_frames(h, level, BOND_LABELS_DIFFER);
    return try_bursts(h, err);
}

/* ---- what was found */

static void finish_group(hunt *h, vg_origins *f, vg_origin_group *g)
{
    bool in[VG_SPLIT_COUNT] = {false};
    const size_t *m = f->members + g->begin;
    for (size_t i = 0; i < g->count; i++) {
        in[vg_dataset_split(h->dataset, m[i])] = true;
        g->labels_differ |=
            vg_dataset_label(h->dataset, m[i]) != vg_dataset_label(h->dataset, m[0]);
    }
    unsigned kinds = h->kinds[root_of(h, m[0])];
    for (int k = 0; k < VG_ORIGIN_KINDS; k++)
        if (kinds & 1u << k)
            g->kind = (vg_origin_kind)k;
    f->of_kind[g->kind]++;
    g->torn = in[VG_SPLIT_TRAIN] + in[VG_SPLIT_VAL] + in[VG_SPLIT_TEST] > 1;
    g->leaks = g->torn && in[VG_SPLIT_TRAIN];
    f->torn += g->torn;
    f->leaking += g->leaks;
    for (size_t i = 0; g->leaks && i < g->count; i++)
        f->leaked[vg_dataset_split(h->dataset, m[i])]++;
    f->leaked[VG_SPLIT_TRAIN] = 0;
}

/* Whether the groups are exactly those of vg_series_group. */
static bool are_by_names(hunt *h, const vg_origins *f)
{
    begin(h);
    for (size_t i = 0; i < h->count; i++)
        add(h, 0, vg_series_group(&h->series[i]), i);
    if (h->item_count > 1)
        qsort(h->items, h->item_count, sizeof *h->items, by_item);
    for (size_t i = 1; i < h->item_count; i++)
        if (h->items[i - 1].group == h->items[i].group &&
            root_of(h, h->items[i - 1].index) != root_of(h, h->items[i].index))
            return false;
    for (size_t g = 0; g < f->group_count; g++)
        for (size_t i = 1; i < f->groups[g].count; i++) {
            const size_t *m = f->members + f->groups[g].begin;
            if (h->groups[m[i]] != h->groups[m[0]])
                return false;
        }
    return f->group_count > 0;
}

static vg_status collect(hunt *h, vg_origins *f, vg_error *err)
{
    size_t *sizes = vg_calloc(h->count, sizeof *sizes), *place = NULL;
    if (!sizes)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the series of %zu samples", h->count);
    for (size_t i = 0; i < h->count; i++)
        sizes[root_of(h, i)]++;
    for (size_t i = 0; i < h->count; i++) {
        f->group_count += sizes[i] > 1;
        f->member_count += sizes[i] > 1 ? sizes[i] : 0;
    }
    f->groups = vg_calloc(f->group_count, sizeof *f->groups);
    f->members = vg_alloc(f->member_count, sizeof *f->members);
    place = vg_alloc(h->count, sizeof *place);
    if (!f->groups || !f->members || !place) {
        free(sizes);
        free(place);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu series", f->group_count);
    }
    size_t group = 0, used = 0;
    for (size_t i = 0; i < h->count; i++) { /* a root is the first of its group */
        size_t root = root_of(h, i);
        if (sizes[root] < 2)
            continue;
        if (root == i) {
            f->groups[group++] = (vg_origin_group){.begin = used, .count = sizes[i]};
            place[i] = used;
            used += sizes[i];
        }
        f->members[place[root]++] = i;
    }
    for (size_t g = 0; g < f->group_count; g++)
        finish_group(h, f, &f->groups[g]);
    free(sizes);
    free(place);
    f->compared = h->compared;
    f->likeness = h->expected > 0 ? h->differ / h->expected : 0;
    f->by_names = are_by_names(h, f);
    return VG_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Reads all names; skeletons of few samples become 0. */
static void read_names(hunt *h)
{
    uint64_t *sorted = h->groups;
    for (size_t i = 0; i < h->count; i++) {
        char name[4096];
        vg_dataset_name(h->dataset, i, name, sizeof name);
        vg_series_read(name, &h->series[i]);
        sorted[i] = h->people[i] = h->series[i].skeleton;
        h->parent[i] = i;
        h->level[i] = -1;
    }
    if (h->count > 1)
        qsort(sorted, h->count, sizeof *sorted, by_value);
    for (size_t i = 0; i < h->count; i++) {
        size_t low = 0, high = h->count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (sorted[middle] < h->people[i])
                low = middle + 1;
            else
                high = middle;
        }
        size_t last = low + FEWEST_OF_SKELETON - 1;
        if (last >= h->count || sorted[last] != h->people[i])
            h->people[i] = 0;
    }
}

static bool make_room(hunt *h)
{
    h->series = vg_alloc(h->count, sizeof *h->series);
    h->people = vg_alloc(h->count, sizeof *h->people);
    h->groups = vg_alloc(h->count, sizeof *h->groups);
    h->level = vg_alloc(h->count, sizeof *h->level);
    h->parent = vg_alloc(h->count, sizeof *h->parent);
    h->kinds = vg_calloc(h->count, sizeof *h->kinds);
    h->items = vg_alloc(h->count, sizeof *h->items);
    h->pairs = vg_alloc(h->count, sizeof *h->pairs);
    h->chosen = vg_alloc(h->count, sizeof *h->chosen);
    return h->series && h->people && h->groups && h->level && h->parent && h->kinds && h->items &&
           h->pairs && h->chosen;
}

static void free_room(hunt *h)
{
    free(h->series);
    free(h->people);
    free(h->groups);
    free(h->level);
    free(h->parent);
    free(h->kinds);
    free(h->items);
    free(h->pairs);
    free(h->chosen);
    vg_sketches_reset(&h->sketches);
}

vg_status vg_origins_find(const vg_dataset *dataset, const vg_fingerprint *prints,
                          vg_origins *found, vg_error *err)
{
    double start = vg_clock();
    *found = (vg_origins){0};
    if (vg_dataset_is_decoded(dataset)) /* numbered by us: the names say nothing */
        return VG_OK;
    hunt h = {.dataset = dataset, .count = vg_dataset_count(dataset)};
    vg_status status = vg_sketches_make(dataset, prints, &h.sketches, err);
    if (!status && !make_room(&h))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the series of %zu samples", h.count);
    if (!status) {
        read_names(&h);
        status = try_all(&h, err);
    }
    if (!status)
        status = collect(&h, found, err);
    free_room(&h);
    if (status)
        vg_origins_reset(found);
    found->seconds = vg_clock() - start;
    return status;
}

void vg_origins_mark(const vg_dataset *dataset, const vg_origins *found, vg_marks *marks)
{
    for (size_t g = 0; g < found->group_count; g++)
        for (size_t i = 0; found->groups[g].leaks && i < found->groups[g].count; i++) {
            size_t index = found->members[found->groups[g].begin + i];
            if (vg_dataset_split(dataset, index) != VG_SPLIT_TRAIN)
                vg_marks_set(marks, index, VG_MARK_ORIGIN_LEAK);
        }
}

void vg_origins_reset(vg_origins *found)
{
    free(found->members);
    free(found->groups);
    *found = (vg_origins){0};
}

const char *vg_origin_name(vg_origin_kind kind)
{
    static const char *const names[VG_ORIGIN_KINDS] = {"variants", "frames", "burst", "folder"};
    return names[kind];
}
