/* One row of the transition matrix from counts that are made exactly as the model says. */
#include "test.h"

#include "study/noise_row.h"

#include <math.h>

enum { PER_STEP = 1000, STEPS = 20 };

/* Margins 0, 0.5 ... 9.5, surest first; the network errs with 1 / (1 + exp(margin)), towards class 1; wrong labels
 * fall on class 2. */
static size_t make(vg_seen *seen, double wrong)
{
    size_t count = 0;
    for (int step = STEPS - 1; step >= 0; step--) {
        double margin = 0.5 * step, error = 1 / (1 + exp(margin));
        int lapses = (int)lround(PER_STEP * wrong),
            errors = (int)lround(PER_STEP * (1 - wrong) * error);
        for (int n = 0; n < PER_STEP; n++)
            seen[count++] = (vg_seen){(float)margin, 0,
                                      n < lapses            ? 2
                                      : n < lapses + errors ? 1
                                                            : 0};
    }
    return count;
}

static void test_parts_are_told_apart(void **state)
{
    (void)state;
    vg_error err = {0};
    static vg_seen seen[PER_STEP * STEPS];
    const double shares[] = {0, 0.01, 0.1, 0.3};
    for (int i = 0; i < 4; i++) {
        size_t count = make(seen, shares[i]);
        vg_noise_prior prior;
        double transition[3];
        vg_noise_row row = {.transition = transition};
        assert_ok(vg_noise_row_pool(seen, count, &prior, &err));
        assert_near(prior.wrong, shares[i], 0.005);
        assert_ok(vg_noise_row_fit(seen, count, 0, 3, &prior, &row, &err));
        assert_true(transition[0] <= 0);
        assert_near(transition[1], 0, 0.005);
        assert_near(transition[2], shares[i], 0.005);
        assert_near(row.slope / prior.scale, 1, 0.1);
        assert_near(row.natural, (1 - shares[i]) * 0.0818, 0.01);
    }
}

static void test_few_pictures_lean_on_all(void **state)
{
    (void)state;
    vg_error err = {0};
    const vg_noise_prior prior = {.scale = 1, .slope = 2, .offset = 0, .wrong = 0.2};
    const vg_seen seen[] = {{5, 0, 0}, {4, 0, 0}};
    double transition[3];
    vg_noise_row row = {.transition = transition};
    assert_ok(vg_noise_row_fit(seen, 0, 0, 3, &prior, &row, &err));
    assert_near(transition[1] + transition[2], 0.2, 1e-9);
    assert_ok(vg_noise_row_fit(seen, 2, 0, 3, &prior, &row, &err));
    assert_near(transition[1] + transition[2], 0.2 * 10 / 12, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_told_apart),
        cmocka_unit_test(test_few_pictures_lean_on_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
