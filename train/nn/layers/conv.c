/* Convolution as unfolding and matrix product, in blocks whose patches stay in the level-2 cache:
 * part of a large map, or several small maps behind each other. The patches are made anew for the
 * weight gradient: that is cheaper than keeping them. A depthwise convolution works directly. */
#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <string.h>

enum { PATCH_FLOATS = 96 * 1024, PIXELS_LEAST = 256, PIXELS_MOST = 2048, TAPS_MOST = 1 << 24 };

static int groups_of(const vg_layer *l)
{
    return l->spec.groups > 1 ? l->spec.groups : 1;
}

/* Of one group of channels. */
static vg_window window_of(const vg_layer *l)
{
    return (vg_window){.c = l->in.c / groups_of(l),
                       .h = l->in.h,
                       .w = l->in.w,
                       .kernel = l->spec.kernel,
                       .stride = l->spec.stride,
                       .padding = l->spec.padding,
                       .p = l->out.h,
                       .q = l->out.w,
                       .dilation = l->spec.dilation};
}

static int taps_of(const vg_layer *l)
{
    return l->in.c / groups_of(l) * l->spec.kernel * l->spec.kernel;
}

static int outputs_of(const vg_layer *l)
{
    return l->spec.outputs / groups_of(l);
}

static bool is_depthwise(const vg_layer *l)
{
    return groups_of(l) > 1 && l->in.c == groups_of(l) && l->spec.outputs == groups_of(l);
}

/* Pixels of one product: a function of the layer's shape alone. */
static int pixels_of(const vg_layer *l)
{
    int pixels = PATCH_FLOATS / taps_of(l);
    pixels = pixels < PIXELS_LEAST ? PIXELS_LEAST : pixels;
    pixels = pixels > PIXELS_MOST ? PIXELS_MOST : pixels;
    return pixels / 16 * 16;
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
    if (l->in.c % groups_of(l) || s->outputs % groups_of(l))
        return vg_fail(err, VG_E_SHAPE,
                       "%d inputs and %d outputs cannot both be cut into %d groups", l->in.c,
                       s->outputs, groups_of(l));
    l->out = (vg_shape){s->outputs, (h - span) / s->stride + 1, (w - span) / s->stride + 1};
    return VG_OK;
}

static void conv_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    (void)max_batch;
    int64_t shape[4] = {l->spec.outputs, l->in.c / groups_of(l), l->spec.kernel, l->spec.kernel};
    vg_param *weight = vg_layer_param(l, plan, "weight", shape, 4, true);
    weight->decay = true;
    size_t count = weight->count;
    vg_plan_floats(plan, &l->packed, count);
    if (l->spec.bias)
        vg_layer_param(l, plan, "bias", shape, 1, true);
    l->info.macs = (uint64_t)taps_of(l) * vg_shape_size(l->out);
    /* patches, and sums of weight gradients in double */
    l->scratch_size = is_depthwise(l) ? 2 * count : (size_t)taps_of(l) * (size_t)pixels_of(l);
    l->scratch_size += count + 2 * (size_t)l->spec.outputs;
    l->scratch_size = (l->scratch_size + 15) / 16 * 16;
    vg_plan_floats(plan, &l->scratch, VG_MODEL_SHARDS * l->scratch_size);
}

/* Places of a kernel; weights are [K][C][places], packed [K][places][C]; depthwise [places][K]. */
static size_t places_of(const vg_layer *l)
{
    return (size_t)l->spec.kernel * (size_t)l->spec.kernel;
}

static void conv_pack(vg_layer *l, const vg_pass *pass, int part)
{
    (void)pass;
    size_t places = places_of(l), c = (size_t)(l->in.c / groups_of(l)), taps = places * c;
    size_t outputs = (size_t)l->spec.outputs;
    const float *weight = l->params[0].value;
    if (is_depthwise(l)) {
        if (part == 0)
            vg_transpose(weight, outputs, places, l->packed);
        return;
    }
    for (size_t k = (size_t)part; k < outputs; k += VG_MODEL_SHARDS)
        vg_transpose(weight + k * taps, c, places, l->packed + k * taps);
}

/* Pixels [first, first + count) of one image, or all of several: consecutive rows of y. */
typedef struct block {
    int image, images, first, count;
} block;

static block block_at(const vg_layer *l, const vg_shard *shard, int image, int first)
{
    int map = l->out.h * l->out.w, pixels = pixels_of(l);
    if (map > pixels) {
        /* equal parts, so that no thin rest remains */
        int parts = (map + pixels - 1) / pixels;
        int part = ((map + parts - 1) / parts + 15) / 16 * 16;
        return (block){image, 1, first, map - first < part ? map - first : part};
    }
    int fit = pixels / map, left = shard->count - image;
    return (block){image, fit < left ? fit : left, 0, map};
}

static void next_block(const vg_layer *l, const block *b, int *image, int *first)
{
    *first = b->first + b->count;
    if (*first >= l->out.h * l->out.w) {
        *image += b->images;
        *first = 0;
    }
}

static size_t row_of(const vg_layer *l, const block *b)
{
    return (size_t)b->image * vg_layer_map(l->out) + (size_t)b->first;
}

static void unfold(const vg_layer *l, const vg_window *g, const float *x, const block *b,
                   float *col)
{ /* x begins at the group's channels */
    size_t part = (size_t)b->count * (size_t)taps_of(l), size = vg_shape_size(l->in);
    for (int i = 0; i < b->images; i++)
        vg_im2col(g, x + (size_t)(b->image + i) * size, (size_t)l->in.c, b->first, b->count,
                  col + (size_t)i * part);
}

static void forward_group(vg_layer *l, vg_shard shard, int group)
{
    vg_window g = window_of(l);
    int taps = taps_of(l), outputs = outputs_of(l);
    size_t all = (size_t)l->spec.outputs, from = (size_t)group * (size_t)outputs;
    float *col = l->scratch + (size_t)shard.slot * l->scratch_size;
    const float *x = vg_layer_x(l, shard) + (size_t)group * (size_t)g.c;
    float *y = vg_layer_y(l, shard) + from;
    for (int image = 0, first = 0; image < shard.count;) {
        block b = block_at(l, &shard, image, first);
        unfold(l, &g, x, &b, col);
        vg_gemm(false, true, b.images * b.count, outputs, taps, col, (size_t)taps,
                l->packed + from * (size_t)taps, (size_t)taps, 0, y + row_of(l, &b) * all, all);
        next_block(l, &b, &image, &first);
    }
}

static void conv_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t pixels = (size_t)shard.count * vg_layer_map(l->out);
    float *y = vg_layer_y(l, shard);
    if (is_depthwise(l)) {
        vg_window g = window_of(l);
        g.c = l->in.c;
        const float *x = vg_layer_x(l, shard);
        for (size_t i = 0; i < (size_t)shard.count; i++)
            vg_depthwise_forward(&g, x + i * vg_shape_size(l->in), l->packed,
                                 y + i * vg_shape_size(l->out));
    } else {
        for (int group = 0; group < groups_of(l); group++)
            forward_group(l, shard, group);
    }
    vg_channel_bias(y, y, pixels, (size_t)l->spec.outputs, l->spec.bias ? l->params[1].value : NULL,
                    l->fused_relu);
}

/* dw of the group in the packed order is added to `sum`. */
static void backward_group(vg_layer *l, vg_shard shard, int group, float *sum)
{
    vg_window g = window_of(l);
    int taps = taps_of(l), outputs = outputs_of(l);
    size_t in = vg_shape_size(l->in), all = (size_t)l->spec.outputs;
    size_t from = (size_t)group * (size_t)outputs, channel = (size_t)group * (size_t)g.c;
    float *col = l->scratch + (size_t)shard.slot * l->scratch_size;
    const float *x = vg_layer_x(l, shard) + channel, *dy = vg_layer_dy(l, shard) + from;
    float *dx = l->dx ? vg_layer_dx(l, shard) + channel : NULL;
    const float *weight = l->packed + from * (size_t)taps;
    for (int image = 0, first = 0; image < shard.count;) {
        block b = block_at(l, &shard, image, first);
        int n = b.images * b.count;
        const float *d = dy + row_of(l, &b) * all;
        unfold(l, &g, x, &b, col);
        vg_gemm(true, false, outputs, taps, n, d, all, col, (size_t)taps, 1,
                sum + from * (size_t)taps, (size_t)taps);
        if (dx) {
            vg_gemm(false, false, n, taps, outputs, d, all, weight, (size_t)taps, 0, col,
                    (size_t)taps);
            for (int i = 0; i < b.images; i++)
                vg_col2im(&g, col + (size_t)i * (size_t)b.count * (size_t)taps, (size_t)l->in.c,
                          b.first, b.count, dx + (size_t)(image + i) * in);
        }
        next_block(l, &b, &image, &first);
    }
}

/* Adds sums in the packed order to the shard's gradient. */
static void unpack_sums(const vg_layer *l, const float *sum, float *dw)
{
    size_t places = places_of(l), c = (size_t)taps_of(l) / places;
    for (size_t k = 0; k < (size_t)l->spec.outputs; k++, sum += places * c, dw += places * c)
        for (size_t i = 0; i < c; i++)
            for (size_t at = 0; at < places; at++)
                dw[i * places + at] += sum[at * c + i];
}

static void backward_depthwise(vg_layer *l, vg_shard shard, float *dw)
{
    vg_window g = window_of(l);
    g.c = l->in.c;
    size_t in = vg_shape_size(l->in), out = vg_shape_size(l->out), count = l->params[0].count;
    double *sum = (double *)(void *)(l->scratch + (size_t)shard.slot * l->scratch_size);
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    memset(sum, 0, count * sizeof *sum);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_depthwise_backward(&g, x + i * in, l->packed, dy + i * out, dx ? dx + i * in : NULL,
                              sum);
    for (size_t k = 0; k < (size_t)g.c; k++)
        for (size_t at = 0; at < places_of(l); at++)
            dw[k * places_of(l) + at] += (float)sum[at * (size_t)g.c + k];
}

static void bias_backward(vg_layer *l, vg_shard shard)
{
    size_t outputs = (size_t)l->spec.outputs;
    double *sum = (double *)(void *)(l->scratch + (size_t)shard.slot * l->scratch_size);
    const float *dy = vg_layer_dy(l, shard);
    float *db = vg_layer_partial(l, 1, shard);
    memset(sum, 0, 2 * outputs * sizeof *sum);
    vg_channel_sums(dy, dy, (size_t)shard.count * vg_layer_map(l->out), outputs, sum,
                    sum + outputs);
    for (size_t k = 0; k < outputs; k++)
        db[k] = (shard.begins ? 0 : db[k]) + (float)sum[k];
}

static void conv_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t count = l->params[0].count;
    float *dw = vg_layer_partial(l, 0, shard), *dx = vg_layer_dx(l, shard);
    if (shard.begins)
        memset(dw, 0, count * sizeof *dw);
    if (l->spec.bias)
        bias_backward(l, shard);
    if (dx)
        memset(dx, 0, (size_t)shard.count * vg_shape_size(l->in) * sizeof *dx);
    if (is_depthwise(l)) {
        backward_depthwise(l, shard, dw);
        return;
    }
    float *sum = l->scratch + (size_t)(shard.slot + 1) * l->scratch_size - count;
    memset(sum, 0, count * sizeof *sum);
    for (int group = 0; group < groups_of(l); group++)
        backward_group(l, shard, group, sum);
    unpack_sums(l, sum, dw);
}

const vg_layer_ops vg_conv_ops = {.shape = conv_shape,
                                  .plan = conv_plan,
                                  .pack = conv_pack,
                                  .forward = conv_forward,
                                  .backward = conv_backward,
                                  .fuse_relu = true};
