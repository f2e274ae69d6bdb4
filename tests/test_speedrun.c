/* The CIFAR speedrun against PyTorch, recorded by tests/golden/speedrun.py: the whitening layer, and ten steps of the recipe
 * with a narrower net. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "nn/loss.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "patches.h"

#include <math.h>

enum { N = 12, SIDE = 32, STEPS = 10, CLASSES = 10, VALUES = N * 3 * SIDE * SIDE };
enum { WHITENING = 24 * 12, RECORDED = WHITENING + STEPS + N * CLASSES };

static float recorded[RECORDED], *pictures;

/* As in the script. */
static double noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216 - 0.5;
}

static int setup(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/speedrun.bin", 0, &bytes, &err));
    assert_int_equal(bytes.size, sizeof recorded);
    memcpy(recorded, bytes.data, sizeof recorded);
    vg_bytes_reset(&bytes);
    pictures = malloc(VALUES * sizeof *pictures);
    assert_non_null(pictures);
    float *at = pictures;
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 3; c++)
            for (int h = 0; h < SIDE; h++)
                for (int w = 0; w < SIDE; w++)
                    *at++ = (float)(sin(0.31 * h * (1 + 0.1 * i) + 0.5 * c) +
                                    0.6 * cos(0.17 * w * (1 + c) + i) +
                                    0.3 * sin(1.3 * (h + w) + c * i));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(pictures);
    return 0;
}

static void test_whitening(void **state)
{
    (void)state;
    vg_error err = {0};
    float weight[WHITENING];
    assert_ok(vg_patches_whiten(pictures, N, 3, SIDE, SIDE, 2, 5e-4, weight, &err));
    for (int i = 0; i < WHITENING; i++)
        assert_near((double)weight[i], (double)recorded[i], 2e-4);
}

/* Whatever the pictures are: what comes out of the layer varies independently and equally. */
static void test_whitened_patches(void **state)
{
    (void)state;
    enum { K = 3, V = 2 * K * K, H = 9, W = 11, COUNT = 40 };
    vg_error err = {0};
    float *x = random_floats((size_t)COUNT * 2 * H * W, 3), weight[2 * V * V];
    for (int i = COUNT * 2 * H * W - 1; i > 0; i--)
        x[i] += 0.8F * x[i - 1];
    assert_ok(vg_patches_whiten(x, COUNT, 2, H, W, K, 0, weight, &err));
    double products[V][V] = {{0}};
    int patches = 0;
    for (int i = 0; i < COUNT; i++)
        for (int p = 0; p <= H - K; p++)
            for (int q = 0; q <= W - K; q++, patches++) {
                double y[V] = {0};
                for (int k = 0; k < V; k++)
                    for (int j = 0; j < V; j++)
                        y[k] +=
                            (double)weight[k * V + j] *
                            (double)x[((i * 2 + j / (K * K)) * H + p + j / K % K) * W + q + j % K];
                for (int a = 0; a < V; a++)
                    for (int b = 0; b < V; b++)
                        products[a][b] += y[a] * y[b];
            }
    for (int a = 0; a < V; a++)
        for (int b = 0; b < V; b++)
            assert_near(products[a][b] / patches, a == b, 1e-4);
    for (int i = 0; i < V * V; i++) /* the other half has the other sign */
        assert_true(weight[V * V + i] == -weight[i]);
    free(x);
}

#define FAST(outputs)                                                                              \
    "conv " #outputs " k3 nobias", "maxpool 2", "bn m0.4 e1e-12 noscale", "gelu",                  \
        "conv " #outputs " k3 nobias", "bn m0.4 e1e-12 noscale", "gelu"

static vg_optimizer *recipe(vg_model *m)
{
    vg_error err = {0};
    vg_optimizer_options o = vg_optimizer_options_default();
    o.momentum = 0.85;
    o.nesterov = true;
    o.weight_decay = 0.01;
    o.lookahead = 2;
    o.lookahead_alpha = 1 - pow(0.95, 5);
    o.lookahead_ramp = 3;
    assert_ok(vg_param_rules_add(&o.rates, "*.bn.bias", 64, &err));
    assert_ok(vg_param_rules_add(&o.rates, "*.dense.bias", 0, &err)); /* there is none */
    assert_ok(vg_param_rules_add(&o.decays, "*.bn.bias", 1.0 / 64, &err));
    assert_ok(vg_param_rules_add(&o.decays, "0.conv.bias", 1, &err));
    vg_optimizer *optimizer;
    assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
    vg_optimizer_plan(optimizer, STEPS);
    return optimizer;
}

static void test_ten_steps(void **state)
{
    (void)state;
    vg_model *m = model_of(SPEC("conv 0 k2 p0 whiten", "gelu", FAST(8), FAST(16), FAST(16),
                                "maxpool 3", "flatten", "linear 0.1111111111111111"),
                           3, SIDE, SIDE, CLASSES, N);
    uint32_t seed = 5;
    int count;
    vg_param *p = vg_model_params(m, &count);
    assert_int_equal(p[0].count, WHITENING);
    memcpy(p[0].value, recorded, sizeof(float) * WHITENING);
    for (int i = 1; i < count; i++)
        for (size_t k = 0; p[i].dims > 1 && k < p[i].count; k++)
            p[i].value[k] =
                (float)(noise(&seed) * sqrt(24 / ((double)p[i].count / (double)p[i].shape[0])));
    vg_optimizer *optimizer = recipe(m);
    vg_schedule schedule = {.kind = VG_SCHEDULE_TRIANGLE,
                            .base = 0.5,
                            .rise_share = 0.3,
                            .start_factor = 0.2,
                            .final_factor = 0.07};
    int32_t labels[N];
    float d[N * CLASSES];
    for (int i = 0; i < N; i++)
        labels[i] = i * 7 % CLASSES;
    vg_error err = {0};
    vg_loss_options smooth = vg_loss_options_default();
    smooth.label_smoothing = 0.2;
    const vg_loss_setup about = {.classes = CLASSES, .max_batch = N, .last = VG_LAYER_LINEAR};
    const vg_label_pairs pairs = {labels, labels, 1};
    vg_loss *losses;
    assert_ok(vg_loss_new(&smooth, &about, &losses, &err));
    for (uint64_t step = 0; step < STEPS; step++) {
        const float *z = vg_model_forward(m, pictures, N, true, step);
        double loss = vg_loss_batch(losses, z, &pairs, N, d).loss;
        assert_near(loss, (double)recorded[WHITENING + step], 1e-4);
        vg_model_backward(m, d, NULL);
        vg_optimizer_step(optimizer, vg_schedule_at(&schedule, step, STEPS));
    }
    for (int i = 0; i < WHITENING; i++) /* not trained */
        assert_true(p[0].value[i] == recorded[i]);
    vg_optimizer_average(optimizer, true);
    const float *z = vg_model_forward(m, pictures, N, false, 0);
    for (int i = 0; i < N * CLASSES; i++)
        assert_near((double)z[i], (double)recorded[WHITENING + STEPS + i], 2e-3);
    vg_loss_free(losses);
    vg_optimizer_free(optimizer);
    vg_model_free(m);
}

/* Which of its parameters are trained. */
static void test_rest(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_net_spec spec = SPEC("conv 0 k2 p0 whiten", "relu"),
                again = SPEC("conv 0 k2 p0 whiten", "relu");
    vg_model *m = model_of(spec, 1, 6, 6, 2, 2);
    vg_param_rules rates = {0};
    int count;
    vg_param *p = vg_model_params(m, &count);
    assert_true(p[0].rate == 0 && p[1].rate == 1);
    p[0].rate = 1; /* as after freezing and letting go */
    vg_patches_rest(m, &again, &rates, false);
    assert_true(p[0].rate == 0 && p[1].rate == 1);
    vg_patches_rest(m, &again, &rates, true);
    assert_true(p[0].rate == 0 && p[1].rate == 0);
    assert_ok(vg_param_rules_add(&rates, "0.*", 0.5, &err));
    vg_patches_rest(m, &again, &rates, false);
    assert_true(p[0].rate == 0.5);
    vg_net_spec_reset(&again);
    vg_model_free(m);
}

/* What a whitening layer cannot be. */
static void test_wrong_layers(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        vg_status status;
        const char *message;
    } cases[] = {{"conv 23 k2 p0 whiten", "relu", VG_E_SHAPE, "has 24 outputs, not 23"},
                 {"conv 4 k3", "conv 72 k3 whiten", VG_E_SHAPE, "picture itself"}};
    vg_model_options o = {.channels = 3, .height = 8, .width = 8, .classes = 3, .max_batch = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        vg_model *m;
        vg_net_spec spec = SPEC(cases[i].first, cases[i].second);
        assert_int_equal(vg_model_new(&spec, &o, &m, &err), cases[i].status);
        assert_contains(err.message, cases[i].message);
        vg_net_spec_reset(&spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whitening),    cmocka_unit_test(test_whitened_patches),
        cmocka_unit_test(test_ten_steps),    cmocka_unit_test(test_rest),
        cmocka_unit_test(test_wrong_layers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
