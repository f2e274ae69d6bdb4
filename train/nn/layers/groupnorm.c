/* Group normalization (Wu, He: "Group normalization", ECCV 2018) and layer normalization (Ba, Kiros,
 * Hinton 2016): mean and variance of a part of one picture, so that neither the batch nor its size
 * matters and training and evaluation are the same. A layer norm is one group of all channels, with
 * a weight and a bias for every place instead of every channel, as in the frameworks. The mean and
 * the inverse deviation of each group are kept for the backward pass, sums are double. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

enum { GAMMA, BETA };

static bool by_place(const vg_layer *l)
{
    return l->spec.kind == VG_LAYER_LAYERNORM;
}

static size_t groups_of(const vg_layer *l)
{
    return by_place(l) ? 1 : (size_t)l->spec.groups;
}

static vg_status groupnorm_shape(vg_layer *l, vg_error *err)
{
    l->out = l->in;
    if (!by_place(l) && (l->spec.groups < 1 || l->in.c % l->spec.groups))
        return vg_fail(err, VG_E_SHAPE, "%d channels cannot be cut into %d groups", l->in.c,
                       l->spec.groups);
    return VG_OK;
}

static void groupnorm_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    const int64_t channels[1] = {l->in.c}, places[3] = {l->in.c, l->in.h, l->in.w};
    const int64_t *shape = by_place(l) ? places : channels;
    int dims = by_place(l) ? 3 : 1;
    vg_layer_param(l, plan, "weight", shape, dims, true);
    vg_layer_param(l, plan, "bias", shape, dims, true);
    vg_plan_floats(plan, &l->mean, (size_t)max_batch * groups_of(l));
    vg_plan_floats(plan, &l->inverse, (size_t)max_batch * groups_of(l));
}

/* Values that share a weight, and how many such runs a group has. */
static size_t run_of(const vg_layer *l)
{
    return by_place(l) ? 1 : (size_t)l->in.h * (size_t)l->in.w;
}

static void measure(vg_layer *l, size_t at, const float *x, size_t n)
{
    double mean = vg_sum(x, n) / (double)n, squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    l->mean[at] = (float)mean;
    l->inverse[at] = (float)(1 / sqrt(squares / (double)n + l->spec.epsilon));
}

static void groupnorm_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t groups = groups_of(l), n = vg_shape_size(l->in) / groups, run = run_of(l);
    size_t from = (size_t)shard.first * groups, to = from + (size_t)shard.count * groups;
    for (size_t at = from; at < to; at++) {
        const float *x = l->x + at * n, *gamma = l->params[GAMMA].value + at % groups * (n / run);
        const float *beta = l->params[BETA].value + at % groups * (n / run);
        float *y = l->y + at * n;
        measure(l, at, x, n);
        float mean = l->mean[at], inverse = l->inverse[at];
        for (size_t k = 0; k < n / run; k++) {
            float a = gamma[k] * inverse;
            vg_affine(x + k * run, y + k * run, run, a, beta[k] - mean * a, l->fused_relu);
        }
    }
}

/* With h = (x - mean) inverse: dx = inverse (dy gamma - mean(dy gamma) - h mean(dy gamma h)). */
static void backward_one(const vg_layer *l, size_t at, float *dgamma, float *dbeta)
{
    size_t groups = groups_of(l), n = vg_shape_size(l->in) / groups, run = run_of(l);
    const float *x = l->x + at * n, *dy = l->dy + at * n;
    const float *gamma = l->params[GAMMA].value + at % groups * (n / run);
    double mean = (double)l->mean[at], inverse = (double)l->inverse[at], all = 0, cross = 0;
    for (size_t k = 0; k < n / run; k++) {
        double sum, product;
        vg_sum_and_product(dy + k * run, x + k * run, run, &sum, &product);
        double h = (product - mean * sum) * inverse;
        dgamma[k] += (float)h;
        dbeta[k] += (float)sum;
        all += (double)gamma[k] * sum;
        cross += (double)gamma[k] * h;
    }
    if (!l->dx)
        return;
    double b = -cross / (double)n * inverse * inverse;
    float c = (float)(-all / (double)n * inverse - b * mean);
    for (size_t k = 0; k < n / run; k++)
        vg_affine2(dy + k * run, x + k * run, l->dx + at * n + k * run, run,
                   (float)((double)gamma[k] * inverse), (float)b, c);
}

static void groupnorm_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t groups = groups_of(l), count = l->params[GAMMA].count;
    float *dgamma = l->partial[GAMMA] + (size_t)shard.index * count;
    float *dbeta = l->partial[BETA] + (size_t)shard.index * count;
    memset(dgamma, 0, count * sizeof *dgamma);
    memset(dbeta, 0, count * sizeof *dbeta);
    size_t from = (size_t)shard.first * groups, to = from + (size_t)shard.count * groups;
    for (size_t at = from; at < to; at++) {
        size_t part = at % groups * (count / groups);
        backward_one(l, at, dgamma + part, dbeta + part);
    }
}

const vg_layer_ops vg_groupnorm_ops = {.shape = groupnorm_shape,
                                       .plan = groupnorm_plan,
                                       .forward = groupnorm_forward,
                                       .backward = groupnorm_backward,
                                       .fuse_relu = true};
