/* Small datasets on disk for the tests of dataset/, normalize and audit. Header only; include after
 * test.h. */
#ifndef VG_DATASET_FIXTURE_H
#define VG_DATASET_FIXTURE_H

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/dataset.h"
#include "image/encode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes `size` bytes to folder/name, making the folders in between. */
static inline void put_bytes(const char *folder, const char *name, const void *bytes, size_t size)
{
    vg_error err = {0};
    char *path = vg_path_join(folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_ok(vg_make_folders(path, &err));
    *slash = '/';
    assert_ok(vg_file_write(path, bytes, size, &err));
    free(path);
}

static inline void put_text(const char *folder, const char *name, const char *text)
{
    put_bytes(folder, name, text, strlen(text));
}

/* An empty file folder/name; its name may be as long as the system allows. */
static inline void put_empty(const char *folder, const char *name)
{
    vg_error err = {0};
    char *path = vg_path_join(folder, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd < 0) {
        char *slash = strrchr(path, '/');
        *slash = '\0';
        assert_ok(vg_make_folders(path, &err));
        *slash = '/';
        fd = open(path, O_CREAT | O_WRONLY, 0644);
    }
    assert_true(fd >= 0);
    close(fd);
    free(path);
}

/* Gives up root's right to read everything, until become_root. Returns whether it had it. */
static inline bool become_nobody(const char *folder)
{
    if (geteuid() != 0)
        return false;
    assert_int_equal(chmod(folder, 0755), 0); /* mkdtemp made it for root alone */
    assert_int_equal(seteuid(65534), 0);
    return true;
}

static inline void become_root(bool was)
{
    if (was)
        assert_int_equal(seteuid(0), 0);
}

/* A picture, JPEG or PNG as its name says. */
static inline void put_image(const char *folder, const char *name, const vg_image *image)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    if (vg_format_of_name(name) == VG_FORMAT_JPEG)
        assert_ok(vg_jpeg_encode(image, 95, &bytes, &err));
    else
        assert_ok(vg_png_encode(image, 1, &bytes, &err));
    put_bytes(folder, name, bytes.data, bytes.size);
    vg_bytes_reset(&bytes);
}

/* A picture of one colour; channels 1 uses r alone. */
static inline void put_flat(const char *folder, const char *name, int channels, const uint8_t *rgb)
{
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, 8, 6, channels, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = rgb[i % (size_t)channels];
    put_image(folder, name, &image);
    vg_image_reset(&image);
}

/* The index of the sample called `name`; fails the test without one. */
static inline size_t find_sample(const vg_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        char other[512];
        vg_dataset_name(dataset, i, other, sizeof other);
        if (strcmp(name, other) == 0)
            return i;
    }
    fail_msg("no sample \"%s\"", name);
    return 0;
}

static inline void put_be32(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* An IDX pair "prefix-images-idx3-ubyte", "prefix-labels-idx1-ubyte". */
static inline void put_idx(const char *folder, const char *prefix, size_t n, size_t height,
                           size_t width, const uint8_t *pixels, const uint8_t *labels)
{
    size_t size = n * height * width;
    uint8_t *bytes = malloc(16 + size + 8 + n);
    char name[64];
    assert_non_null(bytes);
    put_be32(bytes, 0x803);
    put_be32(bytes + 4, n);
    put_be32(bytes + 8, height);
    put_be32(bytes + 12, width);
    memcpy(bytes + 16, pixels, size);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    put_bytes(folder, name, bytes, 16 + size);
    put_be32(bytes, 0x801);
    put_be32(bytes + 4, n);
    memcpy(bytes + 8, labels, n);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    put_bytes(folder, name, bytes, 8 + n);
    free(bytes);
}

/* VG_DATA/name on the heap; skips the test without VG_DATA. */
static inline char *real_data(const char *name)
{
    const char *data = getenv("VG_DATA");
    if (!data || !*data)
        skip();
    char *path = vg_path_join(data, name);
    if (!vg_path_exists(path)) {
        free(path);
        path = NULL;
        skip();
    }
    return path;
}

#endif
