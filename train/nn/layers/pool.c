/* Max, average and global pooling: plane by plane. */
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

static void maxpool_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    vg_plan_bytes(plan, &l->chosen, (size_t)max_batch * vg_shape_size(l->out), sizeof *l->chosen);
}

static void maxpool_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    vg_window g = window_of(l);
    size_t in = (size_t)g.h * (size_t)g.w, out = (size_t)g.p * (size_t)g.q;
    size_t plane = (size_t)shard.first * (size_t)g.c;
    size_t end = plane + (size_t)shard.count * (size_t)g.c;
    for (; plane < end; plane++)
        vg_maxpool_plane(&g, l->x + plane * in, l->y + plane * out, l->chosen + plane * out);
}

static void maxpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    vg_window g = window_of(l);
    size_t in = (size_t)g.h * (size_t)g.w, out = (size_t)g.p * (size_t)g.q;
    size_t plane = (size_t)shard.first * (size_t)g.c;
    size_t end = plane + (size_t)shard.count * (size_t)g.c;
    for (; plane < end; plane++)
        vg_maxpool_plane_backward(&g, l->chosen + plane * out, l->dy + plane * out,
                                  l->dx + plane * in);
}

static void avgpool_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    vg_window g = window_of(l);
    size_t in = (size_t)g.h * (size_t)g.w, out = (size_t)g.p * (size_t)g.q;
    size_t plane = (size_t)shard.first * (size_t)g.c;
    size_t end = plane + (size_t)shard.count * (size_t)g.c;
    for (; plane < end; plane++)
        vg_avgpool_plane(&g, l->x + plane * in, l->y + plane * out);
}

static void avgpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    vg_window g = window_of(l);
    size_t in = (size_t)g.h * (size_t)g.w, out = (size_t)g.p * (size_t)g.q;
    size_t plane = (size_t)shard.first * (size_t)g.c;
    size_t end = plane + (size_t)shard.count * (size_t)g.c;
    for (; plane < end; plane++)
        vg_avgpool_plane_backward(&g, l->dy + plane * out, l->dx + plane * in);
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
    size_t map = (size_t)l->in.h * (size_t)l->in.w;
    size_t plane = (size_t)shard.first * (size_t)l->in.c;
    size_t end = plane + (size_t)shard.count * (size_t)l->in.c;
    for (; plane < end; plane++)
        l->y[plane] = (float)(vg_sum(l->x + plane * map, map) / (double)map);
}

static void globalpool_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    size_t map = (size_t)l->in.h * (size_t)l->in.w;
    size_t plane = (size_t)shard.first * (size_t)l->in.c;
    size_t end = plane + (size_t)shard.count * (size_t)l->in.c;
    for (; plane < end; plane++) {
        float d = l->dy[plane] / (float)map;
        float *dx = l->dx + plane * map;
        for (size_t i = 0; i < map; i++)
            dx[i] = d;
    }
}

/* The place of the largest value, the first of equal ones; a NaN wins. */
static size_t largest(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best]))
            best = i;
    return best;
}

static void globalmax_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t map = (size_t)l->in.h * (size_t)l->in.w;
    size_t plane = (size_t)shard.first * (size_t)l->in.c;
    size_t end = plane + (size_t)shard.count * (size_t)l->in.c;
    for (; plane < end; plane++)
        l->y[plane] = l->x[plane * map + largest(l->x + plane * map, map)];
}

static void globalmax_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (!l->dx)
        return;
    size_t map = (size_t)l->in.h * (size_t)l->in.w;
    size_t plane = (size_t)shard.first * (size_t)l->in.c;
    size_t end = plane + (size_t)shard.count * (size_t)l->in.c;
    for (; plane < end; plane++) {
        memset(l->dx + plane * map, 0, map * sizeof *l->dx);
        l->dx[plane * map + largest(l->x + plane * map, map)] = l->dy[plane];
    }
}

const vg_layer_ops vg_maxpool_ops = {.shape = pool_shape,
                                     .plan = maxpool_plan,
                                     .forward = maxpool_forward,
                                     .backward = maxpool_backward};
const vg_layer_ops vg_avgpool_ops = {
    .shape = pool_shape, .forward = avgpool_forward, .backward = avgpool_backward};
const vg_layer_ops vg_globalpool_ops = {
    .shape = globalpool_shape, .forward = globalpool_forward, .backward = globalpool_backward};
const vg_layer_ops vg_globalmax_ops = {
    .shape = globalpool_shape, .forward = globalmax_forward, .backward = globalmax_backward};
