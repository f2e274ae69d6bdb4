/* MNIST-style files (LeCun's IDX: two zero bytes, type 8 for unsigned bytes, number of dimensions, the
 * dimensions as big-endian 32-bit numbers, the data) to an index. The pixels stay in memory. Every
 * number is held against the length of the file before it is used. Refuses pairs whose counts differ
 * and parts whose pictures have different sizes. */
#include "dataset/index.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct names {
    const char *prefix;
    vg_split split;
};
static const struct names PARTS[] = {
    {"train", VG_SPLIT_TRAIN}, {"t10k", VG_SPLIT_TEST}, {"test", VG_SPLIT_TEST}};
enum { PART_COUNT = sizeof PARTS / sizeof PARTS[0] };

/* The path of the file, on the heap; NULL if there is none (or no memory). `kind` is "images" or
 * "labels"; some copies write a dot before "idx". */
static char *find_file(const char *folder, const char *prefix, const char *kind)
{
    static const char *const ends[] = {"-ubyte", "-ubyte.gz"};
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s-%s%cidx%d%s", prefix, kind, i < 2 ? '-' : '.',
                 kind[0] == 'i' ? 3 : 1, ends[i % 2]);
        char *path = vg_path_join(folder, name);
        if (path && vg_path_exists(path) && !vg_path_is_folder(path))
            return path;
        free(path);
    }
    return NULL;
}

bool vg_idx_found(const char *folder)
{
    for (int i = 0; i < PART_COUNT; i++)
        for (int kind = 0; kind < 2; kind++) {
            char *path = find_file(folder, PARTS[i].prefix, kind ? "labels" : "images");
            free(path);
            if (path)
                return true;
        }
    return false;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads the file and checks it against its own header: `dimensions` of them into shape[]. */
static vg_status read_idx(const char *path, uint32_t dimensions, size_t *shape, vg_bytes *bytes,
                          vg_error *err)
{
    vg_status status = vg_file_read_gz(path, 0, bytes, err);
    if (status)
        return status;
    size_t header = 4 + 4 * (size_t)dimensions, expected = 1;
    if (bytes->size < header)
        return vg_fail(err, VG_E_FORMAT, "%s: %zu bytes, too short for an IDX header of %zu", path,
                       bytes->size, header);
    uint32_t magic = big_endian(bytes->data), wanted = 0x800 + dimensions;
    if (magic != wanted)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: magic number 0x%08x, expected 0x%08x (unsigned bytes, %u "
                       "dimension%s)",
                       path, magic, wanted, dimensions, dimensions == 1 ? "" : "s");
    for (uint32_t i = 0; i < dimensions; i++) {
        shape[i] = big_endian(bytes->data + 4 + (size_t)4 * i);
        if (shape[i] == 0)
            return vg_fail(err, VG_E_FORMAT, "%s: dimension %u is 0", path, i + 1);
        if (!vg_mul_size(expected, shape[i], &expected))
            return vg_fail(err, VG_E_FORMAT, "%s: its dimensions overflow", path);
    }
    if (bytes->size - header != expected)
        return vg_fail(err, VG_E_FORMAT, "%s: holds %zu bytes of data, its header says %zu", path,
                       bytes->size - header, expected);
    return VG_OK;
}

/* One pair of files: appends a part. */
static vg_status read_pair(vg_dataset *dataset, const char *images, const char *labels,
                           vg_split split, vg_error *err)
{
    size_t shape[3] = {0}, label_count = 0;
    vg_packed_part *part = &dataset->parts[dataset->part_count];
    dataset->part_count++; /* from here on vg_dataset_close releases its bytes */
    vg_status status = read_idx(images, 3, shape, &part->bytes, err);
    if (!status)
        status = read_idx(labels, 1, &label_count, &part->labels, err);
    if (status)
        return status;
    if (label_count != shape[0])
        return vg_fail(err, VG_E_FORMAT, "%s: %zu labels for the %zu images of %s", labels,
                       label_count, shape[0], vg_path_base(images));
    if (shape[1] > 65535 || shape[2] > 65535)
        return vg_fail(err, VG_E_LIMIT, "%s: images of %zux%zu", images, shape[2], shape[1]);
    if (dataset->part_count > 1 &&
        (shape[1] != (size_t)dataset->packed_height || shape[2] != (size_t)dataset->packed_width))
        return vg_fail(err, VG_E_FORMAT, "%s: images of %zux%zu, the training images are %dx%d",
                       images, shape[2], shape[1], dataset->packed_width, dataset->packed_height);
    dataset->packed_height = (int)shape[1];
    dataset->packed_width = (int)shape[2];
    dataset->packed_channels = 1;
    part->first = 16;
    part->stride = shape[1] * shape[2];
    part->count = shape[0];
    part->split = split;
    return VG_OK;
}

static vg_status find_pair(vg_dataset *dataset, const struct names *names, vg_error *err)
{
    char *images_path = find_file(dataset->path, names->prefix, "images");
    char *labels_path = find_file(dataset->path, names->prefix, "labels");
    vg_status status = VG_OK;
    if (images_path && labels_path)
        status = read_pair(dataset, images_path, labels_path, names->split, err);
    else if (images_path || labels_path)
        status = vg_fail(err, VG_E_FORMAT, "%s: %s is there, but no %s-%s-ubyte[.gz] beside it",
                         dataset->path, vg_path_base(images_path ? images_path : labels_path),
                         names->prefix, images_path ? "labels-idx1" : "images-idx3");
    free(images_path);
    free(labels_path);
    return status;
}

/* classes.txt beside the files. Without it *count stays 0. */
static vg_status read_class_names(const vg_dataset *dataset, vg_bytes *text,
                                  char *names[VG_PACKED_LABELS], int *count, vg_error *err)
{
    *count = 0;
    char *path = vg_path_join(dataset->path, "classes.txt");
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    vg_status status = VG_OK;
    if (vg_path_exists(path))
        status = vg_packed_class_names(path, text, names, count, err);
    free(path);
    return status;
}

/* Classes are the labels that occur in any part, in the order of their numbers. */
static vg_status add_classes(vg_dataset *dataset, int map[VG_PACKED_LABELS], vg_error *err)
{
    bool occurs[VG_PACKED_LABELS] = {false};
    int top = -1, count = 0;
    for (int p = 0; p < dataset->part_count; p++) {
        const vg_bytes *labels = &dataset->parts[p].labels;
        for (size_t i = 8; i < labels->size; i++) {
            occurs[labels->data[i]] = true;
            if (labels->data[i] > top)
                top = labels->data[i];
        }
    }
    vg_bytes text = {0};
    char *names[VG_PACKED_LABELS];
    vg_status status = read_class_names(dataset, &text, names, &count, err);
    if (!status && count && count <= top)
        status = vg_fail(err, VG_E_FORMAT, "%s/classes.txt: %d names, but label %d occurs",
                         dataset->path, count, top);
    for (int k = 0; !status && k <= top; k++) {
        char number[8];
        snprintf(number, sizeof number, "%d", k);
        const char *name = count ? names[k] : number;
        if (occurs[k])
            status = vg_index_class(dataset, name, strlen(name), &map[k], err);
    }
    vg_bytes_reset(&text);
    return status;
}

vg_status vg_idx_read_files(vg_dataset *dataset, vg_error *err)
{
    int map[VG_PACKED_LABELS] = {0};
    vg_status status = VG_OK;
    dataset->kind = VG_DATASET_IDX;
    for (int i = 0; !status && i < PART_COUNT; i++) {
        bool second_test = dataset->part_count && PARTS[i].split == VG_SPLIT_TEST &&
                           dataset->parts[dataset->part_count - 1].split == VG_SPLIT_TEST;
        if (!second_test) /* t10k and test are two names for the same part */
            status = find_pair(dataset, &PARTS[i], err);
    }
    if (!status)
        status = add_classes(dataset, map, err);
    uint64_t place = 0;
    for (int p = 0; !status && p < dataset->part_count; p++) {
        vg_packed_part *part = &dataset->parts[p];
        for (size_t i = 0; !status && i < part->count; i++)
            status = vg_index_add_place(dataset, place++, map[part->labels.data[8 + i]],
                                        part->split, err);
        vg_bytes_reset(&part->labels);
    }
    return status ? status : vg_index_finish(dataset, VG_CLASSES_AS_ADDED, NULL, err);
}
