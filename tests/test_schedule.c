/* Tests of optim/schedule.h. */
#include "test.h"

#include "optim/schedule.h"

static void test_constant_and_warmup(void **state)
{
    (void)state;
    vg_schedule s = {.kind = VG_SCHEDULE_CONSTANT, .base = 0.4};
    assert_near(vg_schedule_at(&s, 0, 100), 0.4, 0);
    assert_near(vg_schedule_at(&s, 99, 100), 0.4, 0);
    s.warmup_share = 0.1;
    assert_near(vg_schedule_at(&s, 0, 100), 0.04, 1e-12);
    assert_near(vg_schedule_at(&s, 4, 100), 0.2, 1e-12);
    assert_near(vg_schedule_at(&s, 9, 100), 0.4, 1e-12);
    assert_near(vg_schedule_at(&s, 10, 100), 0.4, 1e-12);
}

static void test_steps(void **state)
{
    (void)state;
    vg_schedule s = {
        .kind = VG_SCHEDULE_STEP, .base = 1, .step_share = 1.0 / 3, .step_factor = 0.1};
    assert_near(vg_schedule_at(&s, 0, 99), 1, 0);
    assert_near(vg_schedule_at(&s, 32, 99), 1, 0);
    assert_near(vg_schedule_at(&s, 33, 99), 0.1, 1e-12);
    assert_near(vg_schedule_at(&s, 66, 99), 0.01, 1e-12);
    s.step_share = 0; /* no steps at all */
    assert_near(vg_schedule_at(&s, 50, 99), 1, 0);
}

static void test_cosine(void **state)
{
    (void)state;
    vg_schedule s = {
        .kind = VG_SCHEDULE_COSINE, .base = 2, .warmup_share = 0.2, .final_factor = 0.1};
    assert_near(vg_schedule_at(&s, 20, 100), 2, 1e-12);
    assert_near(vg_schedule_at(&s, 60, 100), 2 * 0.55, 1e-12);
    assert_near(vg_schedule_at(&s, 100, 100), 0.2, 1e-12);
    assert_near(vg_schedule_at(&s, 500, 100), 0.2, 1e-12); /* beyond the end */
    for (uint64_t i = 21; i < 100; i++)
        assert_true(vg_schedule_at(&s, i, 100) < vg_schedule_at(&s, i - 1, 100));
    assert_near(vg_schedule_at(&s, 0, 0), 2, 2);
}

/* PyTorch 2: ExponentialLR, PolynomialLR, CyclicLR (triangular, one cycle of 100 steps) and OneCycleLR
 * (div_factor 25, final_div_factor 100, so that it ends at 0.0004 of the top; its last step is the one
 * before the end) at steps 0, 20, 50 and 90. */
static void test_against_pytorch(void **state)
{
    (void)state;
    static const uint64_t at[4] = {0, 20, 50, 90};
    static const struct {
        vg_schedule schedule;
        uint64_t steps;
        double rate[4];
    } cases[] = {
        {{.kind = VG_SCHEDULE_EXPONENTIAL, .base = 0.5, .final_factor = 0.1},
         100,
         {0.5, 0.31547867224, 0.158113883008, 0.0629462705897}},
        {{.kind = VG_SCHEDULE_POLYNOMIAL, .base = 0.5, .power = 2}, 100, {0.5, 0.32, 0.125, 0.005}},
        {{.kind = VG_SCHEDULE_CYCLICAL, .base = 0.5, .final_factor = 0.2},
         100,
         {0.1, 0.26, 0.5, 0.18}},
        {{.kind = VG_SCHEDULE_ONE_CYCLE, .base = 0.5, .final_factor = 0.0004},
         99,
         {0.02, 0.38436990906, 0.401441860816, 0.0207126453451}},
        /* LambdaLR of numpy.interp(step, [0, 25, 100], [0.2, 1, 0.07]) */
        {{.kind = VG_SCHEDULE_TRIANGLE,
          .base = 0.5,
          .rise_share = 0.25,
          .start_factor = 0.2,
          .final_factor = 0.07},
         100,
         {0.1, 0.42, 0.345, 0.097}},
        /* CosineAnnealingWarmRestarts, T_0 of 25 steps */
        {{.kind = VG_SCHEDULE_RESTARTS, .base = 0.5, .cycles = 4, .final_factor = 0.07},
         100,
         {0.5, 0.07940354880782474, 0.5, 0.1956535488078248}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int k = 0; k < 4; k++)
            assert_near(vg_schedule_at(&cases[i].schedule, at[k], cases[i].steps), cases[i].rate[k],
                        1e-9);
}

static void test_names(void **state)
{
    (void)state;
    vg_error err = {0};
    for (int i = VG_SCHEDULE_CONSTANT; i < VG_SCHEDULES; i++) {
        vg_schedule_kind kind;
        assert_ok(vg_schedule_parse(vg_schedule_name((vg_schedule_kind)i), &kind, &err));
        assert_int_equal(kind, i);
    }
    vg_schedule_kind kind;
    assert_int_equal(vg_schedule_parse("linear", &kind, &err), VG_E_ARG);
    assert_contains(err.message, "cosine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_and_warmup),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_against_pytorch),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
