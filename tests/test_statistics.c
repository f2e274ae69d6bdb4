/* Tests of base/statistics.h. Golden values: scipy.stats.t.ppf(0.975, df) and
 * binomtest(k, n).proportion_ci(method="wilson"). */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_student_quantiles),
        cmocka_unit_test(test_wilson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
