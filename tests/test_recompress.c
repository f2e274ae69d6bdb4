/* Tests of ops/recompress.h. */
#include "test.h"

#include "ops/recompress.h"
#include "pixels_fixture.h"

#include <math.h>

static double loss(int quality, int channels)
{
    test_pixels t = test_pixels_make(channels, 40, 50, NULL);
    size_t n = vg_pixels_plane(&t.p);
    for (size_t i = 0; i < vg_pixels_count(&t.p); i++) { /* a smooth picture: what JPEG keeps */
        size_t column = i % n % 50, channel = i / n;
        t.p.x[i] = t.before[i] = (float)(100 + 60 * sin((double)column / 9) + 20 * (double)channel);
    }
    vg_recompress_scratch scratch = {0};
    vg_error err = {0};
    assert_ok(vg_recompress(&t.p, quality, &scratch, &err));
    double sum = 0;
    for (size_t i = 0; i < vg_pixels_count(&t.p); i++) {
        assert_true(t.p.x[i] == (float)(int)t.p.x[i]);
        double d = (double)t.p.x[i] - (double)t.before[i];
        sum += d * d / (double)vg_pixels_count(&t.p);
    }
    vg_recompress_reset(&scratch);
    test_pixels_free(&t);
    return sqrt(sum);
}

static void test_lower_quality_loses_more(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        double fine = loss(100, channels), middle = loss(40, channels), coarse = loss(3, channels);
        assert_true(fine < 1);
        assert_true(fine < middle && middle < coarse);
        assert_true(coarse > 4);
    }
}

static void test_every_shape_and_reuse(void **state)
{
    (void)state;
    vg_recompress_scratch scratch = {0};
    vg_error err = {0};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < TEST_SHAPES; i++) {
            test_pixels t =
                test_pixels_make(test_shapes[i][0], test_shapes[i][1], test_shapes[i][2], NULL);
            assert_ok(vg_recompress(&t.p, 50, &scratch, &err));
            test_pixels_in_range(&t);
            test_pixels_free(&t);
        }
    test_pixels t = test_pixels_make(1, 3, 3, NULL);
    assert_int_equal(vg_recompress(&t.p, 0, &scratch, &err), VG_E_ARG);
    test_pixels_free(&t);
    vg_recompress_reset(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lower_quality_loses_more),
        cmocka_unit_test(test_every_shape_and_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
