/* Tests of ops/tent.h: against the exact tent in double, and every version against the plain one. */
#include "test.h"

#include "base/rng.h"
#include "ops/tent.h"
#include "sample_fixture.h"

#include <math.h>

static double mean_ref(const vg_tent_job *j, int u, int v, int c)
{
    const vg_tent *t = &j->tent;
    double x = j->m[0] * u + j->m[1] * v + j->m[2], y = j->m[3] * u + j->m[4] * v + j->m[5];
    if (j->fill == VG_FILL_CONSTANT && (x < j->x0 || x > j->x1 || y < j->y0 || y > j->y1))
        return (double)j->value;
    long rx = (long)t->half_width + 2, ry = (long)t->half_height + 2;
    double sum = 0, total = 0;
    for (long r = (long)floor(y) - ry; r <= (long)floor(y) + ry; r++)
        for (long i = (long)floor(x) - rx; i <= (long)floor(x) + rx; i++) {
            double dx = (double)i - x, dy = (double)r - y;
            double a = 1 - fabs(t->ax * dx + t->ay * dy), b = 1 - fabs(t->bx * dx + t->by * dy);
            double w = fmax(0, a) * fmax(0, b);
            size_t at = (size_t)place_ref(r, j->in.height, j->fill) * j->in.stride;
            at += (size_t)place_ref(i, j->in.width, j->fill) * (size_t)j->in.channels;
            sum += w * j->in.data[at + (size_t)c];
            total += w;
        }
    return sum / total;
}

/* A random map that reduces by `least` to `most` in each of two directions. */
static void draw(vg_tent_job *j, double least, double most, vg_rng *rng)
{
    double angle = vg_rng_uniform(rng, 0, 6.3), turn = vg_rng_uniform(rng, 0, 6.3);
    double p = vg_rng_uniform(rng, least, most), q = vg_rng_uniform(rng, least, most);
    double c = cos(angle), s = sin(angle), k = cos(turn), l = sin(turn);
    j->m[0] = c * p * k - s * q * l;
    j->m[1] = -c * p * l - s * q * k;
    j->m[3] = s * p * k + c * q * l;
    j->m[4] = -s * p * l + c * q * k;
    j->m[2] = vg_rng_uniform(rng, -1.0, 2.0) * j->in.width;
    j->m[5] = vg_rng_uniform(rng, -1.0, 2.0) * j->in.height;
    double det = j->m[0] * j->m[4] - j->m[1] * j->m[3];
    j->tent = (vg_tent){.ax = j->m[4] / det, .ay = -j->m[1] / det};
    j->tent.bx = -j->m[3] / det;
    j->tent.by = j->m[0] / det;
    j->tent.half_width = fabs(j->m[0]) + fabs(j->m[1]);
    j->tent.half_height = fabs(j->m[3]) + fabs(j->m[4]);
    j->fill = (vg_fill)vg_rng_below(rng, 4);
    j->value = 77;
    j->x0 = j->y0 = 0.7;
    j->x1 = j->in.width - 1 - j->x0;
    j->y1 = j->in.height - 1 - j->y0;
}

static const int shapes[][4] = {/* in width, in height, out width, out height */
                                {1, 1, 1, 1},    {1, 1, 5, 4},    {1, 9, 7, 3},   {9, 1, 3, 7},
                                {2, 2, 17, 2},   {2, 3, 15, 5},   {3, 2, 33, 4},  {5, 7, 16, 9},
                                {13, 11, 31, 6}, {40, 30, 8, 32}, {31, 29, 1, 9}, {64, 50, 65, 7},
                                {20, 60, 129, 5}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static uint8_t *picture(vg_tent_job *j, const int shape[4], int channels, int spare, vg_rng *rng)
{
    j->in = picture_of(shape[0], shape[1], channels, spare, rng);
    j->width = shape[2];
    j->height = shape[3];
    return (uint8_t *)j->in.data;
}

static double worst_of(double least, double most, uint64_t seed)
{
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    vg_tent_scratch scratch = {0};
    vg_error err = {0};
    double worst = 0;
    for (int round = 0; round < 25 * SHAPES; round++) {
        vg_tent_job j = {0};
        uint8_t *data = picture(&j, shapes[round % SHAPES], round % 3 ? 3 : 1, round % 5, &rng);
        draw(&j, least, most, &rng);
        size_t plane = (size_t)j.width * (size_t)j.height;
        float *out = malloc(3 * plane * sizeof *out);
        assert_non_null(out);
        assert_ok(vg_tent_run(&j, vg_simd_best(), &scratch, out, &err));
        for (int v = 0; v < j.height; v++)
            for (int u = 0; u < j.width; u++)
                for (int c = 0; c < j.in.channels; c++) {
                    double got = (double)out[(size_t)c * plane + (size_t)(v * j.width + u)];
                    worst = fmax(worst, fabs(got - mean_ref(&j, u, v, c)));
                }
        free(out);
        free(data);
    }
    vg_tent_scratch_reset(&scratch);
    return worst;
}

static void test_equals_the_exact_mean(void **state)
{
    (void)state;
    assert_near(worst_of(1, 2, 1), 0, 0.06);
    assert_near(worst_of(1, 4, 2), 0, 0.06);
    assert_near(worst_of(4, 12, 3), 0, 0.06); /* several strips */
}

/* So long a tent that its weights must be made coarser, or their sum would not fit. */
static void test_the_longest_tents(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(4, 0, 0, VG_RNG_SAMPLE_DATA);
    vg_tent_scratch scratch = {0};
    vg_error err = {0};
    uint8_t data[100 * 3];
    memset(data, 255, sizeof data);
    for (int round = 0; round < 20; round++) {
        vg_tent_job j = {.in = {data, 100, 1, 3, 300}, .width = 2, .height = 2};
        draw(&j, 40, 90, &rng);
        j.fill = VG_FILL_REFLECT;
        float out[12];
        assert_ok(vg_tent_run(&j, vg_simd_best(), &scratch, out, &err));
        for (int i = 0; i < 12; i++)
            assert_near((double)out[i], 255, 1e-4);
    }
    vg_tent_scratch_reset(&scratch);
}

static void test_versions_give_the_same_bytes(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(2, 0, 0, VG_RNG_SAMPLE_DATA);
    vg_tent_scratch scratch = {0};
    vg_error err = {0};
    for (int round = 0; round < 60 * SHAPES; round++) {
        vg_tent_job j = {0};
        uint8_t *data = picture(&j, shapes[round % SHAPES], round % 2 ? 3 : 1, round % 5, &rng);
        draw(&j, 1, 1 + round % 7, &rng);
        size_t bytes = sizeof(float) * (size_t)j.in.channels * (size_t)(j.width * j.height);
        float *plain = malloc(bytes), *fast = malloc(bytes);
        assert_true(plain && fast);
        assert_ok(vg_tent_run(&j, VG_SIMD_PLAIN, &scratch, plain, &err));
        for (int simd = VG_SIMD_PLAIN + 1; simd <= (int)vg_simd_best(); simd++) {
            memset(fast, 0xff, bytes);
            assert_ok(vg_tent_run(&j, (vg_simd)simd, &scratch, fast, &err));
            assert_memory_equal(fast, plain, bytes);
        }
        free(plain);
        free(fast);
        free(data);
    }
    vg_tent_scratch_reset(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_exact_mean),
        cmocka_unit_test(test_the_longest_tents),
        cmocka_unit_test(test_versions_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
