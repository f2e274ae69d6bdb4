/* What wrong labels a dataset has, from its labels and the outputs of networks that never saw them. Statistics alone:
 * nothing is trained here.
 *
 * A picture of true class j carries label i with probability T[j][i], whatever it looks like (class-conditional noise;
 * Natarajan et al., NIPS 2013; Northcutt, Jiang, Chuang: "Confident learning", JAIR 70, 2021). A network that knows
 * nothing of a picture's label errs on it with a probability that falls with its margin (largest output minus second
 * largest); a wrong label disagrees with it however sure it is. So among the pictures that are taken for j the share
 * that is labelled i is modelled as
 *
 *   T[j][i] + (1 - sum of T[j][k], k != j) e(margin) c[j][i],    e = 1 / (1 + exp(slope margin + offset)),
 *
 * a psychometric function whose lapses are the wrong labels, and fitted for each class by expectation
 * maximization; classes with few pictures lean on the fit over all. Where the network is never sure nothing tells errors
 * of the network from errors of the labels: then the interval is wide and begins at 0.
 *
 * The doubt about one label is Bayes' rule: P(true != given | picture, given) with P(true = j | picture) by the network
 * and T. Noise that depends on the picture (hard ones are mislabelled more often) is underestimated. */
#ifndef VG_STUDY_LABEL_NOISE_H
#define VG_STUDY_LABEL_NOISE_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Outputs of networks on pictures that they were not trained on. Borrowed. */
typedef struct vg_opinions {
    const float *logits;   /* [count][classes] */
    const int32_t *labels; /* [count] as given, 0..classes - 1 */
    size_t count;
    int classes;
} vg_opinions;

typedef enum vg_noise_kind {
    VG_NOISE_NONE,      /* the interval begins at 0: no wrong label is proven */
    VG_NOISE_SCATTERED, /* wrong labels, of no class in particular */
    VG_NOISE_PAIRS,     /* at least half of them are pictures of one class under the name of
                           one certain other */
    VG_NOISE_MIXED      /* there are such pairs, but most wrong labels belong to none */
} vg_noise_kind;
const char *vg_noise_kind_name(vg_noise_kind kind); /* "none", "scattered", "pairs", "mixed" */

/* Pictures of class `truth` that are labelled `given` much more often than other classes are. */
typedef struct vg_noise_pair {
    int truth, given;
    double images; /* about so many */
    double share;  /* of the pictures of `truth` */
    double low;    /* of `share`, 95 % */
} vg_noise_pair;

typedef struct vg_label_noise {
    int classes;
    double *transition; /* T, [classes][classes], rows sum to 1 */
    double wrong;       /* labels that are wrong, estimated ... */
    double low,
        high; /* ... and the interval: sampling error, what different estimators say, and what errors of
                           the network may pass for */
    double network; /* share of the pictures on which the network errs by itself, estimated */
    vg_noise_kind kind;
    vg_noise_pair *pairs; /* [pair_count], most images first */
    size_t pair_count;
} vg_label_noise;
void vg_label_noise_reset(vg_label_noise *noise);

/* VG_E_ARG: fewer than two classes or no pictures, a label out of range. VG_E_NUMERIC: outputs that are not finite.
 * The result does not depend on the order of the pictures but for rounding. Pure; any thread. */
vg_status vg_label_noise_estimate(const vg_opinions *opinions, vg_label_noise *noise,
                                  vg_error *err);
/* A first guess of T for a network that was trained on the noisy labels themselves. Its margins follow the noise and
 * tell nothing of lapses; but which pictures are the surest ones of a class they do tell, and what those are labelled is
 * counted (anchor points; Patrini et al., CVPR 2017). transition [classes][classes]. Too much rather than too little: errors of
 * the network are counted as well. Errors as above. */
vg_status vg_label_noise_count(const vg_opinions *opinions, double *transition, vg_error *err);
/* For every picture the probability that its label is wrong, doubt [count], and the other class that fits best,
 * suggested [count] (may be NULL). `noise` must have as many classes. */
vg_status vg_label_noise_doubts(const vg_label_noise *noise, const vg_opinions *opinions,
                                float *doubt, int32_t *suggested, vg_error *err);
/* P(true = j | outputs, given label) for one picture -> chances [classes]. */
void vg_label_noise_posterior(const vg_label_noise *noise, const float *logits, int label,
                              double *chances);

#endif
