/* Tests of base/statistics.h. Golden values: scipy.stats.t.ppf(0.975, df) and
 * binomtest(k, n).proportion_ci(method="wilson"); python3 tests/golden/labels.py prints the others. */
#include "test.h"

#include "base/statistics.h"

static void test_student_quantiles(void **state)
{
    (void)state;
    assert_near(vg_student_t975(1), 12.706204736, 1e-8);
    assert_near(vg_student_t975(2), 4.302652730, 1e-8);
    assert_near(vg_student_t975(5), 2.570581836, 1e-8);
    assert_near(vg_student_t975(10), 2.228138852, 1e-8);
    assert_near(vg_student_t975(29), 2.045229642, 1e-8);
    assert_near(vg_student_t975(1000), 1.962339081, 1e-7);
}

static void test_wilson(void **state)
{
    (void)state;
    double low, high;
    vg_wilson(0, 10, &low, &high);
    assert_near(low, 0, 1e-12);
    assert_near(high, 0.277532799, 1e-8);
    vg_wilson(8, 10, &low, &high);
    assert_near(low, 0.490162472, 1e-8);
    assert_near(high, 0.943317849, 1e-8);
    vg_wilson(3, 0, &low, &high);
    assert_near(low, 0, 0);
    assert_near(high, 1, 0);
}

static void test_exact_interval(void **state)
{
    (void)state;
    double low, high;
    vg_exact_interval(0, 10, &low, &high);
    assert_near(low, 0, 0);
    assert_near(high, 0.308497108, 1e-8);
    vg_exact_interval(10, 10, &low, &high);
    assert_near(low, 0.691502892, 1e-8);
    assert_near(high, 1, 0);
    vg_exact_interval(8, 10, &low, &high);
    assert_near(low, 0.443904538, 1e-8);
    assert_near(high, 0.974789274, 1e-8);
    vg_exact_interval(1, 2, &low, &high);
    assert_near(low, 0.012579117, 1e-8);
    assert_near(high, 0.987420883, 1e-8);
    vg_exact_interval(300, 100000, &low, &high);
    assert_near(low, 0.002670520, 1e-8);
    assert_near(high, 0.003358807, 1e-8);
    vg_exact_interval(0, 0, &low, &high);
    assert_near(low, 0, 0);
    assert_near(high, 1, 0);
}

static void test_chi_square(void **state)
{
    (void)state;
    assert_near(vg_chi_square_upper(3.841458820694124, 1), 0.05, 1e-12);
    assert_near(vg_chi_square_upper(2.5, 3), 0.4752910833, 1e-8);
    assert_near(vg_chi_square_upper(30, 9), 0.000438721771, 1e-9);
    assert_near(vg_chi_square_upper(1000, 999), 0.4851314893, 1e-8);
    assert_near(vg_chi_square_upper(21000, 20000), 4.275872455e-07, 1e-13);
    assert_near(vg_chi_square_upper(500, 1), 9.505397767e-111, 1e-118);
    assert_near(vg_chi_square_upper(0, 5), 1, 0);
    assert_near(vg_chi_square_upper(-1, 5), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student_quantiles),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_exact_interval),
        cmocka_unit_test(test_chi_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
