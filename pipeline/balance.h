/* How skewed the labels are, and what to do about it: measures and loss weights.
 * (Rebalancing by resampling is load/sampler.h.) Pure functions. */
#ifndef VG_BALANCE_H
#define VG_BALANCE_H

#include "base/status.h"

#include <stddef.h>

typedef struct vg_balance {
    size_t total;
    int classes;
    int present;              /* classes with at least one sample */
    double imbalance_ratio;   /* largest count / smallest count above 0 */
    double entropy;           /* of the label distribution, nats */
    double effective_classes; /* exp(entropy), 1..classes */
    double majority_share;    /* what a network that always names the largest class gets right */
    int majority;             /* that class */
    int minority;             /* the smallest class with at least one sample */
} vg_balance;

/* counts[classes]. With total 0 everything is 0. */
vg_balance vg_balance_measure(const size_t *counts, int classes);

typedef enum vg_weighting {
    VG_WEIGHTING_NONE,
    VG_WEIGHTING_INVERSE,  /* n / (K n_k), scikit-learn's "balanced" */
    VG_WEIGHTING_SQRT,     /* in proportion to 1 / sqrt(n_k) */
    VG_WEIGHTING_EFFECTIVE /* (1 - beta) / (1 - beta^n_k), Cui et al., CVPR 2019 */
} vg_weighting;

/* weights[classes], scaled so that the mean over the SAMPLES is 1; 0 for a class without samples. beta of
 * VG_WEIGHTING_EFFECTIVE, 0..1: 0 weighs all classes alike, 1 is VG_WEIGHTING_INVERSE (0.999). */
void vg_balance_weights(const size_t *counts, int classes, vg_weighting weighting, double beta,
                        float *weights);
/* Cui's effective number of samples (1 - beta^n) / (1 - beta). */
double vg_effective_number(size_t n, double beta);

vg_status vg_weighting_parse(const char *word, vg_weighting *weighting, vg_error *err);
const char *vg_weighting_name(vg_weighting weighting);

#endif
