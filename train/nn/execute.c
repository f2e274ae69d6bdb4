/* Forward and backward: one parallel region per pass, in which the stages of a program (program.c)
 * follow each other. A barrier stands only where a layer looks at the whole batch (batch norm's
 * statistics) or is cut into tiles (dense). All cuts are fixed, so the number of threads decides who
 * does a piece, never what the piece is.
 *
 * Denormal numbers are flushed to zero in every thread of the team while it works, and the caller's
 * floating-point mode is put back: they are as good as zero for a gradient and 100 times slower. */
#include "nn/model_internal.h"

#include "nn/kernels/kernels.h"

#include <omp.h>
#include <string.h>
#include <time.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

static inline unsigned flush_denormals(void)
{
#if defined(__SSE2__)
    unsigned old = _mm_getcsr();
    _mm_setcsr(old | 0x8040u); /* FTZ, DAZ */
    return old;
#else
    return 0;
#endif
}

static inline void restore_mode(unsigned mode)
{
#if defined(__SSE2__)
    _mm_setcsr(mode);
#else
    (void)mode;
#endif
}

static int team_size(void)
{
    int threads = omp_get_max_threads();
    return threads < VG_MODEL_SHARDS ? threads : VG_MODEL_SHARDS;
}

/* The input of a shard, C H W, as H W C. */
static void enter(const vg_model *m, vg_shard shard)
{
    size_t c = (size_t)m->options.channels;
    size_t map = (size_t)m->options.height * (size_t)m->options.width, at = (size_t)shard.first;
    for (int i = 0; m->own_x && i < shard.count; i++, at++)
        vg_transpose(m->x + at * c * map, c, map, m->own_x + at * c * map);
}

/* And its gradient back. */
static void leave(const vg_model *m, vg_shard shard)
{
    size_t c = (size_t)m->options.channels;
    size_t map = (size_t)m->options.height * (size_t)m->options.width, at = (size_t)shard.first;
    for (int i = 0; m->own_dx && m->dx && i < shard.count; i++, at++)
        vg_transpose(m->own_dx + at * c * map, map, c, m->dx + at * c * map);
}

/* Clocks: each thread has its own, so that none waits for another; no system call when they stand. */
static double clock_now(const vg_model *m)
{
    struct timespec t = {0};
    if (m->clocked)
        clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Adds what passed since *at to a layer's clock of the calling thread. */
static void lap(vg_model *m, int layer, bool backward, double *at)
{
    if (!m->clocked)
        return;
    double now = clock_now(m);
    vg_layer_clock *c = &m->clocks[(size_t)omp_get_thread_num() * (size_t)m->count + (size_t)layer];
    *(backward ? &c->backward : &c->forward) += now - *at;
    *at = now;
}

void vg_model_clock(vg_model *model, bool on)
{
    if (on)
        memset(model->clocks, 0, VG_MODEL_SHARDS * (size_t)model->count * sizeof *model->clocks);
    model->clocked = on;
}

vg_layer_clock vg_model_clock_of(const vg_model *model, int layer)
{
    vg_layer_clock sum = {0};
    for (int t = 0; t < VG_MODEL_SHARDS; t++) {
        vg_layer_clock c = model->clocks[(size_t)t * (size_t)model->count + (size_t)layer];
        sum.forward += c.forward;
        sum.backward += c.backward;
    }
    return sum;
}

/* Adds what a reader of a shared output gives back to what later readers have. */
static void add_to_sum(const vg_layer *l, vg_shard shard)
{
    size_t size = vg_shape_size(l->in);
    if (l->sum)
        vg_add(l->sum + vg_layer_first(l->sum_part, shard) * size, vg_layer_dx(l, shard),
               (size_t)shard.count * size);
}

/* A part of a shard through a segment, forward. `first`, `last`: of the stage's segments. */
static void forward_part(vg_model *m, const vg_stage *stage, const vg_segment *segment, bool first,
                         bool last, vg_shard part)
{
    double at = clock_now(m);
    if (first && stage->edge)
        enter(m, part);
    for (int i = segment->from; i < segment->to; i++) {
        vg_layer *l = &m->layers[i];
        if (m->pass.inference && l->absorbed)
            continue;
        (m->pass.inference && l->by_shard ? l->ops->infer : l->ops->forward)(l, &m->pass, part);
        lap(m, i, false, &at);
    }
    if (!last || stage->extra < 0)
        return;
    vg_layer *l = &m->layers[stage->extra];
    (l->ops->forward ? l->ops->forward_statistics : l->ops->prepare)(l, &m->pass, part);
    lap(m, stage->extra, false, &at);
}

static void backward_part(vg_model *m, const vg_stage *stage, const vg_segment *segment, bool first,
                          bool last, vg_shard part)
{
    double at = clock_now(m);
    if (first && stage->finish >= 0 && m->layers[stage->finish].wanted) {
        vg_layer *l = &m->layers[stage->finish];
        if (l->ops->finish)
            l->ops->finish(l, &m->pass, part);
        add_to_sum(l, part);
        lap(m, stage->finish, true, &at);
    }
    for (int i = segment->from; i > segment->to; i--) {
        if (!m->layers[i].wanted)
            continue;
        m->layers[i].ops->backward(&m->layers[i], &m->pass, part);
        add_to_sum(&m->layers[i], part);
        lap(m, i, true, &at);
    }
    if (last && stage->extra >= 0 && m->layers[stage->extra].wanted) {
        vg_layer *l = &m->layers[stage->extra];
        l->ops->backward_statistics(l, &m->pass, part);
        lap(m, stage->extra, true, &at);
    }
    if (last && stage->edge)
        leave(m, part);
}

/* All tiles of a layer, by the team. */
static void run_tiles(vg_model *m, int layer, bool backward, int tiles)
{
    vg_layer *l = &m->layers[layer];
#pragma omp for schedule(static)
    for (int t = 0; t < tiles; t++) {
        double at = clock_now(m);
        (backward ? l->ops->backward_tile : l->ops->forward_tile)(l, &m->pass, t);
        lap(m, layer, backward, &at);
    }
}

/* The segments of a stage, for all shards. */
static void run_segments(vg_model *m, const vg_program *program, const vg_stage *stage,
                         bool backward)
{
    int slot = omp_get_thread_num();
    if (stage->count == 0)
        return;
#pragma omp for schedule(static)
    for (int s = 0; s < VG_MODEL_SHARDS; s++) {
        vg_shard shard = vg_shard_make(m->pass.n, s, slot);
        for (int k = 0; k < stage->count; k++) {
            const vg_segment *segment = &program->segments[stage->first + k];
            for (int done = 0; done == 0 || done < shard.count; done += segment->part) {
                int left = shard.count - done;
                vg_shard part = {s, shard.first + done, left < segment->part ? left : segment->part,
                                 slot, done == 0};
                (backward ? backward_part : forward_part)(m, stage, segment, k == 0,
                                                          k == stage->count - 1, part);
            }
        }
    }
}

/* Weights in the order that the layers want, by all threads. */
static void pack(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].ops->pack && !(m->pass.inference && m->layers[i].ops->ready)) {
#pragma omp for schedule(static) nowait
            for (int part = 0; part < VG_MODEL_SHARDS; part++) {
                double at = clock_now(m);
                m->layers[i].ops->pack(&m->layers[i], &m->pass, part);
                lap(m, i, false, &at);
            }
        }
#pragma omp barrier
}

/* Run by every thread of the team, with the same control flow in each. */
static void forward_team(vg_model *m)
{
    pack(m);
    const vg_program *program = m->pass.inference  ? &m->inference
                                : m->pass.training ? &m->training
                                                   : &m->evaluation;
    for (int i = 0; i < program->stage_count; i++) {
        const vg_stage *stage = &program->stages[i];
        run_segments(m, program, stage, false);
        if (stage->combine >= 0) {
#pragma omp single
            m->layers[stage->combine].ops->forward_combine(&m->layers[stage->combine], &m->pass);
        } else if (stage->tiles >= 0) {
            const vg_layer *l = &m->layers[stage->tiles];
            run_tiles(m, stage->tiles, false, l->ops->forward_tiles(l, &m->pass));
        }
    }
}

static const float *run_forward(vg_model *model)
{
#pragma omp parallel num_threads(team_size())
    {
        unsigned mode = flush_denormals();
        forward_team(model);
        restore_mode(mode);
    }
    return model->layers[model->count - 1].y;
}

const float *vg_model_forward(vg_model *model, const float *x, int n, bool training, uint64_t step)
{
    model->pass = (vg_pass){n, training, model->options.seed, step, false};
    model->x = x;
    model->is_ready = model->is_ready && !training; /* running statistics move */
    vg_graph_point_forward(model, model->own_x ? model->own_x : x);
    return run_forward(model);
}

void vg_model_prepare(vg_model *model)
{
#pragma omp parallel for num_threads(team_size()) schedule(dynamic)
    for (int i = 0; i < model->count; i++)
        if (model->layers[i].ready && !model->layers[i].absorbed)
            model->layers[i].ops->ready(&model->layers[i]);
    model->is_ready = true;
}

const float *vg_model_infer(vg_model *model, const float *x, int n)
{
    if (!model->is_ready)
        vg_model_prepare(model);
    model->pass = (vg_pass){n, false, model->options.seed, 0, true};
    model->x = x;
    vg_inference_point(model, model->own_x ? model->own_x : x);
    return run_forward(model);
}

/* Adds the shards' gradients of a layer: every parameter cut into equal parts, so that all threads
 * work. */
static void add_partials(vg_model *m, int layer)
{
    vg_layer *l = &m->layers[layer];
    for (int k = 0; k < l->param_count; k++) {
        const float *partial = l->partial[k];
        if (!partial || l->frozen[k])
            continue;
        size_t count = l->params[k].count;
        float *grad = l->params[k].grad;
#pragma omp for schedule(static) nowait
        for (int part = 0; part < VG_MODEL_SHARDS; part++) {
            double at = clock_now(m);
            size_t begin = count * (size_t)part / VG_MODEL_SHARDS;
            size_t end = count * ((size_t)part + 1) / VG_MODEL_SHARDS;
            vg_add_tree(partial + begin, count, end - begin, grad + begin);
            lap(m, layer, true, &at);
        }
    }
    if (l->ops->unpack && !l->frozen[0]) {
#pragma omp for schedule(static) nowait
        for (int part = 0; part < VG_MODEL_SHARDS; part++) {
            double at = clock_now(m);
            l->ops->unpack(l, &m->pass, part);
            lap(m, layer, true, &at);
        }
    }
}

/* Of all layers that ran in a stage. */
static void collect(vg_model *m, const vg_stage *stage)
{
    if (stage->count == 0)
        return;
    const vg_segment *segments = m->backward.segments + stage->first;
    for (int i = segments[0].from; i > segments[stage->count - 1].to; i--)
        if (m->layers[i].wanted)
            add_partials(m, i);
}

static void backward_team(vg_model *m)
{
    const vg_program *program = &m->backward;
    for (int i = 0; i < program->stage_count; i++) {
        const vg_stage *stage = &program->stages[i];
        if (i > 0)
            collect(m, &stage[-1]);
        run_segments(m, program, stage, true);
        if (stage->combine >= 0 && m->layers[stage->combine].wanted) {
#pragma omp single
            m->layers[stage->combine].ops->backward_combine(&m->layers[stage->combine], &m->pass);
        } else if (stage->tiles >= 0 && m->layers[stage->tiles].wanted) {
            const vg_layer *l = &m->layers[stage->tiles];
            run_tiles(m, stage->tiles, true, l->ops->backward_tiles(l));
        }
    }
    collect(m, &program->stages[program->stage_count - 1]);
}

void vg_model_backward(vg_model *model, const float *dlogits, float *dx)
{
    model->dx = dx;
    model->is_ready = false; /* who asks for gradients is about to change weights */
    vg_graph_point_backward(model, dlogits, dx && model->own_dx ? model->own_dx : dx);
#pragma omp parallel num_threads(team_size())
    {
        unsigned mode = flush_denormals();
        backward_team(model);
        restore_mode(mode);
    }
}
