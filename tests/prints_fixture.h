/* Datasets of names whose pictures exist as fingerprints only. Include after test.h. */
#ifndef VG_PRINTS_FIXTURE_H
#define VG_PRINTS_FIXTURE_H

#include "audit/fingerprint.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "dataset_fixture.h"

/* A random picture of 4 x 4 fields named by `scene`, every pixel changed by up to `noise`. */
static inline void put_print(vg_fingerprint *print, uint64_t scene, int noise, uint64_t seed)
{
    vg_rng fields = vg_rng_make(scene, 0, 0, VG_RNG_SAMPLE_DATA);
    vg_rng pixels = vg_rng_make(seed, 1, scene, VG_RNG_SAMPLE_DATA);
    uint8_t level[16];
    for (int i = 0; i < 16; i++)
        level[i] = (uint8_t)vg_rng_below(&fields, 256);
    for (int y = 0; y < VG_THUMB; y++)
        for (int x = 0; x < VG_THUMB; x++) {
            int v = level[4 * (y / 8) + x / 8];
            if (noise)
                v += (int)vg_rng_below(&pixels, 2 * (uint64_t)noise + 1) - noise;
            print->thumb[y * VG_THUMB + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    print->ready = 1;
}

/* A manifest folder/list.csv that a test writes line by line. */
typedef struct listing {
    FILE *file;
    char *path;
} listing;

static inline listing list_begin(const char *folder)
{
    listing list = {.path = vg_path_join(folder, "list.csv")};
    list.file = fopen(list.path, "w");
    assert_non_null(list.file);
    return list;
}

static inline vg_dataset *list_open(listing *list, const vg_dataset_options *options)
{
    vg_error err = {0};
    vg_dataset *dataset;
    fclose(list->file);
    assert_ok(vg_dataset_open(list->path, options, &dataset, &err));
    free(list->path);
    return dataset;
}

#endif
