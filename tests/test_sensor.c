/* Tests of ops/sensor.h: the distributions that the header states, and where the numbers come from. */
#include "test.h"

#include "ops/sensor.h"
#include "pixels_fixture.h"

#include <math.h>

enum { SIDE = 128, N = SIDE * SIDE };

static const vg_sample_key key = {.seed = 6, .epoch = 2, .position = 77};

static test_pixels flat(int channels, float value)
{
    test_pixels t = test_pixels_make(channels, SIDE, SIDE, NULL);
    for (size_t i = 0; i < vg_pixels_count(&t.p); i++)
        t.p.x[i] = value;
    return t;
}

static void moments(const float *x, double *mean, double *sigma)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++)
        sum += (double)x[i] / N;
    for (int i = 0; i < N; i++)
        squares += ((double)x[i] - sum) * ((double)x[i] - sum) / N;
    *mean = sum;
    *sigma = sqrt(squares);
}

static double correlation(const float *x, const float *y)
{
    double mx, sx, my, sy, sum = 0;
    moments(x, &mx, &sx);
    moments(y, &my, &sy);
    for (int i = 0; i < N; i++)
        sum += ((double)x[i] - mx) * ((double)y[i] - my) / N;
    return sum / (sx * sy);
}

/* Mean and sigma of a flat grey within five standard errors. */
static void expect(const float *x, double mean, double sigma)
{
    double m, s;
    moments(x, &m, &s);
    assert_near(m, mean, 5 * sigma / sqrt(N));
    assert_near(s, sigma, 5 * sigma / sqrt(2.0 * N));
}

static void test_speckle_grows_with_the_value(void **state)
{
    (void)state;
    for (int level = 20; level <= 140; level += 60) {
        float value = (float)level;
        test_pixels t = flat(3, value);
        vg_sensor_speckle(&t.p, 0.1, &key, VG_RNG_PIXELS);
        expect(t.p.x, (double)value, 0.1 * (double)value);
        assert_near(correlation(t.p.x, t.p.x + N), 0, 5 / sqrt(N));
        test_pixels_free(&t);
    }
}

static void test_poisson_has_the_variance_of_its_mean(void **state)
{
    (void)state;
    static const double photons[] = {5, 40, 250, 3000};
    for (int i = 0; i < 4; i++) {
        test_pixels t = flat(1, 25); /* so dark that nothing is clipped */
        vg_sensor_poisson(&t.p, photons[i], &key, VG_RNG_PIXELS);
        double mean = photons[i] * 25 / 255, scale = 255 / photons[i];
        expect(t.p.x, 25, sqrt(mean) * scale);
        double third = 0; /* skewness 1 / sqrt(mean) */
        for (int k = 0; k < N; k++) {
            double count = (double)t.p.x[k] / scale;
            assert_near(count, nearbyint(count), 1e-3); /* whole photons */
            third += pow((count - mean) / sqrt(mean), 3) / N;
        }
        assert_near(third, 1 / sqrt(mean), 0.15);
        test_pixels_free(&t);
    }
    test_pixels t = flat(1, 0);
    vg_sensor_poisson(&t.p, 30, &key, VG_RNG_PIXELS);
    for (int i = 0; i < N; i++)
        assert_true(t.p.x[i] == 0);
    test_pixels_free(&t);
}

static void test_salt_and_pepper_by_halves(void **state)
{
    (void)state;
    test_pixels t = flat(3, 100);
    vg_sensor_salt_pepper(&t.p, 0.1, &key, VG_RNG_PIXELS);
    int black = 0, white = 0;
    for (int i = 0; i < N; i++) {
        assert_true(t.p.x[i] == t.p.x[N + i] && t.p.x[i] == t.p.x[2 * N + i]);
        black += t.p.x[i] == 0;
        white += t.p.x[i] == 255;
        assert_true(t.p.x[i] == 0 || t.p.x[i] == 255 || t.p.x[i] == 100);
    }
    double error = 5 * sqrt(0.05 * 0.95 / N);
    assert_near((double)black / N, 0.05, error);
    assert_near((double)white / N, 0.05, error);
    test_pixels_free(&t);
}

static void test_iso_is_half_common(void **state)
{
    (void)state;
    test_pixels t = flat(3, 100);
    vg_sensor_iso(&t.p, 16, &key, VG_RNG_PIXELS);
    double sigma = sqrt(16.0 * 16 * 100 / 255 + 16);
    double m, s;
    moments(t.p.x, &m, &s);
    assert_near(m, 100, 5 * sigma / sqrt(N));
    assert_near(s, sigma, 0.03 * sigma);
    assert_near(correlation(t.p.x, t.p.x + N), 0.5, 0.04);
    test_pixels_free(&t);
    t = flat(1, 100);
    vg_sensor_iso(&t.p, 16, &key, VG_RNG_PIXELS);
    expect(t.p.x, 100, sigma);
    test_pixels_free(&t);
}

typedef void (*operation)(const vg_pixels *p, double strength, const vg_sample_key *k,
                          uint32_t use);
static const struct {
    operation run;
    double none, some;
} operations[] = {{vg_sensor_speckle, 0, 0.2},
                  {vg_sensor_poisson, 0, 20},
                  {vg_sensor_salt_pepper, 0, 0.3},
                  {vg_sensor_iso, 0, 20}};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void test_streams_and_shapes(void **state)
{
    (void)state;
    for (int o = 0; o < OPERATIONS; o++) {
        for (int i = 0; i < TEST_SHAPES; i++) {
            test_pixels t =
                test_pixels_make(test_shapes[i][0], test_shapes[i][1], test_shapes[i][2], NULL);
            operations[o].run(&t.p, operations[o].none, &key, VG_RNG_PIXELS);
            test_pixels_unchanged(&t);
            operations[o].run(&t.p, operations[o].some, &key, VG_RNG_PIXELS);
            test_pixels_in_range(&t);
            test_pixels_free(&t);
        }
        test_pixels a = flat(3, 90), b = flat(3, 90), c = flat(3, 90);
        operations[o].run(&a.p, operations[o].some, &key, VG_RNG_PIXELS);
        operations[o].run(&b.p, operations[o].some, &key, VG_RNG_PIXELS);
        operations[o].run(&c.p, operations[o].some, &key, VG_RNG_PIXELS + 0x200);
        assert_memory_equal(a.p.x, b.p.x, 3 * N * sizeof(float));
        assert_memory_not_equal(a.p.x, c.p.x, 3 * N * sizeof(float));
        assert_near(correlation(a.p.x, c.p.x), 0, 6 / sqrt(N));
        test_pixels_free(&a);
        test_pixels_free(&b);
        test_pixels_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speckle_grows_with_the_value),
        cmocka_unit_test(test_poisson_has_the_variance_of_its_mean),
        cmocka_unit_test(test_salt_and_pepper_by_halves),
        cmocka_unit_test(test_iso_is_half_common),
        cmocka_unit_test(test_streams_and_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
