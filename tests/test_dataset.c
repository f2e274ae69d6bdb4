/* Tests of dataset/dataset.c, index.c and select.c: reading, names, and narrower views. */
#include "test.h"

#include "dataset_fixture.h"

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

/* `n[k]` samples of each class in each split, from a manifest. */
static vg_dataset *open_counts(int classes, const char *const *names, const int n[][3])
{
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = vg_path_join(folder, "list.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int k = 0; k < classes; k++)
        for (int split = 0; split < 3; split++)
            for (int i = 0; i < n[k][split]; i++)
                fprintf(file, "%s/%d-%d.jpg,%s,%s\n", names[k], split, i, names[k],
                        vg_split_name((vg_split)split));
    fclose(file);
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    free(path);
    return dataset;
}

static const char *const NAMES[] = {"ant", "bee", "cat", "dog"};
static const int COUNTS[][3] = {{100, 20, 10}, {50, 10, 10}, {30, 10, 10}, {3, 1, 2}};

static vg_dataset *open_four(void)
{
    return open_counts(4, NAMES, COUNTS);
}

static void assert_counts(const vg_dataset *dataset, vg_split split, int classes,
                          const size_t *expected)
{
    size_t counts[8];
    assert_int_equal(vg_dataset_classes(dataset), classes);
    vg_dataset_counts(dataset, split, counts);
    for (int k = 0; k < classes; k++)
        assert_int_equal(counts[k], expected[k]);
}

static void test_reading_files(void **state)
{
    (void)state;
    const uint8_t red[] = {200, 10, 20}, grey[] = {77};
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader;
    vg_image image = {0};
    vg_decode_info info;
    put_flat(folder, "cat/1.png", 3, red);
    put_flat(folder, "dog/2.png", 1, grey);
    put_text(folder, "dog/3.jpg", "this is no picture");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_read(dataset, 0, NULL, &reader, &image, &info, &err));
    assert_int_equal(image.channels, 3);
    assert_memory_equal(image.data, red, 3);
    assert_int_equal(info.format, VG_FORMAT_PNG);
    assert_ok(vg_dataset_read(dataset, 1, NULL, &reader, &image, NULL, &err));
    assert_int_equal(image.channels, 1);
    vg_decode_options options = vg_decode_options_default();
    options.channels = 3;
    assert_ok(vg_dataset_read(dataset, 1, &options, &reader, &image, NULL, &err));
    assert_int_equal(image.channels, 3);
    assert_int_equal(image.data[2], 77);
    assert_int_equal(vg_dataset_read(dataset, 2, NULL, &reader, &image, &info, &err), VG_E_FORMAT);
    assert_contains(err.message, "dog/3.jpg: ");
    assert_int_equal(vg_dataset_file_bytes(dataset, 2), 18);
    vg_image_reset(&image);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

static void test_a_file_that_vanished(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader;
    vg_image image = {0};
    put_text(folder, "cat/gone.jpg", "");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    char *path = vg_path_join(folder, "cat/gone.jpg");
    unlink(path);
    free(path);
    assert_ok(vg_reader_init(&reader, &err));
    assert_int_equal(vg_dataset_read(dataset, 0, NULL, &reader, &image, NULL, &err), VG_E_IO);
    assert_contains(err.message, "cat/gone.jpg");
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

static void test_names_are_cut_and_measured(void **state)
{
    (void)state;
    vg_dataset *dataset = open_four();
    char name[6];
    memset(name, 'x', sizeof name);
    assert_int_equal(vg_dataset_name(dataset, 0, name, sizeof name), 11); /* ant/0-0.jpg */
    assert_string_equal(name, "ant/0");
    assert_int_equal(vg_dataset_name(dataset, 0, NULL, 0), 11);
    vg_dataset_close(dataset);
}

/* A path that no system opens is refused when it is read, not cut. */
static void test_path_too_long(void **state)
{
    (void)state;
    char text[5200];
    memset(text, 'a', sizeof text);
    memcpy(text + 5000, ".jpg,x\n", 8);
    put_text(folder, "list.csv", text);
    char *path = vg_path_join(folder, "list.csv");
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader;
    vg_image image = {0};
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_ok(vg_reader_init(&reader, &err));
    assert_int_equal(vg_dataset_read(dataset, 0, NULL, &reader, &image, NULL, &err), VG_E_LIMIT);
    assert_contains(err.message, "a path of more than");
    assert_int_equal(vg_dataset_file_bytes(dataset, 0), 0);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
    free(path);
}

static void test_many_classes(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = vg_path_join(folder, "list.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "%d.jpg,class%05d\n", i, (i * 7919) % 5000);
    fclose(file);
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_classes(dataset), 5000);
    for (int k = 1; k < 5000; k++)
        assert_true(
            strcmp(vg_dataset_class_name(dataset, k - 1), vg_dataset_class_name(dataset, k)) < 0);
    assert_string_equal(vg_dataset_class_name(dataset, vg_dataset_label(dataset, 1)), "class02919");
    vg_dataset_close(dataset);
    free(path);
}

static void test_select_classes_renumbers(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset = open_four();
    const char *want[] = {"dog", "bee"};
    vg_selection selection = {.classes = want, .class_count = 2};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    const size_t train[] = {3, 50}, test[] = {2, 10};
    assert_counts(dataset, VG_SPLIT_TRAIN, 2, train);
    assert_counts(dataset, VG_SPLIT_TEST, 2, test);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "dog");
    assert_int_equal(vg_dataset_label(dataset, find_sample(dataset, "bee/0-1.jpg")), 1);
    const char *again[] = {"bee"}; /* a selection of the selection */
    selection = (vg_selection){.classes = again, .class_count = 1};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    assert_int_equal(vg_dataset_count(dataset), 70);
    vg_dataset_close(dataset);
}

static void test_select_limits_training_only(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset = open_four();
    const char *limited[] = {"bee", "ant", "dog"};
    const size_t limits[] = {5, 0, 99};
    vg_selection selection = {.limit_classes = limited, .limits = limits, .limit_count = 3};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    const size_t train[] = {0, 5, 30, 3}, val[] = {20, 10, 10, 1};
    assert_counts(dataset, VG_SPLIT_TRAIN, 4, train);
    assert_counts(dataset, VG_SPLIT_VAL, 4, val);
    vg_dataset_close(dataset);
}

static void test_left_out_samples_are_gone(void **state)
{
    (void)state;
    vg_dataset *dataset = open_four();
    size_t count = vg_dataset_count(dataset), kept = 0;
    bool *gone = calloc(count, sizeof *gone);
    assert_non_null(gone);
    int bee = vg_dataset_label(dataset, find_sample(dataset, "bee/0-1.jpg"));
    for (size_t i = 0; i < count; i++) {
        gone[i] = vg_dataset_label(dataset, i) == bee || i % 2;
        kept += !gone[i];
    }
    char name[100], first[100];
    vg_dataset_name(dataset, 2, name, sizeof name);
    vg_dataset_leave_out(dataset, gone);
    assert_int_equal(vg_dataset_count(dataset), kept);
    assert_int_equal(vg_dataset_classes(dataset), 4); /* one without a sample */
    for (size_t i = 0; i < kept; i++)
        assert_int_not_equal(vg_dataset_label(dataset, i), bee);
    vg_dataset_name(dataset, 1, first, sizeof first);
    assert_string_equal(first, name);
    free(gone);
    vg_dataset_close(dataset);
}

static void test_select_totals(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset = open_four();
    vg_selection selection = {.train_total = 93, .held_out_total = 20};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    /* training: 1 each and 89 of 179 in proportion 99 : 49 : 29 : 2, cumulated 49.2, 73.6, 88.0, 89 */
    const size_t train[] = {50, 26, 15, 2}, test[] = {6, 6, 6, 2}, val[] = {9, 5, 5, 1};
    assert_counts(dataset, VG_SPLIT_TRAIN, 4, train);
    assert_counts(dataset, VG_SPLIT_TEST, 4, test);
    assert_counts(dataset, VG_SPLIT_VAL, 4, val);
    vg_dataset_close(dataset);
    dataset = open_four(); /* fewer places than classes */
    selection = (vg_selection){.train_total = 2};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    size_t counts[4];
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    assert_int_equal(counts[0] + counts[1] + counts[2] + counts[3], 2);
    vg_dataset_close(dataset);
}

/* The same seed chooses the same samples, a smaller choice lies within a larger one, another seed
 * chooses others. */
static void test_select_is_a_hash(void **state)
{
    (void)state;
    vg_error err = {0};
    const char *limited[] = {"ant"};
    bool in[3][100] = {{false}};
    const size_t limits[] = {20, 40, 40};
    const uint64_t seeds[] = {1, 1, 2};
    for (int run = 0; run < 3; run++) {
        vg_dataset *dataset = open_four();
        vg_selection selection = {
            .limit_classes = limited, .limits = &limits[run], .limit_count = 1, .seed = seeds[run]};
        assert_ok(vg_dataset_select(dataset, &selection, &err));
        for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
            char name[32];
            vg_dataset_name(dataset, i, name, sizeof name);
            if (strncmp(name, "ant/0-", 6) == 0)
                in[run][strtol(name + 6, NULL, 10)] = true;
        }
        vg_dataset_close(dataset);
    }
    int common = 0;
    for (int i = 0; i < 100; i++) {
        assert_true(!in[0][i] || in[1][i]);
        common += in[1][i] && in[2][i];
    }
    assert_in_range(common, 5, 30); /* 16 expected of 40 */
}

static void test_select_refusals_change_nothing(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset = open_four();
    const char *typo[] = {"ant", "dgo"}, *strange[] = {"zebra crossing"}, *twice[] = {"ant", "ant"};
    const char *ant[] = {"ant"}, *bee[] = {"bee"};
    const size_t one[] = {1};
    vg_selection selection = {.classes = typo, .class_count = 2};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    assert_contains(err.message, "no class \"dgo\"; did you mean \"dog\"?");
    selection = (vg_selection){.classes = strange, .class_count = 1};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    assert_contains(err.message, "there are 4, from \"ant\" to \"dog\"");
    selection = (vg_selection){.classes = twice, .class_count = 2};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    assert_contains(err.message, "selected twice");
    selection = (vg_selection){.classes = ant, .class_count = 0};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    selection = (vg_selection){
        .classes = ant, .class_count = 1, .limit_classes = bee, .limits = one, .limit_count = 1};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    assert_contains(err.message, "limit for class \"bee\"");
    selection = (vg_selection){.limit_classes = typo + 1, .limits = one, .limit_count = 1};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_ARG);
    assert_contains(err.message, "dgo");
    assert_int_equal(vg_dataset_count(dataset), 256);
    assert_int_equal(vg_dataset_classes(dataset), 4);
    vg_dataset_close(dataset);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(test_reading_files),
        FRESH(test_a_file_that_vanished),
        FRESH(test_names_are_cut_and_measured),
        FRESH(test_path_too_long),
        FRESH(test_many_classes),
        FRESH(test_select_classes_renumbers),
        FRESH(test_select_limits_training_only),
        FRESH(test_left_out_samples_are_gone),
        FRESH(test_select_totals),
        FRESH(test_select_is_a_hash),
        FRESH(test_select_refusals_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
