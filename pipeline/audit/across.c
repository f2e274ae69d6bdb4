/* The search for copies (neighbours.h) looks at one list of fingerprints, so those of both datasets are put behind each
 * other; of its candidates those that lie across are kept. Of each picture there the candidates are tried
 * from the most similar on, until one is proven on the pixels: which one it was matters less than that it is one. */
#include "audit/across.h"

#include "audit/neighbours.h"
#include "audit/same_picture.h"
#include "base/alloc.h"
#include "base/threads.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TRIED = 16 }; /* candidates of one picture */

struct seat {
    vg_reader reader;
    vg_image image;
    vg_fingerprint_room room;
    bool ready, failed;
};

/* A picture there with its candidates, list[begin .. begin + count). */
struct task {
    size_t there, begin, count;
    size_t proven; /* index here; SIZE_MAX: none */
    size_t looked;
};

struct search {
    const vg_dataset *const *datasets;
    size_t here; /* pictures there follow behind so many */
    const vg_candidate *list;
    struct task *tasks;
    struct seat *seats;
};

struct hashed {
    uint64_t pixels[2];
    size_t index; /* in the joint list */
};

static int by_hash(const void *left, const void *right)
{
    const struct hashed *a = left, *b = right;
    int order = memcmp(a->pixels, b->pixels, sizeof a->pixels);
    return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

/* Of every picture there with the pixels of one here, that one in exact[]; the first of equal ones. */
static bool find_exact(const vg_fingerprint *joint, size_t here, size_t count, size_t *exact)
{
    struct hashed *list = vg_alloc(count, sizeof *list);
    size_t n = 0;
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++)
        if (joint[i].ready) {
            memcpy(list[n].pixels, joint[i].pixels, sizeof list[n].pixels);
            list[n++].index = i;
        }
    if (n > 1)
        qsort(list, n, sizeof *list, by_hash);
    for (size_t i = 0, first = 0; i < n; i++) {
        if (memcmp(list[i].pixels, list[first].pixels, sizeof list[i].pixels) != 0)
            first = i;
        if (list[i].index >= here && list[first].index < here)
            exact[list[i].index - here] = list[first].index;
    }
    free(list);
    return true;
}

/* ---- candidates */

static size_t there_of(const vg_candidate *c)
{
    return c->a > c->b ? c->a : c->b;
}

static int by_there(const void *left, const void *right)
{
    const vg_candidate *p = left, *q = right;
    if (there_of(p) != there_of(q))
        return there_of(p) < there_of(q) ? -1 : 1;
    if (p->similarity != q->similarity)
        return p->similarity > q->similarity ? -1 : 1;
    size_t a = p->a < p->b ? p->a : p->b, b = q->a < q->b ? q->a : q->b;
    if (a != b)
        return a < b ? -1 : 1;
    if (p->part != q->part)
        return p->part < q->part ? -1 : 1;
    return p->turn < q->turn ? -1 : p->turn > q->turn;
}

/* Keeps those that lie across, sorted by the picture there; returns how many. */
static size_t keep_across(vg_candidate *list, size_t count, size_t here, const size_t *exact)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if ((list[i].a < here) != (list[i].b < here) &&
            exact[there_of(&list[i]) - here] == SIZE_MAX)
            list[kept++] = list[i];
    if (kept > 1)
        qsort(list, kept, sizeof *list, by_there);
    return kept;
}

static size_t make_tasks(const vg_candidate *list, size_t count, struct task *tasks)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || there_of(&list[i]) != there_of(&list[i - 1]))
            tasks[n++] = (struct task){.there = there_of(&list[i]), .begin = i, .proven = SIZE_MAX};
        if (tasks[n - 1].count < MOST_TRIED)
            tasks[n - 1].count++;
    }
    return n;
}

/* ---- the proof */

static bool read_square(const struct search *s, struct seat *seat, size_t index, uint8_t *out)
{
    bool other = index >= s->here;
    vg_status status = vg_dataset_read(s->datasets[other], other ? index - s->here : index, NULL,
                                       &seat->reader, &seat->image, NULL, NULL);
    if (!status)
        status = vg_grey_square(&seat->image, VG_MIDDLE, &seat->room, out, NULL);
    seat->failed |= status == VG_E_NOMEM;
    return status == VG_OK;
}

static void prove(void *context, int thread, size_t item)
{
    struct search *s = context;
    struct seat *seat = &s->seats[thread];
    struct task *task = &s->tasks[item];
    uint8_t there[VG_MIDDLE * VG_MIDDLE], here[VG_MIDDLE * VG_MIDDLE];
    if (!seat->ready && vg_reader_init(&seat->reader, NULL)) {
        seat->failed = true;
        return;
    }
    seat->ready = true;
    if (!read_square(s, seat, task->there, there))
        return;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < task->count && task->proven == SIZE_MAX; i++) {
        const vg_candidate *c = &s->list[task->begin + i];
        size_t index = c->a < c->b ? c->a : c->b;
        if (index != last && !read_square(s, seat, index, here))
            continue;
        last = index;
        task->looked++;
        const uint8_t *a = c->a == index ? here : there, *b = c->a == index ? there : here;
        if (vg_same_picture(a, vg_window_of(c->part), b, c->turn).same)
            task->proven = index;
    }
}

static bool prove_all(struct search *s, size_t tasks, int threads)
{
    bool enough = true;
    s->seats = vg_calloc((size_t)threads, sizeof *s->seats);
    if (!s->seats)
        return false;
    vg_parallel_for(threads, tasks, prove, s);
    for (int t = 0; t < threads; t++) {
        enough &= !s->seats[t].failed;
        if (s->seats[t].ready)
            vg_reader_reset(&s->seats[t].reader);
        vg_image_reset(&s->seats[t].image);
        vg_fingerprint_room_reset(&s->seats[t].room);
    }
    free(s->seats);
    return enough;
}

/* ---- the result */

static bool put_down(const struct search *s, const size_t *exact, size_t there, size_t tasks,
                     vg_against *against)
{
    size_t *near = vg_alloc(there, sizeof *near), capacity = 0;
    bool enough = near != NULL;
    for (size_t i = 0; enough && i < there; i++)
        near[i] = SIZE_MAX;
    for (size_t t = 0; enough && t < tasks; t++) {
        near[s->tasks[t].there - s->here] = s->tasks[t].proven;
        against->looked += s->tasks[t].looked;
    }
    for (size_t i = 0; enough && i < there; i++) {
        size_t index = exact[i] != SIZE_MAX ? exact[i] : near[i];
        if (index == SIZE_MAX)
            continue;
        enough = vg_grow(&against->across, &capacity, against->across_count + 1,
                         sizeof *against->across);
        if (!enough)
            break;
        const char *a =
            vg_dataset_class_name(s->datasets[0], vg_dataset_label(s->datasets[0], index));
        const char *b = vg_dataset_class_name(s->datasets[1], vg_dataset_label(s->datasets[1], i));
        vg_across one = {index, i, exact[i] != SIZE_MAX, strcmp(a, b) != 0};
        against->across[against->across_count++] = one;
        against->exact_across += one.exact;
        against->conflicts_across += one.labels_differ;
    }
    free(near);
    return enough;
}

vg_status vg_across_find(const vg_dataset *const datasets[2], const vg_fingerprint *const prints[2],
                         int threads, vg_against *against, vg_error *err)
{
    size_t here = vg_dataset_count(datasets[0]), there = vg_dataset_count(datasets[1]);
    size_t candidates = 0, dropped;
    vg_candidate *list = NULL;
    struct search s = {.datasets = datasets, .here = here};
    vg_fingerprint *joint = vg_alloc(here + there, sizeof *joint);
    size_t *exact = vg_alloc(there, sizeof *exact);
    bool enough = joint && exact;
    if (enough) {
        memcpy(joint, prints[0], here * sizeof *joint);
        memcpy(joint + here, prints[1], there * sizeof *joint);
        for (size_t i = 0; i < there; i++)
            exact[i] = SIZE_MAX;
        enough = find_exact(joint, here, here + there, exact);
    }
    vg_status status = VG_OK;
    if (enough)
        status = vg_neighbours_find(joint, NULL, here + there, threads, &list, &candidates,
                                    &dropped, err);
    if (enough && !status) {
        candidates = keep_across(list, candidates, here, exact);
        s.list = list;
        s.tasks = vg_alloc(candidates, sizeof *s.tasks);
        enough = s.tasks != NULL;
    }
    if (enough && !status) {
        size_t tasks = make_tasks(list, candidates, s.tasks);
        enough = prove_all(&s, tasks, threads) && put_down(&s, exact, there, tasks, against);
    }
    free(joint);
    free(exact);
    free(list);
    free(s.tasks);
    if (!enough)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the copies in %s of pictures in %s",
                       vg_dataset_path(datasets[1]), vg_dataset_path(datasets[0]));
    return status;
}
