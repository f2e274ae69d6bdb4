/* Marks decide what is left out, a forest over copies and series what stays together. Splits are made from
 * hashes of names alone, so that cleaning a dataset that has grown moves as little as can be. Refuses to guess:
 * pictures with two labels are left out altogether, and what only looks alike across classes is not touched. */
#include "audit/fix.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/series.h"

#include <stdlib.h>
#include <string.h>

#define BIT(mark) (UINT32_C(1) << (mark))
static const uint32_t copies = BIT(VG_MARK_EXACT_COPY) | BIT(VG_MARK_NEAR_COPY);
static const uint32_t leaks = BIT(VG_MARK_LEAK) | BIT(VG_MARK_ORIGIN_LEAK);

vg_fix_choice vg_fix_choice_default(void)
{
    return (vg_fix_choice){copies | BIT(VG_MARK_BROKEN), true, true};
}

static vg_status take_word(const char *word, vg_fix_choice *choice, vg_error *err)
{
    vg_mark mark;
    if (strcmp(word, "leaks") == 0)
        choice->together = true;
    else if (strcmp(word, "copies") == 0)
        choice->leave_out |= copies;
    else if (strcmp(word, "conflicts") == 0)
        choice->conflicts = true;
    else if (vg_mark_parse(word, &mark, NULL) != VG_OK) {
        const char *words[VG_MARKS + 3] = {"copies", "conflicts", "leaks"};
        for (int m = 0; m < VG_MARKS; m++)
            words[m + 3] = vg_mark_name((vg_mark)m);
        const char *near = vg_nearest(word, words, VG_MARKS + 3);
        return vg_fail(err, VG_E_ARG,
                       "found \"%s\"%s%s%s, expected copies, conflicts, leaks or marks of what is "
                       "to be left out (broken, flat, blurred ...)",
                       word, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
    } else if (BIT(mark) & leaks)
        choice->together = true;
    else
        choice->leave_out |= BIT(mark);
    return VG_OK;
}

vg_status vg_fix_choice_parse(const char *list, vg_fix_choice *choice, vg_error *err)
{
    *choice = (vg_fix_choice){0};
    vg_status status = VG_OK;
    for (const char *at = list; !status; at++) {
        char word[64];
        size_t length = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), at);
        status = take_word(word, choice, err);
        at += length;
        if (!*at)
            break;
    }
    return status;
}

void vg_fix_choice_print(const vg_fix_choice *choice, char *text, size_t capacity)
{
    vg_line line = vg_line_begin(text, capacity);
    for (int m = 0; m < VG_MARKS; m++)
        if (choice->leave_out & BIT(m))
            vg_line_put(&line, "%s%s", line.used ? "," : "", vg_mark_name((vg_mark)m));
    if (choice->conflicts)
        vg_line_put(&line, "%sconflicts", line.used ? "," : "");
    if (choice->together)
        vg_line_put(&line, "%sleaks", line.used ? "," : "");
}

const char *vg_fix_move_name(vg_fix_move move)
{
    static const char *const names[VG_FIX_MOVES] = {"stays", "group", "class"};
    return names[move];
}

/* ---- what is left out */

/* What the copies say of each sample. */
typedef struct verdicts {
    size_t *stays;   /* the one that it is a copy of, SIZE_MAX: of none */
    size_t *parent;  /* forest of exact and resaved copies */
    bool *conflicts; /* roots: of several labels */
} verdicts;

static size_t find_root(size_t *parent, size_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

static vg_status judge_copies(const vg_dataset *dataset, const vg_audit *audit, verdicts *v,
                              vg_error *err)
{
    const vg_duplicates *d = &audit->copies;
    size_t n = audit->found;
    *v = (verdicts){vg_alloc(n, sizeof *v->stays), vg_alloc(n, sizeof *v->parent),
                    vg_calloc(n, sizeof *v->conflicts)};
    if (!v->stays || !v->parent || !v->conflicts)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the copies of %zu samples", n);
    for (size_t i = 0; i < n; i++) {
        v->stays[i] = SIZE_MAX;
        v->parent[i] = i;
    }
    for (size_t g = 0; g < d->group_count; g++)
        for (size_t i = 0; i < d->groups[g].count; i++) {
            size_t index = d->members[d->groups[g].begin + i];
            v->stays[index] = d->groups[g].stays == index ? SIZE_MAX : d->groups[g].stays;
        }
    for (size_t i = 0; i < d->link_count; i++)
        if (d->links[i].kind <= VG_COPY_RESAVED)
            v->parent[find_root(v->parent, d->links[i].second)] =
                find_root(v->parent, d->links[i].first);
    for (size_t i = 0; i < n; i++) {
        size_t root = find_root(v->parent, i);
        if (vg_dataset_label(dataset, i) != vg_dataset_label(dataset, root))
            v->conflicts[root] = true;
    }
    return VG_OK;
}

/* Why a sample is left out, VG_MARKS: it is not. */
static vg_mark reason_of(const vg_dataset *dataset, const vg_audit *audit, verdicts *v,
                         const vg_fix_choice *choice, size_t i)
{
    uint32_t marks = audit->marks.of[i] & choice->leave_out;
    if (marks & BIT(VG_MARK_BROKEN))
        return VG_MARK_BROKEN;
    bool conflict = choice->conflicts && v->conflicts[find_root(v->parent, i)];
    if (conflict || marks & BIT(VG_MARK_LABEL_CONFLICT))
        return VG_MARK_LABEL_CONFLICT;
    size_t stays = v->stays[i]; /* itself no copy: asked for at most once */
    if (marks & copies && stays != SIZE_MAX &&
        (vg_dataset_label(dataset, stays) != vg_dataset_label(dataset, i) ||
         reason_of(dataset, audit, v, choice, stays) != VG_MARKS))
        marks &= ~copies;
    for (int m = 0; m < VG_MARKS; m++)
        if (marks & BIT(m))
            return (vg_mark)m;
    return VG_MARKS;
}

static vg_status leave_out(const vg_dataset *dataset, const vg_audit *audit,
                           const vg_fix_choice *choice, vg_fix *fix, vg_error *err)
{
    verdicts v;
    vg_status status = judge_copies(dataset, audit, &v, err);
    for (size_t i = 0; !status && i < fix->count; i++) {
        vg_fix_sample *s = &fix->samples[i];
        s->why = reason_of(dataset, audit, &v, choice, i);
        s->kept = s->why == VG_MARKS;
        fix->of[i] = SIZE_MAX;
    }
    for (size_t i = 0; !status && i < fix->count; i++) {
        vg_fix_sample *s = &fix->samples[i];
        if (s->kept)
            continue;
        if (BIT(s->why) & copies)
            fix->of[i] = v.stays[i];
        fix->left_out[s->why]++;
    }
    free(v.stays);
    free(v.parent);
    free(v.conflicts);
    return status;
}

/* ---- what stays together */

typedef struct plan {
    const vg_dataset *dataset;
    vg_fix *fix;
    size_t *parent;
    uint64_t *hash;                    /* of each root: the smallest of its members' groups */
    size_t (*members)[VG_SPLIT_COUNT]; /* of each root */
    int *label;                        /* of each root; -1: of several classes */
    double train, val;
} plan;

static size_t root_of(plan *p, size_t i)
{
    while (p->parent[i] != i)
        i = p->parent[i] = p->parent[p->parent[i]];
    return i;
}

static void join_kept(plan *p, const size_t *members, size_t count)
{
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!p->fix->samples[members[i]].kept)
            continue;
        if (before != SIZE_MAX) {
            size_t a = root_of(p, before), b = root_of(p, members[i]);
            p->parent[a < b ? b : a] = a < b ? a : b;
        }
        before = members[i];
    }
}

static size_t size_of(const plan *p, size_t root)
{
    return p->members[root][0] + p->members[root][1] + p->members[root][2];
}

/* Fills what is known of each root. */
static void measure(plan *p)
{
    for (size_t i = 0; i < p->fix->count; i++) {
        if (!p->fix->samples[i].kept)
            continue;
        char name[4096];
        vg_series series;
        size_t root = root_of(p, i);
        int label = vg_dataset_label(p->dataset, i);
        vg_dataset_name(p->dataset, i, name, sizeof name);
        vg_series_read(name, &series);
        uint64_t hash = vg_series_group(&series);
        bool first = root == i;
        p->hash[root] = first || hash < p->hash[root] ? hash : p->hash[root];
        p->label[root] = first || p->label[root] == label ? label : -1;
        p->members[root][vg_dataset_split(p->dataset, i)]++;
    }
}

static vg_split split_of_group(const plan *p, size_t root)
{
    const size_t *n = p->members[root];
    if (!vg_dataset_brings_splits(p->dataset))
        return vg_split_of_hash(p->hash[root], p->train, p->val);
    vg_split most = VG_SPLIT_TRAIN;
    for (int s = 1; s < VG_SPLIT_COUNT; s++)
        if (n[s] > n[most])
            most = (vg_split)s;
    return most;
}

static void keep_together(plan *p, const vg_audit *audit)
{
    const vg_duplicates *d = &audit->copies;
    const vg_origins *o = &audit->origins;
    for (size_t g = 0; g < d->group_count; g++)
        join_kept(p, d->members + d->groups[g].begin, d->groups[g].count);
    for (size_t g = 0; g < o->group_count; g++)
        join_kept(p, o->members + o->groups[g].begin, o->groups[g].count);
    measure(p);
    for (size_t i = 0; i < p->fix->count; i++) {
        vg_fix_sample *s = &p->fix->samples[i];
        size_t root = root_of(p, i);
        if (s->kept && size_of(p, root) > 1)
            s->split = split_of_group(p, root);
        if (s->kept && s->split != vg_dataset_split(p->dataset, i))
            s->move = VG_FIX_WITH_GROUP;
    }
}

/* ---- classes without anything in a split */

/* Of a class: its units in each split, and the one of them that goes first when another split has none. */
struct stock {
    size_t units[VG_SPLIT_COUNT];
    size_t giver[VG_SPLIT_COUNT]; /* root */
    uint64_t rank[VG_SPLIT_COUNT];
};

static void take_stock(plan *p, struct stock *stocks)
{
    for (size_t i = 0; i < p->fix->count; i++) {
        const vg_fix_sample *s = &p->fix->samples[i];
        if (!s->kept || root_of(p, i) != i)
            continue;
        int label = vg_dataset_label(p->dataset, i);
        struct stock *stock = &stocks[label];
        uint64_t rank = vg_mix(p->hash[i], 1);
        if (p->label[i] != label) /* of several classes: stays where it is */
            continue;
        if (!stock->units[s->split]++ || rank < stock->rank[s->split]) {
            stock->rank[s->split] = rank;
            stock->giver[s->split] = i;
        }
    }
}

/* One unit goes to each empty split, from the one that has most; one at a time. Returns whether any did. */
static bool fill_once(plan *p, struct stock *stocks, size_t *from_root, vg_split *to)
{
    const double share[] = {p->train, p->val, 1 - p->train - p->val};
    bool any = false;
    for (int k = 0; k < vg_dataset_classes(p->dataset); k++) {
        struct stock *s = &stocks[k];
        int most = 0, empty = -1;
        for (int i = 0; i < VG_SPLIT_COUNT; i++) {
            most = s->units[i] > s->units[most] ? i : most;
            if (empty < 0 && !s->units[i] && share[i] > 1e-9)
                empty = i;
        }
        from_root[k] = SIZE_MAX;
        if (empty < 0 || s->units[0] + s->units[1] + s->units[2] < 3 || s->units[most] < 2)
            continue;
        from_root[k] = s->giver[most];
        to[k] = (vg_split)empty;
        any = true;
    }
    return any;
}

static vg_status fill_classes(plan *p, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(p->dataset);
    struct stock *stocks = vg_alloc(classes, sizeof *stocks);
    size_t *from = vg_alloc(classes, sizeof *from);
    vg_split *to = vg_alloc(classes, sizeof *to);
    vg_status status = VG_OK;
    if (!stocks || !from || !to)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the splits of %zu classes", classes);
    for (int round = 0; !status && round < 2; round++) { /* two splits may be empty */
        memset(stocks, 0, classes * sizeof *stocks);
        take_stock(p, stocks);
        if (!fill_once(p, stocks, from, to))
            break;
        for (size_t i = 0; i < p->fix->count; i++) {
            vg_fix_sample *s = &p->fix->samples[i];
            int label = vg_dataset_label(p->dataset, i);
            if (!s->kept || root_of(p, i) != from[label])
                continue;
            s->split = to[label];
            s->move = s->split == vg_dataset_split(p->dataset, i) ? VG_FIX_STAYS : VG_FIX_FOR_CLASS;
        }
    }
    free(stocks);
    free(from);
    free(to);
    return status;
}

/* ---- the whole */

static vg_status assign_splits(const vg_dataset *dataset, const vg_audit *audit, vg_fix *fix,
                               vg_error *err)
{
    vg_dataset_options options = vg_dataset_options_of(dataset);
    plan p = {.dataset = dataset,
              .fix = fix,
              .parent = vg_alloc(fix->count, sizeof *p.parent),
              .hash = vg_alloc(fix->count, sizeof *p.hash),
              .members = vg_calloc(fix->count, sizeof *p.members),
              .label = vg_alloc(fix->count, sizeof *p.label),
              .train = options.train_share,
              .val = options.val_share};
    vg_status status = VG_OK;
    if (!p.parent || !p.hash || !p.members || !p.label)
        status =
            vg_fail(err, VG_E_NOMEM, "out of memory for the splits of %zu samples", fix->count);
    if (!status) {
        for (size_t i = 0; i < fix->count; i++)
            p.parent[i] = i;
        keep_together(&p, audit);
        if (!vg_dataset_brings_splits(dataset))
            status = fill_classes(&p, err);
    }
    free(p.parent);
    free(p.hash);
    free(p.members);
    free(p.label);
    return status;
}

static void add_up(const vg_dataset *dataset, vg_fix *fix)
{
    for (size_t i = 0; i < fix->count; i++) {
        const vg_fix_sample *s = &fix->samples[i];
        fix->before[vg_dataset_split(dataset, i)]++;
        fix->kept += s->kept;
        fix->after[s->split] += s->kept;
        fix->moved += s->kept && s->move != VG_FIX_STAYS;
    }
}

vg_status vg_fix_plan(const vg_dataset *dataset, const vg_audit *audit, const vg_fix_choice *choice,
                      vg_fix *fix, vg_error *err)
{
    *fix = (vg_fix){.count = audit->found};
    if (audit->labels_only)
        return vg_fail(err, VG_E_ARG, "%s: no picture was opened, so that nothing can be fixed",
                       vg_dataset_path(dataset));
    fix->samples = vg_calloc(fix->count, sizeof *fix->samples);
    fix->of = vg_alloc(fix->count, sizeof *fix->of);
    vg_status status = VG_OK;
    if (!fix->samples || !fix->of)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the list of %zu samples", fix->count);
    if (!status) {
        for (size_t i = 0; i < fix->count; i++)
            fix->samples[i].split = vg_dataset_split(dataset, i);
        status = leave_out(dataset, audit, choice, fix, err);
        if (!status && choice->together)
            status = assign_splits(dataset, audit, fix, err);
    }
    if (!status) {
        add_up(dataset, fix);
        if (!fix->kept)
            status = vg_fail(err, VG_E_STATE, "%s: nothing would be left of %zu samples",
                             vg_dataset_path(dataset), fix->count);
    }
    if (status)
        vg_fix_reset(fix);
    return status;
}

void vg_fix_reset(vg_fix *fix)
{
    free(fix->samples);
    free(fix->of);
    *fix = (vg_fix){0};
}
