/* Convolution as unfolding and matrix product, in blocks whose columns stay in the level-2 cache:
 * part of a large map, or several small maps side by side, so that the product always has enough
 * columns. The columns are made anew for the weight gradient: that is cheaper than keeping them. */
#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <string.h>

enum { COLUMN_FLOATS = 96 * 1024, COLUMNS_LEAST = 256, COLUMNS_MOST = 2048, TAPS_MOST = 1 << 24 };
enum { DIRECT_MOST = 16 };

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

/* Groups so narrow that a matrix product has nothing to hold on to. */
static bool is_direct(const vg_layer *l)
{
    return groups_of(l) > 1 && l->in.c / groups_of(l) * outputs_of(l) <= DIRECT_MOST;
}

/* Columns of one product: a function of the layer's shape alone. */
static int columns_of(const vg_layer *l)
{
    int columns = COLUMN_FLOATS / taps_of(l);
    columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
    columns = columns > COLUMNS_MOST ? COLUMNS_MOST : columns;
    return columns / 16 * 16;
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
    vg_layer_param(l, plan, "weight", shape, 4, true)->decay = true;
    if (l->spec.bias)
        vg_layer_param(l, plan, "bias", shape, 1, true);
    l->info.macs = (uint64_t)taps_of(l) * vg_shape_size(l->out);
    if (is_direct(l))
        return;
    l->scratch_size = ((size_t)taps_of(l) + (size_t)outputs_of(l)) * (size_t)columns_of(l);
    vg_plan_floats(plan, &l->scratch, VG_MODEL_SHARDS * l->scratch_size);
}

/* A block of output pixels: [first, first + count) of `images` images from `image` on. */
typedef struct block {
    int image, images, first, count;
} block;

static block block_at(const vg_layer *l, const vg_shard *shard, int image, int first)
{
    int map = l->out.h * l->out.w, columns = columns_of(l);
    if (map > columns) {
        /* equal parts, so that no thin rest remains */
        int parts = (map + columns - 1) / columns;
        int part = ((map + parts - 1) / parts + 15) / 16 * 16;
        return (block){image, 1, first, map - first < part ? map - first : part};
    }
    int fit = columns / map, left = shard->count - image;
    int groups = (shard->count + fit - 1) / fit, even = (shard->count + groups - 1) / groups;
    return (block){image, even < left ? even : left, 0, map};
}

static void next_block(const vg_layer *l, const block *b, int *image, int *first)
{
    *first = b->first + b->count;
    if (*first >= l->out.h * l->out.w) {
        *image += b->images;
        *first = 0;
    }
}

static void unfold(const vg_layer *l, const vg_window *g, const float *x, const block *b,
                   float *col)
{ /* x begins at the group's channels */
    size_t ld = (size_t)b->images * (size_t)b->count, size = vg_shape_size(l->in);
    for (int i = 0; i < b->images; i++)
        vg_im2col(g, x + (size_t)(b->image + i) * size, b->first, b->count,
                  col + (size_t)i * (size_t)b->count, ld);
}

/* Where a group's part of a sample begins. */
static size_t group_in(const vg_layer *l, int group)
{
    return (size_t)group * (vg_shape_size(l->in) / (size_t)groups_of(l));
}

static size_t group_out(const vg_layer *l, int group)
{
    return (size_t)group * (vg_shape_size(l->out) / (size_t)groups_of(l));
}

static size_t group_weight(const vg_layer *l, int group)
{
    return (size_t)group * (size_t)outputs_of(l) * (size_t)taps_of(l);
}

static void forward_group(vg_layer *l, vg_shard shard, int group)
{
    vg_window g = window_of(l);
    int taps = taps_of(l), outputs = outputs_of(l);
    size_t map = (size_t)l->out.h * (size_t)l->out.w, all = vg_shape_size(l->out);
    float *col = l->scratch + (size_t)shard.slot * l->scratch_size;
    const float *x = l->x + (size_t)shard.first * vg_shape_size(l->in) + group_in(l, group);
    float *y = l->y + (size_t)shard.first * all + group_out(l, group);
    const float *weight = l->params[0].value + group_weight(l, group);
    const float *bias = l->spec.bias ? l->params[1].value + (size_t)group * (size_t)outputs : NULL;
    for (int image = 0, first = 0; image < shard.count;) {
        block b = block_at(l, &shard, image, first);
        size_t n = (size_t)b.images * (size_t)b.count, count = (size_t)b.count;
        unfold(l, &g, x, &b, col);
        float *out = col + (size_t)taps * n;
        size_t ld = n;
        if (b.images == 1) {
            out = y + (size_t)image * all + (size_t)b.first;
            ld = map;
        }
        vg_gemm(false, false, outputs, (int)n, taps, weight, (size_t)taps, col, n, 0, out, ld);
        for (int k = 0; k < outputs; k++) {
            float *row = out + (size_t)k * ld;
            if (bias || l->fused_relu)
                vg_add_bias(row, n, bias ? bias[k] : 0, l->fused_relu);
            if (b.images > 1)
                for (int i = 0; i < b.images; i++)
                    memcpy(y + (size_t)(image + i) * all + (size_t)k * map, row + (size_t)i * count,
                           count * sizeof *row);
        }
        next_block(l, &b, &image, &first);
    }
}

static void conv_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!is_direct(l)) {
        for (int group = 0; group < groups_of(l); group++)
            forward_group(l, shard, group);
        return;
    }
    vg_window g = window_of(l);
    int outputs = outputs_of(l);
    for (int i = shard.first; i < shard.first + shard.count; i++)
        for (int group = 0; group < groups_of(l); group++)
            vg_direct_forward(
                &g, outputs, l->x + (size_t)i * vg_shape_size(l->in) + group_in(l, group),
                l->params[0].value + group_weight(l, group),
                l->spec.bias ? l->params[1].value + (size_t)group * (size_t)outputs : NULL,
                l->fused_relu, l->y + (size_t)i * vg_shape_size(l->out) + group_out(l, group));
}

/* dy of a block as [K][n], K of one group; a single image needs no copy. */
static const float *gather(const vg_layer *l, const float *dy, const block *b, float *room,
                           size_t *ld)
{
    size_t map = (size_t)l->out.h * (size_t)l->out.w, count = (size_t)b->count;
    size_t outputs = (size_t)outputs_of(l), all = vg_shape_size(l->out);
    if (b->images == 1) {
        *ld = map;
        return dy + (size_t)b->image * all + (size_t)b->first;
    }
    *ld = (size_t)b->images * count;
    for (size_t k = 0; k < outputs; k++)
        for (size_t i = 0; i < (size_t)b->images; i++)
            memcpy(room + k * *ld + i * count, dy + ((size_t)b->image + i) * all + k * map,
                   count * sizeof *room);
    return room;
}

static void backward_group(vg_layer *l, vg_shard shard, int group)
{
    vg_window g = window_of(l);
    int taps = taps_of(l), outputs = outputs_of(l);
    size_t in = vg_shape_size(l->in);
    float *col = l->scratch + (size_t)shard.slot * l->scratch_size;
    const float *x = l->x + (size_t)shard.first * in + group_in(l, group);
    const float *dy = l->dy + (size_t)shard.first * vg_shape_size(l->out) + group_out(l, group);
    float *dx = l->dx ? l->dx + (size_t)shard.first * in + group_in(l, group) : NULL;
    const float *weight = l->params[0].value + group_weight(l, group);
    float *dw = l->partial[0] + (size_t)shard.index * l->params[0].count + group_weight(l, group);
    float *db = l->spec.bias ? l->partial[1] + (size_t)shard.index * l->params[1].count +
                                   (size_t)group * (size_t)outputs
                             : NULL;
    for (int image = 0, first = 0; image < shard.count;) {
        block b = block_at(l, &shard, image, first);
        size_t n = (size_t)b.images * (size_t)b.count, ld;
        unfold(l, &g, x, &b, col);
        const float *d = gather(l, dy, &b, col + (size_t)taps * n, &ld);
        vg_gemm(false, true, outputs, taps, (int)n, d, ld, col, n,
                image == 0 && first == 0 ? 0.0f : 1.0f, dw, (size_t)taps);
        if (db)
            for (int k = 0; k < outputs; k++)
                db[k] += (float)vg_sum(d + (size_t)k * ld, n);
        if (dx) {
            vg_gemm(true, false, taps, (int)n, outputs, weight, (size_t)taps, d, ld, 0, col, n);
            for (int i = 0; i < b.images; i++)
                vg_col2im(&g, col + (size_t)i * (size_t)b.count, n, b.first, b.count,
                          dx + (size_t)(image + i) * in);
        }
        next_block(l, &b, &image, &first);
    }
}

static void backward_direct(vg_layer *l, vg_shard shard)
{
    vg_window g = window_of(l);
    int outputs = outputs_of(l);
    size_t in = vg_shape_size(l->in), out = vg_shape_size(l->out);
    size_t map = (size_t)l->out.h * (size_t)l->out.w;
    float *dw = l->partial[0] + (size_t)shard.index * l->params[0].count;
    float *db = l->spec.bias ? l->partial[1] + (size_t)shard.index * l->params[1].count : NULL;
    for (size_t i = (size_t)shard.first; i < (size_t)shard.first + (size_t)shard.count; i++) {
        const float *dy = l->dy + i * out;
        for (int group = 0; group < groups_of(l); group++)
            vg_direct_backward(
                &g, outputs, l->x + i * in + group_in(l, group),
                l->params[0].value + group_weight(l, group), dy + group_out(l, group),
                l->dx ? l->dx + i * in + group_in(l, group) : NULL, dw + group_weight(l, group));
        for (size_t k = 0; db && k < (size_t)l->spec.outputs; k++)
            db[k] += (float)vg_sum(dy + k * map, map);
    }
}

static void conv_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    bool direct = is_direct(l);
    if (shard.count == 0 || direct)
        memset(l->partial[0] + (size_t)shard.index * l->params[0].count, 0,
               l->params[0].count * sizeof(float));
    if (l->spec.bias)
        memset(l->partial[1] + (size_t)shard.index * l->params[1].count, 0,
               l->params[1].count * sizeof(float));
    if (l->dx)
        memset(l->dx + (size_t)shard.first * vg_shape_size(l->in), 0,
               (size_t)shard.count * vg_shape_size(l->in) * sizeof(float));
    if (direct)
        backward_direct(l, shard);
    else
        for (int group = 0; group < groups_of(l); group++)
            backward_group(l, shard, group);
}

const vg_layer_ops vg_conv_ops = {.shape = conv_shape,
                                  .plan = conv_plan,
                                  .forward = conv_forward,
                                  .backward = conv_backward,
                                  .fuse_relu = true};
