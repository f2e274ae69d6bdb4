/* The ways to treat classes alike that a training knows, and what each does to an epoch. */
#ifndef VG_AUDIT_WAYS_H
#define VG_AUDIT_WAYS_H

#include "balance.h"
#include "load/sampler.h"

/* What an epoch makes of a class. */
typedef struct vg_way_class {
    uint64_t seen; /* places in the epoch */
    uint64_t
        images;    /* different images among them: a class is gone through before one comes again */
    double weight; /* of each of its samples in the loss; their mean over the epoch is 1 */
    double share;  /* of the loss's weight that the class has, 0..1 */
} vg_way_class;

typedef struct vg_way {
    vg_sampling sampling;
    vg_weighting weighting;
    uint64_t length;         /* places of the epoch */
    vg_way_class *per_class; /* [classes] */
} vg_way;

enum { VG_WAYS = 8 };
/* Every image once: without weights, with weights inverse, sqrt, effective; then over- and undersampling, balanced,
 * sqrt sampling without weights. */
typedef struct vg_ways {
    vg_way list[VG_WAYS];
    int classes;
    int chosen; /* the recommended one */
} vg_ways;

/* counts[classes] are the training images; beta that of VG_WEIGHTING_EFFECTIVE. The sampler's own quotas and the
 * training's own weights are asked. With no image at all everything is 0. VG_E_NOMEM.
 *
 * Recommended is, by the imbalance ratio: below 1.5 every image once; to 20 balanced sampling; above sqrt sampling,
 * because equal classes would repeat the same few pictures too often. Sampling goes before weights because it shows
 * rare classes in every batch, in other views each time, where a weight makes one picture count manyfold in a
 * single step; and before over- and undersampling because the epoch stays as long as the dataset and leaves
 * no image out for good. */
vg_status vg_ways_make(const size_t *counts, int classes, double beta, vg_ways *ways,
                       vg_error *err);
void vg_ways_reset(vg_ways *ways);
/* The rule by itself: the sampling for an imbalance ratio, VG_SAMPLING_SHUFFLE: none needed. */
vg_sampling vg_ways_sampling(double imbalance_ratio);

#endif
