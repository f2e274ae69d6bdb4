/* Max, average and global pooling, sample by sample. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <string.h>

static vg_window window_of(const vg_layer *l)
{
    return (vg_window){.c = l->in.c,
                       .h = l->in.h,
                       .w = l->in.w,
                       .kernel = l->spec.kernel,
                       .stride = l->spec.stride,
                       .padding = l->spec.padding,
                       .p = l->out.h,
                       .q = l->out.w};
}

static vg_status pool_shape(vg_layer *l, vg_error *err)
{
    int k = l->spec.kernel, s = l->spec.stride;
    int h = l->in.h + 2 * l->spec.padding, w = l->in.w + 2 * l->spec.padding;
    if (h < k || w < k)
        return vg_fail(err, VG_E_SHAPE,
                       "a window of %dx%d does not fit its input of %dx%d; a larger input or fewer "
                       "pools before it leave more",
                       k, k, l->in.h, l->in.w);
    l->out = (vg_shape){l->in.c, (h - k) / s + 1, (w - k) / s + 1};
    return VG_OK;
}

static size_t places_of(const vg_layer *l) /* bytes of a sample */
{
    return vg_shape_size(l->out) * (l->spec.kernel > VG_POOL_NARROW ? 2 : 1);
}

/* Does the mask of a ReLU before it along with its own. */
static bool maxpool_masks(const vg_layer *l)
{
    return l->spec.kernel <= VG_POOL_NARROW;
}

static void maxpool_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    vg_plan_bytes(plan, &l->chosen, (size_t)max_batch, places_of(l));
}

static void maxpool_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    if (pass->training && l->maker)
        return;
    vg_window g = window_of(l);
    size_t in = vg_shape_size(l->in), out = vg_shape_size(l->out);
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    uint8_t *chosen = l->chosen + (size_t)shard.first * places_of(l);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_maxpool(&g, x + i * in, y + i * out, pass->training ? chosen + i * places_of(l) : NULL,
                   l->masks);
}

static void maxpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    vg_window g = window_of(l);
    size_t in = vg_shape_size(l->in), out = vg_shape_size(l->out);
    const float *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    const uint8_t *chosen = l->chosen + (size_t)shard.first * places_of(l);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_maxpool_backward(&g, chosen + i * places_of(l), dy + i * out, dx + i * in);
}

static void avgpool_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    vg_window g = window_of(l);
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_avgpool(&g, x + i * vg_shape_size(l->in), y + i * vg_shape_size(l->out));
}

static void avgpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    vg_window g = window_of(l);
    const float *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    for (size_t i = 0; i < (size_t)shard.count; i++)
        vg_avgpool_backward(&g, dy + i * vg_shape_size(l->out), dx + i * vg_shape_size(l->in));
}

static vg_status globalpool_shape(vg_layer *l, vg_error *err)
{
    (void)err;
    l->out = (vg_shape){l->in.c, 1, 1};
    return VG_OK;
}

static void globalpool_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t map = vg_layer_map(l->in), c = (size_t)l->in.c;
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (int i = 0; i < shard.count; i++, x += map * c, y += c)
        vg_channel_average(x, map, c, y);
}

static void globalpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    size_t map = vg_layer_map(l->in), c = (size_t)l->in.c;
    const float *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard), share = 1.0f / (float)map;
    for (int i = 0; i < shard.count; i++, dx += map * c, dy += c) {
        for (size_t k = 0; k < c; k++)
            dx[k] = dy[k] * share;
        for (size_t at = 1; at < map; at++)
            memcpy(dx + at * c, dx, c * sizeof *dx);
    }
}

/* The pixel with the largest value, the first of equal ones; a NaN wins. */
static size_t largest(const float *x, size_t map, size_t c)
{
    size_t best = 0;
    for (size_t i = 1; i < map; i++) {
        float v = x[i * c], top = x[best * c];
        if (v > top || (v != v && top == top))
            best = i;
    }
    return best;
}

static void globalmax_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t map = vg_layer_map(l->in), c = (size_t)l->in.c;
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (int i = 0; i < shard.count; i++, x += map * c, y += c)
        for (size_t k = 0; k < c; k++)
            y[k] = x[largest(x + k, map, c) * c + k];
}

static void globalmax_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    size_t map = vg_layer_map(l->in), c = (size_t)l->in.c;
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    memset(dx, 0, (size_t)shard.count * map * c * sizeof *dx);
    for (int i = 0; i < shard.count; i++, x += map * c, dx += map * c, dy += c)
        for (size_t k = 0; k < c; k++)
            dx[largest(x + k, map, c) * c + k] = dy[k];
}

const vg_layer_ops vg_maxpool_ops = {.shape = pool_shape,
                                     .plan = maxpool_plan,
                                     .forward = maxpool_forward,
                                     .backward = maxpool_backward,
                                     .masks_before = maxpool_masks};
const vg_layer_ops vg_avgpool_ops = {
    .shape = pool_shape, .forward = avgpool_forward, .backward = avgpool_backward};
const vg_layer_ops vg_globalpool_ops = {
    .shape = globalpool_shape, .forward = globalpool_forward, .backward = globalpool_backward};
const vg_layer_ops vg_globalmax_ops = {.shape = globalpool_shape,
                                       .forward = globalmax_forward,
                                       .backward = globalmax_backward,
                                       .reads_x = true};
