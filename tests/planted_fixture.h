/* A small IDX dataset that is easily learned, some of its labels wrong. */
#ifndef VG_TEST_PLANTED_FIXTURE_H
#define VG_TEST_PLANTED_FIXTURE_H

#include "make_idx.h"

enum { PLANTED_CLASSES = 4, PLANTED_EACH = 100, PLANTED_SIZE = 12 };

/* Every step-th training label becomes the next class (`next`) or any other in turn; step 0: none. truth
 * [PLANTED_CLASSES * PLANTED_EACH] gets the right ones. Without held-out images. */
static inline vg_dataset *planted_dataset(char **folder, size_t step, bool next, int *truth)
{
    size_t counts[PLANTED_CLASSES];
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    for (int k = 0; k < PLANTED_CLASSES; k++)
        counts[k] = PLANTED_EACH;
    *folder = test_folder_make();
    make_idx_files(*folder, "train", counts, PLANTED_CLASSES, PLANTED_SIZE);
    char *path = vg_path_join(*folder, "train-labels-idx1-ubyte");
    FILE *labels = fopen(path, "r+b");
    assert_non_null(labels);
    for (size_t i = 0; i < (size_t)PLANTED_CLASSES * PLANTED_EACH; i++) {
        truth[i] = (int)(i / PLANTED_EACH);
        if (step == 0 || i % step != 0)
            continue;
        size_t by = next ? 1 : 1 + i / step % (PLANTED_CLASSES - 1);
        assert_int_equal(fseek(labels, (long)(8 + i), SEEK_SET), 0);
        fputc((int)(((size_t)truth[i] + by) % PLANTED_CLASSES), labels);
    }
    assert_int_equal(fclose(labels), 0);
    free(path);
    assert_ok(vg_dataset_open(*folder, NULL, &dataset, &err));
    return dataset;
}

#endif
