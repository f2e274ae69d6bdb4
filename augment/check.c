/* The passes over the pictures: read and look at the references, then draw, look and compare.
 *
 * Every picture is the work of one thread at a time and writes into places of its own, and whatever is
 * summed is summed in order afterwards: the result is the same for any number of threads. */
#include "check.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/threads.h"
#include "check_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decoding takes 6 to 12 ns for each, drawing and looking 20: about a second of one processor together. */
enum { QUICK_PIXELS = 24 << 20 };

vg_check_options vg_check_options_default(void)
{
    return (vg_check_options){
        .pictures = 256, .references = 1024, .draws = 4, .again = 64, .seed = 1};
}

vg_check_options vg_check_options_quick(size_t decodes)
{
    vg_check_options options = vg_check_options_default();
    size_t most = decodes / 50;
    options.references = most < 256 ? 256 : most < 768 ? most : 768;
    options.pictures = 32;
    options.draws = 2;
    options.again = 16;
    options.pixels = QUICK_PIXELS;
    options.decodes = decodes;
    options.max_shrink = 8;
    return options;
}

void vg_check_reset(vg_check *check)
{
    free(check->parts);
    free(check->findings);
    if (check->looks) {
        free(check->looks->space.reference);
        free(check->looks->space.label);
        free(check->looks->space.typical);
        free(check->looks);
    }
    memset(check, 0, sizeof *check);
}

int vg_check_looks_like(const vg_check *check, const float *view, int channels, int width,
                        int height, int label)
{
    float features[LABEL_SIZE], distances[LABEL_CLASSES];
    if (!check || !check->looks)
        return -1;
    const label_space *space = &check->looks->space;
    label_features(view, channels, width, height, features);
    label_space_scale(space, features);
    int named = label_nearest(space, features, SIZE_MAX, distances);
    return named >= 0 && named != label && distances[named] <= space->typical[named] ? named : -1;
}

/* Hands the space over to the check, which is done with it. */
static void keep_looks(check_run *run, vg_check *check)
{
    /* Single pictures are judged only where such a name is mostly right. */
    if (!run->labels || check->crossed_before > 0.25)
        return;
    check->looks = vg_calloc(1, sizeof *check->looks);
    if (!check->looks)
        return; /* single pictures are then not judged */
    check->looks->space = run->space;
    run->space.reference = NULL;
    run->space.label = NULL;
    run->space.typical = NULL;
}

/* ---- the passes */

static size_t view_size(const check_run *run)
{
    return (size_t)run->augment->width * (size_t)run->augment->height *
           (size_t)run->augment->channels;
}

/* The decoder's question: pictures much larger than the input need not be decoded in full. */
static void choose_shrink(void *context, vg_region *region)
{
    const check_run *run = context;
    const vg_transform transform = vg_augment_transform(&run->shrunk);
    int width = region->full_width, height = region->full_height;
    *region = vg_region_whole(width, height, transform.shrink(transform.context, width, height));
}

vg_status check_read(check_run *run, vg_reader *reader, size_t index, vg_image *image,
                     vg_decode_info *info, vg_error *err)
{
    vg_decode_options decode = vg_decode_options_default();
    if (run->shrunk.max_shrink > 1) {
        decode.choose = choose_shrink;
        decode.choose_context = run;
    }
    return vg_dataset_read(run->dataset, index, &decode, reader, image, info, err);
}

const vg_image *check_picture(check_run *run, check_worker *w, size_t i, vg_decode_info *info,
                              vg_error *err)
{
    if (run->kept[i].data)
        return &run->kept[i];
    vg_status status = check_read(run, &w->reader, run->index[i], &w->image, info, err);
    return status == VG_OK ? &w->image : NULL;
}

static void look(void *context, int thread, size_t i)
{
    check_run *run = context;
    check_worker *w = &run->workers[thread];
    const vg_augment *a = run->augment;
    vg_decode_info info = {0};
    const vg_image *image = check_picture(run, w, i, &info, &run->errors[i]);
    if (!image || vg_augment_view(a, NULL, w->scratch, image, w->before, &run->errors[i]) != VG_OK)
        return;
    run->looks[i] =
        (uint8_t)((vg_image_is_flat(image) ? CHECK_FLAT : 0) | (info.has_alpha ? CHECK_CLEAR : 0));
    label_features(w->before, a->channels, a->width, a->height,
                   run->space.reference + i * LABEL_SIZE);
    if (vg_image_bytes(image) <= run->room[run->augmented[i]]) {
        vg_error ignored; /* it is read again */
        if (vg_image_copy(image, &run->kept[i], &ignored) != VG_OK)
            vg_image_reset(&run->kept[i]);
    }
}

/* Leaves out what could not be read. */
static vg_status compact(check_run *run, vg_error *err)
{
    size_t kept = 0;
    vg_error first = {0};
    for (size_t i = 0; i < run->space.count; i++) {
        if (run->errors[i].code != VG_OK) {
            if (first.code == VG_OK || run->errors[i].code == VG_E_NOMEM)
                first = run->errors[i];
            memset(&run->errors[i], 0, sizeof run->errors[i]);
            continue;
        }
        vg_image image = run->kept[i];
        memset(&run->kept[i], 0, sizeof run->kept[i]);
        run->kept[kept] = image;
        run->index[kept] = run->index[i];
        run->augmented[kept] = run->augmented[i];
        run->looks[kept] = run->looks[i];
        run->space.label[kept] = run->space.label[i];
        memmove(run->space.reference + kept * LABEL_SIZE, run->space.reference + i * LABEL_SIZE,
                LABEL_SIZE * sizeof(float));
        /* Nothing can be destroyed, or change, where nothing is. */
        if (run->augmented[kept] && !(run->looks[kept] & CHECK_FLAT))
            run->picture[run->pictures++] = kept;
        kept++;
    }
    run->space.count = kept;
    if (kept == 0 || first.code == VG_E_NOMEM)
        return vg_fail(err, first.code ? first.code : VG_E_STATE, "%s", first.message);
    return VG_OK;
}

static void name_before(void *context, int thread, size_t i)
{
    check_run *run = context;
    const float *distances = run->workers[thread].distances;
    run->before[i] = label_nearest(&run->space, run->space.reference + i * LABEL_SIZE, i,
                                   run->workers[thread].distances);
    run->near[i] = run->before[i] >= 0 ? distances[run->before[i]] : 0;
    run->own[i] = distances[run->space.label[i]];
}

int check_name(check_run *run, check_worker *w, size_t reference)
{
    const vg_augment *a = run->augment;
    float features[LABEL_SIZE];
    label_features(w->after, a->channels, a->width, a->height, features);
    label_space_scale(&run->space, features);
    int named = label_nearest(&run->space, features, reference, w->distances);
    if (named < 0)
        return LABEL_NO_DRAW;
    bool typical = w->distances[named] <= run->space.typical[named];
    return named | (typical ? LABEL_TYPICAL : 0);
}

vg_status check_draw_one(check_run *run, check_worker *w, const check_draw *draw,
                         const vg_image *image, size_t reference, int number, check_record *record,
                         vg_error *err)
{
    const vg_augment *a = run->augment;
    size_t index = run->index[reference];
    vg_sample_key key = {.seed = run->options.seed,
                         .epoch = (uint32_t)number,
                         .position = index,
                         .index = index,
                         .label = run->space.label[reference]};
    bool nothing;
    vg_plan plan = check_draw_plan(draw, &key, (const int[2]){a->width, a->height},
                                   (const int[2]){image->width, image->height}, &nothing);
    vg_status status = vg_augment_view(a, &plan, w->scratch, image, w->after, err);
    if (status != VG_OK)
        return status;
    vg_inspection seen = vg_inspect(a, &plan, image->width, image->height, w->before, w->after);
    *record = (check_record){
        .drawn = !nothing || draw->code < 0, .finding = seen.finding, .change = (float)seen.change};
    if (draw->code < 0) {
        char text[VG_PLAN_TEXT];
        vg_plan_print(&plan, text, sizeof text);
        record->plan = vg_hash(text, strlen(text), 0);
        record->view = vg_hash(w->after, view_size(run) * sizeof *w->after, 0);
    }
    return VG_OK;
}

static void augment_picture(void *context, int thread, size_t item)
{
    check_run *run = context;
    check_worker *w = &run->workers[thread];
    size_t i = run->picture[item], draws = (size_t)run->options.draws;
    vg_error *err = &run->errors[i];
    const vg_image *image = check_picture(run, w, i, NULL, err);
    if (!image || vg_augment_view(run->augment, NULL, w->scratch, image, w->before, err) != VG_OK)
        return;
    for (int part = 0; part < run->parts; part++) {
        bool applies = check_applies(run, part, run->space.label[i]);
        /* What would happen to a class with another policy tells whether an exchange is one. */
        bool wanted = applies || (run->labels && run->draws[part].code >= 0);
        for (size_t d = 0; d < draws; d++) {
            size_t at = ((size_t)part * run->pictures + item) * draws + d;
            run->named[at] = LABEL_NO_DRAW;
            if (!wanted)
                continue;
            if (check_draw_one(run, w, &run->draws[part], image, i, (int)d, &run->records[at], err))
                return;
            if (run->labels && run->records[at].drawn)
                run->named[at] = check_name(run, w, i);
            run->records[at].drawn = run->records[at].drawn && applies;
        }
    }
}

/* ---- figures */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t count_different(uint64_t *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    size_t different = n > 0;
    for (size_t i = 1; i < n; i++)
        different += values[i] != values[i - 1];
    return different;
}

/* Of the whole policies, each picture's own. */
static vg_status count_views(const check_run *run, vg_check *check, vg_error *err)
{
    size_t draws = (size_t)run->options.draws, all = 0;
    uint64_t *plans = vg_alloc(run->pictures * draws, sizeof *plans);
    uint64_t *views = vg_alloc(draws, sizeof *views);
    if (!plans || !views) {
        free(plans);
        free(views);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu draws", run->pictures * draws);
    }
    size_t counted = 0;
    for (size_t i = 0; i < run->pictures; i++) {
        int whole = check_whole_of(run, run->space.label[run->picture[i]]);
        if (whole < 0)
            continue;
        const check_record *records = run->records + ((size_t)whole * run->pictures + i) * draws;
        for (size_t d = 0; d < draws; d++) {
            plans[all++] = records[d].plan;
            views[d] = records[d].view;
        }
        counted++;
        check->views += (double)count_different(views, draws);
    }
    if (all) {
        check->plans = (double)count_different(plans, all) / (double)all;
        check->views /= (double)(counted * draws);
    }
    free(plans);
    free(views);
    return VG_OK;
}

/* Of a part that only classes with a policy of their own have: who. */
static void name_classes(const check_run *run, int number, char *text, size_t capacity)
{
    const check_draw *draw = &run->draws[number];
    char names[60];
    if (draw->owner == 0)
        return;
    vg_class_policies_names(run->augment->class_policies, draw->owner - 1, run->dataset, names,
                            sizeof names);
    vg_text_append(text, capacity, " for %s%s", names, draw->shared ? " and others" : "");
}

static vg_status sum_part(const check_run *run, int number, vg_check_part *part,
                          label_exchange *candidates, int *count, vg_error *err)
{
    size_t n = run->pictures * (size_t)run->options.draws, first = (size_t)number * n;
    check_draw_words(&run->draws[number], part->words, sizeof part->words);
    name_classes(run, number, part->words, sizeof part->words);
    part->whole = run->draws[number].code < 0;
    part->code = run->draws[number].code;
    for (size_t i = 0; i < n; i++) {
        const check_record *r = &run->records[first + i];
        if (!r->drawn)
            continue;
        part->draws++;
        part->findings[r->finding]++;
        part->change += (double)r->change;
    }
    if (part->draws)
        part->change /= (double)part->draws;
    if (!run->labels)
        return VG_OK;
    size_t classes = (size_t)run->space.classes;
    bool *applies = vg_alloc(classes, sizeof *applies);
    if (!applies)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++)
        applies[k] = check_applies(run, number, (int)k);
    label_evidence evidence = {.before = run->before,
                               .picture = run->picture,
                               .named = run->named + first,
                               .pictures = run->pictures,
                               .draws = run->options.draws,
                               .applies = applies};
    vg_status status = label_judge(&run->space, &evidence, part, candidates, count, err);
    free(applies);
    return status;
}

/* How much of what chance leaves the features recognize (Cohen's kappa for equal classes), to be worth
 * anything. */
static const double LEAST_KAPPA = 0.2;

static vg_status judge_labels(check_run *run, vg_check *check)
{
    size_t wrong = 0, classes = 0;
    label_space_fit(&run->space);
    vg_parallel_for(run->threads, run->space.count, name_before, run);
    for (size_t i = 0; i < run->space.count; i++) {
        wrong += run->before[i] < 0 || (run->before[i] & ~LABEL_TYPICAL) != run->space.label[i];
        classes += i == 0 || run->space.label[i] != run->space.label[i - 1];
    }
    check->crossed_before = (double)wrong / (double)run->space.count;
    label_space_typical(&run->space, run->own);
    for (size_t i = 0; i < run->space.count; i++)
        if (run->before[i] >= 0 && run->near[i] <= run->space.typical[run->before[i]])
            run->before[i] |= LABEL_TYPICAL;
    double chance = 1 - 1 / (double)classes;
    run->labels = classes > 1 && run->space.classes <= LABEL_CLASSES &&
                  1 - check->crossed_before / chance >= LEAST_KAPPA;
    check->labels_judged = run->labels;
    return VG_OK;
}

static vg_status sum_parts(check_run *run, vg_check *check, vg_error *err)
{
    size_t parts = (size_t)run->parts;
    label_exchange *candidates = vg_calloc(parts, LABEL_CANDIDATES * sizeof *candidates);
    int *counts = vg_calloc(parts, sizeof *counts);
    vg_status status = VG_OK;
    if (!candidates || !counts)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu operations", parts);
    for (size_t i = 0; i < parts && !status; i++)
        status = sum_part(run, (int)i, &check->parts[i], candidates + i * LABEL_CANDIDATES,
                          &counts[i], err);
    if (!status && run->labels)
        status = check_confirm(run, check, candidates, counts, err);
    free(candidates);
    free(counts);
    return status;
}

static vg_status count_flat(const check_run *run, vg_check *check, vg_error *err)
{
    vg_flat *flat = &check->flat;
    size_t n = run->space.count, clear = 0;
    *flat = (vg_flat){.pictures = n, .better = VG_BACKGROUND_UNSET};
    size_t *indices = vg_alloc(n, sizeof *indices);
    if (!indices)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", n);
    for (size_t i = 0; i < n; i++) {
        if (run->looks[i] & CHECK_CLEAR)
            indices[clear++] = run->index[i];
        if (!(run->looks[i] & CHECK_FLAT))
            continue;
        if (!flat->flat++)
            flat->example = run->index[i];
        flat->hidden += (run->looks[i] & CHECK_CLEAR) != 0;
    }
    vg_status status = VG_OK;
    vg_flat_trial trial = {.best = VG_BACKGROUND_UNSET};
    if (flat->hidden)
        status = vg_flat_try(run->dataset, indices, clear, &trial, err);
    flat->better = trial.best;
    free(indices);
    return status;
}

static vg_status measure(check_run *run, vg_check *check, vg_error *err)
{
    vg_parallel_for(run->threads, run->space.count, look, run);
    vg_status status = compact(run, err);
    if (status != VG_OK)
        return status;
    judge_labels(run, check);
    check->pictures = run->pictures;
    check->references = run->space.count;
    size_t parts = (size_t)run->parts, each = run->pictures * (size_t)run->options.draws, n = 0;
    bool fits = vg_mul_size(parts, each, &n);
    run->records = fits ? vg_calloc(n, sizeof *run->records) : NULL;
    run->named = fits ? vg_calloc(n, sizeof *run->named) : NULL;
    check->parts = vg_calloc(parts, sizeof *check->parts);
    if (!run->records || !run->named || !check->parts)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu x %zu draws", parts, each);
    check->part_count = run->parts;
    if (parts)
        vg_parallel_for(run->threads, run->pictures, augment_picture, run);
    for (size_t i = 0; i < run->space.count; i++)
        if (run->errors[i].code != VG_OK)
            return vg_fail(err, run->errors[i].code, "%s", run->errors[i].message);
    status = sum_parts(run, check, err);
    if (!status && run->pictures && parts)
        status = count_views(run, check, err);
    if (!status)
        status = count_flat(run, check, err);
    if (!status)
        status = check_mixing(run, check, err);
    return status ? status : check_find(run, check, err);
}

/* ---- beginning and end */

static vg_status workers_new(check_run *run, vg_error *err)
{
    size_t size = view_size(run), classes = (size_t)run->space.classes;
    vg_transform transform = vg_augment_transform(run->augment);
    run->workers = vg_calloc((size_t)run->threads, sizeof *run->workers);
    if (!run->workers)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d threads", run->threads);
    for (int t = 0; t < run->threads; t++) {
        check_worker *w = &run->workers[t];
        w->before = vg_alloc(size, sizeof *w->before);
        w->after = vg_alloc(size, sizeof *w->after);
        w->distances = vg_alloc(classes, sizeof *w->distances);
        if (!w->before || !w->after || !w->distances)
            return vg_fail(err, VG_E_NOMEM, "out of memory for views");
        vg_status status = transform.scratch_new(run->augment, &w->scratch, err);
        if (!status)
            status = vg_reader_init(&w->reader, err);
        if (status)
            return status;
    }
    return VG_OK;
}

static void run_reset(check_run *run)
{
    vg_transform transform = vg_augment_transform(run->augment);
    for (int t = 0; run->workers && t < run->threads; t++) {
        check_worker *w = &run->workers[t];
        transform.scratch_free(w->scratch);
        vg_reader_reset(&w->reader);
        vg_image_reset(&w->image);
        free(w->before);
        free(w->after);
        free(w->distances);
    }
    for (size_t i = 0; run->kept && i < run->space.count; i++)
        vg_image_reset(&run->kept[i]);
    void *all[] = {run->applies,         run->draws,   run->workers,     run->index,
                   run->augmented,       run->kept,    run->errors,      run->before,
                   run->picture,         run->records, run->space.label, run->named,
                   run->space.reference, run->own,     run->near,        run->looks,
                   run->space.typical};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

vg_status vg_check_run(const vg_dataset *dataset, const vg_augment *augment,
                       const vg_check_options *options, vg_check *check, vg_error *err)
{
    memset(check, 0, sizeof *check);
    if (options->pictures < 1 || options->pictures > 1000000 || options->references > 1000000 ||
        options->draws < 1 || options->draws > 64 || options->again < 0 || options->again > 64 ||
        options->shows < 0 || options->max_shrink < 0 || options->max_shrink > 8)
        return vg_fail(err, VG_E_ARG,
                       "check: %zu pictures, %zu references, %d draws: expected 1 to 1,000,000, at "
                       "most 1,000,000, and 1 to 64",
                       options->pictures, options->references, options->draws);
    double begin = vg_clock();
    check_run run = {.dataset = dataset, .augment = augment, .options = *options};
    run.shrunk = *augment;
    run.shrunk.max_shrink = options->max_shrink;
    run.threads = options->threads > 0 ? options->threads : vg_threads_available();
    vg_status status = check_parts(&run, err);
    if (!status)
        status = check_choose(&run, err);
    if (!status)
        status = workers_new(&run, err);
    if (!status)
        status = measure(&run, check, err);
    if (!status)
        keep_looks(&run, check);
    run_reset(&run);
    if (status)
        vg_check_reset(check);
    check->seconds = vg_clock() - begin;
    return status;
}
