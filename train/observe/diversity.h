/* How much the outputs of a network depend on its input: the six measures of one look at the probe.
 *
 * Definitions (K classes, N probe samples, p_i softmax, y labels, h features):
 *   input information   (H(mean p) - mean H(p_i)) / H(y)
 *   effective classes   exp(H(arg max histogram)) / exp(H(y))
 *   missing classes     predicted less than 0.1 x their share, upper Wilson 95 % bound below it
 *   label information   I(arg max; y) / H(y), with the share of label permutations that do as well
 *   layer spread        tr Cov(h_l) / mean |h_l|^2 for every layer, and the mean |h_l| beside it
 *   effective rank      exp(entropy of the singular values of the centred features) / (K - 1)
 * Input information and effective classes lie above 1 when an uneven probe meets outputs that are
 * more even than its labels (at most ln K / H(y) and K / exp(H(y))). That is a finding of its own
 * and is not cut off: an interval that ends at 1 would exclude the value it belongs to.
 * Outputs that are probabilities already (a network that ends in softmax or sigmoid) are taken back to
 * the logits behind them. Rows whose logits are not finite count as uniform outputs, and their share is told. Of equal
 * outputs the first is the arg max. A probe that holds a single class has H(y) = 0: what is divided
 * by it is NaN. Everything here gives the same bits for any number of threads. */
#ifndef VG_OBSERVE_DIVERSITY_H
#define VG_OBSERVE_DIVERSITY_H

#include "base/status.h"
#include "nn/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vg_layer_spread {
    char name[32];
    double spread; /* 0..1 */
    double level;  /* mean |h| */
} vg_layer_spread;

typedef struct vg_diversity {
    int classes;
    size_t samples;
    double input_information;
    double input_information_low, input_information_high; /* bootstrap over the probe, 95 % */
    double effective_classes;
    double *predicted_share; /* [classes] */
    double *label_share;     /* [classes] */
    double *recall;          /* [classes]; NaN for a class without probe samples */
    size_t *confusion;       /* [classes][classes], row true, column predicted */
    double top_share;        /* of the most predicted class */
    int top_class;
    double top_label_share;
    bool *missing; /* [classes], by the Wilson bound */
    int missing_count;
    int missing_plain; /* without the bound: share < 0.1 x prior */
    double label_information;
    double label_information_p; /* permutation, (1 + hits) / (1 + permutations) */
    double effective_rank;      /* over K - 1; NaN for two classes (the ratio means nothing) and
                                   where no features were seen */
    double accuracy;
    double balanced_accuracy;
    double balanced_low, balanced_high; /* 95 %, from the Wilson intervals of the recalls */
    double loss;                        /* mean cross-entropy; ln K for a row that is not finite */
    double nonfinite_share;
    double output_change;    /* mean over the probe of the total variation distance
                                (sum |p - p(first look)|) / 2, 0..1; 0 at the first look */
    bool first_look;         /* there was no earlier look to compare with */
    vg_layer_spread *layers; /* [layer_count]; "input" first, "logits" last (behind them perhaps
                                softmax, by its own name); layers that work on one
                                buffer are one: "0.conv+relu" */
    int layer_count;
    int collapsed_layer; /* first of `layers` with spread < 1e-4, -1: none */
} vg_diversity;

/* Frees what it holds and leaves it empty. */
void vg_diversity_reset(vg_diversity *diversity);

/* Collects a look batch by batch, then measures. */
typedef struct vg_observer vg_observer;
/* For up to `samples` probe samples (at least 1) of a model; all memory that depends on the model is
 * taken here. Looks must show the same samples in the same order. One thread at a time. */
vg_status vg_observer_new(const vg_model *model, size_t samples, vg_observer **observer,
                          vg_error *err);
void vg_observer_free(vg_observer *observer);
/* Starts a look. */
void vg_observer_begin(vg_observer *observer);
/* After an evaluation forward of `count` samples with these labels: takes logits, features and layer
 * sums. Samples beyond the room make vg_observer_measure fail. */
void vg_observer_add(vg_observer *observer, const vg_model *model, const int32_t *labels,
                     int count);
/* The same with outputs [count][classes] in place of the model's own: averaged over several views. */
void vg_observer_add_outputs(vg_observer *observer, const vg_model *model, const float *outputs,
                             const int32_t *labels, int count);
/* Measures what was added into *out (zero-initialized or earlier result; storage is replaced).
 * Bootstrap: 1000 resamples; permutations: 499. The effective rank of features wider than 1024 in a
 * probe larger than that is taken from every n-th sample, so that about 1024 are left. VG_E_STATE:
 * more samples than announced; VG_E_ARG: none, or a label that is no class. On failure *out is
 * empty. */
vg_status vg_observer_measure(vg_observer *observer, vg_diversity *out, vg_error *err);
/* The probabilities of the last look that was measured, [samples][classes]. */
const float *vg_observer_probabilities(const vg_observer *observer);
/* Those of the first look, [*samples][classes], which output_change is told against; *samples is 0 before it. Setting
 * them lets another observer go on where one has stopped. VG_E_SHAPE: more samples than announced. */
const float *vg_observer_first(const vg_observer *observer, size_t *samples);
vg_status vg_observer_set_first(vg_observer *observer, const float *first, size_t samples,
                                vg_error *err);

/* The output measures alone, from recorded logits [n][classes] (no layers, no rank): for tests and
 * other users. */
vg_status vg_diversity_of_outputs(const float *logits, const int32_t *labels, size_t n, int classes,
                                  vg_diversity *out, vg_error *err);
/* exp(entropy of singular values) of the centred rows of h [n][d]; not divided by anything. */
vg_status vg_effective_rank(const float *h, size_t n, size_t d, double *rank, vg_error *err);

#endif
