/* A small dataset as IDX files in a temporary folder, for tests that need a real vg_dataset. */
#ifndef VG_TEST_MAKE_IDX_H
#define VG_TEST_MAKE_IDX_H

#include "test.h"

#include "base/file.h"
#include "dataset/dataset.h"

static inline void make_idx_be32(FILE *f, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(v >> shift & 255), f);
}

/* Pixel (x, y) of sample i of class k: a bar whose place tells the class, on a ground that differs from sample to
 * sample. */
static inline int make_idx_pixel(int k, size_t i, int x, int y, int size)
{
    int noise = (int)((i * 2654435761u + (size_t)x * 40503u + (size_t)y * 9973u) >> 4 & 63);
    int bar = (k % 2 ? x : y) * 8 / size == 1 + k % 6;
    return bar ? 255 - noise : noise;
}

static inline void make_idx_files(const char *folder, const char *part, const size_t *counts,
                                  int classes, int size)
{
    char name[64];
    size_t total = 0;
    for (int k = 0; k < classes; k++)
        total += counts[k];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    char *images_path = vg_path_join(folder, name);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    char *labels_path = vg_path_join(folder, name);
    FILE *images = fopen(images_path, "wb"), *labels = fopen(labels_path, "wb");
    assert_non_null(images);
    assert_non_null(labels);
    make_idx_be32(images, 0x803);
    make_idx_be32(images, (uint32_t)total);
    make_idx_be32(images, (uint32_t)size);
    make_idx_be32(images, (uint32_t)size);
    make_idx_be32(labels, 0x801);
    make_idx_be32(labels, (uint32_t)total);
    for (int k = 0; k < classes; k++) {
        for (size_t i = 0; i < counts[k]; i++) {
            for (int y = 0; y < size; y++) {
                for (int x = 0; x < size; x++)
                    fputc(make_idx_pixel(k, i, x, y, size), images);
            }
            fputc(k, labels);
        }
    }
    assert_int_equal(fclose(images), 0);
    assert_int_equal(fclose(labels), 0);
    free(images_path);
    free(labels_path);
}

/* train and test parts with these counts per class; opens the dataset. Remove `folder` with test_folder_remove. */
static inline vg_dataset *make_idx_dataset(char **folder, const size_t *train, const size_t *test,
                                           int classes, int size)
{
    *folder = test_folder_make();
    make_idx_files(*folder, "train", train, classes, size);
    make_idx_files(*folder, "t10k", test, classes, size);
    vg_dataset_options options = vg_dataset_options_default();
    vg_dataset *opened = NULL;
    vg_error err = {0};
    assert_ok(vg_dataset_open(*folder, &options, &opened, &err));
    return opened;
}

#endif
