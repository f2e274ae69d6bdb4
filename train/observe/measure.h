/* Parts of a look that the files of this room share. Not for users: see diversity.h. */
#ifndef VG_OBSERVE_MEASURE_H
#define VG_OBSERVE_MEASURE_H

#include "observe/diversity.h"

enum { VG_BOOTSTRAP = 1000, VG_PERMUTATIONS = 499 };

/* -sum p log p over p[k], nats; 0 log 0 = 0. */
double vg_entropy(const double *p, int k);

/* Fills everything of *out that comes from the outputs alone. `probabilities` [n][classes] (may be
 * NULL) receives the softmax in float, uniform for rows that are not finite. *out is reset first.
 * VG_E_ARG: no samples, fewer than two classes, a label outside 0..classes-1. */
vg_status vg_outputs_measure(const float *logits, const int32_t *labels, size_t n, int classes,
                             float *probabilities, vg_diversity *out, vg_error *err);

/* 2.5 % and 97.5 % quantile of H(mean p) - mean H(p_i) over VG_BOOTSTRAP resamples of the rows of p
 * [n][classes]; row_entropy[n] holds H(p_i). Nats. The same bits for any number of threads. */
vg_status vg_bootstrap_information(const double *p, const double *row_entropy, size_t n,
                                   int classes, double *low, double *high, vg_error *err);

/* I(predicted; label) in nats and (1 + hits) / (1 + VG_PERMUTATIONS), a hit being a permutation of
 * the labels that does as well. The same bits for any number of threads. */
vg_status vg_label_information(const int32_t *predicted, const int32_t *labels, size_t n,
                               int classes, double *information, double *p, vg_error *err);

/* Sums of one layer over the samples of a look, shifted by the first sample so that a layer that is
 * the same for all inputs gives exactly 0. */
typedef struct vg_layer_sums {
    size_t features, blocks;
    float *origin;    /* [features] of the first sample */
    double *shifted;  /* [features] sum of h - origin */
    double *partials; /* [blocks][2][8 lanes]: sum of (h - origin)^2, sum of |h| */
    size_t samples;
} vg_layer_sums;
vg_status vg_layer_sums_init(vg_layer_sums *sums, size_t features, vg_error *err);
void vg_layer_sums_reset(vg_layer_sums *sums);
void vg_layer_sums_begin(vg_layer_sums *sums);
/* h [n][features]. Rows with usable[i] false and values that are not finite count as 0; usable may
 * be NULL (all rows). */
void vg_layer_sums_add(vg_layer_sums *sums, const float *h, const bool *usable, int n);
void vg_layer_sums_finish(const vg_layer_sums *sums, double *spread, double *level);

#endif
