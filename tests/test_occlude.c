/* Tests of ops/occlude.h. */
#include "test.h"

#include "ops/occlude.h"
#include "pixels_fixture.h"

#include <math.h>

static const float grey[3] = {10, 20, 30};

static size_t changed(const test_pixels *t, int c)
{
    size_t n = vg_pixels_plane(&t->p), count = 0;
    for (size_t i = 0; i < n; i++)
        count += t->p.x[(size_t)c * n + i] != t->before[(size_t)c * n + i];
    return count;
}

static void test_rectangle_is_clipped(void **state)
{
    (void)state;
    static const int cases[][5] = {/* x y width height, pixels */
                                   {2, 3, 4, 5, 20}, {-2, -1, 4, 3, 4}, {8, 6, 9, 9, 4},
                                   {-5, 0, 5, 5, 0}, {0, 0, 0, 9, 0},   {-9, -9, 99, 99, 80},
                                   {10, 8, 1, 1, 0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        test_pixels t = test_pixels_make(3, 8, 10, NULL);
        const int *r = cases[k];
        vg_occlude_rectangle(&t.p, r[0], r[1], r[2], r[3], grey);
        for (int c = 0; c < 3; c++)
            assert_int_equal(changed(&t, c), r[4]);
        test_pixels_free(&t);
    }
}

static void test_noise_depends_on_the_key(void **state)
{
    (void)state;
    vg_sample_key key = {.seed = 4, .position = 9};
    test_pixels a = test_pixels_make(3, 20, 20, NULL), b = test_pixels_make(3, 20, 20, NULL);
    vg_occlude_noise(&a.p, 3, 3, 10, 10, &key, VG_RNG_PIXELS);
    vg_occlude_noise(&b.p, 3, 3, 10, 10, &key, VG_RNG_PIXELS);
    assert_memory_equal(a.p.x, b.p.x, 1200 * sizeof(float));
    assert_int_equal(changed(&a, 0), 100);
    test_pixels_in_range(&a);
    double mean = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 3; y < 13; y++)
            for (int x = 3; x < 13; x++)
                mean += (double)a.p.x[c * 400 + y * 20 + x] / 300;
    assert_near(mean, 127.5, 4 * 73.6 / sqrt(300));
    key.position = 10;
    vg_occlude_noise(&b.p, 3, 3, 10, 10, &key, VG_RNG_PIXELS);
    assert_memory_not_equal(a.p.x, b.p.x, 1200 * sizeof(float));
    test_pixels_free(&a);
    test_pixels_free(&b);
}

static void test_grid_hides_its_share(void **state)
{
    (void)state;
    for (int offset = -7; offset < 9; offset += 4) {
        test_pixels t = test_pixels_make(3, 40, 40, NULL);
        vg_occlude_grid(&t.p, 8, 0.5, offset, 2 * offset, grey);
        for (int c = 0; c < 3; c++)
            assert_int_equal(changed(&t, c), 40 * 40 / 4);
        test_pixels_free(&t);
    }
    test_pixels t = test_pixels_make(1, 9, 9, NULL);
    vg_occlude_grid(&t.p, 4, 1, 1, 1, grey);
    test_pixels_unchanged(&t);
    vg_occlude_grid(&t.p, 4, 0, 1, 1, grey);
    assert_int_equal(changed(&t, 0), 81);
    test_pixels_free(&t);
}

static void test_every_shape(void **state)
{
    (void)state;
    vg_sample_key key = {.seed = 4};
    for (int i = 0; i < TEST_SHAPES; i++) {
        test_pixels t =
            test_pixels_make(test_shapes[i][0], test_shapes[i][1], test_shapes[i][2], NULL);
        vg_occlude_rectangle(&t.p, 0, 0, 2, 2, grey);
        vg_occlude_noise(&t.p, -1, -1, 3, 3, &key, VG_RNG_PIXELS);
        vg_occlude_grid(&t.p, 2, 0.5, 1, 1, grey);
        test_pixels_in_range(&t);
        test_pixels_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rectangle_is_clipped),
        cmocka_unit_test(test_noise_depends_on_the_key),
        cmocka_unit_test(test_grid_hides_its_share),
        cmocka_unit_test(test_every_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
