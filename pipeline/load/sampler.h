/* Which sample stands at which place of an epoch: a pure function of (seed, epoch, position).
 *
 * All modes are quotas: class k gets quota[k] places in an epoch. The places are shuffled by a
 * keyed permutation; the samples of a class come in shuffled rounds, so that within an epoch none
 * is seen a second time before all of its class were seen once, whatever the quota is. Nothing is
 * stored per place. Read-only after vg_sampler_new: any thread may call vg_sampler_at. */
#ifndef VG_LOAD_SAMPLER_H
#define VG_LOAD_SAMPLER_H

#include "base/status.h"
#include "dataset/dataset.h"

typedef enum vg_sampling {
    VG_SAMPLING_SEQUENTIAL, /* every sample once, in index order (evaluation) */
    VG_SAMPLING_SHUFFLE,    /* every sample once, shuffled */
    VG_SAMPLING_OVER,       /* every class as often as the largest */
    VG_SAMPLING_UNDER,      /* every class as often as the smallest (other samples in each epoch) */
    VG_SAMPLING_BALANCED,   /* equal classes, epoch as long as the data set is */
    VG_SAMPLING_SQRT /* in proportion to the square root of the counts, epoch as long as the data */
} vg_sampling;

/* Places of each class in an epoch of samples with counts[classes], into quota[classes]. Of sampler.h only this
 * needs no dataset. VG_E_NOMEM. */
vg_status vg_sampling_quotas(const size_t *counts, int classes, vg_sampling mode, uint64_t *quota,
                             vg_error *err);

typedef struct vg_sampler vg_sampler;

/* `split` of `dataset`, which must outlive the sampler. VG_E_FORMAT when the split is empty, VG_E_STATE when
 * the dataset keeps counts alone. */
vg_status vg_sampler_new(const vg_dataset *dataset, vg_split split, vg_sampling mode, uint64_t seed,
                         vg_sampler **sampler, vg_error *err);
/* A fixed list of dataset indices, in this order (the probe). The list is copied. */
vg_status vg_sampler_list(const vg_dataset *dataset, const size_t *indices, size_t count,
                          vg_sampler **sampler, vg_error *err);
void vg_sampler_free(vg_sampler *sampler);
/* Places in an epoch. */
uint64_t vg_sampler_length(const vg_sampler *sampler);
/* Different samples that its epochs draw from (a list: its length). */
size_t vg_sampler_samples(const vg_sampler *sampler);
/* Dataset index at `position` of `epoch`, position < length. */
size_t vg_sampler_at(const vg_sampler *sampler, uint32_t epoch, uint64_t position);
/* Places of class k in an epoch. */
uint64_t vg_sampler_quota(const vg_sampler *sampler, int label);

vg_sampling vg_sampler_mode(const vg_sampler *sampler);
/* Who stands in for a sample that cannot be read: the attempt-th next one (attempt >= 1) of the same class and
 * split, in dataset order and around its end. SIZE_MAX when the class has no more, and always for sequential
 * samplers and lists, whose bad samples are left out instead. */
size_t vg_sampler_substitute(const vg_sampler *sampler, size_t index, size_t attempt);

/* "shuffle", "over", ...; VG_E_ARG for an unknown word, naming the known ones. */
vg_status vg_sampling_parse(const char *word, vg_sampling *mode, vg_error *err);
const char *vg_sampling_name(vg_sampling mode);

#endif
