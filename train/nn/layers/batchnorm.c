/* Batch normalization over the whole batch (Ioffe, Szegedy: "Batch normalization", ICML 2015), with
 * the conventions of PyTorch: running statistics moved by the momentum, their variance unbiased.
 * Sums are double, per shard, and added in the fixed tree, so the statistics are those of the
 * batch and not of a thread's part of it. A batch of a single value keeps its running variance. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR };

static vg_status batchnorm_shape(vg_layer *l, vg_error *err)
{
    (void)err;
    l->out = l->in;
    return VG_OK;
}

static void batchnorm_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    (void)max_batch;
    size_t c = (size_t)l->in.c;
    int64_t shape[1] = {l->in.c};
    if (l->spec.option)
        vg_layer_statistic(l, plan, "weight", l->in.c); /* stays 1 */
    else
        vg_layer_param(l, plan, "weight", shape, 1, false);
    vg_layer_param(l, plan, "bias", shape, 1, false);
    vg_layer_statistic(l, plan, "running_mean", l->in.c);
    vg_layer_statistic(l, plan, "running_var", l->in.c);
    vg_plan_floats(plan, &l->mean, c);
    vg_plan_floats(plan, &l->inverse, c);
    vg_plan_floats(plan, &l->affine, 3 * c);
    vg_plan_bytes(plan, &l->sums, (size_t)VG_MODEL_SHARDS * 2 * c, sizeof(double));
}

static void forward_statistics(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    double *sum = l->sums + (size_t)shard.index * 2 * c, *square = sum + c;
    memset(sum, 0, 2 * c * sizeof *sum);
    const float *x = l->x + (size_t)shard.first * c * map;
    for (int i = 0; i < shard.count; i++)
        for (size_t k = 0; k < c; k++, x += map) {
            double s, q;
            vg_sum_and_product(x, x, map, &s, &q);
            sum[k] += s;
            square[k] += q;
        }
}

static void forward_combine(vg_layer *l, const vg_pass *pass)
{
    size_t c = (size_t)l->in.c;
    double count = (double)pass->n * (double)l->in.h * (double)l->in.w, moved = l->spec.rate;
    for (size_t k = 0; k < c; k++) {
        double mean = vg_add_tree_double(l->sums + k, 2 * c) / count;
        double variance = vg_add_tree_double(l->sums + c + k, 2 * c) / count - mean * mean;
        variance = variance < 0 ? 0 : variance; /* rounding; NaN stays */
        double inverse = 1 / sqrt(variance + l->spec.epsilon);
        l->mean[k] = (float)mean;
        l->inverse[k] = (float)inverse;
        double a = (double)l->params[GAMMA].value[k] * inverse;
        l->affine[k] = (float)a;
        l->affine[c + k] = (float)((double)l->params[BETA].value[k] - mean * a);
        float *rm = l->params[RUNNING_MEAN].value + k, *rv = l->params[RUNNING_VAR].value + k;
        *rm = (float)((1 - moved) * (double)*rm + moved * mean);
        if (count > 1)
            *rv = (float)((1 - moved) * (double)*rv + moved * variance * count / (count - 1));
    }
}

static void batchnorm_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    const float *x = l->x + (size_t)shard.first * c * map;
    float *y = l->y + (size_t)shard.first * c * map;
    for (int i = 0; i < shard.count; i++)
        for (size_t k = 0; k < c; k++, x += map, y += map) {
            float a = l->affine[k], b = l->affine[c + k];
            if (!pass->training) {
                double s = (double)l->params[GAMMA].value[k] /
                           sqrt((double)l->params[RUNNING_VAR].value[k] + l->spec.epsilon);
                a = (float)s;
                b = (float)((double)l->params[BETA].value[k] -
                            (double)l->params[RUNNING_MEAN].value[k] * s);
            }
            vg_affine(x, y, map, a, b, l->fused_relu);
        }
}

static void backward_statistics(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    double *sum = l->sums + (size_t)shard.index * 2 * c, *cross = sum + c;
    memset(sum, 0, 2 * c * sizeof *sum);
    const float *x = l->x + (size_t)shard.first * c * map;
    const float *dy = l->dy + (size_t)shard.first * c * map;
    for (int i = 0; i < shard.count; i++)
        for (size_t k = 0; k < c; k++, x += map, dy += map) {
            double s, p;
            vg_sum_and_product(dy, x, map, &s, &p);
            sum[k] += s;
            cross[k] += p;
        }
}

/* dx = gamma inverse (dy - mean(dy) - x^ mean(dy x^)), x^ = (x - mean) inverse, as a dy + b x + c. */
static void backward_combine(vg_layer *l, const vg_pass *pass)
{
    size_t c = (size_t)l->in.c;
    double count = (double)pass->n * (double)l->in.h * (double)l->in.w;
    for (size_t k = 0; k < c; k++) {
        double sum = vg_add_tree_double(l->sums + k, 2 * c);
        double cross = vg_add_tree_double(l->sums + c + k, 2 * c);
        double mean = (double)l->mean[k], inverse = (double)l->inverse[k];
        double dgamma = (cross - mean * sum) * inverse;
        if (l->params[GAMMA].grad)
            l->params[GAMMA].grad[k] = (float)dgamma;
        l->params[BETA].grad[k] = (float)sum;
        double a = (double)l->params[GAMMA].value[k] * inverse;
        double b = -a * dgamma / count * inverse;
        l->affine[k] = (float)a;
        l->affine[c + k] = (float)b;
        l->affine[2 * c + k] = (float)(-a * sum / count - b * mean);
    }
}

static void batchnorm_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    size_t at = (size_t)shard.first * c * map;
    for (int i = 0; i < shard.count; i++)
        for (size_t k = 0; k < c; k++, at += map)
            vg_affine2(l->dy + at, l->x + at, l->dx + at, map, l->affine[k], l->affine[c + k],
                       l->affine[2 * c + k]);
}

const vg_layer_ops vg_batchnorm_ops = {.shape = batchnorm_shape,
                                       .plan = batchnorm_plan,
                                       .forward = batchnorm_forward,
                                       .backward = batchnorm_backward,
                                       .forward_statistics = forward_statistics,
                                       .forward_combine = forward_combine,
                                       .backward_statistics = backward_statistics,
                                       .backward_combine = backward_combine,
                                       .fuse_relu = true};
