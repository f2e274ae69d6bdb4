/* What one sample costs: each step of the way from a file to the network's input, on one thread.
 *
 *   augment_bench [-r REPEATS] [-o NAME] [FOLDER]
 *
 * Prints a JSON line for each operation. Rounds are interleaved (every operation once, then again),
 * so that a busy moment of the machine hits them all; the median of the rounds is given. The
 * pictures are made up, except for decoding, which needs a FOLDER of them. */
#include "base/rng.h"
#include "dataset/dataset.h"
#include "image/resize.h"
#include "ops/colour.h"
#include "ops/noise.h"
#include "ops/warp.h"
#include "transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 99, VARIANTS = 16, FILES = 64 };

/* A picture, the input's size, and the scratch of all operations. */
typedef struct fixture {
    vg_image in, out;
    int width, height;
    float *planes;
    vg_resize_scratch resize;
    vg_warp_scratch warp;
    vg_augment augment;
    vg_transform transform;
    void *work;
    vg_dataset *dataset;
    vg_reader reader;
} fixture;

typedef struct operation {
    const char *name;
    int in_width, in_height, channels, size;
    const char *policy;
    vg_status (*run)(fixture *f, uint32_t turn, vg_error *err);
    int images; /* in a round */
} operation;

static vg_sample_key key_of(uint32_t turn)
{
    return (vg_sample_key){.seed = 1, .position = turn % VARIANTS};
}

static vg_status run_resize(fixture *f, uint32_t turn, vg_error *err)
{
    (void)turn;
    return vg_image_resize(&f->in, NULL, f->width, f->height, VG_FILTER_BILINEAR, &f->resize,
                           &f->out, err);
}

static vg_status run_warp(fixture *f, uint32_t turn, vg_error *err)
{
    vg_sample_key key = key_of(turn);
    vg_plan plan =
        vg_plan_draw(&f->augment.policy, &key, f->width, f->height, f->in.width, f->in.height);
    vg_warp warp;
    vg_status status = vg_augment_warp(&f->augment, &plan, f->in.width, f->in.height, &warp, err);
    vg_view view = vg_image_view(&f->in);
    return status == VG_OK ? vg_warp_run(&warp, &view, &f->warp, f->planes, err) : status;
}

static vg_status run_remap(fixture *f, uint32_t turn, vg_error *err)
{
    vg_sample_key key = key_of(turn);
    vg_plan plan =
        vg_plan_draw(&f->augment.policy, &key, f->width, f->height, f->in.width, f->in.height);
    vg_remap remap;
    vg_status status = vg_augment_remap(&f->augment, &plan, f->in.width, f->in.height, &remap, err);
    vg_view view = vg_image_view(&f->in);
    return status == VG_OK ? vg_remap_run(&remap, &view, &f->warp, f->planes, err) : status;
}

static vg_status run_colour(fixture *f, uint32_t turn, vg_error *err)
{
    (void)err;
    size_t n = (size_t)f->width * (size_t)f->height;
    double step = 0.01 * (turn % VARIANTS + 1);
    vg_jitter jitter = {1 + step, 1 - step, 1 - step, step, {0, 1, 2, 3}};
    vg_colour_jitter(f->planes, f->in.channels, n, &jitter);
    return VG_OK;
}

static vg_status run_noise(fixture *f, uint32_t turn, vg_error *err)
{
    (void)err;
    vg_sample_key key = key_of(turn);
    vg_noise_add(f->planes, (size_t)f->width * (size_t)f->height * (size_t)f->in.channels, 10,
                 &key);
    return VG_OK;
}

static vg_status run_transform(fixture *f, uint32_t turn, vg_error *err)
{
    vg_sample_key key = key_of(turn);
    vg_view view = vg_image_view(&f->in);
    vg_region region = vg_region_whole(f->in.width, f->in.height, 1);
    return f->transform.run(f->transform.context, f->work, &view, &region, &key, f->planes, err);
}

static vg_status run_decode(fixture *f, uint32_t turn, vg_error *err)
{
    vg_decode_options options = vg_decode_options_default();
    size_t count = vg_dataset_count(f->dataset), few = count < FILES ? count : FILES;
    return vg_dataset_read(f->dataset, turn % few * (count / few), &options, &f->reader, &f->out,
                           NULL, err);
}

/* The works of the Python libraries' comparison: on decoded pictures of 256 x 256 in memory. */
#define TURN "rotate=40 shift=0.2 shear=11.5 zoom=0.2 fill=nearest"
#define JITTER "brightness=0.4 contrast=0.4 saturation=0.4 hue=0.1"

static const operation operations[] = {
    {"affine", 256, 256, 3, 256, TURN, run_warp, 32},
    {"perspective", 256, 256, 3, 256, "perspective=0.5 fill=constant", run_remap, 32},
    {"perspective 0.2", 256, 256, 3, 256, "perspective=0.2 fill=constant", run_remap, 32},
    {"elastic", 256, 256, 3, 256, "elastic=0.03", run_remap, 32},
    {"affine, bicubic", 256, 256, 3, 256, TURN " interpolation=bicubic", run_remap, 32},
    {"affine, nearest", 256, 256, 3, 256, TURN " interpolation=nearest", run_remap, 32},
    {"turn", 256, 256, 3, 256, "turn", run_transform, 32},
    {"jitter", 256, 256, 3, 256, "none", run_colour, 32},
    {"noise", 256, 256, 3, 256, "none", run_noise, 32},
    {"standard", 256, 256, 3, 256, TURN " flip=h " JITTER " noise=10", run_transform, 32},
    {"keras 300x200x3 to 150", 300, 200, 3, 150, "rotate=20 shift=0.2 shear=11.5 zoom=0.2",
     run_warp, 32},
    {"resize 250x200x3 to 224", 250, 200, 3, 224, "none", run_resize, 32},
    {"resize 300x200x3 to 96", 300, 200, 3, 96, "none", run_resize, 200},
    {"resize 300x200x1 to 96", 300, 200, 1, 96, "none", run_resize, 200},
    {"resize 300x200x3 to 32", 300, 200, 3, 32, "none", run_resize, 200},
    {"warp 300x200x3 to 96", 300, 200, 3, 96, "standard", run_warp, 64},
    {"warp 300x200x3 to 96, heavy", 300, 200, 3, 96, "heavy", run_warp, 64},
    {"warp 300x200x3 to 64", 300, 200, 3, 64, "standard", run_warp, 64},
    {"warp 300x200x1 to 96", 300, 200, 1, 96, "standard", run_warp, 64},
    {"warp 64x64x3 to 32", 64, 64, 3, 32, "standard", run_warp, 320},
    {"warp 64x64x3 to 64", 64, 64, 3, 64, "standard", run_warp, 320},
    {"warp 32x32x3 to 32", 32, 32, 3, 32, "standard", run_warp, 960},
    {"warp 28x28x1 to 28", 28, 28, 1, 28, "standard", run_warp, 960},
    {"colour 96x96x3", 96, 96, 3, 96, "none", run_colour, 64},
    {"noise 96x96x3", 96, 96, 3, 96, "none", run_noise, 64},
    {"transform 300x200x3 to 96, none", 300, 200, 3, 96, "none", run_transform, 64},
    {"transform 300x200x3 to 96, standard", 300, 200, 3, 96, "standard", run_transform, 64},
    {"transform 32x32x3 to 32, standard", 32, 32, 3, 32, "standard", run_transform, 320},
    {"transform 32x32x3 to 32, none", 32, 32, 3, 32, "none", run_transform, 3200},
    {"transform 32x32x3 to 32, pad_crop flip", 32, 32, 3, 32, "pad_crop=4 flip=h fill=constant",
     run_transform, 3200},
    {"transform 500x375x3 to 224, crop flip", 500, 375, 3, 224, "crop=0.08 flip=h", run_transform,
     64},
    {"transform 500x375x3 to 224, none", 500, 375, 3, 224, "none", run_transform, 64},
    {"decode", 8, 8, 3, 8, "none", run_decode, 64},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* Smooth shapes with some grain, as photos have. */
static void paint(vg_image *image)
{
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    size_t i = 0;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            for (int c = 0; c < image->channels; c++)
                image->data[i++] = (uint8_t)(40 + (x * (3 + c) + y * (5 - c)) / 4 % 180 +
                                             (int)vg_rng_below(&rng, 20));
}

static vg_status fixture_make(fixture *f, const operation *o, const char *folder, vg_error *err)
{
    f->width = f->height = o->size;
    f->augment.channels = o->channels;
    f->augment.width = f->augment.height = o->size;
    f->augment.normalizer = vg_normalizer_make(VG_NORMALIZE_UNIT, o->channels, NULL);
    f->transform = vg_augment_transform(&f->augment);
    vg_status status = vg_policy_parse(o->policy, &f->augment.policy, err);
    if (status == VG_OK)
        status = vg_image_shape(&f->in, o->in_width, o->in_height, o->channels, err);
    if (status == VG_OK)
        status = f->transform.scratch_new(f->transform.context, &f->work, err);
    if (status == VG_OK && o->run == run_decode && folder) {
        vg_dataset_options options = vg_dataset_options_default();
        status = vg_dataset_open(folder, &options, &f->dataset, err);
        if (status == VG_OK)
            status = vg_reader_init(&f->reader, err);
    }
    if (status != VG_OK)
        return status;
    paint(&f->in);
    size_t values = (size_t)o->size * (size_t)o->size * (size_t)o->channels;
    f->planes = malloc(values * sizeof *f->planes);
    if (!f->planes)
        return vg_fail(err, VG_E_NOMEM, "out of memory for planes");
    for (size_t i = 0; i < values; i++)
        f->planes[i] = (float)(i % 256);
    return VG_OK;
}

static void fixture_reset(fixture *f)
{
    vg_image_reset(&f->in);
    vg_image_reset(&f->out);
    vg_resize_scratch_reset(&f->resize);
    vg_warp_scratch_reset(&f->warp);
    if (f->transform.scratch_free)
        f->transform.scratch_free(f->work);
    vg_dataset_close(f->dataset);
    vg_reader_reset(&f->reader);
    free(f->planes);
}

/* Seconds for an image, over one round. */
static double measure(fixture *f, const operation *o)
{
    vg_error err = {0};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < o->images; i++)
        if (o->run(f, (uint32_t)i, &err) != VG_OK) {
            fprintf(stderr, "augment_bench: %s: %s\n", o->name, err.message);
            exit(1);
        }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec)) /
           o->images;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static fixture fixtures[OPERATIONS];
    static double seconds[OPERATIONS][MOST_ROUNDS];
    int rounds = 9, option;
    const char *only = "";
    while ((option = getopt(argc, argv, "r:o:")) != -1)
        if (option == 'r')
            rounds = (int)strtol(optarg, NULL, 10);
        else if (option == 'o')
            only = optarg;
        else
            rounds = 0;
    if (rounds < 1 || rounds > MOST_ROUNDS || argc - optind > 1) {
        fprintf(stderr, "usage: augment_bench [-r REPEATS, 1 to %d] [-o PART OF A NAME] [FOLDER]\n",
                MOST_ROUNDS);
        return 2;
    }
    const char *folder = argv[optind];
    for (int round = -1; round < rounds; round++) /* the first fills caches and is not counted */
        for (int i = 0; i < OPERATIONS; i++) {
            const operation *o = &operations[i];
            vg_error err = {0};
            if (!strstr(o->name, only) || (o->run == run_decode && !folder))
                continue;
            if (round < 0 && fixture_make(&fixtures[i], o, folder, &err) != VG_OK) {
                fprintf(stderr, "augment_bench: %s\n", err.message);
                return 1;
            }
            double s = measure(&fixtures[i], o);
            if (round >= 0)
                seconds[i][round] = s;
        }
    for (int i = 0; i < OPERATIONS; i++) {
        qsort(seconds[i], (size_t)rounds, sizeof(double), ascending);
        double median = seconds[i][rounds / 2];
        if (median > 0)
            printf("{\"operation\": \"%s\", \"images_per_s\": %.0f, \"us_per_image\": %.2f, "
                   "\"fastest_us\": %.2f, \"repeats\": %d}\n",
                   operations[i].name, 1 / median, 1e6 * median, 1e6 * seconds[i][0], rounds);
        fixture_reset(&fixtures[i]);
    }
    return 0;
}
