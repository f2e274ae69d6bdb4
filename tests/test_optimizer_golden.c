/* What surrounds and follows the plain optimizers, against PyTorch's values (tests/golden/optimizers.py): decoupled decay,
 * L1, factors by name, Muon, Lookahead, the running mean. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "nn/loss.h"
#include "optim/optimizer.h"

#include <math.h>
#include <omp.h>

enum { N = 24, INPUTS = 6, CLASSES = 9, STEPS = 6, VALUES = 70 + 88 + 81 };

static float *golden;
static size_t golden_count;

static int setup(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/optimizers.bin", 0, &bytes, &err));
    golden = malloc(bytes.size);
    assert_non_null(golden);
    memcpy(golden, bytes.data, bytes.size);
    golden_count = bytes.size / sizeof *golden;
    vg_bytes_reset(&bytes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(golden);
    return 0;
}

static vg_model *start(void)
{
    vg_model *m = model_of(SPEC("dense 10", "dense 8"), INPUTS, 1, 1, CLASSES, N);
    assert_int_equal(vg_model_parameter_count(m), VALUES);
    int count;
    vg_param *p = vg_model_params(m, &count);
    const float *from = golden + N * INPUTS + N;
    for (int i = 0; i < count; i++) {
        memcpy(p[i].value, from, p[i].count * sizeof(float));
        from += p[i].count;
    }
    return m;
}

static void gradients(vg_model *m)
{
    int32_t y[N];
    float d[N * CLASSES];
    for (int i = 0; i < N; i++)
        y[i] = (int32_t)golden[N * INPUTS + i];
    const float *z = vg_model_forward(m, golden, N, true, 0);
    vg_softmax_cross_entropy(z, y, N, CLASSES, NULL, d);
    vg_model_backward(m, d, NULL);
}

static void compare(vg_model *m, int kase, double tolerance)
{
    const float *wanted = golden + N * INPUTS + N + (size_t)(1 + kase) * VALUES;
    assert_true((size_t)(wanted - golden) + VALUES <= golden_count);
    int count;
    const vg_param *p = vg_model_params(m, &count);
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < p[i].count; k++, wanted++) {
            double off = fabs((double)p[i].value[k] - (double)*wanted);
            if (!(off <= tolerance))
                fail_msg("case %d: %s[%zu] is %g, PyTorch has %g", kase, p[i].name, k,
                         (double)p[i].value[k], (double)*wanted);
        }
}

static void run(const vg_optimizer_options *options, double rate, int kase, double tolerance)
{
    vg_error err = {0};
    vg_model *m = start();
    vg_optimizer *o;
    assert_ok(vg_optimizer_new(m, options, &o, &err));
    vg_optimizer_plan(o, STEPS);
    for (int i = 0; i < STEPS; i++) {
        gradients(m);
        vg_optimizer_step(o, rate);
    }
    vg_optimizer_average(o, true);
    compare(m, kase, tolerance);
    vg_optimizer_free(o);
    vg_model_free(m);
}

static vg_optimizer_options sgd(void)
{
    vg_optimizer_options o = vg_optimizer_options_default();
    o.weight_decay = 0;
    return o;
}

static void test_decays(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_optimizer_options o = sgd();
    o.weight_decay = 0.3;
    o.decoupled = true;
    run(&o, 0.05, 0, 2e-6);
    o = sgd();
    o.l1 = 0.02;
    run(&o, 0.05, 1, 2e-6);
    o = sgd();
    o.nesterov = true;
    o.weight_decay = 0.1;
    assert_ok(vg_param_rules_add(&o.decays, "*", 1, &err));
    assert_ok(vg_param_rules_add(&o.rates, "*.bias", 3, &err)); /* the last rule counts */
    assert_ok(vg_param_rules_add(&o.rates, "[02].*.bias", 1, &err));
    assert_ok(vg_param_rules_add(&o.rates, "1.dense.bias", 8, &err));
    assert_ok(vg_param_rules_add(&o.rates, "0.dense.weight", 0, &err));
    run(&o, 0.05, 2, 5e-6);
}

static vg_optimizer_options muon(void)
{
    vg_optimizer_options o = vg_optimizer_options_default();
    o.kind = VG_OPTIMIZER_MUON;
    o.momentum = 0.95;
    o.nesterov = true;
    o.weight_decay = 0.1;
    return o;
}

static void test_muon(void **state)
{
    (void)state;
    vg_optimizer_options o = muon();
    run(&o, 0.02, 3, 2e-5);
    o.muon_scale = VG_MUON_RMS;
    run(&o, 0.02, 4, 2e-5);
    o.muon_scale = VG_MUON_SPHERE;
    o.weight_decay = 0;
    o.muon_others = VG_MUON_SGD;
    o.muon_others_rate = 0.5;
    run(&o, 0.02, 5, 2e-5);
}

static void test_averages(void **state)
{
    (void)state;
    vg_optimizer_options o = sgd();
    o.lookahead = 2;
    o.lookahead_alpha = 0.4;
    run(&o, 0.05, 6, 2e-6);
    o.lookahead_ramp = 3;
    run(&o, 0.05, 7, 2e-6);
    o = sgd();
    o.ema = 0.3;
    run(&o, 0.05, 8, 2e-6);
}

/* The bands of large matrices, whatever the threads: what the iteration makes has singular values near 1. */
static void test_muon_of_large_matrices(void **state)
{
    (void)state;
    vg_error err = {0};
    float *first = NULL;
    const int before = omp_get_max_threads();
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        vg_model *m = model_of(SPEC("dense 300", "dense 260 nobias"), 240, 1, 1, 2, 1);
        vg_optimizer_options options = muon();
        options.weight_decay = 0;
        vg_optimizer *o;
        assert_ok(vg_optimizer_new(m, &options, &o, &err));
        int count;
        vg_param *p = vg_model_params(m, &count);
        const size_t rows = 300, columns = 240;
        assert_int_equal(p[0].count, rows * columns);
        float *gradient = random_floats(p[0].count, 5), *old = malloc(p[0].count * sizeof *old);
        for (int i = 0; i < count; i++)
            memset(p[i].grad, 0, p[i].count * sizeof(float));
        memcpy(p[0].grad, gradient, p[0].count * sizeof *gradient);
        memcpy(old, p[0].value, p[0].count * sizeof *old);
        vg_optimizer_step(o, 1);
        double squares = 0, along = 0;
        for (size_t i = 0; i < p[0].count; i++) {
            double moved = (double)old[i] - (double)p[0].value[i];
            squares += moved * moved;
            along += moved * (double)gradient[i];
        }
        /* 240 singular values of 0.7 to 1.2, times sqrt(300 / 240); down the gradient */
        double mean = sqrt(squares / (240 * 300.0 / 240));
        assert_true(mean > 0.7 && mean < 1.2);
        assert_true(along > 0);
        if (!first) {
            first = malloc(p[0].count * sizeof *first);
            memcpy(first, p[0].value, p[0].count * sizeof *first);
        }
        assert_memory_equal(first, p[0].value, p[0].count * sizeof *first);
        free(gradient);
        free(old);
        vg_optimizer_free(o);
        vg_model_free(m);
    }
    omp_set_num_threads(before);
    free(first);
}

/* Weights and state written while the model holds the averages, read into another: the same bits from there on. */
static void test_goes_on_from_its_state(void **state)
{
    (void)state;
    vg_error err = {0};
    for (int kind = 0; kind < 3; kind++) {
        vg_optimizer_options options = kind == 2 ? muon() : sgd();
        options.lookahead = kind == 1 ? 3 : 0;
        options.ema = kind == 1 ? 0 : 0.9;
        vg_model *a = start(), *b = start();
        vg_optimizer *of_a, *of_b;
        assert_ok(vg_optimizer_new(a, &options, &of_a, &err));
        assert_ok(vg_optimizer_new(b, &options, &of_b, &err));
        for (int i = 0; i < 4; i++) {
            gradients(a);
            vg_optimizer_step(of_a, 0.02);
        }
        vg_optimizer_average(of_a, true);
        vg_optimizer_average(of_b, true);
        int count;
        vg_param *from = vg_model_params(a, &count), *to = vg_model_params(b, &count);
        assert_true(memcmp(from[0].value, to[0].value, from[0].count * sizeof(float)) != 0);
        for (int i = 0; i < count; i++)
            memcpy(to[i].value, from[i].value, from[i].count * sizeof(float));
        from = vg_optimizer_state(of_a, &count);
        to = vg_optimizer_state(of_b, &count);
        for (int i = 0; i < count; i++)
            memcpy(to[i].value, from[i].value, from[i].count * sizeof(float));
        vg_optimizer_set_steps(of_b, vg_optimizer_steps(of_a));
        vg_optimizer_average(of_a, false);
        vg_optimizer_average(of_b, false);
        for (int i = 0; i < 3; i++) {
            gradients(a);
            vg_optimizer_step(of_a, 0.02);
            gradients(b);
            vg_optimizer_step(of_b, 0.02);
        }
        from = vg_model_params(a, &count);
        to = vg_model_params(b, &count);
        for (int i = 0; i < count; i++)
            assert_memory_equal(from[i].value, to[i].value, from[i].count * sizeof(float));
        vg_optimizer_free(of_a);
        vg_optimizer_free(of_b);
        vg_model_free(a);
        vg_model_free(b);
    }
}

/* Running statistics are averaged with the weights, and exchanged with them. */
static void test_averages_hold_running_statistics(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_model *m = model_of(SPEC("bn"), INPUTS, 1, 1, CLASSES, N);
    vg_optimizer_options options = sgd();
    options.ema = 0.5;
    vg_optimizer *o;
    assert_ok(vg_optimizer_new(m, &options, &o, &err));
    int count, at = 0;
    vg_param *p = vg_model_params(m, &count);
    while (at < count && !strstr(p[at].name, "running_mean"))
        at++;
    assert_true(at < count);
    gradients(m);
    p[at].value[0] = 0; /* what the averages begin with */
    for (int i = 0; i < 2; i++) {
        vg_optimizer_step(o, 0.01);
        p[at].value[0] = 1;
    }
    /* after the first step 0, after the second 1: a part of 1 - 3/12 of the way */
    vg_optimizer_average(o, true);
    assert_near((double)p[at].value[0], 0.75, 1e-6);
    vg_optimizer_average(o, true); /* nothing happens twice */
    assert_near((double)p[at].value[0], 0.75, 1e-6);
    vg_optimizer_average(o, false);
    assert_near((double)p[at].value[0], 1, 0);
    vg_optimizer_free(o);
    vg_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decays),
        cmocka_unit_test(test_muon),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_muon_of_large_matrices),
        cmocka_unit_test(test_goes_on_from_its_state),
        cmocka_unit_test(test_averages_hold_running_statistics),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
