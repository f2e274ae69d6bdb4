/* Manifests written to a temporary folder, opened or refused. Include after test.h. */
#ifndef VG_MANIFEST_FIXTURE_H
#define VG_MANIFEST_FIXTURE_H

#include "dataset_fixture.h"

static char *folder;

static inline int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

static inline vg_dataset *open_manifest(const char *name, const char *text)
{
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, name, text);
    char *path = vg_path_join(folder, name);
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_MANIFEST);
    free(path);
    return dataset;
}

/* Refused, with `part` in the message behind the path of the folder. */
static inline void refuse_manifest(const char *name, const char *text, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, name, text);
    char *path = vg_path_join(folder, name);
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), VG_E_FORMAT);
    assert_null(dataset);
    assert_contains(err.message, part);
    free(path);
}

static inline const char *class_of(const vg_dataset *dataset, const char *name)
{
    return vg_dataset_class_name(dataset, vg_dataset_label(dataset, find_sample(dataset, name)));
}

#endif
