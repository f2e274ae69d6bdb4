/* Worker threads that turn places of an epoch into batches: read, decode, transform into the slot.
 *
 * The loader knows nothing of augmentation: it calls a vg_transform. Batches come in order from a
 * ring of slots; vg_loader_next lends one, vg_batch_release gives it back. The bytes of a batch
 * depend only on (dataset, sampler, transform, seed, epoch, on_error): not on threads, cache, the batch at
 * which an epoch is begun, or how batches are shared among ranks.
 *
 * One thread at a time may call vg_loader_begin/next/release. */
#ifndef VG_LOAD_LOADER_H
#define VG_LOAD_LOADER_H

#include "base/status.h"
#include "dataset/dataset.h"
#include "load/cache.h"
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

/* What is done about a sample that cannot be read or whose file is damaged. */
typedef enum vg_on_error {
    VG_ON_ERROR_SKIP,  /* a shuffled epoch takes the next readable sample of its class instead, a
                          sequential one goes on without it */
    VG_ON_ERROR_FAIL,  /* vg_loader_next fails at the first one in the order of the epoch */
    VG_ON_ERROR_REPAIR /* keep what a damaged file gave, if at least min_intact of it is whole; skip
                          the others */
} vg_on_error;

typedef struct vg_loader_options {
    int batch; /* samples in a batch, of all ranks together (the last of an epoch may have fewer) */
    bool drop_last; /* leave out a last batch that is not full */
    int threads;    /* workers; 0: as many as CPUs */
    int slots;      /* batches in the ring; 0: 4 */
    bool lockstep;  /* workers run only while the caller waits in vg_loader_next, so that loading
                       and an OpenMP team never compete for the same cores */
    uint64_t seed;
    /* Every batch of n samples is cut into `ranks` contiguous shares; this loader gives share `rank`,
     * samples n * rank / ranks to n * (rank + 1) / ranks. The shares of all ranks one after the other are
     * the batch that a single loader gives, so every rank sees the same number of batches. */
    int rank, ranks; /* 0 of 1 */
    vg_on_error on_error;
    double min_intact; /* repair: the share of rows before the first damage (0.5) */
    /* Skip and repair: VG_E_LIMIT once more than this share of the sampler's samples, rounded up, had
     * to be skipped (0.1: of 5 samples one, of 3,000 300). Counted in the order of the batches,
     * repaired ones are not. Each rank counts what it met. */
    double max_bad_share;
    vg_cache *cache; /* keeps whole decoded pictures; borrowed, may serve several loaders of the
                        dataset; NULL: none. Not used where samples are stored decoded */
    vg_decode_options decode; /* limits, channels, EXIF; the rest is set by the loader */
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

/* What a cache for a loader of this dataset with these options is to be opened with (decode_key): they
 * decide, beside the stored bytes, how a cached picture looks. The shrink is checked picture by picture. */
void vg_loader_cache_key(const vg_dataset *dataset, const vg_decode_options *decode, char *key,
                         size_t capacity);

typedef enum vg_bad_kind {
    VG_BAD_SKIPPED,   /* not used */
    VG_BAD_REPAIRED,  /* damaged; what was there is used */
    VG_BAD_SUSPICIOUS /* used as a whole, but something about it is odd */
} vg_bad_kind;

typedef enum vg_bad_cause {
    VG_CAUSE_UNREADABLE, /* the system refused to read it */
    VG_CAUSE_FOREIGN,    /* not a picture, or of a kind that is not read */
    VG_CAUSE_DAMAGED,    /* truncated, broken data, a wrong checksum */
    VG_CAUSE_LIMIT,      /* too many pixels or scans */
    VG_CAUSE_EXTENSION,  /* the name promises another format than the content has */
    VG_CAUSE_WARNING,    /* the decoder warned of something harmless */
    VG_CAUSE_COUNT
} vg_bad_cause;
const char *vg_bad_kind_name(vg_bad_kind kind);    /* "skipped", "repaired", "suspicious" */
const char *vg_bad_cause_name(vg_bad_cause cause); /* "unreadable", "foreign", ... */

/* A sample that could not be read as it should be. */
typedef struct vg_bad_sample {
    size_t index;
    vg_bad_kind kind;
    vg_bad_cause cause;
    vg_status status; /* VG_OK for suspicious ones */
    uint64_t offset;  /* byte of the file where the damage was noticed; UINT64_MAX: no such place */
    double intact;    /* share of the rows before it; 1 for suspicious ones, 0: nothing */
    char reason[200];
} vg_bad_sample;

/* What was done since the loader was opened. Seconds are those of all workers together; where
 * samples are tiny only some are timed and stand for the others. */
typedef struct vg_loader_times {
    double read, decode, transform;
    double waited_by_caller;  /* in vg_loader_next */
    uint64_t samples;         /* transformed */
    uint64_t decoded, cached; /* where their pictures came from; neither: stored decoded */
} vg_loader_times;

/* What keeps a run from being faster. */
typedef enum vg_stage {
    VG_STAGE_READ,
    VG_STAGE_DECODE,
    VG_STAGE_TRANSFORM,
    VG_STAGE_CALLER /* whoever takes the batches */
} vg_stage;

typedef struct vg_loader vg_loader;

/* dataset, sampler and what transform points to must outlive the loader. */
vg_status vg_loader_open(const vg_dataset *dataset, const vg_sampler *sampler,
                         const vg_transform *transform, const vg_loader_options *options,
                         vg_loader **loader, vg_error *err);
void vg_loader_close(vg_loader *loader);
/* Starts `epoch` at batch `first_batch` (0, or where a run was cut off); what was under way is
 * dropped. */
vg_status vg_loader_begin(vg_loader *loader, uint32_t epoch, uint64_t first_batch, vg_error *err);
/* Lends the next batch; VG_END after the last one of the epoch. A batch of which nothing is left after
 * skipping is passed over; with several ranks an empty share is lent all the same (count 0). After an error
 * the same call gives the same error. */
vg_status vg_loader_next(vg_loader *loader, vg_batch *batch, vg_error *err);
void vg_batch_release(vg_loader *loader, const vg_batch *batch);
uint64_t vg_loader_batches(const vg_loader *loader);
/* The ledger so far, sorted by index, each sample once; owned by the loader, valid until the next
 * call. Of suspicious samples the first 1,000 are listed, vg_loader_bad_counts counts all. */
const vg_bad_sample *vg_loader_bad(vg_loader *loader, size_t *count);
/* Fills counts[VG_BAD_SUSPICIOUS + 1]. */
void vg_loader_bad_counts(vg_loader *loader, uint64_t counts[3]);
vg_loader_times vg_loader_times_of(vg_loader *loader);
/* The stage that limited between two looks `seconds` apart: the caller's, unless it waited for more
 * than half of the time; then the one on which workers spent most. */
vg_stage vg_loader_limit(const vg_loader_times *before, const vg_loader_times *after,
                         double seconds);

#endif
