/* A look at real small networks: layers, features, bad rows, order of batches. */
#include "test.h"

#include "nn_util.h"
#include "observe/measure.h"

#include <math.h>

enum { N = 50, C = 2, H = 9, W = 7, CLASSES = 3 };

static vg_model *small(void)
{
    return model_of(
        SPEC("conv 4 k3", "relu", "maxpool 2", "flatten", "dropout 0.5", "dense 12", "relu"), C, H,
        W, CLASSES, N);
}

static void look(vg_observer *o, vg_model *model, const float *x, int batch, vg_diversity *d)
{
    vg_error err;
    int32_t labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = i % CLASSES;
    vg_observer_begin(o);
    for (int at = 0; at < N; at += batch) {
        int n = batch < N - at ? batch : N - at;
        vg_model_forward(model, x + (size_t)at * C * H * W, n, false, 0);
        vg_observer_add(o, model, labels + at, n);
    }
    assert_ok(vg_observer_measure(o, d, &err));
}

/* Spread by its definition. */
static double spread_of(const float *h, size_t features)
{
    double total = 0, power = 0;
    for (size_t f = 0; f < features; f++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < N; i++)
            mean += (double)h[i * features + f] / N;
        for (size_t i = 0; i < N; i++) {
            double value = (double)h[i * features + f];
            squares += (value - mean) * (value - mean) / N;
            power += value * value / N;
        }
        total += squares;
    }
    return total / power;
}

static void every_layer_that_can_be_seen_is_measured(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int layer; /* whose activation it is */
        size_t features;
    } expected[] = {{"input", -1, C * H * W},
                    {"0.conv+relu", 1, 4 * H * W},
                    {"2.maxpool", 2, 4 * (H / 2) * (W / 2)},
                    {"3.flatten+dropout", 4, 4 * (H / 2) * (W / 2)},
                    {"5.dense+relu", 6, 12},
                    {"logits", 7, CLASSES}};
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_model *model = small();
    float *x = random_floats(N * C * H * W, 1);
    assert_ok(vg_observer_new(model, N, &o, &err));
    look(o, model, x, N, &d);
    assert_int_equal(d.layer_count, 6);
    assert_true(d.first_look);
    assert_int_equal(d.collapsed_layer, -1);
    vg_model_forward(model, x, N, false, 0);
    for (int i = 0; i < 6; i++) {
        const float *h = vg_model_activation(model, expected[i].layer);
        assert_string_equal(d.layers[i].name, expected[i].name);
        assert_near(d.layers[i].spread, spread_of(h, expected[i].features), 1e-9);
        assert_true(d.layers[i].level > 0);
    }
    double rank;
    assert_ok(vg_effective_rank(vg_model_activation(model, 6), N, 12, &rank, &err));
    assert_near(d.effective_rank, rank / (CLASSES - 1), 1e-12);
    const float *p = vg_observer_probabilities(o);
    for (int i = 0; i < N; i++)
        assert_near((double)(p[3 * i] + p[3 * i + 1] + p[3 * i + 2]), 1, 1e-6);
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

static void batches_do_not_matter(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity whole = {0}, parts = {0};
    vg_observer *o;
    vg_model *model = small();
    float *x = random_floats(N * C * H * W, 1);
    assert_ok(vg_observer_new(model, N, &o, &err));
    look(o, model, x, N, &whole);
    look(o, model, x, 7, &parts);
    assert_false(parts.first_look);
    assert_near(parts.output_change, 0, 1e-6);
    assert_near(parts.input_information, whole.input_information, 1e-6);
    assert_near(parts.effective_rank, whole.effective_rank, 1e-4);
    for (int i = 0; i < whole.layer_count; i++)
        assert_near(parts.layers[i].spread, whole.layers[i].spread, 1e-6);
    vg_diversity_reset(&whole);
    vg_diversity_reset(&parts);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

/* Weights of the dense layer to 0: all that follows is the same for every input. */
static void the_first_flat_layer_is_named(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_model *model = small();
    float *x = random_floats(N * C * H * W, 1);
    int count;
    vg_param *params = vg_model_params(model, &count);
    assert_ok(vg_observer_new(model, N, &o, &err));
    look(o, model, x, N, &d);
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < params[i].count; j++)
            if (!strcmp(params[i].name, "5.dense.weight"))
                params[i].value[j] = 0;
            else if (!strcmp(params[i].name, "5.dense.bias"))
                params[i].value[j] = 1;
    look(o, model, x, N, &d);
    assert_int_equal(d.collapsed_layer, 4);
    assert_string_equal(d.layers[4].name, "5.dense+relu");
    assert_true(d.layers[4].spread == 0 && d.layers[5].spread == 0);
    assert_near(d.layers[4].level, 1, 1e-6);
    assert_near(d.effective_rank, 0, 0);
    assert_near(d.input_information, 0, 1e-12);
    assert_true(d.output_change > 0.01 && d.output_change < 1);
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

static void bad_rows_count_as_nothing(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_model *model = model_of(SPEC("dense 12"), C, H, W, CLASSES, N);
    float *x = random_floats(N * C * H * W, 1);
    for (int i = 0; i < C * H * W; i++)
        x[4 * C * H * W + i] = NAN;
    assert_ok(vg_observer_new(model, N, &o, &err));
    look(o, model, x, 8, &d);
    assert_near(d.nonfinite_share, 1.0 / N, 1e-12);
    for (int i = 0; i < d.layer_count; i++)
        assert_true(isfinite(d.layers[i].spread) && isfinite(d.layers[i].level));
    assert_true(isfinite(d.effective_rank));
    const float *p = vg_observer_probabilities(o);
    assert_near((double)p[4 * CLASSES], 1.0 / 3, 1e-7);
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

static void two_classes_have_no_effective_rank(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_model *model = model_of(SPEC("dense 5"), 1, 2, 2, 2, 4);
    float *x = random_floats(16, 1);
    int32_t labels[4] = {0, 1, 0, 1};
    assert_ok(vg_observer_new(model, 4, &o, &err));
    vg_observer_begin(o);
    vg_model_forward(model, x, 4, false, 0);
    vg_observer_add(o, model, labels, 4);
    assert_ok(vg_observer_measure(o, &d, &err));
    assert_true(isnan(d.effective_rank));
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

/* Without a hidden layer the features are the input; fewer samples than announced are fine. */
static void a_head_alone_is_looked_at(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_net_spec empty = {0};
    vg_model *model = model_of(empty, 1, 2, 3, CLASSES, 8);
    float *x = random_floats(48, 1);
    int32_t labels[8] = {0, 1, 2, 0, 1, 2, 0, 1};
    double rank;
    assert_ok(vg_observer_new(model, 100, &o, &err));
    vg_observer_begin(o);
    vg_model_forward(model, x, 8, false, 0);
    vg_observer_add(o, model, labels, 8);
    assert_ok(vg_observer_measure(o, &d, &err));
    assert_int_equal(d.samples, 8);
    assert_int_equal(d.layer_count, 2);
    assert_ok(vg_effective_rank(x, 8, 6, &rank, &err));
    assert_near(d.effective_rank, rank / 2, 1e-12);
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_model_free(model);
    free(x);
}

static void wrong_use_is_told(void **state)
{
    (void)state;
    vg_error err;
    vg_diversity d = {0};
    vg_observer *o;
    vg_model *model = model_of(SPEC("dense 5"), 1, 2, 2, 2, 4);
    float *x = random_floats(16, 1);
    int32_t labels[4] = {0, 1, 0, 7};
    assert_int_equal(vg_observer_new(model, 0, &o, &err), VG_E_ARG);
    assert_null(o);
    assert_ok(vg_observer_new(model, 5, &o, &err));
    vg_observer_begin(o);
    assert_int_equal(vg_observer_measure(o, &d, &err), VG_E_ARG);
    assert_contains(err.message, "0 samples");
    vg_model_forward(model, x, 4, false, 0);
    vg_observer_add(o, model, labels, 4);
    assert_int_equal(vg_observer_measure(o, &d, &err), VG_E_ARG);
    assert_contains(err.message, "sample 3 has label 7");
    vg_observer_add(o, model, labels, 4);
    assert_int_equal(vg_observer_measure(o, &d, &err), VG_E_STATE);
    assert_contains(err.message, "8 samples were shown to an observer of 5");
    labels[3] = 1;
    vg_observer_begin(o);
    vg_observer_add(o, model, labels, 4);
    assert_ok(vg_observer_measure(o, &d, &err));
    vg_diversity_reset(&d);
    vg_observer_free(o);
    vg_observer_free(NULL);
    vg_model_free(model);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_that_can_be_seen_is_measured),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(the_first_flat_layer_is_named),
        cmocka_unit_test(bad_rows_count_as_nothing),
        cmocka_unit_test(two_classes_have_no_effective_rank),
        cmocka_unit_test(a_head_alone_is_looked_at),
        cmocka_unit_test(wrong_use_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
