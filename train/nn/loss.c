/* Softmax cross-entropy. Double inside and in the order of the samples: a batch has at most a few
 * thousand logits, exactness is cheap here. */
#include "nn/loss.h"

#include <math.h>

/* log sum exp of a row relative to its maximum; the maximum in *top. */
static double log_sum(const float *z, int classes, double *top)
{
    double best = (double)z[0];
    for (int k = 1; k < classes; k++)
        if ((double)z[k] > best)
            best = (double)z[k];
    double sum = exp((double)z[0] - best);
    for (int k = 1; k < classes; k++)
        sum += exp((double)z[k] - best);
    *top = best;
    return log(sum);
}

static int arg_max(const float *z, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (z[k] > z[best])
            best = k;
    return best;
}

vg_loss_result vg_softmax_cross_entropy(const float *logits, const int32_t *labels, int n,
                                        int classes, const float *weights, float *dlogits)
{
    vg_loss_result result = {0};
    double total = 0, loss = 0;
    for (int i = 0; i < n; i++)
        total += weights ? (double)weights[labels[i]] : 1;
    for (int i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * (size_t)classes;
        int label = labels[i];
        double w = weights ? (double)weights[label] : 1, share = total > 0 ? w / total : 0, top;
        double logs = log_sum(z, classes, &top);
        loss += share * (logs + top - (double)z[label]);
        result.correct += arg_max(z, classes) == label;
        if (!dlogits)
            continue;
        float *d = dlogits + (size_t)i * (size_t)classes;
        for (int k = 0; k < classes; k++) {
            double p = exp((double)z[k] - top - logs);
            d[k] = (float)(share * (p - (k == label)));
        }
    }
    result.loss = loss;
    return result;
}

void vg_softmax(const float *logits, int n, int classes, float *probabilities)
{
    for (int i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * (size_t)classes;
        float *p = probabilities + (size_t)i * (size_t)classes;
        double top, logs = log_sum(z, classes, &top);
        for (int k = 0; k < classes; k++)
            p[k] = (float)exp((double)z[k] - top - logs);
    }
}
