/* When everything happens and where everything lies, fixed when the network is built.
 *
 * A pass is a row of stages with a barrier behind each: layers that work shard by shard, and then
 * perhaps sums over the whole batch or a layer that is cut into tiles. Inside a stage a shard goes
 * through runs of layers (segments) in parts of a few samples, so that what one layer writes is
 * still in the level-2 cache when the next one reads it. Small maps and large weights want many
 * samples, large maps few: that is where segments are cut.
 *
 * A map that is written and read within one segment only needs room for a part, per thread. All
 * others lie in one arena, where those whose lives do not overlap may share a place: gradients die
 * young. An evaluation keeps all outputs, as whoever looks at layers wants them; it has a plan of
 * its own over the same arena, and so has inference (inference.c), which keeps the last one alone. */
#include "nn/model_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* What a part of a segment may read and write: within any level-2 cache of today. */
enum { PART_BYTES = 192 * 1024, WEIGHT_USES = 4 };

/* ---- stages and segments */

static int most_samples(const vg_model *m)
{
    return (int)vg_shard_most(m->options.max_batch);
}

/* Is a layer's work done by a convolution before it? */
static bool rests(const vg_model *m, const vg_program *p, int layer)
{
    const vg_layer *l = &m->layers[layer];
    return p->pass == VG_PASS_INFERENCE ? l->absorbed
                                        : p->pass == VG_PASS_TRAINING && l->maker != NULL;
}

/* What a layer writes, with those whose work it does. */
static vg_shape output_of(const vg_model *m, const vg_program *p, int layer)
{
    const vg_layer *l = &m->layers[layer];
    if (p->pass == VG_PASS_INFERENCE && l->chain.end)
        return l->chain.end->out;
    return p->pass == VG_PASS_TRAINING && l->stores ? l->stores->out : l->out;
}

/* As many samples as fit the cache, or, with large weights, as many as are worth reading them. */
static int part_of(const vg_model *m, const vg_program *p, int layer)
{
    const vg_layer *l = &m->layers[layer];
    size_t bytes = vg_shape_size(l->in) + vg_shape_size(output_of(m, p, layer)), room = PART_BYTES;
    if (l->other != VG_LAYER_NOBODY)
        bytes += vg_shape_size(l->other_in);
    if (l->info.macs && l->info.parameters * sizeof(float) * WEIGHT_USES > room)
        room = l->info.parameters * sizeof(float) * WEIGHT_USES;
    size_t n = room / (bytes * sizeof(float)), most = (size_t)most_samples(m);
    return n < 1 ? 1 : n > most ? (int)most : (int)n;
}

static bool add_segment(vg_program *p, int from, int to, int part)
{
    if (!vg_grow(&p->segments, &p->segment_capacity, (size_t)p->segment_count + 1,
                 sizeof *p->segments))
        return false;
    p->segments[p->segment_count++] = (vg_segment){from, to, part};
    return true;
}

/* Cuts the run from .. to (in steps of `step`), which ends with the statistics of `extra`. */
static bool add_run(const vg_model *m, vg_program *p, vg_stage *stage, int from, int to, int step)
{
    int extra = stage->extra, part = 0;
    stage->first = p->segment_count;
    for (int i = from; i != to; i += step) {
        bool idle = part > 0 && rests(m, p, i), heavy = m->layers[i].info.macs > 0;
        int own = idle ? part : part_of(m, p, i);
        if (part == 0 || 2 * own <= part || (heavy && own >= 2 * part)) {
            if (!add_segment(p, i, i, own))
                return false;
            part = own;
        }
        vg_segment *s = &p->segments[p->segment_count - 1];
        s->to = i + step;
        s->part = part = own < part ? own : part;
        if (rests(m, p, i))
            continue;
        p->turns[i].segment = p->segment_count - 1;
        p->turns[i].time = 2 * p->stage_count;
    }
    if (part > 0 && extra >= 0 && part_of(m, p, extra) < part)
        p->segments[p->segment_count - 1].part = part_of(m, p, extra);
    bool needed = extra >= 0 || stage->finish >= 0 || stage->edge;
    if (part == 0 && needed &&
        !add_segment(p, from, to, extra >= 0 ? part_of(m, p, extra) : most_samples(m)))
        return false;
    stage->count = p->segment_count - stage->first;
    if (extra >= 0) {
        p->turns[extra].extra_segment = p->segment_count - 1;
        p->turns[extra].extra_time = 2 * p->stage_count;
    }
    if (stage->finish >= 0) {
        p->turns[stage->finish].extra_segment = stage->first;
        p->turns[stage->finish].extra_time = 2 * p->stage_count;
    }
    return true;
}

static bool add_stage(const vg_model *m, vg_program *p, vg_stage stage, int from, int to, int step)
{
    if (!add_run(m, p, &stage, from, to, step) ||
        !vg_grow(&p->stages, &p->stage_capacity, (size_t)p->stage_count + 1, sizeof *p->stages))
        return false;
    if (stage.tiles >= 0)
        p->turns[stage.tiles].time = 2 * p->stage_count + 1;
    p->stages[p->stage_count++] = stage;
    return true;
}

/* Does a layer work shard by shard, and without statistics of the whole batch? */
static bool by_shard(const vg_program *p, const vg_layer *l)
{
    if (p->pass == VG_PASS_INFERENCE && l->by_shard)
        return true;
    return l->ops->forward && !(p->pass == VG_PASS_TRAINING && l->ops->forward_statistics);
}

static bool forward_program(vg_model *m, vg_program *p)
{
    bool ready = false; /* statistics of layer i are there */
    for (int i = 0; i < m->count;) {
        int end = ready ? i + 1 : i;
        while (end < m->count && by_shard(p, &m->layers[end]))
            end++;
        const vg_layer_ops *next = end < m->count ? m->layers[end].ops : NULL;
        vg_stage stage = {.extra = -1, .finish = -1, .combine = -1, .tiles = -1};
        ready = next && next->forward;
        if (next && (ready || next->prepare))
            stage.extra = end;
        if (ready)
            stage.combine = end;
        else if (next)
            stage.tiles = end;
        stage.edge = i == 0 && m->own_x_wanted;
        if (!add_stage(m, p, stage, i, end, 1))
            return false;
        i = next && !ready ? end + 1 : end;
    }
    return true;
}

static bool backward_program(vg_model *m, vg_program *p)
{
    bool ready = false;
    int tiled = -1;
    for (int i = m->count - 1; i >= 0 || tiled >= 0;) {
        int end = ready ? i - 1 : i; /* the last layer done is end + 1 */
        while (end >= 0 && m->layers[end].ops->backward && !m->layers[end].ops->backward_statistics)
            end--;
        const vg_layer_ops *next = end >= 0 ? m->layers[end].ops : NULL;
        vg_stage stage = {.extra = -1, .finish = tiled, .combine = -1, .tiles = -1};
        ready = next && next->backward;
        if (ready)
            stage.extra = stage.combine = end;
        else if (next)
            stage.tiles = end;
        stage.edge = end < 0;
        if (!add_stage(m, p, stage, i, end, -1))
            return false;
        tiled = stage.tiles;
        i = tiled >= 0 ? end - 1 : end;
    }
    return true;
}

static bool begin_program(const vg_model *m, vg_program *p, vg_pass_kind pass)
{
    p->pass = pass;
    p->turns = vg_calloc((size_t)m->count, sizeof *p->turns);
    for (int i = 0; p->turns && i < m->count; i++)
        p->turns[i] = (vg_turn){.segment = -1, .time = -1, .extra_segment = -1, .extra_time = -1};
    return p->turns != NULL;
}

bool vg_program_build(vg_model *m)
{
    return begin_program(m, &m->training, VG_PASS_TRAINING) && forward_program(m, &m->training) &&
           begin_program(m, &m->evaluation, VG_PASS_EVALUATION) &&
           forward_program(m, &m->evaluation) &&
           begin_program(m, &m->inference, VG_PASS_INFERENCE) &&
           forward_program(m, &m->inference) && begin_program(m, &m->backward, VG_PASS_BACKWARD) &&
           backward_program(m, &m->backward);
}

void vg_program_free(vg_program *p)
{
    free(p->stages);
    free(p->segments);
    free(p->turns);
}

/* ---- lives of the buffers */

static int root_of(const vg_model *m, int layer)
{
    while (layer >= 0 && m->layers[layer].in_place)
        layer = m->layers[layer].source;
    return layer;
}

static bool reads(const vg_model *m, int layer, int root)
{
    const vg_layer *l = &m->layers[layer];
    return root_of(m, l->source) == root ||
           (l->other != VG_LAYER_NOBODY && root_of(m, l->other) == root);
}

/* Does a layer touch its input only shard by shard (prepare, finish), though it is cut in tiles? */
static bool only_by_shard(const vg_layer *l)
{
    return l->ops->prepare && l->turns;
}

/* The backward pass begins when the forward pass is over. */
static int backward_begins(const vg_model *m)
{
    return 2 * m->training.stage_count + 2;
}

static vg_life life_of_output(const vg_model *m, int root)
{
    vg_life a = {0};
    if (m->layers[root].maker)
        vg_life_use_turn(&a, &m->training, m->layers[root].maker->index, 0);
    for (int i = root; i < m->count; i++) {
        const vg_layer *l = &m->layers[i];
        bool member = root_of(m, i) == root, reader = i > root && reads(m, i, root);
        if (!member && !reader)
            continue;
        if (!member && only_by_shard(l))
            vg_life_use(&a, m->training.turns[i].extra_segment, m->training.turns[i].extra_time);
        else
            vg_life_use_turn(&a, &m->training, i, 0);
        if ((member && l->reads_y) || (reader && l->reads_x)) {
            vg_life_use_turn(&a, &m->backward, i, backward_begins(m));
            a.scattered = true;
        }
    }
    if (root_of(m, m->count - 1) == root) { /* the caller's */
        a.death = 2 * backward_begins(m) + 2 * m->backward.stage_count;
        a.scattered = true;
    }
    return a;
}

static vg_life life_of_gradient(const vg_model *m, int root)
{
    vg_life a = {0};
    int begin = backward_begins(m);
    if (m->layers[root].folder) /* it reads it in place of this one */
        vg_life_use_turn(&a, &m->backward, m->layers[root].folder->index, begin);
    for (int i = root; i < m->count; i++) {
        const vg_layer *l = &m->layers[i];
        bool member = root_of(m, i) == root;
        if (!member && i > root && reads(m, i, root) && only_by_shard(l))
            vg_life_use(&a, m->backward.turns[i].extra_segment,
                        m->backward.turns[i].extra_time + begin);
        else if (member || reads(m, i, root))
            vg_life_use_turn(&a, &m->backward, i, begin);
    }
    return a;
}

/* ---- places in the arena */

/* A whole batch of samples of `size` values, or, within one segment, a part for each slot. */
bool vg_program_want_map(const vg_model *m, vg_layout *layout, const vg_program *p, vg_life when,
                         size_t size, float **where, int *part)
{
    *part = when.scattered || when.segment < 0 ? 0 : p->segments[when.segment].part;
    size_t samples = *part ? (size_t)*part * VG_MODEL_SHARDS : (size_t)m->options.max_batch, count;
    if (*part && samples >= (size_t)m->options.max_batch) {
        samples = (size_t)m->options.max_batch;
        *part = 0;
    }
    return vg_mul_size(samples, size, &count) && vg_layout_want(layout, where, count, when);
}

static bool want_buffers(vg_model *m, int i)
{
    vg_layer *l = &m->layers[i];
    int begin = backward_begins(m);
    const vg_turn *back = &m->backward.turns[i];
    /* gradients of the shards are added up in the stage after */
    vg_life a = {.birth = back->time + begin, .death = back->time + 2 + begin};
    size_t count;
    if (l->packed_gradient_size &&
        (!vg_mul_size(l->packed_gradient_size, VG_MODEL_SHARDS, &count) ||
         !vg_layout_want(&m->layout, &l->packed_gradient, count, a)))
        return false;
    for (int k = 0; k < l->param_count; k++)
        if (l->tree[k] && (!vg_mul_size(l->params[k].count, VG_MODEL_SHARDS, &count) ||
                           !vg_layout_want(&m->layout, &l->partial[k], count, a)))
            return false;
    if (l->in_place)
        return true;
    if (vg_graph_adds(m, i, false)) {
        vg_life apart = {0};
        vg_life_use_turn(&apart, &m->backward, i, begin);
        if (!vg_program_want_map(m, &m->layout, &m->backward, apart, vg_shape_size(l->in),
                                 &l->own_dx, &l->own_dx_part))
            return false;
    }
    size_t size = vg_shape_size(l->out);
    if (!l->stores) {
        vg_life output = life_of_output(m, i);
        if (!vg_program_want_map(m, &m->layout, &m->training, output, size, &l->train_y,
                                 &l->train_part))
            return false;
        l->kept = output.death >= begin;
    }
    l->evaluation_at = m->evaluation_bytes;
    m->evaluation_bytes +=
        (size * (size_t)m->options.max_batch * sizeof(float) + VG_ALIGNMENT - 1) / VG_ALIGNMENT *
        VG_ALIGNMENT;
    /* the gradient of the logits is the caller's; a pool's convolution makes its own, row by row */
    return i + 1 == m->count || l->pool ||
           vg_program_want_map(m, &m->layout, &m->backward, life_of_gradient(m, i), size,
                               &l->own_dy, &l->own_dy_part);
}

/* One scratch for all layers, before the maps of all passes: it stays in the cache from one layer to the
 * next. */
static bool share_scratch(vg_model *m)
{
    size_t most = 0;
    for (int i = 0; i < m->count; i++)
        most = m->layers[i].scratch_size > most ? m->layers[i].scratch_size : most;
    if (most > SIZE_MAX / 4 / VG_MODEL_SHARDS / sizeof(float))
        return false;
    most = (most + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT;
    for (int i = 0; i < m->count; i++)
        m->layers[i].scratch_size = most;
    m->scratch_bytes = VG_MODEL_SHARDS * most * sizeof(float);
    return true;
}

bool vg_program_lay_out(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (!want_buffers(m, i))
            return false;
    if (!share_scratch(m) || !vg_layout_place(&m->layout) || !vg_inference_lay_out(m))
        return false;
    if (m->layout.bytes < m->evaluation_bytes)
        m->layout.bytes = m->evaluation_bytes;
    if (m->layout.bytes < m->inference_layout.bytes)
        m->layout.bytes = m->inference_layout.bytes;
    m->layout.bytes += m->scratch_bytes;
    return true;
}

void vg_program_grant(vg_model *m, char *arena)
{
    float *scratch = (float *)(void *)arena;
    arena += m->scratch_bytes;
    vg_layout_grant(&m->layout, arena);
    vg_layout_grant(&m->inference_layout, arena);
    for (int i = 0; i < m->count; i++)
        m->layers[i].scratch = scratch;
    for (int i = 0; i < m->count; i++)
        m->layers[i].evaluation_y = (float *)(void *)(arena + m->layers[i].evaluation_at);
}
