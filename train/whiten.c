/* The covariance is added up block by block in double precision, its tiles on the threads of the
 * OpenMP team and each by one product of the library on a single thread: which thread does which tile
 * changes nothing. Values are taken about the middle grey while they stream, and the mean that is
 * known at the end (exactly, from integer sums) is taken out then, so that one pass is enough; in
 * doubles this costs two of sixteen digits. Refuses inputs whose covariance would not fit. */
#include "whiten.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "nn/kernels/blas.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { TILE = 128, ROWS = 64 /* of a batch at a time */ };
static const double MIDDLE = 0.5;

struct covariance {
    vg_pixel_sums sums;
    double *products; /* [size][size], tiles on and below the diagonal */
    double *centred;  /* [count of a block][size] */
    size_t size, capacity;
    int threads;
    bool failed;
};

static double *matrix_new(size_t n)
{
    size_t count;
    return vg_mul_size(n, n, &count) ? vg_alloc_aligned(count, sizeof(double)) : NULL;
}

static void add_block(void *context, const float *inputs, size_t count)
{
    struct covariance *c = context;
    size_t size = c->size, tiles = (size + TILE - 1) / TILE;
    c->failed = c->failed || !vg_grow(&c->centred, &c->capacity, count * size, sizeof *c->centred);
    if (c->failed)
        return;
#pragma omp parallel for schedule(static) num_threads(c->threads)
    for (size_t t = 0; t < tiles; t++) {
        size_t from = t * TILE, to = from + TILE < size ? from + TILE : size;
        vg_pixel_sums_add(&c->sums, inputs, count, from, to);
        for (size_t k = 0; k < count; k++)
            for (size_t i = from; i < to; i++)
                c->centred[k * size + i] = (double)inputs[k * size + i] / 255 - MIDDLE;
    }
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (size_t t = 0; t < tiles * tiles; t++) {
        size_t row = t / tiles * TILE, column = t % tiles * TILE;
        if (column > row)
            continue;
        size_t m = size - row < TILE ? size - row : TILE;
        size_t n = size - column < TILE ? size - column : TILE;
        vg_gemm_double(true, false, (int)m, (int)n, (int)count, c->centred + row, size,
                       c->centred + column, size, 1, c->products + row * size + column, size);
    }
    c->sums.images += count;
}

/* Products about the middle grey -> covariance about the mean, on and below the diagonal. */
static void finish(struct covariance *c)
{
    double n = (double)c->sums.images;
    for (size_t i = 0; i < c->size; i++) {
        double di = (double)c->sums.sum[i] / n / (256.0 * 255) - MIDDLE;
        for (size_t j = 0; j <= i; j++) {
            double dj = (double)c->sums.sum[j] / n / (256.0 * 255) - MIDDLE;
            c->products[i * c->size + j] = c->products[i * c->size + j] / n - di * dj;
        }
    }
}

/* U diag(1 / (s + epsilon)) U' from the eigenvectors in the rows of `u`; `spare` is overwritten. */
static void compose(vg_pixel_stats *stats, double *u, const double *values, double *spare,
                    int threads)
{
    size_t size = stats->size, tiles = (size + TILE - 1) / TILE;
    /* below this an eigenvalue is rounding: the number of sums times the largest one's last digit */
    double least = (double)size * DBL_EPSILON * fmax(values[size - 1], 0);
    stats->rank = 0;
    for (size_t k = 0; k < size; k++) {
        bool varies = values[k] > least;
        double gain = varies ? 1 / (sqrt(values[k]) + stats->epsilon) : 0;
        stats->rank += varies;
        for (size_t i = 0; i < size; i++)
            u[k * size + i] *= sqrt(gain);
    }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (size_t t = 0; t < tiles * tiles; t++) {
        size_t row = t / tiles * TILE, column = t % tiles * TILE;
        if (column > row)
            continue;
        size_t m = size - row < TILE ? size - row : TILE;
        size_t n = size - column < TILE ? size - column : TILE;
        vg_gemm_double(true, false, (int)m, (int)n, (int)size, u + row, size, u + column, size, 0,
                       spare + row * size + column, size);
    }
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            float v = (float)spare[i * size + j];
            stats->matrix[i * size + j] = v;
            stats->matrix[j * size + i] = v;
        }
}

static vg_status take_apart(struct covariance *c, vg_pixel_stats *stats, vg_error *err)
{
    size_t size = c->size;
    double *values = vg_alloc(size, sizeof *values), *spare = NULL;
    vg_status status = VG_OK;
    free(c->centred);
    c->centred = NULL;
    c->capacity = 0;
    if (!values)
        status = vg_fail(err, VG_E_NOMEM, "whitening: out of memory");
    if (!status)
        status = vg_symmetric_eigen((int)size, c->products, values, err);
    if (!status && !(spare = matrix_new(size)))
        status =
            vg_fail(err, VG_E_NOMEM, "whitening: out of memory for %zu x %zu values", size, size);
    if (!status)
        compose(stats, c->products, values, spare, c->threads);
    free(values);
    free(spare);
    return status;
}

static vg_status check(const vg_augment *a, double epsilon, vg_error *err)
{
    double size = (double)a->channels * a->height * a->width;
    if (size > VG_WHITEN_LARGEST)
        return vg_fail(
            err, VG_E_LIMIT,
            "ZCA whitening of inputs of %d x %d x %d: the covariance of %.0f values would "
            "need %.3g GB and a time that grows with its cube; at most %d values, e.g. "
            "input.size=%d, or "
            "normalize=pixel-zscore",
            a->height, a->width, a->channels, size, 28 * size * size / 1e9, VG_WHITEN_LARGEST,
            (int)sqrt(VG_WHITEN_LARGEST / (double)a->channels) / 8 * 8);
    if (!(epsilon >= 0) || !isfinite(epsilon))
        return vg_fail(err, VG_E_ARG, "ZCA whitening: epsilon %g must be at least 0", epsilon);
    return VG_OK;
}

vg_status vg_whiten_fit(const vg_dataset *dataset, const vg_augment *augment, double epsilon,
                        const vg_views_options *options, vg_pixel_stats **stats, vg_error *err)
{
    struct covariance c = {.threads =
                               options->threads < 1 ? vg_threads_available() : options->threads};
    *stats = NULL;
    vg_status status = check(augment, epsilon, err);
    if (!status)
        status = vg_pixel_stats_new(augment->channels, augment->height, augment->width, true, stats,
                                    err);
    if (status)
        return status;
    vg_blas_single();
    c.size = (*stats)->size;
    (*stats)->epsilon = epsilon;
    status = vg_pixel_sums_init(&c.sums, c.size, err);
    if (!status && !(c.products = matrix_new(c.size)))
        status = vg_fail(err, VG_E_NOMEM, "whitening: out of memory for %zu x %zu values", c.size,
                         c.size);
    if (!status)
        status = vg_views_each(dataset, augment, options, add_block, &c, err);
    if (!status && c.failed)
        status = vg_fail(err, VG_E_NOMEM, "whitening: out of memory for a block of images");
    if (!status) {
        vg_pixel_stats_fill(*stats, &c.sums, true);
        finish(&c);
        status = take_apart(&c, *stats, err);
    }
    vg_pixel_sums_reset(&c.sums);
    free(c.products);
    free(c.centred);
    if (status) {
        vg_pixel_stats_release(*stats);
        *stats = NULL;
    }
    return status;
}

/* ---- applying */

vg_status vg_whiten_room(const vg_normalizer *normalizer, int batch, float **room, vg_error *err)
{
    *room = NULL;
    if (normalizer->kind != VG_NORMALIZE_ZCA)
        return VG_OK;
    size_t count;
    if (vg_mul_size((size_t)batch, normalizer->pixels->size, &count))
        *room = vg_alloc_aligned(count, sizeof **room);
    return *room ? VG_OK
                 : vg_fail(err, VG_E_NOMEM, "whitening: out of memory for a batch of %d", batch);
}

const float *vg_whiten_batch(const vg_normalizer *normalizer, const float *x, int count,
                             float *room)
{
    if (normalizer->kind != VG_NORMALIZE_ZCA)
        return x;
    const vg_pixel_stats *p = normalizer->pixels;
    size_t size = p->size, n = (size_t)count;
    size_t across = (size + TILE - 1) / TILE, down = (n + ROWS - 1) / ROWS;
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < across * down; t++) {
        size_t column = t % across * TILE, row = t / across * ROWS;
        size_t wide = size - column < TILE ? size - column : TILE;
        size_t high = n - row < ROWS ? n - row : ROWS;
        vg_gemm(false, false, (int)high, (int)wide, (int)size, x + row * size, size,
                p->matrix + column, size, 0, room + row * size + column, size);
    }
    return room;
}
