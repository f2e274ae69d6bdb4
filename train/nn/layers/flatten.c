/* C H W as one vector: the memory stays as it is. */
#include "nn/layer.h"

#include <string.h>

static vg_status flatten_shape(vg_layer *l, vg_error *err)
{
    size_t size = vg_shape_size(l->in);
    if (size > 1u << 30)
        return vg_fail(err, VG_E_SHAPE, "%zu values are more than a layer can have", size);
    l->out = (vg_shape){(int)size, 1, 1};
    return VG_OK;
}

static void flatten_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    if (!l->in_place)
        memcpy(l->y + at, l->x + at, (size_t)shard.count * size * sizeof(float));
}

static void flatten_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    if (l->dx && l->dx != l->dy)
        memcpy(l->dx + at, l->dy + at, (size_t)shard.count * size * sizeof(float));
}

const vg_layer_ops vg_flatten_ops = {.shape = flatten_shape,
                                     .forward = flatten_forward,
                                     .backward = flatten_backward,
                                     .in_place = true,
                                     .keeps_sign = true};
