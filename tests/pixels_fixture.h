/* Pictures for the tests of the operations on pixels. */
#ifndef VG_TESTS_PIXELS_FIXTURE_H
#define VG_TESTS_PIXELS_FIXTURE_H

#include "base/rng.h"
#include "ops/pixels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_pixels {
    vg_pixels p;
    float *before;
} test_pixels;

/* Values 0..255 with fractions, or the bytes given (interleaved). */
static inline test_pixels test_pixels_make(int channels, int height, int width,
                                           const unsigned char *bytes)
{
    test_pixels t = {.p = {.channels = channels, .height = height, .width = width}};
    size_t n = vg_pixels_count(&t.p), plane = vg_pixels_plane(&t.p);
    t.p.x = malloc(n * sizeof(float));
    t.p.spare = malloc(n * sizeof(float));
    t.before = malloc(n * sizeof(float));
    assert_true(t.p.x && t.p.spare && t.before);
    vg_rng rng = vg_rng_make(3, (uint32_t)width, (uint64_t)height, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < n; i++) {
        size_t pixel = i % plane, channel = i / plane;
        t.p.x[i] =
            bytes ? (float)bytes[pixel * (size_t)channels + channel] : 255 * vg_rng_float(&rng);
    }
    for (size_t i = 0; i < n; i++)
        t.p.spare[i] = -1e9f; /* reading it before writing it shows */
    memcpy(t.before, t.p.x, n * sizeof(float));
    return t;
}

static inline void test_pixels_free(test_pixels *t)
{
    free(t->p.x);
    free(t->p.spare);
    free(t->before);
}

static inline void test_pixels_in_range(const test_pixels *t)
{
    for (size_t i = 0; i < vg_pixels_count(&t->p); i++)
        assert_true(t->p.x[i] >= 0 && t->p.x[i] <= 255);
}

static inline void test_pixels_unchanged(const test_pixels *t)
{
    assert_memory_equal(t->p.x, t->before, vg_pixels_count(&t->p) * sizeof(float));
}

/* Shapes that every operation must accept. */
static const int test_shapes[][3] = {{1, 1, 1}, {3, 1, 1}, {1, 1, 9},  {3, 9, 1},
                                     {3, 2, 2}, {1, 3, 5}, {3, 17, 33}};
enum { TEST_SHAPES = sizeof test_shapes / sizeof *test_shapes };

/* Runs every case of tests/data/pixels.txt that `apply` knows; returns how many. */
static inline int test_pixels_golden(bool (*apply)(const char *name, double a, double b,
                                                   const vg_pixels *p, double *tolerance))
{
    FILE *file = fopen(VG_TEST_FILES "/pixels.txt", "r");
    assert_non_null(file);
    char name[32];
    double a, b;
    int channels, height, width, cases = 0;
    while (fscanf(file, "%31s %lf %lf %d %d %d", name, &a, &b, &channels, &height, &width) == 6) {
        size_t n = (size_t)channels * (size_t)height * (size_t)width;
        unsigned char *bytes = malloc(n);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(fscanf(file, "%hhu", &bytes[i]), 1);
        test_pixels t = test_pixels_make(channels, height, width, bytes);
        double tolerance = 0;
        bool known = apply(name, a, b, &t.p, &tolerance);
        cases += known;
        for (size_t i = 0; i < n; i++) {
            double want;
            assert_int_equal(fscanf(file, "%lf", &want), 1);
            size_t place = i % (size_t)channels * (n / (size_t)channels) + i / (size_t)channels;
            double got = (double)t.p.x[place];
            if (known && !(got >= want - tolerance && got <= want + tolerance))
                fail_msg("%s %g %g, %d x %d: value %zu is %.4f, expected %.4f", name, a, b, width,
                         height, i, got, want);
        }
        test_pixels_free(&t);
        free(bytes);
    }
    fclose(file);
    return cases;
}

#endif
