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
/* probabilities [n][classes], in double inside. */
void vg_softmax(const float *logits, int n, int classes, float *probabilities);

#endif
