/* Sign-flip test, interval, Holm and the number of seeds, against hand-made and scipy values. */
#include "test.h"

#include "study/statistics.h"

#include <math.h>

static void six_equal_signs_give_the_least_p(void **state)
{
    (void)state;
    double d[] = {0.1, 0.2, 0.15, 0.12, 0.18, 0.3};
    vg_paired t = vg_paired_test(d, 6);
    assert_int_equal(t.n, 6);
    assert_near(t.p, 2.0 / 64, 0);
    assert_near(t.p_corrected, t.p, 0);
    assert_near(t.difference, 0.175, 1e-15);
    /* scipy.stats.t.interval(0.95, 5, d.mean(), scipy.stats.sem(d)) */
    assert_near(t.low, 0.09998186566, 1e-10);
    assert_near(t.high, 0.25001813434, 1e-10);
    for (int i = 0; i < 6; i++)
        d[i] = -d[i];
    assert_near(vg_paired_test(d, 6).p, 2.0 / 64, 0);
}

/* sums of +-1 +-2 +-3: |sum| >= 4 in {6, 4} of each sign */
static void patterns_are_counted(void **state)
{
    (void)state;
    double d[] = {-1, 2, 3};
    assert_near(vg_paired_test(d, 3).p, 4.0 / 8, 0);
    double ties[] = {1, 1, 1, -1};
    assert_near(vg_paired_test(ties, 4).p, 10.0 / 16, 0);
}

/* The two halves of the enumeration against one plain loop. */
static void large_tables_agree_with_a_plain_loop(void **state)
{
    (void)state;
    double d[14], sum = 0;
    for (int i = 0; i < 14; i++) {
        d[i] = sin(3.0 * i) + 0.3;
        sum += d[i];
    }
    int hits = 0;
    for (int pattern = 0; pattern < 1 << 14; pattern++) {
        double flipped = 0;
        for (int i = 0; i < 14; i++)
            flipped += pattern >> i & 1 ? d[i] : -d[i];
        hits += fabs(flipped) >= fabs(sum) - 1e-12;
    }
    assert_near(vg_paired_test(d, 14).p, (double)hits / (1 << 14), 1e-15);
}

static void many_pairs_are_drawn(void **state)
{
    (void)state;
    double d[20 + 15], plain;
    for (int i = 0; i < 35; i++)
        d[i] = sin(5.0 * i) + 0.28;
    vg_paired exact = vg_paired_test(d, 20), drawn = vg_paired_test(d, 21);
    assert_true(exact.p > 0.01 && exact.p < 0.9);
    assert_near(drawn.p, exact.p, 0.2);
    plain = vg_paired_test(d, 35).p;
    /* normal approximation of the sign-flip distribution: sum / sqrt(sum of squares) */
    double sum = 0, squares = 0;
    for (int i = 0; i < 35; i++) {
        sum += d[i];
        squares += d[i] * d[i];
    }
    assert_near(plain, erfc(fabs(sum) / sqrt(2 * squares)), 0.01);
    assert_near(vg_paired_test(d, 35).p, plain, 0); /* the same draws each time */
}

static void one_pair_proves_nothing(void **state)
{
    (void)state;
    double d = 0.5;
    vg_paired t = vg_paired_test(&d, 1);
    assert_near(t.p, 1, 0);
    assert_true(isinf(t.low) && t.low < 0 && isinf(t.high) && t.high > 0);
    assert_near(t.difference, 0.5, 0);
    assert_int_equal(t.seeds_needed, 0);
}

static void all_zero_and_all_equal(void **state)
{
    (void)state;
    double zero[6] = {0}, equal[6];
    vg_paired t = vg_paired_test(zero, 6);
    assert_near(t.p, 1, 0);
    assert_near(t.low, 0, 0);
    assert_near(t.high, 0, 0);
    assert_int_equal(t.seeds_needed, 0);
    for (int i = 0; i < 6; i++)
        equal[i] = 0.1;
    t = vg_paired_test(equal, 6);
    assert_near(t.p, 2.0 / 64, 0);
    assert_near(t.low, 0.1, 1e-15);
    assert_near(t.high, 0.1, 1e-15);
    assert_int_equal(t.seeds_needed, 6);
}

static void what_is_not_a_number_is_not_tested(void **state)
{
    (void)state;
    double d[] = {0.1, NAN, 0.2};
    vg_paired t = vg_paired_test(d, 3);
    assert_true(isnan(t.difference) && isnan(t.low) && isnan(t.high) && isnan(t.p));
    assert_int_equal(t.seeds_needed, 0);
    assert_true(isnan(vg_paired_test(d, 0).p));
}

static void seeds_for_a_small_effect(void **state)
{
    (void)state;
    double d[] = {0.5 + 1, 0.5 - 1, 0.5 + 1, 0.5 - 1, 0.5, 0.5}; /* deviation sqrt(4 / 5) */
    vg_paired t = vg_paired_test(d, 6);
    /* effect 0.559: power 0.798 with 27 and 0.814 with 28 by scipy.stats.nct */
    assert_in_range(t.seeds_needed, 27, 28);
    double wide[] = {1, -1, 1, -1, 1, -0.9999};
    assert_true(vg_paired_test(wide, 6).seeds_needed > 100000);
}

static void holm_steps_down(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.005};
    vg_holm(p, 4);
    assert_near(p[3], 0.02, 1e-15);
    assert_near(p[0], 0.03, 1e-15);
    assert_near(p[2], 0.06, 1e-15);
    assert_near(p[1], 0.06, 1e-15);
}

static void holm_passes_over_nan_and_caps(void **state)
{
    (void)state;
    double p[] = {0.03125, NAN, 0.9, 0.6, 0};
    vg_holm(p, 5);
    assert_near(p[0], 0.09375, 1e-15);
    assert_true(isnan(p[1]));
    assert_near(p[2], 1, 0);
    assert_near(p[3], 1, 0);
    assert_near(p[4], 0, 0);
    vg_holm(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_equal_signs_give_the_least_p),
        cmocka_unit_test(patterns_are_counted),
        cmocka_unit_test(large_tables_agree_with_a_plain_loop),
        cmocka_unit_test(many_pairs_are_drawn),
        cmocka_unit_test(one_pair_proves_nothing),
        cmocka_unit_test(all_zero_and_all_equal),
        cmocka_unit_test(what_is_not_a_number_is_not_tested),
        cmocka_unit_test(seeds_for_a_small_effect),
        cmocka_unit_test(holm_steps_down),
        cmocka_unit_test(holm_passes_over_nan_and_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
