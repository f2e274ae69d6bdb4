/* Maps that a convolution makes for itself, row by row, while it copies its source: what a batch norm
 * before it would have written, and the gradient that a max pool behind it would have spread. Neither
 * is ever in memory as a whole. */
#ifndef VG_NN_LAYERS_FOLD_H
#define VG_NN_LAYERS_FOLD_H

#include "nn/kernels/conv.h"
#include "nn/layer.h"

typedef struct vg_fold {
    const vg_layer *layer;
    const float *from;
    const uint8_t *chosen;
} vg_fold;

/* Before a layer is planned: finds what it can fold, or be folded by. */
void vg_fold_find(vg_layer *layers, int index);
/* Rows of the batch norm's output; *fold must stay as long as they are asked for. */
vg_rows vg_fold_norm(const vg_layer *norm, vg_shard shard, vg_fold *fold);
/* Rows of the pool's dx, and the sums over all of them, for each channel, added. */
vg_rows vg_fold_pool(const vg_layer *pool, vg_shard shard, vg_fold *fold);
void vg_fold_pool_sums(const vg_layer *pool, vg_shard shard, double *sum);

#endif
