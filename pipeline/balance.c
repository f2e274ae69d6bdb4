/* Counts in, numbers out. Everything is computed in double and only the weights are rounded to
 * float, so that classes of 10 and of 10 million samples stand side by side without loss. */
#include "balance.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

vg_balance vg_balance_measure(const size_t *counts, int classes)
{
    vg_balance balance = {.classes = classes};
    for (int k = 0; k < classes; k++) {
        if (counts[k] == 0)
            continue;
        if (!balance.present || counts[k] > counts[balance.majority])
            balance.majority = k;
        if (!balance.present || counts[k] < counts[balance.minority])
            balance.minority = k;
        balance.present++;
        balance.total += counts[k];
    }
    if (!balance.total)
        return balance;
    double n = (double)balance.total;
    for (int k = 0; k < classes; k++) {
        double p = (double)counts[k] / n;
        if (p > 0)
            balance.entropy -= p * log(p);
    }
    balance.entropy = fmax(balance.entropy, 0); /* one class: not -0 */
    balance.effective_classes = exp(balance.entropy);
    balance.majority_share = (double)counts[balance.majority] / n;
    balance.imbalance_ratio = (double)counts[balance.majority] / (double)counts[balance.minority];
    balance.imbalance_factor = vg_imbalance_factor(counts, classes, 1);
    balance.lrid = 2 * n * fmax(0, log((double)classes) - balance.entropy);
    balance.effective_ratio = vg_effective_number(counts[balance.majority], VG_EFFECTIVE_BETA) /
                              vg_effective_number(counts[balance.minority], VG_EFFECTIVE_BETA);
    return balance;
}

double vg_imbalance_factor(const size_t *counts, int classes, double order)
{
    double n = 0, sum = 0, largest = 0;
    for (int k = 0; k < classes; k++) {
        n += (double)counts[k];
        largest = fmax(largest, (double)counts[k]);
    }
    if (classes < 2 || n <= 0)
        return 0;
    for (int k = 0; k < classes; k++) {
        double p = (double)counts[k] / n;
        if (p > 0 && order == 1)
            sum -= p * log(p);
        else if (p > 0 && isfinite(order)) /* against the largest: no power becomes 0 */
            sum += pow((double)counts[k] / largest, order);
    }
    double most = -log(largest / n), entropy = most;
    if (order == 1)
        entropy = sum;
    else if (isfinite(order))
        entropy = (order * most - log(sum)) / (order - 1);
    return fmin(1, fmax(0, 1 - entropy / log((double)classes)));
}

double vg_effective_number(size_t n, double beta)
{
    if (n == 0)
        return 0;
    if (beta >= 1)
        return (double)n; /* the limit */
    if (beta <= 0)
        return 1;
    /* expm1: beta^n is near 1 for small n, and the difference would lose its digits */
    return -expm1((double)n * log(beta)) / (1 - beta);
}

static double raw_weight(size_t n, vg_weighting weighting, double beta)
{
    switch (weighting) {
    case VG_WEIGHTING_INVERSE:
        return 1 / (double)n;
    case VG_WEIGHTING_SQRT:
        return 1 / sqrt((double)n);
    case VG_WEIGHTING_EFFECTIVE:
        return 1 / vg_effective_number(n, beta);
    case VG_WEIGHTING_NONE:
        break;
    }
    return 1;
}

void vg_balance_weights(const size_t *counts, int classes, vg_weighting weighting, double beta,
                        float *weights)
{
    double total = 0, weighted = 0;
    for (int k = 0; k < classes; k++) {
        if (!counts[k])
            continue;
        total += (double)counts[k];
        weighted += (double)counts[k] * raw_weight(counts[k], weighting, beta);
    }
    for (int k = 0; k < classes; k++)
        weights[k] =
            counts[k] ? (float)(raw_weight(counts[k], weighting, beta) * total / weighted) : 0.0F;
}

static const char *const NAMES[] = {"none", "inverse", "sqrt", "effective"};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

vg_status vg_weighting_parse(const char *word, vg_weighting *weighting, vg_error *err)
{
    for (int i = 0; i < NAME_COUNT; i++)
        if (strcmp(word, NAMES[i]) == 0) {
            *weighting = (vg_weighting)i;
            return VG_OK;
        }
    const char *near = vg_nearest(word, NAMES, NAME_COUNT);
    return vg_fail(err, VG_E_ARG,
                   "unknown weighting \"%s\"%s%s%s; known are none, inverse, sqrt, effective", word,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *vg_weighting_name(vg_weighting weighting)
{
    return weighting >= 0 && (int)weighting < NAME_COUNT ? NAMES[weighting] : "unknown";
}
