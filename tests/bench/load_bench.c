/* Samples per second of the loader, on the works that compare.py gives the customary Python loaders.
 *
 *   load_bench [--work rrc|keras|small] [--threads N] [--batch N] [--seconds S] [--cache WORD]
 *              [--shrink N] [--policy "..."] FOLDER
 *
 * FOLDER holds one folder per class. One warm pass over the files comes first, so that they stand in
 * the page cache, and one untimed epoch when there is a cache; then whole batches of float32 are
 * delivered to a caller who only releases them. Prints one JSON line.
 *
 * rrc    random resized crop to 224x224 (scale 0.08..1, ratio 3/4..4/3), flip, ImageNet mean and std
 * keras  to 150x150: rotation 40, shift 0.2, shear 11.5 degrees, zoom 0.2, flip, fill nearest; times 1/255
 * small  32x32: pad 4, crop, flip, mean and std */
#include "base/clock.h"
#include "transform.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct kind_of_work {
    const char *name, *policy;
    int side;
    bool standardized;
} kind_of_work;

static const kind_of_work works[] = {
    {"rrc", "crop=0.08:1 flip=h", 224, true},
    {"keras", "rotate=40 shift=0.2 shear=11.5 zoom=0.2 flip=h fill=nearest", 150, false},
    {"small", "pad_crop=4 flip=h fill=constant", 32, true},
};

typedef struct settings {
    const kind_of_work *work;
    const char *folder, *policy;
    int threads, batch, shrink;
    double seconds;
    vg_cache_options cache;
} settings;

/* ---- the work */

static vg_normalizer normalizer_of(const kind_of_work *work)
{
    static const double mean[3] = {0.485, 0.456, 0.406}, std[3] = {0.229, 0.224, 0.225};
    vg_normalizer n = vg_normalizer_make(VG_NORMALIZE_UNIT, 3, NULL);
    if (!work->standardized)
        return n;
    n.kind = VG_NORMALIZE_ZSCORE;
    for (int c = 0; c < 3; c++) {
        n.mean[c] = 255 * mean[c];
        n.std[c] = 255 * std[c];
        n.scale[c] = (float)(1 / n.std[c]);
        n.offset[c] = (float)(-n.mean[c] / n.std[c]);
    }
    return n;
}

static vg_status read_all_files(const vg_dataset *dataset, vg_error *err)
{
    vg_reader reader;
    vg_span bytes;
    vg_status status = vg_reader_init(&reader, err);
    for (size_t i = 0; !status && i < vg_dataset_count(dataset); i++)
        status = vg_dataset_bytes(dataset, i, &reader, &bytes, err);
    vg_reader_reset(&reader);
    return status;
}

/* Delivers batches for `seconds`, or one epoch with 0; returns how many samples. */
static vg_status deliver(vg_loader *loader, double seconds, uint32_t *epoch, uint64_t *samples,
                         vg_error *err)
{
    double end = vg_clock() + seconds;
    vg_status status = VG_OK;
    vg_batch batch;
    *samples = 0;
    do {
        while ((status = vg_loader_next(loader, &batch, err)) == VG_OK) {
            *samples += (uint64_t)batch.count;
            vg_batch_release(loader, &batch);
            if (seconds > 0 && vg_clock() >= end)
                return VG_OK;
        }
        if (status == VG_END)
            status = vg_loader_begin(loader, ++*epoch, 0, err);
    } while (!status && seconds > 0);
    return status;
}

static void print(const settings *s, double rate, const vg_loader_times *a,
                  const vg_loader_times *b)
{
    const char *slash = strrchr(s->folder, '/');
    uint64_t samples = b->samples - a->samples;
    double each = samples ? 1e6 / (double)samples : 0;
    printf(
        "{\"peer\": \"variegate\", \"work\": \"%s\", \"data\": \"%s\", \"threads\": %d, "
        "\"images_per_s\": %.1f, \"read_us\": %.2f, \"decode_us\": %.2f, \"transform_us\": %.2f, "
        "\"decoded\": %llu, \"cached\": %llu}\n",
        s->work->name, slash ? slash + 1 : s->folder, s->threads, rate, each * (b->read - a->read),
        each * (b->decode - a->decode), each * (b->transform - a->transform),
        (unsigned long long)(b->decoded - a->decoded), (unsigned long long)(b->cached - a->cached));
}

static vg_status measure(const settings *s, vg_loader *loader, vg_error *err)
{
    uint32_t epoch = 0;
    uint64_t samples = 0;
    vg_status status = vg_loader_begin(loader, 0, 0, err);
    if (!status && s->cache.kind != VG_CACHE_NONE)
        status = deliver(loader, 0, &epoch, &samples, err);
    if (!status)
        status = deliver(loader, s->seconds < 8 ? s->seconds / 2 : 4, &epoch, &samples, err);
    vg_loader_times before = vg_loader_times_of(loader);
    double started = vg_clock();
    if (!status)
        status = deliver(loader, s->seconds, &epoch, &samples, err);
    double elapsed = vg_clock() - started;
    vg_loader_times after = vg_loader_times_of(loader);
    if (!status)
        print(s, (double)samples / elapsed, &before, &after);
    return status;
}

static vg_status run(const settings *s, vg_error *err)
{
    vg_dataset_options all = {.train_share = 1};
    vg_dataset *dataset = NULL;
    vg_sampler *sampler = NULL;
    vg_loader *loader = NULL;
    vg_augment augment = {.normalizer = normalizer_of(s->work),
                          .channels = 3,
                          .height = s->work->side,
                          .width = s->work->side,
                          .max_shrink = s->shrink};
    vg_loader_options options = vg_loader_options_default();
    options.batch = s->batch;
    options.threads = s->threads;
    options.seed = 1;
    vg_status status =
        vg_policy_parse(s->policy ? s->policy : s->work->policy, &augment.policy, err);
    if (!status)
        status = vg_dataset_open(s->folder, &all, &dataset, err);
    if (!status)
        status = read_all_files(dataset, err);
    if (!status)
        status = vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 1, &sampler, err);
    if (!status && s->cache.kind != VG_CACHE_NONE) {
        char key[512];
        vg_loader_cache_key(dataset, &options.decode, key, sizeof key);
        status = vg_cache_open(&s->cache, dataset, key, &options.cache, err);
    }
    vg_transform transform = vg_augment_transform(&augment);
    if (!status)
        status = vg_loader_open(dataset, sampler, &transform, &options, &loader, err);
    if (!status)
        status = measure(s, loader, err);
    vg_loader_close(loader);
    if (options.cache)
        vg_cache_close(options.cache);
    vg_sampler_free(sampler);
    vg_dataset_close(dataset);
    return status;
}

/* ---- the command line */

static int usage(const char *why)
{
    fprintf(stderr,
            "load_bench: %s\nusage: load_bench [--work rrc|keras|small] [--threads N] [--batch N] "
            "[--seconds S] [--cache WORD] [--shrink N] [--policy \"...\"] FOLDER\n",
            why);
    return 2;
}

static bool number(const char *text, double low, double high, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !*end && errno == 0 && *value >= low && *value <= high;
}

static const kind_of_work *find_work(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(works[i].name, name) == 0)
            return &works[i];
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        {"work", required_argument, NULL, 'w'},   {"threads", required_argument, NULL, 't'},
        {"batch", required_argument, NULL, 'b'},  {"seconds", required_argument, NULL, 's'},
        {"cache", required_argument, NULL, 'c'},  {"shrink", required_argument, NULL, 'k'},
        {"policy", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    settings s = {.work = &works[0], .threads = 1, .batch = 64, .seconds = 8};
    vg_error err = {0};
    double threads = 1, batch = 64, shrink = 0;
    int found;
    while ((found = getopt_long(argc, argv, "", table, NULL)) != -1) {
        bool fine = true;
        switch (found) {
        case 'w':
            s.work = find_work(optarg);
            fine = s.work != NULL;
            break;
        case 't':
            fine = number(optarg, 1, 256, &threads);
            break;
        case 'b':
            fine = number(optarg, 1, 65536, &batch);
            break;
        case 's':
            fine = number(optarg, 0.01, 1e6, &s.seconds);
            break;
        case 'c':
            fine = vg_cache_parse(optarg, &s.cache, &err) == VG_OK;
            break;
        case 'k':
            fine = number(optarg, 0, 8, &shrink);
            break;
        case 'p':
            s.policy = optarg;
            break;
        default:
            fine = false;
        }
        if (!fine)
            return usage(err.message[0] ? err.message
                                        : "an option is unknown or has a wrong value");
    }
    if (optind != argc - 1)
        return usage("one folder expected");
    s.folder = argv[optind];
    s.threads = (int)threads;
    s.batch = (int)batch;
    s.shrink = (int)shrink;
    if (run(&s, &err) != VG_OK) {
        fprintf(stderr, "load_bench: %s\n", err.message);
        return 1;
    }
    return 0;
}
