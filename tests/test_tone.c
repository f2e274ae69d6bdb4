/* Tests of ops/tone.h; golden values by tests/golden/pixels.py. */
#include "test.h"

#include "ops/tone.h"
#include "pixels_fixture.h"

#include <math.h>

static bool apply(const char *name, double a, double b, const vg_pixels *p, double *tolerance)
{
    *tolerance = 0.002;
    if (strcmp(name, "posterize") == 0)
        vg_tone_posterize(p, (int)a);
    else if (strcmp(name, "solarize") == 0)
        vg_tone_solarize(p, a);
    else if (strcmp(name, "equalize") == 0)
        vg_tone_equalize(p);
    else if (strcmp(name, "autocontrast") == 0)
        vg_tone_autocontrast(p);
    else if (strcmp(name, "gamma") == 0)
        vg_tone_gamma(p, a);
    else if (strcmp(name, "grey") == 0)
        vg_tone_grey(p);
    else if (strcmp(name, "clahe") == 0) {
        *tolerance = 0.501; /* OpenCV rounds to bytes */
        vg_tone_clahe(p, a, (int)b);
    } else
        return false;
    return true;
}

static void test_equals_torchvision_and_opencv(void **state)
{
    (void)state;
    assert_int_equal(test_pixels_golden(apply), 5 * (3 + 3 + 1 + 1 + 3) + 2 + 4);
}

static void test_every_shape_stays_in_range(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SHAPES; i++)
        for (int operation = 0; operation < 10; operation++) {
            test_pixels t =
                test_pixels_make(test_shapes[i][0], test_shapes[i][1], test_shapes[i][2], NULL);
            switch (operation) {
            case 0:
                vg_tone_gamma(&t.p, 0.3);
                break;
            case 1:
                vg_tone_invert(&t.p);
                break;
            case 2:
                vg_tone_solarize(&t.p, 128);
                break;
            case 3:
                vg_tone_posterize(&t.p, 3);
                break;
            case 4:
                vg_tone_autocontrast(&t.p);
                break;
            case 5:
                vg_tone_equalize(&t.p);
                break;
            case 6:
                vg_tone_grey(&t.p);
                break;
            case 7:
                vg_tone_shift(&t.p, 90);
                break;
            case 8:
                vg_tone_shuffle(&t.p, (const int[3]){2, 0, 1});
                break;
            default:
                vg_tone_clahe(&t.p, 2, 8);
            }
            test_pixels_in_range(&t);
            test_pixels_free(&t);
        }
}

static void test_no_strength_no_change(void **state)
{
    (void)state;
    test_pixels t = test_pixels_make(3, 13, 11, NULL);
    vg_tone_gamma(&t.p, 1);
    vg_tone_solarize(&t.p, 256);
    vg_tone_posterize(&t.p, 8);
    vg_tone_shift(&t.p, 0);
    vg_tone_shift_channels(&t.p, (const double[3]){0, 0, 0});
    vg_tone_shuffle(&t.p, (const int[3]){0, 1, 2});
    test_pixels_unchanged(&t);
    vg_tone_invert(&t.p);
    vg_tone_invert(&t.p);
    for (size_t i = 0; i < vg_pixels_count(&t.p); i++)
        assert_near((double)t.p.x[i], (double)t.before[i], 1e-4);
    test_pixels_free(&t);
}

static void test_gamma_is_as_exact_as_it_says(void **state)
{
    (void)state;
    test_pixels t = test_pixels_make(1, 1, 4096, NULL);
    static const double gammas[] = {0.05, 0.45, 0.9, 1.1, 3, 10};
    for (size_t k = 0; k < sizeof gammas / sizeof *gammas; k++) {
        for (int i = 0; i < 4096; i++)
            t.p.x[i] = t.before[i] = (float)(255.0 * i / 4095);
        vg_tone_gamma(&t.p, gammas[k]);
        for (int i = 0; i < 4096; i++)
            assert_near((double)t.p.x[i], 255 * pow((double)t.before[i] / 255, gammas[k]), 1e-3);
    }
    test_pixels_free(&t);
}

static void test_channels_move_as_named(void **state)
{
    (void)state;
    test_pixels t = test_pixels_make(3, 4, 5, NULL);
    size_t n = vg_pixels_plane(&t.p);
    vg_tone_shuffle(&t.p, (const int[3]){1, 2, 0});
    assert_memory_equal(t.p.x, t.before + n, n * sizeof(float));
    assert_memory_equal(t.p.x + 2 * n, t.before, n * sizeof(float));
    test_pixels_free(&t);

    /* Keras clips to what the picture had. */
    const unsigned char bytes[] = {10, 100, 200};
    t = test_pixels_make(1, 1, 3, bytes);
    vg_tone_shift(&t.p, 60);
    assert_near((double)t.p.x[0], 70, 0);
    assert_near((double)t.p.x[1], 160, 0);
    assert_near((double)t.p.x[2], 200, 0);
    test_pixels_free(&t);
    t = test_pixels_make(3, 1, 1, bytes);
    vg_tone_shift_channels(&t.p, (const double[3]){-20, 5, 90});
    assert_near((double)t.p.x[0], 0, 0);
    assert_near((double)t.p.x[1], 105, 0);
    assert_near((double)t.p.x[2], 255, 0);
    test_pixels_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_torchvision_and_opencv),
        cmocka_unit_test(test_every_shape_stays_in_range),
        cmocka_unit_test(test_no_strength_no_change),
        cmocka_unit_test(test_gamma_is_as_exact_as_it_says),
        cmocka_unit_test(test_channels_move_as_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
