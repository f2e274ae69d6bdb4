/* Tests of ops/colour.h against values recorded by tests/golden/augment.py. */
#include "test.h"

#include "base/rng.h"
#include "ops/colour.h"

#include <math.h>

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

static void fill(float *x, size_t n, uint64_t seed)
{
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < n; i++) /* primaries, greys and black are common: ties of the maximum */
        x[i] = vg_rng_below(&rng, 3) ? (float)vg_rng_uniform(&rng, 0, 255)
                                     : (float)(127.5 * (double)vg_rng_below(&rng, 3));
}

static const int orders[][4] = {
    {0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}, {1, 0, 2, 3}};
enum { ORDERS = sizeof orders / sizeof *orders, MOST = 200 };

static vg_jitter jitter_of(int round)
{
    vg_jitter j = {0.5 + 0.1 * (round % 11),
                   0.4 + 0.15 * (round % 9),
                   0.3 + 0.2 * (round % 8),
                   0.07 * (round % 15) - 0.5,
                   {0}};
    memcpy(j.order, orders[round % ORDERS], sizeof j.order);
    return j;
}

/* One picture of any size: the same bytes from each version, and those of the operations alone. */
static void test_versions_and_order(void **state)
{
    (void)state;
    for (int round = 0; round < 4 * MOST; round++)
        for (int channels = 1; channels <= 3; channels += 2) {
            size_t n = (size_t)(round % MOST) + 1, bytes = 3 * MOST * sizeof(float);
            float plain[3 * MOST], other[3 * MOST];
            vg_jitter j = jitter_of(round);
            fill(plain, 3 * MOST, (uint64_t)round);
            memcpy(other, plain, bytes);
            vg_colour_run(VG_SIMD_PLAIN, plain, channels, n, &j);
            for (int k = 0; k < 4; k++) {
                if (j.order[k] == 0)
                    vg_colour_brightness(other, channels, n, j.brightness);
                if (j.order[k] == 1)
                    vg_colour_contrast(other, channels, n, j.contrast);
                if (j.order[k] == 2)
                    vg_colour_saturation(other, channels, n, j.saturation);
                if (j.order[k] == 3)
                    vg_colour_hue(other, channels, n, j.hue);
            }
            assert_memory_equal(plain, other, bytes);
            for (int simd = VG_SIMD_PLAIN + 1; simd <= (int)vg_simd_best(); simd++) {
                fill(other, 3 * MOST, (uint64_t)round);
                vg_colour_run((vg_simd)simd, other, channels, n, &j);
                assert_memory_equal(plain, other, bytes);
            }
        }
}

/* colorsys' definition, in double, of a pixel's turned hue. */
static void turned(double rgb[3], double turns)
{
    double high = fmax(rgb[0], fmax(rgb[1], rgb[2])), low = fmin(rgb[0], fmin(rgb[1], rgb[2]));
    double chroma = high - low, h = 0;
    if (chroma == 0)
        return;
    if (rgb[0] == high)
        h = (rgb[1] - rgb[2]) / chroma;
    else if (rgb[1] == high)
        h = 2 + (rgb[2] - rgb[0]) / chroma;
    else
        h = 4 + (rgb[0] - rgb[1]) / chroma;
    h = fmod(h + 6 * turns + 12, 6);
    double part = h - floor(h), falling = high - chroma * part, rising = low + chroma * part;
    const double cases[6][3] = {{high, rising, low},  {falling, high, low}, {low, high, rising},
                                {low, falling, high}, {rising, low, high},  {high, low, falling}};
    memcpy(rgb, cases[(int)h], 3 * sizeof *rgb);
}

static void test_hue_all_round(void **state)
{
    (void)state;
    float x[3 * MOST], before[3 * MOST];
    for (int step = -50; step <= 50; step++) {
        fill(x, 3 * MOST, (uint64_t)(step + 50));
        memcpy(before, x, sizeof x);
        vg_colour_hue(x, 3, MOST, step / 50.0);
        for (int i = 0; i < MOST; i++) {
            double rgb[3] = {(double)before[i], (double)before[MOST + i],
                             (double)before[2 * MOST + i]};
            turned(rgb, step / 50.0);
            for (int c = 0; c < 3; c++)
                assert_near((double)x[c * MOST + i], rgb[c], 1e-3);
        }
    }
}

static void test_nothing_changes_nothing(void **state)
{
    (void)state;
    float x[3 * MOST], before[3 * MOST];
    fill(x, 3 * MOST, 1);
    memcpy(before, x, sizeof x);
    const vg_jitter none = {1, 1, 1, 0, {0, 1, 2, 3}};
    vg_colour_jitter(x, 3, MOST, &none);
    assert_memory_equal(x, before, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_definitions),  cmocka_unit_test(test_grey_pictures),
        cmocka_unit_test(test_versions_and_order),      cmocka_unit_test(test_hue_all_round),
        cmocka_unit_test(test_nothing_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
