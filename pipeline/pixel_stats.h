/* A mean, a factor and, for whitening, a matrix for every value of a network's input: what the
 * normalizations of pixels are fitted to. They belong to one size of the input.
 *
 * One object serves the loader's threads, many trainings of a study and a checkpoint, so it counts
 * its holders; after it was filled it is read-only. */
#ifndef VG_PIXEL_STATS_H
#define VG_PIXEL_STATS_H

#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vg_pixel_stats {
    int channels, height, width;
    size_t size;     /* channels * height * width */
    uint64_t images; /* they were fitted on */
    float *mean;     /* [C][H][W], 0..255 */
    float *scale;    /* [C][H][W], what the centred value is multiplied by */
    float *matrix;   /* ZCA: [size][size], symmetric; NULL: none */
    double epsilon;  /* ZCA: see vg_pixel_stats_whiten */
    size_t rank;     /* ZCA: directions in which the training images vary at all */
    double std[3];   /* of a channel's pixels about their own means, root mean square, 0..255 */
    atomic_int holders;
} vg_pixel_stats;

/* Zeroed, with one holder. VG_E_LIMIT when the sizes do not fit into memory's numbers. */
vg_status vg_pixel_stats_new(int channels, int height, int width, bool with_matrix,
                             vg_pixel_stats **stats, vg_error *err);
/* One more holder; returns `stats` (NULL stays NULL). Thread-safe, as is giving it back, which frees
 * it with the last holder. */
vg_pixel_stats *vg_pixel_stats_hold(vg_pixel_stats *stats);
void vg_pixel_stats_release(vg_pixel_stats *stats);

/* One centred and scaled input [size] through the matrix into `out` (not x), in plain loops: for
 * previews. Trainings take the whole batch as one product (train/whiten.h).
 * The matrix is U diag(1 / (s + epsilon)) U', where U are the eigenvectors of the training images'
 * covariance and s their standard deviations along them, for pixels of 0..1 (so epsilon is one too,
 * whatever the number of images; Keras' zca_epsilon is this one times the square root of their
 * number). Directions in which nothing varies give 0. */
void vg_pixel_stats_whiten(const vg_pixel_stats *stats, const float *x, float *out);

/* Exact sums over inputs: values are rounded to 1/256 of a grey level, so that neither their order
 * nor the number of threads changes a bit. Zero-initialize. */
typedef struct vg_pixel_sums {
    size_t size;
    uint64_t images;
    uint64_t *sum, *squares; /* [size] of 256 * value */
} vg_pixel_sums;
vg_status vg_pixel_sums_init(vg_pixel_sums *sums, size_t size, vg_error *err);
void vg_pixel_sums_reset(vg_pixel_sums *sums);
/* Adds the values [from, to) of `count` inputs of 0..255 that lie `size` values apart. Threads may
 * do different ranges at once; `images` is the caller's to raise. At most 2^32 images. */
void vg_pixel_sums_add(vg_pixel_sums *sums, const float *inputs, size_t count, size_t from,
                       size_t to);

/* Fills mean, scale, std and images. Centre only: scale 1/255. Else 1 / the pixel's population
 * standard deviation, where that is at least a tenth of all pixels' root mean square, and 1 / that
 * tenth where it is less: in the dark corner of every training image, one bright pixel of a later one
 * would otherwise count a thousandfold. Inputs without any contrast: 1/255. */
void vg_pixel_stats_fill(vg_pixel_stats *stats, const vg_pixel_sums *sums, bool centre_only);

#endif
