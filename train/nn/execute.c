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

/* Layers [from, to) for all shards, then the statistics of layer `to` if asked. */
static void forward_run(vg_model *m, int from, int to, bool statistics)
{
    int slot = omp_get_thread_num();
#pragma omp for schedule(static)
    for (int s = 0; s < VG_MODEL_SHARDS; s++) {
        vg_shard shard = vg_shard_make(m->pass.n, s, slot);
        for (int i = from; i < to; i++)
            m->layers[i].ops->forward(&m->layers[i], &m->pass, shard);
        if (statistics)
            m->layers[to].ops->forward_statistics(&m->layers[to], &m->pass, shard);
    }
}

/* Run by every thread of the team, with the same control flow in each. */
static void forward_team(vg_model *m)
{
    bool ready = false; /* statistics of layer i are there */
    for (int i = 0; i < m->count;) {
        vg_layer *l = &m->layers[i];
        if (l->ops->forward_tile) {
            int tiles = l->ops->forward_tiles(l);
#pragma omp for schedule(static)
            for (int t = 0; t < tiles; t++)
                l->ops->forward_tile(l, &m->pass, t);
            i++;
            continue;
        }
        int end = ready ? i + 1 : i;
        while (end < m->count && m->layers[end].ops->forward &&
               !(m->pass.training && m->layers[end].ops->forward_statistics))
            end++;
        bool statistics = end < m->count && m->layers[end].ops->forward != NULL;
        forward_run(m, i, end, statistics);
        if (statistics) {
#pragma omp single
            m->layers[end].ops->forward_combine(&m->layers[end], &m->pass);
        }
        ready = statistics;
        i = end;
    }
}

const float *vg_model_forward(vg_model *model, const float *x, int n, bool training, uint64_t step)
{
    model->pass = (vg_pass){n, training, model->options.seed, step};
    model->x = x;
    vg_graph_point_forward(model, x);
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

/* Layers from..to downwards for all shards, then the statistics of layer to - 1 if asked. */
static void backward_run(vg_model *m, int from, int to, bool statistics)
{
    int slot = omp_get_thread_num();
#pragma omp for schedule(static)
    for (int s = 0; s < VG_MODEL_SHARDS; s++) {
        vg_shard shard = vg_shard_make(m->pass.n, s, slot);
        for (int i = from; i >= to; i--) {
            /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): only layers with tiles have none */
            m->layers[i].ops->backward(&m->layers[i], &m->pass, shard);
            add_to_sum(&m->layers[i], shard);
        }
        if (statistics)
            m->layers[to - 1].ops->backward_statistics(&m->layers[to - 1], &m->pass, shard);
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
                size_t from = count * (size_t)part / VG_MODEL_SHARDS;
                size_t to = count * ((size_t)part + 1) / VG_MODEL_SHARDS;
                vg_add_tree(partial + from, count, to - from, grad + from);
            }
        }
}

static void backward_team(vg_model *m)
{
    bool ready = false;
    for (int i = m->count - 1; i >= 0;) {
        vg_layer *l = &m->layers[i];
        if (l->ops->backward_tile) {
            int tiles = l->ops->backward_tiles(l);
#pragma omp for schedule(static)
            for (int t = 0; t < tiles; t++)
                l->ops->backward_tile(l, &m->pass, t);
            if (l->sum) {
#pragma omp for schedule(static)
                for (int s = 0; s < VG_MODEL_SHARDS; s++)
                    add_to_sum(l, vg_shard_make(m->pass.n, s, 0));
            }
            i--;
            continue;
        }
        int end = ready ? i - 1 : i; /* the last layer done is end + 1 */
        while (end >= 0 && m->layers[end].ops->backward && !m->layers[end].ops->backward_statistics)
            end--;
        bool statistics = end >= 0 && m->layers[end].ops->backward != NULL;
        backward_run(m, i, end + 1, statistics);
        if (statistics) {
#pragma omp single
            m->layers[end].ops->backward_combine(&m->layers[end], &m->pass);
        }
        ready = statistics;
        i = end;
    }
    add_partials(m);
}

void vg_model_backward(vg_model *model, const float *dlogits, float *dx)
{
    vg_graph_point_backward(model, dlogits, dx);
#pragma omp parallel num_threads(team_size())
    {
        unsigned mode = flush_denormals();
        backward_team(model);
        restore_mode(mode);
    }
}
