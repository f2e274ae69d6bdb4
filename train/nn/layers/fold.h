/* Maps that a convolution makes for itself, row by row, while it copies its source: what a batch norm
 * before it would have written, and the gradient that a max pool behind it would have spread; and
 * the outputs that a max pool behind it shrinks before they leave the caches. None of them is ever in memory as a
 * whole. */
#ifndef VG_NN_LAYERS_FOLD_H
#define VG_NN_LAYERS_FOLD_H

#include "nn/kernels/conv.h"
#include "nn/layer.h"

typedef struct vg_fold {
    const vg_layer *layer;
    const float *from;
    const uint8_t *chosen;
    float *to;
    uint8_t *places;
    bool relu;
} vg_fold;

/* Can a convolution hand its outputs over in multiples of so many rows? Makes room in its scratch. (conv.c) */
bool vg_conv_can_store(vg_layer *conv, int multiple);
/* Is it a max pool whose windows lie side by side, behind such a convolution? */
bool vg_fold_stores(vg_layer *conv, const vg_layer *pool);
/* The pool's output, made of the rows that a convolution hands over. chosen: places are wanted. */
vg_sink vg_fold_store(const vg_layer *pool, vg_shard shard, bool chosen, bool relu, vg_fold *fold);

/* Before a layer is planned: finds what it can fold, or be folded by. */
void vg_fold_find(vg_layer *layers, int index);
/* Rows of the batch norm's output; *fold must stay as long as they are asked for. */
vg_rows vg_fold_norm(const vg_layer *norm, vg_shard shard, vg_fold *fold);
/* Rows of the pool's dx, and the sums over all of them, for each channel, added. */
vg_rows vg_fold_pool(const vg_layer *pool, vg_shard shard, vg_fold *fold);
void vg_fold_pool_sums(const vg_layer *pool, vg_shard shard, double *sum);

#endif
