/* Archives for tests, written by libarchive: its writers have nothing in common with our readers of
 * zip. Header only; include after test.h. */
#ifndef VG_ARCHIVE_FIXTURE_H
#define VG_ARCHIVE_FIXTURE_H

#include "dataset_fixture.h"

#include <archive.h>
#include <archive_entry.h>

/* What is packed: a file, a folder (bytes NULL), or a link to the member `link`. */
typedef struct packed_file {
    const char *name;
    const void *bytes;
    size_t size;
    const char *link;
} packed_file;

/* Formats: "ustar", "pax", "gnutar", "zip" (deflated, sizes behind the data), "zip-stored",
 * "zip-zip64". */
static const char *const ARCHIVE_FORMATS[] = {"ustar", "pax",        "gnutar",
                                              "zip",   "zip-stored", "zip-zip64"};
enum { ARCHIVE_FORMAT_COUNT = 6 };

static inline const char *archive_extension(const char *format)
{
    return strncmp(format, "zip", 3) == 0 ? "zip" : "tar";
}

static inline void pack_files(const char *path, const char *format, const packed_file *files,
                              size_t count)
{
    struct archive *out = archive_write_new();
    bool zip = strncmp(format, "zip", 3) == 0;
    assert_int_equal(archive_write_set_format_by_name(out, zip                          ? "zip"
                                                           : strcmp(format, "pax") == 0 ? "pax"
                                                                                        : format),
                     ARCHIVE_OK);
    if (strcmp(format, "zip-stored") == 0)
        assert_int_equal(archive_write_set_options(out, "zip:compression=store"), ARCHIVE_OK);
    if (strcmp(format, "zip-zip64") == 0)
        assert_int_equal(archive_write_set_options(out, "zip:zip64"), ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(out, 1);
    assert_int_equal(archive_write_open_filename(out, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, files[i].name);
        archive_entry_set_filetype(entry, files[i].bytes || files[i].link ? AE_IFREG : AE_IFDIR);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_mtime(entry, 1000000000, 0);
        archive_entry_set_size(entry, (int64_t)files[i].size);
        if (files[i].link)
            archive_entry_set_hardlink(entry, files[i].link);
        assert_true(archive_write_header(out, entry) >= ARCHIVE_WARN);
        if (files[i].size)
            assert_int_equal(archive_write_data(out, files[i].bytes, files[i].size), files[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(out), ARCHIVE_OK);
    archive_write_free(out);
}

/* Two datasets are the same: names, labels, splits, order, classes and stored bytes. */
static inline void assert_same_datasets(const vg_dataset *a, const vg_dataset *b)
{
    vg_error err = {0};
    vg_reader readers[2];
    assert_ok(vg_reader_init(&readers[0], &err));
    assert_ok(vg_reader_init(&readers[1], &err));
    assert_int_equal(vg_dataset_count(a), vg_dataset_count(b));
    assert_int_equal(vg_dataset_classes(a), vg_dataset_classes(b));
    assert_int_equal(vg_dataset_brings_splits(a), vg_dataset_brings_splits(b));
    for (int k = 0; k < vg_dataset_classes(a); k++)
        assert_string_equal(vg_dataset_class_name(a, k), vg_dataset_class_name(b, k));
    for (size_t i = 0; i < vg_dataset_count(a); i++) {
        char names[2][512];
        vg_span bytes[2];
        vg_dataset_name(a, i, names[0], sizeof names[0]);
        vg_dataset_name(b, i, names[1], sizeof names[1]);
        assert_string_equal(names[0], names[1]);
        assert_int_equal(vg_dataset_label(a, i), vg_dataset_label(b, i));
        assert_int_equal(vg_dataset_split(a, i), vg_dataset_split(b, i));
        assert_int_equal(vg_dataset_file_bytes(a, i), vg_dataset_file_bytes(b, i));
        assert_ok(vg_dataset_bytes(a, i, &readers[0], &bytes[0], &err));
        assert_ok(vg_dataset_bytes(b, i, &readers[1], &bytes[1], &err));
        assert_int_equal(bytes[0].size, bytes[1].size);
        if (bytes[0].size)
            assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].size);
    }
    vg_reader_reset(&readers[0]);
    vg_reader_reset(&readers[1]);
}

#endif
