/* One sample from its place in the dataset to the network's input: the work of a loader's worker. */
#ifndef VG_LOAD_FETCH_H
#define VG_LOAD_FETCH_H

#include "load/cache.h"
#include "load/ledger.h"

#include <pthread.h>

/* What all workers share. Read-only, but for what has its own lock. */
typedef struct vg_fetch_plan {
    const vg_dataset *dataset;
    vg_transform transform;
    vg_decode_options decode;
    vg_on_error on_error;
    bool stored_decoded; /* nothing to verify, cache or repair */
    vg_ledger *ledger;
    vg_cache *cache;       /* NULL: none */
    pthread_mutex_t giant; /* held while a picture of more than VG_GIANT_PIXELS is in memory */
} vg_fetch_plan;

/* Larger pictures are decoded one at a time, so that a folder of scans does not take the memory of
 * the largest allowed picture once for every thread. */
enum { VG_GIANT_PIXELS = 16000000 };

/* What one worker has of its own. */
typedef struct vg_fetch {
    vg_fetch_plan *plan;
    vg_reader reader;
    vg_image image;
    void *scratch;
    vg_loader_times times;
    double cost; /* seconds that a sample takes at present */
    const vg_sample_key *key;
    bool whole, giant;
    unsigned turn, every; /* one in `every` samples is timed */
} vg_fetch;

vg_status vg_fetch_init(vg_fetch *fetch, vg_fetch_plan *plan, vg_error *err);
void vg_fetch_reset(vg_fetch *fetch);
/* Reads sample key->index and transforms it into `out`. *skip is set (and the ledger knows why)
 * when the policy allows to go on without it. */
vg_status vg_fetch_sample(vg_fetch *fetch, const vg_sample_key *key, float *out, bool *skip,
                          vg_error *err);

#endif
