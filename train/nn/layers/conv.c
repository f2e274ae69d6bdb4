/* Convolution with the direct kernels, or Winograd's where it pays and is wanted; a depthwise one, which
 * has no sums over channels, by kernels of its own. Weights are packed once before a forward pass; each shard sums its weight gradient in the packed
 * order, and the shards' sums are added and unpacked together after the backward pass. */
#include "nn/kernels/kernels.h"
#include "nn/kernels/winograd.h"
#include "nn/layer.h"
#include "nn/layers/fold.h"

#include <string.h>

enum { KERNEL_MOST = 64, TAPS_MOST = 1 << 24 };

static int groups_of(const vg_layer *l)
{
    return l->spec.groups > 1 ? l->spec.groups : 1;
}

/* Of one group of channels. */
static vg_conv conv_of(const vg_layer *l)
{
    return (vg_conv){.c = l->in.c / groups_of(l),
                     .h = l->in.h,
                     .w = l->in.w,
                     .k = l->spec.outputs / groups_of(l),
                     .p = l->out.h,
                     .q = l->out.w,
                     .kernel = l->spec.kernel,
                     .stride = l->spec.stride,
                     .padding = l->spec.padding,
                     .dilation = l->spec.dilation > 1 ? l->spec.dilation : 1,
                     .x_pixel = (size_t)l->in.c,
                     .y_pixel = (size_t)l->spec.outputs};
}

static bool is_depthwise(const vg_layer *l)
{
    return groups_of(l) > 1 && l->in.c == groups_of(l) && l->spec.outputs == groups_of(l);
}

static vg_window window_of(const vg_layer *l)
{
    return (vg_window){.c = l->in.c,
                       .h = l->in.h,
                       .w = l->in.w,
                       .kernel = l->spec.kernel,
                       .stride = l->spec.stride,
                       .padding = l->spec.padding,
                       .p = l->out.h,
                       .q = l->out.w,
                       .dilation = l->spec.dilation};
}

static size_t places_of(const vg_layer *l)
{
    return (size_t)l->spec.kernel * (size_t)l->spec.kernel;
}

/* Floats of one group's packed weights and gradients, in whole lines. */
static size_t lines_of(size_t floats)
{
    return (floats + VG_LANES - 1) / VG_LANES * VG_LANES;
}

static vg_winograd winograd_of(const vg_layer *l)
{
    static const int largest[VG_WINOGRADS] = {
        [VG_WINOGRAD_AUTO] = 4, [VG_WINOGRAD_SMALL] = 2, [VG_WINOGRAD_OFF] = 0};
    vg_conv c = conv_of(l);
    return vg_winograd_choose(&c, largest[l->winograd]);
}

static size_t forward_size(const vg_layer *l)
{
    vg_conv c = conv_of(l);
    int m = winograd_of(l).forward;
    return lines_of(m ? vg_winograd_packed(&c, m) : vg_conv_packed_forward(&c));
}

static size_t backward_size(const vg_layer *l)
{
    vg_conv c = conv_of(l), reversed = vg_winograd_reverse(&c);
    int m = winograd_of(l).data;
    return lines_of(m ? vg_winograd_packed(&reversed, m) : vg_conv_packed_backward(&c));
}

static size_t gradient_size(const vg_layer *l)
{
    vg_conv c = conv_of(l);
    return lines_of(vg_conv_packed_gradient(&c));
}

static size_t scratch_size(const vg_layer *l)
{
    vg_conv c = conv_of(l);
    vg_winograd winograd = winograd_of(l);
    size_t direct = vg_conv_scratch(&c), other = vg_winograd_scratch(&c, &winograd);
    return direct > other ? direct : other;
}

bool vg_conv_can_store(vg_layer *l, int multiple)
{
    vg_conv c = conv_of(l);
    int m = winograd_of(l).forward;
    if (m && m % multiple)
        return false;
    size_t need = m ? vg_winograd_scratch_sink(&c, m) : vg_conv_scratch_sink(&c, multiple);
    l->scratch_size = lines_of(need > l->scratch_size ? need : l->scratch_size);
    return true;
}

static vg_status conv_shape(vg_layer *l, vg_error *err)
{
    const vg_layer_spec *s = &l->spec;
    int dilation = s->dilation > 1 ? s->dilation : 1, span = dilation * (s->kernel - 1) + 1;
    int h = l->in.h + 2 * s->padding, w = l->in.w + 2 * s->padding;
    if (h < span || w < span)
        return vg_fail(err, VG_E_SHAPE,
                       "a %dx%d kernel does not fit its input of %dx%d%s; a larger input or fewer "
                       "pools before it leave more",
                       span, span, l->in.h, l->in.w,
                       s->padding ? " (padded)" : ", without padding");
    if ((int64_t)l->in.c * s->kernel * s->kernel > TAPS_MOST)
        return vg_fail(err, VG_E_SHAPE,
                       "a %dx%d kernel over %d channels has more than the %d weights that an "
                       "output can have",
                       s->kernel, s->kernel, l->in.c, TAPS_MOST);
    if (s->kernel > KERNEL_MOST)
        return vg_fail(err, VG_E_SHAPE, "a kernel of a convolution can be at most %dx%d, not %dx%d",
                       KERNEL_MOST, KERNEL_MOST, s->kernel, s->kernel);
    if (l->in.c % groups_of(l) || s->outputs % groups_of(l))
        return vg_fail(err, VG_E_SHAPE,
                       "%d inputs and %d outputs cannot both be cut into %d groups", l->in.c,
                       s->outputs, groups_of(l));
    const int directions = 2 * l->in.c * s->kernel * s->kernel;
    if (s->option && s->outputs == 0)
        l->spec.outputs = directions;
    if (s->option && (l->source >= 0 || s->outputs != directions))
        return vg_fail(err, VG_E_SHAPE,
                       l->source >= 0
                           ? "a whitening layer can only read the picture itself"
                           : "a whitening layer of %d x %d patches of %d channels has %d outputs, "
                             "not %d",
                       s->kernel, s->kernel, l->in.c, directions, s->outputs);
    l->out = (vg_shape){s->outputs, (h - span) / s->stride + 1, (w - span) / s->stride + 1};
    return VG_OK;
}

static void conv_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    (void)max_batch;
    size_t groups = (size_t)groups_of(l), outputs = (size_t)l->spec.outputs;
    int64_t shape[4] = {l->spec.outputs, l->in.c / groups_of(l), l->spec.kernel, l->spec.kernel};
    vg_param *weight = vg_layer_param(l, plan, "weight", shape, 4, is_depthwise(l));
    weight->decay = true;
    if (l->spec.option) /* whitening: fitted, not trained */
        weight->rate = 0;
    size_t count = weight->count;
    if (l->spec.bias)
        vg_layer_param(l, plan, "bias", shape, 1, true);
    l->info.macs = (uint64_t)(count / outputs) * vg_shape_size(l->out);
    l->scratch_size = 4 * outputs; /* sums of the bias gradient, in double */
    if (is_depthwise(l)) {
        vg_plan_floats(plan, &l->packed, count);
        l->ready_size = count + outputs;
        l->scratch_size = l->scratch_size > 2 * count ? l->scratch_size : 2 * count;
    } else {
        size_t kernels = scratch_size(l);
        vg_plan_floats(plan, &l->packed, groups * forward_size(l));
        vg_plan_floats(plan, &l->packed_backward, groups * backward_size(l));
        vg_winograd winograd = winograd_of(l);
        l->info.winograd = winograd.forward > winograd.data ? winograd.forward : winograd.data;
        l->ready_size = groups * forward_size(l);
        l->packed_gradient_size = groups * gradient_size(l);
        l->scratch_size = l->scratch_size > kernels ? l->scratch_size : kernels;
    }
    l->scratch_size = lines_of(l->scratch_size);
}

/* Floats of one group's weights outside. */
static size_t weights_of(const vg_layer *l)
{
    return l->params[0].count / (size_t)groups_of(l);
}

static const vg_tile_set *tiles(void)
{
    return vg_tile_set_for(VG_SIMD_AVX512);
}

static void pack_forward(const vg_layer *l, size_t group, int part, int parts, float *packed)
{
    vg_conv c = conv_of(l);
    int m = winograd_of(l).forward;
    const float *weight = l->params[0].value + group * weights_of(l);
    const float *bias = l->spec.bias ? l->params[1].value + group * (size_t)c.k : NULL;
    packed += group * forward_size(l);
    if (m)
        vg_winograd_pack(tiles(), &c, m, false, weight, bias, part, parts, packed);
    else
        vg_conv_pack_forward(&c, weight, bias, part, parts, packed);
}

static void pack_group(const vg_layer *l, size_t group, bool training, int part)
{
    vg_conv c = conv_of(l), reversed = vg_winograd_reverse(&c);
    vg_winograd m = winograd_of(l);
    const float *weight = l->params[0].value + group * weights_of(l);
    float *backward = l->packed_backward + group * backward_size(l);
    pack_forward(l, group, part, VG_MODEL_SHARDS, l->packed);
    if (training && m.data)
        vg_winograd_pack(tiles(), &reversed, m.data, true, weight, NULL, part, VG_MODEL_SHARDS,
                         backward);
    else if (training)
        vg_conv_pack_backward(&c, weight, part, VG_MODEL_SHARDS, backward);
}

/* Depthwise weights are [K][places] outside, [places][K] packed. */
static void conv_pack(vg_layer *l, const vg_pass *pass, int part)
{
    if (!is_depthwise(l))
        for (int group = 0; group < groups_of(l); group++)
            pack_group(l, (size_t)group, pass->training, part);
    else if (part == 0)
        vg_transpose(l->params[0].value, (size_t)l->spec.outputs, places_of(l), l->packed);
}

static void ready_depthwise(const vg_layer *l, const float *scale, const float *shift)
{
    size_t outputs = (size_t)l->spec.outputs;
    float *weight = l->ready, *bias = weight + l->params[0].count;
    vg_transpose(l->params[0].value, outputs, places_of(l), weight);
    for (size_t k = 0; k < outputs; k++) {
        bias[k] = l->spec.bias ? l->params[1].value[k] : 0;
        if (scale)
            bias[k] = bias[k] * scale[k] + shift[k];
    }
    for (size_t i = 0; scale && i < l->params[0].count; i++)
        weight[i] *= scale[i % outputs];
}

/* With the batch norm behind it, whose coefficients then lie in its own place. */
static void conv_ready(vg_layer *l)
{
    vg_layer *norm = l->chain.norm;
    if (norm)
        norm->ops->ready(norm);
    const float *scale = norm ? norm->ready : NULL, *shift = norm ? scale + norm->in.c : NULL;
    if (is_depthwise(l)) {
        ready_depthwise(l, scale, shift);
        return;
    }
    vg_conv c = conv_of(l);
    int m = winograd_of(l).forward, values = m ? (m + 2) * (m + 2) : c.kernel * c.kernel;
    for (size_t group = 0; group < (size_t)groups_of(l); group++) {
        pack_forward(l, group, 0, 1, l->ready);
        if (norm)
            vg_conv_scale_packed(&c, values, scale + group * (size_t)c.k,
                                 shift + group * (size_t)c.k, l->ready + group * forward_size(l));
    }
}

static float *scratch_of(const vg_layer *l, vg_shard shard)
{
    return l->scratch + (size_t)shard.slot * l->scratch_size;
}

static void forward_depthwise(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    vg_window g = window_of(l);
    const float *x = vg_layer_x(l, shard), *bias = l->spec.bias ? l->params[1].value : NULL;
    const vg_layer *end = pass->inference ? l->chain.end : l;
    float *y = vg_layer_y(end, shard);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_depthwise_forward(&g, x + i * vg_shape_size(l->in),
                             pass->inference ? l->ready : l->packed, y + i * vg_shape_size(l->out));
    vg_channel_bias(y, y, (size_t)shard.count * vg_layer_map(l->out), (size_t)l->spec.outputs,
                    pass->inference ? l->ready + l->params[0].count : bias,
                    pass->inference ? l->chain.relu : l->fused_relu);
}

/* Where the input comes from, and the output's gradient. A fold has but one group. */
static vg_rows rows_of_x(const vg_layer *l, bool training, vg_shard shard, size_t group,
                         vg_fold *fold)
{
    if (l->norm && training)
        return vg_fold_norm(l->norm, shard, fold);
    return (vg_rows){.base = vg_layer_x(l, shard) + group * (size_t)(l->in.c / groups_of(l))};
}

static vg_rows rows_of_dy(const vg_layer *l, vg_shard shard, size_t group, vg_fold *fold)
{
    if (l->pool)
        return vg_fold_pool(l->pool, shard, fold);
    return (vg_rows){.base = vg_layer_dy(l, shard) + group * (size_t)(l->out.c / groups_of(l))};
}

/* And where the output goes; what is done to it on the way. */
static vg_sink sink_of_y(const vg_layer *l, const vg_pass *pass, vg_shard shard, size_t group,
                         vg_fold *fold)
{
    const vg_chain *chain = &l->chain;
    if (pass->inference && chain->pool)
        return vg_fold_store(chain->pool, shard, false, chain->relu, fold);
    if (pass->training && l->stores)
        return vg_fold_store(l->stores, shard, true, l->stores->masks, fold);
    const vg_layer *end = pass->inference ? chain->end : l;
    return (vg_sink){.base = vg_layer_y(end, shard) + group * (size_t)(l->out.c / groups_of(l)),
                     .add = pass->inference && chain->add,
                     .relu = pass->inference ? chain->relu : l->fused_relu};
}

static void conv_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    vg_fold folds[2];
    if (is_depthwise(l)) {
        forward_depthwise(l, pass, shard);
        return;
    }
    vg_conv c = conv_of(l);
    int m = winograd_of(l).forward;
    for (size_t group = 0; group < (size_t)groups_of(l); group++) {
        vg_rows x = rows_of_x(l, pass->training, shard, group, &folds[0]);
        vg_sink y = sink_of_y(l, pass, shard, group, &folds[1]);
        const float *packed = (pass->inference ? l->ready : l->packed) + group * forward_size(l);
        if (m)
            vg_winograd_forward(tiles(), &c, m, &x, shard.count, packed, &y, scratch_of(l, shard));
        else
            vg_conv_forward(tiles(), &c, &x, shard.count, packed, &y, scratch_of(l, shard));
    }
}

static void backward_depthwise(vg_layer *l, vg_shard shard, float *dw)
{
    vg_window g = window_of(l);
    size_t in = vg_shape_size(l->in), out = vg_shape_size(l->out), count = l->params[0].count;
    double *sum = (double *)(void *)(l->scratch + (size_t)shard.slot * l->scratch_size);
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    memset(sum, 0, count * sizeof *sum);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_depthwise_backward(&g, x + i * in, l->packed, dy + i * out, dx ? dx + i * in : NULL,
                              l->frozen[0] ? NULL : sum);
    for (size_t k = 0; k < (size_t)g.c; k++)
        for (size_t at = 0; at < places_of(l); at++)
            dw[k * places_of(l) + at] += (float)sum[at * (size_t)g.c + k];
}

static void bias_backward(vg_layer *l, vg_shard shard)
{
    size_t outputs = (size_t)l->spec.outputs;
    double *sum = (double *)(void *)(l->scratch + (size_t)shard.slot * l->scratch_size);
    float *db = vg_layer_partial(l, 1, shard);
    memset(sum, 0, 2 * outputs * sizeof *sum);
    if (l->pool) {
        vg_fold_pool_sums(l->pool, shard, sum);
    } else {
        const float *dy = vg_layer_dy(l, shard);
        vg_channel_sums(dy, dy, (size_t)shard.count * vg_layer_map(l->out), outputs, sum,
                        sum + outputs);
    }
    for (size_t k = 0; k < outputs; k++)
        db[k] = (shard.begins ? 0 : db[k]) + (float)sum[k];
}

static void weight_backward(const vg_layer *l, vg_shard shard, size_t group)
{
    vg_conv c = conv_of(l);
    int m = winograd_of(l).weight;
    size_t at = (size_t)shard.index * (size_t)groups_of(l) + group;
    vg_fold folds[2];
    vg_rows x = rows_of_x(l, true, shard, group, &folds[0]);
    vg_rows dy = rows_of_dy(l, shard, group, &folds[1]);
    float *dw = l->packed_gradient + at * gradient_size(l), *scratch = scratch_of(l, shard);
    if (m)
        vg_winograd_backward_weight(tiles(), &c, m, &x, &dy, shard.count, !shard.begins, dw,
                                    scratch);
    else
        vg_conv_backward_weight(tiles(), &c, &x, &dy, shard.count, 0, 1, !shard.begins, dw,
                                scratch);
}

static void data_backward(const vg_layer *l, vg_shard shard, size_t group)
{
    vg_conv c = conv_of(l), reversed = vg_winograd_reverse(&c);
    int m = winograd_of(l).data;
    vg_fold fold;
    vg_rows dy = rows_of_dy(l, shard, group, &fold);
    const float *packed = l->packed_backward + group * backward_size(l);
    float *dx = vg_layer_dx(l, shard) + group * (size_t)c.c, *scratch = scratch_of(l, shard);
    if (m)
        vg_winograd_forward(tiles(), &reversed, m, &dy, shard.count, packed, &(vg_sink){.base = dx},
                            scratch);
    else
        vg_conv_backward_data(tiles(), &c, &dy, shard.count, packed, false, dx, scratch);
}

static void conv_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (l->spec.bias && !l->frozen[1])
        bias_backward(l, shard);
    if (!is_depthwise(l)) {
        for (size_t group = 0; group < (size_t)groups_of(l); group++) {
            if (!l->frozen[0])
                weight_backward(l, shard, group);
            if (l->dx)
                data_backward(l, shard, group);
        }
        return;
    }
    float *dw = vg_layer_partial(l, 0, shard), *dx = vg_layer_dx(l, shard);
    if (shard.begins)
        memset(dw, 0, l->params[0].count * sizeof *dw);
    if (dx)
        memset(dx, 0, (size_t)shard.count * vg_shape_size(l->in) * sizeof *dx);
    backward_depthwise(l, shard, dw);
}

static void conv_unpack(vg_layer *l, const vg_pass *pass, int part)
{
    (void)pass;
    vg_conv c = conv_of(l);
    for (int group = 0; group < groups_of(l) && !is_depthwise(l); group++)
        vg_conv_unpack_gradient(&c, l->packed_gradient + (size_t)group * gradient_size(l),
                                VG_MODEL_SHARDS, (size_t)groups_of(l) * gradient_size(l), part,
                                VG_MODEL_SHARDS, l->params[0].grad + (size_t)group * weights_of(l));
}

const vg_layer_ops vg_conv_ops = {.shape = conv_shape,
                                  .plan = conv_plan,
                                  .pack = conv_pack,
                                  .ready = conv_ready,
                                  .forward = conv_forward,
                                  .backward = conv_backward,
                                  .unpack = conv_unpack,
                                  .fuse_relu = true,
                                  .reads_x = true};
