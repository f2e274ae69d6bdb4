/* Two inputs made one: the sum of equal shapes (He et al., "Deep residual learning", CVPR 2016), and
 * channels of one behind those of the other (Huang et al., "Densely connected networks", CVPR 2017).
 * Both hand the gradient of their second input over themselves, adding to what is there. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <string.h>

static vg_status add_shape(vg_layer *l, vg_error *err)
{
    vg_shape a = l->in, b = l->other_in;
    if (a.c != b.c || a.h != b.h || a.w != b.w)
        return vg_fail(
            err, VG_E_SHAPE,
            "%d x %d x %d and \"%s\" of %d x %d x %d cannot be added; a convolution with "
            "kernel 1 and \"from %s\" can bring the one to the shape of the other",
            a.c, a.h, a.w, l->spec.with, b.c, b.h, b.w, l->spec.with);
    l->out = a;
    return VG_OK;
}

static void add_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    vg_sum_of(vg_layer_x(l, shard), vg_layer_other_x(l, shard), vg_layer_y(l, shard),
              (size_t)shard.count * vg_shape_size(l->in), l->fused_relu);
}

static void add_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    const float *y = l->masks ? vg_layer_y(l, shard) : NULL, *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    /* the same output twice: the first half lies in scratch or is there already */
    vg_sum_backward(y, dy, dx == dy && !y ? NULL : dx, vg_layer_other_dx(l, shard), l->adds_other,
                    (size_t)shard.count * vg_shape_size(l->in));
}

static vg_status concat_shape(vg_layer *l, vg_error *err)
{
    vg_shape a = l->in, b = l->other_in;
    if (a.h != b.h || a.w != b.w)
        return vg_fail(err, VG_E_SHAPE,
                       "maps of %d x %d and \"%s\" of %d x %d cannot stand behind each other", a.h,
                       a.w, l->spec.with, b.h, b.w);
    if (a.c > (1 << 30) - b.c)
        return vg_fail(err, VG_E_SHAPE, "%d and %d channels are more than a layer can have", a.c,
                       b.c);
    l->out = (vg_shape){a.c + b.c, a.h, a.w};
    return VG_OK;
}

static void concat_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t first = (size_t)l->in.c, second = (size_t)l->other_in.c;
    size_t pixels = (size_t)shard.count * vg_layer_map(l->in);
    const float *a = vg_layer_x(l, shard), *b = vg_layer_other_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (size_t i = 0; i < pixels; i++, y += first + second, a += first, b += second) {
        memcpy(y, a, first * sizeof *y);
        memcpy(y + first, b, second * sizeof *y);
    }
}

static void concat_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t first = (size_t)l->in.c, second = (size_t)l->other_in.c;
    size_t pixels = (size_t)shard.count * vg_layer_map(l->in);
    const float *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard), *to = vg_layer_other_dx(l, shard);
    for (size_t i = 0; i < pixels; i++, dy += first + second) {
        if (dx)
            memcpy(dx + i * first, dy, first * sizeof *dx);
        if (to && l->adds_other)
            vg_add(to + i * second, dy + first, second);
        else if (to)
            memcpy(to + i * second, dy + first, second * sizeof *to);
    }
}

const vg_layer_ops vg_add_ops = {.shape = add_shape,
                                 .forward = add_forward,
                                 .backward = add_backward,
                                 .in_place = true,
                                 .fuse_relu = true,
                                 .masks_relu = true};
const vg_layer_ops vg_concat_ops = {
    .shape = concat_shape, .forward = concat_forward, .backward = concat_backward};
