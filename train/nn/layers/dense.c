/* Dense layer, cut by outputs (forward, weight gradient) and by inputs (input gradient) instead of
 * by samples: its weights are larger than a shard's work, and so each weight is read once per pass
 * and no partial gradients are needed. The cut depends on the layer's shape alone.
 *
 * In inference the weights are packed beforehand, in the order in which the input stands. Where they fit
 * in a thread's nearer caches the layer works shard by shard like its neighbours, and nobody waits. */
#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/rows.h"
#include "nn/layer.h"

enum { TILE_LEAST = 32, BY_SHARD_FLOATS = 64 * 1024 };

static const vg_tile_set *tiles(void)
{
    return vg_tile_set_for(VG_SIMD_AVX512);
}

static int width_of(int size)
{
    int width = ((size + VG_MODEL_SHARDS - 1) / VG_MODEL_SHARDS + 15) / 16 * 16;
    return width < TILE_LEAST ? TILE_LEAST : width;
}

static int tiles_of(int size)
{
    return (size + width_of(size) - 1) / width_of(size);
}

static int inputs_of(const vg_layer *l)
{
    return (int)vg_shape_size(l->in);
}

static vg_status dense_shape(vg_layer *l, vg_error *err)
{
    size_t size = vg_shape_size(l->in);
    if (size > 1u << 30)
        return vg_fail(err, VG_E_SHAPE, "%zu inputs are more than a layer can have", size);
    l->out = (vg_shape){l->spec.outputs, 1, 1};
    l->turns = l->in.c > 1 && vg_layer_map(l->in) > 1;
    l->reads_x = !l->turns;
    return VG_OK;
}

static void dense_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    size_t size = vg_shape_size(l->in);
    int64_t shape[2] = {l->spec.outputs, inputs_of(l)};
    vg_layer_param(l, plan, "weight", shape, 2, false)->decay = true;
    if (l->spec.bias)
        vg_layer_param(l, plan, "bias", shape, 1, false);
    l->info.macs = (uint64_t)shape[0] * (uint64_t)shape[1];
    l->ready_size = vg_rows_packed(inputs_of(l), l->spec.outputs);
    l->by_shard = l->ready_size <= BY_SHARD_FLOATS;
    if (l->by_shard)
        l->scratch_size = vg_rows_blocked(inputs_of(l), vg_shard_most(max_batch));
    if (l->turns) {
        vg_plan_bytes(plan, &l->flat, (size_t)max_batch * size, sizeof *l->flat);
        vg_plan_bytes(plan, &l->dflat, (size_t)max_batch * size, sizeof *l->dflat);
    }
}

static void dense_ready(vg_layer *l)
{
    vg_rows_pack(inputs_of(l), l->spec.outputs, (int)vg_layer_map(l->in), l->params[0].value,
                 l->spec.bias ? l->params[1].value : NULL, l->ready);
}

static void dense_infer(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    int inputs = inputs_of(l), outputs = l->spec.outputs;
    float *blocked = l->scratch + (size_t)shard.slot * l->scratch_size;
    vg_rows_spread(tiles(), vg_layer_x(l, shard), inputs, shard.count, 0, shard.count, blocked);
    for (int group = 0; group < vg_rows_groups(outputs); group++)
        vg_rows_multiply(tiles(), blocked, shard.count, inputs, outputs, group, l->ready,
                         l->fused_relu, vg_layer_y(l, shard));
}

static void dense_prepare(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    size_t size = vg_shape_size(l->in), map = vg_layer_map(l->in);
    const float *x = vg_layer_x(l, shard);
    if (pass->inference) {
        vg_rows_spread(tiles(), x, (int)size, pass->n, shard.first, shard.count, l->blocked);
        return;
    }
    float *flat = l->flat + (size_t)shard.first * size;
    for (size_t i = 0; l->turns && i < (size_t)shard.count; i++)
        vg_transpose(x + i * size, map, size / map, flat + i * size);
}

static void dense_finish(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), map = vg_layer_map(l->in);
    float *dx = vg_layer_dx(l, shard);
    const float *flat = l->dflat + (size_t)shard.first * size;
    for (size_t i = 0; dx && l->turns && i < (size_t)shard.count; i++)
        vg_transpose(flat + i * size, size / map, map, dx + i * size);
}

static const float *x_of(const vg_layer *l)
{
    return l->turns ? l->flat : l->x;
}

static int forward_tiles(const vg_layer *l, const vg_pass *pass)
{
    return pass->inference ? vg_rows_groups(l->spec.outputs) : tiles_of(l->spec.outputs);
}

static void forward_tile(vg_layer *l, const vg_pass *pass, int tile)
{
    int inputs = inputs_of(l), outputs = l->spec.outputs, width = width_of(outputs);
    int from = tile * width, count = outputs - from < width ? outputs - from : width;
    if (pass->inference) {
        vg_rows_multiply(tiles(), l->blocked, pass->n, inputs, outputs, tile, l->ready,
                         l->fused_relu, l->y);
        return;
    }
    float *y = l->y + from;
    vg_gemm(false, true, pass->n, count, inputs, x_of(l), (size_t)inputs,
            l->params[0].value + (size_t)from * (size_t)inputs, (size_t)inputs, 0, y,
            (size_t)outputs);
    for (int i = 0; i < pass->n; i++) {
        float *row = y + (size_t)i * (size_t)outputs;
        if (l->spec.bias)
            vg_add_bias_row(row, l->params[1].value + from, (size_t)count, l->fused_relu);
        else if (l->fused_relu)
            vg_relu(row, row, (size_t)count);
    }
}

static int backward_tiles(const vg_layer *l)
{
    return tiles_of(l->spec.outputs) + tiles_of(inputs_of(l));
}

static void weight_tile(vg_layer *l, const vg_pass *pass, int tile)
{
    int inputs = inputs_of(l), outputs = l->spec.outputs, width = width_of(outputs);
    int from = tile * width, count = outputs - from < width ? outputs - from : width;
    if (!l->frozen[0])
        vg_gemm(true, false, count, inputs, pass->n, l->dy + from, (size_t)outputs, x_of(l),
                (size_t)inputs, 0, l->params[0].grad + (size_t)from * (size_t)inputs,
                (size_t)inputs);
    if (l->spec.bias && !l->frozen[1])
        for (int k = from; k < from + count; k++) {
            double sum = 0;
            for (int i = 0; i < pass->n; i++)
                sum += (double)l->dy[(size_t)i * (size_t)outputs + (size_t)k];
            l->params[1].grad[k] = (float)sum;
        }
}

static void backward_tile(vg_layer *l, const vg_pass *pass, int tile)
{
    int inputs = inputs_of(l), outputs = l->spec.outputs, width = width_of(inputs);
    int weight_tiles = tiles_of(outputs);
    if (tile < weight_tiles) {
        weight_tile(l, pass, tile);
        return;
    }
    if (!l->dx)
        return;
    int from = (tile - weight_tiles) * width, count = inputs - from < width ? inputs - from : width;
    vg_gemm(false, false, pass->n, count, outputs, l->dy, (size_t)outputs,
            l->params[0].value + from, (size_t)inputs, 0, (l->turns ? l->dflat : l->dx) + from,
            (size_t)inputs);
}

const vg_layer_ops vg_dense_ops = {.shape = dense_shape,
                                   .plan = dense_plan,
                                   .ready = dense_ready,
                                   .infer = dense_infer,
                                   .reads_x = true,
                                   .prepare = dense_prepare,
                                   .finish = dense_finish,
                                   .forward_tiles = forward_tiles,
                                   .forward_tile = forward_tile,
                                   .backward_tiles = backward_tiles,
                                   .backward_tile = backward_tile,
                                   .fuse_relu = true};
