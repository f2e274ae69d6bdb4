/* Tests of ops/strip.h: every version that this machine can run against the plain one, bit for bit. */
#include "test.h"

#include "base/rng.h"
#include "ops/strip.h"

enum { WIDTH = 41, HEIGHT = 57, PLANE = WIDTH * HEIGHT };

static void test_versions_are_equal(void **state)
{
    (void)state;
    uint8_t *planes = malloc(3 * PLANE); /* exactly, so that a sanitizer sees reads behind it */
    assert_non_null(planes);
    vg_rng rng = vg_rng_make(1, 2, 3, VG_RNG_SAMPLE_DATA);
    for (int i = 0; i < 3 * PLANE; i++)
        planes[i] = (uint8_t)vg_rng_u32(&rng);
    int rows[VG_STRIP_ROWS], under = 0;
    for (int round = 0; round < 20000; round++) {
        vg_strip strip = {.planes = planes,
                          .plane = PLANE,
                          .stride = WIDTH,
                          .channels = round % 2 ? 3 : 1,
                          .ax = (float)vg_rng_uniform(&rng, -1, 1),
                          .ay = (float)vg_rng_uniform(&rng, -1, 1),
                          .bx = (float)vg_rng_uniform(&rng, -3e4, 3e4),
                          .by = (float)vg_rng_uniform(&rng, -3e4, 3e4)};
        int count = (int)vg_rng_below(&rng, VG_STRIP_ROWS + 1);
        for (int k = 0; k < count; k++)
            rows[k] = (int)vg_rng_below(&rng, HEIGHT);
        size_t column = vg_rng_below(&rng, WIDTH - VG_STRIP_COLUMNS + 1);
        float a = (float)vg_rng_uniform(&rng, -3, 3), b = (float)vg_rng_uniform(&rng, -1e5, 1e5);
        int32_t fast[4], plain[4];
        vg_strip_version(VG_STRIP_PLAIN)(&strip, column, rows, count, a, b, plain);
        for (int version = 1; version < VG_STRIP_VERSIONS; version++)
            if (vg_strip_version(version)) {
                vg_strip_version(version)(&strip, column, rows, count, a, b, fast);
                assert_memory_equal(fast, plain, sizeof fast);
            }
        under += plain[3] > 0;
    }
    assert_true(under > 5000);
    free(planes);
}

/* The heaviest strip there can be: all at the tip of the tent, all white. */
static void test_the_heaviest_strip_fits(void **state)
{
    (void)state;
    uint8_t planes[3 * VG_STRIP_COLUMNS];
    memset(planes, 255, sizeof planes);
    const vg_strip strip = {
        .planes = planes, .plane = VG_STRIP_COLUMNS, .stride = VG_STRIP_COLUMNS, .channels = 3};
    const int rows[VG_STRIP_ROWS] = {0};
    const int32_t taps = VG_STRIP_ROWS * VG_STRIP_COLUMNS, one = (int32_t)VG_STRIP_ONE;
    int32_t sum[4];
    for (int version = 0; version < VG_STRIP_VERSIONS; version++) {
        if (!vg_strip_version(version))
            continue;
        vg_strip_version(version)(&strip, 0, rows, VG_STRIP_ROWS, 0, 0, sum);
        assert_int_equal(sum[3], taps * one);
        for (int c = 0; c < 3; c++)
            assert_int_equal(sum[c], taps * one * 255);
    }
}

static void test_split(void **state)
{
    (void)state;
    for (size_t n = 1; n < 70; n++) {
        /* exactly as long, so that a sanitizer sees what goes beyond */
        uint8_t *rgb = malloc(3 * n), *planes = malloc(3 * n);
        assert_true(rgb && planes);
        for (size_t i = 0; i < 3 * n; i++)
            rgb[i] = (uint8_t)(i * 37 + n);
        vg_strip_split(rgb, n, planes, n);
        for (size_t i = 0; i < 3 * n; i++)
            assert_int_equal(planes[i % 3 * n + i / 3], rgb[i]);
        free(rgb);
        free(planes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_are_equal),
        cmocka_unit_test(test_the_heaviest_strip_fits),
        cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
