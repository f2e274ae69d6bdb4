/* Tests of nn/loss.h. */
#include "test.h"

#include "nn/loss.h"

#include <math.h>

/* By hand: two samples, softmax of (0, ln 3) is (1/4, 3/4). */
static void test_by_hand(void **state)
{
    (void)state;
    const float ln3 = (float)log(3.0), logits[] = {0, ln3, 0, ln3};
    const int32_t labels[] = {1, 0};
    float d[4], p[4];
    vg_loss_result r = vg_softmax_cross_entropy(logits, labels, 2, 2, NULL, d);
    assert_near(r.loss, (log(4.0 / 3) + log(4.0)) / 2, 1e-6);
    assert_int_equal(r.correct, 1);
    assert_near((double)d[0], 0.125, 1e-6);
    assert_near((double)d[1], -0.125, 1e-6);
    assert_near((double)d[2], -0.375, 1e-6);
    assert_near((double)d[3], 0.375, 1e-6);
    vg_softmax(logits, 2, 2, p);
    assert_near((double)p[0], 0.25, 1e-6);
    assert_near((double)p[3], 0.75, 1e-6);
}

/* Mean weighted by the weights that the batch has, as PyTorch. */
static void test_class_weights(void **state)
{
    (void)state;
    const float ln3 = (float)log(3.0), logits[] = {0, ln3, 0, ln3}, weights[] = {3, 1};
    const int32_t labels[] = {1, 0};
    float d[4];
    vg_loss_result r = vg_softmax_cross_entropy(logits, labels, 2, 2, weights, d);
    assert_near(r.loss, (1 * log(4.0 / 3) + 3 * log(4.0)) / 4, 1e-6);
    assert_near((double)d[0], 0.25 / 4, 1e-6);
    assert_near((double)d[2], -0.75 * 3 / 4, 1e-6);
    const float none[] = {0, 0}; /* a class that is left out may be all that a batch has */
    r = vg_softmax_cross_entropy(logits, labels, 2, 2, none, d);
    assert_true(r.loss == 0 && d[0] == 0 && d[3] == 0);
}

static void test_large_logits(void **state)
{
    (void)state;
    const float logits[] = {1e4f, -1e4f, 0};
    const int32_t labels[] = {1};
    float d[3], p[3];
    vg_loss_result r = vg_softmax_cross_entropy(logits, labels, 1, 3, NULL, d);
    assert_near(r.loss, 2e4, 1e-6);
    assert_true(d[0] == 1 && d[1] == -1 && d[2] == 0);
    vg_softmax(logits, 1, 3, p);
    assert_true(p[0] == 1 && p[1] == 0 && p[2] == 0);
}

static void test_not_finite_is_seen(void **state)
{
    (void)state;
    const float logits[] = {NAN, 0};
    const int32_t labels[] = {1};
    assert_true(isnan(vg_softmax_cross_entropy(logits, labels, 1, 2, NULL, NULL).loss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_not_finite_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
