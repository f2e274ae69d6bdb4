/* Tests of ops/colour.h against values recorded by tests/golden/augment.py. */
#include "test.h"

#include "ops/colour.h"

enum { N = 40 };

static void apply(int operation, float *x, int channels, double factor)
{
    if (operation == 0)
        vg_colour_brightness(x, channels, N, factor);
    else if (operation == 1)
        vg_colour_contrast(x, channels, N, factor);
    else if (operation == 2)
        vg_colour_saturation(x, channels, N, factor);
    else
        vg_colour_hue(x, channels, N, factor);
}

static void test_equals_the_definitions(void **state)
{
    (void)state;
    FILE *file = fopen(VG_TEST_FILES "/colour.txt", "r");
    assert_non_null(file);
    int n, pixels[N * 3], operation, cases = 0;
    assert_int_equal(fscanf(file, "%d", &n), 1);
    assert_int_equal(n, N);
    for (int i = 0; i < 3 * N; i++)
        assert_int_equal(fscanf(file, "%d", &pixels[i]), 1);
    double factor;
    while (fscanf(file, "%d %lf", &operation, &factor) == 2) {
        float x[3 * N];
        for (int i = 0; i < 3 * N; i++)
            x[(i % 3) * N + i / 3] = (float)pixels[i];
        apply(operation, x, 3, factor);
        for (int i = 0; i < 3 * N; i++) {
            double want;
            assert_int_equal(fscanf(file, "%lf", &want), 1);
            assert_near((double)x[(i % 3) * N + i / 3], want, 2e-3);
        }
        cases++;
    }
    assert_int_equal(cases, 11);
    fclose(file);
}

static void test_grey_pictures(void **state)
{
    (void)state;
    float x[N], y[N];
    double mean = 0;
    for (int i = 0; i < N; i++) {
        x[i] = y[i] = (float)(5 * i);
        mean += 5.0 * i / N;
    }
    apply(2, x, 1, 0.1);
    apply(3, x, 1, 0.4);
    assert_memory_equal(x, y, sizeof x);
    apply(1, x, 1, 0.5);
    for (int i = 0; i < N; i++)
        assert_near((double)x[i], 2.5 * i + mean / 2, 1e-3);
    apply(0, x, 1, 100);
    assert_near((double)x[N - 1], 255, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_definitions),
        cmocka_unit_test(test_grey_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
