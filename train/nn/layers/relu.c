/* max(0, x), usually in place and done by the layer before; NaN passes. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

static vg_status relu_shape(vg_layer *l, vg_error *err)
{
    (void)err;
    l->out = l->in;
    return VG_OK;
}

static void relu_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    if (!l->fused_away)
        vg_relu(l->x + at, l->y + at, (size_t)shard.count * size);
}

static void relu_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    if (l->dx)
        vg_relu_backward(l->y + at, l->dy + at, l->dx + at, (size_t)shard.count * size);
}

const vg_layer_ops vg_relu_ops = {.shape = relu_shape,
                                  .forward = relu_forward,
                                  .backward = relu_backward,
                                  .in_place = true,
                                  .keeps_sign = true};
