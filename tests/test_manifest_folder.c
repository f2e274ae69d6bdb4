/* Tests of dataset/manifest_folder.c. */
#include "test.h"

#include "manifest_fixture.h"

static const uint8_t RED[] = {200, 0, 0};

static vg_dataset *open_it(vg_dataset_kind kind)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), kind);
    return dataset;
}

static void assert_reads(const vg_dataset *dataset, const char *name)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_reader reader;
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(
        vg_dataset_read(dataset, find_sample(dataset, name), NULL, &reader, &image, NULL, &err));
    vg_reader_reset(&reader);
    vg_image_reset(&image);
}

static void test_beside_the_pictures(void **state)
{
    (void)state;
    put_flat(folder, "0001.png", 3, RED);
    put_flat(folder, "0002.png", 3, RED);
    put_text(folder, "metadata.jsonl",
             "{\"file_name\":\"0001.png\",\"label\":0}\n"
             "{\"file_name\":\"0002.png\",\"label\":1}\n");
    vg_dataset *dataset = open_it(VG_DATASET_MANIFEST);
    assert_int_equal(vg_dataset_classes(dataset), 2);
    assert_reads(dataset, "0002.png");
    vg_dataset_close(dataset);
}

static void test_one_in_each_split(void **state)
{
    (void)state;
    put_flat(folder, "train/1.png", 3, RED);
    put_flat(folder, "validation/1.png", 3, RED);
    put_flat(folder, "test/9.png", 3, RED);
    put_text(folder, "train/metadata.csv", "file_name,label\n1.png,cat\n2.png,dog\n");
    put_text(folder, "validation/metadata.csv",
             "\xEF\xBB\xBF"
             "file_name,label\n1.png,dog\n");
    vg_dataset *dataset = open_it(VG_DATASET_MANIFEST);
    assert_int_equal(vg_dataset_count(dataset), 3);
    assert_true(vg_dataset_brings_splits(dataset));
    assert_int_equal(vg_dataset_split(dataset, find_sample(dataset, "validation/1.png")),
                     VG_SPLIT_VAL);
    assert_string_equal(class_of(dataset, "train/1.png"), "cat");
    assert_reads(dataset, "validation/1.png");
    size_t kept, count; /* a split without one is not passed over in silence */
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    assert_int_equal(count, 1);
    assert_contains(notes[0], "/test: holds no metadata.jsonl");
    vg_dataset_close(dataset);
}

/* Captions are no labels: the folders stay the classes. */
static void test_captions(void **state)
{
    (void)state;
    put_flat(folder, "cat/1.png", 3, RED);
    put_flat(folder, "dog/1.png", 3, RED);
    put_text(folder, "metadata.csv", "file_name,text\ncat/1.png,a cat\n");
    vg_dataset *dataset = open_it(VG_DATASET_FOLDER);
    assert_int_equal(vg_dataset_classes(dataset), 2);
    vg_dataset_close(dataset);
}

static void test_errors_name_the_file(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, "metadata.csv", "file_name,label\n1.png\n");
    assert_int_equal(vg_dataset_open(folder, NULL, &dataset, &err), VG_E_FORMAT);
    assert_contains(err.message, "/metadata.csv:2: 1 column, expected 2");
    put_text(folder, "metadata.csv", "file_name,label\n");
    assert_int_equal(vg_dataset_open(folder, NULL, &dataset, &err), VG_E_FORMAT);
    assert_contains(err.message, "/metadata.csv: a header and no rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_beside_the_pictures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_in_each_split, setup, teardown),
        cmocka_unit_test_setup_teardown(test_captions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_name_the_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
