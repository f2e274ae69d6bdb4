/* The losses of one sample. Double inside: a batch has at most some hundred thousand outputs, and
 * exactness is cheap here. Exponentials are taken twice rather than kept, so that no room is needed. */
#include "nn/loss_internal.h"

#include <float.h>
#include <math.h>

/* Below this a probability counts as this: 1 / p stays a float, and what a softmax in float makes of
 * logits 80 below the largest still has its gradient. */
static const double LEAST = 1e-37;
/* The largest float below 1. */
static const double MOST = 1 - 0x1p-24;

double vg_log_probability(float p)
{
    return log(fmax((double)p, LEAST));
}

double vg_logit_probability(float p)
{
    double q = fmin(fmax((double)p, LEAST), MOST);
    return log(q) - log1p(-q);
}

static bool given_probabilities(const vg_loss *l)
{
    return l->options.from_logits == VG_FROM_LOGITS_NO;
}

static void store(float *d, int k, const vg_loss_target *t, double value)
{
    d[k] = t->add ? d[k] + (float)value : (float)value;
}

/* ---- over all classes: softmax */

/* What is exponentiated. */
static double exponent(const vg_loss *l, const float *z, int k, int label)
{
    double v = given_probabilities(l) ? vg_log_probability(z[k]) : (double)z[k];
    if (l->adjust)
        v += l->adjust[k];
    if (l->margin && k == label)
        v -= l->margin[k];
    return v;
}

/* d exponent / d output. */
static double slope(const vg_loss *l, float z)
{
    if (!given_probabilities(l))
        return 1;
    return z >= 0 && z <= 1 ? 1 / fmax((double)z, LEAST) : 0;
}

typedef struct sums {
    double top, log_sum;
    double others; /* 1 - p of the label, without cancellation */
} sums;

static sums sum_row(const vg_loss *l, const float *z, int label)
{
    sums s = {.top = exponent(l, z, 0, label)};
    for (int k = 1; k < l->classes; k++) {
        double v = exponent(l, z, k, label);
        s.top = v > s.top ? v : s.top;
    }
    double sum = exp(exponent(l, z, 0, label) - s.top), others = label == 0 ? 0 : sum;
    for (int k = 1; k < l->classes; k++) {
        double e = exp(exponent(l, z, k, label) - s.top);
        sum += e;
        others += k == label ? 0 : e;
    }
    s.log_sum = log(sum);
    s.others = others / sum;
    return s;
}

/* Cross-entropy, with smoothing: the label's term and one of every class. */
static double cross_entropy(const vg_loss *l, const float *z, const vg_loss_target *t, float *d)
{
    sums s = sum_row(l, z, t->label);
    double smooth = l->options.label_smoothing, own = t->weight * (1 - smooth);
    double every = t->share * smooth / l->classes;
    double loss = own * (s.log_sum + s.top - exponent(l, z, t->label, t->label));
    for (int k = 0; every > 0 && k < l->classes; k++) {
        double w = l->weights ? (double)l->weights[k] : 1;
        loss += every * w * (s.log_sum + s.top - exponent(l, z, k, t->label));
    }
    for (int k = 0; d && k < l->classes; k++) {
        double p = exp(exponent(l, z, k, t->label) - s.top - s.log_sum);
        double g = own * (p - (k == t->label));
        if (every > 0)
            g += every * (p * l->all - (l->weights ? (double)l->weights[k] : 1));
        store(d, k, t, g * slope(l, z[k]));
    }
    return loss;
}

/* -(1 - p)^gamma log p, and its derivative by log p; `rest` is 1 - p. */
static double focus(double log_p, double rest, double gamma, double *by_log)
{
    double factor = rest > 0 ? pow(rest, gamma) : gamma > 0 ? 0 : 1;
    double p = exp(log_p);
    *by_log = -factor;
    if (gamma > 0 && rest > 0)
        *by_log += gamma * pow(rest, gamma - 1) * p * log_p;
    return -factor * log_p;
}

static double focal(const vg_loss *l, const float *z, const vg_loss_target *t, float *d)
{
    sums s = sum_row(l, z, t->label);
    double log_p = exponent(l, z, t->label, t->label) - s.top - s.log_sum, by_log;
    double loss = focus(log_p, s.others, l->options.gamma, &by_log);
    for (int k = 0; d && k < l->classes; k++) {
        double p = exp(exponent(l, z, k, t->label) - s.top - s.log_sum);
        store(d, k, t, t->weight * by_log * ((k == t->label) - p) * slope(l, z[k]));
    }
    return t->weight * loss;
}

static double target_of(const vg_loss *l, const vg_loss_target *t, int k)
{
    double smooth = l->options.label_smoothing;
    return (1 - smooth) * (k == t->label) + smooth / l->classes;
}

static double squared(const vg_loss *l, const float *z, const vg_loss_target *t, float *d)
{
    bool given = given_probabilities(l);
    sums s = {0};
    if (!given)
        s = sum_row(l, z, t->label);
    double loss = 0, along = 0;
    for (int k = 0; k < l->classes; k++) {
        double p = given ? (double)z[k] : exp((double)z[k] - s.top - s.log_sum);
        double off = p - target_of(l, t, k);
        loss += off * off;
        along += 2 * off * p;
    }
    for (int k = 0; d && k < l->classes; k++) {
        double p = given ? (double)z[k] : exp((double)z[k] - s.top - s.log_sum);
        double g = 2 * (p - target_of(l, t, k));
        store(d, k, t, t->weight * (given ? g : p * (g - along)));
    }
    return t->weight * loss;
}

/* ---- each class by itself: sigmoid */

/* log sigmoid(v) without overflow. */
static double log_sigmoid(double v)
{
    return v >= 0 ? -log1p(exp(-v)) : v - log1p(exp(v));
}

static double one_against_all(const vg_loss *l, const float *z, const vg_loss_target *t, float *d)
{
    bool given = given_probabilities(l), focused = l->options.kind == VG_LOSS_SIGMOID_FOCAL;
    double loss = 0;
    for (int k = 0; k < l->classes; k++) {
        double v = given ? vg_logit_probability(z[k]) : (double)z[k];
        double yes = log_sigmoid(v), no = log_sigmoid(-v), g;
        double y = target_of(l, t, k);
        if (focused) { /* y is 0 or 1 here */
            double by_log, rest = exp(y > 0 ? no : yes);
            loss += focus(y > 0 ? yes : no, rest, l->options.gamma, &by_log);
            g = (y > 0 ? 1 : -1) * by_log * rest; /* d log sigmoid(v) / dv = 1 - sigmoid(v) */
        } else {
            loss -= y * yes + (1 - y) * no;
            g = exp(yes) - y;
        }
        if (!d)
            continue;
        double chain = !given ? 1 : z[k] >= 0 && z[k] <= 1 ? 1 / (exp(yes) * exp(no)) : 0;
        store(d, k, t, t->weight * g * fmin(chain, (double)FLT_MAX));
    }
    return t->weight * loss;
}

double vg_loss_row(const vg_loss *l, const float *z, const vg_loss_target *t, float *d)
{
    switch (l->options.kind) {
    case VG_LOSS_SIGMOID:
    case VG_LOSS_SIGMOID_FOCAL:
        return one_against_all(l, z, t, d);
    case VG_LOSS_MSE:
        return squared(l, z, t, d);
    case VG_LOSS_FOCAL:
        return focal(l, z, t, d);
    default:
        return cross_entropy(l, z, t, d);
    }
}
