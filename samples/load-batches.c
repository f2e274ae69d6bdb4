/* The loader in front of somebody else's training loop: one epoch of augmented, normalized, class-balanced batches.
 *
 *     load-batches DATASET
 *
 * Prints what a loop would get: shape, mean and deviation of each batch, and how often each class stood in the epoch. */
#include "load/loader.h"
#include "normalize.h"
#include "transform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 64, BATCH = 32, THREADS = 2, SEED = 1 };

static void describe(const vg_batch *batch, size_t floats)
{
    double sum = 0, squares = 0;
    size_t n = (size_t)batch->count * floats;
    for (size_t i = 0; i < n; i++) {
        sum += batch->x[i];
        squares += (double)batch->x[i] * batch->x[i];
    }
    double mean = sum / (double)n;
    printf("batch at %llu: %d samples, mean %+.3f, deviation %.3f\n",
           (unsigned long long)batch->first, batch->count, mean,
           sqrt(squares / (double)n - mean * mean));
}

static vg_status run(const char *path, vg_error *err)
{
    vg_dataset_options choices = vg_dataset_options_default();
    vg_dataset *dataset = NULL;
    vg_sampler *sampler = NULL;
    vg_loader *loader = NULL;
    vg_channel_stats stats = {0};
    vg_augment augment = {.channels = 3, .height = SIDE, .width = SIDE};
    size_t *times = NULL;

    vg_status status = vg_dataset_open(path, &choices, &dataset, err);
    if (!status)
        status = vg_policy_parse("light", &augment.policy, err);
    if (!status)
        status = vg_channel_stats_fit(dataset, augment.channels, 0, THREADS, &stats, err);
    if (!status)
        status = vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_BALANCED, SEED, &sampler, err);
    if (!status) {
        augment.normalizer = vg_normalizer_make(VG_NORMALIZE_ZSCORE, augment.channels, &stats);
        vg_transform transform = vg_augment_transform(&augment);
        vg_loader_options options = vg_loader_options_default();
        options.batch = BATCH;
        options.threads = THREADS;
        options.seed = SEED;
        status = vg_loader_open(dataset, sampler, &transform, &options, &loader, err);
    }
    if (!status && !(times = calloc((size_t)vg_dataset_classes(dataset), sizeof *times)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory");
    if (!status)
        status = vg_loader_begin(loader, 0, 0, err);
    vg_batch batch;
    while (!status && (status = vg_loader_next(loader, &batch, err)) == VG_OK) {
        describe(&batch, (size_t)augment.channels * SIDE * SIDE); /* your step stands here */
        for (int i = 0; i < batch.count; i++)
            times[batch.y[i]]++;
        vg_batch_release(loader, &batch);
    }
    for (int k = 0; times && status == VG_END && k < vg_dataset_classes(dataset); k++)
        printf("%-20s %zu times\n", vg_dataset_class_name(dataset, k), times[k]);

    free(times);
    vg_loader_close(loader);
    vg_sampler_free(sampler);
    vg_dataset_close(dataset);
    return status == VG_END ? VG_OK : status;
}

int main(int argc, char **argv)
{
    vg_error err = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: load-batches DATASET\n");
        return 2;
    }
    if (run(argv[1], &err) != VG_OK) {
        fprintf(stderr, "load-batches: %s\n", err.message);
        return 1;
    }
    return 0;
}
