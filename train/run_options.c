/* What decides a training: defaults, copies, and what is read off the data when the user leaves it open. */
#include "run.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "checkpoint.h"
#include "whiten.h"

#include <math.h>
#include <stdlib.h>

enum { LOOKED_AT = 256, LONGEST_SIDE = 96 };

vg_run_options vg_run_options_default(void)
{
    vg_loader_options load = vg_loader_options_default();
    vg_optimizer_options optimizer = vg_optimizer_options_default();
    optimizer.clip_norm = vg_optimizer_default_clip(optimizer.kind);
    return (vg_run_options){
        .seed = 1,
        .epochs = 8,
        .batch = 64,
        .max_shrink = 1,
        .policy = vg_policy_none(),
        .mixing = {.chance = 1},
        .normalization = VG_NORMALIZE_ZSCORE,
        .zca_epsilon = 0.1,
        .fit_images = 20000,
        .sampling = VG_SAMPLING_SHUFFLE,
        .weighting = VG_WEIGHTING_NONE,
        .weights_beta = 0.999,
        .loss = vg_loss_options_default(),
        .init = VG_INIT_HE_NORMAL,
        .init_scale = 0.05,
        .optimizer = optimizer,
        .schedule = {.kind = VG_SCHEDULE_COSINE,
                     .base = vg_optimizer_default_rate(VG_OPTIMIZER_SGD),
                     .warmup_share = 0.1,
                     .step_share = 1.0 / 3,
                     .step_factor = 0.1,
                     .power = 1,
                     .cycles = 1,
                     .rise_share = 0.3,
                     .start_factor = 0.04},
        .plateau = vg_plateau_options_default(),
        .plateau_by = VG_WATCH_LOSS,
        .stop_by = VG_WATCH_LOSS,
        .best_by = VG_WATCH_BALANCED_ACCURACY,
        .accumulate = 1,
        .probe = 2000,
        .on_error = VG_ON_ERROR_SKIP,
        .min_intact = load.min_intact,
        .max_bad_share = load.max_bad_share,
        .max_pixels = (size_t)load.decode.max_pixels,
        .max_scans = load.decode.max_scans,
    };
}

vg_loader_options vg_run_loading(const vg_run_options *options)
{
    vg_loader_options load = vg_loader_options_default();
    load.threads = options->threads;
    load.lockstep = true;
    load.on_error = options->on_error;
    load.min_intact = options->min_intact;
    load.max_bad_share = options->max_bad_share;
    load.decode.max_pixels = options->max_pixels;
    load.decode.max_scans = options->max_scans;
    load.cache = options->cache;
    return load;
}

void vg_run_options_reset(vg_run_options *options)
{
    vg_net_spec_reset(&options->net);
    vg_class_rules_reset(&options->class_rules);
    vg_pixel_stats_release(options->pixels);
    options->pixels = NULL;
    options->normalizer.pixels = NULL;
}

vg_status vg_run_options_copy(const vg_run_options *from, vg_run_options *to, vg_error *err)
{
    *to = *from;
    to->net = (vg_net_spec){0};
    vg_pixel_stats_hold(to->pixels);
    to->class_rules = (vg_class_rules){0};
    vg_status status = vg_net_spec_copy(&from->net, &to->net, err);
    return status ? status : vg_class_rules_copy(&from->class_rules, &to->class_rules, err);
}

static int ascending(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Median size of up to LOOKED_AT training pictures, and whether all of them are grey. */
static vg_status look_at_pictures(const vg_dataset *dataset, int *width, int *height, bool *grey,
                                  vg_error *err)
{
    int widths[LOOKED_AT], heights[LOOKED_AT], n = 0;
    vg_reader reader;
    vg_image image = {0};
    vg_decode_options decode = vg_decode_options_default();
    vg_error first = {0};
    size_t total = vg_dataset_count(dataset), training = 0, seen = 0;
    vg_status status = vg_reader_init(&reader, err);
    for (size_t i = 0; i < total; i++)
        training += vg_dataset_split(dataset, i) == VG_SPLIT_TRAIN;
    size_t stride = training / LOOKED_AT + 1;
    *grey = true;
    for (size_t i = 0; !status && i < total && n < LOOKED_AT; i++) {
        if (vg_dataset_split(dataset, i) != VG_SPLIT_TRAIN || seen++ % stride != 0)
            continue;
        vg_error problem = {0};
        vg_status read = vg_dataset_read(dataset, i, &decode, &reader, &image, NULL, &problem);
        if (read == VG_E_NOMEM)
            status = vg_fail(err, read, "%s", problem.message);
        if (read) {
            if (!first.message[0])
                first = problem;
            continue;
        }
        widths[n] = image.width;
        heights[n++] = image.height;
        *grey = *grey && image.channels == 1;
    }
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    if (status)
        return status;
    if (n == 0)
        return vg_fail(
            err, VG_E_FORMAT, "%s: none of the training pictures looked at can be read%s%s",
            vg_dataset_path(dataset), first.message[0] ? "; the first: " : "", first.message);
    qsort(widths, (size_t)n, sizeof *widths, ascending);
    qsort(heights, (size_t)n, sizeof *heights, ascending);
    *width = widths[n / 2];
    *height = heights[n / 2];
    return VG_OK;
}

vg_status vg_run_shows(const vg_dataset *dataset, const vg_run_options *options, double *shows,
                       vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset), rarest = 0;
    size_t *counts = vg_alloc(classes, sizeof *counts);
    vg_sampler *sampler = NULL;
    *shows = 0;
    if (!counts)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    vg_status status =
        vg_sampler_new(dataset, VG_SPLIT_TRAIN, options->sampling, options->seed, &sampler, err);
    for (size_t k = 1; k < classes; k++)
        if (counts[k] && (!counts[rarest] || counts[k] < counts[rarest]))
            rarest = k;
    if (!status && counts[rarest])
        *shows = (double)vg_sampler_quota(sampler, (int)rarest) / (double)counts[rarest] *
                 options->epochs;
    vg_sampler_free(sampler);
    free(counts);
    return status;
}

static int to_eights(double size)
{
    int n = 8 * (int)lround(size / 8);
    return n < 8 ? 8 : n;
}

static vg_status fit_pixels(const vg_dataset *dataset, vg_run_options *options, int threads,
                            vg_error *err)
{
    const vg_augment augment = {.policy = vg_policy_none(),
                                .channels = options->channels,
                                .height = options->height,
                                .width = options->width,
                                .framing = options->framing};
    const vg_views_options views = {.most = options->fit_images, .threads = threads};
    vg_status status =
        options->normalization == VG_NORMALIZE_ZCA
            ? vg_whiten_fit(dataset, &augment, options->zca_epsilon, &views, &options->pixels, err)
            : vg_pixel_stats_fit(dataset, &augment, options->normalization, &views,
                                 &options->pixels, err);
    if (!status)
        options->normalizer = vg_normalizer_of_pixels(options->normalization, options->pixels);
    return status;
}

/* What another run fitted, if it fits this one's input. */
static vg_status take_statistics(const vg_dataset *dataset, vg_run_options *options, vg_error *err)
{
    vg_checkpoint about;
    const char *path = options->statistics;
    vg_status status = vg_statistics_load(path, &about, err);
    if (status)
        return status;
    vg_normalization kind = about.normalizer.kind;
    bool of_pixels = vg_normalization_is_of_pixels(kind);
    if (about.channels != options->channels ||
        (of_pixels && (about.height != options->height || about.width != options->width)))
        status =
            vg_fail(err, VG_E_SHAPE,
                    "%s: normalization %s was fitted on inputs of %d x %d x %d (height, width, "
                    "channels); these are %d x %d x %d: input.size=%dx%d and input.channels=%d "
                    "would fit",
                    path, vg_normalization_name(kind), about.height, about.width, about.channels,
                    options->height, options->width, options->channels, about.height, about.width,
                    about.channels);
    else if (of_pixels && !vg_framing_equal(&about.framing, &options->framing)) {
        char there[40], here[40];
        vg_framing_print(&about.framing, there, sizeof there);
        vg_framing_print(&options->framing, here, sizeof here);
        status = vg_fail(err, VG_E_SHAPE,
                         "%s: normalization %s was fitted on images resized by \"%s\", here it is "
                         "\"%s\" (input.resize)",
                         path, vg_normalization_name(kind), there, here);
    } else if (vg_normalization_is_fitted(kind) &&
               about.background != vg_dataset_background(dataset)) {
        char there[VG_BACKGROUND_TEXT], here[VG_BACKGROUND_TEXT];
        vg_background_print(about.background, there);
        vg_background_print(vg_dataset_background(dataset), here);
        status = vg_fail(err, VG_E_STATE,
                         "%s: normalization %s was fitted on pictures over %s, here transparent "
                         "pixels are over %s: input.background=%s would fit",
                         path, vg_normalization_name(kind), there, here, there);
    } else {
        options->normalization = kind;
        options->pixels = vg_pixel_stats_hold(about.pixels);
        options->normalizer = about.normalizer;
        if (about.pixels && about.pixels->matrix)
            options->zca_epsilon = about.pixels->epsilon;
    }
    vg_checkpoint_reset(&about);
    return status;
}

static vg_status fit(const vg_dataset *dataset, vg_run_options *options, vg_error *err)
{
    int threads = options->threads > 0 ? options->threads : vg_threads_available();
    vg_normalization kind = options->normalization;
    vg_status status = VG_OK;
    options->stats = (vg_channel_stats){0};
    options->fit_on_some = false;
    if (options->statistics)
        return take_statistics(dataset, options, err);
    if (vg_normalization_is_fitted(kind) && options->fit_images) {
        size_t training = 0;
        for (size_t i = 0; i < vg_dataset_count(dataset); i++)
            training += vg_dataset_split(dataset, i) == VG_SPLIT_TRAIN;
        options->fit_on_some = training > options->fit_images;
    }
    if (vg_normalization_is_of_pixels(kind))
        return fit_pixels(dataset, options, threads, err);
    if (vg_normalization_is_fitted(kind))
        status = vg_channel_stats_fit(dataset, options->channels, options->fit_images, threads,
                                      &options->stats, err);
    if (!status)
        options->normalizer = vg_normalizer_make(kind, options->channels, &options->stats);
    return status;
}

vg_status vg_run_statistics_save(const vg_run_options *options, const vg_dataset *dataset,
                                 const char *path, vg_error *err)
{
    if (!vg_normalization_is_fitted(options->normalization))
        return vg_fail(err, VG_E_ARG,
                       "%s: normalization %s has no statistics to save: zscore, minmax, robust, "
                       "pixel-mean, pixel-zscore and zca are fitted",
                       path, vg_normalization_name(options->normalization));
    const vg_checkpoint about = {.channels = options->channels,
                                 .height = options->height,
                                 .width = options->width,
                                 .framing = options->framing,
                                 .background = vg_dataset_background(dataset),
                                 .max_shrink = options->max_shrink,
                                 .normalizer = vg_run_normalizer(options)};
    return vg_statistics_save(path, &about, vg_dataset_path(dataset), err);
}

vg_normalizer vg_run_normalizer(const vg_run_options *options)
{
    if (options->prepared && options->normalizer.kind == options->normalization &&
        options->normalizer.channels == options->channels)
        return options->normalizer;
    return vg_normalizer_make(options->normalization, options->channels, &options->stats);
}

vg_status vg_run_prepare(const vg_dataset *dataset, vg_run_options *options, vg_error *err)
{
    if (options->prepared)
        return VG_OK;
    if (options->channels == 0 || options->height == 0 || options->width == 0) {
        int width, height;
        bool grey;
        vg_status status = look_at_pictures(dataset, &width, &height, &grey, err);
        if (status)
            return status;
        if (options->channels == 0)
            options->channels = grey ? 1 : 3;
        int longest = width > height ? width : height;
        if (longest > LONGEST_SIDE) {
            double factor = (double)LONGEST_SIDE / longest;
            width = to_eights(width * factor);
            height = to_eights(height * factor);
        }
        if (options->height == 0 || options->width == 0) {
            options->height = height;
            options->width = width;
        }
    }
    vg_status status = fit(dataset, options, err);
    options->prepared = status == VG_OK;
    return status;
}
