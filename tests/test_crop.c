/* Tests of crop.h. */
#include "test.h"

#include "arithmetic.h"
#include "crop.h"

#include <math.h>

static vg_policy parse(const char *text)
{
    vg_error err = {0};
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static void test_functions(void **state)
{
    (void)state;
    for (int i = -4000; i <= 4000; i++) {
        double x = i * 0.001, e = exp(x);
        assert_near(vg_exponential(x) / e, 1, 1e-15);
        assert_near(vg_logarithm(e), log(e), 1e-15 * fmax(1, fabs(x)));
    }
    assert_near(vg_exponential(0), 1, 0);
    assert_near(vg_logarithm(1), 0, 0);
    assert_near(vg_logarithm(0.75), log(0.75), 1e-16);
    assert_near(vg_logarithm(20), log(20), 1e-15);
    assert_near(vg_logarithm(0.05), log(0.05), 1e-15);
}

/* tests/golden/crop.py drew 200,000 crops each with torchvision's RandomResizedCrop.get_params and
 * prints means and quantiles of the share of the area, the logarithm of the ratio, and of where the
 * crop lies; these must agree within what 20,000 draws allow. */
typedef struct golden {
    const char *policy;
    int width, height;
    double area, area_10, area_90;    /* mean, quantiles */
    double ratio, ratio_10, ratio_90; /* of ln(width / height) */
    double x, y;                      /* mean place, 0: first, 1: last; where there is a choice */
    double fallback;                  /* share of crops that are vg_crop_fallback's */
} golden;

static const golden goldens[] = {
#include "data/crop.inc"
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check(const golden *want)
{
    enum { N = 20000 };
    static double area[N], ratio[N];
    double sums[4] = {0}, places[2] = {0}, choices[2] = {0}, fallback = 0;
    vg_policy policy = parse(want->policy);
    vg_crop middle = vg_crop_fallback(&policy, want->width, want->height);
    int least_width, least_height;
    vg_crop_least(&policy, want->width, want->height, &least_width, &least_height);
    for (int i = 0; i < N; i++) {
        vg_sample_key key = {.seed = 3, .epoch = 1, .position = (uint64_t)i};
        vg_crop c = vg_crop_draw(&policy, &key, want->width, want->height);
        assert_true(c.x >= 0 && c.y >= 0 && c.width >= least_width && c.height >= least_height);
        assert_true(c.x + c.width <= want->width && c.y + c.height <= want->height);
        area[i] = (double)c.width * c.height / ((double)want->width * want->height);
        ratio[i] = log((double)c.width / c.height);
        sums[0] += area[i];
        sums[1] += ratio[i];
        if (c.width < want->width) {
            places[0] += (double)c.x / (want->width - c.width);
            choices[0]++;
        }
        if (c.height < want->height) {
            places[1] += (double)c.y / (want->height - c.height);
            choices[1]++;
        }
        fallback += memcmp(&c, &middle, sizeof c) == 0;
    }
    qsort(area, N, sizeof *area, ascending);
    qsort(ratio, N, sizeof *ratio, ascending);
    assert_near(sums[0] / N, want->area, 0.008);
    assert_near(area[N / 10], want->area_10, 0.012);
    assert_near(area[N / 10 * 9], want->area_90, 0.012);
    assert_near(sums[1] / N, want->ratio, 0.008);
    assert_near(ratio[N / 10], want->ratio_10, 0.012);
    assert_near(ratio[N / 10 * 9], want->ratio_90, 0.012);
    assert_near(places[0] / fmax(choices[0], 1), want->x, 0.015);
    assert_near(places[1] / fmax(choices[1], 1), want->y, 0.015);
    assert_near(fallback / N, want->fallback, 0.01);
}

static void test_distribution_is_torchvisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++)
        check(&goldens[i]);
}

static void test_fallback(void **state)
{
    (void)state;
    /* No crop of all of a long picture has a ratio below 4/3. */
    vg_policy all = parse("crop=1:1");
    vg_sample_key key = {.seed = 1};
    vg_crop c = vg_crop_draw(&all, &key, 300, 100);
    assert_int_equal(c.width, 133);
    assert_int_equal(c.height, 100);
    assert_int_equal(c.x, 83);
    assert_int_equal(c.y, 0);
    c = vg_crop_draw(&all, &key, 100, 300);
    assert_int_equal(c.width, 100);
    assert_int_equal(c.height, 133);
    assert_int_equal(c.x, 0);
    assert_int_equal(c.y, 83);
    c = vg_crop_draw(&all, &key, 1, 1);
    assert_int_equal(c.width * c.height, 1);
    c = vg_crop_draw(&all, &key, 1, 500);
    assert_true(c.width == 1 && c.height == 1 && c.y == 249);
    c = vg_crop_fallback(&all, 120, 100); /* its own ratio is allowed: all of it */
    assert_true(c.width == 120 && c.height == 100 && c.x == 0 && c.y == 0);
    /* half to even, as Python's round: 50 / (4/3) = 37.5 -> 38, 30 * 0.75 = 22.5 -> 22 */
    vg_policy even = parse("crop=1:1 crop_ratio=0.75:0.75");
    c = vg_crop_fallback(&even, 400, 30);
    assert_int_equal(c.width, 22);
}

static void test_own_stream(void **state)
{
    (void)state;
    vg_policy policy = parse("crop=0.08");
    vg_sample_key a = {.seed = 1, .position = 5}, b = a;
    vg_crop first = vg_crop_draw(&policy, &a, 500, 400),
            second = vg_crop_draw(&policy, &b, 500, 400);
    assert_memory_equal(&first, &second, sizeof first);
    b.position = 6;
    second = vg_crop_draw(&policy, &b, 500, 400);
    assert_memory_not_equal(&first, &second, sizeof first);
    b = a;
    b.epoch = 1;
    second = vg_crop_draw(&policy, &b, 500, 400);
    assert_memory_not_equal(&first, &second, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_distribution_is_torchvisions),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_own_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
