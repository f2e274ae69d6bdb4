/* max(0, x), usually in place and done by the layer before; NaN passes. Backward, too, the layer
 * before or a pool behind may set to zero what did not come through. */
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
    if (!l->fused_away)
        vg_relu(vg_layer_x(l, shard), vg_layer_y(l, shard),
                (size_t)shard.count * vg_shape_size(l->in));
}

static void relu_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (l->dx && !l->spared)
        vg_relu_backward(vg_layer_y(l, shard), vg_layer_dy(l, shard), vg_layer_dx(l, shard),
                         (size_t)shard.count * vg_shape_size(l->in));
}

const vg_layer_ops vg_relu_ops = {.shape = relu_shape,
                                  .forward = relu_forward,
                                  .backward = relu_backward,
                                  .in_place = true,
                                  .keeps_sign = true,
                                  .reads_y = true};
