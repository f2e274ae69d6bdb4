/* Softmax cross-entropy from logits, weighted by class. */
#ifndef VG_NN_LOSS_H
#define VG_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

typedef struct vg_loss_result {
    double loss; /* mean over the batch: sum w_y * -log p_y / sum w_y */
    int correct; /* arg max equals the label */
} vg_loss_result;

/* logits [n][classes], labels [n]; weights [classes] or NULL; dlogits [n][classes] gets the
 * gradient of the mean (may be NULL). Sums in a fixed order. */
vg_loss_result vg_softmax_cross_entropy(const float *logits, const int32_t *labels, int n,
                                        int classes, const float *weights, float *dlogits);
/* Two labels for each sample: `share` of the first one, the rest of the second (MixUp, CutMix). */
typedef struct vg_label_pairs {
    const int32_t *first, *second; /* [n] */
    double share;                  /* 0..1 */
} vg_label_pairs;
/* The same for pairs: share * CE(first) + (1 - share) * CE(second), each term weighted by the class of
 * its label, over the sum of all weights. `correct` counts the label of the larger share (the first of
 * equal ones). With share 1 it is vg_softmax_cross_entropy of the first labels, bit by bit. */
vg_loss_result vg_softmax_cross_entropy_pairs(const float *logits, const vg_label_pairs *pairs,
                                              int n, int classes, const float *weights,
                                              float *dlogits);
/* probabilities [n][classes], in double inside. */
void vg_softmax(const float *logits, int n, int classes, float *probabilities);

#endif
