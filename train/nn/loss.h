/* Losses of a classifier, with their gradients: what is made of a batch of outputs and its labels.
 *
 * With z the outputs of sample i, y its label, w the class weights (1 without), p = softmax(z) or, one
 * against all others, sigmoid(z):
 *
 *   softmax         w_y x -log p_y
 *   sigmoid         w_y x the sum over k of -log p_k for k = y, of -log(1 - p_k) else
 *   mse             w_y x the sum over k of (p_k - [k = y])^2, p by softmax: the Brier score
 *   focal           w_y x -(1 - p_y)^gamma log p_y                (Lin et al., ICCV 2017)
 *   sigmoid-focal   the same for each term of sigmoid: (1 - p_k)^gamma and p_k^gamma
 *   logit-adjusted  softmax of z_k + tau log prior_k              (Menon et al., ICLR 2021)
 *   ldam            softmax of z_k - scale x margin_k [k = y], margin_k = C n_k^(-1/4) with the
 *                   largest as asked                              (Cao et al., NeurIPS 2019)
 *
 * The loss of a batch is the sum of these over the sum of w_y. Sums over classes are sums, where
 * PyTorch and Keras take means for mse and sigmoid: so one learning rate fits any number of classes.
 *
 * Label smoothing e puts (1 - e) [k = y] + e / K in the place of [k = y] (softmax, logit-adjusted,
 * sigmoid, mse); with class weights each term of softmax has the weight of its class, as in PyTorch.
 * A pair of labels (MixUp, CutMix) is share x the loss with the first + the rest x the loss with the
 * second, for any loss, as MixUp's authors do.
 *
 * Outputs that are probabilities already (from_logits no): softmax takes log p for z, so that they
 * need not sum to 1, sigmoid log p - log(1 - p), mse p itself. Their gradient is by p, and 0 where p is
 * not in 0..1 (but with mse, which takes any output). */
#ifndef VG_NN_LOSS_H
#define VG_NN_LOSS_H

#include "nn/spec.h"

#include <stddef.h>
#include <stdint.h>

typedef enum vg_loss_kind {
    VG_LOSS_SOFTMAX,
    VG_LOSS_SIGMOID,
    VG_LOSS_MSE,
    VG_LOSS_FOCAL,
    VG_LOSS_SIGMOID_FOCAL,
    VG_LOSS_LOGIT_ADJUSTED,
    VG_LOSS_LDAM,
    VG_LOSSES
} vg_loss_kind;

/* Auto: no when the network ends in softmax or sigmoid as the loss would apply it (any of both for mse),
 * else yes. */
typedef enum vg_from_logits {
    VG_FROM_LOGITS_AUTO,
    VG_FROM_LOGITS_YES,
    VG_FROM_LOGITS_NO,
    VG_FROM_LOGITS_WORDS
} vg_from_logits;

typedef struct vg_loss_options {
    vg_loss_kind kind;
    vg_from_logits from_logits;
    double label_smoothing; /* 0..1 (0) */
    double gamma;           /* focal, sigmoid-focal: 0 and more (2) */
    double tau;             /* logit-adjusted (1) */
    double margin;          /* ldam: the largest (0.5) */
    double scale; /* ldam: what the network multiplies its cosines by (1), 30 in the paper:
                               "cosine classes", "linear 30" */
} vg_loss_options;
vg_loss_options vg_loss_options_default(void);
/* VG_E_ARG: a value out of its range, label smoothing where it is not defined. */
vg_status vg_loss_check(const vg_loss_options *options, vg_error *err);
/* What is suspicious about this loss behind a network that ends in `last` (its last layer): softmax
 * applied twice, logits taken for probabilities. NULL: nothing. Static. */
const char *vg_loss_warning(const vg_loss_options *options, vg_layer_kind last);

vg_status vg_loss_parse(const char *word, vg_loss_kind *kind, vg_error *err);
const char *vg_loss_name(vg_loss_kind kind);
const char *vg_from_logits_name(vg_from_logits word); /* auto, yes, no */

/* What a loss must know beside its options. Counts are [classes], copied; a count of 0 counts as a
 * half. */
typedef struct vg_loss_setup {
    int classes, max_batch;
    vg_layer_kind last;   /* of the network's layers */
    const uint64_t *seen; /* how often a class is seen in an epoch: the priors of logit-adjusted */
    const uint64_t *samples; /* how many samples it has: the margins of ldam */
} vg_loss_setup;

typedef struct vg_loss vg_loss;
vg_status vg_loss_new(const vg_loss_options *options, const vg_loss_setup *setup, vg_loss **loss,
                      vg_error *err);
void vg_loss_free(vg_loss *loss);
/* Class weights [classes] from now on, copied; NULL: none. */
void vg_loss_weigh(vg_loss *loss, const float *weights);

/* Two labels for each sample: `share` of the first one, the rest of the second (MixUp, CutMix). */
typedef struct vg_label_pairs {
    const int32_t *first, *second; /* [n] */
    double share;                  /* 0..1 */
} vg_label_pairs;

typedef struct vg_loss_result {
    double loss;
    int correct; /* arg max equals the label: that of the larger share, the first of equal ones */
} vg_loss_result;

/* outputs [n][classes], n <= max_batch; doutputs [n][classes] gets the gradient (may be NULL). Sums in
 * the order of the samples, whatever the threads; nothing is allocated. One thread at a time. */
vg_loss_result vg_loss_batch(vg_loss *loss, const float *outputs, const vg_label_pairs *labels,
                             int n, float *doutputs);

/* Softmax cross-entropy alone, from logits; weights [classes] or NULL, dlogits may be NULL. */
vg_loss_result vg_softmax_cross_entropy(const float *logits, const int32_t *labels, int n,
                                        int classes, const float *weights, float *dlogits);

/* Outputs [n][classes] of a network that ends in `last` as logits, in place or not: log p behind
 * softmax, log p - log(1 - p) behind sigmoid, else as they are. */
void vg_outputs_to_logits(vg_layer_kind last, const float *outputs, size_t n, int classes,
                          float *logits);

#endif
