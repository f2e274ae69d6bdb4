/* Tests of dataset/idx.c. */
#include "test.h"

#include "dataset_fixture.h"

#include <zlib.h>

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

static const uint8_t PIXELS[] = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25};

static void put_good(void)
{
    const uint8_t train[] = {7, 2, 7}, test[] = {2, 9};
    put_idx(folder, "train", 3, 2, 3, PIXELS, train);
    put_idx(folder, "t10k", 2, 2, 3, PIXELS + 6, test);
}

static void read_one(const vg_dataset *dataset, size_t index, int channels, vg_image *image,
                     vg_decode_info *info)
{
    vg_error err = {0};
    vg_reader reader;
    vg_decode_options options = vg_decode_options_default();
    options.channels = channels;
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_read(dataset, index, &options, &reader, image, info, &err));
    vg_reader_reset(&reader);
}

static void test_train_and_test(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_image image = {0};
    vg_decode_info info;
    put_good();
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_IDX);
    assert_true(vg_dataset_brings_splits(dataset));
    assert_int_equal(vg_dataset_count(dataset), 5);
    assert_int_equal(vg_dataset_classes(dataset), 3); /* the labels that occur */
    assert_string_equal(vg_dataset_class_name(dataset, 0), "2");
    assert_string_equal(vg_dataset_class_name(dataset, 2), "9");
    size_t first = find_sample(dataset, "train/00000"), last = find_sample(dataset, "test/00001");
    assert_int_equal(vg_dataset_label(dataset, first), 1);
    assert_int_equal(vg_dataset_split(dataset, first), VG_SPLIT_TRAIN);
    assert_int_equal(vg_dataset_label(dataset, last), 2);
    assert_int_equal(vg_dataset_split(dataset, last), VG_SPLIT_TEST);
    read_one(dataset, first, 0, &image, &info);
    assert_int_equal(image.width, 3);
    assert_int_equal(image.height, 2);
    assert_int_equal(image.channels, 1);
    assert_memory_equal(image.data, PIXELS, 6);
    assert_int_equal(info.width, 3);
    assert_int_equal(info.source_channels, 1);
    read_one(dataset, last, 3, &image, NULL);
    const uint8_t rgb[] = {20, 20, 20, 21, 21, 21, 22, 22, 22, 23, 23, 23, 24, 24, 24, 25, 25, 25};
    assert_memory_equal(image.data, rgb, sizeof rgb);
    assert_int_equal(vg_dataset_file_bytes(dataset, 0), 0);
    vg_image_reset(&image);
    vg_dataset_close(dataset);
}

static void test_names_of_classes(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    put_good();
    put_text(folder, "classes.txt", "a\r\nb\r\nshirt\r\nd\r\ne\r\nf\r\ng\r\nbag\r\nh\r\nboot");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_string_equal(vg_dataset_class_name(dataset, 0), "shirt"); /* in the order of labels */
    assert_string_equal(vg_dataset_class_name(dataset, 1), "bag");
    assert_string_equal(vg_dataset_class_name(dataset, 2), "boot");
    vg_dataset_close(dataset);
}

static void test_training_files_alone_are_split(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    uint8_t pixels[200], labels[200];
    for (size_t i = 0; i < 200; i++) {
        pixels[i] = (uint8_t)i;
        labels[i] = i % 2;
    }
    put_idx(folder, "train", 200, 1, 1, pixels, labels);
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_false(vg_dataset_brings_splits(dataset));
    size_t counts[2];
    vg_dataset_counts(dataset, VG_SPLIT_TEST, counts);
    assert_in_range(counts[0] + counts[1], 10, 60);
    vg_dataset_close(dataset);
}

static void test_gzip_and_dots(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_bytes bytes = {0};
    put_good();
    char *path = vg_path_join(folder, "train-images-idx3-ubyte");
    char *packed = vg_path_join(folder, "train-images-idx3-ubyte.gz");
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    gzFile file = gzopen(packed, "wb");
    gzwrite(file, bytes.data, (unsigned)bytes.size);
    gzclose(file);
    assert_int_equal(unlink(path), 0);
    char *labels = vg_path_join(folder, "train-labels-idx1-ubyte");
    char *dotted = vg_path_join(folder, "train-labels.idx1-ubyte");
    assert_int_equal(rename(labels, dotted), 0);
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_count(dataset), 5);
    vg_dataset_close(dataset);
    vg_bytes_reset(&bytes);
    free(path);
    free(packed);
    free(labels);
    free(dotted);
}

static void assert_refused(const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open(folder, NULL, &dataset, &err), VG_E_FORMAT);
    assert_null(dataset);
    assert_contains(err.message, part);
}

/* Puts `value` at byte `at` of a good file, or cuts it to `size` if that is not 0. */
static void spoil(const char *name, size_t at, size_t value, size_t size)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    put_good();
    char *path = vg_path_join(folder, name);
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    if (!size)
        put_be32(bytes.data + at, value);
    assert_ok(vg_file_write(path, bytes.data, size ? size : bytes.size, &err));
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_each_fault_has_its_message(void **state)
{
    (void)state;
    const char *images = "train-images-idx3-ubyte", *labels = "t10k-labels-idx1-ubyte";
    spoil(images, 0, 0x801, 0);
    assert_refused("magic number 0x00000801, expected 0x00000803");
    spoil(images, 0, 0x00000d03, 0);
    assert_refused("magic number 0x00000d03");
    spoil(images, 4, 4, 0);
    assert_refused("holds 18 bytes of data, its header says 24");
    spoil(images, 8, 0, 0);
    assert_refused("dimension 2 is 0");
    spoil(images, 0, 0, 30);
    assert_refused("holds 14 bytes of data, its header says 18");
    spoil(images, 0, 0, 9);
    assert_refused("9 bytes, too short for an IDX header of 16");
    spoil(labels, 4, 3, 0);
    assert_refused("t10k-labels-idx1-ubyte: holds 2 bytes of data, its header says 3");
    put_good();
    put_bytes(folder, labels, "\0\0\x08\x01\0\0\0\x03\1\2\3", 11);
    assert_refused("3 labels for the 2 images of t10k-images-idx3-ubyte");
    put_good();
    const uint8_t two[] = {1, 2};
    put_idx(folder, "t10k", 2, 3, 3, PIXELS, two);
    assert_refused("images of 3x3, the training images are 3x2");
}

static void test_dimensions_that_overflow(void **state)
{
    (void)state;
    uint8_t header[16];
    put_good();
    put_be32(header, 0x803);
    for (size_t i = 1; i < 4; i++)
        put_be32(header + 4 * i, 0xffffffff);
    put_bytes(folder, "train-images-idx3-ubyte", header, 16);
    assert_refused("overflow");
}

static void test_half_a_pair(void **state)
{
    (void)state;
    put_good();
    char *path = vg_path_join(folder, "t10k-labels-idx1-ubyte");
    assert_int_equal(unlink(path), 0);
    free(path);
    assert_refused("t10k-images-idx3-ubyte is there, but no t10k-labels-idx1-ubyte[.gz]");
}

static void test_class_names_that_do_not_fit(void **state)
{
    (void)state;
    put_good();
    put_text(folder, "classes.txt", "a\nb\nc\n");
    assert_refused("classes.txt: 3 names, but label 9 occurs");
    put_text(folder, "classes.txt", "a\nb\na\n");
    assert_refused("classes.txt:3: \"a\" is also the name of label 0");
    put_text(folder, "classes.txt", "a\n\nb\n");
    assert_refused("classes.txt:2: empty line");
    char many[600];
    for (size_t i = 0; i < sizeof many; i += 2) {
        many[i] = (char)('a' + i % 26);
        many[i + 1] = '\n';
    }
    put_bytes(folder, "classes.txt", many, sizeof many);
    assert_refused("also the name");
}

static void test_real_fashion_mnist(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    size_t counts[10];
    char *path = real_data("fashion-mnist");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_count(dataset), 70000);
    assert_int_equal(vg_dataset_classes(dataset), 10);
    for (int split = 0; split < VG_SPLIT_COUNT; split++) {
        vg_dataset_counts(dataset, (vg_split)split, counts);
        const size_t expected[] = {6000, 0, 1000};
        for (int k = 0; k < 10; k++)
            assert_int_equal(counts[k], expected[split]);
    }
    assert_string_equal(vg_dataset_class_name(dataset, 9), "9");
    assert_int_equal(vg_dataset_label(dataset, 0), 9); /* the first picture is an ankle boot */
    vg_dataset_close(dataset);
    free(path);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(test_train_and_test),
        FRESH(test_names_of_classes),
        FRESH(test_training_files_alone_are_split),
        FRESH(test_gzip_and_dots),
        FRESH(test_each_fault_has_its_message),
        FRESH(test_dimensions_that_overflow),
        FRESH(test_half_a_pair),
        FRESH(test_class_names_that_do_not_fit),
        cmocka_unit_test(test_real_fashion_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
