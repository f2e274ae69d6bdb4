/* Tests of dataset/cifar.c: files made as the format's description says (cs.toronto.edu/~kriz/cifar.html). */
#include "test.h"

#include "dataset_fixture.h"
#include "image/codec.h"

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

enum { PIXELS = 1024 };

/* Byte `at` of plane `plane` of picture `n`: no two planes, rows or pictures are alike. */
static uint8_t pixel(size_t n, size_t plane, size_t at)
{
    return (uint8_t)(n * 31 + plane * 97 + at * 7 + at / 32);
}

/* `count` records with `label_bytes` labels each, taken in turn from `labels`, numbered from `number`. */
static void put_batch(const char *name, size_t count, size_t label_bytes, const uint8_t *labels,
                      size_t number)
{
    size_t record = label_bytes + 3 * PIXELS;
    uint8_t *bytes = malloc(count * record + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = bytes + i * record;
        memcpy(at, labels + i * label_bytes, label_bytes);
        for (size_t p = 0; p < 3; p++)
            for (size_t k = 0; k < PIXELS; k++)
                at[label_bytes + p * PIXELS + k] = pixel(number + i, p, k);
    }
    put_bytes(folder, name, bytes, count * record);
    free(bytes);
}

static const char *const TEN_NAMES =
    "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\n"
    "ship\ntruck\n\n"; /* as published, with an empty line at the end */

static void put_ten(const char *sub)
{
    const uint8_t one[] = {6, 9, 9}, two[] = {4, 1}, test[] = {3, 8};
    char name[64];
    snprintf(name, sizeof name, "%sdata_batch_1.bin", sub);
    put_batch(name, 3, 1, one, 0);
    snprintf(name, sizeof name, "%sdata_batch_2.bin", sub);
    put_batch(name, 2, 1, two, 3);
    snprintf(name, sizeof name, "%stest_batch.bin", sub);
    put_batch(name, 2, 1, test, 100);
    snprintf(name, sizeof name, "%sbatches.meta.txt", sub);
    put_text(folder, name, TEN_NAMES);
}

static vg_dataset *open_folder(const vg_dataset_options *options)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(folder, options, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_CIFAR);
    return dataset;
}

static const char *class_of(const vg_dataset *dataset, const char *name)
{
    return vg_dataset_class_name(dataset, vg_dataset_label(dataset, find_sample(dataset, name)));
}

static void assert_pixels(const vg_dataset *dataset, const char *name, size_t number)
{
    vg_error err = {0};
    vg_reader reader;
    vg_image image = {0};
    vg_decode_info info;
    vg_span bytes;
    vg_decode_options options = vg_decode_options_default();
    size_t index = find_sample(dataset, name);
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_bytes(dataset, index, &reader, &bytes, &err));
    assert_int_equal(bytes.size, 3 * PIXELS);
    assert_ok(vg_dataset_decode(dataset, index, bytes, &options, &reader, &image, &info, &err));
    assert_int_equal(image.width, 32);
    assert_int_equal(image.height, 32);
    assert_int_equal(image.channels, 3);
    assert_int_equal(info.source_channels, 3);
    assert_int_equal(info.region.width, 32);
    for (size_t k = 0; k < PIXELS; k++)
        for (size_t p = 0; p < 3; p++)
            assert_int_equal(image.data[3 * k + p], pixel(number, p, k));
    options.channels = 1;
    assert_ok(vg_dataset_read(dataset, index, &options, &reader, &image, NULL, &err));
    assert_int_equal(image.channels, 1);
    for (size_t k = 0; k < PIXELS; k++)
        assert_int_equal(image.data[k],
                         vg_luma(pixel(number, 0, k), pixel(number, 1, k), pixel(number, 2, k)));
    vg_image_reset(&image);
    vg_reader_reset(&reader);
}

static void check_ten(void)
{
    vg_dataset *dataset = open_folder(NULL);
    assert_true(vg_dataset_brings_splits(dataset));
    assert_true(vg_dataset_is_decoded(dataset));
    assert_int_equal(vg_dataset_count(dataset), 7);
    assert_int_equal(vg_dataset_classes(dataset), 6);                     /* those that occur */
    assert_string_equal(vg_dataset_class_name(dataset, 0), "automobile"); /* in label order */
    assert_string_equal(vg_dataset_class_name(dataset, 5), "truck");
    assert_string_equal(class_of(dataset, "train/00000"), "frog");
    assert_string_equal(class_of(dataset, "train/00003"), "deer"); /* counts on in the next batch */
    assert_string_equal(class_of(dataset, "test/00001"), "ship");
    assert_int_equal(vg_dataset_split(dataset, find_sample(dataset, "test/00001")), VG_SPLIT_TEST);
    assert_pixels(dataset, "train/00002", 2);
    assert_pixels(dataset, "train/00004", 4);
    assert_pixels(dataset, "test/00000", 100);
    assert_int_equal(vg_dataset_file_bytes(dataset, 0), 0);
    vg_dataset_close(dataset);
}

static void test_ten(void **state)
{
    (void)state;
    put_ten("");
    check_ten();
}

static void test_the_folder_above(void **state)
{
    (void)state;
    put_ten("cifar-10-batches-bin/");
    check_ten();
}

static void test_without_names(void **state)
{
    (void)state;
    const uint8_t labels[] = {2, 0};
    put_batch("data_batch_1.bin", 2, 1, labels, 0);
    vg_dataset *dataset = open_folder(NULL);
    assert_string_equal(class_of(dataset, "train/00000"), "2");
    assert_int_equal(vg_dataset_classes(dataset), 2);
    vg_dataset_close(dataset);
}

static void put_hundred(void)
{
    char fine[1200] = "", coarse[400] = "";
    for (int i = 0; i < 100; i++)
        snprintf(fine + strlen(fine), sizeof fine - strlen(fine), "fine%d\n", i);
    for (int i = 0; i < 20; i++)
        snprintf(coarse + strlen(coarse), sizeof coarse - strlen(coarse), "coarse%d\n", i);
    const uint8_t train[] = {19, 99, 3, 7, 3, 8}, test[] = {0, 7};
    put_batch("train.bin", 3, 2, train, 0);
    put_batch("test.bin", 1, 2, test, 50);
    put_text(folder, "fine_label_names.txt", fine);
    put_text(folder, "coarse_label_names.txt", coarse);
}

static void test_hundred(void **state)
{
    (void)state;
    put_hundred();
    vg_dataset *dataset = open_folder(NULL);
    assert_int_equal(vg_dataset_classes(dataset), 3);
    assert_string_equal(class_of(dataset, "train/00000"), "fine99");
    assert_string_equal(class_of(dataset, "train/00002"), "fine8");
    assert_string_equal(class_of(dataset, "test/00000"), "fine7");
    assert_pixels(dataset, "train/00001", 1);
    assert_pixels(dataset, "test/00000", 50);
    vg_dataset_close(dataset);
    vg_dataset_options options = vg_dataset_options_default();
    options.coarse_labels = true;
    dataset = open_folder(&options);
    assert_int_equal(vg_dataset_classes(dataset), 3);
    assert_string_equal(class_of(dataset, "train/00000"), "coarse19");
    assert_string_equal(class_of(dataset, "train/00001"), "coarse3");
    assert_string_equal(class_of(dataset, "train/00002"), "coarse3");
    assert_string_equal(class_of(dataset, "test/00000"), "coarse0");
    vg_dataset_close(dataset);
}

/* A train.bin of somebody else is no CIFAR: the class folders beside it are the dataset. */
static void test_another_train_bin(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    const uint8_t red[] = {200, 0, 0};
    put_text(folder, "train.bin", "weights");
    put_flat(folder, "cat/a.png", 3, red);
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_FOLDER);
    vg_dataset_close(dataset);
}

static void assert_refused(const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open(folder, NULL, &dataset, &err), VG_E_FORMAT);
    assert_null(dataset);
    assert_contains(err.message, part);
}

static void test_each_fault_has_its_message(void **state)
{
    (void)state;
    const uint8_t bad[] = {1, 2, 10}, good[] = {1, 2, 3};
    put_ten("");
    put_batch("data_batch_2.bin", 3, 1, bad, 0);
    assert_refused("data_batch_2.bin: record 2 (byte 6146) has the label 10, expected 0 to 9");
    put_batch("data_batch_2.bin", 3, 1, good, 0);
    put_bytes(folder, "test_batch.bin", TEN_NAMES, 20);
    assert_refused("test_batch.bin: 20 bytes, 0 records of 3073 and 20 bytes left over");
    put_bytes(folder, "test_batch.bin", "", 0);
    assert_refused(
        "test_batch.bin: 0 bytes, 0 records of 3073 and 0 bytes left over; an empty file");
    put_batch("test_batch.bin", 3, 1, good, 0);
    put_batch("data_batch_4.bin", 3, 1, good, 0);
    assert_refused("data_batch_4.bin is there, but data_batch_3.bin is not");
    put_batch("data_batch_3.bin", 3, 1, good, 0);
    put_text(folder, "batches.meta.txt", "airplane\ncar\n");
    assert_refused("batches.meta.txt: 2 names, expected 10");
    put_text(folder, "batches.meta.txt", "a\nb\nc\nd\na\nf\ng\nh\ni\nj\n");
    assert_refused("batches.meta.txt:5: \"a\" is also the name of label 0");
    put_text(folder, "batches.meta.txt", "a\nb\n\nd\n");
    assert_refused("batches.meta.txt:3: empty line; expected the name of label 2");
}

static void test_faults_of_hundred(void **state)
{
    (void)state;
    const uint8_t fine[] = {1, 100}, coarse[] = {20, 1};
    put_hundred();
    put_batch("test.bin", 1, 2, fine, 0);
    assert_refused("test.bin: record 0 (byte 0) has the label 100, expected 0 to 99");
    put_batch("test.bin", 1, 2, coarse, 0);
    assert_refused("test.bin: record 0 (byte 0) has the coarse label 20, expected 0 to 19");
    put_bytes(folder, "train.bin", TEN_NAMES, 30);
    assert_refused("train.bin: 30 bytes, 0 records of 3074 and 30 bytes left over");
}

static void test_both_below(void **state)
{
    (void)state;
    const uint8_t one[] = {1, 1};
    put_batch("cifar-10-batches-bin/data_batch_1.bin", 1, 1, one, 0);
    put_batch("cifar-100-binary/train.bin", 1, 2, one, 0);
    assert_refused("holds both cifar-10-batches-bin and cifar-100-binary");
}

static void test_pickles(void **state)
{
    (void)state;
    put_text(folder, "cifar-10-batches-py/data_batch_1", "\x80\2}q");
    assert_refused("the Python version of CIFAR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_folder_above, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hundred, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_train_bin, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_fault_has_its_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_of_hundred, setup, teardown),
        cmocka_unit_test_setup_teardown(test_both_below, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pickles, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
