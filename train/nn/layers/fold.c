/* See fold.h. A batch norm can be folded where one convolution, behind a ReLU or not, is all that reads
 * it; a max pool where its windows lie side by side and a convolution, with a ReLU or not, is all that
 * it reads. The same arithmetic as in their own passes: folding changes no bit. */
#include "nn/layers/fold.h"

#include "nn/kernels/kernels.h"

/* Below so many channels a row costs more to make than to read. */
enum { NARROW = 16 };

/* One group: rows are made with all channels. */
static bool can_fold(const vg_layer *l)
{
    return l->spec.kind == VG_LAYER_CONV && l->spec.groups <= 1;
}

/* The layer before, or the one before the ReLU that works in place on it, if nobody else reads them. */
static vg_layer *only_source(vg_layer *layers, const vg_layer *l)
{
    vg_layer *before = l->source >= 0 ? &layers[l->source] : NULL;
    if (before && before->spec.kind == VG_LAYER_RELU && before->fused_away && before->spared &&
        before->readers == 1)
        before = &layers[before->source];
    return before && before->readers == 1 ? before : NULL;
}

void vg_fold_find(vg_layer *layers, int index)
{
    vg_layer *l = &layers[index], *before = only_source(layers, l);
    if (!before)
        return;
    if (can_fold(l) && before->spec.kind == VG_LAYER_BATCHNORM) {
        l->norm = before;
        l->reads_x = false;
        before->folded = true;
    } else if (vg_fold_stores(before, l)) {
        before->stores = l;
        l->maker = before;
        if (before->spec.outputs >= NARROW) {
            before->pool = l;
            l->folder = before;
        }
    }
}

bool vg_fold_stores(vg_layer *conv, const vg_layer *pool)
{
    return can_fold(conv) && pool->spec.kind == VG_LAYER_MAXPOOL &&
           pool->spec.kernel <= VG_POOL_NARROW && pool->spec.stride == pool->spec.kernel &&
           pool->spec.padding == 0 && vg_conv_can_store(conv, pool->spec.kernel);
}

static const float *norm_row(void *context, int image, int row, float *room)
{
    const vg_fold *fold = context;
    const vg_layer *l = fold->layer;
    size_t c = (size_t)l->in.c, n = (size_t)l->in.w * c, period = vg_channel_period(c);
    vg_channel_affine_wide(fold->from + ((size_t)image * (size_t)l->in.h + (size_t)row) * n, room,
                           n, period, l->wide, l->wide + period, l->fused_relu);
    return room;
}

vg_rows vg_fold_norm(const vg_layer *norm, vg_shard shard, vg_fold *fold)
{
    *fold = (vg_fold){.layer = norm, .from = vg_layer_x(norm, shard)};
    return (vg_rows){.row = norm_row, .context = fold, .pixel = (size_t)norm->in.c};
}

static vg_window window_of(const vg_layer *l)
{
    return (vg_window){.c = l->in.c,
                       .h = l->in.h,
                       .w = l->in.w,
                       .kernel = l->spec.kernel,
                       .stride = l->spec.stride,
                       .p = l->out.h,
                       .q = l->out.w};
}

static const float *pool_row(void *context, int image, int row, float *room)
{
    const vg_fold *fold = context;
    vg_window g = window_of(fold->layer);
    size_t at = (size_t)image * vg_shape_size(fold->layer->out);
    vg_maxpool_backward_row(&g, fold->chosen + at, fold->from + at, row, room);
    return room;
}

static vg_fold pool_of(const vg_layer *pool, vg_shard shard)
{
    return (vg_fold){.layer = pool,
                     .from = vg_layer_dy(pool, shard),
                     .chosen = pool->chosen + (size_t)shard.first * vg_shape_size(pool->out)};
}

vg_rows vg_fold_pool(const vg_layer *pool, vg_shard shard, vg_fold *fold)
{
    *fold = pool_of(pool, shard);
    return (vg_rows){.row = pool_row, .context = fold, .pixel = (size_t)pool->in.c};
}

void vg_fold_pool_sums(const vg_layer *pool, vg_shard shard, double *sum)
{
    vg_fold fold = pool_of(pool, shard);
    vg_maxpool_sums(fold.chosen, fold.from, (size_t)shard.count * vg_layer_map(pool->out),
                    (size_t)pool->out.c, sum);
}

static void take_rows(void *context, int image, int row, int rows, const float *y)
{
    const vg_fold *fold = context;
    vg_window g = window_of(fold->layer);
    size_t at = (size_t)image * vg_shape_size(fold->layer->out) +
                (size_t)(row / g.kernel) * (size_t)g.q * (size_t)g.c;
    g.h = rows;
    g.p = rows / g.kernel; /* fewer at the end make no window */
    vg_maxpool(&g, y, fold->to + at, fold->places ? fold->places + at : NULL, fold->relu);
}

static float *largest_row(void *context, int image, int row)
{
    const vg_fold *fold = context;
    vg_shape out = fold->layer->out;
    return fold->to + (size_t)image * vg_shape_size(out) +
           (size_t)(row / 2) * (size_t)out.w * (size_t)out.c;
}

vg_sink vg_fold_store(const vg_layer *pool, vg_shard shard, bool chosen, bool relu, vg_fold *fold)
{
    size_t first = (size_t)shard.first * vg_shape_size(pool->out);
    *fold = (vg_fold){.layer = pool,
                      .to = vg_layer_y(pool, shard),
                      .places = chosen ? pool->chosen + first : NULL,
                      .relu = relu};
    return (vg_sink){.take = take_rows,
                     .largest = pool->spec.kernel == 2 && !chosen ? largest_row : NULL,
                     .context = fold,
                     .multiple = pool->spec.kernel,
                     .rectified = relu};
}
