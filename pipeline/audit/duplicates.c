/* Exact copies first, by the hash of their pixels; then the candidates, the most similar first. A pair
 * that other links hold together already is not looked at: of n copies n - 1 links are proven. Candidates are
 * taken in rounds of fixed size, so that what is skipped does not depend on threads. */
#include "audit/duplicates.h"

#include "audit/neighbours.h"
#include "audit/same_colour.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/threads.h"

#include <stdlib.h>
#include <string.h>

enum { ROUND = 512, WAITING = 4 * ROUND, KEPT_BYTES = 64 << 20 };

static const double whole_area = 0.97; /* a window from here on is the whole picture */

const char *vg_copy_name(vg_copy_kind kind)
{
    static const char *const names[] = {"exact", "resaved", "turned", "cropped", "edited"};
    return names[kind];
}

/* A picture that was read again. */
struct picture {
    uint8_t middle[VG_MIDDLE * VG_MIDDLE];
    vg_colours colours;
};

struct seat {
    vg_reader reader;
    vg_image image;
    vg_fingerprint_room room;
    bool ready, failed;
};

struct hunt {
    const vg_dataset *dataset;
    const vg_fingerprint *prints;
    vg_duplicates *found;
    size_t capacity;           /* of links */
    size_t *parent;            /* union-find */
    struct picture **pictures; /* [count] read again; NULL: not yet */
    uint32_t *busy;            /* [count] round that a group (by its root) plays in */
    uint32_t round_number;
    uint8_t *settled; /* [count] an exact copy of another one */
    uint8_t *lost;    /* [count] could not be read again */
    size_t kept;      /* of pictures */
    struct seat *seats;
    vg_candidate round[ROUND], waiting[WAITING];
    vg_same verdicts[ROUND];
    size_t wanted[2 * ROUND];
    size_t in_round, wanted_count;
};

static size_t root_of(struct hunt *h, size_t i)
{
    while (h->parent[i] != i) {
        h->parent[i] = h->parent[h->parent[i]];
        i = h->parent[i];
    }
    return i;
}

static bool link_up(struct hunt *h, vg_copy copy)
{
    size_t a = root_of(h, copy.first), b = root_of(h, copy.second);
    vg_duplicates *f = h->found;
    if (a == b)
        return true;
    if (!vg_grow(&f->links, &h->capacity, f->link_count + 1, sizeof *f->links))
        return false;
    f->links[f->link_count++] = copy;
    h->parent[a > b ? a : b] = a < b ? a : b;
    return true;
}

/* ---- exact copies */

struct hashed {
    uint64_t pixels[2];
    size_t index;
};

static int by_hash(const void *left, const void *right)
{
    const struct hashed *a = left, *b = right;
    int order = memcmp(a->pixels, b->pixels, sizeof a->pixels);
    return order ? order : a->index < b->index ? -1 : a->index > b->index;
}

static bool link_exact(struct hunt *h, size_t count)
{
    struct hashed *list = vg_alloc(count, sizeof *list);
    size_t n = 0;
    bool enough = list != NULL;
    for (size_t i = 0; enough && i < count; i++)
        if (h->prints[i].ready) {
            memcpy(list[n].pixels, h->prints[i].pixels, sizeof list[n].pixels);
            list[n++].index = i;
        }
    if (n > 1)
        qsort(list, n, sizeof *list, by_hash);
    for (size_t i = 1, first = 0; enough && i < n; i++) {
        if (memcmp(list[i].pixels, list[first].pixels, sizeof list[i].pixels) != 0) {
            first = i;
            continue;
        }
        enough = link_up(h, (vg_copy){.first = list[first].index,
                                      .second = list[i].index,
                                      .kind = VG_COPY_EXACT,
                                      .window = {0, 1, 0, 1},
                                      .agreeing = 1});
        h->settled[list[i].index] = 1; /* the first of its kind speaks for it */
        h->found->exact_extra++;
    }
    free(list);
    return enough;
}

/* ---- the others, round by round */

static void read_one(void *context, int thread, size_t item)
{
    struct hunt *h = context;
    struct seat *seat = &h->seats[thread];
    size_t index = h->wanted[item];
    if (!seat->ready && vg_reader_init(&seat->reader, NULL)) {
        seat->failed = true;
        return;
    }
    seat->ready = true;
    struct picture *picture = vg_alloc(1, sizeof *picture);
    if (!picture) {
        seat->failed = true;
        return;
    }
    vg_status status =
        vg_dataset_read(h->dataset, index, NULL, &seat->reader, &seat->image, NULL, NULL);
    if (!status)
        status = vg_grey_square(&seat->image, VG_MIDDLE, &seat->room, picture->middle, NULL);
    if (!status)
        vg_colours_make(&seat->image, &picture->colours);
    h->lost[index] = status != VG_OK;
    seat->failed |= status == VG_E_NOMEM;
    h->pictures[index] = picture;
}

/* Turned, cropped, in another light, made grey: simple drawings become alike when all of it is allowed at once. Each
 * of these is believed; the more of them a pair needs, the better it must agree. */
static bool is_believable(const vg_candidate *c, const vg_same *s, bool one_is_grey)
{
    double area = (s->window.x1 - s->window.x0) * (s->window.y1 - s->window.y0);
    double middle = s->gain * 128 + s->offset - 128;
    int needs = one_is_grey + (c->turn != 0) + (area < whole_area) +
                (s->gain < 0.75 || s->gain > 1.3 || middle < -40 || middle > 40);
    if (area < whole_area && needs > 1) /* four numbers of the window were fitted besides */
        return needs == 2 && s->agreeing >= 0.97;
    return s->agreeing >= (needs < 2 ? 0.75 : needs == 2 ? 0.92 : 0.98);
}

static void judge_one(void *context, int thread, size_t item)
{
    (void)thread;
    struct hunt *h = context;
    const vg_candidate *c = &h->round[item];
    vg_same *verdict = &h->verdicts[item];
    *verdict = (vg_same){.same = false};
    if (h->lost[c->a] || h->lost[c->b])
        return;
    const struct picture *a = h->pictures[c->a], *b = h->pictures[c->b];
    *verdict = vg_same_picture(a->middle, vg_window_of(c->part), b->middle, c->turn);
    verdict->same =
        verdict->same && is_believable(c, verdict, a->colours.grey != b->colours.grey) &&
        vg_same_colour(&a->colours, verdict->window, &b->colours, c->turn, verdict->gain);
}

static void forget_pictures(struct hunt *h, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(h->pictures[i]);
        h->pictures[i] = NULL;
    }
    h->kept = 0;
}

static void want(struct hunt *h, size_t index)
{
    if (h->pictures[index])
        return;
    for (size_t i = 0; i < h->wanted_count; i++)
        if (h->wanted[i] == index)
            return;
    h->wanted[h->wanted_count++] = index;
}

static vg_copy copy_of(const vg_candidate *c, const vg_same *s)
{
    vg_copy_kind kind = VG_COPY_RESAVED;
    double area = (s->window.x1 - s->window.x0) * (s->window.y1 - s->window.y0);
    if (s->agreeing < 0.97)
        kind = VG_COPY_EDITED;
    else if (area < whole_area)
        kind = VG_COPY_CROPPED;
    else if (c->turn)
        kind = VG_COPY_TURNED;
    return (vg_copy){.first = c->a,
                     .second = c->b,
                     .kind = kind,
                     .turn = c->turn,
                     .window = s->window,
                     .agreeing = s->agreeing};
}

static bool play_round(struct hunt *h, int threads)
{
    if ((h->kept + h->in_round * 2) * sizeof(struct picture) > KEPT_BYTES)
        forget_pictures(h, vg_dataset_count(h->dataset));
    h->wanted_count = 0;
    for (size_t i = 0; i < h->in_round; i++) {
        want(h, h->round[i].a);
        want(h, h->round[i].b);
    }
    vg_parallel_for(threads, h->wanted_count, read_one, h);
    h->kept += h->wanted_count;
    for (int t = 0; t < threads; t++)
        if (h->seats[t].failed)
            return false;
    vg_parallel_for(threads, h->in_round, judge_one, h);
    for (size_t i = 0; i < h->in_round; i++) {
        h->found->compared++;
        if (!h->verdicts[i].same)
            continue;
        h->found->confirmed++;
        if (!link_up(h, copy_of(&h->round[i], &h->verdicts[i])))
            return false;
    }
    h->in_round = 0;
    return true;
}

enum fate { LINKED, BUSY, TAKEN };

static enum fate offer(struct hunt *h, const vg_candidate *c)
{
    size_t a = root_of(h, c->a), b = root_of(h, c->b);
    if (a == b)
        return LINKED;
    if (h->in_round == ROUND || h->busy[a] == h->round_number || h->busy[b] == h->round_number)
        return BUSY;
    h->busy[a] = h->busy[b] = h->round_number;
    h->round[h->in_round++] = *c;
    return TAKEN;
}

/* A round holds no group twice, so that nothing is proven that another link of the round proves too:
 * such a pair waits, and comes first in the next round. */
static bool confirm(struct hunt *h, const vg_candidate *list, size_t count, int threads)
{
    size_t next = 0, waiting = 0;
    while (next < count || waiting) {
        size_t left = 0;
        h->round_number++;
        for (size_t i = 0; i < waiting; i++)
            if (offer(h, &h->waiting[i]) == BUSY)
                h->waiting[left++] = h->waiting[i];
        for (; next < count && h->in_round < ROUND && left < WAITING; next++)
            if (offer(h, &list[next]) == BUSY)
                h->waiting[left++] = list[next];
        waiting = left;
        if (h->in_round && !play_round(h, threads))
            return false;
    }
    return true;
}

/* ---- groups */

static int by_ends(const void *left, const void *right)
{
    const vg_copy *a = left, *b = right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->second < b->second ? -1 : a->second > b->second;
}

/* The members of each group in a row: sizes at the roots, then places, then the samples in order. */
static bool make_groups(struct hunt *h, size_t count)
{
    vg_duplicates *f = h->found;
    size_t *place = vg_calloc(count, sizeof *place), members = 0;
    for (size_t i = 0; place && i < count; i++)
        place[root_of(h, i)]++;
    for (size_t i = 0; place && i < count; i++)
        if (place[i] > 1) {
            f->group_count++;
            members += place[i];
        }
    f->groups = vg_calloc(f->group_count, sizeof *f->groups);
    f->members = vg_alloc(members, sizeof *f->members);
    if (!place || !f->groups || !f->members) {
        free(place);
        return false;
    }
    size_t next = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = place[i];
        place[i] = SIZE_MAX; /* alone */
        if (n > 1) {
            f->groups[next] = (vg_copy_group){.begin = at};
            place[i] = next++;
            at += n;
        }
    }
    for (size_t i = 0; i < count; i++) {
        size_t g = place[root_of(h, i)];
        if (g == SIZE_MAX)
            continue;
        vg_copy_group *group = &f->groups[g];
        size_t first = group->count ? f->members[group->begin] : i;
        f->members[group->begin + group->count++] = i;
        group->labels_differ |=
            vg_dataset_label(h->dataset, i) != vg_dataset_label(h->dataset, first);
        group->splits_differ |=
            vg_dataset_split(h->dataset, i) != vg_dataset_split(h->dataset, first);
    }
    for (size_t i = 0; i < f->link_count; i++) {
        vg_copy_group *group = &f->groups[place[root_of(h, f->links[i].first)]];
        if (f->links[i].kind > group->weakest)
            group->weakest = f->links[i].kind;
    }
    free(place);
    return true;
}

static bool hunt_all(struct hunt *h, size_t count, int threads, const vg_candidate *list,
                     size_t candidates)
{
    vg_duplicates *f = h->found;
    if (!confirm(h, list, candidates, threads) || !make_groups(h, count))
        return false;
    if (f->link_count > 1)
        qsort(f->links, f->link_count, sizeof *f->links, by_ends);
    f->extra = f->link_count;
    for (size_t g = 0; g < f->group_count; g++)
        f->conflicts += f->groups[g].labels_differ;
    return true;
}

vg_status vg_duplicates_find(const vg_dataset *dataset, const vg_fingerprint *prints, int threads,
                             vg_duplicates *found, vg_error *err)
{
    double start = vg_clock();
    size_t count = vg_dataset_count(dataset), candidates = 0;
    vg_candidate *list = NULL;
    threads = threads < 1 ? vg_threads_available() : threads;
    *found = (vg_duplicates){0};
    struct hunt *h = vg_calloc(1, sizeof *h);
    bool enough = h != NULL;
    if (enough) {
        h->dataset = dataset;
        h->prints = prints;
        h->found = found;
        h->parent = vg_alloc(count, sizeof *h->parent);
        h->pictures = vg_calloc(count, sizeof(struct picture *));
        h->busy = vg_calloc(count, sizeof *h->busy);
        h->settled = vg_calloc(count, 1);
        h->lost = vg_calloc(count, 1);
        h->seats = vg_calloc((size_t)threads, sizeof *h->seats);
        enough = h->parent && h->pictures && h->busy && h->settled && h->lost && h->seats;
    }
    for (size_t i = 0; enough && i < count; i++)
        h->parent[i] = i;
    enough = enough && link_exact(h, count);
    vg_status status = VG_OK;
    if (enough)
        status = vg_neighbours_find(prints, h->settled, count, threads, &list, &candidates,
                                    &found->dropped, err);
    if (enough && !status)
        enough = hunt_all(h, count, threads, list, candidates);
    if (!enough)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for the search for copies",
                         vg_dataset_path(dataset));
    for (int t = 0; h && h->seats && t < threads; t++) {
        if (h->seats[t].ready)
            vg_reader_reset(&h->seats[t].reader);
        vg_image_reset(&h->seats[t].image);
        vg_fingerprint_room_reset(&h->seats[t].room);
    }
    if (h && h->pictures)
        forget_pictures(h, count);
    if (h) {
        free(h->parent);
        free(h->pictures);
        free(h->busy);
        free(h->settled);
        free(h->lost);
        free(h->seats);
    }
    free(h);
    free(list);
    if (status)
        vg_duplicates_reset(found);
    found->seconds = vg_clock() - start;
    return status;
}

void vg_duplicates_reset(vg_duplicates *found)
{
    free(found->links);
    free(found->members);
    free(found->groups);
    *found = (vg_duplicates){0};
}
