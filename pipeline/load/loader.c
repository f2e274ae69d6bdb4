/* A ring of slots, filled by worker threads one sample at a time and lent in order.
 *
 * Tickets (positions in the epoch) are handed out in order under one lock; a worker then does its whole
 * sample without it. A ticket is only handed out when the slot of its batch is free, so at most `slots`
 * batches are in memory. Where a sample lands in its slot follows from its position, and its random numbers
 * from its key: which worker did it, and when, leaves no trace in the bytes.
 *
 * The loader opens no files and knows no formats (dataset/), and no augmentation (the vg_transform). */
#include "load/loader.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "load/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICKETS = 4 /* samples taken under one lock */, MAX_WORKERS = 256 };

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_READY, SLOT_LENT } slot_state;

struct slot {
    slot_state state;
    uint64_t batch;
    int wanted, done; /* samples */
    float *x;
    int32_t *y;
    size_t *index;
    bool *missing; /* [batch] could not be read and is left out */
    int failed_at; /* lowest place that failed, -1: none */
    vg_error failure;
};

struct worker {
    vg_loader *loader;
    pthread_t thread;
    bool started;
    vg_reader reader;
    vg_image image;
    void *scratch;
    double read_seconds, transform_seconds;
    uint64_t samples;
};

struct vg_loader {
    const vg_dataset *dataset;
    const vg_sampler *sampler;
    vg_transform transform;
    vg_loader_options options;
    size_t sample_floats;
    uint64_t batches; /* in an epoch */
    int slots, workers;
    struct slot *slot;
    struct worker *worker;
    vg_ledger *ledger;

    pthread_mutex_t lock;
    pthread_cond_t work;  /* to workers: there may be tickets */
    pthread_cond_t ready; /* to the caller: a batch is full, or nobody is busy */
    bool quit, paused, caller_waits;
    int busy; /* workers outside the lock */
    uint32_t epoch;
    bool begun;
    uint64_t next_position; /* the next ticket */
    uint64_t next_batch;    /* the next to lend */
    double waited;
};

vg_loader_options vg_loader_options_default(void)
{
    return (vg_loader_options){.batch = 32,
                               .slots = 4,
                               .on_error = VG_ON_ERROR_SKIP,
                               .max_bad_share = 0.5,
                               .decode = vg_decode_options_default()};
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

vg_status vg_transform_picture(const vg_transform *transform, void *scratch, const vg_image *in,
                               const vg_sample_key *key, float *out, vg_error *err)
{
    vg_view view = vg_image_view(in);
    vg_region region = vg_region_whole(in->width, in->height, 1);
    return transform->run(transform->context, scratch, &view, &region, key, out, err);
}

/* ---- one sample */

/* Reads sample `index` and transforms it into `out`. */
static vg_status do_sample(struct worker *w, size_t index, const vg_sample_key *key, float *out,
                           vg_error *err)
{
    vg_loader *l = w->loader;
    if (vg_ledger_has(l->ledger, index))
        return vg_fail(err, VG_E_FORMAT, "known to be unreadable");
    double t0 = now();
    vg_decode_info info;
    vg_status status =
        vg_dataset_read(l->dataset, index, &l->options.decode, &w->reader, &w->image, &info, err);
    double t1 = now();
    w->read_seconds += t1 - t0;
    if (status == VG_E_FORMAT || status == VG_E_LIMIT || status == VG_E_IO) {
        if (l->options.on_error == VG_ON_ERROR_FAIL)
            return status;
        vg_status noted = vg_ledger_add(l->ledger, index, err, err);
        return noted ? noted : status;
    }
    if (status)
        return status;
    vg_view view = vg_image_view(&w->image);
    status = l->transform.run(l->transform.context, w->scratch, &view, &info.region, key, out, err);
    w->transform_seconds += now() - t1;
    w->samples++;
    return status;
}

static bool may_be_replaced(const vg_loader *l, vg_status status)
{
    return l->options.on_error == VG_ON_ERROR_SKIP &&
           (status == VG_E_FORMAT || status == VG_E_LIMIT || status == VG_E_IO);
}

/* Fills place `i` of the slot with what stands at `position`, or with its substitute. */
static void fill_place(struct worker *w, struct slot *slot, int i, uint64_t position)
{
    vg_loader *l = w->loader;
    size_t first = vg_sampler_at(l->sampler, l->epoch, position), index = first;
    vg_error err = {0};
    vg_status status = VG_OK;
    for (size_t attempt = 1;; attempt++) {
        vg_sample_key key = {l->options.seed, l->epoch, position, index,
                             vg_dataset_label(l->dataset, index)};
        float *out = slot->x + (size_t)i * l->sample_floats;
        status = do_sample(w, index, &key, out, &err);
        if (!may_be_replaced(l, status) || vg_ledger_full(l->ledger))
            break;
        index = vg_sampler_substitute(l->sampler, first, attempt);
        if (index == SIZE_MAX)
            break;
    }
    if (may_be_replaced(l, status) && vg_ledger_full(l->ledger)) {
        vg_ledger_explain(l->ledger, l->dataset, &err);
        status = VG_E_LIMIT;
    } else if (may_be_replaced(l, status)) {
        if (vg_sampler_mode(l->sampler) == VG_SAMPLING_SEQUENTIAL) {
            slot->missing[i] = true;
            return;
        }
        int label = vg_dataset_label(l->dataset, first);
        vg_fail(&err, VG_E_FORMAT, "%s: class \"%s\" has no readable sample to train on",
                vg_dataset_path(l->dataset), vg_dataset_class_name(l->dataset, label));
    }
    slot->y[i] = (int32_t)vg_dataset_label(l->dataset, first);
    slot->index[i] = index;
    if (status) {
        pthread_mutex_lock(&l->lock);
        if (slot->failed_at < 0 || i < slot->failed_at) {
            slot->failed_at = i;
            slot->failure = err;
            slot->failure.code = status;
        }
        pthread_mutex_unlock(&l->lock);
    }
}

/* ---- workers */

/* Takes up to TICKETS positions of one batch. Called with the lock held; 0 when there are none now. */
static int take_tickets(vg_loader *l, uint64_t *first, struct slot **slot)
{
    if (l->paused || (l->options.lockstep && !l->caller_waits))
        return 0;
    uint64_t size = (uint64_t)l->options.batch, batch = l->next_position / size;
    if (!l->begun || batch >= l->batches)
        return 0;
    struct slot *s = &l->slot[batch % (uint64_t)l->slots];
    if (s->state == SLOT_FREE) {
        uint64_t left = vg_sampler_length(l->sampler) - batch * size;
        s->state = SLOT_FILLING;
        s->batch = batch;
        s->wanted = (int)(left < size ? left : size);
        s->done = 0;
        s->failed_at = -1;
        memset(s->missing, 0, (size_t)l->options.batch * sizeof *s->missing);
    } else if (s->state != SLOT_FILLING || s->batch != batch) {
        return 0;
    }
    int at = (int)(l->next_position % size), n = s->wanted - at;
    n = n > TICKETS ? TICKETS : n;
    *first = l->next_position;
    *slot = s;
    l->next_position += (uint64_t)n;
    if (at + n == s->wanted)
        l->next_position = (batch + 1) * size; /* a short last batch ends the epoch */
    return n;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    vg_loader *l = w->loader;
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        uint64_t first = 0;
        struct slot *slot = NULL;
        int n = take_tickets(l, &first, &slot);
        if (n == 0) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        for (int i = 0; i < n; i++)
            fill_place(w, slot, (int)((first + (uint64_t)i) % (uint64_t)l->options.batch),
                       first + (uint64_t)i);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        slot->done += n;
        if (slot->done == slot->wanted)
            slot->state = SLOT_READY;
        if (slot->state == SLOT_READY || l->busy == 0)
            pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- open and close */

static vg_status start_worker(vg_loader *l, struct worker *w, vg_error *err)
{
    w->loader = l;
    vg_status status = vg_reader_init(&w->reader, err);
    if (!status && l->transform.scratch_new)
        status = l->transform.scratch_new(l->transform.context, &w->scratch, err);
    if (status)
        return status;
    if (pthread_create(&w->thread, NULL, work, w) != 0)
        return vg_fail(err, VG_E_NOMEM, "loader: the system gives no more threads");
    w->started = true;
    return VG_OK;
}

static bool allocate_slots(vg_loader *l)
{
    size_t batch = (size_t)l->options.batch, floats;
    if (!vg_mul_size(batch, l->sample_floats, &floats))
        return false;
    for (int i = 0; i < l->slots; i++) {
        struct slot *s = &l->slot[i];
        s->x = vg_alloc_aligned(floats, sizeof *s->x);
        s->y = vg_alloc_aligned(batch, sizeof *s->y);
        s->index = vg_calloc(batch, sizeof *s->index);
        s->missing = vg_calloc(batch, sizeof *s->missing);
        if (!s->x || !s->y || !s->index || !s->missing)
            return false;
    }
    return true;
}

vg_status vg_loader_open(const vg_dataset *dataset, const vg_sampler *sampler,
                         const vg_transform *transform, const vg_loader_options *options,
                         vg_loader **loader, vg_error *err)
{
    *loader = NULL;
    if (options->batch < 1 || transform->channels < 1 || transform->height < 1 ||
        transform->width < 1)
        return vg_fail(err, VG_E_ARG, "loader: batch %d of %d x %d x %d samples", options->batch,
                       transform->channels, transform->height, transform->width);
    vg_loader *l = vg_calloc(1, sizeof *l);
    if (!l)
        return vg_fail(err, VG_E_NOMEM, "loader: out of memory");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->dataset = dataset;
    l->sampler = sampler;
    l->transform = *transform;
    l->options = *options;
    uint64_t length = vg_sampler_length(sampler), size = (uint64_t)options->batch;
    l->batches = options->drop_last ? length / size : (length + size - 1) / size;
    l->slots = options->slots > 0 ? options->slots : 4;
    l->workers = options->threads > 0 ? options->threads : vg_threads_available();
    l->workers = l->workers > MAX_WORKERS ? MAX_WORKERS : l->workers;
    l->sample_floats =
        (size_t)transform->channels * (size_t)transform->height * (size_t)transform->width;
    l->slot = vg_calloc((size_t)l->slots, sizeof *l->slot);
    l->worker = vg_calloc((size_t)l->workers, sizeof *l->worker);
    vg_status status =
        vg_ledger_new(vg_dataset_count(dataset), length, options->max_bad_share, &l->ledger, err);
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
        struct worker *w = &l->worker[i];
        if (w->started)
            pthread_join(w->thread, NULL);
        vg_reader_reset(&w->reader);
        vg_image_reset(&w->image);
        if (w->scratch && l->transform.scratch_free)
            l->transform.scratch_free(w->scratch);
    }
    for (int i = 0; l->slot && i < l->slots; i++) {
        free(l->slot[i].x);
        free(l->slot[i].y);
        free(l->slot[i].index);
        free(l->slot[i].missing);
    }
    free(l->slot);
    free(l->worker);
    vg_ledger_free(l->ledger);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->work);
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
        l->next_position = first_batch * (uint64_t)l->options.batch;
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
    double t0 = now();
    while (!(s->state == SLOT_READY && s->batch == l->next_batch)) {
        if (!l->caller_waits) {
            l->caller_waits = true;
            pthread_cond_broadcast(&l->work);
        }
        pthread_cond_wait(&l->ready, &l->lock);
    }
    l->caller_waits = false;
    l->waited += now() - t0;
    return s;
}

vg_status vg_loader_next(vg_loader *l, vg_batch *batch, vg_error *err)
{
    pthread_mutex_lock(&l->lock);
    if (!l->begun) {
        pthread_mutex_unlock(&l->lock);
        return vg_fail(err, VG_E_STATE, "loader: vg_loader_begin was not called");
    }
    while (l->next_batch < l->batches) {
        if (l->slot[l->next_batch % (uint64_t)l->slots].state == SLOT_LENT) {
            pthread_mutex_unlock(&l->lock);
            return vg_fail(err, VG_E_STATE, "loader: all %d batches are lent, release one first",
                           l->slots);
        }
        struct slot *s = wait_for_next(l);
        if (s->failed_at >= 0) {
            if (err)
                *err = s->failure;
            vg_status status = s->failure.code;
            pthread_mutex_unlock(&l->lock);
            return status; /* the batch stays where it is: asking again gives the same answer */
        }
        int count = compact(l, s);
        l->next_batch++;
        if (count == 0) {
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
                            .first = s->batch * (uint64_t)l->options.batch,
                            .slot = (int)(s - l->slot)};
        pthread_mutex_unlock(&l->lock);
        return VG_OK;
    }
    pthread_mutex_unlock(&l->lock);
    return VG_END;
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
    return vg_ledger_sorted(l->ledger, count);
}

vg_loader_times vg_loader_times_of(vg_loader *l)
{
    vg_loader_times times = {.waited_by_caller = l->waited};
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < l->workers; i++) {
        times.read_decode += l->worker[i].read_seconds;
        times.transform += l->worker[i].transform_seconds;
        times.samples += l->worker[i].samples;
    }
    pthread_mutex_unlock(&l->lock);
    return times;
}
