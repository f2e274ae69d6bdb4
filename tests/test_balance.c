/* Tests of balance.h against formulas worked by hand and values of tests/golden/balance.py
 * (scikit-learn's compute_class_weight formula, Cui et al. 2019). */
#include "test.h"

#include "balance.h"

#include <math.h>

static void test_measures_by_hand(void **state)
{
    (void)state;
    size_t counts[] = {50, 25, 25, 0};
    vg_balance b = vg_balance_measure(counts, 4);
    assert_int_equal(b.total, 100);
    assert_int_equal(b.classes, 4);
    assert_int_equal(b.present, 3);
    assert_int_equal(b.majority, 0);
    assert_int_equal(b.minority, 1);
    assert_near(b.imbalance_ratio, 2, 1e-15);
    assert_near(b.entropy, 1.5 * log(2), 1e-15);
    assert_near(b.effective_classes, pow(2, 1.5), 1e-14);
    assert_near(b.majority_share, 0.5, 1e-15);
}

static void test_edges(void **state)
{
    (void)state;
    size_t none[] = {0, 0};
    vg_balance b = vg_balance_measure(none, 2);
    assert_int_equal(b.total, 0);
    assert_int_equal(b.present, 0);
    assert_near(b.imbalance_ratio, 0, 0);
    assert_near(b.effective_classes, 0, 0);
    size_t one[] = {0, 7, 0};
    b = vg_balance_measure(one, 3);
    assert_int_equal(b.majority, 1);
    assert_int_equal(b.minority, 1);
    assert_near(b.entropy, 0, 0);
    assert_false(signbit(b.entropy));
    assert_near(b.effective_classes, 1, 0);
    assert_near(b.majority_share, 1, 0);
    assert_near(b.imbalance_ratio, 1, 0);
}

static void test_imbalance_golden(void **state)
{
    (void)state;
    /* python3 tests/golden/labels.py */
    size_t counts[] = {1204, 610, 12, 3000};
    vg_balance b = vg_balance_measure(counts, 4);
    assert_near(b.lrid, 4517.619233684, 1e-6);
    assert_near(b.imbalance_factor, 0.337626754303, 1e-11);
    assert_near(b.effective_ratio, 79.627126478, 1e-7);
    assert_near(b.lrid / (2 * 4826 * log(4)), b.imbalance_factor, 1e-12);
    assert_near(vg_imbalance_factor(counts, 4, 2), 0.447110373254, 1e-11);
    assert_near(vg_imbalance_factor(counts, 4, INFINITY), 0.657067292584, 1e-11);
    /* between the orders nothing jumps */
    assert_near(vg_imbalance_factor(counts, 4, 1 + 1e-6), b.imbalance_factor, 1e-5);
    assert_near(vg_imbalance_factor(counts, 4, 500), 0.657067292584, 2e-3);
    size_t three[] = {50, 25, 25};
    b = vg_balance_measure(three, 3);
    assert_near(b.lrid, 11.778303566, 1e-8);
    assert_near(b.imbalance_factor, 0.053605369643, 1e-11);
    assert_near(b.effective_ratio, 1.975297713, 1e-8);
}

static void test_imbalance_edges(void **state)
{
    (void)state;
    size_t none[] = {0, 0}, even[] = {7, 7, 7}, one[] = {0, 9, 0};
    vg_balance b = vg_balance_measure(even, 3);
    assert_near(b.lrid, 0, 1e-12);
    assert_near(b.imbalance_factor, 0, 1e-12);
    assert_near(b.effective_ratio, 1, 0);
    b = vg_balance_measure(one, 3);
    assert_near(b.imbalance_factor, 1, 0);
    assert_near(b.lrid, 2 * 9 * log(3), 1e-12);
    b = vg_balance_measure(one + 1, 1); /* nothing to be uneven */
    assert_near(b.imbalance_factor, 0, 0);
    assert_near(b.lrid, 0, 0);
    b = vg_balance_measure(none, 2);
    assert_near(b.imbalance_factor, 0, 0);
    assert_near(b.effective_ratio, 0, 0);
    assert_near(vg_imbalance_factor(none, 2, 2), 0, 0);
}

static void test_weights_golden(void **state)
{
    (void)state;
    /* python3 tests/golden/balance.py */
    size_t counts[] = {1204, 610, 12, 0, 3000};
    const double inverse[] = {1.0020764119601329, 1.9778688524590163, 100.54166666666667, 0,
                              0.40216666666666667};
    const double root[] = {1.182344458664, 1.661086873300, 11.843133933480, 0, 0.749025557285};
    const double effective[] = {0.954984202084, 1.463764000291, 56.029576212272, 0, 0.703649355322};
    const double *expected[] = {NULL, inverse, root, effective};
    float w[5];
    for (int kind = VG_WEIGHTING_INVERSE; kind <= VG_WEIGHTING_EFFECTIVE; kind++) {
        vg_balance_weights(counts, 5, (vg_weighting)kind, 0.999, w);
        double sum = 0;
        for (int k = 0; k < 5; k++) {
            assert_near(w[k], expected[kind][k], 1e-5 * (expected[kind][k] + 1));
            sum += (double)w[k] * (double)counts[k];
        }
        assert_near(sum / 4826, 1, 1e-6); /* mean over the samples */
    }
    vg_balance_weights(counts, 5, VG_WEIGHTING_NONE, 0.999, w);
    assert_near(w[0], 1, 0);
    assert_near(w[2], 1, 0);
    assert_near(w[3], 0, 0);
}

static void test_effective_number(void **state)
{
    (void)state;
    assert_near(vg_effective_number(1, 0.999), 1, 1e-12);
    assert_near(vg_effective_number(2, 0.999), 1.999, 1e-12);
    assert_near(vg_effective_number(10, 0.5), 2 * (1 - pow(0.5, 10)), 1e-12);
    assert_near(vg_effective_number(100000000, 0.999), 1000, 1e-9);
    assert_near(vg_effective_number(5, 1), 5, 0);
    assert_near(vg_effective_number(5, 0), 1, 0);
    assert_near(vg_effective_number(0, 0.999), 0, 0);
}

static void test_words(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_weighting kind;
    for (int i = VG_WEIGHTING_NONE; i <= VG_WEIGHTING_EFFECTIVE; i++) {
        assert_ok(vg_weighting_parse(vg_weighting_name((vg_weighting)i), &kind, &err));
        assert_int_equal(kind, i);
    }
    assert_int_equal(vg_weighting_parse("invrese", &kind, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"inverse\"?");
    assert_contains(err.message, "effective");
    assert_string_equal(vg_weighting_name((vg_weighting)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measures_by_hand),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_imbalance_golden),
        cmocka_unit_test(test_imbalance_edges),
        cmocka_unit_test(test_weights_golden),
        cmocka_unit_test(test_effective_number),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
