/* Inside the room: what a layer is to the model. Users of networks need model.h only.
 *
 * Maps are float, a sample H W C: the channels of a pixel lie beside each other, without padding.
 * (The model's input and its gradient are C H W outside; the executor turns them over.)
 *
 * The model runs all layers inside one parallel region. A layer works either shard by shard
 * (forward, backward: a fixed cut of the batch) or tile by tile (a fixed cut of its outputs or
 * weights, for dense layers, whose weights are larger than a shard's work). A layer that needs sums
 * over the whole batch (batch norm) has a statistics step per shard and a combining step that one
 * thread runs. None of these cuts depends on the number of threads.
 *
 * Layers stand in one order and each begins at the output of an earlier one (its source), most at
 * the one before. Where an output has several readers, nobody works in place on it, and their
 * gradients are added in the reverse order of the layers. */
#ifndef VG_NN_LAYER_H
#define VG_NN_LAYER_H

#include "nn/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vg_shape {
    int c, h, w;
} vg_shape;
static inline size_t vg_shape_size(vg_shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* What is the same for all layers during one pass. */
typedef struct vg_pass {
    int n;
    bool training;
    uint64_t seed, step;
    bool inference; /* an evaluation of which only the last output is wanted */
} vg_pass;

/* Samples [first, first + count) of the batch: a shard, or a part of one. Parts of a shard follow
 * each other in order, on one thread; what is summed up over a shard (`partial`, statistics) begins
 * anew where `begins` is set. There is always such a part, be it of no sample. `slot` names the
 * scratch of the calling thread. */
typedef struct vg_shard {
    int index, first, count, slot;
    bool begins;
} vg_shard;
static inline vg_shard vg_shard_make(int n, int index, int slot)
{
    int first = (int)((int64_t)n * index / VG_MODEL_SHARDS);
    int end = (int)((int64_t)n * (index + 1) / VG_MODEL_SHARDS);
    return (vg_shard){index, first, end - first, slot, true};
}

/* Collects what is needed of memory; the pointers are set when all is known, into one arena. */
typedef struct vg_plan vg_plan;
/* *where gets `count` elements of `size` bytes, VG_ALIGNMENT-aligned and zeroed. */
void vg_plan_bytes(vg_plan *plan, void *where, size_t count, size_t size);
void vg_plan_floats(vg_plan *plan, float **where, size_t count);

/* The most samples of a shard. */
static inline size_t vg_shard_most(int max_batch)
{
    return ((size_t)max_batch + VG_MODEL_SHARDS - 1) / VG_MODEL_SHARDS;
}

enum { VG_LAYER_PARAMS = 4, VG_LAYER_NOBODY = -2, VG_PARAM_NAME = 64 };

typedef struct vg_layer vg_layer;

/* Layers that a convolution does along with its own work in inference (inference.c), each behind the
 * one before: a batch norm, whose numbers are fixed then, as a factor of the weights; what is added to the
 * result; a ReLU; a max pool. */
typedef struct vg_chain {
    vg_layer *norm, *add, *pool;
    bool relu;
    const vg_layer *end; /* the last one, or the convolution itself */
} vg_chain;

typedef struct vg_layer_ops {
    /* Checks that the layer fits its input and sets layer->out. The message has no layer name. */
    vg_status (*shape)(vg_layer *layer, vg_error *err);
    /* Declares parameters and scratch. */
    void (*plan)(vg_layer *layer, int max_batch, vg_plan *plan);
    /* Once before each forward pass, in parts 0 .. VG_MODEL_SHARDS - 1 on several threads: brings the
     * weights into the order in which forward and backward want them. NULL: not needed. */
    void (*pack)(vg_layer *layer, const vg_pass *pass, int part);
    /* Brings the weights into the form for inference, in `ready`; then `pack` is not called for that.
     * One thread a layer. */
    void (*ready)(vg_layer *layer);
    /* Inference shard by shard, of a layer that works by tiles otherwise; where `by_shard` is set. */
    void (*infer)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    /* Behind the backward pass of all shards, in as many parts: brings gradients that the layer has summed in
     * an order of its own into the parameters' grad. NULL: not needed. */
    void (*unpack)(vg_layer *layer, const vg_pass *pass, int part);
    void (*forward)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    void (*backward)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    /* Whole-batch statistics, NULL if not needed: before forward and backward. */
    void (*forward_statistics)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    void (*forward_combine)(vg_layer *layer, const vg_pass *pass);
    void (*backward_statistics)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    void (*backward_combine)(vg_layer *layer, const vg_pass *pass);
    /* Tile by tile instead of shard by shard: then forward and backward are NULL. What must be done
     * shard by shard before the forward tiles and after the backward tiles may stand in prepare and
     * finish. */
    void (*prepare)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    void (*finish)(vg_layer *layer, const vg_pass *pass, vg_shard shard);
    int (*forward_tiles)(const vg_layer *layer, const vg_pass *pass);
    void (*forward_tile)(vg_layer *layer, const vg_pass *pass, int tile);
    int (*backward_tiles)(const vg_layer *layer);
    void (*backward_tile)(vg_layer *layer, const vg_pass *pass, int tile);
    bool in_place;   /* may write its output over its input */
    bool keeps_sign; /* in place it leaves what is above zero above zero, or dx there is 0 */
    bool fuse_relu;  /* can apply a following ReLU itself */
    bool masks_relu; /* and its backward pass: dy counts where the output is above zero */
    /* May a ReLU before it be left out of the backward pass, as what it cut off gets no gradient
     * anyway? */
    bool (*masks_before)(const vg_layer *layer);
    bool reads_x; /* the backward pass needs the input's, the output's values */
    bool reads_y;
} vg_layer_ops;

struct vg_layer {
    const vg_layer_ops *ops;
    vg_layer_spec spec;
    vg_layer_info info;
    int index;
    vg_shape in, out;
    int source, other; /* layers it reads; -1: the input; other: VG_LAYER_NOBODY but for joins */
    int readers;       /* layers that read its output */
    bool in_place;     /* y is x */
    bool fused_relu;   /* the next layer is a ReLU in place, done by this one */
    bool fused_away;   /* this ReLU is done by the layer before */
    bool spared;       /* and so is its backward pass, or a layer behind does it */
    bool masks;        /* this one does it */
    bool folded;       /* batch norm: the convolution behind it makes its training output */
    bool turns;        /* dense behind a map: takes its input in the order C H W */
    bool kept;         /* the training output is there until the backward pass */
    bool adds_other;   /* other_dx holds something already */
    bool reads_x, reads_y;      /* as in ops, unless another layer spares it */
    bool tree[VG_LAYER_PARAMS]; /* parameters whose gradients are summed in `partial` */
    /* Of the running backward pass: nobody trains this parameter; somebody wants the gradient of the
     * output, for parameters of this layer or of what it reads, or for the picture. */
    bool frozen[VG_LAYER_PARAMS], wanted;
    bool held; /* batch norm: by its running statistics, also when training */

    vg_winograd_use winograd; /* convolution */
    /* layers/fold.h: what a convolution makes for itself while training, and what it made needless. */
    vg_layer *norm, *pool; /* convolution: the output of this one, the gradient of that one */
    vg_layer *folder;      /* max pool: the convolution */
    /* Likewise forward: the pool whose output it makes while training, and that pool's convolution. */
    vg_layer *stores, *maker;

    vg_chain chain; /* convolution: inference */
    bool absorbed;  /* in inference a convolution does this layer's work */
    bool by_shard;  /* in inference it works shard by shard */
    float *ready;   /* what `ready` makes, [ready_size] */
    size_t ready_size;
    int root;                 /* in inference the output lies with this layer, */
    float *infer_y, *blocked; /* there; dense: its input in blocks of channels */
    int infer_part;

    /* Memory of its own (none in place). A `part` of 0: room for the batch; above: for so many
     * samples per slot, where nobody needs them for longer. */
    float *train_y, *evaluation_y, *own_dy;
    int train_part, own_dy_part;
    size_t evaluation_at;
    /* Where a later reader of the same output has left its gradient, dx is this scratch and is
     * added to `sum` afterwards. */
    float *own_dx, *sum;
    int own_dx_part, sum_part;

    /* Of the running pass; take them from vg_layer_x() and its kin. */
    const float *x;
    float *y;
    const float *dy;
    float *dx; /* NULL: nobody wants it */
    vg_shape other_in;
    const float *other_x; /* joins */
    float *other_dx;      /* joins; may be NULL */
    int x_part, y_part, dy_part, dx_part, other_x_part, other_dx_part;

    vg_param params[VG_LAYER_PARAMS];
    char names[VG_LAYER_PARAMS][VG_PARAM_NAME];
    int param_count;
    /* Gradients of the shards, [VG_MODEL_SHARDS][count], for the parameters that are added up in
     * the tree by the model; NULL where the layer writes grad itself. */
    float *partial[VG_LAYER_PARAMS];

    float *packed;          /* weights as `pack` left them */
    float *packed_backward; /* convolution: likewise for the data gradient */
    float *packed_gradient; /* convolution: [VG_MODEL_SHARDS][packed_gradient_size], from the
                             * backward pass until `unpack`, a stage later */
    size_t packed_gradient_size;
    /* [VG_MODEL_SHARDS slots][scratch_size], the same for all layers and never zeroed. A layer's plan
     * says how many floats it needs, and finds the most of all later. */
    float *scratch;
    size_t scratch_size;
    float *mean, *inverse; /* batch norm: [C] of the running batch */
    float *affine;         /* batch norm: [5][C], coefficients forward, backward */
    float *wide;           /* batch norm: [2][vg_channel_period], the forward ones laid out */
    double *sums;          /* batch norm: [VG_MODEL_SHARDS][2][C] */
    uint8_t *chosen;       /* max pool: place in the window; dropout: 1 = kept */
    float *flat, *dflat;   /* dense behind a map: x and dx in the order C H W */
};

/* Where a shard begins in the layer's input, output and their gradients; NULL where there is none.
 * Always ask: buffers need not hold the whole batch. */
static inline size_t vg_layer_first(int part, vg_shard s)
{
    return part ? (size_t)s.slot * (size_t)part : (size_t)s.first;
}
static inline const float *vg_layer_x(const vg_layer *l, vg_shard s)
{
    return l->x + vg_layer_first(l->x_part, s) * vg_shape_size(l->in);
}
static inline float *vg_layer_y(const vg_layer *l, vg_shard s)
{
    return l->y + vg_layer_first(l->y_part, s) * vg_shape_size(l->out);
}
static inline const float *vg_layer_dy(const vg_layer *l, vg_shard s)
{
    return l->dy + vg_layer_first(l->dy_part, s) * vg_shape_size(l->out);
}
static inline float *vg_layer_dx(const vg_layer *l, vg_shard s)
{
    return l->dx ? l->dx + vg_layer_first(l->dx_part, s) * vg_shape_size(l->in) : NULL;
}
static inline const float *vg_layer_other_x(const vg_layer *l, vg_shard s)
{
    return l->other_x + vg_layer_first(l->other_x_part, s) * vg_shape_size(l->other_in);
}
static inline float *vg_layer_other_dx(const vg_layer *l, vg_shard s)
{
    return l->other_dx
               ? l->other_dx + vg_layer_first(l->other_dx_part, s) * vg_shape_size(l->other_in)
               : NULL;
}
/* The partial gradient of parameter k that belongs to a shard. */
static inline float *vg_layer_partial(const vg_layer *l, int k, vg_shard s)
{
    return l->partial[k] + (size_t)s.index * l->params[k].count;
}
static inline size_t vg_layer_map(vg_shape s) /* pixels */
{
    return (size_t)s.h * (size_t)s.w;
}

/* Adds a parameter: value and grad, and the partial gradients if `tree`. */
vg_param *vg_layer_param(vg_layer *layer, vg_plan *plan, const char *what, const int64_t *shape,
                         int dims, bool tree);
/* A stored statistic, not trained. */
vg_param *vg_layer_statistic(vg_layer *layer, vg_plan *plan, const char *what, int64_t count);

extern const vg_layer_ops vg_conv_ops, vg_batchnorm_ops, vg_relu_ops, vg_maxpool_ops,
    vg_avgpool_ops, vg_globalpool_ops, vg_dropout_ops, vg_dense_ops, vg_flatten_ops,
    vg_globalmax_ops, vg_groupnorm_ops, vg_add_ops, vg_concat_ops, vg_prelu_ops, vg_softmax_ops,
    vg_activation_ops, vg_cosine_ops;

/* Fills the weights of one layer. */
void vg_layer_initialize(vg_layer *layer, vg_init init, double scale, uint64_t seed);

#endif
