/* Tests of audit/labels_drift.c: golden values of tests/golden/labels.py (scipy's chi2_contingency and
 * jensenshannon), and how often splits that were drawn at random are blamed. */
#include "test.h"

#include "audit/labels.h"
#include "base/rng.h"

#include <math.h>

static vg_drift measure(const size_t *a, const size_t *b, int classes)
{
    vg_error err = {0};
    vg_drift drift = {.split = {VG_SPLIT_TRAIN, VG_SPLIT_TEST}};
    assert_ok(vg_drift_measure(a, b, classes, &drift, &err));
    assert_int_equal(drift.split[0], VG_SPLIT_TRAIN);
    assert_int_equal(drift.split[1], VG_SPLIT_TEST);
    return drift;
}

static void test_no_drift_golden(void **state)
{
    (void)state;
    const size_t a[] = {500, 300, 200}, b[] = {90, 70, 40};
    vg_drift d = measure(a, b, 3);
    assert_int_equal(d.n[0], 1000);
    assert_int_equal(d.n[1], 200);
    assert_int_equal(d.freedom, 2);
    assert_near(d.chi_square, 2.198808978, 1e-8);
    assert_near(d.p, 0.333069371, 1e-8);
    assert_int_equal(d.permutations, 0);
    assert_near(d.distance, 0.048354505820, 1e-10);
    /* sqrt(2 / (8 ln 2) (1/1000 + 1/200)) */
    assert_near(d.by_chance, 0.0465193, 1e-6);
    assert_int_equal(d.word, VG_DRIFT_NONE);
    assert_int_equal(d.worst_count, 0);
}

static void test_some_drift_golden(void **state)
{
    (void)state;
    const size_t a[] = {10000, 10000}, b[] = {700, 1300};
    vg_drift d = measure(a, b, 2);
    assert_near(d.chi_square, 163.758167232, 1e-6);
    assert_near(d.p, 1.70840821e-37, 1e-44);
    assert_near(d.distance, 0.129128753326, 1e-10);
    assert_int_equal(d.word, VG_DRIFT_SOME);
    assert_int_equal(d.worst_count, 2);
    assert_near(fabs(d.worst[0].z), 12.79680301, 1e-7);
    assert_int_equal(d.worst[0].label, 0);
    assert_true(d.worst[0].z < 0);
    assert_near(d.worst[0].share[0], 0.5, 1e-12);
    assert_near(d.worst[0].share[1], 0.35, 1e-12);
    assert_int_equal(d.worst[1].label, 1);
}

static void test_sparse_table_is_permuted(void **state)
{
    (void)state;
    const size_t a[] = {40, 3, 2, 0}, b[] = {2, 3, 1, 4};
    vg_drift d = measure(a, b, 4);
    assert_near(d.chi_square, 27.630952381, 1e-8);
    assert_int_equal(d.freedom, 3);
    assert_int_equal(d.permutations, 4999);
    /* 2e-5 with 99,999 permutations */
    assert_near(d.p, 1.0 / 5000, 2.1 / 5000);
    assert_near(d.distance, 0.660057544607, 1e-10);
    assert_int_equal(d.word, VG_DRIFT_GRAVE);
    assert_int_equal(d.worst_count, 2);
    assert_int_equal(d.worst[0].label, 0);
    assert_near(d.worst[0].z, -4.63810376, 1e-7);
    assert_int_equal(d.worst[1].label, 3);
    assert_near(d.worst[1].z, 4.40587843, 1e-7);
    /* the other way round the same */
    vg_drift back = measure(b, a, 4);
    assert_near(back.chi_square, d.chi_square, 1e-9);
    assert_near(back.distance, d.distance, 1e-12);
    assert_near(back.p, d.p, 0);
    assert_near(back.worst[0].z, -d.worst[0].z, 1e-9);
}

static void test_even_on_purpose(void **state)
{
    (void)state;
    const size_t a[] = {5000, 500, 50}, b[] = {100, 100, 90}, odd[] = {100, 100, 0};
    assert_int_equal(measure(a, b, 3).word, VG_DRIFT_EVEN);
    assert_int_equal(measure(b, a, 3).word, VG_DRIFT_GRAVE);   /* training on the even one */
    assert_int_equal(measure(a, odd, 3).word, VG_DRIFT_GRAVE); /* a class lacks: not even */
}

static void test_worst_are_sorted_and_bounded(void **state)
{
    (void)state;
    size_t a[9], b[9];
    for (size_t k = 0; k < 9; k++) {
        a[k] = 1000;
        b[k] = 1000 + 200 * k * (k % 2);
    }
    vg_drift d = measure(a, b, 9);
    assert_int_equal(d.worst_count, VG_DRIFT_CLASSES);
    assert_int_equal(d.worst[0].label, 7);
    for (int i = 1; i < d.worst_count; i++)
        assert_true(fabs(d.worst[i - 1].z) >= fabs(d.worst[i].z));
}

static void test_edges(void **state)
{
    (void)state;
    const size_t none[] = {0, 0}, some[] = {5, 3}, one[] = {9, 0}, other[] = {0, 9};
    vg_drift d = measure(none, some, 2);
    assert_near(d.p, 1, 0);
    assert_near(d.distance, 0, 0);
    assert_int_equal(d.word, VG_DRIFT_NONE);
    d = measure(some, none, 2);
    assert_near(d.p, 1, 0);
    d = measure(one, one, 2);
    assert_near(d.p, 1, 0);
    assert_int_equal(d.freedom, 0);
    d = measure(none, none, 2);
    assert_int_equal(d.freedom, 0);
    d = measure(one, other, 2);
    assert_near(d.distance, 1, 1e-12);
    assert_int_equal(d.word, VG_DRIFT_GRAVE);
    d = measure(some, some, 2);
    assert_near(d.chi_square, 0, 1e-12);
    assert_near(d.p, 1, 1e-12);
    assert_near(d.distance, 0, 1e-7);
}

/* Splits drawn at random, from many to hardly any images of a class: the distance is about what
 * by_chance says, p is small as rarely as it says, and nobody is blamed. */
static void test_random_splits_are_not_blamed(void **state)
{
    (void)state;
    enum { SETS = 200, CLASSES = 40 };
    for (size_t per_class = 2; per_class <= 200; per_class *= 10) {
        int small = 0, blamed = 0;
        double distance = 0, expected = 0;
        for (uint64_t set = 0; set < SETS; set++) {
            vg_rng rng = vg_rng_make(7, (uint32_t)per_class, set, VG_RNG_SAMPLE_DATA);
            size_t a[CLASSES] = {0}, b[CLASSES] = {0};
            for (size_t i = 0; i < per_class * CLASSES; i++) {
                size_t k = i % CLASSES;
                if (vg_rng_double(&rng) < 0.3)
                    b[k]++;
                else
                    a[k]++;
            }
            vg_drift d = measure(a, b, CLASSES);
            small += d.p <= 0.05;
            blamed += d.word != VG_DRIFT_NONE;
            distance += d.distance * d.distance;
            expected += d.by_chance * d.by_chance;
        }
        assert_true(small <= 22); /* 10 are expected */
        assert_true(blamed <= 1); /* 0.2 */
        if (per_class >= 20)
            assert_near(distance / expected, 1, 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_drift_golden),
        cmocka_unit_test(test_some_drift_golden),
        cmocka_unit_test(test_sparse_table_is_permuted),
        cmocka_unit_test(test_even_on_purpose),
        cmocka_unit_test(test_worst_are_sorted_and_bounded),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random_splits_are_not_blamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
