/* From a dataset with planted wrong labels to the list, with real trainings. */
#include "test.h"

#include "dataset_fixture.h"
#include "planted_fixture.h"
#include "study/label_errors.h"

#include <math.h>

enum { IMAGES = PLANTED_CLASSES * PLANTED_EACH };

static vg_label_error_options quick(void)
{
    vg_label_error_options options = vg_label_error_options_default();
    options.epochs = 9;
    options.folds = 2;
    return options;
}

static size_t hits(const vg_label_errors *found, const int *truth, size_t first)
{
    size_t n = 0;
    for (size_t i = 0; i < first; i++)
        n += truth[found->labels[i].index] != found->labels[i].given;
    return n;
}

/* 20 x 12, coloured. */
static void put_noise(const char *folder, const char *name, unsigned seed)
{
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, 20, 12, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)((seed + 1) * (i + 7) * 2654435761u >> 16);
    put_image(folder, name, &image);
    vg_image_reset(&image);
}

static void test_planted_labels_come_first(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[IMAGES];
    vg_dataset *dataset = planted_dataset(&folder, 10, false, truth);
    vg_label_error_options options = quick();
    vg_label_errors found;
    assert_ok(vg_label_errors_find(dataset, &options, &found, &err));
    assert_int_equal(found.judged, IMAGES);
    assert_true(hits(&found, truth, 40) >= 38);
    assert_true(found.suspicious >= 36 && found.suspicious <= 48);
    assert_true(found.noise.low <= 40 && found.noise.high >= 40 && found.noise.low > 0);
    assert_int_equal(found.noise.kind, VG_NOISE_SCATTERED);
    assert_int_equal(found.left_out_count, 0);
    assert_true(found.agreement > 0.85 && found.agreement < 0.95);
    assert_int_equal(found.width, PLANTED_SIZE);
    assert_int_equal(found.channels, 1);
    assert_string_equal(found.net, "lenet");
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(found.labels[i].suggested, truth[found.labels[i].index]);
    for (size_t i = 1; i < found.judged; i++)
        assert_true(found.labels[i].doubt <= found.labels[i - 1].doubt);
    vg_label_errors_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_pairs_are_named(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[IMAGES];
    vg_dataset *dataset = planted_dataset(&folder, 5, true, truth);
    vg_label_error_options options = quick();
    vg_label_errors found;
    assert_ok(vg_label_errors_find(dataset, &options, &found, &err));
    assert_int_equal(found.noise.kind, VG_NOISE_PAIRS);
    assert_true(found.noise.pair_count >= PLANTED_CLASSES - 1); /* 20 labels each */
    for (size_t p = 0; p < found.noise.pair_count; p++)
        assert_int_equal(found.noise.pairs[p].given,
                         (found.noise.pairs[p].truth + 1) % PLANTED_CLASSES);
    vg_label_errors_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_clean_labels(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[IMAGES];
    vg_dataset *dataset = planted_dataset(&folder, 0, false, truth);
    vg_label_error_options options = quick();
    vg_label_errors found;
    assert_ok(vg_label_errors_find(dataset, &options, &found, &err));
    assert_int_equal(found.noise.kind, VG_NOISE_NONE);
    assert_true(found.noise.low <= 0 && found.noise.high < 20);
    assert_true(found.suspicious <= 2);
    vg_label_errors_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[IMAGES];
    vg_dataset *dataset = planted_dataset(&folder, 10, false, truth);
    vg_label_error_options options = quick();
    vg_label_errors one, three;
    options.epochs = 3;
    options.folds = 3;
    options.mirror = true;
    options.threads = 1;
    assert_ok(vg_label_errors_find(dataset, &options, &one, &err));
    options.threads = 3;
    assert_ok(vg_label_errors_find(dataset, &options, &three, &err));
    assert_memory_equal(&one.noise.wrong, &three.noise.wrong, sizeof one.noise.wrong);
    for (size_t i = 0; i < IMAGES; i++) {
        assert_int_equal(one.labels[i].index, three.labels[i].index);
        assert_memory_equal(&one.labels[i].doubt, &three.labels[i].doubt, sizeof(float));
    }
    vg_label_errors_reset(&one);
    vg_label_errors_reset(&three);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* Class b has too few images, one of a cannot be read, c is looked at in part. */
static void test_what_is_left_out(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder = test_folder_make(), name[32];
    vg_dataset *dataset = NULL;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < (k == 1 ? 5 : 30); i++) {
            snprintf(name, sizeof name, "%c/%02d.png", "abc"[k], i);
            put_noise(folder, name, (unsigned)(40 * k + i));
        }
    }
    put_text(folder, "a/99.png", "no picture");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    vg_label_error_options options = quick();
    vg_label_errors found;
    options.epochs = 2;
    options.side = 16;
    assert_ok(vg_label_errors_find(dataset, &options, &found, &err));
    assert_int_equal(found.left_out_count, 1);
    assert_int_equal(found.left_out[0], 1);
    assert_int_equal(found.noise.classes, 2);
    assert_int_equal(found.classes[1], 2);
    assert_int_equal(found.judged, 60);
    assert_int_equal(found.unreadable, 1);
    assert_int_equal(found.not_asked, 0);
    assert_int_equal(found.width, 16);
    assert_int_equal(found.height, 10);
    for (size_t i = 0; i < found.judged; i++)
        assert_true(found.labels[i].given != 1 && found.labels[i].suggested != 1);
    vg_label_errors_reset(&found);
    options.most = 40;
    assert_ok(vg_label_errors_find(dataset, &options, &found, &err));
    assert_int_equal(found.judged + found.not_asked + found.unreadable, 61);
    assert_true(found.judged > 20 && found.judged < 55);
    vg_label_errors_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static bool stop(void *context, const char *part, double share)
{
    const char *wanted = context;
    assert_true(share >= 0 && share <= 1);
    return strcmp(part, wanted) == 0;
}

static void test_errors(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[IMAGES];
    vg_dataset *dataset = planted_dataset(&folder, 10, false, truth);
    vg_label_error_options options = quick();
    vg_label_errors found;
    options.least = 200;
    assert_int_equal(vg_label_errors_find(dataset, &options, &found, &err), VG_E_FORMAT);
    assert_contains(err.message, "0 of 4 classes have the 200 images");
    assert_null(found.labels);
    options = quick();
    options.net = "lenett";
    assert_int_equal(vg_label_errors_find(dataset, &options, &found, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"lenet\"");
    options = quick();
    options.folds = 99;
    assert_int_equal(vg_label_errors_find(dataset, &options, &found, &err), VG_E_ARG);
    assert_contains(err.message, "99 folds");
    options = quick();
    options.progress = stop;
    options.context = "reading";
    assert_int_equal(vg_label_errors_find(dataset, &options, &found, &err), VG_E_STOPPED);
    options.context = "training";
    assert_int_equal(vg_label_errors_find(dataset, &options, &found, &err), VG_E_STOPPED);
    assert_null(found.labels);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_labels_come_first),
        cmocka_unit_test(test_pairs_are_named),
        cmocka_unit_test(test_clean_labels),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_what_is_left_out),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
