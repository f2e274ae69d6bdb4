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

/* lam * CE(y1) + (1 - lam) * CE(y2), by the plain loss of each sample alone. */
static void test_pairs_are_two_losses(void **state)
{
    (void)state;
    enum { N = 4, K = 3 };
    const float logits[N * K] = {0.3f,  -1.2f, 2.0f, 1.5f, 0.1f, -0.4f,
                                 -2.0f, 0.7f,  0.6f, 0.0f, 3.0f, 1.0f};
    const float weights[K] = {0.5f, 2, 1.25f};
    const int32_t first[N] = {2, 0, 1, 1}, second[N] = {1, 2, 0, 1};
    for (int weighted = 0; weighted < 2; weighted++)
        for (int step = 0; step <= 10; step++) {
            const float *w = weighted ? weights : NULL;
            double share = step / 10.0, sum = 0, total = 0;
            float d[N * K], expected[N * K] = {0};
            for (int i = 0; i < N; i++)
                for (int which = 0; which < 2; which++) {
                    const int32_t label = which ? second[i] : first[i];
                    double part = (which ? 1 - share : share) * (w ? (double)w[label] : 1);
                    float one[K];
                    const float *z = logits + i * K;
                    sum += part * vg_softmax_cross_entropy(z, &label, 1, K, NULL, one).loss;
                    total += part;
                    for (int k = 0; k < K; k++)
                        expected[i * K + k] += (float)part * one[k];
                }
            const vg_label_pairs pairs = {first, second, share};
            vg_loss_result r = vg_softmax_cross_entropy_pairs(logits, &pairs, N, K, w, d);
            assert_near(r.loss, sum / total, 1e-12);
            for (int i = 0; i < N * K; i++)
                assert_near((double)d[i], (double)expected[i] / total, 1e-6);
            /* arg max is 2, 0, 1, 1 */
            assert_int_equal(r.correct, share >= 0.5 ? 4 : 1);
        }
}

static void test_gradient_of_pairs_by_finite_differences(void **state)
{
    (void)state;
    enum { N = 3, K = 4 };
    float logits[N * K], d[N * K];
    const float weights[K] = {0.5f, 2, 1, 3};
    const int32_t first[N] = {3, 0, 2}, second[N] = {2, 3, 2};
    const vg_label_pairs pairs = {first, second, 0.3};
    for (int i = 0; i < N * K; i++)
        logits[i] = (float)((i * 37 % 23) / 8.0 - 1.4);
    vg_softmax_cross_entropy_pairs(logits, &pairs, N, K, weights, d);
    for (int i = 0; i < N * K; i++) {
        const float h = 1.0f / 256, at = logits[i];
        logits[i] = at + h;
        double above = vg_softmax_cross_entropy_pairs(logits, &pairs, N, K, weights, NULL).loss;
        logits[i] = at - h;
        double below = vg_softmax_cross_entropy_pairs(logits, &pairs, N, K, weights, NULL).loss;
        logits[i] = at;
        assert_near((above - below) / (2 * (double)h), (double)d[i], 2e-6);
    }
}

static void test_whole_share_is_the_plain_loss(void **state)
{
    (void)state;
    const float logits[] = {0.1f, 2, -3, 1, 1, 0.5f}, weights[] = {1, 2, 0.7f};
    const int32_t labels[] = {2, 0}, others[] = {0, 1};
    const vg_label_pairs pairs = {labels, others, 1};
    float a[6], b[6];
    vg_loss_result x = vg_softmax_cross_entropy(logits, labels, 2, 3, weights, a);
    vg_loss_result y = vg_softmax_cross_entropy_pairs(logits, &pairs, 2, 3, weights, b);
    assert_true(x.loss == y.loss && x.correct == y.correct);
    assert_memory_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_not_finite_is_seen),
        cmocka_unit_test(test_pairs_are_two_losses),
        cmocka_unit_test(test_gradient_of_pairs_by_finite_differences),
        cmocka_unit_test(test_whole_share_is_the_plain_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
