/* Tests of study/lr_range.h: the rule on made-up losses, and a real sweep. */
#include "make_idx.h"

#include "study/lr_range.h"

#include <math.h>

static void test_the_rule(void **state)
{
    (void)state;
    enum { N = 121 };
    vg_lr_point points[N];
    vg_lr_range range = {.points = points, .count = N};
    vg_lr_point *last = &range.points[N - 1];
    for (int i = 0; i < N; i++) { /* flat, a fall about 1e-2, a rise from 1e-1 on */
        double power = -6 + i / 20.0;
        range.points[i].rate = pow(10, power);
        range.points[i].loss =
            2.3 - 1.5 / (1 + exp(-6 * (power + 2))) + (power > -1 ? 8 * (power + 1) : 0);
    }
    vg_lr_range_conclude(&range);
    assert_true(range.lowest > 0.05 && range.lowest < 0.5);
    assert_near(range.suggested, range.lowest / 10, 1e-12);
    assert_true(range.steepest > 0.005 && range.steepest < range.lowest);
    range.count = 60; /* nothing falls yet */
    vg_lr_range_conclude(&range);
    assert_true(isnan(range.suggested) && isnan(range.lowest));
    range.count = N;
    for (int i = 0; i < N; i++)
        range.points[i].smooth = i < N - 1 ? 1 : 0;
    last->loss = 1e4;
    assert_true(vg_lr_range_ran_away(&range));
    last->loss = NAN;
    assert_true(vg_lr_range_ran_away(&range));
    last->loss = 1;
    assert_false(vg_lr_range_ran_away(&range));
}

static void test_a_sweep(void **state)
{
    (void)state;
    static const size_t train[] = {60, 60, 60}, test[] = {10, 10, 10};
    vg_error err = {0};
    char *folder;
    vg_dataset *dataset = make_idx_dataset(&folder, train, test, 3, 16);
    vg_run_options options = vg_run_options_default();
    static const char *const layers[] = {"conv 6 k3", "relu", "maxpool 2", "dense 12", "relu"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
    options.batch = 20;
    vg_lr_range_options how = {.low = 1e-5, .high = 100, .steps = 120};
    vg_lr_range range, again;
    assert_ok(vg_lr_range_measure(dataset, &options, &how, NULL, &range, &err));
    assert_true(range.count > 40 && range.count <= 120);
    assert_near(range.points[0].rate, 1e-5, 1e-12);
    for (int i = 1; i < range.count; i++)
        assert_near(range.points[i].rate / range.points[i - 1].rate, pow(1e7, 1.0 / 119), 1e-9);
    assert_true(range.points[range.count - 1].smooth > 4 * 0.01 && range.ran_away);
    assert_near(range.suggested, range.lowest / 10, 1e-12);
    assert_true(range.steepest > 1e-4 && range.steepest < 0.5);
    options.threads = 1;
    assert_ok(vg_lr_range_measure(dataset, &options, &how, NULL, &again, &err));
    assert_int_equal(again.count, range.count);
    for (int i = 0; i < range.count; i++)
        assert_true(again.points[i].loss == range.points[i].loss ||
                    (isnan(again.points[i].loss) && isnan(range.points[i].loss)));
    vg_lr_range_reset(&again);
    vg_lr_range_reset(&range);
    how.low = 0;
    assert_int_equal(vg_lr_range_measure(dataset, &options, &how, NULL, &range, &err), VG_E_ARG);
    how = (vg_lr_range_options){.low = 1, .high = 2, .steps = 3};
    assert_int_equal(vg_lr_range_measure(dataset, &options, &how, NULL, &range, &err), VG_E_ARG);
    vg_run_options_reset(&options);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rule),
        cmocka_unit_test(test_a_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
