/* The content of a preview: which samples, what the network gets of them, and what a few hundred draws
 * of the policy do to them.
 *
 * Per class up to CANDIDATES samples are chosen by a hash of (seed, index): the first that can be
 * read makes the row, all of them together are the pictures of the census. What is shown went
 * through the very transform that the loader calls, normalization included, and back. */
#include "preview.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "check.h"

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
    const vg_preview_options *options;
    vg_transform transform;
    void *scratch;
    vg_reader reader;
    vg_image image;
    vg_resize_scratch resize;
    float *before, *after, *whitened; /* a network input each */
    int classes;                      /* chosen */
    int *labels;                      /* [classes] */
    size_t *counts;                   /* training samples of each class of the dataset */
    candidate *candidates;            /* CANDIDATES for each chosen class */
    vg_part parts[VG_PARTS];
    vg_preview *preview;
    int label;         /* of the row's picture */
    bool like_another; /* that picture as it is */
} gatherer;

vg_preview_options vg_preview_options_default(void)
{
    vg_preview_options options = {
        .variants = 7, .max_rows = 12, .seed = 1, .draws = 500, .cell = 1024};
    return options;
}

void vg_preview_reset(vg_preview *preview)
{
    for (int r = 0; preview->rows && r < preview->summary.rows; r++) {
        vg_image_reset(&preview->rows[r].original);
        for (int i = 0; i < VG_PREVIEW_VARIANTS; i++)
            vg_image_reset(&preview->rows[r].tiles[i].picture);
    }
    free(preview->rows);
    memset(preview, 0, sizeof *preview);
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
    free(g->whitened);
    free(g->labels);
    free(g->counts);
    free(g->candidates);
}

/* Classes that have training samples, evenly chosen. */
static vg_status choose_classes(gatherer *g, vg_error *err)
{
    int classes = vg_dataset_classes(g->dataset), present = 0;
    g->counts = vg_calloc((size_t)classes, sizeof *g->counts);
    g->labels = vg_calloc((size_t)classes, sizeof *g->labels);
    if (!g->counts || !g->labels)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", classes);
    vg_dataset_counts(g->dataset, VG_SPLIT_TRAIN, g->counts);
    for (int k = 0; k < classes; k++)
        if (g->counts[k])
            g->labels[present++] = k;
    if (present == 0)
        return vg_fail(err, VG_E_STATE, "%s: no training samples to show",
                       vg_dataset_path(g->dataset));
    g->classes = present < g->options->max_rows ? present : g->options->max_rows;
    for (int r = 0; r < g->classes; r++)
        g->labels[r] = g->labels[(long)r * present / g->classes];
    g->candidates = vg_calloc((size_t)g->classes * CANDIDATES, sizeof *g->candidates);
    if (!g->candidates)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", g->classes);
    g->preview->summary.classes = present;
    return VG_OK;
}

/* What the check said of a row's operation. */
static void find_warning(const vg_check *check, const vg_part *part, vg_preview_row *row)
{
    for (int i = 0; check && i < check->finding_count; i++) {
        const vg_check_finding *f = &check->findings[i];
        if (f->part < 0 || f->kind == VG_CHECK_NOTE || check->parts[f->part].whole ||
            check->parts[f->part].code != part->code)
            continue;
        vg_text_append(row->warning, sizeof row->warning, "%s%s%s%s", row->warning[0] ? " | " : "",
                       f->text, f->remedy[0] ? "; instead: " : "", f->remedy);
    }
}

/* A row for each class, or for each operation of the policy and one for all of them. */
static vg_status name_rows(gatherer *g, vg_error *err)
{
    bool by_class = g->options->by == VG_PREVIEW_CLASSES;
    int rows = by_class ? g->classes : vg_policy_parts(&g->augment->policy, g->parts, VG_PARTS) + 1;
    g->preview->rows = vg_calloc((size_t)rows, sizeof *g->preview->rows);
    if (!g->preview->rows)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d rows", rows);
    g->preview->summary.rows = rows;
    for (int r = 0; r < rows; r++) {
        vg_preview_row *row = &g->preview->rows[r];
        if (by_class) {
            size_t count = g->counts[g->labels[r]];
            snprintf(row->name, sizeof row->name, "%s",
                     vg_dataset_class_name(g->dataset, g->labels[r]));
            bool own = vg_augment_policy(g->augment, g->labels[r]) != &g->augment->policy;
            snprintf(row->note, sizeof row->note, "%zu training picture%s%s", count,
                     count == 1 ? "" : "s", own ? ", a policy of its own" : "");
        } else if (r < rows - 1) {
            snprintf(row->name, sizeof row->name, "%s", vg_part_name(g->parts[r].code));
            vg_part_print(&g->augment->policy, &g->parts[r], row->note, sizeof row->note);
            find_warning(g->options->check, &g->parts[r], row);
        } else {
            snprintf(row->name, sizeof row->name, "%s",
                     rows == 1 ? "no operation" : "all together");
            snprintf(row->note, sizeof row->note, "%s",
                     rows == 1 ? "the policy changes nothing" : "as the policy draws them");
        }
    }
    return VG_OK;
}

/* The CANDIDATES training samples of each row's class with the lowest ranks. */
static vg_status choose_samples(gatherer *g, vg_error *err)
{
    int classes = vg_dataset_classes(g->dataset), rows = g->classes;
    int *row_of = vg_alloc((size_t)classes, sizeof *row_of);
    if (!row_of)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", classes);
    for (int k = 0; k < classes; k++)
        row_of[k] = -1;
    for (int r = 0; r < rows; r++) {
        row_of[g->labels[r]] = r;
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

/* The same where every pixel has its own. */
static void denormalize_pixels(const vg_pixel_stats *pixels, const float *x, size_t n,
                               vg_image *out)
{
    size_t channels = (size_t)out->channels;
    for (size_t i = 0; i < channels * n; i++) {
        double v = (double)x[i] / (double)pixels->scale[i] + (double)pixels->mean[i];
        out->data[i % n * channels + i / n] = (uint8_t)(v > 0 ? v < 255 ? v + 0.5 : 255 : 0);
    }
}

/* Normalized floats back to 0..255 on a scale that does not depend on the picture. */
static void denormalize(const vg_normalizer *normalizer, const float *x, size_t n, vg_image *out)
{
    size_t channels = (size_t)out->channels;
    if (normalizer->pixels && !normalizer->pixels->matrix) {
        denormalize_pixels(normalizer->pixels, x, n, out);
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        double scale = (double)normalizer->scale[c], offset = (double)normalizer->offset[c];
        if (normalizer->kind == VG_NORMALIZE_NONE) {
            scale = 1;
            offset = 0;
        } else if (normalizer->kind == VG_NORMALIZE_IMAGE_ZSCORE ||
                   normalizer->kind == VG_NORMALIZE_ZCA) {
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
                          double bins[VG_PREVIEW_BINS])
{
    for (size_t i = 0; i < n; i++) {
        float v = channels == 3 ? 0.299f * x[i] + 0.587f * x[n + i] + 0.114f * x[2 * n + i] : x[i];
        int bin = (int)(v * ((float)VG_PREVIEW_BINS / 256));
        bins[bin < VG_PREVIEW_BINS ? bin : VG_PREVIEW_BINS - 1] += weight / (double)n;
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

static vg_status judge(gatherer *g, const vg_plan *plan, vg_inspection *inspection, vg_error *err)
{
    vg_status status = vg_augment_view(g->augment, plan, g->scratch, &g->image, g->after, err);
    if (status == VG_OK)
        *inspection =
            vg_inspect(g->augment, plan, g->image.width, g->image.height, g->before, g->after);
    return status;
}

/* Replays a plan that destroys with each of its operations left out. *code: the one without which the
 * picture is kept and changed least; VG_PART_CODES when there is none. Overwrites g->after. */
static vg_status find_culprit(gatherer *g, const vg_plan *plan, int *code, vg_error *err)
{
    bool has[VG_PART_CODES];
    int parts = vg_plan_parts(plan, has);
    double least = INFINITY;
    *code = VG_PART_CODES;
    for (int c = 0; c < VG_PART_CODES; c++) {
        if (!has[c])
            continue;
        if (parts == 1) {
            *code = c;
            return VG_OK;
        }
        vg_plan rest = vg_plan_without(plan, c);
        vg_inspection inspection;
        vg_status status = judge(g, &rest, &inspection, err);
        if (status != VG_OK)
            return status;
        if (!vg_finding_destroys(inspection.finding) && inspection.change < least) {
            least = inspection.change;
            *code = c;
        }
    }
    return VG_OK;
}

/* `drawn_by`: the policy drew the plan from this key; NULL: a plan of our own. */
static vg_status make_tile(gatherer *g, const vg_plan *plan, const vg_sample_key *drawn_by,
                           vg_preview_row *row, vg_preview_tile *tile, vg_error *err)
{
    const vg_augment *a = g->augment;
    size_t n = (size_t)a->width * (size_t)a->height;
    vg_inspection inspection;
    vg_status status = judge(g, plan, &inspection, err);
    if (status != VG_OK)
        return status;
    add_histogram(g->after, a->channels, n, 1.0 / g->options->variants, row->after);
    /* Only what was its own before: else the variant is not what makes it look so. */
    int looks_like = -1;
    if (inspection.finding == VG_FINDING_NONE && !g->like_another)
        looks_like = vg_check_looks_like(g->options->check, g->after, a->channels, a->width,
                                         a->height, g->label);
    if (drawn_by) /* through the very function that the loader calls */
        status =
            vg_transform_picture(&g->transform, g->scratch, &g->image, drawn_by, g->after, err);
    else
        vg_normalizer_apply(&a->normalizer, g->after, n);
    vg_image shown = {0};
    if (status == VG_OK)
        status = vg_image_shape(&shown, a->width, a->height, a->channels, err);
    if (status == VG_OK) {
        const vg_pixel_stats *pixels = a->normalizer.pixels;
        bool whitens = pixels && pixels->matrix;
        if (whitens)
            vg_pixel_stats_whiten(pixels, g->after, g->whitened);
        denormalize(&a->normalizer, whitens ? g->whitened : g->after, n, &shown);
        status = fit(g, &shown, g->options->cell, g->options->cell, &tile->picture, err);
    }
    vg_image_reset(&shown);
    int culprit = VG_PART_CODES;
    if (status == VG_OK && vg_finding_destroys(inspection.finding))
        status = find_culprit(g, plan, &culprit, err);
    tile->finding = inspection.finding;
    size_t used = 0;
    vg_inspection_print(&inspection, tile->reason, sizeof tile->reason);
    used = strlen(tile->reason);
    if (culprit < VG_PART_CODES && g->options->by == VG_PREVIEW_CLASSES)
        snprintf(tile->reason + used, sizeof tile->reason - used, " (%s)", vg_part_name(culprit));
    if (looks_like >= 0) {
        tile->looks_like_another = true;
        g->preview->summary.variants_like_others++;
        snprintf(tile->reason + used, sizeof tile->reason - used, "looks like \"%.40s\"",
                 vg_dataset_class_name(g->dataset, looks_like));
    }
    char printed[VG_PLAN_TEXT];
    vg_plan_print(plan, printed, sizeof printed);
    bind_values(printed, tile->caption, sizeof tile->caption);
    g->preview->summary.variants_unchanged += tile->finding == VG_FINDING_UNCHANGED;
    g->preview->summary.variants_destroyed += vg_finding_destroys(tile->finding);
    return status;
}

static vg_plan draw_plan(const gatherer *g, const vg_sample_key *key)
{
    const vg_augment *a = g->augment;
    return vg_plan_draw(vg_augment_policy(a, key->label), key, a->width, a->height, g->image.width,
                        g->image.height);
}

/* `part` NULL: the policy as it is. */
static vg_status make_row(gatherer *g, size_t index, const vg_part *part, vg_preview_row *row,
                          vg_error *err)
{
    const vg_augment *a = g->augment;
    const int size[2] = {a->width, a->height}, in_size[2] = {g->image.width, g->image.height};
    row->width = g->image.width;
    row->height = g->image.height;
    row->problem[0] = '\0';
    g->label = vg_dataset_label(g->dataset, index);
    g->like_another = vg_check_looks_like(g->options->check, g->before, a->channels, a->width,
                                          a->height, g->label) >= 0;
    int cell = g->options->cell;
    int shown = a->height * (g->preview->zoom > 0 ? g->preview->zoom : 1);
    int high = shown < LEAST_ORIGINAL ? LEAST_ORIGINAL : shown;
    vg_status status = fit(g, &g->image, cell, high < cell ? high : cell, &row->original, err);
    if (status != VG_OK)
        return status;
    add_histogram(g->before, a->channels, (size_t)a->width * (size_t)a->height, 1, row->before);
    for (int i = 0; i < g->options->variants; i++) {
        vg_sample_key key = key_of(g, index, i);
        vg_plan plan =
            part ? vg_part_plan(&a->policy, part, i, g->options->variants, &key, size, in_size)
                 : draw_plan(g, &key);
        status = make_tile(g, &plan, part ? NULL : &key, row, &row->tiles[i], err);
        if (status != VG_OK)
            return status;
    }
    return VG_OK;
}

/* All rows of operations, on the picture that was read. */
static vg_status make_operations(gatherer *g, size_t index, vg_error *err)
{
    int rows = g->preview->summary.rows;
    vg_status status = VG_OK;
    for (int r = 0; r < rows && status == VG_OK; r++)
        status = make_row(g, index, r < rows - 1 ? &g->parts[r] : NULL, &g->preview->rows[r], err);
    return status;
}

/* This picture's part of the draws: number `picture` of `pictures`. */
static vg_status take_census(gatherer *g, size_t index, size_t picture, size_t pictures,
                             vg_error *err)
{
    vg_preview_summary *summary = &g->preview->summary;
    size_t draws = (size_t)g->options->draws;
    if (pictures == 0)
        return VG_OK;
    size_t count = draws * (picture + 1) / pictures - draws * picture / pictures;
    for (size_t i = 0; i < count; i++) {
        vg_sample_key key = key_of(g, index, (int)i);
        vg_plan plan = draw_plan(g, &key);
        vg_inspection inspection;
        int culprit = VG_PART_CODES;
        vg_status status = judge(g, &plan, &inspection, err);
        bool destroys = status == VG_OK && vg_finding_destroys(inspection.finding);
        if (destroys)
            status = find_culprit(g, &plan, &culprit, err);
        if (status != VG_OK)
            return status;
        summary->findings[inspection.finding]++;
        if (culprit < VG_PART_CODES)
            summary->destroyed_by[culprit]++;
        else
            summary->destroyed_together += destroys;
    }
    summary->draws += count;
    return VG_OK;
}

static vg_status gather(gatherer *g, vg_error *err)
{
    vg_decode_options decode = vg_decode_options_default();
    vg_preview_summary *summary = &g->preview->summary;
    bool by_class = g->options->by == VG_PREVIEW_CLASSES, made_operations = false;
    size_t total = 0, seen = 0;
    for (int i = 0; i < g->classes * CANDIDATES; i++)
        total += g->candidates[i].index != SIZE_MAX;
    vg_error first = {0};
    for (int r = 0; r < g->classes; r++) {
        vg_preview_row *row = by_class ? &g->preview->rows[r] : NULL;
        bool made = !by_class && made_operations;
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
                if (!made && row)
                    snprintf(row->problem, sizeof row->problem, "%s", why.message);
                continue;
            }
            status = vg_augment_view(g->augment, NULL, g->scratch, &g->image, g->before, err);
            if (status == VG_OK && !made)
                status = row ? make_row(g, index, NULL, row, err) : make_operations(g, index, err);
            if (status == VG_OK)
                status = take_census(g, index, seen - 1, total, err);
            if (status != VG_OK)
                return status;
            made = made_operations = true;
            summary->pictures++;
        }
    }
    if (summary->pictures == 0)
        return vg_fail(err, first.code, "%s", first.message);
    return VG_OK;
}

static vg_status check(const vg_augment *augment, const vg_preview_options *o, vg_error *err)
{
    if (o->variants < 1 || o->variants > VG_PREVIEW_VARIANTS || o->max_rows < 1 ||
        o->max_rows > 1000 || o->draws < 0 || o->draws > 1000000 || o->cell < 1)
        return vg_fail(err, VG_E_ARG,
                       "a preview of %d variants, %d classes and %d draws: expected 1 to %d, 1 to "
                       "1000 and 0 to 1000000",
                       o->variants, o->max_rows, o->draws, VG_PREVIEW_VARIANTS);
    if (augment->width < 1 || augment->height < 1 ||
        (augment->channels != 1 && augment->channels != 3))
        return vg_fail(err, VG_E_ARG, "a network input of %d x %d x %d cannot be shown",
                       augment->width, augment->height, augment->channels);
    return VG_OK;
}

vg_status vg_preview_gather(const vg_dataset *dataset, const vg_augment *augment,
                            const vg_preview_options *options, vg_preview *preview, vg_error *err)
{
    memset(preview, 0, sizeof *preview);
    vg_status status = check(augment, options, err);
    if (status != VG_OK)
        return status;
    gatherer g = {.dataset = dataset,
                  .augment = augment,
                  .options = options,
                  .transform = vg_augment_transform(augment),
                  .preview = preview};
    preview->zoom =
        options->cell / (augment->width > augment->height ? augment->width : augment->height);
    size_t plane = 0, size = 0;
    if (!vg_mul_size((size_t)augment->width, (size_t)augment->height, &plane) ||
        !vg_mul_size(plane, (size_t)augment->channels, &size) ||
        !(g.before = vg_alloc(size, sizeof *g.before)) ||
        !(g.after = vg_alloc(size, sizeof *g.after)) ||
        !(g.whitened = vg_alloc(size, sizeof *g.whitened)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for pictures of %d x %d", augment->width,
                         augment->height);
    if (status == VG_OK)
        status = g.transform.scratch_new(augment, &g.scratch, err);
    if (status == VG_OK)
        status = vg_reader_init(&g.reader, err);
    if (status == VG_OK)
        status = choose_classes(&g, err);
    if (status == VG_OK)
        status = name_rows(&g, err);
    if (status == VG_OK)
        status = choose_samples(&g, err);
    if (status == VG_OK)
        status = gather(&g, err);
    gatherer_reset(&g);
    return status;
}

size_t vg_preview_destroyed(const vg_preview_summary *summary)
{
    size_t destroyed = 0;
    for (int f = 0; f < VG_FINDING_COUNT; f++)
        destroyed += vg_finding_destroys((vg_finding)f) ? summary->findings[f] : 0;
    return destroyed;
}

void vg_preview_kinds(const vg_preview_summary *summary, char *text, size_t capacity)
{
    static const char *const words[VG_FINDING_COUNT] = {
        [VG_FINDING_FILL] = "mostly fill",
        [VG_FINDING_CLIPPED] = "clipped to black or white",
        [VG_FINDING_FLAT] = "without contrast",
        [VG_FINDING_CUT] = "with the content out of view",
        [VG_FINDING_DETAIL] = "without detail"};
    size_t used = 0;
    if (capacity)
        text[0] = '\0';
    for (int f = 0; f < VG_FINDING_COUNT && used < capacity; f++) {
        if (!words[f] || !summary->findings[f])
            continue;
        int n = snprintf(text + used, capacity - used, "%s%zu %s", used ? ", " : "",
                         summary->findings[f], words[f]);
        used += n > 0 ? (size_t)n : 0;
    }
}

void vg_preview_blame(const vg_preview_summary *summary, int most, char *text, size_t capacity)
{
    bool named[VG_PART_CODES] = {false};
    size_t used = 0, rest = summary->destroyed_together;
    if (capacity)
        text[0] = '\0';
    for (int k = 0; k < VG_PART_CODES; k++) {
        int worst = -1;
        for (int c = 0; c < VG_PART_CODES; c++)
            if (!named[c] && summary->destroyed_by[c] &&
                (worst < 0 || summary->destroyed_by[c] > summary->destroyed_by[worst]))
                worst = c;
        if (worst < 0)
            break;
        named[worst] = true;
        if (k >= most || used >= capacity) {
            rest += summary->destroyed_by[worst];
            continue;
        }
        int n = snprintf(text + used, capacity - used, "%s%zu by %s", used ? ", " : "",
                         summary->destroyed_by[worst], vg_part_name(worst));
        used += n > 0 ? (size_t)n : 0;
    }
    if (rest && used < capacity)
        snprintf(text + used, capacity - used, "%s%zu by %s", used ? ", " : "", rest,
                 rest > summary->destroyed_together ? "others or several together"
                                                    : "several together");
}
