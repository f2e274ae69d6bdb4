/* Tests of dataset/archives.c, archive_listing.c, archive_tree.c and archive_tar.c: an archive is the
 * same dataset as the folder it unpacks to, and nothing in it can do harm. */
#include "test.h"

#include "archive_fixture.h"
#include "base/rng.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

static char *folder;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* folder/name on the heap. */
static char *place(const char *name)
{
    char *path = vg_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static vg_dataset *open_ok(const char *name)
{
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = place(name);
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    free(path);
    return dataset;
}

static void assert_refused(const char *name, vg_status expected, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = place(name);
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), expected);
    assert_null(dataset);
    assert_contains(err.message, path);
    assert_contains(err.message, part);
    free(path);
}

/* Content that differs from file to file and packs neither to nothing nor not at all. */
static void fill(const char *name, uint8_t *bytes, size_t size)
{
    uint32_t state = 2166136261u;
    for (const char *p = name; *p; p++)
        state = (state ^ (uint8_t)*p) * 16777619u;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24 & 0x3f);
    }
}

/* Writes the same files as a folder "unpacked" and as an archive "a.tar" or "a.zip", below `top` in
 * it; a name that ends with '/' is an empty folder. Returns the archive's name. */
static const char *put_both(const char *format, const char *top, const char *const *names, size_t n)
{
    static uint8_t bytes[64][3000];
    static char members[64][300];
    packed_file files[64];
    static char name[32];
    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++) {
        char path[400];
        bool is_folder = names[i][strlen(names[i]) - 1] == '/';
        size_t size = is_folder ? 0 : 100 + 800 * (i % 4);
        fill(names[i], bytes[i], size);
        snprintf(members[i], sizeof members[i], "%s%s", top, names[i]);
        files[i] = (packed_file){members[i], is_folder ? NULL : bytes[i], size, NULL};
        snprintf(path, sizeof path, "unpacked/%s%s", names[i], is_folder ? ".keep" : "");
        put_bytes(folder, path, bytes[i], size);
    }
    snprintf(name, sizeof name, "a.%s", archive_extension(format));
    char *path = place(name);
    pack_files(path, format, files, n);
    free(path);
    return name;
}

static void assert_same_as_folder(const char *const *names, size_t n)
{
    static const char *const tops[] = {"", "./", "data/", "./home/user/data/"};
    for (size_t f = 0; f < ARCHIVE_FORMAT_COUNT; f++)
        for (size_t t = 0; t < 4; t++) {
            vg_dataset *archive = open_ok(put_both(ARCHIVE_FORMATS[f], tops[t], names, n));
            vg_dataset *unpacked = open_ok("unpacked");
            assert_int_equal(vg_dataset_kind_of(archive), VG_DATASET_ARCHIVE);
            assert_same_datasets(archive, unpacked);
            vg_dataset_ignored a = vg_dataset_ignored_of(archive),
                               b = vg_dataset_ignored_of(unpacked);
            assert_int_equal(a.not_images, b.not_images);
            assert_int_equal(a.other_formats, b.other_formats);
            assert_int_equal(a.empty_classes, b.empty_classes);
            assert_int_equal(a.loose, b.loose);
            assert_int_equal(a.other_folders, b.other_folders);
            assert_int_equal(a.unusable, 0);
            vg_dataset_close(archive);
            vg_dataset_close(unpacked);
        }
}

#define ASSERT_SAME_AS_FOLDER(names) assert_same_as_folder(names, sizeof(names) / sizeof(names)[0])

static void test_class_folders(void **state)
{
    (void)state;
    static const char *const names[] = {"dog/2.jpg",
                                        "dog/10.jpg",
                                        "cat/deep/er/1.png",
                                        "cat/deep.jpg",
                                        "cat-b/1.JPEG",
                                        "cat/1.jpg",
                                        "cat/notes.txt",
                                        "cat/a.tiff",
                                        "loose.jpg",
                                        "LICENSE",
                                        "empty/x.txt",
                                        "bird/.hidden.jpg",
                                        "bird/1.jpg",
                                        "bare/",
                                        "cat.d/1.jpg",
                                        "__MACOSX/cat/._1.jpg",
                                        "dog/.ipynb_checkpoints/2.jpg",
                                        "dog/.ipynb_checkpoints/3.jpg"};
    ASSERT_SAME_AS_FOLDER(names);
    vg_dataset *archive = open_ok(put_both("ustar", "", names, sizeof names / sizeof names[0]));
    assert_int_equal(vg_dataset_ignored_of(archive).hidden, 3);
    vg_dataset_close(archive);
}

static void test_split_folders(void **state)
{
    (void)state;
    static const char *const names[] = {"TRAIN/cat/1.jpg", "TRAIN/dog/1.jpg", "val/dog/2.jpg",
                                        "Test/ant/3.jpg",  "Test/loose.png",  "docs/a/1.png",
                                        "docs/b/2.png",    "other.png"};
    ASSERT_SAME_AS_FOLDER(names);
}

static void test_train_alone_is_split_by_hash(void **state)
{
    (void)state;
    static char texts[40][32];
    const char *names[40];
    for (int i = 0; i < 40; i++) {
        snprintf(texts[i], sizeof texts[i], "train/%c/%d.jpg", 'a' + i % 3, i);
        names[i] = texts[i];
    }
    ASSERT_SAME_AS_FOLDER(names);
}

static void test_one_class_keeps_its_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"cat/1.jpg", "cat/2.jpg"};
    ASSERT_SAME_AS_FOLDER(names);
}

static void test_pictures_without_folders_are_one_class(void **state)
{
    (void)state;
    static const char *const names[] = {"1.jpg", "2.png", "3.gif"};
    vg_dataset *dataset = open_ok(put_both("pax", "", names, 3));
    assert_int_equal(vg_dataset_classes(dataset), 1);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "a");
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_int_equal(vg_dataset_ignored_of(dataset).loose, 0);
    vg_dataset_close(dataset);
}

static void test_long_and_foreign_names(void **state)
{
    (void)state;
    static char deep[240];
    memset(deep, 'x', sizeof deep - 1);
    memcpy(deep, "K\xc3\xa4tzchen/", 10);
    deep[120] = '/';
    memcpy(deep + 200, "/\xe7\x8c\xab.jpg", 9);
    const char *names[] = {deep, "H\xc3\xbcnd/1.jpg", "H\xc3\xbcnd/with space.png"};
    static const char *const formats[] = {"pax", "gnutar", "zip", "zip-stored"};
    for (size_t f = 0; f < 4; f++) {
        vg_dataset *archive = open_ok(put_both(formats[f], "", names, 3));
        vg_dataset *unpacked = open_ok("unpacked");
        assert_same_datasets(archive, unpacked);
        vg_dataset_close(archive);
        vg_dataset_close(unpacked);
    }
}

/* Every file of the folder VG_DATA/name below `top`, packed. */
static void pack_tree(const char *root, const char *path, const char *format)
{
    char command[2000];
    if (strcmp(format, "tar") == 0)
        snprintf(command, sizeof command, "tar -cf '%s' -C '%s' .", path, root);
    assert_int_equal(system(command), 0);
}

static void test_real_photos(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *unpacked;
    char *root = real_data("caltech-photos");
    assert_ok(vg_dataset_open(root, NULL, &unpacked, &err));
    char *path = place("photos.tar");
    pack_tree(root, path, "tar");
    vg_dataset *archive = open_ok("photos.tar");
    assert_same_datasets(archive, unpacked);
    vg_dataset_close(archive);
    free(path);

    /* the same as a zip, out of the index of the folder */
    size_t count = vg_dataset_count(unpacked);
    packed_file *files = calloc(count, sizeof *files);
    vg_bytes *bytes = calloc(count, sizeof *bytes);
    assert_non_null(files);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        char name[512];
        vg_dataset_name(unpacked, i, name, sizeof name);
        char *file = vg_path_join(root, name);
        assert_ok(vg_file_read(file, 0, &bytes[i], &err));
        free(file);
        files[i] = (packed_file){vg_strdup(name), bytes[i].data, bytes[i].size, NULL};
    }
    path = place("photos.zip");
    for (int stored = 0; stored < 2; stored++) {
        pack_files(path, stored ? "zip-stored" : "zip", files, count);
        archive = open_ok("photos.zip");
        assert_same_datasets(archive, unpacked);
        vg_dataset_close(archive);
    }
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)files[i].name);
        vg_bytes_reset(&bytes[i]);
    }
    free(files);
    free(bytes);
    free(path);
    free(root);
    vg_dataset_close(unpacked);
}

/* Opens the file and reads all there is; whatever is in it, nothing may happen but an error. */
static void read_whatever(const char *path)
{
    vg_error err = {0};
    vg_dataset *dataset;
    if (vg_dataset_open(path, NULL, &dataset, &err)) {
        assert_true(err.message[0]);
        return;
    }
    vg_reader reader;
    assert_ok(vg_reader_init(&reader, &err));
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        vg_span bytes;
        unsigned sum = 0;
        if (vg_dataset_bytes(dataset, i, &reader, &bytes, &err) == VG_OK)
            for (size_t k = 0; k < bytes.size; k++)
                sum += bytes.data[k];
        assert_true(sum < UINT32_MAX);
    }
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"cat/1.jpg", "dog/2.jpg"};
    for (size_t f = 0; f < ARCHIVE_FORMAT_COUNT; f++) {
        vg_error err = {0};
        vg_bytes whole = {0};
        const char *name = put_both(ARCHIVE_FORMATS[f], "", names, 2);
        char *path = place(name), *cut = place(f < 3 ? "cut.tar" : "cut.zip");
        assert_ok(vg_file_read(path, 0, &whole, &err));
        FILE *file = fopen(cut, "wb");
        assert_non_null(file);
        fwrite(whole.data, 1, whole.size, file);
        fclose(file);
        for (size_t size = whole.size; size-- > 0;) {
            assert_int_equal(truncate(cut, (off_t)size), 0);
            read_whatever(cut);
        }
        vg_bytes_reset(&whole);
        free(path);
        free(cut);
    }
}

static void test_what_is_no_archive(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t size;
        const char *part;
    } cases[] = {
        {"a.tar.gz", "\x1f\x8b\x08\0\0\0", 6, "compressed (gzip)"},
        {"a.tar", "\x1f\x8b\x08\0\0\0", 6, "plain .tar or .zip"},
        {"a.tar.zst", "\x28\xb5\x2f\xfd\0", 5, "compressed (zstd)"},
        {"a.txz",
         "\xfd"
         "7zXZ\0",
         6, "compressed (xz)"},
        {"a.tbz", "BZh91AY", 7, "compressed (bzip2)"},
        {"a.7z", "7z\xbc\xaf\x27\x1c", 6, "compressed (7-Zip)"},
        {"a.rar", "Rar!\x1a\x07\x01", 7, "compressed (RAR)"},
        {"text.tar", "<html>", 6, "no tar archive that can be read"},
        {"text.zip", "<html>", 6, "cut off or no zip"},
        {"empty.tar", "", 0, "no tar archive that can be read"},
        {"empty.zip", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, "no images found"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_bytes(folder, cases[i].name, cases[i].bytes, cases[i].size);
        assert_refused(cases[i].name, VG_E_FORMAT, cases[i].part);
    }
    static const char *const names[] = {"cat/readme.txt", "dog/1.gif"};
    assert_refused(put_both("zip", "", names, 2), VG_E_FORMAT, "found 1 .gif");
    assert_refused(put_both("ustar", "", names, 1), VG_E_FORMAT, "passed over 1 other files");
}

static void assert_note(const vg_dataset *dataset, const char *part)
{
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    for (size_t i = 0; i < kept; i++)
        if (strstr(notes[i], part))
            return;
    fail_msg("no note with \"%s\"", part);
}

static void assert_bytes(const vg_dataset *dataset, const char *name, const char *content)
{
    vg_error err = {0};
    vg_reader reader;
    vg_span bytes;
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_bytes(dataset, find_sample(dataset, name), &reader, &bytes, &err));
    assert_int_equal(bytes.size, strlen(content));
    assert_memory_equal(bytes.data, content, bytes.size);
    vg_reader_reset(&reader);
}

static void test_links_doubles_and_bad_names(void **state)
{
    (void)state;
    const packed_file files[] = {
        {"cat/1.jpg", "old", 3, NULL},    {"dog/same.jpg", NULL, 0, "cat/2.jpg"},
        {"cat/2.jpg", "two", 3, NULL},    {"dog/lost.jpg", NULL, 0, "cat/9.jpg"},
        {"../out.jpg", "x", 1, NULL},     {"/abs/out.jpg", "x", 1, NULL},
        {"cat/./1.jpg", "newer", 5, NULL}};
    static const char *const formats[] = {"ustar", "pax", "gnutar"};
    char *path = place("a.tar");
    for (int f = 0; f < 3; f++) {
        pack_files(path, formats[f], files, 7);
        vg_dataset *dataset = open_ok("a.tar");
        assert_int_equal(vg_dataset_count(dataset), 3);
        assert_bytes(dataset, "cat/1.jpg", "newer");
        assert_bytes(dataset, "cat/2.jpg", "two");
        assert_bytes(dataset, "dog/same.jpg", "two");
        assert_int_equal(vg_dataset_ignored_of(dataset).duplicates, 1);
        assert_int_equal(vg_dataset_ignored_of(dataset).unusable, 3);
        assert_note(dataset, "\"cat/1.jpg\" is in the archive more than once");
        assert_note(dataset, "\"dog/lost.jpg\" is a link to \"cat/9.jpg\"");
        assert_note(dataset, "\"../out.jpg\": its name leads out");
        assert_note(dataset, "\"/abs/out.jpg\": its name is absolute");
        vg_dataset_close(dataset);
    }
    free(path);
}

static void test_end_of_a_cut_tar(void **state)
{
    (void)state;
    vg_error err = {0};
    const packed_file files[] = {{"cat/1.jpg", "one", 3, NULL}, {"dog/2.jpg", "two", 3, NULL}};
    char *path = place("a.tar");
    pack_files(path, "ustar", files, 2);
    assert_int_equal(truncate(path, 3 * 512 + 1), 0); /* into the data of the second */
    vg_dataset *dataset = open_ok("a.tar");
    assert_bytes(dataset, "cat/1.jpg", "one");
    assert_note(dataset, "what comes after is lost");
    vg_reader reader;
    vg_span bytes;
    assert_ok(vg_reader_init(&reader, &err));
    size_t cut = find_sample(dataset, "dog/2.jpg");
    assert_int_equal(vg_dataset_bytes(dataset, cut, &reader, &bytes, &err), VG_E_FORMAT);
    assert_contains(err.message, "a.tar: dog/2.jpg: its bytes do not lie inside the archive");
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
    free(path);
}

/* Written by GNU tar: tests/golden/sparse_tars.py. */
static void test_sparse_members(void **state)
{
    (void)state;
    static const char *const paths[] = {VG_TEST_FILES "/sparse-gnu.tar",
                                        VG_TEST_FILES "/sparse-pax.tar"};
    for (int i = 0; i < 2; i++) {
        vg_error err = {0};
        vg_dataset *dataset;
        vg_reader reader;
        vg_span bytes;
        assert_ok(vg_dataset_open(paths[i], NULL, &dataset, &err));
        assert_bytes(dataset, "cat/1.jpg", "one");
        assert_ok(vg_reader_init(&reader, &err));
        size_t sparse = find_sample(dataset, "cat/sparse.jpg");
        assert_int_equal(vg_dataset_bytes(dataset, sparse, &reader, &bytes, &err), VG_E_FORMAT);
        assert_contains(err.message, "sparse");
        vg_reader_reset(&reader);
        vg_dataset_close(dataset);
    }
}

enum { THREADS = 8, ROUNDS = 20 };
struct reading {
    const vg_dataset *dataset;
    const uint64_t *hashes;
    int thread;
    size_t wrong;
};

static void *read_all(void *argument)
{
    struct reading *reading = argument;
    size_t count = vg_dataset_count(reading->dataset);
    vg_reader reader;
    if (vg_reader_init(&reader, NULL)) {
        reading->wrong++;
        return NULL;
    }
    for (size_t i = 0; i < count * ROUNDS; i++) {
        size_t index = (i * 7 + (size_t)reading->thread * 5) % count;
        vg_span bytes;
        if (vg_dataset_bytes(reading->dataset, index, &reader, &bytes, NULL))
            reading->wrong++;
        else
            reading->wrong += vg_hash(bytes.data, bytes.size, 0) != reading->hashes[index];
    }
    vg_reader_reset(&reader);
    return NULL;
}

static void test_eight_threads(void **state)
{
    (void)state;
    static char texts[30][32];
    const char *names[30];
    for (int i = 0; i < 30; i++) {
        snprintf(texts[i], sizeof texts[i], "%c/%d.jpg", 'a' + i % 3, i);
        names[i] = texts[i];
    }
    for (size_t f = 0; f < ARCHIVE_FORMAT_COUNT; f++) {
        vg_dataset *dataset = open_ok(put_both(ARCHIVE_FORMATS[f], "", names, 30));
        vg_error err = {0};
        vg_reader reader;
        uint64_t hashes[30];
        assert_ok(vg_reader_init(&reader, &err));
        for (size_t i = 0; i < 30; i++) {
            vg_span bytes;
            assert_ok(vg_dataset_bytes(dataset, i, &reader, &bytes, &err));
            hashes[i] = vg_hash(bytes.data, bytes.size, 0);
        }
        vg_reader_reset(&reader);
        pthread_t threads[THREADS];
        struct reading readings[THREADS];
        for (int t = 0; t < THREADS; t++) {
            readings[t] = (struct reading){dataset, hashes, t, 0};
            assert_int_equal(pthread_create(&threads[t], NULL, read_all, &readings[t]), 0);
        }
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            assert_int_equal(readings[t].wrong, 0);
        }
        vg_dataset_close(dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_class_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_split_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_train_alone_is_split_by_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_class_keeps_its_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pictures_without_folders_are_one_class, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_long_and_foreign_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_real_photos, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_archive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links_doubles_and_bad_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_of_a_cut_tar, setup, teardown),
        cmocka_unit_test(test_sparse_members),
        cmocka_unit_test_setup_teardown(test_eight_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
