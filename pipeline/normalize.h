/* From 8-bit samples to what a network should see: fitted over the training images, or per image.
 *
 * Fitted statistics are streamed: integer sums of the 8-bit samples, so that neither the order of
 * the images nor the number of threads changes a bit. Only training images are looked at. */
#ifndef VG_NORMALIZE_H
#define VG_NORMALIZE_H

#include "base/status.h"
#include "dataset/dataset.h"
#include "pixel_stats.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum vg_normalization {
    VG_NORMALIZE_NONE,         /* 0..255 as they are */
    VG_NORMALIZE_UNIT,         /* v / 255 */
    VG_NORMALIZE_MINMAX,       /* per channel (v - min) / (max - min) over the training split */
    VG_NORMALIZE_ZSCORE,       /* per channel (v - mean) / std over the training split */
    VG_NORMALIZE_IMAGE_MINMAX, /* the same two with the values of each image by itself, all channels
                                  together */
    VG_NORMALIZE_IMAGE_ZSCORE,
    VG_NORMALIZE_ROBUST,  /* per channel (v - p1) / (p99 - p1), the 1st and 99th percentile over the
                             training split: some black frames or glare do not move it. Values may
                             lie outside of 0..1 */
    VG_NORMALIZE_IMAGENET, /* per channel with ImageNet's mean (0.485, 0.456, 0.406) and standard
                              deviation (0.229, 0.224, 0.225) of v / 255, for networks that were
                              trained with them; one channel gets their means over the channels */
    /* The last three have a mean for every value of the network's input (vg_pixel_stats), fitted
     * over the training images as evaluation sees them. */
    VG_NORMALIZE_PIXEL_MEAN,   /* (v - mean) / 255, as with Caffe's mean image and a scale */
    VG_NORMALIZE_PIXEL_ZSCORE, /* (v - mean) / std of that pixel */
    VG_NORMALIZE_ZCA           /* ZCA whitening: every pixel varies by 1 and no two together. What is
                                  applied per picture is (v - mean) / 255; the matrix is for whoever
                                  has the batch (vg_pixel_stats_whiten, train/whiten.h) */
} vg_normalization;
/* Whether it needs statistics of the training split: of channels or of pixels. */
bool vg_normalization_is_fitted(vg_normalization kind);
/* Whether those are of pixels, so that they belong to one size of the input. */
bool vg_normalization_is_of_pixels(vg_normalization kind);
/* Whether it is v * scale[c] + offset[c], the same for every picture. */
bool vg_normalization_is_affine(vg_normalization kind);

/* Per channel of 8-bit samples, exact. Zero-initialize. */
typedef struct vg_channel_stats {
    uint64_t count; /* samples of a channel */
    uint64_t sum[3];
    uint64_t sum_squares[3];
    uint8_t min[3], max[3];     /* valid when count > 0 */
    uint64_t histogram[3][256]; /* how often each value occurs */
    uint64_t images;
    int channels;
} vg_channel_stats;
/* A grey picture among coloured ones counts as one with three equal channels, in any order. */
void vg_channel_stats_add(vg_channel_stats *stats, const vg_image *image);
void vg_channel_stats_merge(vg_channel_stats *into, const vg_channel_stats *from);
double vg_channel_mean(const vg_channel_stats *stats, int channel); /* 0..255 */
double vg_channel_std(const vg_channel_stats *stats, int channel);  /* population */
/* The smallest value that at least `share` (0..1) of the channel's values do not exceed. */
int vg_channel_percentile(const vg_channel_stats *stats, int channel, double share);

/* out = v * scale[c] + offset[c], v the 8-bit value. Stored with the weights. */
typedef struct vg_normalizer {
    vg_normalization kind;
    int channels;
    float scale[3],
        offset[3];          /* of the fitted kinds; 1/255, 0 as the start of the per-image kinds */
    uint64_t images;        /* it was fitted on */
    double mean[3], std[3]; /* 0..255, 0 where nothing was fitted */
    int min[3], max[3];     /* robust: the percentiles */
    const vg_pixel_stats *pixels; /* borrowed; the kinds of pixels need it, others have NULL */
} vg_normalizer;

/* From statistics of the training images (NULL or empty: allowed for kinds that need none, the fitted
 * kinds become UNIT). A channel without contrast gets scale 1/255 and centre, never a division by
 * zero. Grey statistics serve three channels; those of RGB serve one channel as all three together.
 */
vg_normalizer vg_normalizer_make(vg_normalization kind, int channels,
                                 const vg_channel_stats *stats);
/* For the kinds of pixels; `pixels` is borrowed and must outlive the normalizer. Mean and std of the
 * channels are filled in from those of the pixels, for reports. */
vg_normalizer vg_normalizer_of_pixels(vg_normalization kind, const vg_pixel_stats *pixels);
/* VG_E_SHAPE when its statistics are for another input than this, or are missing. */
vg_status vg_normalizer_check(const vg_normalizer *normalizer, int channels, int height, int width,
                              vg_error *err);
/* The training samples to fit on: all, or the `most` (> 0) with the smallest hash of their names.
 * *indices is the caller's, free() it. VG_E_ARG when there are none. */
vg_status vg_normalize_choose(const vg_dataset *dataset, size_t most, size_t **indices,
                              size_t *count, vg_error *err);
/* Streams over the training split of `dataset` (every image, or `most` of them by hash when most >
 * 0), decoded to `channels` (0: as in the files), on `threads` threads (< 1: all CPUs). The images
 * are taken at their native size, before any resize or crop, each pixel with the same weight, so a
 * large picture counts more than a small one. Unreadable samples are passed over; VG_E_FORMAT when
 * that leaves none, VG_E_ARG when the training split is empty. */
vg_status vg_channel_stats_fit(const vg_dataset *dataset, int channels, size_t most, int threads,
                               vg_channel_stats *stats, vg_error *err);
/* Planar floats (C, n values each) holding 0..255 -> normalized in place, per-image kinds included;
 * of ZCA the part before the matrix.
 * There a range below one grey level counts as 1 and a standard deviation below half a level as
 * 0.5, so that a flat picture becomes 0 and not amplified rounding (as in TensorFlow's
 * per_image_standardization, whose bound is 1 / sqrt(n)). */
void vg_normalizer_apply(const vg_normalizer *normalizer, float *x, size_t n);

vg_status vg_normalization_parse(const char *word, vg_normalization *kind, vg_error *err);
const char *vg_normalization_name(vg_normalization kind);

#endif
