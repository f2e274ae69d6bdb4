/* Worker threads that turn places of an epoch into batches: read, decode, transform into the slot.
 *
 * The loader knows nothing of augmentation: it calls a vg_transform. Batches come in order from a
 * ring of slots; vg_loader_next lends one, vg_batch_release gives it back. The bytes of a batch
 * depend only on (dataset, sampler, transform, seed, epoch), never on the number of threads.
 *
 * One thread at a time may call vg_loader_begin/next/release. */
#ifndef VG_LOAD_LOADER_H
#define VG_LOAD_LOADER_H

#include "base/status.h"
#include "dataset/dataset.h"
#include "load/sampler.h"

/* Names a sample in its epoch: the key of all its random numbers. */
typedef struct vg_sample_key {
    uint64_t seed;
    uint32_t epoch;
    uint64_t position;
    size_t index; /* in the dataset */
    int label;
} vg_sample_key;

/* From a decoded picture to the network's input. `context` is shared and read-only; `scratch`
 * belongs to one worker. `out` is planar float (C H W), channels * height * width values.
 *
 * shrink (NULL: 1) says how far a picture of this size may be shrunk while it is decoded; the same
 * for every key, so that a cached picture serves all of them. region (NULL: all of it) narrows the
 * whole picture to what `run` will look at for this key. `run` is given at least that, as `in`,
 * and where it lies as `region`; its result must not depend on how much more it was given. */
typedef struct vg_transform {
    int channels, height, width; /* of the output */
    const void *context;
    int (*shrink)(const void *context, int full_width, int full_height);
    void (*region)(const void *context, const vg_sample_key *key, vg_region *region);
    vg_status (*scratch_new)(const void *context, void **scratch, vg_error *err); /* NULL: none */
    void (*scratch_free)(void *scratch);
    vg_status (*run)(const void *context, void *scratch, const vg_view *in, const vg_region *region,
                     const vg_sample_key *key, float *out, vg_error *err);
} vg_transform;

/* Runs it on a picture that lies in memory as a whole. */
vg_status vg_transform_picture(const vg_transform *transform, void *scratch, const vg_image *in,
                               const vg_sample_key *key, float *out, vg_error *err);

typedef enum vg_on_error {
    VG_ON_ERROR_SKIP,
    VG_ON_ERROR_FAIL,
    VG_ON_ERROR_REPAIR /* keep what a damaged file gave, if at least min_intact of it is whole; skip
                          the others */
} vg_on_error;

typedef struct vg_loader_options {
    int batch;      /* samples in a batch (the last of an epoch may have fewer) */
    bool drop_last; /* leave out a last batch that is not full */
    int threads;    /* workers; 0: as many as CPUs */
    int slots;      /* batches in the ring; 0: 4 */
    bool lockstep;  /* workers run only while the caller waits in vg_loader_next, so that loading
                       and an OpenMP team never compete for the same cores */
    uint64_t seed;
    /* Skip: the sample is written in the ledger; a shuffled epoch takes the next readable sample of its class
     * instead (the same for every thread count), a sequential one goes on without it. */
    vg_on_error on_error;
    double max_bad_share; /* skip: VG_E_LIMIT when more than this share of samples was bad (0.5) */
    vg_decode_options decode;
} vg_loader_options;
vg_loader_options vg_loader_options_default(void);

typedef struct vg_batch {
    const float *x;      /* N C H W, 64-byte aligned */
    const int32_t *y;    /* labels [N] */
    const size_t *index; /* dataset indices [N] */
    int count;           /* N */
    uint32_t epoch;
    uint64_t first; /* position of the first sample in the epoch */
    int slot;       /* the ring's own */
} vg_batch;

/* A sample that could not be read. */
typedef struct vg_bad_sample {
    size_t index;
    vg_status status;
    char reason[200];
} vg_bad_sample;

/* Seconds spent by all workers together, since the loader was opened. */
typedef struct vg_loader_times {
    double read_decode, transform, waited_by_caller;
    uint64_t samples;
} vg_loader_times;

typedef struct vg_loader vg_loader;

/* dataset, sampler and what transform points to must outlive the loader. */
vg_status vg_loader_open(const vg_dataset *dataset, const vg_sampler *sampler,
                         const vg_transform *transform, const vg_loader_options *options,
                         vg_loader **loader, vg_error *err);
void vg_loader_close(vg_loader *loader);
/* Starts `epoch` at batch `first_batch` (0, or where a run was cut off); what was under way is
 * dropped. */
vg_status vg_loader_begin(vg_loader *loader, uint32_t epoch, uint64_t first_batch, vg_error *err);
/* Lends the next batch; VG_END after the last one of the epoch. */
vg_status vg_loader_next(vg_loader *loader, vg_batch *batch, vg_error *err);
void vg_batch_release(vg_loader *loader, const vg_batch *batch);
uint64_t vg_loader_batches(const vg_loader *loader);
/* The ledger so far, sorted by index, each sample once; owned by the loader, valid until the next
 * call. */
const vg_bad_sample *vg_loader_bad(vg_loader *loader, size_t *count);
vg_loader_times vg_loader_times_of(vg_loader *loader);

#endif
