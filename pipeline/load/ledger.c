/* A byte per sample says at once what is known of it, so that no epoch tries a bad file twice and only the first
 * touch has to look for damage in the whole file. The reasons are kept in a list that is sorted when somebody
 * reads it, because workers find bad samples in any order.
 *
 * Suspicious samples may be all of a large dataset (a camera that writes bytes after the end marker), so only the
 * first of them by index are listed: what is listed must not depend on the order in which workers come by. */
#include "load/ledger.h"

#include "base/alloc.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SUSPICIOUS_MOST = 1000, TOLD = 3 /* in the message about too many */ };

struct list {
    vg_bad_sample *items;
    size_t count, capacity;
};

struct vg_ledger {
    pthread_mutex_t lock;
    atomic_uchar *state; /* [samples] */
    struct list bad, suspicious;
    vg_bad_sample *sorted; /* what vg_ledger_sorted gave out last: workers may move the lists */
    uint64_t counts[3];    /* by kind */
    size_t highest;        /* of the suspicious ones once these are full: their place in the list */
    size_t of, allowed, counted;
    double max_share;
};

static const char *const kind_names[] = {"skipped", "repaired", "suspicious"};
static const char *const cause_names[VG_CAUSE_COUNT] = {"unreadable", "foreign",   "damaged",
                                                        "limit",      "extension", "warning"};
static const char *const cause_words[VG_CAUSE_COUNT] = {
    "cannot be opened",  "not a picture that can be read", "damaged",
    "over a size limit", "with a wrong extension",         "with a warning"};

const char *vg_bad_kind_name(vg_bad_kind kind)
{
    return kind_names[kind];
}

const char *vg_bad_cause_name(vg_bad_cause cause)
{
    return cause_names[cause];
}

vg_status vg_ledger_new(size_t samples, size_t of, double max_share, vg_ledger **ledger,
                        vg_error *err)
{
    *ledger = NULL;
    vg_ledger *l = vg_calloc(1, sizeof *l);
    atomic_uchar *state = vg_calloc(samples, sizeof *state);
    if (!l || !state) {
        free(l);
        free((void *)state);
        return vg_fail(err, VG_E_NOMEM, "loader: out of memory for %zu samples", samples);
    }
    pthread_mutex_init(&l->lock, NULL);
    l->state = state;
    l->of = of;
    l->max_share = max_share;
    l->allowed = (size_t)ceil(max_share * (double)of);
    *ledger = l;
    return VG_OK;
}

void vg_ledger_free(vg_ledger *ledger)
{
    if (!ledger)
        return;
    pthread_mutex_destroy(&ledger->lock);
    free((void *)ledger->state);
    free(ledger->bad.items);
    free(ledger->suspicious.items);
    free(ledger->sorted);
    free(ledger);
}

int vg_ledger_state(const vg_ledger *ledger, size_t index)
{
    return atomic_load_explicit(&ledger->state[index], memory_order_relaxed);
}

static void mark(vg_ledger *ledger, size_t index, int bit)
{
    atomic_fetch_or_explicit(&ledger->state[index], (unsigned char)bit, memory_order_relaxed);
}

void vg_ledger_set_good(vg_ledger *ledger, size_t index)
{
    mark(ledger, index, VG_SAMPLE_GOOD);
}

static bool append(struct list *list, const vg_bad_sample *bad)
{
    if (!vg_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return false;
    list->items[list->count++] = *bad;
    return true;
}

/* Keeps the lowest indices. */
static bool add_suspicious(vg_ledger *l, const vg_bad_sample *bad)
{
    struct list *list = &l->suspicious;
    if (list->count < SUSPICIOUS_MOST) {
        if (!append(list, bad))
            return false;
        if (list->count < SUSPICIOUS_MOST)
            return true;
    } else if (bad->index < list->items[l->highest].index) {
        list->items[l->highest] = *bad;
    } else {
        return true;
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].index > list->items[l->highest].index)
            l->highest = i;
    return true;
}

vg_status vg_ledger_note(vg_ledger *ledger, const vg_bad_sample *bad, vg_error *err)
{
    static const int bits[] = {VG_SAMPLE_BAD, VG_SAMPLE_REPAIRED, VG_SAMPLE_GOOD};
    bool kept = true;
    pthread_mutex_lock(&ledger->lock);
    if (!(vg_ledger_state(ledger, bad->index) & bits[bad->kind])) {
        kept = bad->kind == VG_BAD_SUSPICIOUS ? add_suspicious(ledger, bad)
                                              : append(&ledger->bad, bad);
        if (kept) {
            ledger->counts[bad->kind]++;
            mark(ledger, bad->index, bits[bad->kind]);
        }
    }
    pthread_mutex_unlock(&ledger->lock);
    return kept ? VG_OK
                : vg_fail(err, VG_E_NOMEM, "loader: out of memory for the list of bad files");
}

size_t vg_ledger_allowed(const vg_ledger *ledger)
{
    return ledger->allowed;
}

bool vg_ledger_count(vg_ledger *ledger, size_t index)
{
    pthread_mutex_lock(&ledger->lock);
    if (!(vg_ledger_state(ledger, index) & VG_SAMPLE_COUNTED)) {
        mark(ledger, index, VG_SAMPLE_COUNTED);
        ledger->counted++;
    }
    bool more = ledger->counted > ledger->allowed;
    pthread_mutex_unlock(&ledger->lock);
    return more;
}

static int by_index(const void *a, const void *b)
{
    size_t i = ((const vg_bad_sample *)a)->index, j = ((const vg_bad_sample *)b)->index;
    return (i > j) - (i < j);
}

/* Only those that were counted, so that the message is the same for any number of threads. */
void vg_ledger_explain(vg_ledger *ledger, const vg_dataset *dataset, vg_error *err)
{
    size_t causes[VG_CAUSE_COUNT] = {0}, told = 0, used = 0;
    char counts[200] = "", names[420] = "";
    pthread_mutex_lock(&ledger->lock);
    if (ledger->bad.count)
        qsort(ledger->bad.items, ledger->bad.count, sizeof *ledger->bad.items, by_index);
    for (size_t i = 0; i < ledger->bad.count; i++) {
        const vg_bad_sample *bad = &ledger->bad.items[i];
        if (bad->kind != VG_BAD_SKIPPED ||
            !(vg_ledger_state(ledger, bad->index) & VG_SAMPLE_COUNTED))
            continue;
        causes[bad->cause]++;
        if (told++ < TOLD && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "; %.110s", bad->reason);
    }
    for (int k = 0; k < VG_CAUSE_COUNT; k++) {
        size_t at = strlen(counts);
        if (causes[k])
            snprintf(counts + at, sizeof counts - at, "%s%zu %s", at ? ", " : "", causes[k],
                     cause_words[k]);
    }
    vg_fail(err, VG_E_LIMIT,
            "%s: %zu of %zu samples cannot be used (%s), more than the %g %% that are allowed%s",
            vg_dataset_path(dataset), ledger->counted, ledger->of, counts, 100 * ledger->max_share,
            names);
    pthread_mutex_unlock(&ledger->lock);
}

const vg_bad_sample *vg_ledger_sorted(vg_ledger *ledger, size_t *count)
{
    pthread_mutex_lock(&ledger->lock);
    size_t bad = ledger->bad.count, all = bad + ledger->suspicious.count;
    vg_bad_sample *copy = vg_realloc(ledger->sorted, all, sizeof *copy);
    *count = copy ? all : 0; /* without memory for a copy the list is not told */
    if (copy) {
        ledger->sorted = copy;
        if (bad)
            memcpy(copy, ledger->bad.items, bad * sizeof *copy);
        if (all > bad)
            memcpy(copy + bad, ledger->suspicious.items, (all - bad) * sizeof *copy);
        qsort(copy, all, sizeof *copy, by_index);
    }
    pthread_mutex_unlock(&ledger->lock);
    return ledger->sorted;
}

void vg_ledger_counts(vg_ledger *ledger, uint64_t counts[3])
{
    pthread_mutex_lock(&ledger->lock);
    memcpy(counts, ledger->counts, sizeof ledger->counts);
    pthread_mutex_unlock(&ledger->lock);
}
