/* Fitting what belongs to the network's input: the training images go by as evaluation sees them
 * (resized as the framing says, not augmented, not normalized), a block at a time. */
#ifndef VG_AUGMENT_FIT_H
#define VG_AUGMENT_FIT_H

#include "dataset/dataset.h"
#include "transform.h"

/* Given a block: `count` inputs of C H W planar floats of 0..255, one after the other. The blocks and
 * their order do not depend on the number of threads; it runs on the caller's thread. */
typedef void vg_views_take(void *context, const float *inputs, size_t count);

typedef struct vg_views_options {
    size_t most; /* > 0: only so many training images, chosen by the hash of their names */
    int threads; /* < 1: all CPUs */
} vg_views_options;

/* Memory for one block and a decoder for each thread, whatever the size of the dataset. Unreadable
 * samples are passed over; VG_E_FORMAT when that leaves none, VG_E_ARG when the training split is
 * empty. Only channels, height, width and framing of `augment` are used; pictures are decoded in full
 * whatever its max_shrink. */
vg_status vg_views_each(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_views_options *options, vg_views_take *take, void *context,
                        vg_error *err);

/* Mean and deviation of every value of the input: VG_NORMALIZE_PIXEL_MEAN or _PIXEL_ZSCORE. The same
 * bits for any number of threads. Give *stats back with vg_pixel_stats_release. */
vg_status vg_pixel_stats_fit(const vg_dataset *dataset, const vg_augment *augment,
                             vg_normalization kind, const vg_views_options *options,
                             vg_pixel_stats **stats, vg_error *err);

#endif
