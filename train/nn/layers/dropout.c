/* Dropout, scaled while training (Srivastava et al., JMLR 2014), identity otherwise. Each value's
 * fate is 16 bits of a Philox number of (seed, step, layer, place in the batch), so that the rate is
 * exact to 1/65536. Spatial dropout (Tompson et al., CVPR 2015) draws for whole channels. */
#include "base/rng.h"
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

/* Values that share a fate. */
static size_t run_of(const vg_layer *l)
{
    return l->spec.kind == VG_LAYER_SPATIALDROPOUT ? (size_t)l->in.h * (size_t)l->in.w : 1;
}

static vg_status dropout_shape(vg_layer *l, vg_error *err)
{
    (void)err;
    l->out = l->in;
    return VG_OK;
}

static void dropout_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    vg_plan_bytes(plan, &l->chosen, (size_t)max_batch * vg_shape_size(l->out) / run_of(l),
                  sizeof *l->chosen);
}

static uint32_t threshold_of(const vg_layer *l)
{
    return (uint32_t)lround(l->spec.rate * 65536); /* dropped below; 65536: all, refused before */
}

static float scale_of(const vg_layer *l)
{
    return (float)(65536.0 / (65536.0 - (double)threshold_of(l)));
}

/* Marks places [from, to) of the batch: 1 where the value stays. */
static void draw(const vg_layer *l, const vg_pass *pass, size_t from, size_t to)
{
    uint64_t key64 = vg_mix(vg_mix(pass->seed, pass->step),
                            ((uint64_t)VG_RNG_DROPOUT << 32) | (uint32_t)l->index);
    const uint32_t key[2] = {(uint32_t)key64, (uint32_t)(key64 >> 32)};
    vg_draw_kept(key, threshold_of(l), from, to - from, l->chosen + from);
}

static void apply(const vg_layer *l, const float *in, float *out, vg_shard shard)
{
    size_t run = run_of(l), size = vg_shape_size(l->in), c = (size_t)l->in.c;
    const uint8_t *kept = l->chosen + (size_t)shard.first * (size / run);
    size_t n = (size_t)shard.count * size;
    float scale = scale_of(l);
    if (run == 1)
        vg_keep(in, out, n, kept, scale);
    else
        for (size_t i = 0; i < n; i += c)
            vg_keep(in + i, out + i, c, kept + i / size * c, scale);
}

static void dropout_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    size_t size = vg_shape_size(l->in), each = size / run_of(l), first = (size_t)shard.first;
    if (!pass->training) {
        if (x != y)
            memcpy(y, x, (size_t)shard.count * size * sizeof *y);
        return;
    }
    draw(l, pass, first * each, (first + (size_t)shard.count) * each);
    apply(l, x, y, shard);
}

static void dropout_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    if (l->dx)
        apply(l, vg_layer_dy(l, shard), vg_layer_dx(l, shard), shard);
}

const vg_layer_ops vg_dropout_ops = {.shape = dropout_shape,
                                     .plan = dropout_plan,
                                     .forward = dropout_forward,
                                     .backward = dropout_backward,
                                     .in_place = true,
                                     .keeps_sign = true};
