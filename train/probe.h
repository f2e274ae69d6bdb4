/* Looking at a network: a fixed list of samples, loaded as evaluation sees them, run through the model and measured. */
#ifndef VG_TRAIN_PROBE_H
#define VG_TRAIN_PROBE_H

#include "load/loader.h"
#include "observe/diversity.h"
#include "transform.h"
#include "views.h"

/* Picks at most `most` samples of `split` (0: all), at most ceil(most / classes) of a class, so that rare classes
 * are seen as well as they can be; which ones follows from (seed, name). The list ascends; *indices is the caller's,
 * free() it. */
vg_status vg_probe_pick(const vg_dataset *dataset, vg_split split, size_t most, uint64_t seed,
                        size_t **indices, size_t *count, vg_error *err);

typedef struct vg_probe vg_probe;

/* How the samples reach the network. All is copied but the normalizer's pixels, which must outlive
 * the probe. */
typedef struct vg_probe_options {
    vg_normalizer normalizer;
    int channels, height, width;
    vg_framing framing;
    int max_shrink;
    int batch;           /* at most the model's max_batch */
    vg_test_views views; /* of each sample, see views.h */
    const vg_loader_options
        *load; /* how to read them: threads, cache, bad files; NULL: the default,
                                      in lockstep */
} vg_probe_options;

/* The list is copied; dataset and model must outlive the probe. */
vg_status vg_probe_new(const vg_dataset *dataset, const size_t *indices, size_t count,
                       const vg_model *model, const vg_probe_options *options, vg_probe **probe,
                       vg_error *err);
void vg_probe_free(vg_probe *probe);
/* Runs all samples through `model` in evaluation mode and measures. Samples that cannot be read are left out. */
vg_status vg_probe_look(vg_probe *probe, vg_model *model, vg_diversity *out, vg_error *err);
/* What it has seen: for a run that is taken up again. */
vg_observer *vg_probe_observer(vg_probe *probe);
/* For its ledger. */
vg_loader *vg_probe_loader(vg_probe *probe);

#endif
