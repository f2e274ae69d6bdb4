/* Forward and backward: one parallel region per pass, in which runs of shard-wise layers follow
 * each other without a barrier. A barrier stands only where a layer looks at the whole batch (batch
 * norm's statistics) or is cut into tiles (dense). All cuts are fixed, so the number of threads
 * decides who does a piece, never what the piece is.
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

typedef void (*shard_step)(vg_layer *layer, const vg_pass *pass, vg_shard shard);

/* Layers [from, to) for all shards, then what layer `to` wants of them. */
static void forward_run(vg_model *m, int from, int to, shard_step then)
{
    int slot = omp_get_thread_num();
    if (from == to && !then && (from > 0 || !m->own_x))
        return;
#pragma omp for schedule(static)
    for (int s = 0; s < VG_MODEL_SHARDS; s++) {
        vg_shard shard = vg_shard_make(m->pass.n, s, slot);
        double at = clock_now(m);
        if (from == 0)
            enter(m, shard);
        for (int i = from; i < to; i++) {
            m->layers[i].ops->forward(&m->layers[i], &m->pass, shard);
            lap(m, i, false, &at);
        }
        if (then) {
            then(&m->layers[to], &m->pass, shard);
            lap(m, to, false, &at);
        }
    }
}

/* Weights in the order that the layers want, by all threads. */
static void pack(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].ops->pack) {
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
    bool ready = false; /* statistics of layer i are there */
    for (int i = 0; i < m->count;) {
        int end = ready ? i + 1 : i;
        while (end < m->count && m->layers[end].ops->forward &&
               !(m->pass.training && m->layers[end].ops->forward_statistics))
            end++;
        vg_layer *l = end < m->count ? &m->layers[end] : NULL;
        ready = l && l->ops->forward;
        forward_run(m, i, end, ready ? l->ops->forward_statistics : l ? l->ops->prepare : NULL);
        if (ready) {
#pragma omp single
            l->ops->forward_combine(l, &m->pass);
        } else if (l) {
            int tiles = l->ops->forward_tiles(l);
#pragma omp for schedule(static)
            for (int t = 0; t < tiles; t++) {
                double at = clock_now(m);
                l->ops->forward_tile(l, &m->pass, t);
                lap(m, end, false, &at);
            }
            end++;
        }
        i = end;
    }
}

const float *vg_model_forward(vg_model *model, const float *x, int n, bool training, uint64_t step)
{
    model->pass = (vg_pass){n, training, model->options.seed, step};
    model->x = x;
    vg_graph_point_forward(model, model->own_x ? model->own_x : x);
#pragma omp parallel num_threads(team_size())
    {
        unsigned mode = flush_denormals();
        forward_team(model);
        restore_mode(mode);
    }
    return model->layers[model->count - 1].y;
}

/* Adds what a reader of a shared output gives back to what later readers have. */
static void add_to_sum(vg_layer *l, vg_shard shard)
{
    size_t size = vg_shape_size(l->in), at = (size_t)shard.first * size;
    if (l->sum)
        vg_add(l->sum + at, l->own_dx + at, (size_t)shard.count * size);
}

/* For all shards: the end of layer from + 1, which was cut into tiles (if `tiled`); layers from..to
 * downwards; what layer to - 1 wants of them. */
static void backward_run(vg_model *m, bool tiled, int from, int to, shard_step then)
{
    int slot = omp_get_thread_num();
    if (!tiled && from < to && !then)
        return;
#pragma omp for schedule(static)
    for (int s = 0; s < VG_MODEL_SHARDS; s++) {
        vg_shard shard = vg_shard_make(m->pass.n, s, slot);
        double at = clock_now(m);
        if (tiled) {
            vg_layer *l = &m->layers[from + 1];
            if (l->ops->finish)
                l->ops->finish(l, &m->pass, shard);
            add_to_sum(l, shard);
            lap(m, from + 1, true, &at);
        }
        for (int i = from; i >= to; i--) {
            /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): only layers with tiles have none */
            m->layers[i].ops->backward(&m->layers[i], &m->pass, shard);
            add_to_sum(&m->layers[i], shard);
            lap(m, i, true, &at);
        }
        if (then) {
            then(&m->layers[to - 1], &m->pass, shard);
            lap(m, to - 1, true, &at);
        }
        if (to == 0)
            leave(m, shard);
    }
}

/* Adds the shards' gradients: every parameter cut into equal parts, so that all threads work. */
static void add_partials(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        for (int k = 0; k < m->layers[i].param_count; k++) {
            const float *partial = m->layers[i].partial[k];
            if (!partial)
                continue;
            size_t count = m->layers[i].params[k].count;
            float *grad = m->layers[i].params[k].grad;
#pragma omp for schedule(static) nowait
            for (int part = 0; part < VG_MODEL_SHARDS; part++) {
                double at = clock_now(m);
                size_t from = count * (size_t)part / VG_MODEL_SHARDS;
                size_t to = count * ((size_t)part + 1) / VG_MODEL_SHARDS;
                vg_add_tree(partial + from, count, to - from, grad + from);
                lap(m, i, true, &at);
            }
        }
}

static void unpack(vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].ops->unpack) {
#pragma omp for schedule(static) nowait
            for (int part = 0; part < VG_MODEL_SHARDS; part++)
                m->layers[i].ops->unpack(&m->layers[i], &m->pass, part);
        }
}

static void backward_team(vg_model *m)
{
    bool ready = false, tiled = false;
    int i = m->count - 1;
    while (i >= 0 || tiled) {
        int end = ready ? i - 1 : i; /* the last layer done is end + 1 */
        while (end >= 0 && m->layers[end].ops->backward && !m->layers[end].ops->backward_statistics)
            end--;
        vg_layer *l = end >= 0 ? &m->layers[end] : NULL;
        ready = l && l->ops->backward;
        backward_run(m, tiled, i, end + 1, ready ? l->ops->backward_statistics : NULL);
        tiled = l && !ready;
        if (ready) {
#pragma omp single
            l->ops->backward_combine(l, &m->pass);
        } else if (tiled) {
            int tiles = l->ops->backward_tiles(l);
#pragma omp for schedule(static)
            for (int t = 0; t < tiles; t++) {
                double at = clock_now(m);
                l->ops->backward_tile(l, &m->pass, t);
                lap(m, end, true, &at);
            }
            end--;
        }
        i = end;
    }
    add_partials(m);
    unpack(m);
}

void vg_model_backward(vg_model *model, const float *dlogits, float *dx)
{
    model->dx = dx;
    vg_graph_point_backward(model, dlogits, dx && model->own_dx ? model->own_dx : dx);
#pragma omp parallel num_threads(team_size())
    {
        unsigned mode = flush_denormals();
        backward_team(model);
        restore_mode(mode);
    }
}
