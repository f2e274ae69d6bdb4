#include "test.h"

#include "base/usage.h"

/* Own work counts as own, and never more than all of the machine is others'. */
static void test_own_work_is_not_others(void **state)
{
    (void)state;
    vg_usage before = vg_usage_now(), after = before;
    volatile double x = 1;
    while (after.own - before.own < 0.1 && after.wall - before.wall < 20) {
        for (int i = 0; i < 1000000; i++)
            x = x * 1.0000001;
        after = vg_usage_now();
    }
    assert_true(after.wall > before.wall);
    assert_true(after.own - before.own >= 0.1);
    assert_true(after.busy >= before.busy);
    double others = vg_usage_others_since(&before);
    assert_true(others >= 0 && others <= 1);
}

/* Somebody who used everything since the beginning of time is still no more than all. */
static void test_bounds(void **state)
{
    (void)state;
    vg_usage before = vg_usage_now();
    before.busy -= 1e9;
    assert_near(vg_usage_others_since(&before), 1, 0);
    before.busy += 2e9;
    assert_near(vg_usage_others_since(&before), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_work_is_not_others),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
