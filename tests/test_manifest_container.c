/* Tests of dataset/manifest_container.c: manifests about archives, shards and packed files. */
#include "test.h"

#include "archive_fixture.h"
#include "make_idx.h"
#include "manifest_fixture.h"

static void put_pets(const char *name, const char *format)
{
    static const packed_file files[] = {{"pets/cat/1.png", "one", 3, NULL},
                                        {"pets/cat/2.png", "two!", 4, NULL},
                                        {"pets/dog, big/3.png", "three", 5, NULL},
                                        {"pets/dog, big/4.png", "four", 4, NULL}};
    char *path = vg_path_join(folder, name);
    pack_files(path, format, files, 4);
    free(path);
}

static vg_dataset *open_text(const char *text)
{
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, "list.csv", text);
    char *path = vg_path_join(folder, "list.csv");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    free(path);
    return dataset;
}

static void test_members_of_archives(void **state)
{
    (void)state;
    static const char *const formats[] = {"ustar", "zip"};
    for (int f = 0; f < 2; f++) {
        vg_error err = {0};
        vg_reader reader;
        vg_span bytes;
        put_pets("pets.bin", formats[f]);
        vg_dataset *dataset = open_text("path,label,split,container\n"
                                        "cat/2.png,tabby,test,pets.bin\n"
                                        "\"dog, big/3.png\",dog,train,pets.bin\n"
                                        "cat/1.png,dog,train,pets.bin\n");
        assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_ARCHIVE);
        assert_int_equal(vg_dataset_count(dataset), 3);
        assert_int_equal(vg_dataset_classes(dataset), 2);
        assert_true(vg_dataset_brings_splits(dataset));
        assert_string_equal(class_of(dataset, "cat/2.png"), "tabby");
        assert_string_equal(class_of(dataset, "cat/1.png"), "dog"); /* the row's label */
        assert_int_equal(vg_dataset_split(dataset, find_sample(dataset, "cat/2.png")),
                         VG_SPLIT_TEST);
        assert_null(vg_dataset_root(dataset));
        assert_contains(vg_dataset_container(dataset), "/pets.bin");
        assert_contains(vg_dataset_path(dataset), "/list.csv");
        assert_ok(vg_reader_init(&reader, &err));
        assert_ok(vg_dataset_bytes(dataset, 1, &reader, &bytes, &err));
        assert_int_equal(bytes.size, 5);
        assert_memory_equal(bytes.data, "three", 5);
        assert_int_equal(vg_dataset_file_bytes(dataset, 0), 4);
        vg_reader_reset(&reader);
        vg_dataset_close(dataset);
    }
}

static void test_packed_files(void **state)
{
    (void)state;
    const size_t counts[2] = {3, 2};
    char *idx = vg_path_join(folder, "idx");
    vg_error err = {0};
    assert_ok(vg_make_folders(idx, &err));
    make_idx_files(idx, "train", counts, 2, 8);
    make_idx_files(idx, "t10k", counts, 2, 8);
    char text[800], absolute[600];
    snprintf(absolute, sizeof absolute, "%s", idx);
    snprintf(text, sizeof text,
             "{\"path\": \"test/00004\", \"label\": \"bar\", \"container\": \"%s\"}\n"
             "{\"path\": \"train/00000\", \"label\": 7, \"container\": \"%s\"}\n",
             absolute, absolute);
    put_text(folder, "list.jsonl", text);
    char *path = vg_path_join(folder, "list.jsonl");
    vg_dataset *dataset, *whole;
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_ok(vg_dataset_open(idx, NULL, &whole, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_IDX);
    assert_true(vg_dataset_is_decoded(dataset));
    assert_false(vg_dataset_brings_splits(dataset));
    vg_reader reader;
    vg_span a, b;
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_bytes(dataset, find_sample(dataset, "test/00004"), &reader, &a, &err));
    assert_ok(vg_dataset_bytes(whole, find_sample(whole, "test/00004"), &reader, &b, &err));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
    vg_dataset_close(whole);
    free(idx);
    free(path);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    put_pets("pets.tar", "ustar");
    put_pets("more.tar", "ustar");
    refuse_manifest("l.csv", "path,label,container\ncat/9.png,cat,pets.tar\n",
                    "holds no sample \"cat/9.png\"");
    refuse_manifest("l.csv",
                    "path,label,container\ncat/1.png,cat,pets.tar\ncat/2.png,cat,more.tar\n",
                    "l.csv:3: container \"more.tar\" here and \"pets.tar\" in line 2");
    refuse_manifest("l.csv", "path,label,container\ncat/1.png,cat,pets.tar\ncat/2.png,cat,\n",
                    "l.csv:3: no container given, but line 2 gives one");
    put_text(folder, "files/cat/1.png", "x");
    refuse_manifest("l.csv", "path,label,container\ncat/1.png,cat,files\n",
                    "l.csv:2: the samples of container \"files\" are files: list their paths");
    refuse_manifest("l.csv", "path,label,container\ncat/1.png,cat,l.csv\n",
                    "l.csv:2: a container in a container");
    refuse_manifest("l.jsonl", "{\"path\": \"a\", \"label\": \"b\", \"container\": 3}\n",
                    "\"container\" is a whole number, expected a string");
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, "l.csv", "path,label,container\ncat/1.png,cat,gone.tar\n");
    char *path = vg_path_join(folder, "l.csv");
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), VG_E_IO);
    assert_contains(err.message, "gone.tar");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_members_of_archives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packed_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
