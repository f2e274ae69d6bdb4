/* Activations beside ReLU, value by value. All are computed from their input and none works in
 * place, so that any layer may follow and use the output's memory. Leaky ReLU: Maas et al. 2013;
 * ELU: Clevert et al., ICLR 2016; SELU: Klambauer et al., NeurIPS 2017; GELU: Hendrycks, Gimpel 2016,
 * by the error function or its tanh approximation; SiLU: Elfwing et al. 2018. */
#include "nn/layer.h"

#include <math.h>

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
    size_t size = vg_shape_size(l->in), from = (size_t)shard.first * size;
    size_t to = from + (size_t)shard.count * size;
    for (size_t i = from; i < to; i++) {
        double slope;
        l->y[i] = (float)activate(&l->spec, (double)l->x[i], &slope);
    }
}

static void activation_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), from = (size_t)shard.first * size;
    size_t to = from + (size_t)shard.count * size;
    for (size_t i = from; l->dx && i < to; i++) {
        double slope;
        (void)activate(&l->spec, (double)l->x[i], &slope);
        l->dx[i] = (float)((double)l->dy[i] * slope);
    }
}

/* ---- PReLU (He et al., ICCV 2015): the slope below zero is learned, one for all or per channel */

static void prelu_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    (void)max_batch;
    const int64_t shape[1] = {l->spec.option ? l->in.c : 1};
    vg_layer_param(l, plan, "weight", shape, 1, true);
}

static void prelu_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    size_t from = (size_t)shard.first * c, to = from + (size_t)shard.count * c;
    for (size_t plane = from; plane < to; plane++) {
        float slope = l->params[0].value[l->spec.option ? plane % c : 0];
        for (size_t i = plane * map; i < (plane + 1) * map; i++)
            l->y[i] = l->x[i] > 0 ? l->x[i] : slope * l->x[i];
    }
}

static void prelu_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    size_t from = (size_t)shard.first * c, to = from + (size_t)shard.count * c;
    float *partial = l->partial[0] + (size_t)shard.index * l->params[0].count;
    for (size_t k = 0; k < l->params[0].count; k++)
        partial[k] = 0;
    for (size_t plane = from; plane < to; plane++) {
        size_t which = l->spec.option ? plane % c : 0;
        float slope = l->params[0].value[which];
        double sum = 0;
        for (size_t i = plane * map; i < (plane + 1) * map; i++) {
            float d = l->dy[i], x = l->x[i];
            sum += x > 0 ? 0 : (double)x * (double)d;
            if (l->dx)
                l->dx[i] = x > 0 ? d : slope * d;
        }
        partial[which] += (float)sum;
    }
}

/* ---- softmax over the channels of each place */

static void softmax_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    for (size_t i = (size_t)shard.first; i < (size_t)shard.first + (size_t)shard.count; i++)
        for (size_t at = 0; at < map; at++) {
            const float *x = l->x + i * c * map + at;
            float *y = l->y + i * c * map + at;
            double top = (double)x[0], sum = 0;
            for (size_t k = 1; k < c; k++)
                top = (double)x[k * map] > top ? (double)x[k * map] : top;
            for (size_t k = 0; k < c; k++)
                sum += exp((double)x[k * map] - top);
            for (size_t k = 0; k < c; k++)
                y[k * map] = (float)(exp((double)x[k * map] - top) / sum);
        }
}

static void softmax_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t c = (size_t)l->in.c, map = (size_t)l->in.h * (size_t)l->in.w;
    for (size_t i = (size_t)shard.first; l->dx && i < (size_t)shard.first + (size_t)shard.count;
         i++)
        for (size_t at = 0; at < map; at++) {
            const float *x = l->x + i * c * map + at, *dy = l->dy + i * c * map + at;
            float *dx = l->dx + i * c * map + at;
            double top = (double)x[0], sum = 0, dot = 0;
            for (size_t k = 1; k < c; k++)
                top = (double)x[k * map] > top ? (double)x[k * map] : top;
            for (size_t k = 0; k < c; k++) {
                double e = exp((double)x[k * map] - top);
                sum += e;
                dot += e * (double)dy[k * map];
            }
            for (size_t k = 0; k < c; k++)
                dx[k * map] = (float)(exp((double)x[k * map] - top) / sum *
                                      ((double)dy[k * map] - dot / sum));
        }
}

const vg_layer_ops vg_activation_ops = {
    .shape = activation_shape, .forward = activation_forward, .backward = activation_backward};
const vg_layer_ops vg_prelu_ops = {.shape = activation_shape,
                                   .plan = prelu_plan,
                                   .forward = prelu_forward,
                                   .backward = prelu_backward};
const vg_layer_ops vg_softmax_ops = {
    .shape = activation_shape, .forward = softmax_forward, .backward = softmax_backward};
