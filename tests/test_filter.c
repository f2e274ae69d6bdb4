/* Tests of ops/filter.h; golden values by tests/golden/pixels.py. */
#include "test.h"

#include "ops/filter.h"
#include "pixels_fixture.h"

#include <math.h>

static bool apply(const char *name, double a, double b, const vg_pixels *p, double *tolerance)
{
    (void)b;
    *tolerance = 0.002;
    if (strcmp(name, "gaussian") == 0)
        vg_filter_gaussian(p, a);
    else if (strcmp(name, "median") == 0)
        vg_filter_median(p, (int)a);
    else if (strcmp(name, "sharpness") == 0)
        vg_filter_sharpness(p, a);
    else
        return false;
    return true;
}

static void test_equals_torchvision_and_opencv(void **state)
{
    (void)state;
    int cases = test_pixels_golden(apply);
    assert_true(cases >= 5 * (3 + 2) + 6);
}

static void run(int operation, const vg_pixels *p)
{
    switch (operation) {
    case 0:
        vg_filter_gaussian(p, 2.5);
        break;
    case 1:
        vg_filter_motion(p, 9, 30);
        break;
    case 2:
        vg_filter_median(p, 3);
        break;
    case 3:
        vg_filter_sharpness(p, 3);
        break;
    default:
        vg_filter_downscale(p, 0.3);
    }
}

static void test_every_shape_stays_in_range(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SHAPES; i++)
        for (int operation = 0; operation < 5; operation++) {
            test_pixels t =
                test_pixels_make(test_shapes[i][0], test_shapes[i][1], test_shapes[i][2], NULL);
            run(operation, &t.p);
            test_pixels_in_range(&t);
            test_pixels_free(&t);
        }
}

static void test_a_flat_picture_stays_flat(void **state)
{
    (void)state;
    for (int operation = 0; operation < 5; operation++) {
        test_pixels t = test_pixels_make(3, 14, 19, NULL);
        for (size_t i = 0; i < vg_pixels_count(&t.p); i++)
            t.p.x[i] = 93;
        run(operation, &t.p);
        for (size_t i = 0; i < vg_pixels_count(&t.p); i++)
            assert_near((double)t.p.x[i], 93, 1e-3);
        test_pixels_free(&t);
    }
}

static void test_no_strength_no_change(void **state)
{
    (void)state;
    test_pixels t = test_pixels_make(3, 13, 11, NULL);
    vg_filter_gaussian(&t.p, 0);
    vg_filter_motion(&t.p, 1, 45);
    vg_filter_median(&t.p, 0);
    vg_filter_sharpness(&t.p, 1);
    vg_filter_downscale(&t.p, 1);
    test_pixels_unchanged(&t);
    test_pixels_free(&t);
}

static float at(const vg_pixels *p, int x, int y)
{
    return p->x[y * p->width + x];
}

static void test_motion_follows_its_angle(void **state)
{
    (void)state;
    static const int step[4][2] = {{1, 0}, {1, -1}, {0, -1}, {-1, -1}}; /* 0, 45, 90, 135 degrees */
    for (int turn = 0; turn < 4; turn++) {
        test_pixels t = test_pixels_make(1, 21, 21, NULL);
        memset(t.p.x, 0, vg_pixels_count(&t.p) * sizeof(float));
        t.p.x[10 * 21 + 10] = 210;
        vg_filter_motion(&t.p, 7, 45.0 * turn);
        int dx = step[turn][0], dy = step[turn][1];
        double along = 0, total = 0;
        for (int k = -2; k <= 2; k++)
            along += (double)at(&t.p, 10 + k * dx, 10 + k * dy);
        for (int i = 0; i < 21 * 21; i++)
            total += (double)t.p.x[i];
        assert_near(total, 210, 0.01);
        assert_true(along > 90);
        assert_near((double)at(&t.p, 10 + 2 * dy, 10 - 2 * dx), 0, 1e-6); /* across */
        test_pixels_free(&t);
    }
}

static void test_downscale_by_two_averages_pairs(void **state)
{
    (void)state;
    test_pixels t = test_pixels_make(1, 4, 4, NULL);
    for (int i = 0; i < 16; i++)
        t.p.x[i] = (float)((i % 4 < 2 ? 40 : 80) + (i < 8 ? 0 : 100));
    vg_filter_downscale(&t.p, 0.5);
    assert_near((double)at(&t.p, 0, 0), 40, 1e-4);
    assert_near((double)at(&t.p, 1, 0), 50, 1e-4); /* a quarter of the way */
    assert_near((double)at(&t.p, 2, 0), 70, 1e-4);
    assert_near((double)at(&t.p, 3, 3), 180, 1e-4);
    test_pixels_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_torchvision_and_opencv),
        cmocka_unit_test(test_every_shape_stays_in_range),
        cmocka_unit_test(test_a_flat_picture_stays_flat),
        cmocka_unit_test(test_no_strength_no_change),
        cmocka_unit_test(test_motion_follows_its_angle),
        cmocka_unit_test(test_downscale_by_two_averages_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
