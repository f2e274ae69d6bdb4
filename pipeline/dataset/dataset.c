/* Opening, asking and reading a dataset; what differs between the kinds is behind the index. Nothing
 * here changes an open dataset, so every thread may use it at once. */
#include "dataset/dataset.h"

#include "base/alloc.h"
#include "dataset/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Longer paths cannot be opened on the systems we know (PATH_MAX). */
enum { PATH_BYTES = 4096 };

static vg_status read_kind(vg_dataset *dataset, const vg_dataset_options *options, vg_error *err)
{
    struct stat st;
    bool archives = false;
    if (stat(dataset->path, &st) != 0) {
        int reason = errno;
        if (vg_shards_are_named(dataset->path))
            return vg_shards_read(dataset, err);
        return vg_fail(err, VG_E_IO, "%s: %s", dataset->path, strerror(reason));
    }
    if (S_ISREG(st.st_mode)) {
        vg_status status = vg_archive_found(dataset->path, &archives, err);
        return status     ? status
               : archives ? vg_archive_read(dataset, err)
                          : vg_manifest_read(dataset, err);
    }
    if (!S_ISDIR(st.st_mode))
        return vg_fail(err, VG_E_IO, "%s: neither a folder nor a file", dataset->path);
    if (vg_idx_found(dataset->path))
        return vg_idx_read_files(dataset, err);
    if (vg_cifar_found(dataset->path))
        return vg_cifar_read_files(dataset, options->coarse_labels, err);
    if (vg_metadata_found(dataset->path))
        return vg_metadata_read(dataset, err);
    vg_status status = vg_shards_found(dataset->path, &archives, err);
    if (status)
        return status;
    if (archives)
        return vg_shards_read(dataset, err);
    return vg_folder_scan(dataset, options, err);
}

/* Lists a dataset; `contained` for a manifest about it. */
static vg_status read_fresh(const char *path, const vg_dataset_options *options, bool contained,
                            vg_dataset **dataset, vg_error *err)
{
    *dataset = NULL;
    vg_dataset *fresh = vg_calloc(1, sizeof *fresh);
    if (!fresh || !(fresh->path = vg_strdup(path))) {
        free(fresh);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    }
    fresh->background = options->background < 0 ? VG_BACKGROUND_BLACK : options->background;
    fresh->options = *options;
    fresh->contained = contained;
    vg_status status = read_kind(fresh, options, err);
    if (status)
        vg_dataset_close(fresh);
    else
        *dataset = fresh;
    return status;
}

vg_status vg_dataset_index(const char *path, const vg_dataset_options *options,
                           vg_dataset **dataset, vg_error *err)
{
    vg_dataset_options all = *options;
    all.counts_only = false;
    return read_fresh(path, &all, true, dataset, err);
}

vg_status vg_dataset_open(const char *path, const vg_dataset_options *options, vg_dataset **dataset,
                          vg_error *err)
{
    vg_dataset_options standard = vg_dataset_options_default();
    if (!options)
        options = &standard;
    vg_status status = read_fresh(path, options, false, dataset, err);
    if (!status)
        status = vg_split_assign(*dataset, options, err);
    if (status) {
        vg_dataset_close(*dataset);
        *dataset = NULL;
    }
    return status;
}

void vg_dataset_close(vg_dataset *dataset)
{
    if (!dataset)
        return;
    free(dataset->path);
    free(dataset->root);
    free(dataset->container);
    vg_archives_free(dataset->archives);
    free(dataset->names);
    free(dataset->folders);
    free(dataset->samples);
    free(dataset->tally);
    free(dataset->classes);
    free(dataset->buckets);
    for (size_t i = 0; i < dataset->notes_kept; i++)
        free(dataset->notes[i]);
    for (int i = 0; i < VG_PACKED_PARTS; i++) {
        vg_bytes_reset(&dataset->parts[i].bytes);
        vg_bytes_reset(&dataset->parts[i].labels);
    }
    free(dataset);
}

size_t vg_dataset_count(const vg_dataset *dataset)
{
    return dataset->count;
}

int vg_dataset_classes(const vg_dataset *dataset)
{
    return dataset->class_count;
}

const char *vg_dataset_class_name(const vg_dataset *dataset, int label)
{
    return vg_index_class_name(dataset, label);
}

bool vg_dataset_is_counted(const vg_dataset *dataset)
{
    return dataset->tally != NULL;
}

int vg_dataset_label(const vg_dataset *dataset, size_t index)
{
    assert(!dataset->tally);
    return vg_sample_label(dataset->samples[index]);
}

vg_split vg_dataset_split(const vg_dataset *dataset, size_t index)
{
    assert(!dataset->tally);
    return vg_sample_split(dataset->samples[index]);
}

size_t vg_dataset_name(const vg_dataset *dataset, size_t index, char *name, size_t capacity)
{
    assert(!dataset->tally);
    uint64_t place = vg_sample_place(dataset->samples[index]);
    if (vg_is_packed(dataset))
        return vg_packed_name(dataset, place, name, capacity);
    if (dataset->archives)
        return vg_archives_name(dataset, place, name, capacity);
    return vg_index_name(dataset, index, name, capacity);
}

vg_dataset_kind vg_dataset_kind_of(const vg_dataset *dataset)
{
    return dataset->kind;
}

const char *vg_dataset_kind_name(vg_dataset_kind kind)
{
    switch (kind) {
    case VG_DATASET_FOLDER:
        return "folder";
    case VG_DATASET_MANIFEST:
        return "manifest";
    case VG_DATASET_ARCHIVE:
        return "archive";
    case VG_DATASET_WEBDATASET:
        return "webdataset";
    case VG_DATASET_IDX:
        return "idx";
    case VG_DATASET_CIFAR:
        return "cifar";
    }
    return "unknown";
}

const char *vg_dataset_path(const vg_dataset *dataset)
{
    return dataset->path;
}

bool vg_dataset_brings_splits(const vg_dataset *dataset)
{
    return dataset->brings_splits;
}

vg_dataset_options vg_dataset_options_of(const vg_dataset *dataset)
{
    return dataset->options;
}

vg_dataset_ignored vg_dataset_ignored_of(const vg_dataset *dataset)
{
    return dataset->ignored;
}

void vg_dataset_counts(const vg_dataset *dataset, vg_split split, size_t *counts)
{
    for (int k = 0; k < dataset->class_count; k++)
        counts[k] = dataset->tally ? dataset->tally[k].of[split] : 0;
    for (size_t i = 0; !dataset->tally && i < dataset->count; i++)
        if (vg_sample_split(dataset->samples[i]) == split)
            counts[vg_sample_label(dataset->samples[i])]++;
}

void vg_dataset_tally(const vg_dataset *dataset, size_t *counts)
{
    size_t classes = (size_t)dataset->class_count;
    for (size_t i = 0; i < VG_SPLIT_COUNT * classes; i++)
        counts[i] = dataset->tally ? dataset->tally[i % classes].of[i / classes] : 0;
    for (size_t i = 0; !dataset->tally && i < dataset->count; i++) {
        vg_sample sample = dataset->samples[i];
        counts[(size_t)vg_sample_split(sample) * classes + (size_t)vg_sample_label(sample)]++;
    }
}

uint64_t vg_dataset_position(const vg_dataset *dataset, size_t index)
{
    if (dataset->archives)
        return vg_archives_position(dataset, vg_sample_place(dataset->samples[index]));
    return index;
}

vg_status vg_reader_init(vg_reader *reader, vg_error *err)
{
    *reader = (vg_reader){0};
    return vg_decoder_new(&reader->decoder, err);
}

void vg_reader_reset(vg_reader *reader)
{
    vg_bytes_reset(&reader->bytes);
    vg_decoder_free(reader->decoder);
    reader->decoder = NULL;
    vg_unpacker_free(reader->unpacker);
    reader->unpacker = NULL;
}

/* Where the file of a sample lies. False if that is longer than a path can be. */
static bool path_of(const vg_dataset *dataset, size_t index, char path[PATH_BYTES])
{
    uint64_t place = vg_sample_place(dataset->samples[index]);
    bool absolute = *vg_index_file(dataset, place) == '/'; /* in manifests */
    size_t at = absolute ? 0 : strlen(dataset->root);
    if (at + 1 >= PATH_BYTES)
        return false;
    memcpy(path, dataset->root, at);
    if (at && path[at - 1] != '/')
        path[at++] = '/';
    return at + vg_index_name(dataset, index, path + at, PATH_BYTES - at) < PATH_BYTES;
}

/* Puts the sample's name before the message. */
static vg_status fail_in_sample(const vg_dataset *dataset, size_t index, vg_status status,
                                vg_error *err)
{
    char name[PATH_BYTES];
    vg_dataset_name(dataset, index, name, sizeof name);
    return vg_fail_in(err, name, status);
}

vg_status vg_dataset_bytes(const vg_dataset *dataset, size_t index, vg_reader *reader,
                           vg_span *bytes, vg_error *err)
{
    uint64_t place = vg_sample_place(dataset->samples[index]);
    if (vg_is_packed(dataset)) {
        *bytes = vg_packed_bytes(dataset, place);
        return VG_OK;
    }
    if (dataset->archives)
        return vg_archives_bytes(dataset, place, reader, bytes, err);
    char path[PATH_BYTES];
    if (!path_of(dataset, index, path)) {
        vg_index_name(dataset, index, path, sizeof path);
        return vg_fail(err, VG_E_LIMIT, "%.200s...: a path of more than %d bytes", path,
                       PATH_BYTES - 1);
    }
    vg_status status = vg_file_read(path, 0, &reader->bytes, err);
    *bytes = (vg_span){reader->bytes.data, reader->bytes.size};
    return status; /* names the file already */
}

vg_status vg_dataset_decode(const vg_dataset *dataset, size_t index, vg_span bytes,
                            const vg_decode_options *options, vg_reader *reader, vg_image *image,
                            vg_decode_info *info, vg_error *err)
{
    vg_decode_options own = options ? *options : vg_decode_options_default();
    if (own.background < 0)
        own.background = dataset->background;
    if (vg_is_packed(dataset))
        return vg_packed_decode(dataset, bytes, &own, image, info, err);
    vg_status status = vg_decode(reader->decoder, bytes.data, bytes.size, &own, image, info, err);
    return status ? fail_in_sample(dataset, index, status, err) : VG_OK;
}

vg_status vg_dataset_read(const vg_dataset *dataset, size_t index, const vg_decode_options *options,
                          vg_reader *reader, vg_image *image, vg_decode_info *info, vg_error *err)
{
    if (info)
        *info = (vg_decode_info){0};
    vg_span bytes;
    vg_status status = vg_dataset_bytes(dataset, index, reader, &bytes, err);
    if (status)
        return status;
    return vg_dataset_decode(dataset, index, bytes, options, reader, image, info, err);
}

const char *vg_dataset_root(const vg_dataset *dataset)
{
    return vg_dataset_container(dataset) ? NULL : dataset->root;
}

const char *vg_dataset_container(const vg_dataset *dataset)
{
    return dataset->container                           ? dataset->container
           : dataset->archives || vg_is_packed(dataset) ? dataset->path
                                                        : NULL;
}

int vg_dataset_background(const vg_dataset *dataset)
{
    return dataset->background;
}

bool vg_dataset_is_decoded(const vg_dataset *dataset)
{
    return vg_is_packed(dataset);
}

vg_status vg_dataset_stamp(const vg_dataset *dataset, size_t index, vg_stamp *stamp, vg_error *err)
{
    struct stat st;
    char path[PATH_BYTES];
    *stamp = (vg_stamp){0};
    if (vg_is_packed(dataset)) /* read into memory when the dataset was opened */
        return VG_OK;
    if (dataset->archives) {
        vg_archives_stamp(dataset, vg_sample_place(dataset->samples[index]), stamp);
        return VG_OK;
    }
    errno = ENAMETOOLONG;
    if (!path_of(dataset, index, path) || stat(path, &st) != 0) {
        vg_fail(err, VG_E_IO, "%s", strerror(errno));
        return fail_in_sample(dataset, index, VG_E_IO, err);
    }
    stamp->size = (uint64_t)st.st_size;
    stamp->modified = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return VG_OK;
}

uint64_t vg_dataset_file_bytes(const vg_dataset *dataset, size_t index)
{
    struct stat st;
    char path[PATH_BYTES];
    if (dataset->archives) {
        vg_stamp stamp;
        vg_archives_stamp(dataset, vg_sample_place(dataset->samples[index]), &stamp);
        return stamp.size;
    }
    if (vg_is_packed(dataset) || !path_of(dataset, index, path) || stat(path, &st) != 0)
        return 0;
    return (uint64_t)st.st_size;
}
