/* How skewed the labels are, and what to do about it: measures and loss weights. What the labels say
 * beyond that (between splits, by their order) is in audit/labels.h.
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
    double
        imbalance_factor; /* vg_imbalance_factor of order 1: 0 for equal classes, 1 for one class */
    double lrid;          /* likelihood-ratio imbalance degree, below */
    double
        effective_ratio; /* imbalance ratio of Cui's effective numbers with VG_EFFECTIVE_BETA: what
                               is left of it when the n-th picture of a class shows less new than
                               the first */
} vg_balance;
#define VG_EFFECTIVE_BETA 0.999
/* A class is missing in a network's outputs when it is named less often than this share of its
 * occurrence, beyond chance (train/observe). */
#define VG_MISSING_SHARE 0.1

/* counts[classes]. With total 0 everything is 0. Classes without samples count for the ratios as if
 * they were not there, for imbalance_factor and lrid as what they are, classes of nothing.
 *
 * lrid is 2 sum n_k ln(n_k K / n), the likelihood-ratio statistic of "all classes are equal" (Zhu, Wang,
 * Ma, Wang, Xue: "LRID: a new metric of multi-class imbalance degree based on likelihood-ratio
 * test", Pattern Recognition Letters 116, 2018). Unlike the ratio it sees the classes between the
 * largest and the smallest. It grows with n: lrid / (2 n ln K) is imbalance_factor. */
vg_balance vg_balance_measure(const size_t *counts, int classes);
/* 1 - H_order / ln K with Renyi's entropy of that order (1: Shannon's; INFINITY: of the largest class
 * alone), order > 0: the share of the possible diversity of labels that is lacking, 0..1 for any
 * number of classes; the higher the order, the more the largest classes weigh. 0 for fewer than two
 * classes or no samples. After the imbalance factor of Pirizadeh, Farahani and Kheradpisheh
 * (Knowledge and Information Systems 65, 2023), as its abstract describes it (information theory, 0
 * to 1, limiting cases by an order alpha); their own normalization may differ. */
double vg_imbalance_factor(const size_t *counts, int classes, double order);

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
