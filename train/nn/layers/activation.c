/* Activations beside ReLU, value by value. All are computed from their input and none works in
 * place, so that any layer may follow and use the output's memory. Leaky ReLU: Maas et al. 2013;
 * ELU: Clevert et al., ICLR 2016; SELU: Klambauer et al., NeurIPS 2017; GELU: Hendrycks, Gimpel 2016,
 * by the error function or its tanh approximation; SiLU: Elfwing et al. 2018. */
#include "nn/layer.h"

#include <math.h>
#include <string.h>

static const double SELU_SCALE = 1.0507009873554804934193349852946,
                    SELU_ALPHA = 1.6732632423543772848170429916717;
static const double ROOT_HALF = 0.70710678118654752440, ROOT_2_PI = 0.79788456080286535588,
                    INVERSE_ROOT_2PI = 0.39894228040143267794, GELU_CUBE = 0.044715;

static double sigmoid(double x)
{
    if (x >= 0)
        return 1 / (1 + exp(-x));
    double e = exp(x);
    return e / (1 + e);
}

static double gelu(double x, double *slope)
{
    double p = 0.5 * (1 + erf(x * ROOT_HALF));
    *slope = p + x * INVERSE_ROOT_2PI * exp(-0.5 * x * x);
    return x * p;
}

static double gelu_tanh(double x, double *slope)
{
    double t = tanh(ROOT_2_PI * (x + GELU_CUBE * x * x * x));
    *slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT_2_PI * (1 + 3 * GELU_CUBE * x * x);
    return 0.5 * x * (1 + t);
}

static double elu(double x, double alpha, double scale, double *slope)
{
    double e = x > 0 ? 0 : alpha * expm1(x);
    *slope = scale * (x > 0 ? 1 : e + alpha);
    return scale * (x > 0 ? x : e);
}

/* Value at x and the derivative there. NaN comes out as NaN. */
static double activate(const vg_layer_spec *s, double x, double *slope)
{
    double y;
    switch (s->kind) {
    case VG_LAYER_LEAKY:
        *slope = x > 0 ? 1 : s->rate;
        return x > 0 ? x : s->rate * x;
    case VG_LAYER_ELU:
        return elu(x, s->rate, 1, slope);
    case VG_LAYER_SELU:
        return elu(x, SELU_ALPHA, SELU_SCALE, slope);
    case VG_LAYER_GELU:
        return s->option ? gelu_tanh(x, slope) : gelu(x, slope);
    case VG_LAYER_SILU:
        y = sigmoid(x);
        *slope = y * (1 + x * (1 - y));
        return x * y;
    case VG_LAYER_SIGMOID:
        y = sigmoid(x);
        *slope = y * (1 - y);
        return y;
    case VG_LAYER_TANH:
        y = tanh(x);
        *slope = 1 - y * y;
        return y;
    case VG_LAYER_EXP:
        return *slope = exp(x);
    default: /* linear */
        *slope = s->rate;
        return s->rate * x;
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
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (size_t i = 0; i < n; i++) {
        double slope;
        y[i] = (float)activate(&l->spec, (double)x[i], &slope);
    }
}

static void activation_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t n = (size_t)shard.count * vg_shape_size(l->in);
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    for (size_t i = 0; dx && i < n; i++) {
        double slope;
        (void)activate(&l->spec, (double)x[i], &slope);
        dx[i] = (float)((double)dy[i] * slope);
    }
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
