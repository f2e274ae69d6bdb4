/* The binary version of CIFAR-10 and CIFAR-100 to an index (format: Krizhevsky, "The CIFAR-10
 * dataset", cs.toronto.edu/~kriz/cifar.html). A record is one label byte (CIFAR-100: the coarse and
 * then the fine label) and 32x32 pixels, all red bytes first, then green, then blue; a file is
 * nothing but records. There is no header to check, so everything else is: the length of each file,
 * every label, that no training batch is missing between others. Refuses the Python version: its
 * pickles are programs. */
#include "dataset/index.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 32, PLANES = 3, PIXEL_BYTES = SIDE * SIDE * PLANES, MOST_BATCHES = 9 };

/* What distinguishes the two. */
struct variant {
    const char *folder, *python;
    size_t labels; /* label bytes of a record */
    int classes, coarse_classes;
    const char *class_names, *coarse_names;
};
static const struct variant TEN = {
    "cifar-10-batches-bin", "cifar-10-batches-py", 1, 10, 0, "batches.meta.txt", NULL};
static const struct variant HUNDRED = {"cifar-100-binary",     "cifar-100-python",      2, 100, 20,
                                       "fine_label_names.txt", "coarse_label_names.txt"};

static bool has_file(const char *folder, const char *name, uint64_t *size)
{
    struct stat st;
    char *path = vg_path_join(folder, name);
    bool found = path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    if (found && size)
        *size = (uint64_t)st.st_size;
    free(path);
    return found;
}

static void batch_name(int number, char name[24])
{
    snprintf(name, 24, "data_batch_%d.bin", number);
}

static int last_batch(const char *folder)
{
    char name[24];
    int last = 0;
    for (int i = 1; i <= MOST_BATCHES; i++) {
        batch_name(i, name);
        if (has_file(folder, name, NULL))
            last = i;
    }
    return last;
}

/* train.bin and test.bin are names that anybody may use: the list of labels beside them, or a length
 * that fits, tells CIFAR-100. */
static bool holds_hundred(const char *folder)
{
    uint64_t size = 0;
    size_t record = HUNDRED.labels + PIXEL_BYTES;
    if (!has_file(folder, "train.bin", &size) && !has_file(folder, "test.bin", &size))
        return false;
    return has_file(folder, HUNDRED.class_names, NULL) ||
           has_file(folder, HUNDRED.coarse_names, NULL) || (size > 0 && size % record == 0);
}

/* The variant whose files stand in the folder itself; NULL if none does. */
static const struct variant *variant_in(const char *folder)
{
    if (last_batch(folder) || has_file(folder, "test_batch.bin", NULL))
        return &TEN;
    return holds_hundred(folder) ? &HUNDRED : NULL;
}

/* Whether folder/name holds the files of the variant. */
static bool variant_below(const char *folder, const struct variant *variant)
{
    char *path = vg_path_join(folder, variant->folder);
    bool found = path && variant_in(path) == variant;
    free(path);
    return found;
}

/* The Python version, in the folder itself or unpacked below it. */
static bool holds_pickles(const char *folder)
{
    char *ten = vg_path_join(folder, TEN.python), *hundred = vg_path_join(folder, HUNDRED.python);
    bool found =
        (has_file(folder, "data_batch_1", NULL) && has_file(folder, "batches.meta", NULL)) ||
        (has_file(folder, "train", NULL) && has_file(folder, "meta", NULL)) ||
        (ten && has_file(ten, "data_batch_1", NULL)) ||
        (hundred && has_file(hundred, "train", NULL));
    free(ten);
    free(hundred);
    return found;
}

bool vg_cifar_found(const char *folder)
{
    return variant_in(folder) || variant_below(folder, &TEN) || variant_below(folder, &HUNDRED) ||
           holds_pickles(folder);
}

/* Appends a part, with its length and its labels checked. */
static vg_status read_part(vg_dataset *dataset, const struct variant *variant, const char *name,
                           vg_split split, vg_error *err)
{
    size_t record = variant->labels + PIXEL_BYTES, number = 0;
    for (int p = 0; p < dataset->part_count; p++)
        if (dataset->parts[p].split == split)
            number += dataset->parts[p].count;
    char *path = vg_path_join(dataset->root, name);
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    vg_packed_part *part = &dataset->parts[dataset->part_count++];
    vg_status status = vg_file_read(path, 0, &part->bytes, err);
    size_t size = part->bytes.size;
    if (!status && (size == 0 || size % record))
        status = vg_fail(
            err, VG_E_FORMAT, "%s: %zu bytes, %zu records of %zu and %zu bytes left over; %s", path,
            size, size / record, record, size % record,
            size ? "a download that was cut, or not the binary version" : "an empty file");
    *part = (vg_packed_part){.bytes = part->bytes,
                             .first = variant->labels,
                             .stride = record,
                             .count = size / record,
                             .number = number,
                             .split = split};
    for (size_t i = 0; !status && i < part->count; i++) {
        const uint8_t *label = part->bytes.data + i * record;
        if (variant->coarse_classes && label[0] >= variant->coarse_classes)
            status = vg_fail(err, VG_E_FORMAT,
                             "%s: record %zu (byte %zu) has the coarse label %d, expected 0 to %d",
                             path, i, i * record, label[0], variant->coarse_classes - 1);
        else if (label[variant->labels - 1] >= variant->classes)
            status = vg_fail(err, VG_E_FORMAT,
                             "%s: record %zu (byte %zu) has the label %d, expected 0 to %d", path,
                             i, i * record, label[variant->labels - 1], variant->classes - 1);
    }
    free(path);
    return status;
}

static vg_status read_parts(vg_dataset *dataset, const struct variant *variant, vg_error *err)
{
    vg_status status = VG_OK;
    const char *test = variant == &TEN ? "test_batch.bin" : "test.bin";
    int last = variant == &TEN ? last_batch(dataset->root) : 0;
    for (int i = 1; !status && i <= last; i++) {
        char name[24];
        batch_name(i, name);
        if (has_file(dataset->root, name, NULL))
            status = read_part(dataset, variant, name, VG_SPLIT_TRAIN, err);
        else
            status = vg_fail(err, VG_E_FORMAT, "%s: data_batch_%d.bin is there, but %s is not",
                             dataset->root, last, name);
    }
    if (variant == &HUNDRED && has_file(dataset->root, "train.bin", NULL))
        status = read_part(dataset, variant, "train.bin", VG_SPLIT_TRAIN, err);
    if (!status && has_file(dataset->root, test, NULL))
        status = read_part(dataset, variant, test, VG_SPLIT_TEST, err);
    return status;
}

/* A class for each label, those that do not occur left out by vg_index_finish. */
static vg_status add_classes(vg_dataset *dataset, const char *file, int classes, vg_error *err)
{
    char *names[VG_PACKED_LABELS] = {NULL};
    int count = 0;
    vg_bytes text = {0};
    char *path = vg_path_join(dataset->root, file);
    vg_status status = path ? VG_OK : vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    if (!status && vg_path_exists(path)) {
        status = vg_packed_class_names(path, &text, names, &count, err);
        if (!status && count != classes)
            status = vg_fail(err, VG_E_FORMAT, "%s: %d names, expected %d", path, count, classes);
    }
    for (int k = 0; !status && k < classes; k++) {
        char number[12];
        int label;
        snprintf(number, sizeof number, "%d", k);
        const char *name = count ? names[k] : number;
        status = vg_index_class(dataset, name, strlen(name), &label, err);
    }
    vg_bytes_reset(&text);
    free(path);
    return status;
}

static vg_status find_root(vg_dataset *dataset, const struct variant **variant, vg_error *err)
{
    bool ten = false, hundred = false;
    *variant = variant_in(dataset->path);
    if (!*variant) {
        ten = variant_below(dataset->path, &TEN);
        hundred = variant_below(dataset->path, &HUNDRED);
        *variant = ten ? &TEN : hundred ? &HUNDRED : NULL;
    }
    if (ten && hundred)
        return vg_fail(err, VG_E_FORMAT, "%s: holds both %s and %s; name one of them",
                       dataset->path, TEN.folder, HUNDRED.folder);
    if (!*variant)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: the Python version of CIFAR (pickles, which are programs and are not "
                       "run); expected the binary version (%s, %s)",
                       dataset->path, TEN.folder, HUNDRED.folder);
    dataset->root =
        ten || hundred ? vg_path_join(dataset->path, (*variant)->folder) : vg_strdup(dataset->path);
    if (!dataset->root)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    return VG_OK;
}

vg_status vg_cifar_read_files(vg_dataset *dataset, bool coarse, vg_error *err)
{
    const struct variant *variant;
    dataset->kind = VG_DATASET_CIFAR;
    vg_status status = find_root(dataset, &variant, err);
    if (status)
        return status;
    coarse = coarse && variant->coarse_classes;
    dataset->packed_width = dataset->packed_height = SIDE;
    dataset->packed_channels = PLANES;
    status = read_parts(dataset, variant, err);
    if (!status)
        status = add_classes(dataset, coarse ? variant->coarse_names : variant->class_names,
                             coarse ? variant->coarse_classes : variant->classes, err);
    uint64_t place = 0;
    for (int p = 0; !status && p < dataset->part_count; p++) {
        const vg_packed_part *part = &dataset->parts[p];
        for (size_t i = 0; !status && i < part->count; i++) {
            const uint8_t *labels = part->bytes.data + i * part->stride;
            int label = labels[coarse ? 0 : variant->labels - 1];
            status = vg_index_add_place(dataset, place++, label, part->split, err);
        }
    }
    return status ? status : vg_index_finish(dataset, VG_CLASSES_AS_ADDED, NULL, err);
}
