/* A byte per sample says at once whether it is known to be bad, so that no epoch tries it twice; the reasons are
 * kept in a list that is sorted when somebody reads it, because workers find bad samples in any order. */
#include "load/ledger.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct vg_ledger {
    pthread_mutex_t lock;
    atomic_uchar *known; /* [samples] */
    vg_bad_sample *list;
    vg_bad_sample
        *sorted; /* what vg_ledger_sorted gave out last: workers may move `list` at any time */
    size_t count, capacity;
    uint64_t in_epoch;
    double max_share;
};

vg_status vg_ledger_new(size_t samples, uint64_t in_epoch, double max_share, vg_ledger **ledger,
                        vg_error *err)
{
    *ledger = NULL;
    vg_ledger *l = vg_calloc(1, sizeof *l);
    atomic_uchar *known = vg_calloc(samples, sizeof *known);
    if (!l || !known) {
        free(l);
        free(known);
        return vg_fail(err, VG_E_NOMEM, "loader: out of memory for %zu samples", samples);
    }
    pthread_mutex_init(&l->lock, NULL);
    l->known = known;
    l->in_epoch = in_epoch;
    l->max_share = max_share;
    *ledger = l;
    return VG_OK;
}

void vg_ledger_free(vg_ledger *ledger)
{
    if (!ledger)
        return;
    pthread_mutex_destroy(&ledger->lock);
    free((void *)ledger->known);
    free(ledger->list);
    free(ledger->sorted);
    free(ledger);
}

bool vg_ledger_has(vg_ledger *ledger, size_t index)
{
    return atomic_load_explicit(&ledger->known[index], memory_order_relaxed) != 0;
}

vg_status vg_ledger_add(vg_ledger *ledger, size_t index, const vg_error *why, vg_error *err)
{
    vg_status status = VG_OK;
    vg_bad_sample bad = {.index = index, .status = why->code};
    snprintf(bad.reason, sizeof bad.reason, "%s", why->message);
    pthread_mutex_lock(&ledger->lock);
    if (!vg_ledger_has(ledger, index)) {
        if (vg_grow(&ledger->list, &ledger->capacity, ledger->count + 1, sizeof *ledger->list)) {
            ledger->list[ledger->count++] = bad;
            atomic_store(&ledger->known[index], 1);
        } else {
            status = vg_fail(err, VG_E_NOMEM, "loader: out of memory for the list of bad files");
        }
    }
    pthread_mutex_unlock(&ledger->lock);
    return status;
}

bool vg_ledger_full(vg_ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    bool full = (double)ledger->count > ledger->max_share * (double)ledger->in_epoch;
    pthread_mutex_unlock(&ledger->lock);
    return full;
}

void vg_ledger_explain(vg_ledger *ledger, const vg_dataset *dataset, vg_error *err)
{
    pthread_mutex_lock(&ledger->lock);
    const vg_bad_sample *first = NULL;
    for (size_t i = 0; i < ledger->count; i++) {
        if (!first || ledger->list[i].index < first->index)
            first = &ledger->list[i];
    }
    vg_fail(err, VG_E_LIMIT,
            "%s: %zu of %llu samples cannot be read, more than the %.0f %% that are allowed; one "
            "of them: %s",
            vg_dataset_path(dataset), ledger->count, (unsigned long long)ledger->in_epoch,
            100 * ledger->max_share, first ? first->reason : "none");
    pthread_mutex_unlock(&ledger->lock);
}

static int by_index(const void *a, const void *b)
{
    size_t i = ((const vg_bad_sample *)a)->index, j = ((const vg_bad_sample *)b)->index;
    return (i > j) - (i < j);
}

const vg_bad_sample *vg_ledger_sorted(vg_ledger *ledger, size_t *count)
{
    pthread_mutex_lock(&ledger->lock);
    vg_bad_sample *copy = vg_realloc(ledger->sorted, ledger->count, sizeof *copy);
    *count = copy ? ledger->count : 0; /* without memory for a copy the list is not told */
    if (copy) {
        ledger->sorted = copy;
        if (ledger->count)
            memcpy(copy, ledger->list, ledger->count * sizeof *copy);
        qsort(copy, ledger->count, sizeof *copy, by_index);
    }
    pthread_mutex_unlock(&ledger->lock);
    return ledger->sorted;
}
