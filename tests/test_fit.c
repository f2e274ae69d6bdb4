/* Tests of augment/fit.h and pixel_stats.h. Golden values: tests/golden/whiten.py. */
#include "test.h"

#include "dataset_fixture.h"
#include "make_idx.h"

#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t TWENTY[3] = {20, 20, 20}, ONE[3] = {1, 1, 1};

static vg_augment input_of(int channels, int height, int width)
{
    return (vg_augment){
        .policy = vg_policy_none(), .channels = channels, .height = height, .width = width};
}

static void test_golden_for_any_threads(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    vg_dataset *dataset = make_idx_dataset(&folder, TWENTY, ONE, 3, 4);
    vg_augment augment = input_of(1, 4, 4);
    const size_t at[] = {0, 5, 15};
    const double mean[] = {29.5, 95.7, 34.5}, std[] = {19.10104709, 91.77913706, 18.68823159};
    for (int threads = 0; threads <= 3; threads++) {
        vg_views_options options = {.threads = threads};
        vg_pixel_stats *z, *m;
        assert_ok(
            vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_ZSCORE, &options, &z, &err));
        assert_ok(
            vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_MEAN, &options, &m, &err));
        assert_int_equal(z->images, 60);
        assert_near(z->std[0], 48.722234792694444, 1e-9);
        for (int i = 0; i < 3; i++) {
            assert_near((double)z->mean[at[i]], mean[i], 1e-5);
            assert_near(1 / (double)z->scale[at[i]], std[i], 1e-4);
            assert_near((double)m->scale[at[i]], 1 / 255.0, 1e-9);
        }
        assert_memory_equal(z->mean, m->mean, 16 * sizeof *z->mean);
        float x[16] = {48.6010471F};
        vg_normalizer n = vg_normalizer_of_pixels(VG_NORMALIZE_PIXEL_ZSCORE, z);
        vg_normalizer_apply(&n, x, 16);
        assert_near((double)x[0], 1, 1e-5);
        assert_near((double)x[5], -95.7 / 91.77913706, 1e-5);
        vg_pixel_stats_release(z);
        vg_pixel_stats_release(m);
    }
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* More than one block, resized and in three channels: still the same bits. */
static void test_blocks_and_resize(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    const size_t many[2] = {300, 301};
    vg_dataset *dataset = make_idx_dataset(&folder, many, ONE, 2, 8);
    vg_augment augment = input_of(3, 5, 7);
    vg_pixel_stats *one, *three, *few;
    assert_ok(vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_ZSCORE,
                                 &(vg_views_options){.threads = 1}, &one, &err));
    assert_ok(vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_ZSCORE,
                                 &(vg_views_options){.threads = 3}, &three, &err));
    assert_int_equal(one->images, 601);
    assert_memory_equal(one->mean, three->mean, one->size * sizeof *one->mean);
    assert_memory_equal(one->scale, three->scale, one->size * sizeof *one->scale);
    assert_memory_equal(one->mean, one->mean + 35, 35 * sizeof *one->mean); /* grey in three */
    assert_ok(vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_ZSCORE,
                                 &(vg_views_options){.threads = 2, .most = 50}, &few, &err));
    assert_int_equal(few->images, 50);
    vg_pixel_stats_release(one);
    vg_pixel_stats_release(three);
    vg_pixel_stats_release(few);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* A pixel that hardly varies is not amplified without bound, one that never does is only centred. */
static void test_little_contrast(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_pixel_stats *s;
    vg_pixel_sums sums;
    const float inputs[] = {10, 100, 50, 50, 30, 200, 50, 51}; /* two pictures of 1 x 4 */
    assert_ok(vg_pixel_stats_new(1, 1, 4, false, &s, &err));
    assert_ok(vg_pixel_sums_init(&sums, 4, &err));
    vg_pixel_sums_add(&sums, inputs, 2, 0, 4);
    sums.images = 2;
    vg_pixel_stats_fill(s, &sums, false);
    double least = 0.1 * sqrt((10 * 10 + 50 * 50 + 0.25) / 4);
    const double std[] = {10, 50, least, least};
    for (int i = 0; i < 4; i++)
        assert_near(1 / (double)s->scale[i], std[i], 1e-4);
    assert_near((double)s->mean[3], 50.5, 0);
    vg_pixel_sums_reset(&sums);
    assert_ok(vg_pixel_sums_init(&sums, 4, &err));
    vg_pixel_sums_add(&sums, inputs, 1, 0, 4);
    sums.images = 1;
    vg_pixel_stats_fill(s, &sums, false);
    assert_near((double)s->scale[1], 1 / 255.0, 1e-9);
    vg_pixel_sums_reset(&sums);
    vg_pixel_stats_release(s);
}

static void test_refusals(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_pixel_stats *s;
    char *folder = test_folder_make();
    vg_dataset *dataset;
    put_text(folder, "train/a/1.png", "no");
    put_text(folder, "test/a/1.png", "no");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    vg_augment augment = input_of(1, 4, 4), odd = input_of(2, 4, 4);
    vg_views_options options = {0};
    assert_int_equal(
        vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_PIXEL_MEAN, &options, &s, &err),
        VG_E_FORMAT);
    assert_contains(err.message, "none of 1 training images");
    assert_null(s);
    assert_int_equal(vg_pixel_stats_fit(dataset, &odd, VG_NORMALIZE_PIXEL_MEAN, &options, &s, &err),
                     VG_E_ARG);
    assert_int_equal(vg_pixel_stats_fit(dataset, &augment, VG_NORMALIZE_UNIT, &options, &s, &err),
                     VG_E_ARG);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    assert_int_equal(vg_pixel_stats_new(1, INT32_MAX, INT32_MAX, true, &s, &err), VG_E_LIMIT);
    assert_ok(vg_pixel_stats_new(1, 4, 4, false, &s, &err));
    vg_normalizer n = vg_normalizer_of_pixels(VG_NORMALIZE_PIXEL_MEAN, s);
    assert_ok(vg_normalizer_check(&n, 1, 4, 4, &err));
    assert_int_equal(vg_normalizer_check(&n, 1, 4, 5, &err), VG_E_SHAPE);
    assert_contains(err.message, "4 x 4 x 1");
    n.pixels = NULL;
    assert_int_equal(vg_normalizer_check(&n, 1, 4, 4, &err), VG_E_SHAPE);
    assert_true(vg_pixel_stats_hold(s) == s);
    vg_pixel_stats_release(s);
    vg_pixel_stats_release(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_for_any_threads),
        cmocka_unit_test(test_blocks_and_resize),
        cmocka_unit_test(test_little_contrast),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
