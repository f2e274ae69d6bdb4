/* A map as one vector in the order C H W, which the weights behind it are stored in. Where that is
 * the order already, the memory stays as it is. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <string.h>

static vg_status flatten_shape(vg_layer *l, vg_error *err)
{
    size_t size = vg_shape_size(l->in);
    if (size > 1u << 30)
        return vg_fail(err, VG_E_SHAPE, "%zu values are more than a layer can have", size);
    l->out = (vg_shape){(int)size, 1, 1};
    l->turns = l->in.c > 1 && vg_layer_map(l->in) > 1;
    return VG_OK;
}

static void flatten_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), c = (size_t)l->in.c;
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (int i = 0; i < shard.count && x != y; i++)
        vg_transpose(x + (size_t)i * size, size / c, c, y + (size_t)i * size);
}

static void flatten_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), c = (size_t)l->in.c;
    const float *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    for (int i = 0; dx && dx != dy && i < shard.count; i++)
        vg_transpose(dy + (size_t)i * size, c, size / c, dx + (size_t)i * size);
}

const vg_layer_ops vg_flatten_ops = {.shape = flatten_shape,
                                     .forward = flatten_forward,
                                     .backward = flatten_backward,
                                     .in_place = true,
                                     .keeps_sign = true};
