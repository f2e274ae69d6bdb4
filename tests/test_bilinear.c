/* Tests of ops/sample.h with ops/bilinear.c: against exact bilinear in double, and every version against the plain
 * one. */
#include "test.h"

#include "base/rng.h"
#include "ops/sample.h"
#include "sample_fixture.h"

#include <math.h>

static double pixel_ref(const vg_sample_job *j, long x, long y, int c)
{
    int px = place_ref(x, j->in.width, j->fill), py = place_ref(y, j->in.height, j->fill);
    return j->in.data[(size_t)py * j->in.stride + (size_t)(px * j->in.channels + c)];
}

static double value_ref(const vg_sample_job *j, int u, int v, int c)
{
    double x = j->m[0] * u + j->m[1] * v + j->m[2], y = j->m[3] * u + j->m[4] * v + j->m[5];
    if (j->fill == VG_FILL_CONSTANT && (x < j->x0 || x > j->x1 || y < j->y0 || y > j->y1))
        return (double)j->value;
    long left = (long)floor(x), top = (long)floor(y);
    double fx = x - (double)left, fy = y - (double)top;
    return (1 - fy) *
               ((1 - fx) * pixel_ref(j, left, top, c) + fx * pixel_ref(j, left + 1, top, c)) +
           fy * ((1 - fx) * pixel_ref(j, left, top + 1, c) +
                 fx * pixel_ref(j, left + 1, top + 1, c));
}

/* A random map, about as large as the picture, in a random place. */
static void draw(vg_sample_job *j, vg_rng *rng)
{
    double angle = vg_rng_uniform(rng, 0, 6.3), scale = vg_rng_uniform(rng, 0.2, 1.25);
    j->m[0] = scale * cos(angle);
    j->m[1] = -scale * sin(angle);
    j->m[2] = vg_rng_uniform(rng, -1.0, 1.0) * j->in.width;
    j->m[3] = scale * sin(angle);
    j->m[4] = scale * cos(angle);
    j->m[5] = vg_rng_uniform(rng, -1.0, 1.0) * j->in.height;
    if (vg_rng_below(rng, 4) == 0) { /* on the pixels themselves, also beyond the last one */
        static const double whole[6] = {1, 0, 0, 0, 1, 0};
        memcpy(j->m, whole, sizeof whole);
        j->m[2] = (double)vg_rng_below(rng, 5) - 2;
        j->m[5] = (double)vg_rng_below(rng, 5) - 2;
    }
    j->interpolation = VG_INTERPOLATION_BILINEAR;
    j->fill = (vg_fill)vg_rng_below(rng, 4);
    j->value = 77;
    j->x0 = j->y0 = -1e-6 - 0.3;
    j->x1 = j->in.width - 1 - j->x0;
    j->y1 = j->in.height - 1 - j->y0;
}

static const int shapes[][4] = {/* in width, in height, out width, out height */
                                {1, 1, 1, 1},     {1, 1, 5, 4},    {1, 9, 7, 3},   {9, 1, 3, 7},
                                {2, 2, 17, 2},    {2, 3, 15, 5},   {3, 2, 33, 4},  {5, 7, 16, 9},
                                {13, 11, 31, 6},  {40, 30, 8, 32}, {31, 29, 1, 9}, {64, 50, 65, 7},
                                {20, 60, 129, 5}, {300, 3, 260, 4}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static uint8_t *picture(vg_sample_job *j, const int shape[4], int channels, int spare, vg_rng *rng)
{
    j->in = picture_of(shape[0], shape[1], channels, spare, rng);
    j->width = shape[2];
    j->height = shape[3];
    return (uint8_t *)j->in.data;
}

static void test_equals_exact_bilinear(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(1, 0, 0, VG_RNG_SAMPLE_DATA);
    double worst = 0;
    for (int round = 0; round < 40 * SHAPES; round++) {
        vg_sample_job j;
        uint8_t *data = picture(&j, shapes[round % SHAPES], round % 3 ? 3 : 1, round % 5, &rng);
        draw(&j, &rng);
        size_t plane = (size_t)j.width * (size_t)j.height;
        float *out = malloc(3 * plane * sizeof *out);
        assert_non_null(out);
        vg_sample_run(&j, vg_simd_best(), out);
        for (int v = 0; v < j.height; v++)
            for (int u = 0; u < j.width; u++)
                for (int c = 0; c < j.in.channels; c++) {
                    double got = (double)out[(size_t)c * plane + (size_t)(v * j.width + u)];
                    worst = fmax(worst, fabs(got - value_ref(&j, u, v, c)));
                }
        free(out);
        free(data);
    }
    assert_near(worst, 0, 0.05);
}

static void test_versions_give_the_same_bytes(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(2, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int round = 0; round < 60 * SHAPES; round++) {
        vg_sample_job j;
        uint8_t *data = picture(&j, shapes[round % SHAPES], round % 2 ? 3 : 1, round % 5, &rng);
        draw(&j, &rng);
        size_t bytes = sizeof(float) * (size_t)j.in.channels * (size_t)(j.width * j.height);
        float *plain = malloc(bytes), *fast = malloc(bytes); /* as long as what is written */
        assert_true(plain && fast);
        vg_sample_run(&j, VG_SIMD_PLAIN, plain);
        for (int simd = VG_SIMD_PLAIN + 1; simd <= (int)vg_simd_best(); simd++) {
            memset(fast, 0xff, bytes);
            vg_sample_run(&j, (vg_simd)simd, fast);
            assert_memory_equal(fast, plain, bytes);
        }
        free(plain);
        free(fast);
        free(data);
    }
}

static void test_identity_is_the_picture(void **state)
{
    (void)state;
    uint8_t data[3 * 7 * 5];
    for (int i = 0; i < 3 * 7 * 5; i++)
        data[i] = (uint8_t)(i * 37);
    for (int fill = 0; fill < 4; fill++) {
        vg_sample_job j = {.in = {data, 7, 5, 3, 21}, .m = {1, 0, 0, 0, 1, 0}, .width = 7};
        j.interpolation = VG_INTERPOLATION_BILINEAR;
        j.height = 5;
        j.fill = (vg_fill)fill;
        j.x0 = j.y0 = 0;
        j.x1 = 6;
        j.y1 = 4;
        float out[3 * 7 * 5];
        vg_sample_run(&j, vg_simd_best(), out);
        for (int i = 0; i < 35; i++)
            for (int c = 0; c < 3; c++)
                assert_near((double)out[c * 35 + i], data[3 * i + c], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_exact_bilinear),
        cmocka_unit_test(test_versions_give_the_same_bytes),
        cmocka_unit_test(test_identity_is_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
