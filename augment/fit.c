/* Views are made in parallel into the places of a block, which is then handed over as a whole: so
 * the order of what is added up never depends on who was faster. Never holds more than a block. */
#include "fit.h"

#include "base/alloc.h"
#include "base/threads.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 256,            /* inputs, at most */
    BLOCK_VALUES = 1 << 23, /* and values: 32 MiB */
    RANGE = 4096            /* values that a thread sums at a time */
};

struct seat {
    vg_reader reader;
    vg_image image;
    void *scratch;
    vg_status status; /* not of a bad picture */
    bool ready;
};

struct views {
    const vg_dataset *dataset;
    const vg_augment *augment;
    vg_transform transform;
    vg_decode_options decode;
    const size_t *indices; /* of the block */
    struct seat *seats;
    float *inputs; /* [block][size] */
    bool *bad;     /* [block] */
    size_t size, block;
};

static vg_status sit_down(struct views *v, struct seat *seat)
{
    vg_status status = v->transform.scratch_new(v->augment, &seat->scratch, NULL);
    if (!status)
        status = vg_reader_init(&seat->reader, NULL);
    seat->ready = status == VG_OK;
    return status;
}

static void view_one(void *context, int thread, size_t item)
{
    struct views *v = context;
    struct seat *seat = &v->seats[thread];
    v->bad[item] = true;
    if (!seat->ready && !seat->status)
        seat->status = sit_down(v, seat);
    if (seat->status)
        return;
    vg_status status = vg_dataset_read(v->dataset, v->indices[item], &v->decode, &seat->reader,
                                       &seat->image, NULL, NULL);
    if (status == VG_OK) {
        status = vg_augment_view(v->augment, NULL, seat->scratch, &seat->image,
                                 v->inputs + item * v->size, NULL);
        if (status) /* the picture is fine: do not pass it over in silence */
            seat->status = status;
    } else if (status == VG_E_NOMEM) {
        seat->status = status;
    }
    v->bad[item] = status != VG_OK;
}

/* Closes the gaps that unreadable pictures left; how many are there. */
static size_t close_gaps(struct views *v, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (v->bad[i])
            continue;
        if (kept < i)
            memcpy(v->inputs + kept * v->size, v->inputs + i * v->size,
                   v->size * sizeof *v->inputs);
        kept++;
    }
    return kept;
}

static vg_status walk(struct views *v, const size_t *indices, size_t count, int threads,
                      vg_views_take *take, void *context, vg_error *err)
{
    size_t seen = 0;
    for (size_t at = 0; at < count; at += v->block) {
        size_t n = count - at < v->block ? count - at : v->block;
        v->indices = indices + at;
        vg_parallel_for(threads, n, view_one, v);
        for (int t = 0; t < threads; t++)
            if (v->seats[t].status)
                return vg_fail(err, v->seats[t].status, "fitting the normalization: %s",
                               vg_status_text(v->seats[t].status));
        n = close_gaps(v, n);
        if (n > 0)
            take(context, v->inputs, n);
        seen += n;
    }
    if (seen > 0)
        return VG_OK;
    return vg_fail(err, VG_E_FORMAT, "%s: none of %zu training images could be read",
                   vg_dataset_path(v->dataset), count);
}

static vg_status make_room(struct views *v, int threads, vg_error *err)
{
    const vg_augment *a = v->augment;
    size_t plane;
    if ((a->channels != 1 && a->channels != 3) || a->height < 1 || a->width < 1 ||
        !vg_mul_size((size_t)a->height, (size_t)a->width, &plane) ||
        !vg_mul_size(plane, (size_t)a->channels, &v->size))
        return vg_fail(err, VG_E_ARG, "statistics of inputs of %d x %d x %d", a->height, a->width,
                       a->channels);
    v->block = BLOCK_VALUES / v->size;
    v->block = v->block > BLOCK ? BLOCK : v->block < 1 ? 1 : v->block;
    size_t values;
    if (vg_mul_size(v->block, v->size, &values))
        v->inputs = vg_alloc_aligned(values, sizeof *v->inputs);
    v->bad = vg_alloc(v->block, sizeof *v->bad);
    v->seats = vg_calloc((size_t)threads, sizeof *v->seats);
    return v->inputs && v->bad && v->seats
               ? VG_OK
               : vg_fail(err, VG_E_NOMEM, "out of memory for %zu inputs of %d x %d x %d", v->block,
                         a->height, a->width, a->channels);
}

vg_status vg_views_each(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_views_options *options, vg_views_take *take, void *context,
                        vg_error *err)
{
    struct views v = {.dataset = dataset,
                      .augment = augment,
                      .transform = vg_augment_transform(augment),
                      .decode = vg_decode_options_default()};
    int threads = options->threads < 1 ? vg_threads_available() : options->threads;
    size_t *indices = NULL, count = 0;
    vg_status status = make_room(&v, threads, err);
    if (!status)
        status = vg_normalize_choose(dataset, options->most, &indices, &count, err);
    if (!status)
        status = walk(&v, indices, count, threads, take, context, err);
    for (int t = 0; v.seats && t < threads; t++) {
        vg_image_reset(&v.seats[t].image);
        v.transform.scratch_free(v.seats[t].scratch);
        if (v.seats[t].ready)
            vg_reader_reset(&v.seats[t].reader);
    }
    free(v.seats);
    free(v.inputs);
    free(v.bad);
    free(indices);
    return status;
}

/* ---- mean and deviation */

struct summing {
    vg_pixel_sums sums;
    const float *inputs;
    size_t count;
    int threads;
};

static void sum_range(void *context, int thread, size_t item)
{
    struct summing *s = context;
    size_t from = item * RANGE, to = from + RANGE;
    (void)thread;
    vg_pixel_sums_add(&s->sums, s->inputs, s->count, from, to < s->sums.size ? to : s->sums.size);
}

static void sum_block(void *context, const float *inputs, size_t count)
{
    struct summing *s = context;
    s->inputs = inputs;
    s->count = count;
    vg_parallel_for(s->threads, (s->sums.size + RANGE - 1) / RANGE, sum_range, s);
    s->sums.images += count;
}

vg_status vg_pixel_stats_fit(const vg_dataset *dataset, const vg_augment *augment,
                             vg_normalization kind, const vg_views_options *options,
                             vg_pixel_stats **stats, vg_error *err)
{
    struct summing s = {.threads =
                            options->threads < 1 ? vg_threads_available() : options->threads};
    *stats = NULL;
    if (kind != VG_NORMALIZE_PIXEL_MEAN && kind != VG_NORMALIZE_PIXEL_ZSCORE)
        return vg_fail(err, VG_E_ARG, "no statistics of pixels are fitted for normalization %s",
                       vg_normalization_name(kind));
    vg_status status =
        vg_pixel_stats_new(augment->channels, augment->height, augment->width, false, stats, err);
    if (!status)
        status = vg_pixel_sums_init(&s.sums, (*stats)->size, err);
    if (!status)
        status = vg_views_each(dataset, augment, options, sum_block, &s, err);
    if (!status) {
        vg_pixel_stats_fill(*stats, &s.sums, kind == VG_NORMALIZE_PIXEL_MEAN);
    } else {
        vg_pixel_stats_release(*stats);
        *stats = NULL;
    }
    vg_pixel_sums_reset(&s.sums);
    return status;
}
