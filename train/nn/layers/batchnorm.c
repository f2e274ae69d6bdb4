/* Batch normalization over the whole batch (Ioffe, Szegedy: "Batch normalization", ICML 2015), with
 * the conventions of PyTorch: running statistics moved by the momentum, their variance unbiased.
 * Sums are double, per shard, and added in the fixed tree, so the statistics are those of the
 * batch and not of a thread's part of it. A convolution behind it may make the output by itself
 * (fold.h). A ReLU behind it costs nothing on the way back: its mask is
 * made from the input again. A batch of a single value keeps its running variance. */
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
    vg_plan_floats(plan, &l->affine, 5 * c);
    l->ready_size = 2 * c;
    vg_plan_floats(plan, &l->wide, 2 * vg_channel_period(c));
    vg_plan_bytes(plan, &l->sums, (size_t)VG_MODEL_SHARDS * 2 * c, sizeof(double));
}

/* Coefficients of an evaluation, [2][C]: from the running statistics. */
static void evaluation_affine(const vg_layer *l, float *affine)
{
    size_t c = (size_t)l->in.c;
    for (size_t k = 0; k < c; k++) {
        double s = (double)l->params[GAMMA].value[k] /
                   sqrt((double)l->params[RUNNING_VAR].value[k] + l->spec.epsilon);
        affine[k] = (float)s;
        affine[c + k] = (float)((double)l->params[BETA].value[k] -
                                (double)l->params[RUNNING_MEAN].value[k] * s);
    }
}

static void batchnorm_pack(vg_layer *l, const vg_pass *pass, int part)
{
    if ((!pass->training || l->held) && part == 0)
        evaluation_affine(l, l->affine);
}

static void batchnorm_ready(vg_layer *l)
{
    evaluation_affine(l, l->ready);
}

static double *sums_of(const vg_layer *l, vg_shard shard)
{
    size_t c = (size_t)l->in.c;
    double *sums = l->sums + (size_t)shard.index * 2 * c;
    if (shard.begins)
        memset(sums, 0, 2 * c * sizeof *sums);
    return sums;
}

static void forward_statistics(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c;
    double *sums = sums_of(l, shard);
    const float *x = vg_layer_x(l, shard);
    vg_channel_sums(x, x, (size_t)shard.count * vg_layer_map(l->in), c, sums, sums + c);
}

static void forward_combine(vg_layer *l, const vg_pass *pass)
{
    size_t c = (size_t)l->in.c;
    double count = (double)pass->n * (double)l->in.h * (double)l->in.w, moved = l->spec.rate;
    for (size_t k = 0; k < c && l->held; k++) { /* the coefficients are there: batchnorm_pack */
        l->mean[k] = l->params[RUNNING_MEAN].value[k];
        l->inverse[k] =
            (float)(1 / sqrt((double)l->params[RUNNING_VAR].value[k] + l->spec.epsilon));
    }
    for (size_t k = 0; k < c && !l->held; k++) {
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
    vg_channel_lay_out(l->affine, c, l->wide);
    vg_channel_lay_out(l->affine + c, c, l->wide + vg_channel_period(c));
}

static void batchnorm_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    size_t c = (size_t)l->in.c;
    const float *affine = pass->inference ? l->ready : l->affine;
    if (l->folded && pass->training)
        return;
    vg_channel_affine(vg_layer_x(l, shard), vg_layer_y(l, shard),
                      (size_t)shard.count * vg_layer_map(l->in), c, affine, affine + c,
                      l->fused_relu);
}

static void backward_statistics(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c;
    double *sums = sums_of(l, shard);
    const float *dy = vg_layer_dy(l, shard), *x = vg_layer_x(l, shard);
    size_t pixels = (size_t)shard.count * vg_layer_map(l->in);
    if (l->masks)
        vg_channel_sums_behind(dy, x, pixels, c, l->affine, l->affine + c, sums, sums + c);
    else
        vg_channel_sums(dy, x, pixels, c, sums, sums + c);
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
        double b = l->held ? 0 : -a * dgamma / count * inverse;
        l->affine[2 * c + k] = (float)a;
        l->affine[3 * c + k] = (float)b;
        l->affine[4 * c + k] = l->held ? 0 : (float)(-a * sum / count - b * mean);
    }
}

static void batchnorm_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c;
    const float *dy = vg_layer_dy(l, shard), *x = vg_layer_x(l, shard), *f = l->affine;
    float *dx = vg_layer_dx(l, shard);
    size_t pixels = (size_t)shard.count * vg_layer_map(l->in);
    if (dx && l->masks)
        vg_channel_affine2_behind(dy, x, dx, pixels, c, f, f + c, f + 2 * c, f + 3 * c, f + 4 * c);
    else if (dx)
        vg_channel_affine2(dy, x, dx, pixels, c, f + 2 * c, f + 3 * c, f + 4 * c);
}

const vg_layer_ops vg_batchnorm_ops = {.shape = batchnorm_shape,
                                       .plan = batchnorm_plan,
                                       .pack = batchnorm_pack,
                                       .ready = batchnorm_ready,
                                       .forward = batchnorm_forward,
                                       .backward = batchnorm_backward,
                                       .forward_statistics = forward_statistics,
                                       .forward_combine = forward_combine,
                                       .backward_statistics = backward_statistics,
                                       .backward_combine = backward_combine,
                                       .fuse_relu = true,
                                       .masks_relu = true,
                                       .reads_x = true};
