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
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    vg_sum_of(l->x + at, l->other_x + at, l->y + at, (size_t)shard.count * size, l->fused_relu);
}

/* Gives `dy` to the second input. */
static void hand_over(const vg_layer *l, const float *dy, float *to, size_t n)
{
    if (l->adds_other)
        vg_add(to, dy, n);
    else
        memcpy(to, dy, n * sizeof *to);
}

static void add_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    size_t n = (size_t)shard.count * size;
    if (l->dx && l->dx != l->dy)
        memcpy(l->dx + at, l->dy + at, n * sizeof(float));
    /* the same output twice: the first half lies in scratch or is there already */
    if (l->other_dx)
        hand_over(l, l->dy + at, l->other_dx + at, n);
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
    size_t first = vg_shape_size(l->in), second = vg_shape_size(l->other_in);
    for (size_t i = (size_t)shard.first; i < (size_t)shard.first + (size_t)shard.count; i++) {
        float *y = l->y + i * (first + second);
        memcpy(y, l->x + i * first, first * sizeof *y);
        memcpy(y + first, l->other_x + i * second, second * sizeof *y);
    }
}

static void concat_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t first = vg_shape_size(l->in), second = vg_shape_size(l->other_in);
    for (size_t i = (size_t)shard.first; i < (size_t)shard.first + (size_t)shard.count; i++) {
        const float *dy = l->dy + i * (first + second);
        if (l->dx)
            memcpy(l->dx + i * first, dy, first * sizeof *dy);
        if (l->other_dx)
            hand_over(l, dy + first, l->other_dx + i * second, second);
    }
}

const vg_layer_ops vg_add_ops = {.shape = add_shape,
                                 .forward = add_forward,
                                 .backward = add_backward,
                                 .in_place = true,
                                 .fuse_relu = true};
const vg_layer_ops vg_concat_ops = {
    .shape = concat_shape, .forward = concat_forward, .backward = concat_backward};
