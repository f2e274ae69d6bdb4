/* Integer sums while streaming, floating point only at the end: sums of 8-bit samples and of their
 * squares are exact, so that order and threads cannot change the result. A grey picture among
 * coloured ones counts as one with three equal channels, whichever came first. */
#include "normalize.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* Below half a grey level a picture has no contrast that 8 bits could have stored. */
static const double LEAST_STD = 0.5;
static const float LEAST_RANGE = 1;

/* Grey statistics become those of three equal channels. */
static void spread(vg_channel_stats *stats)
{
    for (int c = 1; c < 3; c++) {
        stats->sum[c] = stats->sum[0];
        stats->sum_squares[c] = stats->sum_squares[0];
        stats->min[c] = stats->min[0];
        stats->max[c] = stats->max[0];
        memcpy(stats->histogram[c], stats->histogram[0], sizeof stats->histogram[c]);
    }
    stats->channels = 3;
}

void vg_channel_stats_merge(vg_channel_stats *into, const vg_channel_stats *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    vg_channel_stats other = *from;
    if (into->channels < other.channels)
        spread(into);
    else if (other.channels < into->channels)
        spread(&other);
    for (int c = 0; c < into->channels; c++) {
        into->sum[c] += other.sum[c];
        into->sum_squares[c] += other.sum_squares[c];
        for (int v = 0; v < 256; v++)
            into->histogram[c][v] += other.histogram[c][v];
        if (other.min[c] < into->min[c])
            into->min[c] = other.min[c];
        if (other.max[c] > into->max[c])
            into->max[c] = other.max[c];
    }
    into->count += other.count;
    into->images += other.images;
}

/* Every `step`-th of the bytes, into four tables in turn: equal neighbours would wait for each
 * other's counter. */
static void count_values(const uint8_t *v, size_t step, size_t n, uint64_t counts[256])
{
    uint32_t part[4][256] = {{0}};
    for (size_t i = 0; i < n; i++)
        part[i & 3][v[i * step]]++;
    for (int k = 0; k < 256; k++)
        counts[k] += (uint64_t)part[0][k] + part[1][k] + part[2][k] + part[3][k];
}

void vg_channel_stats_add(vg_channel_stats *stats, const vg_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    vg_channel_stats one = {.count = pixels, .images = 1, .channels = image->channels};
    for (int c = 0; c < image->channels; c++) {
        const uint64_t *counts = one.histogram[c];
        count_values(image->data + c, (size_t)image->channels, pixels, one.histogram[c]);
        one.min[c] = 255;
        for (uint64_t v = 0; v < 256; v++) {
            one.sum[c] += v * counts[v];
            one.sum_squares[c] += v * v * counts[v];
            one.min[c] = v < one.min[c] && counts[v] ? (uint8_t)v : one.min[c];
            one.max[c] = counts[v] ? (uint8_t)v : one.max[c];
        }
    }
    vg_channel_stats_merge(stats, &one);
}

double vg_channel_mean(const vg_channel_stats *stats, int channel)
{
    return stats->count ? (double)stats->sum[channel] / (double)stats->count : 0;
}

double vg_channel_std(const vg_channel_stats *stats, int channel)
{
    if (stats->count == 0)
        return 0;
    /* n * sum of squares - (sum)^2 in integers: nothing cancels */
    wide n = stats->count, sum = stats->sum[channel];
    wide scaled = n * stats->sum_squares[channel] - sum * sum;
    return sqrt((double)scaled) / (double)stats->count;
}

int vg_channel_percentile(const vg_channel_stats *stats, int channel, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)stats->count), sum = 0;
    for (int v = 0; v < 256; v++) {
        sum += stats->histogram[channel][v];
        if (sum >= wanted && sum > 0)
            return v;
    }
    return 255;
}

/* What the statistics say about channel c of a network with `channels` of them. */
static vg_channel_stats channel_of(const vg_channel_stats *stats, int channels, int c)
{
    vg_channel_stats one = {.count = stats->count, .channels = 1};
    if (channels == 1 && stats->channels == 3) { /* all three together */
        one.count = 3 * stats->count;
        one.min[0] = 255;
        for (int i = 0; i < 3; i++) {
            one.sum[0] += stats->sum[i];
            one.sum_squares[0] += stats->sum_squares[i];
            for (int v = 0; v < 256; v++)
                one.histogram[0][v] += stats->histogram[i][v];
            one.min[0] = stats->min[i] < one.min[0] ? stats->min[i] : one.min[0];
            one.max[0] = stats->max[i] > one.max[0] ? stats->max[i] : one.max[0];
        }
        return one;
    }
    int from = stats->channels == 1 ? 0 : c;
    one.sum[0] = stats->sum[from];
    one.sum_squares[0] = stats->sum_squares[from];
    one.min[0] = stats->min[from];
    one.max[0] = stats->max[from];
    memcpy(one.histogram[0], stats->histogram[from], sizeof one.histogram[0]);
    return one;
}

static void fit_channel(vg_normalizer *normalizer, int c, const vg_channel_stats *one)
{
    double mean = vg_channel_mean(one, 0), std = vg_channel_std(one, 0);
    normalizer->mean[c] = mean;
    normalizer->std[c] = std;
    normalizer->min[c] = one->min[0];
    normalizer->max[c] = one->max[0];
    double centre = mean, width = std;
    if (normalizer->kind == VG_NORMALIZE_ROBUST) {
        normalizer->min[c] = vg_channel_percentile(one, 0, 0.01);
        normalizer->max[c] = vg_channel_percentile(one, 0, 0.99);
    }
    if (normalizer->kind != VG_NORMALIZE_ZSCORE) {
        centre = normalizer->min[c];
        width = normalizer->max[c] - normalizer->min[c];
    }
    if (!(width > 0))
        width = 255;
    normalizer->scale[c] = (float)(1 / width);
    normalizer->offset[c] = (float)(-centre / width);
}

static void use_imagenet(vg_normalizer *normalizer, int c)
{
    static const double mean[4] = {0.485, 0.456, 0.406, (0.485 + 0.456 + 0.406) / 3};
    static const double std[4] = {0.229, 0.224, 0.225, (0.229 + 0.224 + 0.225) / 3};
    int from = normalizer->channels == 1 ? 3 : c;
    normalizer->mean[c] = 255 * mean[from];
    normalizer->std[c] = 255 * std[from];
    normalizer->scale[c] = (float)(1 / (255 * std[from]));
    normalizer->offset[c] = (float)(-mean[from] / std[from]);
}

vg_normalizer vg_normalizer_make(vg_normalization kind, int channels, const vg_channel_stats *stats)
{
    vg_normalizer normalizer = {.kind = kind, .channels = channels};
    bool fitted = vg_normalization_is_fitted(kind) && !vg_normalization_is_of_pixels(kind);
    for (int c = 0; c < channels && c < 3; c++) {
        normalizer.scale[c] = kind == VG_NORMALIZE_NONE ? 1.0F : 1.0F / 255;
        if (kind == VG_NORMALIZE_IMAGENET)
            use_imagenet(&normalizer, c);
        if (fitted && stats && stats->count) {
            vg_channel_stats one = channel_of(stats, channels, c);
            fit_channel(&normalizer, c, &one);
        }
    }
    if (fitted && stats)
        normalizer.images = stats->images;
    return normalizer;
}

vg_normalizer vg_normalizer_of_pixels(vg_normalization kind, const vg_pixel_stats *pixels)
{
    vg_normalizer normalizer = vg_normalizer_make(kind, pixels->channels, NULL);
    size_t plane = (size_t)pixels->height * (size_t)pixels->width;
    for (int c = 0; c < pixels->channels && c < 3; c++) {
        const float *mean = pixels->mean + (size_t)c * plane;
        double sum = 0;
        for (size_t i = 0; i < plane; i++)
            sum += (double)mean[i];
        normalizer.mean[c] = sum / (double)plane;
        normalizer.std[c] = pixels->std[c];
    }
    normalizer.images = pixels->images;
    normalizer.pixels = pixels;
    return normalizer;
}

/* Mean and standard deviation of n values, summed in eight lanes: always in the same order, and the
 * compiler may use vectors. */
static void moments(const float *x, size_t n, double *mean, double *std)
{
    double sum[8] = {0}, squares[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t lane = 0; lane < 8; lane++) {
            double v = x[i + lane];
            sum[lane] += v;
            squares[lane] += v * v;
        }
    for (size_t lane = 0; i < n; i++, lane++) {
        double v = x[i];
        sum[lane] += v;
        squares[lane] += v * v;
    }
    double s = 0, q = 0;
    for (size_t lane = 0; lane < 8; lane++) {
        s += sum[lane];
        q += squares[lane];
    }
    *mean = s / (double)n;
    *std = sqrt(fmax(q / (double)n - *mean * *mean, 0));
}

static void scale_values(float *x, size_t n, float scale, float offset)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * scale + offset;
}

/* Centre first, then scale: v * scale + offset would lose the digits of a dark, flat picture. */
static void centre_values(float *x, size_t n, float centre, float scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - centre) * scale;
}

void vg_normalizer_apply(const vg_normalizer *normalizer, float *x, size_t n)
{
    size_t all = n * (size_t)normalizer->channels;
    if (all == 0 || normalizer->kind == VG_NORMALIZE_NONE)
        return;
    if (normalizer->kind == VG_NORMALIZE_IMAGE_MINMAX) {
        float low = x[0], high = x[0];
        for (size_t i = 1; i < all; i++) {
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }
        float range = high - low > LEAST_RANGE ? high - low : LEAST_RANGE;
        centre_values(x, all, low, 1 / range);
    } else if (normalizer->kind == VG_NORMALIZE_IMAGE_ZSCORE) {
        double mean, std;
        moments(x, all, &mean, &std);
        centre_values(x, all, (float)mean, (float)(1 / fmax(std, LEAST_STD)));
    } else if (normalizer->pixels) {
        const float *mean = normalizer->pixels->mean, *scale = normalizer->pixels->scale;
        for (size_t i = 0; i < all; i++)
            x[i] = (x[i] - mean[i]) * scale[i];
    } else {
        for (int c = 0; c < normalizer->channels; c++)
            scale_values(x + (size_t)c * n, n, normalizer->scale[c], normalizer->offset[c]);
    }
}

vg_status vg_normalizer_check(const vg_normalizer *normalizer, int channels, int height, int width,
                              vg_error *err)
{
    const vg_pixel_stats *p = normalizer->pixels;
    const char *name = vg_normalization_name(normalizer->kind);
    if (!vg_normalization_is_of_pixels(normalizer->kind))
        return VG_OK;
    if (!p)
        return vg_fail(err, VG_E_SHAPE, "normalization %s without its statistics", name);
    if (p->channels != channels || p->height != height || p->width != width)
        return vg_fail(err, VG_E_SHAPE,
                       "normalization %s was fitted on inputs of %d x %d x %d (height, width, "
                       "channels); this one is %d x %d x %d",
                       name, p->height, p->width, p->channels, height, width, channels);
    return VG_OK;
}

/* ---- fitting */

struct seat {
    vg_reader reader;
    vg_image image;
    vg_channel_stats stats;
    vg_status status; /* of setting up */
    bool ready;
};

struct fit {
    const vg_dataset *dataset;
    const size_t *indices;
    vg_decode_options options;
    struct seat *seats;
};

static void fit_one(void *context, int thread, size_t item)
{
    struct fit *fit = context;
    struct seat *seat = &fit->seats[thread];
    if (seat->status)
        return;
    if (!seat->ready) {
        seat->status = vg_reader_init(&seat->reader, NULL);
        if (seat->status)
            return;
        seat->ready = true;
    }
    vg_status status = vg_dataset_read(fit->dataset, fit->indices[item], &fit->options,
                                       &seat->reader, &seat->image, NULL, NULL);
    if (status == VG_OK)
        vg_channel_stats_add(&seat->stats, &seat->image);
    else if (status == VG_E_NOMEM) /* the picture may be fine: do not pass it over in silence */
        seat->status = status;
}

struct ranked {
    uint64_t hash;
    size_t index;
};

static int by_hash(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->hash != q->hash)
        return p->hash < q->hash ? -1 : 1;
    return p->index < q->index ? -1 : p->index > q->index;
}

vg_status vg_normalize_choose(const vg_dataset *dataset, size_t most, size_t **indices,
                              size_t *count, vg_error *err)
{
    size_t all = vg_dataset_count(dataset), n = 0;
    struct ranked *ranked = vg_alloc(all, sizeof *ranked);
    *indices = vg_alloc(all, sizeof **indices);
    if (!ranked || !*indices) {
        free(ranked);
        free(*indices);
        *indices = NULL;
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of training images");
    }
    for (size_t i = 0; i < all; i++) {
        char name[512];
        if (vg_dataset_split(dataset, i) != VG_SPLIT_TRAIN)
            continue;
        size_t length = vg_dataset_name(dataset, i, name, sizeof name);
        length = length < sizeof name ? length : sizeof name - 1;
        ranked[n++] = (struct ranked){vg_hash(name, length, VG_RNG_SELECT), i};
    }
    if (most && most < n) {
        qsort(ranked, n, sizeof *ranked, by_hash);
        n = most;
    }
    for (size_t i = 0; i < n; i++)
        (*indices)[i] = ranked[i].index;
    *count = n;
    free(ranked);
    if (n > 0)
        return VG_OK;
    free(*indices);
    *indices = NULL;
    return vg_fail(err, VG_E_ARG, "%s: no training images to fit the normalization on",
                   vg_dataset_path(dataset));
}

static vg_status collect(struct fit *fit, int threads, size_t count, vg_channel_stats *stats,
                         vg_error *err)
{
    fit->seats = vg_calloc((size_t)threads, sizeof *fit->seats);
    if (!fit->seats)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d threads", threads);
    vg_parallel_for(threads, count, fit_one, fit);
    vg_status status = VG_OK;
    for (int t = 0; t < threads; t++) {
        struct seat *seat = &fit->seats[t];
        vg_channel_stats_merge(stats, &seat->stats);
        if (seat->status)
            status = seat->status;
        vg_image_reset(&seat->image);
        if (seat->ready)
            vg_reader_reset(&seat->reader);
    }
    free(fit->seats);
    return status ? vg_fail(err, status, "channel statistics: %s", vg_status_text(status)) : VG_OK;
}

vg_status vg_channel_stats_fit(const vg_dataset *dataset, int channels, size_t most, int threads,
                               vg_channel_stats *stats, vg_error *err)
{
    *stats = (vg_channel_stats){0};
    if (channels != 0 && channels != 1 && channels != 3)
        return vg_fail(err, VG_E_ARG, "channel statistics of %d channels; expected 1, 3 or 0",
                       channels);
    size_t *indices = NULL, count = 0;
    vg_status status = vg_normalize_choose(dataset, most, &indices, &count, err);
    if (!status) {
        struct fit fit = {
            .dataset = dataset, .indices = indices, .options = vg_decode_options_default()};
        fit.options.channels = channels;
        if (threads < 1)
            threads = vg_threads_available();
        status = collect(&fit, threads, count, stats, err);
    }
    if (!status && stats->images == 0)
        status = vg_fail(err, VG_E_FORMAT, "%s: none of %zu training images could be read",
                         vg_dataset_path(dataset), count);
    free(indices);
    return status;
}

/* ---- words */

static const char *const NAMES[] = {"none",         "unit",         "minmax", "zscore",
                                    "image-minmax", "image-zscore", "robust", "imagenet",
                                    "pixel-mean",   "pixel-zscore", "zca"};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

vg_status vg_normalization_parse(const char *word, vg_normalization *kind, vg_error *err)
{
    for (int i = 0; i < NAME_COUNT; i++)
        if (strcmp(word, NAMES[i]) == 0) {
            *kind = (vg_normalization)i;
            return VG_OK;
        }
    const char *near = vg_nearest(word, NAMES, NAME_COUNT);
    return vg_fail(err, VG_E_ARG,
                   "unknown normalization \"%s\"%s%s%s; known are none, unit, minmax, zscore, "
                   "image-minmax, image-zscore, robust, imagenet, pixel-mean, pixel-zscore, zca",
                   word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *vg_normalization_name(vg_normalization kind)
{
    return (int)kind >= 0 && (int)kind < NAME_COUNT ? NAMES[kind] : "unknown";
}

bool vg_normalization_is_fitted(vg_normalization kind)
{
    return kind == VG_NORMALIZE_MINMAX || kind == VG_NORMALIZE_ZSCORE ||
           kind == VG_NORMALIZE_ROBUST || vg_normalization_is_of_pixels(kind);
}

bool vg_normalization_is_of_pixels(vg_normalization kind)
{
    return kind == VG_NORMALIZE_PIXEL_MEAN || kind == VG_NORMALIZE_PIXEL_ZSCORE ||
           kind == VG_NORMALIZE_ZCA;
}

bool vg_normalization_is_affine(vg_normalization kind)
{
    return kind == VG_NORMALIZE_UNIT || kind == VG_NORMALIZE_IMAGENET ||
           (vg_normalization_is_fitted(kind) && !vg_normalization_is_of_pixels(kind));
}
