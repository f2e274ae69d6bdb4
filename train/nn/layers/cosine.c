/* The cosine of the angle between the input and each of the weights: a dense layer of which neither the
 * length of the features nor that of a class's weights counts (Wang et al.: "CosFace", CVPR 2018; the
 * head of Cao et al., NeurIPS 2019). With it a class that is seen often cannot win by long weights.
 *
 * It is done shard by shard, as it stands at the end of a network with as many outputs as classes; its
 * input must be a vector. A vector of zeros has the cosine 0 with everything. */
#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

static const double LEAST = 1e-12;

static vg_status cosine_shape(vg_layer *l, vg_error *err)
{
    if (l->in.h != 1 || l->in.w != 1)
        return vg_fail(err, VG_E_SHAPE,
                       "an input of %d x %d places: put flatten or globalpool before it", l->in.h,
                       l->in.w);
    l->out = (vg_shape){l->spec.outputs, 1, 1};
    return VG_OK;
}

static void cosine_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    int64_t shape[2] = {l->spec.outputs, l->in.c};
    vg_layer_param(l, plan, "weight", shape, 2, true)->decay = true;
    l->info.macs = (uint64_t)shape[0] * (uint64_t)shape[1];
    vg_plan_floats(plan, &l->packed, (size_t)l->spec.outputs);
    size_t most = ((size_t)max_batch + VG_MODEL_SHARDS - 1) / VG_MODEL_SHARDS;
    l->scratch_size = most * (size_t)l->spec.outputs;
    vg_plan_floats(plan, &l->scratch, VG_MODEL_SHARDS * l->scratch_size);
}

static float inverse_length(const float *x, size_t n)
{
    return (float)(1 / fmax(sqrt(vg_sum_squares(x, n)), LEAST));
}

/* One over the lengths of the weights. */
static void cosine_pack(vg_layer *l, const vg_pass *pass, int part)
{
    (void)pass;
    size_t outputs = (size_t)l->spec.outputs, inputs = (size_t)l->in.c;
    size_t from = outputs * (size_t)part / VG_MODEL_SHARDS;
    size_t to = outputs * ((size_t)part + 1) / VG_MODEL_SHARDS;
    for (size_t k = from; k < to; k++)
        l->packed[k] = inverse_length(l->params[0].value + k * inputs, inputs);
}

static void cosine_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t outputs = (size_t)l->spec.outputs, inputs = (size_t)l->in.c;
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    if (shard.count == 0)
        return;
    vg_gemm(false, true, shard.count, (int)outputs, (int)inputs, x, inputs, l->params[0].value,
            inputs, 0, y, outputs);
    for (size_t i = 0; i < (size_t)shard.count; i++) {
        float length = inverse_length(x + i * inputs, inputs);
        for (size_t k = 0; k < outputs; k++)
            y[i * outputs + k] *= length * l->packed[k];
    }
}

/* With h' = h / |h|, w' = w / |w|: dh = sum over k of dy (w' - y h') / |h|, and dw the same way round. */
static void cosine_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t outputs = (size_t)l->spec.outputs, inputs = (size_t)l->in.c, n = (size_t)shard.count;
    const float *x = vg_layer_x(l, shard), *y = vg_layer_y(l, shard), *dy = vg_layer_dy(l, shard);
    const float *w = l->params[0].value;
    float *dx = vg_layer_dx(l, shard), *dw = vg_layer_partial(l, 0, shard);
    float *scaled = l->scratch + (size_t)shard.slot * l->scratch_size;
    if (shard.begins)
        memset(dw, 0, outputs * inputs * sizeof *dw);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        float length = inverse_length(x + i * inputs, inputs);
        for (size_t k = 0; k < outputs; k++)
            scaled[i * outputs + k] = dy[i * outputs + k] * length * l->packed[k];
    }
    vg_gemm(true, false, (int)outputs, (int)inputs, (int)n, scaled, outputs, x, inputs, 1, dw,
            inputs);
    for (size_t k = 0; k < outputs; k++) {
        double along = 0;
        for (size_t i = 0; i < n; i++)
            along += (double)dy[i * outputs + k] * (double)y[i * outputs + k];
        float part = (float)(along * (double)l->packed[k] * (double)l->packed[k]);
        for (size_t c = 0; c < inputs; c++)
            dw[k * inputs + c] -= part * w[k * inputs + c];
    }
    if (!dx)
        return;
    vg_gemm(false, false, (int)n, (int)inputs, (int)outputs, scaled, outputs, w, inputs, 0, dx,
            inputs);
    for (size_t i = 0; i < n; i++) {
        double along = 0, length = (double)inverse_length(x + i * inputs, inputs);
        for (size_t k = 0; k < outputs; k++)
            along += (double)dy[i * outputs + k] * (double)y[i * outputs + k];
        float part = (float)(along * length * length);
        for (size_t c = 0; c < inputs; c++)
            dx[i * inputs + c] -= part * x[i * inputs + c];
    }
}

const vg_layer_ops vg_cosine_ops = {.shape = cosine_shape,
                                    .plan = cosine_plan,
                                    .pack = cosine_pack,
                                    .forward = cosine_forward,
                                    .backward = cosine_backward,
                                    .reads_x = true,
                                    .reads_y = true};
