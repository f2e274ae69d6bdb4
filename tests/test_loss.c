/* Tests of nn/loss.h: by hand, against PyTorch's values (tests/golden/losses.py), by finite differences. */
#include "test.h"

#include "base/file.h"
#include "nn/loss.h"

#include <math.h>
#include <omp.h>

/* A loss ready for use. */
static vg_loss *loss_of(const vg_loss_options *options, int classes, int most, vg_layer_kind last,
                        const uint64_t *counts)
{
    vg_error err = {0};
    vg_loss *loss = NULL;
    const vg_loss_setup setup = {
        .classes = classes, .max_batch = most, .last = last, .seen = counts, .samples = counts};
    assert_ok(vg_loss_new(options, &setup, &loss, &err));
    return loss;
}

/* By hand: two samples, softmax of (0, ln 3) is (1/4, 3/4). */
static void test_by_hand(void **state)
{
    (void)state;
    const float ln3 = (float)log(3.0), logits[] = {0, ln3, 0, ln3};
    const int32_t labels[] = {1, 0};
    float d[4];
    vg_loss_result r = vg_softmax_cross_entropy(logits, labels, 2, 2, NULL, d);
    assert_near(r.loss, (log(4.0 / 3) + log(4.0)) / 2, 1e-6);
    assert_int_equal(r.correct, 1);
    assert_near((double)d[0], 0.125, 1e-6);
    assert_near((double)d[1], -0.125, 1e-6);
    assert_near((double)d[2], -0.375, 1e-6);
    assert_near((double)d[3], 0.375, 1e-6);
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
    float d[3];
    vg_loss_result r = vg_softmax_cross_entropy(logits, labels, 1, 3, NULL, d);
    assert_near(r.loss, 2e4, 1e-6);
    assert_true(d[0] == 1 && d[1] == -1 && d[2] == 0);
}

static void test_not_finite_is_seen(void **state)
{
    (void)state;
    const float logits[] = {NAN, 0};
    const int32_t labels[] = {1};
    assert_true(isnan(vg_softmax_cross_entropy(logits, labels, 1, 2, NULL, NULL).loss));
}

/* ---- PyTorch */

enum { N = 7, K = 5 };

typedef struct kase {
    vg_loss_kind kind;
    vg_layer_kind last; /* whose outputs these are */
    double smoothing;
} kase;

static const kase cases[] = {
    {VG_LOSS_SOFTMAX, VG_LAYER_DENSE, 0},
    {VG_LOSS_SOFTMAX, VG_LAYER_DENSE, 0.2},
    {VG_LOSS_SIGMOID, VG_LAYER_DENSE, 0},
    {VG_LOSS_SIGMOID, VG_LAYER_DENSE, 0.2},
    {VG_LOSS_MSE, VG_LAYER_DENSE, 0},
    {VG_LOSS_MSE, VG_LAYER_DENSE, 0.2},
    {VG_LOSS_FOCAL, VG_LAYER_DENSE, 0},
    {VG_LOSS_SIGMOID_FOCAL, VG_LAYER_DENSE, 0},
    {VG_LOSS_LOGIT_ADJUSTED, VG_LAYER_DENSE, 0.1},
    {VG_LOSS_LDAM, VG_LAYER_DENSE, 0},
    {VG_LOSS_SOFTMAX, VG_LAYER_SOFTMAX, 0},
    {VG_LOSS_FOCAL, VG_LAYER_SOFTMAX, 0},
    {VG_LOSS_SIGMOID, VG_LAYER_SIGMOID, 0.2},
    {VG_LOSS_SIGMOID_FOCAL, VG_LAYER_SIGMOID, 0},
    {VG_LOSS_MSE, VG_LAYER_SOFTMAX, 0},
};
enum { CASES = sizeof cases / sizeof *cases };

static const uint64_t counts[K] = {1000, 200, 50, 10, 3};

static vg_loss_options options_of(const kase *c)
{
    vg_loss_options o = vg_loss_options_default();
    o.kind = c->kind;
    o.label_smoothing = c->smoothing;
    o.gamma = 1.5;
    o.tau = 1.5;
    o.margin = 0.4;
    o.scale = 4;
    return o;
}

/* What a network that ends so makes of logits. */
static void outputs_of(vg_layer_kind last, const double *z, float *outputs)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            sum += exp(z[i * K + k]);
        for (int k = 0; k < K; k++)
            outputs[i * K + k] = (float)(last == VG_LAYER_SOFTMAX   ? exp(z[i * K + k]) / sum
                                         : last == VG_LAYER_SIGMOID ? 1 / (1 + exp(-z[i * K + k]))
                                                                    : z[i * K + k]);
    }
}

static double *golden(size_t *count)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/losses.bin", 0, &bytes, &err));
    double *all = malloc(bytes.size);
    assert_non_null(all);
    memcpy(all, bytes.data, bytes.size);
    *count = bytes.size / sizeof *all;
    vg_bytes_reset(&bytes);
    return all;
}

static void compare(int at, const char *what, double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("case %d: %s is %.9g, PyTorch has %.9g", at, what, found, wanted);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    size_t count;
    double *all = golden(&count), *z = all, *next = z + N * K;
    int32_t first[N], second[N];
    float weights[K], outputs[N * K], d[N * K];
    for (int i = 0; i < N; i++) {
        first[i] = (int32_t)next[i];
        second[i] = (int32_t)next[N + i];
    }
    next += 2 * N;
    for (int k = 0; k < K; k++) {
        weights[k] = (float)next[k];
        assert_true((double)counts[k] == next[K + k]);
    }
    next += 2 * K;
    assert_int_equal(count, N * K + 2 * N + 2 * K + CASES * 4 * (1 + N * K));
    for (int c = 0; c < CASES; c++) {
        vg_loss_options o = options_of(&cases[c]);
        outputs_of(cases[c].last, z, outputs);
        vg_loss *loss = loss_of(&o, K, N, cases[c].last, counts);
        for (int form = 0; form < 4; form++) {
            vg_loss_weigh(loss, form & 2 ? weights : NULL);
            const vg_label_pairs pairs = {first, second, form & 1 ? 0.7 : 1};
            double found = vg_loss_batch(loss, outputs, &pairs, N, d).loss;
            compare(c, "the loss", found, *next++, 2e-7 * (1 + fabs(found)));
            for (int i = 0; i < N * K; i++, next++)
                compare(c, "a gradient", (double)d[i], *next, 1e-6 * (0.1 + fabs(*next)));
        }
        vg_loss_free(loss);
    }
    free(all);
}

static void test_by_finite_differences(void **state)
{
    (void)state;
    const int32_t first[N] = {3, 0, 2, 4, 1, 1, 0}, second[N] = {2, 3, 2, 0, 1, 4, 4};
    const float weights[K] = {0.5f, 2, 1, 3, 0.25f};
    double z[N * K];
    for (int i = 0; i < N * K; i++)
        z[i] = i * 37 % 23 / 8.0 - 1.4;
    for (int c = 0; c < CASES; c++) {
        vg_loss_options o = options_of(&cases[c]);
        vg_loss *loss = loss_of(&o, K, N, cases[c].last, counts);
        const vg_label_pairs pairs = {first, second, 0.3};
        float outputs[N * K], d[N * K];
        vg_loss_weigh(loss, weights);
        outputs_of(cases[c].last, z, outputs);
        vg_loss_batch(loss, outputs, &pairs, N, d);
        for (int i = 0; i < N * K; i++) {
            const float at = outputs[i], step = 1.0f / 1024,
                        h = at < 1e-2f && at > 0 ? at / 64 : step;
            outputs[i] = at + h;
            double up = (double)outputs[i],
                   above = vg_loss_batch(loss, outputs, &pairs, N, NULL).loss;
            outputs[i] = at - h;
            double down = (double)outputs[i];
            double below = vg_loss_batch(loss, outputs, &pairs, N, NULL).loss;
            outputs[i] = at;
            compare(c, "the gradient", (double)d[i], (above - below) / (up - down),
                    2e-4 * (1 + fabs((double)d[i])));
        }
        vg_loss_free(loss);
    }
}

/* With share 1 a pair is its first label, bit by bit, and the plain function says the same. */
static void test_whole_share_is_the_plain_loss(void **state)
{
    (void)state;
    const float logits[] = {0.1f, 2, -3, 1, 1, 0.5f}, weights[] = {1, 2, 0.7f};
    const int32_t labels[] = {2, 0}, others[] = {1, 0};
    const vg_label_pairs pairs = {labels, others, 1};
    float a[6], b[6];
    vg_loss_options o = vg_loss_options_default();
    vg_loss *loss = loss_of(&o, 3, 2, VG_LAYER_DENSE, NULL);
    vg_loss_weigh(loss, weights);
    vg_loss_result x = vg_softmax_cross_entropy(logits, labels, 2, 3, weights, a);
    vg_loss_result y = vg_loss_batch(loss, logits, &pairs, 2, b);
    assert_true(x.loss == y.loss && x.correct == y.correct);
    assert_memory_equal(a, b, sizeof a);
    vg_loss_weigh(loss, NULL);
    x = vg_softmax_cross_entropy(logits, labels, 2, 3, NULL, a);
    y = vg_loss_batch(loss, logits, &pairs, 2, b);
    assert_true(x.loss == y.loss);
    assert_memory_equal(a, b, sizeof a);
    const vg_label_pairs less = {labels, others, 0.4}; /* now the second ones count as right */
    assert_int_equal(vg_loss_batch(loss, logits, &less, 2, NULL).correct, 2);
    vg_loss_free(loss);
}

/* Enough rows for all threads: the same bits for any number of them. */
static void test_threads_change_nothing(void **state)
{
    (void)state;
    enum { ROWS = 96, WIDTH = 211 };
    const int before = omp_get_max_threads();
    static float z[ROWS * WIDTH], d[ROWS * WIDTH], again[ROWS * WIDTH];
    static int32_t labels[ROWS], others[ROWS];
    static uint64_t seen[WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++)
        z[i] = (float)(i * 7919 % 1013) / 200.0f;
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i * 31 % WIDTH;
        others[i] = i * 17 % WIDTH;
    }
    for (int k = 0; k < WIDTH; k++)
        seen[k] = (uint64_t)k; /* also a class without samples */
    for (int kind = 0; kind < VG_LOSSES; kind++) {
        vg_loss_options o = vg_loss_options_default();
        o.kind = (vg_loss_kind)kind;
        vg_loss *loss = loss_of(&o, WIDTH, ROWS, VG_LAYER_DENSE, seen);
        const vg_label_pairs pairs = {labels, others, 0.8};
        omp_set_num_threads(1);
        double one = vg_loss_batch(loss, z, &pairs, ROWS, d).loss;
        assert_true(isfinite(one) && one > 0);
        omp_set_num_threads(3);
        assert_true(vg_loss_batch(loss, z, &pairs, ROWS, again).loss == one);
        assert_memory_equal(d, again, sizeof d);
        vg_loss_free(loss);
    }
    omp_set_num_threads(before);
}

/* Probabilities of 0 and 1, and outputs that are none, keep everything finite. */
static void test_extreme_probabilities(void **state)
{
    (void)state;
    const float p[] = {0, 1, 0, 1, 0, 0, -3, 0.5f, 7};
    const int32_t labels[] = {0, 0, 0};
    const vg_label_pairs pairs = {labels, labels, 1};
    for (int kind = 0; kind < VG_LOSSES; kind++) {
        vg_loss_options o = vg_loss_options_default();
        o.kind = (vg_loss_kind)kind;
        o.from_logits = VG_FROM_LOGITS_NO;
        float d[9];
        vg_loss *loss = loss_of(&o, 3, 3, VG_LAYER_DENSE, (const uint64_t[]){1, 2, 3});
        double found = vg_loss_batch(loss, p, &pairs, 3, d).loss;
        assert_true(isfinite(found) && found > 0);
        for (int i = 0; i < 9; i++)
            assert_true(isfinite(d[i]));
        if (kind != VG_LOSS_MSE)
            assert_true(d[6] == 0 && d[8] == 0);
        vg_loss_free(loss);
    }
    float z[3], s[3];
    vg_outputs_to_logits(VG_LAYER_SOFTMAX, (const float[]){0.25f, 0.75f, 0}, 1, 3, z);
    assert_near((double)z[1] - (double)z[0], log(3), 1e-6);
    assert_true(isfinite(z[2]) && z[2] < -80);
    vg_outputs_to_logits(VG_LAYER_SIGMOID, (const float[]){0.25f, 1, NAN}, 1, 3, s);
    assert_near((double)s[0], -log(3), 1e-6);
    assert_true(isfinite(s[1]) && s[1] > 15 && isnan(s[2]));
}

/* ---- options */

static void test_words(void **state)
{
    (void)state;
    vg_error err = {0};
    for (int i = 0; i < VG_LOSSES; i++) {
        vg_loss_kind kind = VG_LOSSES;
        assert_ok(vg_loss_parse(vg_loss_name((vg_loss_kind)i), &kind, &err));
        assert_int_equal(kind, i);
    }
    vg_loss_kind kind;
    assert_int_equal(vg_loss_parse("focall", &kind, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"focal\"");
    assert_string_equal(vg_from_logits_name(VG_FROM_LOGITS_NO), "no");
}

static void test_wrong_options(void **state)
{
    (void)state;
    const struct {
        size_t offset;
        double value;
        const char *word;
    } wrong[] = {{offsetof(vg_loss_options, label_smoothing), 1.5, "label_smoothing"},
                 {offsetof(vg_loss_options, gamma), -1, "gamma"},
                 {offsetof(vg_loss_options, tau), INFINITY, "tau"},
                 {offsetof(vg_loss_options, margin), NAN, "margin"},
                 {offsetof(vg_loss_options, scale), 0, "scale"}};
    const vg_loss_setup setup = {.classes = 2, .max_batch = 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_error err = {0};
        vg_loss *loss;
        vg_loss_options o = vg_loss_options_default();
        memcpy((char *)&o + wrong[i].offset, &wrong[i].value, sizeof wrong[i].value);
        assert_int_equal(vg_loss_new(&o, &setup, &loss, &err), VG_E_ARG);
        assert_contains(err.message, wrong[i].word);
        assert_null(loss);
    }
    const vg_loss_kind hard[] = {VG_LOSS_FOCAL, VG_LOSS_SIGMOID_FOCAL, VG_LOSS_LDAM};
    for (size_t i = 0; i < 3; i++) {
        vg_error err = {0};
        vg_loss_options o = {.kind = hard[i], .label_smoothing = 0.1, .scale = 1};
        assert_int_equal(vg_loss_check(&o, &err), VG_E_ARG);
        assert_contains(err.message, vg_loss_name(hard[i]));
    }
}

static void test_warnings(void **state)
{
    (void)state;
    const struct {
        vg_loss_kind kind;
        vg_from_logits from;
        vg_layer_kind last;
        const char *word; /* NULL: all is well */
    } rows[] = {
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_AUTO, VG_LAYER_DENSE, NULL},
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_AUTO, VG_LAYER_SOFTMAX, NULL},
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_YES, VG_LAYER_SOFTMAX, "applies its own"},
        {VG_LOSS_FOCAL, VG_FROM_LOGITS_YES, VG_LAYER_SIGMOID, "squashes its outputs again"},
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_AUTO, VG_LAYER_SIGMOID, "take the loss sigmoid"},
        {VG_LOSS_SIGMOID, VG_FROM_LOGITS_AUTO, VG_LAYER_SOFTMAX, "take the loss softmax"},
        {VG_LOSS_SIGMOID, VG_FROM_LOGITS_AUTO, VG_LAYER_SIGMOID, NULL},
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_NO, VG_LAYER_DENSE, "taken for probabilities"},
        {VG_LOSS_SOFTMAX, VG_FROM_LOGITS_NO, VG_LAYER_SOFTMAX, NULL},
        {VG_LOSS_MSE, VG_FROM_LOGITS_NO, VG_LAYER_DENSE, NULL},
        {VG_LOSS_MSE, VG_FROM_LOGITS_AUTO, VG_LAYER_SIGMOID, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const vg_loss_options o = {.kind = rows[i].kind, .from_logits = rows[i].from};
        const char *found = vg_loss_warning(&o, rows[i].last);
        if (rows[i].word) {
            assert_non_null(found);
            assert_contains(found, rows[i].word);
        } else if (found) {
            fail_msg("row %zu: %s", i, found);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_not_finite_is_seen),
        cmocka_unit_test(test_against_pytorch),
        cmocka_unit_test(test_by_finite_differences),
        cmocka_unit_test(test_whole_share_is_the_plain_loss),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_extreme_probabilities),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
