/* Softmax cross-entropy. Double inside and in the order of the samples: a batch has at most a few
 * thousand logits, exactness is cheap here. */
#include "nn/loss.h"

#include <math.h>
#include <stdbool.h>

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

/* What a label weighs in the batch: its share of the sample, times its class's weight. */
static double weight_of(const float *weights, int label, double share)
{
    return share * (weights ? (double)weights[label] : 1);
}

vg_loss_result vg_softmax_cross_entropy_pairs(const float *logits, const vg_label_pairs *pairs,
                                              int n, int classes, const float *weights,
                                              float *dlogits)
{
    vg_loss_result result = {0};
    double total = 0, loss = 0, rest = 1 - pairs->share;
    bool one = rest == 0;
    for (int i = 0; i < n; i++) {
        total += weight_of(weights, pairs->first[i], pairs->share);
        if (!one)
            total += weight_of(weights, pairs->second[i], rest);
    }
    for (int i = 0; i < n; i++) {
        const float *z = logits + (size_t)i * (size_t)classes;
        int first = pairs->first[i], second = one ? first : pairs->second[i];
        double a = weight_of(weights, first, pairs->share), b = weight_of(weights, second, rest);
        a = total > 0 ? a / total : 0;
        b = total > 0 ? b / total : 0;
        double top, logs = log_sum(z, classes, &top);
        loss += a * (logs + top - (double)z[first]);
        if (!one)
            loss += b * (logs + top - (double)z[second]);
        result.correct += arg_max(z, classes) == (pairs->share >= 0.5 ? first : second);
        if (!dlogits)
            continue;
        float *d = dlogits + (size_t)i * (size_t)classes;
        for (int k = 0; k < classes; k++) {
            double p = exp((double)z[k] - top - logs), g = a * (p - (k == first));
            d[k] = (float)(one ? g : g + b * (p - (k == second)));
        }
    }
    result.loss = loss;
    return result;
}

vg_loss_result vg_softmax_cross_entropy(const float *logits, const int32_t *labels, int n,
                                        int classes, const float *weights, float *dlogits)
{
    const vg_label_pairs pairs = {labels, labels, 1};
    return vg_softmax_cross_entropy_pairs(logits, &pairs, n, classes, weights, dlogits);
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
