/* Tests of optim/plateau.h: the rates of PyTorch's scheduler, and when to stop. */
#include "test.h"

#include "optim/plateau.h"

#include <math.h>

enum { EPOCHS = 24 };

static const struct golden {
    vg_plateau_options options;
    bool higher;
    double values[EPOCHS], rates[EPOCHS];
} golden[] = {
#include "data/plateau.inc"
};

static void test_rates_of_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const struct golden *g = &golden[i];
        vg_plateau plateau = {.rate = 0.1};
        double before = 0.1;
        for (int e = 0; e < EPOCHS; e++) {
            bool fell = vg_plateau_step(&g->options, &plateau, g->higher, g->values[e]);
            assert_near(plateau.rate, g->rates[e], 1e-15);
            assert_true(fell == (plateau.rate < before));
            before = plateau.rate;
        }
        assert_true(plateau.rate < 0.1); /* each case shows something */
    }
}

static void test_when_to_stop(void **state)
{
    (void)state;
    static const double losses[] = {1, 0.8, 0.9, 0.79, NAN, 0.81, 0.8, 0.1};
    vg_patience p = {0};
    int ended = -1;
    for (int e = 0; e < 8 && ended < 0; e++)
        if (vg_patience_step(&p, 3, 0, false, losses[e]))
            ended = e;
    assert_int_equal(ended, 6); /* three after 0.79 */
    p = (vg_patience){0};
    ended = -1;
    for (int e = 0; e < 8 && ended < 0; e++)
        if (vg_patience_step(&p, 3, 0.05, false, losses[e]))
            ended = e;
    assert_int_equal(ended, 4); /* 0.79 is not better by 0.05 */
    p = (vg_patience){0};
    for (int e = 0; e < 8; e++)
        assert_false(vg_patience_step(&p, 0, 0, false, 1)); /* never */
    p = (vg_patience){0};
    assert_false(vg_patience_step(&p, 1, 0, true, 0.2));
    assert_false(vg_patience_step(&p, 1, 0, true, 0.3));
    assert_true(vg_patience_step(&p, 1, 0, true, 0.3)); /* equal is no better */
    p = (vg_patience){0};
    assert_true(vg_patience_step(&p, 1, 0, true, NAN)); /* nor is what is no number */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_of_pytorch),
        cmocka_unit_test(test_when_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
