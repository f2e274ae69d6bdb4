/* Activations beside ReLU, value by value. All are computed from their input and none works in
 * place, so that any layer may follow and use the output's memory. Leaky ReLU: Maas et al. 2013;
 * ELU: Clevert et al., ICLR 2016; the others: kernels/activate.h. */
#include "nn/kernels/activate.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

static const vg_activation *kernels_of(const vg_layer_spec *s)
{
    switch (s->kind) {
    case VG_LAYER_LEAKY:
        return &vg_leaky;
    case VG_LAYER_ELU:
        return &vg_elu;
    case VG_LAYER_SELU:
        return &vg_selu;
    case VG_LAYER_GELU:
        return s->option ? &vg_gelu_tanh : &vg_gelu;
    case VG_LAYER_SILU:
        return &vg_silu;
    case VG_LAYER_SIGMOID:
        return &vg_sigmoid;
    case VG_LAYER_TANH:
        return &vg_tanh;
    case VG_LAYER_EXP:
        return &vg_exp;
    default: /* linear */
        return &vg_scaled;
    }
}

static vg_status activation_shape(vg_layer *l, vg_error *err)
{
    (void)err;
    l->out = l->in;
    return VG_OK;
}

static void activation_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t n = (size_t)shard.count * vg_shape_size(l->in);
    kernels_of(&l->spec)->forward(vg_layer_x(l, shard), vg_layer_y(l, shard), n,
                                  (float)l->spec.rate);
}

static void activation_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t n = (size_t)shard.count * vg_shape_size(l->in);
    float *dx = vg_layer_dx(l, shard);
    if (dx)
        kernels_of(&l->spec)->backward(vg_layer_x(l, shard), vg_layer_dy(l, shard), dx, n,
                                       (float)l->spec.rate);
}

/* ---- PReLU (He et al., ICCV 2015): the slope below zero is learned, one for all or per channel */

static void prelu_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    (void)max_batch;
    const int64_t shape[1] = {l->spec.option ? l->in.c : 1};
    vg_layer_param(l, plan, "weight", shape, 1, true);
    vg_plan_bytes(plan, &l->sums, (size_t)VG_MODEL_SHARDS * (size_t)shape[0], sizeof(double));
}

static void prelu_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, n = (size_t)shard.count * vg_shape_size(l->in);
    const float *x = vg_layer_x(l, shard), *slope = l->params[0].value;
    float *y = vg_layer_y(l, shard);
    for (size_t i = 0; i < n; i += c)
        for (size_t k = 0; k < c; k++) {
            float v = x[i + k];
            y[i + k] = v > 0 ? v : slope[l->spec.option ? k : 0] * v;
        }
}

static void prelu_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, n = (size_t)shard.count * vg_shape_size(l->in);
    size_t count = l->params[0].count;
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    const float *slope = l->params[0].value;
    float *dx = vg_layer_dx(l, shard), *partial = vg_layer_partial(l, 0, shard);
    double *sums = l->sums + (size_t)shard.index * count;
    if (shard.begins)
        memset(sums, 0, count * sizeof *sums);
    for (size_t i = 0; i < n; i += c)
        for (size_t k = 0; k < c; k++) {
            size_t which = l->spec.option ? k : 0;
            float d = dy[i + k], v = x[i + k];
            sums[which] += v > 0 ? 0 : (double)v * (double)d;
            if (dx)
                dx[i + k] = v > 0 ? d : slope[which] * d;
        }
    for (size_t k = 0; k < count; k++)
        partial[k] = (float)sums[k];
}

/* ---- softmax over the channels of each place */

static void softmax_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, pixels = (size_t)shard.count * vg_layer_map(l->in);
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (size_t i = 0; i < pixels; i++, x += c, y += c) {
        double top = (double)x[0], sum = 0;
        for (size_t k = 1; k < c; k++)
            top = (double)x[k] > top ? (double)x[k] : top;
        for (size_t k = 0; k < c; k++)
            sum += exp((double)x[k] - top);
        for (size_t k = 0; k < c; k++)
            y[k] = (float)(exp((double)x[k] - top) / sum);
    }
}

static void softmax_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, pixels = (size_t)shard.count * vg_layer_map(l->in);
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    for (size_t i = 0; dx && i < pixels; i++, x += c, dy += c, dx += c) {
        double top = (double)x[0], sum = 0, dot = 0;
        for (size_t k = 1; k < c; k++)
            top = (double)x[k] > top ? (double)x[k] : top;
        for (size_t k = 0; k < c; k++) {
            double e = exp((double)x[k] - top);
            sum += e;
            dot += e * (double)dy[k];
        }
        for (size_t k = 0; k < c; k++)
            dx[k] = (float)(exp((double)x[k] - top) / sum * ((double)dy[k] - dot / sum));
    }
}

const vg_layer_ops vg_activation_ops = {.shape = activation_shape,
                                        .forward = activation_forward,
                                        .backward = activation_backward,
                                        .reads_x = true};
const vg_layer_ops vg_prelu_ops = {.shape = activation_shape,
                                   .plan = prelu_plan,
                                   .forward = prelu_forward,
                                   .backward = prelu_backward,
                                   .reads_x = true};
const vg_layer_ops vg_softmax_ops = {.shape = activation_shape,
                                     .forward = softmax_forward,
                                     .backward = softmax_backward,
                                     .reads_x = true};
