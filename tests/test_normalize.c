/* Tests of normalize.h. Golden values: tests/golden/normalize.py (numpy). */
#include "test.h"

#include "dataset_fixture.h"
#include "normalize.h"

#include <math.h>

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

static uint8_t value(size_t i)
{
    return (uint8_t)((37 * i * i + 11 * i) % 251);
}

/* The pictures of the golden script: number 0 and 1. */
static void make_picture(size_t number, vg_image *image)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, 5, 2, 3, &err));
    for (size_t i = 0; i < 30; i++)
        image->data[i] = value(30 * number + i);
}

static const double MEAN[] = {162.05, 110.25, 145};
static const double STD[] = {66.496973615346, 68.394352837058, 59.634721429717};

static vg_channel_stats golden_stats(void)
{
    vg_channel_stats stats = {0};
    vg_image image = {0};
    for (size_t i = 0; i < 2; i++) {
        make_picture(i, &image);
        vg_channel_stats_add(&stats, &image);
    }
    vg_image_reset(&image);
    return stats;
}

static void test_stats_golden(void **state)
{
    (void)state;
    vg_channel_stats stats = golden_stats();
    const int low[] = {0, 5, 28}, high[] = {247, 235, 248};
    assert_int_equal(stats.count, 20);
    assert_int_equal(stats.images, 2);
    assert_int_equal(stats.channels, 3);
    for (int c = 0; c < 3; c++) {
        assert_near(vg_channel_mean(&stats, c), MEAN[c], 1e-12);
        assert_near(vg_channel_std(&stats, c), STD[c], 1e-11);
        assert_int_equal(stats.min[c], low[c]);
        assert_int_equal(stats.max[c], high[c]);
    }
    vg_channel_stats none = {0};
    assert_near(vg_channel_mean(&none, 0), 0, 0);
    assert_near(vg_channel_std(&none, 0), 0, 0);
}

/* More pixels than fit in one block of 32-bit sums, all white: the sums must not wrap. */
static void test_large_white_picture(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_channel_stats stats = {0};
    assert_ok(vg_image_shape(&image, 511, 301, 1, &err));
    memset(image.data, 255, vg_image_bytes(&image));
    vg_channel_stats_add(&stats, &image);
    assert_int_equal(stats.sum[0], (uint64_t)511 * 301 * 255);
    assert_int_equal(stats.sum_squares[0], (uint64_t)511 * 301 * 255 * 255);
    assert_near(vg_channel_std(&stats, 0), 0, 0);
    vg_image_reset(&image);
}

/* Grey pictures among coloured ones count as three equal channels, in every order. */
static void test_grey_among_colour_in_any_order(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image pictures[3] = {{0}};
    make_picture(0, &pictures[0]);
    make_picture(1, &pictures[1]);
    assert_ok(vg_image_shape(&pictures[2], 4, 4, 1, &err));
    for (size_t i = 0; i < 16; i++)
        pictures[2].data[i] = (uint8_t)(250 + i % 6);
    vg_image spread = {0};
    assert_ok(vg_image_convert(&pictures[2], 3, &spread, &err));
    vg_channel_stats expected = {0};
    vg_channel_stats_add(&expected, &pictures[0]);
    vg_channel_stats_add(&expected, &pictures[1]);
    vg_channel_stats_add(&expected, &spread);
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {2, 0, 1}, {2, 1, 0}};
    for (size_t k = 0; k < 4; k++) {
        vg_channel_stats all = {0}, merged = {0}, one = {0};
        for (size_t i = 0; i < 3; i++)
            vg_channel_stats_add(&all, &pictures[orders[k][i]]);
        assert_memory_equal(&all, &expected, sizeof all);
        vg_channel_stats_add(&merged, &pictures[orders[k][0]]);
        vg_channel_stats_add(&one, &pictures[orders[k][1]]);
        vg_channel_stats_add(&one, &pictures[orders[k][2]]);
        vg_channel_stats_merge(&merged, &one);
        assert_memory_equal(&merged, &expected, sizeof merged);
    }
    for (int i = 0; i < 3; i++)
        vg_image_reset(&pictures[i]);
    vg_image_reset(&spread);
}

static void test_percentiles_and_robust(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_channel_stats stats = {0};
    assert_ok(vg_image_shape(&image, 1000, 1, 1, &err));
    for (int i = 0; i < 1000; i++) /* 50 .. 149, five dead and five blinded pixels */
        image.data[i] = (uint8_t)(i < 5 ? 0 : i < 10 ? 255 : 50 + (i - 10) * 100 / 990);
    vg_channel_stats_add(&stats, &image);
    assert_int_equal(vg_channel_percentile(&stats, 0, 0), 0);
    assert_int_equal(vg_channel_percentile(&stats, 0, 0.005), 0);
    assert_int_equal(vg_channel_percentile(&stats, 0, 0.01), 50);
    assert_int_equal(vg_channel_percentile(&stats, 0, 0.5), 99);
    assert_int_equal(vg_channel_percentile(&stats, 0, 0.99), 149);
    assert_int_equal(vg_channel_percentile(&stats, 0, 1), 255);
    vg_normalizer robust = vg_normalizer_make(VG_NORMALIZE_ROBUST, 1, &stats);
    float x[3] = {50, 149, 0};
    vg_normalizer_apply(&robust, x, 3);
    assert_near((double)x[0], 0, 1e-6);
    assert_near((double)x[1], 1, 1e-6);
    assert_near((double)x[2], -50 / 99.0, 1e-6);
    assert_int_equal(robust.min[0], 50);
    assert_int_equal(robust.images, 1);
    vg_image_reset(&image);
}

static void test_imagenet_needs_no_fit(void **state)
{
    (void)state;
    vg_normalizer n = vg_normalizer_make(VG_NORMALIZE_IMAGENET, 3, NULL);
    float x[3] = {255, 0, 127.5F};
    vg_normalizer_apply(&n, x, 1);
    assert_near((double)x[0], (1 - 0.485) / 0.229, 1e-5);
    assert_near((double)x[1], -0.456 / 0.224, 1e-5);
    assert_near((double)x[2], (0.5 - 0.406) / 0.225, 1e-5);
    n = vg_normalizer_make(VG_NORMALIZE_IMAGENET, 1, NULL);
    assert_near(n.mean[0], 255 * 0.449, 1e-9);
    assert_false(vg_normalization_is_fitted(VG_NORMALIZE_IMAGENET));
    assert_true(vg_normalization_is_affine(VG_NORMALIZE_IMAGENET));
    assert_true(vg_normalization_is_fitted(VG_NORMALIZE_ROBUST));
    assert_false(vg_normalization_is_affine(VG_NORMALIZE_IMAGE_ZSCORE));
    assert_false(vg_normalization_is_affine(VG_NORMALIZE_NONE));
}

static void planar(float *x)
{
    for (size_t i = 0; i < 60; i++)
        x[i % 3 * 20 + i / 3] = value(i);
}

static void test_fitted_kinds(void **state)
{
    (void)state;
    float x[60], raw[60];
    vg_channel_stats stats = golden_stats();
    planar(raw);
    for (int kind = VG_NORMALIZE_NONE; kind <= VG_NORMALIZE_ZSCORE; kind++) {
        vg_normalizer n = vg_normalizer_make((vg_normalization)kind, 3, &stats);
        memcpy(x, raw, sizeof x);
        vg_normalizer_apply(&n, x, 20);
        for (int i = 0; i < 60; i++) {
            int c = i / 20;
            double v = raw[i];
            double expected = kind == VG_NORMALIZE_NONE   ? v
                              : kind == VG_NORMALIZE_UNIT ? v / 255
                              : kind == VG_NORMALIZE_MINMAX
                                  ? (v - stats.min[c]) / (stats.max[c] - stats.min[c])
                                  : (v - MEAN[c]) / STD[c];
            assert_near(x[i], expected, 1e-6 * fmax(1, fabs(expected)));
        }
    }
    vg_normalizer n = vg_normalizer_make(VG_NORMALIZE_ZSCORE, 3, &stats);
    assert_int_equal(n.images, 2);
    assert_near(n.mean[1], 110.25, 1e-12);
    assert_int_equal(n.max[2], 248);
}

static void test_image_kinds_golden(void **state)
{
    (void)state;
    float x[60];
    const int at[] = {0, 31, 59};
    const double z[] = {-2.0326057508054145, 1.255218073286737, 0.6122658587976052};
    const double m[] = {0, 0.907258064516129, 0.7298387096774194};
    vg_normalizer n = vg_normalizer_make(VG_NORMALIZE_IMAGE_ZSCORE, 3, NULL);
    planar(x);
    vg_normalizer_apply(&n, x, 20);
    for (int i = 0; i < 3; i++)
        assert_near(x[at[i]], z[i], 1e-6);
    n = vg_normalizer_make(VG_NORMALIZE_IMAGE_MINMAX, 3, NULL);
    planar(x);
    vg_normalizer_apply(&n, x, 20);
    for (int i = 0; i < 3; i++)
        assert_near(x[at[i]], m[i], 1e-6);
}

static void test_no_contrast_is_no_division(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_channel_stats stats = {0};
    assert_ok(vg_image_shape(&image, 3, 3, 1, &err));
    memset(image.data, 51, 9);
    vg_channel_stats_add(&stats, &image);
    vg_image_reset(&image);
    for (int kind = VG_NORMALIZE_MINMAX; kind <= VG_NORMALIZE_IMAGE_ZSCORE; kind++) {
        vg_normalizer n = vg_normalizer_make((vg_normalization)kind, 1, &stats);
        float x[9], y[] = {102};
        for (int i = 0; i < 9; i++)
            x[i] = 51 + 1e-5F * (float)i; /* what resampling leaves of one value */
        vg_normalizer_apply(&n, x, 9);
        for (int i = 0; i < 9; i++)
            assert_near(x[i], 0, 1e-3);
        if (kind <= VG_NORMALIZE_ZSCORE) {
            vg_normalizer_apply(&n, y, 1);
            assert_near(y[0], 0.2, 1e-6);
        }
    }
}

static void test_other_channel_counts(void **state)
{
    (void)state;
    vg_channel_stats rgb = golden_stats();
    vg_normalizer one = vg_normalizer_make(VG_NORMALIZE_ZSCORE, 1, &rgb);
    assert_near(one.mean[0], (162.05 + 110.25 + 145) / 3, 1e-9);
    assert_int_equal(one.min[0], 0);
    assert_int_equal(one.max[0], 248);
    vg_channel_stats grey = {.count = 4,
                             .sum = {40},
                             .sum_squares = {800},
                             .min = {0},
                             .max = {20},
                             .images = 1,
                             .channels = 1};
    vg_normalizer three = vg_normalizer_make(VG_NORMALIZE_ZSCORE, 3, &grey);
    for (int c = 0; c < 3; c++) {
        assert_near(three.mean[c], 10, 1e-12);
        assert_near(three.scale[c], 0.1, 1e-7);
        assert_near(three.offset[c], -1, 1e-6);
    }
    vg_normalizer unfitted = vg_normalizer_make(VG_NORMALIZE_ZSCORE, 3, NULL);
    assert_near(unfitted.scale[2], 1.0 / 255, 1e-9);
    assert_near(unfitted.offset[2], 0, 0);
}

static void test_words(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_normalization kind;
    for (int i = VG_NORMALIZE_NONE; i <= VG_NORMALIZE_IMAGE_ZSCORE; i++) {
        assert_ok(vg_normalization_parse(vg_normalization_name((vg_normalization)i), &kind, &err));
        assert_int_equal(kind, i);
    }
    assert_int_equal(vg_normalization_parse("zcore", &kind, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"zscore\"?");
    assert_string_equal(vg_normalization_name((vg_normalization)77), "unknown");
}

/* 40 training pictures of one value each, some test pictures that must not count, a broken one. */
static vg_dataset *make_training_set(void)
{
    vg_error err = {0};
    vg_dataset *dataset;
    for (int i = 0; i < 40; i++) {
        char name[64];
        const uint8_t rgb[] = {(uint8_t)(5 * i), (uint8_t)(255 - i), (uint8_t)(i % 7)};
        snprintf(name, sizeof name, "train/%c/%d.png", 'a' + i % 3, i);
        put_flat(folder, name, i % 5 ? 3 : 1, rgb);
        snprintf(name, sizeof name, "test/%c/%d.png", 'a' + i % 3, i);
        const uint8_t white[] = {255, 255, 255};
        put_flat(folder, name, 3, white);
    }
    put_text(folder, "train/a/broken.png", "no");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    return dataset;
}

static void test_fit_is_the_same_for_any_threads(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset = make_training_set();
    vg_channel_stats expected = {0}, stats;
    assert_ok(vg_channel_stats_fit(dataset, 3, 0, 1, &expected, &err));
    assert_int_equal(expected.images, 40); /* the broken one is passed over */
    assert_int_equal(expected.count, 40 * 48);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 40; i++)
        sum += 48 * 5 * i;
    assert_int_equal(expected.sum[0], sum);
    for (int threads = 0; threads <= 4; threads++) {
        assert_ok(vg_channel_stats_fit(dataset, 3, 0, threads, &stats, &err));
        assert_memory_equal(&stats, &expected, sizeof stats);
        assert_ok(vg_channel_stats_fit(dataset, 0, 0, threads, &stats, &err)); /* grey spreads */
        assert_memory_equal(&stats, &expected, sizeof stats);
    }
    vg_channel_stats few, again;
    assert_ok(vg_channel_stats_fit(dataset, 3, 10, 1, &few, &err));
    assert_ok(vg_channel_stats_fit(dataset, 3, 10, 3, &again, &err));
    assert_memory_equal(&few, &again, sizeof few);
    assert_in_range(few.images, 9, 10);
    vg_dataset_close(dataset);
}

static void test_fit_refusals(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_channel_stats stats;
    put_text(folder, "train/a/1.png", "no");
    put_text(folder, "test/a/1.png", "no");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_channel_stats_fit(dataset, 3, 0, 2, &stats, &err), VG_E_FORMAT);
    assert_contains(err.message, "none of 1 training images");
    assert_int_equal(vg_channel_stats_fit(dataset, 2, 0, 2, &stats, &err), VG_E_ARG);
    vg_dataset_close(dataset);
    char *path = vg_path_join(folder, "train/a/1.png");
    unlink(path);
    free(path);
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_channel_stats_fit(dataset, 3, 0, 2, &stats, &err), VG_E_ARG);
    assert_contains(err.message, "no training images");
    vg_dataset_close(dataset);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles_and_robust),
        cmocka_unit_test(test_imagenet_needs_no_fit),
        cmocka_unit_test(test_stats_golden),
        cmocka_unit_test(test_large_white_picture),
        cmocka_unit_test(test_grey_among_colour_in_any_order),
        cmocka_unit_test(test_fitted_kinds),
        cmocka_unit_test(test_image_kinds_golden),
        cmocka_unit_test(test_no_contrast_is_no_division),
        cmocka_unit_test(test_other_channel_counts),
        cmocka_unit_test(test_words),
        FRESH(test_fit_is_the_same_for_any_threads),
        FRESH(test_fit_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
