/* The content of a contact sheet: which samples, what the network gets of them, and what a few
 * hundred draws of the policy do to them.
 *
 * Per class up to CANDIDATES samples are chosen by a hash of (seed, index): the first that can be
 * read makes the row, all of them together are the pictures of the census. What is shown went
 * through the very transform that the loader calls, normalization included, and back. */
#include "sheet_rows.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CANDIDATES = 4,
    LEAST_ORIGINAL = 96 /* originals may be this high, even beside lower variants */
};

typedef struct candidate {
    uint64_t rank;
    size_t index;
} candidate;

typedef struct gatherer {
    const vg_dataset *dataset;
    const vg_augment *augment;
    const vg_sheet_options *options;
    vg_transform transform;
    void *scratch;
    vg_reader reader;
    vg_image image;
    vg_resize_scratch resize;
    float *before, *after; /* a network input each */
    candidate *candidates; /* CANDIDATES for each row */
    sheet_rows *rows;
} gatherer;

void sheet_rows_reset(sheet_rows *rows)
{
    for (int r = 0; rows->rows && r < rows->summary.rows; r++) {
        vg_image_reset(&rows->rows[r].original);
        for (int i = 0; i < SHEET_VARIANTS; i++)
            vg_image_reset(&rows->rows[r].tiles[i].picture);
    }
    free(rows->rows);
    memset(rows, 0, sizeof *rows);
}

static void gatherer_reset(gatherer *g)
{
    if (g->transform.scratch_free)
        g->transform.scratch_free(g->scratch);
    vg_reader_reset(&g->reader);
    vg_image_reset(&g->image);
    vg_resize_scratch_reset(&g->resize);
    free(g->before);
    free(g->after);
    free(g->candidates);
}

/* Rows for classes that have training samples, evenly chosen. */
static vg_status choose_classes(gatherer *g, vg_error *err)
{
    int classes = vg_dataset_classes(g->dataset);
    size_t *counts = vg_calloc((size_t)classes, sizeof *counts);
    int *labels = vg_calloc((size_t)classes, sizeof *labels);
    vg_status status = VG_OK;
    if (!counts || !labels) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", classes);
        goto done;
    }
    vg_dataset_counts(g->dataset, VG_SPLIT_TRAIN, counts);
    int present = 0;
    for (int k = 0; k < classes; k++)
        if (counts[k])
            labels[present++] = k;
    if (present == 0) {
        status = vg_fail(err, VG_E_STATE, "%s: no training samples to show",
                         vg_dataset_path(g->dataset));
        goto done;
    }
    int rows = present < g->options->max_classes ? present : g->options->max_classes;
    g->rows->rows = vg_calloc((size_t)rows, sizeof *g->rows->rows);
    g->candidates = vg_calloc((size_t)rows * CANDIDATES, sizeof *g->candidates);
    if (!g->rows->rows || !g->candidates) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %d rows", rows);
        goto done;
    }
    g->rows->summary.rows = rows;
    g->rows->summary.classes = present;
    for (int r = 0; r < rows; r++) {
        int label = labels[(long)r * present / rows];
        g->rows->rows[r].label = label;
        g->rows->rows[r].count = counts[label];
    }
done:
    free(counts);
    free(labels);
    return status;
}

/* The CANDIDATES training samples of each row's class with the lowest ranks. */
static vg_status choose_samples(gatherer *g, vg_error *err)
{
    int classes = vg_dataset_classes(g->dataset), rows = g->rows->summary.rows;
    int *row_of = vg_alloc((size_t)classes, sizeof *row_of);
    if (!row_of)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", classes);
    for (int k = 0; k < classes; k++)
        row_of[k] = -1;
    for (int r = 0; r < rows; r++) {
        row_of[g->rows->rows[r].label] = r;
        for (int i = 0; i < CANDIDATES; i++)
            g->candidates[r * CANDIDATES + i] = (candidate){UINT64_MAX, SIZE_MAX};
    }
    size_t count = vg_dataset_count(g->dataset);
    for (size_t index = 0; index < count; index++) {
        int r = row_of[vg_dataset_label(g->dataset, index)];
        if (r < 0 || vg_dataset_split(g->dataset, index) != VG_SPLIT_TRAIN)
            continue;
        candidate next = {vg_mix(g->options->seed, index), index};
        candidate *list = g->candidates + (size_t)r * CANDIDATES;
        for (int i = 0; i < CANDIDATES; i++)
            if (next.rank < list[i].rank || list[i].index == SIZE_MAX) {
                candidate swap = list[i];
                list[i] = next;
                next = swap;
                if (next.index == SIZE_MAX)
                    break;
            }
    }
    free(row_of);
    return VG_OK;
}

/* Normalized floats back to 0..255 on a scale that does not depend on the picture. */
static void denormalize(const vg_normalizer *normalizer, const float *x, size_t n, vg_image *out)
{
    size_t channels = (size_t)out->channels;
    for (size_t c = 0; c < channels; c++) {
        double scale = (double)normalizer->scale[c], offset = (double)normalizer->offset[c];
        if (normalizer->kind == VG_NORMALIZE_NONE) {
            scale = 1;
            offset = 0;
        } else if (normalizer->kind == VG_NORMALIZE_IMAGE_ZSCORE) {
            scale = 1 / 51.0;
            offset = -2.5;
        } else if (normalizer->kind == VG_NORMALIZE_IMAGE_MINMAX) {
            scale = 1 / 255.0;
            offset = 0;
        }
        for (size_t i = 0; i < n; i++) {
            double v = ((double)x[c * n + i] - offset) / scale;
            out->data[i * channels + c] = (uint8_t)(v > 0 ? v < 255 ? v + 0.5 : 255 : 0);
        }
    }
}

static void add_histogram(const float *x, int channels, size_t n, double weight,
                          double bins[SHEET_BINS])
{
    for (size_t i = 0; i < n; i++) {
        float v = channels == 3 ? 0.299f * x[i] + 0.587f * x[n + i] + 0.114f * x[2 * n + i] : x[i];
        int bin = (int)(v * ((float)SHEET_BINS / 256));
        bins[bin < SHEET_BINS ? bin : SHEET_BINS - 1] += weight / (double)n;
    }
}

/* `from` so that it fits into width x height. What is smaller is enlarged by whole pixels when it is
 * drawn, so it is only reduced here. */
static vg_status fit(gatherer *g, const vg_image *from, int width, int height, vg_image *to,
                     vg_error *err)
{
    double scale = fmin((double)width / from->width, (double)height / from->height);
    if (scale >= 1)
        return vg_image_copy(from, to, err);
    int w = (int)(from->width * scale + 0.5), h = (int)(from->height * scale + 0.5);
    return vg_image_resize(from, (const double[4]){0, 0, 0, 0}, w < 1 ? 1 : w, h < 1 ? 1 : h,
                           VG_FILTER_BILINEAR, &g->resize, to, err);
}

/* The printed plan with each name bound to its values, so that lines break between parameters: a
 * blank before a digit or a sign becomes U+00A0. */
static void bind_values(const char *text, char *out, size_t capacity)
{
    size_t used = 0;
    for (; *text && used + 2 < capacity; text++) {
        bool bound = *text == ' ' && strchr("+0123456789\xe2", text[1]);
        if (bound)
            out[used++] = '\xc2';
        out[used++] = bound ? '\xa0' : *text;
    }
    out[used] = '\0';
}

static vg_sample_key key_of(const gatherer *g, size_t index, int variant)
{
    return (vg_sample_key){.seed = g->options->seed,
                           .epoch = (uint32_t)variant,
                           .position = index,
                           .index = index,
                           .label = vg_dataset_label(g->dataset, index)};
}

static vg_status make_tile(gatherer *g, const vg_sample_key *key, sheet_row *row, sheet_tile *tile,
                           vg_error *err)
{
    const vg_augment *a = g->augment;
    size_t n = (size_t)a->width * (size_t)a->height;
    vg_plan plan =
        vg_plan_draw(&a->policy, key, a->width, a->height, g->image.width, g->image.height);
    vg_status status = vg_augment_view(a, &plan, g->scratch, &g->image, g->after, err);
    if (status != VG_OK)
        return status;
    vg_inspection inspection =
        vg_inspect(a, &plan, g->image.width, g->image.height, g->before, g->after);
    tile->finding = inspection.finding;
    vg_inspection_print(&inspection, tile->reason, sizeof tile->reason);
    char printed[sizeof tile->caption];
    vg_plan_print(&plan, printed, sizeof printed);
    bind_values(printed, tile->caption, sizeof tile->caption);
    add_histogram(g->after, a->channels, n, 1.0 / g->options->variants, row->after);
    g->rows->summary.variants_unchanged += tile->finding == VG_FINDING_UNCHANGED;
    g->rows->summary.variants_destroyed += vg_finding_destroys(tile->finding);

    status = vg_transform_picture(&g->transform, g->scratch, &g->image, key, g->after, err);
    vg_image shown = {0};
    if (status == VG_OK)
        status = vg_image_shape(&shown, a->width, a->height, a->channels, err);
    if (status == VG_OK) {
        denormalize(&a->normalizer, g->after, n, &shown);
        status = fit(g, &shown, g->rows->cell, g->rows->cell, &tile->picture, err);
    }
    vg_image_reset(&shown);
    return status;
}

static vg_status make_row(gatherer *g, size_t index, sheet_row *row, vg_error *err)
{
    const vg_augment *a = g->augment;
    row->width = g->image.width;
    row->height = g->image.height;
    row->problem[0] = '\0';
    int shown = a->height * (g->rows->zoom > 0 ? g->rows->zoom : 1), cell = g->rows->cell;
    int high = shown < LEAST_ORIGINAL ? LEAST_ORIGINAL : shown < cell ? shown : cell;
    vg_status status = fit(g, &g->image, cell, high < cell ? high : cell, &row->original, err);
    if (status != VG_OK)
        return status;
    add_histogram(g->before, a->channels, (size_t)a->width * (size_t)a->height, 1, row->before);
    for (int i = 0; i < g->options->variants; i++) {
        vg_sample_key key = key_of(g, index, i);
        status = make_tile(g, &key, row, &row->tiles[i], err);
        if (status != VG_OK)
            return status;
    }
    return VG_OK;
}

/* This picture's part of the draws: number `picture` of `pictures`. */
static vg_status take_census(gatherer *g, size_t index, size_t picture, size_t pictures,
                             vg_error *err)
{
    const vg_augment *a = g->augment;
    vg_sheet_summary *summary = &g->rows->summary;
    size_t draws = (size_t)g->options->draws;
    if (pictures == 0)
        return VG_OK;
    size_t count = draws * (picture + 1) / pictures - draws * picture / pictures;
    for (size_t i = 0; i < count; i++) {
        vg_sample_key key = key_of(g, index, (int)i);
        vg_plan plan =
            vg_plan_draw(&a->policy, &key, a->width, a->height, g->image.width, g->image.height);
        vg_status status = vg_augment_view(a, &plan, g->scratch, &g->image, g->after, err);
        if (status != VG_OK)
            return status;
        vg_inspection inspection =
            vg_inspect(a, &plan, g->image.width, g->image.height, g->before, g->after);
        summary->findings[inspection.finding]++;
    }
    summary->draws += count;
    return VG_OK;
}

static vg_status gather(gatherer *g, vg_error *err)
{
    vg_decode_options decode = vg_decode_options_default();
    vg_sheet_summary *summary = &g->rows->summary;
    size_t total = 0, seen = 0;
    for (int i = 0; i < summary->rows * CANDIDATES; i++)
        total += g->candidates[i].index != SIZE_MAX;
    vg_error first = {0};
    for (int r = 0; r < summary->rows; r++) {
        sheet_row *row = &g->rows->rows[r];
        bool made = false;
        for (int i = 0; i < CANDIDATES; i++) {
            size_t index = g->candidates[r * CANDIDATES + i].index;
            if (index == SIZE_MAX)
                continue;
            seen++;
            vg_error why = {0};
            vg_status status =
                vg_dataset_read(g->dataset, index, &decode, &g->reader, &g->image, NULL, &why);
            if (status != VG_OK) {
                if (first.code == VG_OK)
                    first = why;
                if (!made)
                    snprintf(row->problem, sizeof row->problem, "%s", why.message);
                continue;
            }
            status = vg_augment_view(g->augment, NULL, g->scratch, &g->image, g->before, err);
            if (status == VG_OK && !made)
                status = make_row(g, index, row, err);
            if (status == VG_OK)
                status = take_census(g, index, seen - 1, total, err);
            if (status != VG_OK)
                return status;
            made = true;
            summary->pictures++;
        }
    }
    if (summary->pictures == 0)
        return vg_fail(err, first.code, "%s", first.message);
    return VG_OK;
}

vg_status sheet_rows_gather(const vg_dataset *dataset, const vg_augment *augment,
                            const vg_sheet_options *options, int cell, sheet_rows *rows,
                            vg_error *err)
{
    gatherer g = {.dataset = dataset,
                  .augment = augment,
                  .options = options,
                  .transform = vg_augment_transform(augment),
                  .rows = rows};
    memset(rows, 0, sizeof *rows);
    rows->cell = cell;
    int longer = augment->width > augment->height ? augment->width : augment->height;
    rows->zoom = longer > 0 ? cell / longer : 0;
    size_t plane = 0, size = 0;
    vg_status status = VG_OK;
    if (!vg_mul_size((size_t)augment->width, (size_t)augment->height, &plane) ||
        !vg_mul_size(plane, (size_t)augment->channels, &size) ||
        !(g.before = vg_alloc(size, sizeof *g.before)) ||
        !(g.after = vg_alloc(size, sizeof *g.after)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for pictures of %d x %d", augment->width,
                         augment->height);
    if (status == VG_OK)
        status = g.transform.scratch_new(augment, &g.scratch, err);
    if (status == VG_OK)
        status = vg_reader_init(&g.reader, err);
    if (status == VG_OK)
        status = choose_classes(&g, err);
    if (status == VG_OK)
        status = choose_samples(&g, err);
    if (status == VG_OK)
        status = gather(&g, err);
    gatherer_reset(&g);
    return status;
}
