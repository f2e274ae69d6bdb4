/* Tests of nn/model.h: shapes, errors, memory, and every backward pass against finite differences. */
#include "test.h"

#include "nn_util.h"

#include "nn/loss.h"
#include "observe/diversity.h"

#include <math.h>

static double objective(vg_model *m, const float *x, int n, const float *c, int classes)
{
    const float *z = vg_model_forward(m, x, n, true, 3);
    double sum = 0;
    for (int i = 0; i < n * classes; i++)
        sum += (double)z[i] * (double)c[i];
    return sum;
}

/* Central difference at one place. */
static double difference(vg_model *m, float *place, float eps, const float *x, int n,
                         const float *c, int classes)
{
    float old = *place;
    *place = old + eps;
    double up = objective(m, x, n, c, classes), high = (double)*place;
    *place = old - eps;
    double down = objective(m, x, n, c, classes), low = (double)*place;
    *place = old;
    return (up - down) / (high - low);
}

/* Compares `analytic` with central differences at up to 60 places of `value`. A small step avoids
 * the kinks of ReLU and maximum, a large one rounding: one of them must agree. */
static void check_array(vg_model *m, const char *name, float *value, const float *analytic,
                        size_t count, const float *x, int n, const float *c, int classes)
{
    double largest = 0.1;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)analytic[i]));
    size_t places = count < 60 ? count : 60;
    int wrong = 0;
    for (size_t k = 0; k < places; k++) {
        size_t at = count * k / places;
        double want = (double)analytic[at], off = INFINITY, numeric = 0;
        static const float steps[] = {8e-3f, 2e-3f, 5e-4f};
        for (int trial = 0; trial < 3 && off > 0.01 * largest; trial++) {
            numeric = difference(m, value + at, steps[trial], x, n, c, classes);
            off = fabs(numeric - want);
        }
        if (off > 0.01 * largest) {
            print_error("%s[%zu]: numeric %g, analytic %g\n", name, at, numeric, want);
            wrong++;
        }
    }
    /* a kink may lie within every step; a wrong formula is wrong everywhere */
    assert_true(wrong <= 1 + (int)places / 20);
}

static void check_net(vg_net_spec spec, int c, int h, int w, int n)
{
    enum { CLASSES = 3 };
    vg_model *m = model_of(spec, c, h, w, CLASSES, n + 2);
    size_t inputs = (size_t)n * (size_t)(c * h * w);
    float *x = random_floats(inputs, 11), *coefficients = random_floats((size_t)n * CLASSES, 12);
    float *dx = random_floats(inputs, 13);
    int count;
    vg_param *params = vg_model_params(m, &count);
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int i = 0; i < count; i++) /* biases and batch norm away from their special values */
        if (params[i].trainable && params[i].dims == 1)
            for (size_t k = 0; k < params[i].count; k++)
                params[i].value[k] += (float)vg_rng_uniform(&rng, -0.3, 0.3);
    objective(m, x, n, coefficients, CLASSES);
    vg_model_backward(m, coefficients, dx);
    for (int i = 0; i < count; i++) {
        if (!params[i].trainable) {
            assert_null(params[i].grad);
            continue;
        }
        float *grad = random_floats(params[i].count, 14);
        memcpy(grad, params[i].grad, params[i].count * sizeof *grad);
        check_array(m, params[i].name, params[i].value, grad, params[i].count, x, n, coefficients,
                    CLASSES);
        free(grad);
    }
    check_array(m, "dx", x, dx, inputs, x, n, coefficients, CLASSES);
    free(x);
    free(coefficients);
    free(dx);
    vg_model_free(m);
}

static void test_gradients_head(void **state)
{
    (void)state;
    check_net((vg_net_spec){0}, 2, 3, 4, 5);
    check_net(SPEC("flatten"), 2, 3, 4, 5);
}

static void test_gradients_dense(void **state)
{
    (void)state;
    check_net(SPEC("dense 7"), 2, 3, 4, 5);
    check_net(SPEC("dense 70 nobias", "relu", "flatten", "dense 40"), 3, 5, 5, 9);
}

static void test_gradients_conv(void **state)
{
    (void)state;
    check_net(SPEC("conv 4 k3"), 2, 6, 5, 5);
    check_net(SPEC("conv 4 k3 p0 nobias"), 2, 6, 5, 5);
    check_net(SPEC("conv 3 k3 s2"), 2, 7, 6, 3);
    check_net(SPEC("conv 3 k5 s2 p1"), 1, 9, 8, 11);
    check_net(SPEC("conv 3 k2 s3 p1"), 2, 7, 7, 4);
    check_net(SPEC("conv 5 k1"), 3, 4, 4, 6);
    check_net(SPEC("conv 4 k4 s1 p3", "conv 3 k3 p0"), 1, 5, 6, 9);
}

static void test_gradients_batchnorm(void **state)
{
    (void)state;
    check_net(SPEC("bn"), 3, 4, 4, 9);
    check_net(SPEC("conv 4 k3 nobias", "bn"), 2, 5, 5, 6);
    check_net(SPEC("dense 6", "bn", "dense 4"), 2, 3, 3, 12);
    check_net(SPEC("bn", "bn"), 2, 3, 3, 12);
}

static void test_gradients_relu(void **state)
{
    (void)state;
    check_net(SPEC("relu"), 2, 4, 4, 5);
    check_net(SPEC("conv 4 k3", "relu"), 2, 4, 4, 5);
    check_net(SPEC("conv 4 k3", "bn", "relu", "relu"), 2, 4, 4, 5);
}

static void test_gradients_pools(void **state)
{
    (void)state;
    check_net(SPEC("maxpool 2"), 2, 5, 7, 4);
    check_net(SPEC("maxpool 3 s2"), 2, 7, 7, 4);
    check_net(SPEC("avgpool 2"), 2, 5, 7, 4);
    check_net(SPEC("avgpool 3 s1"), 2, 5, 6, 4);
    check_net(SPEC("maxpool 3 s2 p1", "avgpool 2 s1 p1"), 2, 7, 6, 4);
    check_net(SPEC("maxpool 2 p1"), 2, 4, 5, 4);
    /* wide enough for the convolutions to make the pools' gradients themselves */
    check_net(SPEC("conv 17 k3", "relu", "maxpool 2", "conv 20 k3 p0", "maxpool 3", "relu"), 2, 15,
              14, 3);
    check_net(SPEC("conv 16 k2 p0 s2", "relu", "maxpool 2"), 2, 15, 14, 3);
    check_net(SPEC("globalmax"), 5, 5, 6, 4);
    check_net(SPEC("globalpool"), 5, 5, 6, 4);
    check_net(SPEC("conv 6 k3", "globalpool"), 2, 5, 6, 9);
}

static void test_gradients_dropout(void **state)
{
    (void)state;
    check_net(SPEC("dropout 0.5"), 2, 4, 4, 5);
    check_net(SPEC("dense 30", "relu", "dropout 0.3", "dense 10"), 2, 4, 4, 5);
    check_net(SPEC("conv 4 k3", "dropout 0.2", "maxpool 2"), 2, 4, 4, 5);
    check_net(SPEC("conv 9 k3", "spatialdropout 0.3"), 2, 4, 4, 5);
}

static void test_gradients_groups_and_dilation(void **state)
{
    (void)state;
    check_net(SPEC("conv 6 k3 g3"), 3, 6, 5, 5);
    check_net(SPEC("conv 8 k3 s2 g2 nobias"), 4, 7, 6, 9);
    check_net(SPEC("conv 3 k3 d2", "conv 40 k1", "conv 40 k3 d2 s2 p3 g2"), 2, 8, 7, 5);
}

static void test_gradients_norms(void **state)
{
    (void)state;
    check_net(SPEC("groupnorm 2"), 4, 3, 3, 9);
    check_net(SPEC("conv 6 k3", "groupnorm 3", "relu"), 2, 5, 5, 6);
    check_net(SPEC("layernorm", "conv 3 k3"), 2, 4, 5, 6);
    check_net(SPEC("dense 6", "layernorm", "relu", "dense 4"), 2, 3, 3, 12);
    check_net(SPEC("bn m0.4 e1e-3 noscale", "relu"), 3, 4, 4, 9);
}

static void test_gradients_activations(void **state)
{
    (void)state;
    static const char *const all[] = {"leaky", "prelu",     "prelu channels", "elu 0.5", "selu",
                                      "gelu",  "silu",      "gelu tanh",      "sigmoid", "tanh",
                                      "exp",   "linear -2", "softmax"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        check_net(SPEC("conv 4 k3", all[i], "dropout 0.2", "dense 5", all[i], "relu"), 2, 4, 4, 5);
}

static void test_gradients_joins(void **state)
{
    (void)state;
    check_net(SPEC("add input"), 2, 4, 4, 5);
    check_net(SPEC("conv 2 k3", "add input", "relu"), 2, 4, 4, 5);
    check_net(SPEC("relu as x", "add x", "concat x"), 2, 4, 4, 5);
    check_net(SPEC("conv 4 k3", "relu", "flatten as x", "add x"), 2, 4, 4, 5);
    /* a sum after a ReLU must leave the ReLU's output alone */
    check_net(SPEC("conv 2 k3 as x", "conv 2 k3", "relu", "add x", "sigmoid"), 2, 4, 4, 5);
    check_net(SPEC("conv 4 k3", "relu as x", "conv 6 k3 s2 nobias", "bn", "relu",
                   "conv 6 k3 nobias", "bn as y", "conv 6 k1 s2 nobias from x", "bn", "add y",
                   "relu", "globalpool"),
              2, 6, 6, 9);
    check_net(
        SPEC("dense 6 as x", "dense 6", "relu as y", "dense 6 from x", "tanh", "add y", "concat x"),
        2, 3, 3, 9);
}

static void test_gradients_whole_nets(void **state)
{
    (void)state;
    check_net(SPEC("conv 6 k3 nobias", "bn", "relu", "maxpool 2", "conv 8 k3 nobias", "bn", "relu",
                   "globalpool"),
              3, 8, 8, 10);
    check_net(SPEC("conv 6 k5 p0", "relu", "maxpool 2", "dropout 0.25", "dense 20", "relu"), 1, 10,
              12, 17);
}

/* The masks are half zeros, differ by step and layer, and are repeated for the same step. */
static void test_dropout_masks(void **state)
{
    (void)state;
    enum { N = 10, SIZE = 400 };
    vg_model *m = model_of(SPEC("dropout 0.25", "dropout 0"), 1, 20, 20, 2, N);
    float *x = malloc(N * SIZE * sizeof *x), *first = malloc(N * SIZE * sizeof *x);
    for (int i = 0; i < N * SIZE; i++)
        x[i] = 1;
    vg_model_forward(m, x, N, true, 1);
    memcpy(first, vg_model_activation(m, 0), N * SIZE * sizeof *x);
    int zeros = 0, differ = 0;
    for (int i = 0; i < N * SIZE; i++) {
        zeros += first[i] == 0;
        if (first[i] != 0)
            assert_near((double)first[i], 4.0 / 3, 1e-6);
    }
    assert_near(zeros / (double)(N * SIZE), 0.25, 0.03);
    vg_model_forward(m, x, N, true, 2);
    for (int i = 0; i < N * SIZE; i++)
        differ += (first[i] == 0) != (vg_model_activation(m, 0)[i] == 0);
    assert_true(differ > N * SIZE / 4);
    vg_model_forward(m, x, N, true, 1);
    assert_memory_equal(first, vg_model_activation(m, 0), N * SIZE * sizeof *x);
    vg_model_forward(m, x, N, false, 1);
    assert_memory_equal(x, vg_model_activation(m, 1), N * SIZE * sizeof *x);
    free(x);
    free(first);
    vg_model_free(m);
}

static void test_shape_errors_name_the_layer(void **state)
{
    (void)state;
    vg_model_options o = {.channels = 1, .height = 8, .width = 8, .classes = 10, .max_batch = 4};
    vg_error err;
    vg_model *m;
    vg_net_spec spec = SPEC("conv 4 k3", "maxpool 2", "maxpool 3", "maxpool 2");
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_SHAPE);
    assert_null(m);
    assert_contains(err.message, "3.maxpool");
    assert_contains(err.message, "1x1");
    vg_net_spec_reset(&spec);
    spec = SPEC("conv 65536 k1", "conv 1 k255"); /* 65536 * 255 * 255 is no int */
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_SHAPE);
    assert_contains(err.message, "1.conv");
    assert_contains(err.message, "65536 channels");
    vg_net_spec_reset(&spec);
    spec = SPEC("relu", "conv 4 k9 p0");
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_SHAPE);
    assert_contains(err.message, "1.conv");
    vg_net_spec_reset(&spec);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    const vg_model_options good = {
        .channels = 1, .height = 8, .width = 8, .classes = 10, .max_batch = 4};
    vg_net_spec spec = {0};
    vg_error err;
    vg_model *m;
    vg_model_options o = good;
    o.classes = 1;
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_ARG);
    assert_contains(err.message, "1 classes");
    o = good;
    o.max_batch = 0;
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_ARG);
    assert_contains(err.message, "batch");
    o = good;
    o.width = 0;
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_ARG);
    assert_contains(err.message, "input");
    o = good;
    o.channels = 4096;
    o.height = o.width = 16384;
    o.max_batch = 1 << 20;
    spec = SPEC("relu");
    assert_int_not_equal(vg_model_new(&spec, &o, &m, &err), VG_OK);
    vg_net_spec_reset(&spec);
}

static void test_description(void **state)
{
    (void)state;
    vg_model *m = model_of(SPEC("conv 6 k5", "relu", "maxpool 2", "conv 16 k5 p0", "relu",
                                "maxpool 2", "dense 120", "relu", "dense 84", "relu"),
                           1, 28, 28, 10, 2);
    /* LeNet's known figures: 61,706 parameters, 0.4165 M multiply-adds. */
    assert_int_equal(vg_model_parameter_count(m), 61706);
    uint64_t macs = 0;
    for (int i = 0; i < vg_model_layers(m); i++)
        macs += vg_model_layer(m, i)->macs;
    assert_int_equal(macs, 416520);
    assert_int_equal(vg_model_layers(m), 11);
    assert_string_equal(vg_model_layer(m, 3)->name, "3.conv");
    assert_int_equal(vg_model_layer(m, 3)->height, 10);
    assert_int_equal(vg_model_feature_layer(m), 9);
    assert_int_equal(vg_model_classes(m), 10);
    int count;
    vg_param *p = vg_model_params(m, &count);
    assert_int_equal(count, 10);
    assert_string_equal(p[0].name, "0.conv.weight");
    assert_int_equal(p[0].shape[3], 5);
    assert_true(p[0].decay && !p[1].decay);
    assert_string_equal(p[9].name, "10.dense.bias");
    vg_model_free(m);
}

/* A NaN in the input must reach the logits: it is a finding, not something to hide. */
static void test_nan_is_not_hidden(void **state)
{
    (void)state;
    vg_model *m = model_of(SPEC("conv 4 k3", "relu", "maxpool 2", "relu"), 1, 6, 6, 3, 2);
    float *x = random_floats(2 * 36, 1);
    x[10] = NAN;
    const float *z = vg_model_forward(m, x, 2, false, 0);
    assert_true(isnan((double)z[0]));
    assert_false(isnan((double)z[3]));
    free(x);
    vg_model_free(m);
}

/* A head that the list brings, with softmax or sigmoid behind it, learns as the same net without does: the loss takes
 * its probabilities. The observer sees the same logits. */
static void test_written_heads(void **state)
{
    (void)state;
    enum { N = 6, K = 4, INPUTS = 2 * 5 * 5 };
    const char *const ends[] = {"softmax", "sigmoid"};
    const int32_t labels[N] = {0, 3, 1, 2, 2, 0};
    const vg_label_pairs pairs = {labels, labels, 1};
    float *x = random_floats(N * INPUTS, 3), d[N * K];
    for (int end = 0; end < 2; end++) {
        vg_error err = {0};
        vg_loss_options o = vg_loss_options_default();
        o.kind = end ? VG_LOSS_SIGMOID : VG_LOSS_SOFTMAX;
        double losses[2], information[2];
        float *gradients[2];
        for (int written = 0; written < 2; written++) {
            vg_model *m = written ? model_of(SPEC("conv 3 k3", "relu", "dense classes", ends[end]),
                                             2, 5, 5, K, N)
                                  : model_of(SPEC("conv 3 k3", "relu"), 2, 5, 5, K, N);
            int last = vg_model_layers(m) - 1;
            assert_int_equal(vg_model_head(m), 2);
            assert_int_equal(vg_model_feature_layer(m), 1);
            assert_int_equal(last, 2 + written);
            const vg_loss_setup setup = {
                .classes = K, .max_batch = N, .last = vg_model_layer(m, last)->kind};
            vg_loss *loss;
            assert_ok(vg_loss_new(&o, &setup, &loss, &err));
            losses[written] =
                vg_loss_batch(loss, vg_model_forward(m, x, N, true, 0), &pairs, N, d).loss;
            vg_model_backward(m, d, NULL);
            int count, at = 0;
            vg_param *p = vg_model_params(m, &count);
            gradients[written] = calloc(vg_model_parameter_count(m), sizeof(float));
            for (int i = 0; i < count; i++) {
                memcpy(gradients[written] + at, p[i].grad, p[i].count * sizeof(float));
                at += (int)p[i].count;
            }
            for (int i = 0; written && i < at; i++)
                assert_near((double)gradients[1][i], (double)gradients[0][i],
                            1e-5 * (1 + fabs((double)gradients[0][i])));
            vg_observer *observer;
            vg_diversity seen = {0};
            assert_ok(vg_observer_new(m, N, &observer, &err));
            vg_observer_begin(observer);
            vg_model_forward(m, x, N, false, 0);
            vg_observer_add(observer, m, labels, N);
            assert_ok(vg_observer_measure(observer, &seen, &err));
            information[written] = seen.input_information;
            assert_string_equal(seen.layers[seen.layer_count - 1].name,
                                written ? (end ? "3.sigmoid" : "3.softmax") : "logits");
            vg_diversity_reset(&seen);
            vg_observer_free(observer);
            vg_loss_free(loss);
            vg_model_free(m);
        }
        assert_near(losses[0], losses[1], 1e-5);
        assert_near(information[0], information[1], 1e-5);
        free(gradients[0]);
        free(gradients[1]);
    }
    free(x);
    vg_model_options options = {
        .channels = 1, .height = 4, .width = 4, .classes = 2, .max_batch = 1};
    vg_model *m = NULL;
    vg_error err = {0};
    vg_net_spec spec = SPEC("dense classes", "relu");
    assert_int_equal(vg_model_new(&spec, &options, &m, &err), VG_E_ARG);
    assert_contains(err.message, "layer 1 (relu)");
    vg_net_spec_reset(&spec);
    spec = SPEC("dense classes as x", "softmax from x", "dense classes");
    assert_int_equal(vg_model_new(&spec, &options, &m, &err), VG_E_ARG);
    vg_net_spec_reset(&spec);
    char words[96];
    spec = SPEC("dense classes nobias");
    vg_layer_print(&spec.layers[0], words, sizeof words);
    assert_string_equal(words, "dense classes nobias");
    vg_net_spec_reset(&spec);
}

static void test_cosine(void **state)
{
    (void)state;
    check_net(SPEC("flatten", "cosine classes"), 2, 3, 3, 5);
    check_net(SPEC("dense 20", "cosine classes", "linear 5"), 2, 4, 4, 17);
    check_net(SPEC("conv 6 k3", "globalpool", "cosine 5"), 2, 4, 4, 9);
    /* by its definition, and whatever the lengths */
    enum { N = 3, D = 8, K = 3 };
    vg_error err = {0};
    vg_model *m = model_of(SPEC("cosine classes"), D, 1, 1, K, N);
    int count;
    vg_param *p = vg_model_params(m, &count);
    assert_int_equal(count, 1);
    float *x = random_floats(N * D, 4);
    memset(x + 2 * D, 0, D * sizeof *x); /* no direction: 0 */
    for (int stretched = 0; stretched < 2; stretched++) {
        const float *y = vg_model_forward(m, x, N, false, 0), *w = p[0].value;
        for (int i = 0; i < N; i++)
            for (int k = 0; k < K; k++) {
                double xw = 0, xx = 0, ww = 0;
                for (int c = 0; c < D; c++) {
                    xw += (double)x[i * D + c] * (double)w[k * D + c];
                    xx += (double)x[i * D + c] * (double)x[i * D + c];
                    ww += (double)w[k * D + c] * (double)w[k * D + c];
                }
                assert_near((double)y[i * K + k], xx > 0 ? xw / sqrt(xx * ww) : 0, 1e-6);
            }
        for (int c = 0; c < D; c++) {
            x[c] *= 100;
            p[0].value[c] *= 0.01f;
        }
    }
    free(x);
    vg_model_free(m);
    vg_model_options options = {
        .channels = 1, .height = 4, .width = 4, .classes = 2, .max_batch = 1};
    m = NULL;
    vg_net_spec spec = SPEC("cosine classes");
    assert_int_equal(vg_model_new(&spec, &options, &m, &err), VG_E_SHAPE);
    assert_contains(err.message, "flatten or globalpool");
    assert_int_equal(vg_net_spec_add(&spec, "cosine 5 nobias", &err), VG_E_ARG);
    vg_net_spec_reset(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_head),
        cmocka_unit_test(test_gradients_dense),
        cmocka_unit_test(test_gradients_conv),
        cmocka_unit_test(test_gradients_batchnorm),
        cmocka_unit_test(test_gradients_relu),
        cmocka_unit_test(test_gradients_pools),
        cmocka_unit_test(test_gradients_dropout),
        cmocka_unit_test(test_gradients_groups_and_dilation),
        cmocka_unit_test(test_gradients_norms),
        cmocka_unit_test(test_gradients_activations),
        cmocka_unit_test(test_gradients_joins),
        cmocka_unit_test(test_gradients_whole_nets),
        cmocka_unit_test(test_dropout_masks),
        cmocka_unit_test(test_shape_errors_name_the_layer),
        cmocka_unit_test(test_options_are_checked),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_nan_is_not_hidden),
        cmocka_unit_test(test_written_heads),
        cmocka_unit_test(test_cosine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
