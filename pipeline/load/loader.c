/* A ring of slots, filled by worker threads a few samples at a time and lent in order.
 *
 * Tickets (places in a batch) are handed out in order under one lock; a worker then does its samples without it.
 * A ticket is only handed out when the slot of its batch is free, so at most `slots` batches are in memory. Where a
 * sample lands in its slot follows from its position, and its random numbers from its key: which worker did it, and
 * when, leaves no trace in the bytes. The limit on bad samples is checked when a batch is lent, for the same reason.
 *
 * The loader opens no files and knows no formats (dataset/), and no augmentation (the vg_transform). */
#include "load/loader.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/threads.h"
#include "load/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORKERS = 256, TICKETS_MOST = 32 };
/* Work taken under one lock: much longer than the lock is held, much shorter than a batch of photos. */
static const double TICKETS_SECONDS = 200e-6;

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_READY, SLOT_LENT } slot_state;

struct slot {
    slot_state state;
    uint64_t batch, first; /* position of its first sample in the epoch */
    int wanted, done;      /* samples */
    float *x;
    int32_t *y;
    size_t *index;
    bool *missing; /* [share] could not be read and is left out */
    size_t *bad;   /* samples that were skipped on the way */
    size_t bad_count, bad_capacity;
    int failed_at; /* lowest place that failed, -1: none */
    vg_error failure;
};

/* On cache lines of its own: counters are written for every sample. */
struct worker {
    _Alignas(VG_ALIGNMENT) vg_fetch fetch;
    vg_loader *loader;
    vg_loader_times times; /* the fetch's, as of its last tickets; under the lock */
    pthread_t thread;
    bool started;
};

struct vg_loader {
    const vg_sampler *sampler;
    vg_fetch_plan plan;
    vg_loader_options options;
    size_t sample_floats;
    uint64_t batches; /* in an epoch */
    int slots, workers;
    struct slot *slot;
    struct worker *worker;

    pthread_mutex_t lock;
    pthread_cond_t work;  /* to workers: there may be tickets */
    pthread_cond_t ready; /* to the caller: the batch it waits for is full, or nobody is busy */
    bool quit, paused, caller_waits;
    int busy; /* workers outside the lock */
    uint32_t epoch;
    bool begun;
    uint64_t fill_batch; /* the next ticket: batch and place in our share of it */
    int fill_at;
    uint64_t next_batch; /* the next to lend */
    double waited;
};

vg_loader_options vg_loader_options_default(void)
{
    return (vg_loader_options){.batch = 32,
                               .slots = 4,
                               .ranks = 1,
                               .on_error = VG_ON_ERROR_SKIP,
                               .min_intact = 0.5,
                               .max_bad_share = 0.1,
                               .decode = vg_decode_options_default()};
}

vg_status vg_transform_picture(const vg_transform *transform, void *scratch, const vg_image *in,
                               const vg_sample_key *key, float *out, vg_error *err)
{
    vg_view view = vg_image_view(in);
    vg_region region = vg_region_whole(in->width, in->height, 1);
    return transform->run(transform->context, scratch, &view, &region, key, out, err);
}

/* ---- one place of a batch */

/* Called with the lock held. */
static void fail_slot(struct slot *slot, int place, vg_status status, const vg_error *err)
{
    if (slot->failed_at >= 0 && slot->failed_at <= place)
        return;
    slot->failed_at = place;
    slot->failure = *err;
    slot->failure.code = status;
}

static void remember_bad(vg_loader *l, struct slot *slot, int place, size_t index)
{
    vg_error err;
    pthread_mutex_lock(&l->lock);
    if (vg_grow(&slot->bad, &slot->bad_capacity, slot->bad_count + 1, sizeof *slot->bad))
        slot->bad[slot->bad_count++] = index;
    else
        fail_slot(slot, place,
                  vg_fail(&err, VG_E_NOMEM, "loader: out of memory for the list of bad files"),
                  &err);
    pthread_mutex_unlock(&l->lock);
}

/* Fills place `i` of the slot with what stands at `position`, or with its substitute. */
static void fill_place(struct worker *w, struct slot *slot, int i, uint64_t position)
{
    vg_loader *l = w->loader;
    const vg_dataset *dataset = l->plan.dataset;
    size_t first = vg_sampler_at(l->sampler, l->epoch, position), index = first, skipped = 0;
    int label = vg_dataset_label(dataset, first);
    float *out = slot->x + (size_t)i * l->sample_floats;
    vg_error err;
    err.message[0] = '\0';
    bool skip = false;
    vg_status status = VG_OK;
    for (size_t attempt = 1; index != SIZE_MAX; attempt++) {
        vg_sample_key key = {l->options.seed, l->epoch, position, index, label};
        status = vg_fetch_sample(&w->fetch, &key, out, &skip, &err);
        if (!skip)
            break;
        remember_bad(l, slot, i, index);
        if (++skipped > vg_ledger_allowed(l->plan.ledger))
            break; /* the batch will not be lent: a folder of broken files is not read to its end */
        index = vg_sampler_substitute(l->sampler, first, attempt);
    }
    slot->y[i] = (int32_t)label;
    slot->index[i] = index;
    slot->missing[i] = skip;
    if (!status || (skip && vg_sampler_mode(l->sampler) == VG_SAMPLING_SEQUENTIAL))
        return;
    if (skip)
        status = vg_fail(&err, VG_E_FORMAT, "%s: class \"%s\" has no readable sample to train on",
                         vg_dataset_path(dataset), vg_dataset_class_name(dataset, label));
    pthread_mutex_lock(&l->lock);
    fail_slot(slot, i, status, &err);
    pthread_mutex_unlock(&l->lock);
}

/* ---- workers */

/* Our share of a batch: so many samples, the first of them at *first in the epoch. */
static int share_of(const vg_loader *l, uint64_t batch, uint64_t *first)
{
    uint64_t size = (uint64_t)l->options.batch, length = vg_sampler_length(l->sampler);
    uint64_t left = length - batch * size, n = left < size ? left : size;
    uint64_t rank = (uint64_t)l->options.rank, ranks = (uint64_t)l->options.ranks;
    uint64_t low = n * rank / ranks, high = n * (rank + 1) / ranks;
    *first = batch * size + low;
    return (int)(high - low);
}

static void begin_slot(vg_loader *l, struct slot *s, uint64_t batch)
{
    s->batch = batch;
    s->wanted = share_of(l, batch, &s->first);
    s->done = 0;
    s->failed_at = -1;
    s->bad_count = 0;
    s->state = s->wanted ? SLOT_FILLING : SLOT_READY;
}

static int tickets_at_once(const vg_loader *l, const struct worker *w, int left)
{
    double fit = TICKETS_SECONDS / (w->fetch.cost + 1e-9);
    int n = !(w->fetch.cost > 0) ? 1 : fit < TICKETS_MOST ? (int)fit : TICKETS_MOST;
    int fair = (left + l->workers - 1) / l->workers; /* nobody waits for the last one for long */
    n = n < fair ? n : fair;
    return n > 0 ? n : 1;
}

/* Takes places of one batch. Called with the lock held; 0 when there are none now. */
static int take_tickets(vg_loader *l, const struct worker *w, int *at, struct slot **slot)
{
    if (l->paused || !l->begun || (l->options.lockstep && !l->caller_waits))
        return 0;
    while (l->fill_batch < l->batches) {
        struct slot *s = &l->slot[l->fill_batch % (uint64_t)l->slots];
        if (s->state == SLOT_FREE) {
            begin_slot(l, s, l->fill_batch);
            if (s->state == SLOT_READY) {
                l->fill_batch++;
                pthread_cond_broadcast(&l->ready);
                continue;
            }
        } else if (s->state != SLOT_FILLING || s->batch != l->fill_batch) {
            return 0;
        }
        int n = tickets_at_once(l, w, s->wanted - l->fill_at);
        *at = l->fill_at;
        *slot = s;
        l->fill_at += n;
        if (l->fill_at == s->wanted) {
            l->fill_batch++;
            l->fill_at = 0;
        }
        return n;
    }
    return 0;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    vg_loader *l = w->loader;
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        int at = 0;
        struct slot *slot = NULL;
        int n = take_tickets(l, w, &at, &slot);
        if (n == 0) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        for (int i = at; i < at + n; i++)
            fill_place(w, slot, i, slot->first + (uint64_t)i);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        w->times = w->fetch.times;
        slot->done += n;
        if (slot->done == slot->wanted)
            slot->state = SLOT_READY;
        if ((slot->state == SLOT_READY && slot->batch == l->next_batch) ||
            (l->paused && l->busy == 0))
            pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- open and close */

static vg_status start_worker(vg_loader *l, struct worker *w, vg_error *err)
{
    w->loader = l;
    vg_status status = vg_fetch_init(&w->fetch, &l->plan, err);
    if (status)
        return status;
    if (pthread_create(&w->thread, NULL, work, w) != 0)
        return vg_fail(err, VG_E_NOMEM, "loader: the system gives no more threads");
    w->started = true;
    return VG_OK;
}

static bool allocate_slots(vg_loader *l)
{
    size_t ranks = (size_t)l->options.ranks, floats;
    size_t batch = ((size_t)l->options.batch + ranks - 1) / ranks;
    if (!vg_mul_size(batch, l->sample_floats, &floats))
        return false;
    for (int i = 0; i < l->slots; i++) {
        struct slot *s = &l->slot[i];
        s->x = vg_alloc_lines(floats, sizeof *s->x); /* may be large: workers touch it, not we */
        s->y = vg_alloc_aligned(batch, sizeof *s->y);
        s->index = vg_calloc(batch, sizeof *s->index);
        s->missing = vg_calloc(batch, sizeof *s->missing);
        if (!s->x || !s->y || !s->index || !s->missing)
            return false;
    }
    return true;
}

static vg_status check(const vg_transform *transform, const vg_loader_options *o, vg_error *err)
{
    if (o->batch < 1 || transform->channels < 1 || transform->height < 1 || transform->width < 1)
        return vg_fail(err, VG_E_ARG, "loader: batch %d of %d x %d x %d samples", o->batch,
                       transform->channels, transform->height, transform->width);
    if (o->ranks < 1 || o->rank < 0 || o->rank >= o->ranks)
        return vg_fail(err, VG_E_ARG,
                       "loader: rank %d of %d: expected 0 to the number of ranks - 1", o->rank,
                       o->ranks);
    if (!(o->max_bad_share >= 0 && o->max_bad_share <= 1) ||
        !(o->min_intact >= 0 && o->min_intact <= 1))
        return vg_fail(err, VG_E_ARG,
                       "loader: shares of bad samples %g and of intact rows %g: "
                       "expected 0 to 1",
                       o->max_bad_share, o->min_intact);
    return VG_OK;
}

static void set_up(vg_loader *l, const vg_dataset *dataset, const vg_sampler *sampler,
                   const vg_transform *transform, const vg_loader_options *o)
{
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->plan.giant, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->sampler = sampler;
    l->options = *o;
    l->plan.dataset = dataset;
    l->plan.transform = *transform;
    l->plan.on_error = o->on_error;
    l->plan.stored_decoded = vg_dataset_is_decoded(dataset);
    l->plan.cache = l->plan.stored_decoded ? NULL : o->cache;
    l->plan.decode = o->decode;
    l->plan.decode.allow_damaged = o->on_error == VG_ON_ERROR_REPAIR;
    l->plan.decode.min_intact = o->min_intact;
    uint64_t length = vg_sampler_length(sampler), size = (uint64_t)o->batch;
    l->batches = o->drop_last ? length / size : (length + size - 1) / size;
    l->slots = o->slots > 0 ? o->slots : 4;
    l->workers = o->threads > 0 ? o->threads : vg_threads_available();
    l->workers = l->workers > MAX_WORKERS ? MAX_WORKERS : l->workers;
    l->sample_floats =
        (size_t)transform->channels * (size_t)transform->height * (size_t)transform->width;
}

vg_status vg_loader_open(const vg_dataset *dataset, const vg_sampler *sampler,
                         const vg_transform *transform, const vg_loader_options *options,
                         vg_loader **loader, vg_error *err)
{
    *loader = NULL;
    vg_status status = check(transform, options, err);
    if (status)
        return status;
    vg_loader *l = vg_calloc(1, sizeof *l);
    if (!l)
        return vg_fail(err, VG_E_NOMEM, "loader: out of memory");
    set_up(l, dataset, sampler, transform, options);
    l->slot = vg_calloc((size_t)l->slots, sizeof *l->slot);
    l->worker = vg_alloc_aligned((size_t)l->workers, sizeof *l->worker);
    status = vg_ledger_new(vg_dataset_count(dataset), vg_sampler_samples(sampler),
                           options->max_bad_share, &l->plan.ledger, err);
    if (!status && (!l->slot || !l->worker || !allocate_slots(l)))
        status = vg_fail(err, VG_E_NOMEM, "loader: out of memory for %d batches of %d samples",
                         l->slots, options->batch);
    for (int i = 0; !status && i < l->workers; i++)
        status = start_worker(l, &l->worker[i], err);
    if (status) {
        vg_loader_close(l);
        return status;
    }
    *loader = l;
    return VG_OK;
}

void vg_loader_close(vg_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; l->worker && i < l->workers; i++) {
        if (l->worker[i].started)
            pthread_join(l->worker[i].thread, NULL);
        vg_fetch_reset(&l->worker[i].fetch);
    }
    for (int i = 0; l->slot && i < l->slots; i++) {
        free(l->slot[i].x);
        free(l->slot[i].y);
        free(l->slot[i].index);
        free(l->slot[i].missing);
        free(l->slot[i].bad);
    }
    free(l->slot);
    free(l->worker);
    vg_ledger_free(l->plan.ledger);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->plan.giant);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- lending */

vg_status vg_loader_begin(vg_loader *l, uint32_t epoch, uint64_t first_batch, vg_error *err)
{
    if (first_batch > l->batches)
        return vg_fail(err, VG_E_ARG, "loader: batch %llu of an epoch of %llu",
                       (unsigned long long)first_batch, (unsigned long long)l->batches);
    vg_status status = VG_OK;
    pthread_mutex_lock(&l->lock);
    l->paused = true;
    while (l->busy > 0)
        pthread_cond_wait(&l->ready, &l->lock);
    for (int i = 0; i < l->slots; i++) {
        if (l->slot[i].state == SLOT_LENT)
            status = vg_fail(err, VG_E_STATE, "loader: a batch was not released before the epoch");
    }
    if (!status) {
        for (int i = 0; i < l->slots; i++)
            l->slot[i].state = SLOT_FREE;
        l->epoch = epoch;
        l->begun = true;
        l->next_batch = first_batch;
        l->fill_batch = first_batch;
        l->fill_at = 0;
    }
    l->paused = false;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return status;
}

/* Closes the gaps that unreadable samples left. */
static int compact(const vg_loader *l, struct slot *s)
{
    int kept = 0;
    for (int i = 0; i < s->wanted; i++) {
        if (s->missing[i])
            continue;
        if (kept != i) {
            memmove(s->x + (size_t)kept * l->sample_floats, s->x + (size_t)i * l->sample_floats,
                    l->sample_floats * sizeof *s->x);
            s->y[kept] = s->y[i];
            s->index[kept] = s->index[i];
        }
        kept++;
    }
    return kept;
}

/* Waits until the slot of the next batch is full. Called with the lock held. */
static struct slot *wait_for_next(vg_loader *l)
{
    struct slot *s = &l->slot[l->next_batch % (uint64_t)l->slots];
    double t0 = vg_clock();
    while (!(s->state == SLOT_READY && s->batch == l->next_batch)) {
        if (!l->caller_waits) {
            l->caller_waits = true;
            pthread_cond_broadcast(&l->work);
        }
        pthread_cond_wait(&l->ready, &l->lock);
    }
    l->caller_waits = false;
    l->waited += vg_clock() - t0;
    return s;
}

/* Whether the batch may be lent. What makes it fail stays in the slot: asking again gives the same answer. */
static vg_status settle(vg_loader *l, const struct slot *s, vg_error *err)
{
    bool too_many = false;
    for (size_t i = 0; i < s->bad_count; i++)
        too_many |= vg_ledger_count(l->plan.ledger, s->bad[i]);
    if (too_many) {
        vg_ledger_explain(l->plan.ledger, l->plan.dataset, err);
        return VG_E_LIMIT;
    }
    if (s->failed_at < 0)
        return VG_OK;
    if (err)
        *err = s->failure;
    return s->failure.code;
}

static vg_status lend(vg_loader *l, vg_batch *batch, vg_error *err)
{
    if (!l->begun)
        return vg_fail(err, VG_E_STATE, "loader: vg_loader_begin was not called");
    while (l->next_batch < l->batches) {
        if (l->slot[l->next_batch % (uint64_t)l->slots].state == SLOT_LENT)
            return vg_fail(err, VG_E_STATE, "loader: all %d batches are lent, release one first",
                           l->slots);
        struct slot *s = wait_for_next(l);
        vg_status status = settle(l, s, err);
        if (status)
            return status;
        int count = compact(l, s);
        l->next_batch++;
        if (count == 0 && l->options.ranks == 1) {
            s->state = SLOT_FREE;
            pthread_cond_broadcast(&l->work);
            continue;
        }
        s->state = SLOT_LENT;
        *batch = (vg_batch){.x = s->x,
                            .y = s->y,
                            .index = s->index,
                            .count = count,
                            .epoch = l->epoch,
                            .first = s->first,
                            .slot = (int)(s - l->slot)};
        return VG_OK;
    }
    return VG_END;
}

vg_status vg_loader_next(vg_loader *l, vg_batch *batch, vg_error *err)
{
    pthread_mutex_lock(&l->lock);
    vg_status status = lend(l, batch, err);
    pthread_mutex_unlock(&l->lock);
    return status;
}

void vg_batch_release(vg_loader *l, const vg_batch *batch)
{
    pthread_mutex_lock(&l->lock);
    if (l->slot[batch->slot].state == SLOT_LENT)
        l->slot[batch->slot].state = SLOT_FREE;
    if (!l->options.lockstep)
        pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
}

uint64_t vg_loader_batches(const vg_loader *l)
{
    return l->batches;
}

const vg_bad_sample *vg_loader_bad(vg_loader *l, size_t *count)
{
    return vg_ledger_sorted(l->plan.ledger, count);
}

void vg_loader_bad_counts(vg_loader *l, uint64_t counts[3])
{
    vg_ledger_counts(l->plan.ledger, counts);
}

vg_loader_times vg_loader_times_of(vg_loader *l)
{
    vg_loader_times times = {.waited_by_caller = l->waited};
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < l->workers; i++) {
        const vg_loader_times *t = &l->worker[i].times;
        times.read += t->read;
        times.decode += t->decode;
        times.transform += t->transform;
        times.samples += t->samples;
        times.decoded += t->decoded;
        times.cached += t->cached;
    }
    pthread_mutex_unlock(&l->lock);
    return times;
}

vg_stage vg_loader_limit(const vg_loader_times *before, const vg_loader_times *after,
                         double seconds)
{
    if (after->waited_by_caller - before->waited_by_caller <= 0.5 * seconds)
        return VG_STAGE_CALLER;
    double read = after->read - before->read, decode = after->decode - before->decode;
    double transform = after->transform - before->transform;
    if (transform >= read && transform >= decode)
        return VG_STAGE_TRANSFORM;
    return decode >= read ? VG_STAGE_DECODE : VG_STAGE_READ;
}
