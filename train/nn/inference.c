/* Inference: the forward pass of which nothing but the last output is wanted.
 *
 * A convolution takes on what stands behind it (vg_chain): a batch norm becomes part of its weights, a sum
 * goes to where the other summand lies, a ReLU and a max pool happen before the outputs leave the
 * caches. So whole blocks of a residual net are two visits of memory. Maps live as long as they are
 * read and share their places, as in training. Weights are brought into their form once and kept
 * apart from those of the other passes. */
#include "nn/model_internal.h"

#include "base/alloc.h"
#include "nn/kernels/rows.h"
#include "nn/layers/fold.h"

/* ---- what goes together */

/* The layer that reads this output, if it is the only one and reads it as its first input. */
static vg_layer *only_reader(const vg_model *m, const vg_layer *l)
{
    for (int i = l->index + 1; l->readers == 1 && i < m->count; i++)
        if (m->layers[i].source == l->index)
            return &m->layers[i];
    return NULL;
}

/* May a convolution leave its sum with the other summand? Then that is there, and whoever reads it has
 * done so before. */
static bool can_add(const vg_model *m, const vg_layer *conv, const vg_layer *add)
{
    if (add->other < 0 || add->other >= conv->index)
        return false;
    int root = m->layers[add->other].root;
    for (int i = conv->index; i < m->count; i++) {
        const vg_layer *l = &m->layers[i];
        bool reads = l->source >= 0 && l->source < conv->index && m->layers[l->source].root == root;
        bool other = l->other >= 0 && l->other < conv->index && m->layers[l->other].root == root;
        if (reads || (other && l != add))
            return false;
    }
    return true;
}

/* Takes a layer on, if it can. */
static bool take(const vg_model *m, vg_layer *conv, vg_layer *next)
{
    vg_chain *c = &conv->chain;
    bool grouped = conv->spec.groups > 1;
    switch (next->spec.kind) {
    case VG_LAYER_BATCHNORM: /* without a scale of its own it keeps the order that a pool has seen */
        if (c->norm || c->add || c->relu || (c->pool && !next->spec.option))
            return false;
        c->norm = next;
        return true;
    case VG_LAYER_ADD:
        if (grouped || c->add || c->relu || c->pool || !can_add(m, conv, next))
            return false;
        c->add = next;
        return true;
    case VG_LAYER_RELU:
        c->relu = true;
        return true;
    case VG_LAYER_MAXPOOL:
        if (c->add || c->pool || !vg_fold_stores(conv, next))
            return false;
        c->pool = next;
        return true;
    default:
        return false;
    }
}

void vg_inference_find(vg_model *m)
{
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        if (l->absorbed)
            continue;
        l->root = l->in_place ? m->layers[l->source].root : i;
        if (l->spec.kind != VG_LAYER_CONV)
            continue;
        l->chain.end = l;
        for (vg_layer *next = only_reader(m, l); next && take(m, l, next);) {
            next->absorbed = true;
            l->chain.end = next;
            next = only_reader(m, next);
        }
        if (l->chain.add)
            l->root = m->layers[l->chain.add->other].root;
        for (const vg_layer *end = l->chain.end; end != l; end = &m->layers[end->source])
            m->layers[end->index].root = l->root;
    }
}

/* ---- maps */

static bool reads_by_prepare(const vg_layer *l)
{
    return l->ops->prepare && !l->by_shard;
}

static vg_life life_of(const vg_model *m, int root)
{
    const vg_program *p = &m->inference;
    vg_life a = {0};
    for (int i = root; i < m->count; i++) {
        const vg_layer *l = &m->layers[i];
        if (l->absorbed)
            continue;
        bool member = l->root == root;
        bool reader = (l->source >= 0 && m->layers[l->source].root == root) ||
                      (l->other >= 0 && m->layers[l->other].root == root);
        if (!member && reader && reads_by_prepare(l))
            vg_life_use(&a, p->turns[i].extra_segment, p->turns[i].extra_time);
        else if (member || reader)
            vg_life_use_turn(&a, p, i, 0);
    }
    if (m->layers[m->count - 1].root == root) { /* the caller's */
        a.death = 2 * p->stage_count + 2;
        a.scattered = true;
    }
    return a;
}

static bool want_layer(vg_model *m, int i)
{
    vg_layer *l = &m->layers[i];
    const vg_turn *turn = &m->inference.turns[i];
    m->ready_bytes +=
        (l->ready_size * sizeof(float) + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT;
    vg_life input = {.birth = turn->extra_time, .death = turn->time};
    size_t blocked = vg_rows_blocked((int)vg_shape_size(l->in), (size_t)m->options.max_batch);
    if (l->spec.kind == VG_LAYER_DENSE && !l->by_shard &&
        !vg_layout_want(&m->inference_layout, &l->blocked, blocked, input))
        return false;
    if (l->absorbed || l->root != i)
        return true;
    size_t size = vg_shape_size(l->chain.end ? l->chain.end->out : l->out);
    return vg_program_want_map(m, &m->inference_layout, &m->inference, life_of(m, i), size,
                               &l->infer_y, &l->infer_part);
}

bool vg_inference_lay_out(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (!want_layer(m, i))
            return false;
    return vg_layout_place(&m->inference_layout);
}

void vg_inference_grant(vg_model *m)
{
    float *at = m->ready;
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        l->ready = l->ready_size ? at : NULL;
        at += (l->ready_size * sizeof(float) + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT /
              sizeof(float);
    }
}

void vg_inference_point(vg_model *m, const float *x)
{
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        const vg_layer *from = l->source < 0 ? NULL : &m->layers[l->source];
        const vg_layer *other = l->other < 0 ? NULL : &m->layers[l->other];
        const vg_layer *root = &m->layers[l->root];
        l->x = from ? from->y : x;
        l->x_part = from ? from->y_part : 0;
        l->other_x = l->other == VG_LAYER_NOBODY ? NULL : other ? other->y : x;
        l->other_x_part = other ? other->y_part : 0;
        l->y = root->infer_y;
        l->y_part = root->infer_part;
    }
}
