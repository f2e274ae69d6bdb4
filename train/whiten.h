/* ZCA whitening of the network's input: fitted over the training images as they stream by, applied
 * to a whole batch before the network sees it.
 *
 * Bell, Sejnowski: "Edges are the independent components of natural scenes", NIPS 1996; Krizhevsky:
 * "Learning multiple layers of features from tiny images", 2009, appendix A. What the matrix and
 * epsilon are: vg_pixel_stats_whiten. Other than Keras' ImageDataGenerator, which centres by the mean
 * of a channel, every pixel is centred by its own. */
#ifndef VG_TRAIN_WHITEN_H
#define VG_TRAIN_WHITEN_H

#include "fit.h"

/* The most values of an input: a covariance of 8192 x 8192 needs 1.9 GB to be taken apart. */
enum { VG_WHITEN_LARGEST = 8192 };

/* Fits mean and matrix for inputs as `augment` describes them. epsilon: at least 0, for pixels of
 * 0..1. The same bits for any number of threads. VG_E_LIMIT for an input of more than
 * VG_WHITEN_LARGEST values; VG_E_NUMERIC when the eigenvectors are not found; else as vg_views_each.
 * Give *stats back with vg_pixel_stats_release. */
vg_status vg_whiten_fit(const vg_dataset *dataset, const vg_augment *augment, double epsilon,
                        const vg_views_options *options, vg_pixel_stats **stats, vg_error *err);

/* The batch as the network gets it: `x` itself (count inputs as vg_augment_transform leaves them)
 * unless the normalization is ZCA, else `room` (count inputs as well) with each of them multiplied by
 * the matrix. Runs on the OpenMP team; the same bits for any size of it. */
const float *vg_whiten_batch(const vg_normalizer *normalizer, const float *x, int count,
                             float *room);
/* Room for batches of `batch` in *room (NULL where none is needed), free() it. */
vg_status vg_whiten_room(const vg_normalizer *normalizer, int batch, float **room, vg_error *err);

#endif
