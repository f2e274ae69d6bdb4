/* Muon's second half: the direction of a matrix is replaced by the nearest orthogonal one, and the
 * weight follows it.
 *
 * Newton-Schulz iteration X <- a X + (b A + c A A) X with A = X X' and Jordan's coefficients, which do
 * not converge to singular values of 1 but bring all above about 0.003 between 0.7 and 1.2 in five
 * steps. Everything in float32: the published code's bfloat16 is a matter of its GPU.
 * A matrix with more rows than columns is worked on transposed. Large matrices are cut into bands of
 * rows, small ones go to a thread each; neither cut depends on the number of threads. */
#include "optim/optimizer_internal.h"

#include "base/alloc.h"
#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BAND = 64, SMALL = 1 << 16 /* values */ };
static const float A = 3.4445F, B = -4.7750F, C = 2.0315F;

typedef struct matrix {
    int param;
    size_t rows, columns; /* of the weight */
    size_t m, n;          /* of the iterate, m <= n */
} matrix;

/* Room for one matrix: two iterates [m][n], two squares [m][m]. */
typedef struct room {
    float *x, *next, *gram, *square;
} room;

struct vg_muon {
    matrix *matrices; /* the small ones first */
    int count, small;
    float *memory; /* the rooms of the small ones, then one for all large ones */
    room *rooms;   /* [count]; the large ones' are the same */
};

static size_t padded(size_t values)
{
    return (values + 15) / 16 * 16;
}

static size_t room_size(const matrix *a)
{
    return 2 * padded(a->m * a->n) + 2 * padded(a->m * a->m);
}

static room room_at(float *memory, const matrix *a) /* NOLINT(readability-non-const-parameter) */
{
    room r = {.x = memory};
    r.next = r.x + padded(a->m * a->n);
    r.gram = r.next + padded(a->m * a->n);
    r.square = r.gram + padded(a->m * a->m);
    return r;
}

static bool lay_out(vg_muon *u)
{
    size_t small = 0, large = 0;
    for (int i = 0; i < u->count; i++) {
        size_t size = room_size(&u->matrices[i]);
        if (i < u->small)
            small += size;
        else if (size > large)
            large = size;
    }
    u->memory = vg_alloc_aligned(small + large, sizeof(float));
    u->rooms = vg_calloc((size_t)u->count, sizeof *u->rooms);
    if (!u->memory || !u->rooms)
        return false;
    size_t at = 0;
    for (int i = 0; i < u->count; i++) {
        u->rooms[i] = room_at(u->memory + (i < u->small ? at : small), &u->matrices[i]);
        at += i < u->small ? room_size(&u->matrices[i]) : 0;
    }
    return true;
}

vg_muon *vg_muon_new(const vg_optimizer *o)
{
    vg_muon *u = vg_calloc(1, sizeof *u);
    matrix *matrices = vg_calloc((size_t)o->param_count, sizeof *matrices);
    if (!u || !matrices) {
        free(matrices);
        free(u);
        return NULL;
    }
    u->matrices = matrices;
    for (int large = 0; large < 2; large++) {
        for (int i = 0; i < o->param_count; i++) {
            const vg_param *p = &o->params[i];
            if (o->slots[i].kind != VG_OPTIMIZER_MUON || (p->count > SMALL) != large)
                continue;
            size_t rows = (size_t)p->shape[0], columns = p->count / rows;
            u->matrices[u->count++] = (matrix){.param = i,
                                               .rows = rows,
                                               .columns = columns,
                                               .m = rows < columns ? rows : columns,
                                               .n = rows < columns ? columns : rows};
        }
        if (!large)
            u->small = u->count;
    }
    if (lay_out(u))
        return u;
    vg_muon_free(u);
    return NULL;
}

void vg_muon_free(vg_muon *muon)
{
    if (!muon)
        return;
    free(muon->matrices);
    free(muon->memory);
    free(muon->rooms);
    free(muon);
}

static long bands_of(size_t rows)
{
    return (long)((rows + BAND - 1) / BAND);
}

/* c [m][n] = beta c + a [m][k] b, band after band; b is [k][n], or [n][k] when transposed. */
static void product(const float *a, const float *b, bool transposed, float *c, size_t m, size_t n,
                    size_t k, float beta)
{
    long bands = bands_of(m);
#pragma omp parallel for schedule(static) if (bands > 1)
    for (long i = 0; i < bands; i++) {
        size_t from = (size_t)i * BAND, rows = m - from < BAND ? m - from : BAND;
        vg_gemm(false, transposed, (int)rows, (int)n, (int)k, a + from * k, k, b,
                transposed ? k : n, beta, c + from * n, n);
    }
}

/* x <- the direction, of norm 1. */
static void load(const matrix *a, const float *direction, float *x)
{
    double squares = vg_sum_squares(direction, a->rows * a->columns);
    float scale = (float)(1 / (sqrt(squares) + 1e-7));
    if (a->rows <= a->columns) {
        for (size_t i = 0; i < a->rows * a->columns; i++)
            x[i] = scale * direction[i];
        return;
    }
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->columns; c++)
            x[c * a->rows + r] = scale * direction[r * a->columns + c];
}

static void iterate(const matrix *a, room *r, int steps)
{
    size_t m = a->m, n = a->n;
    for (int step = 0; step < steps; step++) {
        product(r->x, r->x, true, r->gram, m, m, n, 0);
        product(r->gram, r->gram, false, r->square, m, m, m, 0);
        for (size_t i = 0; i < m * m; i++)
            r->square[i] = B * r->gram[i] + C * r->square[i];
        memcpy(r->next, r->x, m * n * sizeof(float));
        product(r->square, r->x, false, r->next, m, n, m, A);
        float *old = r->x;
        r->x = r->next;
        r->next = old;
    }
}

/* The weight's own factor before the step, and how long the step is. */
static void lengths(const vg_optimizer *o, const matrix *a, const float *w, double rate,
                    double decay, float *shrink, float *step)
{
    double rows = (double)a->rows, columns = (double)a->columns, factor = 1, own = 1;
    switch (o->options.muon_scale) {
    case VG_MUON_RMS:
        factor = 0.2 * sqrt(fmax(rows, columns));
        break;
    case VG_MUON_SPHERE:
        own = sqrt(rows) / fmax(sqrt(vg_sum_squares(w, a->rows * a->columns)), 1e-30);
        break;
    default:
        factor = sqrt(fmax(1, rows / columns));
    }
    *shrink = (float)(own * (1 - rate * decay));
    *step = (float)(rate * factor);
}

static void move(const vg_optimizer *o, const matrix *a, room *r, double learning_rate)
{
    const vg_slot *slot = &o->slots[a->param];
    const vg_param *p = &o->params[a->param];
    double rate = learning_rate * p->rate * slot->rate;
    float shrink, step, *w = p->value;
    if (!(p->rate > 0))
        return;
    load(a, slot->direction, r->x);
    iterate(a, r, o->options.muon_steps);
    lengths(o, a, w, rate, slot->decay * o->options.weight_decay, &shrink, &step);
    if (a->rows <= a->columns) {
        for (size_t i = 0; i < a->rows * a->columns; i++)
            w[i] = shrink * w[i] - step * r->x[i];
        return;
    }
    for (size_t i = 0; i < a->rows; i++)
        for (size_t c = 0; c < a->columns; c++)
            w[i * a->columns + c] = shrink * w[i * a->columns + c] - step * r->x[c * a->rows + i];
}

void vg_muon_step(vg_muon *muon, vg_optimizer *optimizer, double learning_rate)
{
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < muon->small; i++) /* the bands inside run on this thread alone */
        move(optimizer, &muon->matrices[i], &muon->rooms[i], learning_rate);
    for (int i = muon->small; i < muon->count; i++)
        move(optimizer, &muon->matrices[i], &muon->rooms[i], learning_rate);
}
