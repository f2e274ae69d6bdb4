/* Tests of fine-tuning in a run: initial weights from a file, frozen parameters, batch norms that keep their statistics. */
#include "make_idx.h"

#include "nn_util.h"

#include "checkpoint.h"
#include "run.h"

#include <math.h>

enum { CLASSES = 4, SIZE = 16 };

static const size_t train_counts[CLASSES] = {90, 80, 70, 60},
                    test_counts[CLASSES] = {40, 40, 40, 40};
static vg_dataset *dataset;
static char *folder, *first, *second;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, CLASSES, SIZE);
    first = vg_path_join(folder, "first.safetensors");
    second = vg_path_join(folder, "second.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    free(first);
    free(second);
    return 0;
}

static vg_run_options job(int epochs)
{
    vg_error err = {0};
    vg_run_options options = vg_run_options_default();
    const char *const layers[] = {"conv 8 k3", "bn", "relu", "maxpool 2", "dense 24", "relu"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
    options.epochs = epochs;
    options.batch = 20;
    return options;
}

static void train(vg_run_options *options, const char *weights, vg_run_result *result)
{
    vg_error err = {0};
    options->checkpoint = weights;
    assert_ok(vg_run(dataset, options, NULL, result, &err));
}

/* How many parameters of two files differ, of the layers whose names begin with `layer`. */
static int differing(const char *a, const char *b, const char *layer, int *count)
{
    vg_error err = {0};
    vg_checkpoint about, other;
    vg_model *m, *n;
    int params, found = 0;
    assert_ok(vg_checkpoint_load(a, 1, &about, &m, &err));
    assert_ok(vg_checkpoint_load(b, 1, &other, &n, &err));
    const vg_param *p = vg_model_params(m, &params), *q = vg_model_params(n, &params);
    *count = 0;
    for (int i = 0; i < params; i++) {
        if (strncmp(p[i].name, layer, strlen(layer)) != 0)
            continue;
        ++*count;
        found += memcmp(p[i].value, q[i].value, p[i].count * sizeof(float)) != 0;
    }
    vg_checkpoint_reset(&about);
    vg_checkpoint_reset(&other);
    vg_model_free(m);
    vg_model_free(n);
    return found;
}

static void test_goes_on_from_weights(void **state)
{
    (void)state;
    vg_run_options options = job(3), again = job(1);
    vg_run_result before, after;
    train(&options, first, &before);
    again.init_from = first;
    again.seed = 9;
    train(&again, second, &after);
    double there = before.epochs[3].diversity.loss, here = after.epochs[0].diversity.loss;
    assert_near(here, there, 1e-9); /* the same net on the same probe */
    assert_true(here < 0.8 * before.epochs[0].diversity.loss);
    vg_run_result_reset(&before);
    vg_run_result_reset(&after);
    vg_run_options_reset(&options);
    vg_run_options_reset(&again);
}

static void test_frozen_body(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1);
    vg_run_result result;
    int count;
    train(&options, first, &result);
    vg_run_result_reset(&result);
    options.init_from = first;
    options.epochs = 2;
    assert_ok(vg_param_rules_add(&options.freeze, "body", 0, &err));
    train(&options, second, &result);
    assert_int_equal(differing(first, second, "0.conv", &count), 0);
    assert_int_equal(differing(first, second, "1.bn", &count), 0); /* statistics as well */
    assert_int_equal(count, 4);
    assert_int_equal(differing(first, second, "4.dense", &count), 0);
    assert_int_equal(differing(first, second, "6.dense", &count), 2);
    vg_run_result_reset(&result);
    options.freeze_epochs = 1; /* thawed in the second */
    train(&options, second, &result);
    assert_int_equal(differing(first, second, "0.conv", &count), 2);
    assert_int_equal(differing(first, second, "1.bn", &count), 4);
    vg_run_result_reset(&result);
    options.freeze = (vg_param_rules){0};
    options.freeze_epochs = 0;
    assert_ok(vg_param_rules_add(&options.freeze, "*.conv.*", 0, &err));
    train(&options, second, &result);
    assert_int_equal(differing(first, second, "0.conv", &count), 0);
    assert_int_equal(differing(first, second, "1.bn", &count), 4);
    vg_run_result_reset(&result);
    assert_ok(vg_param_rules_add(&options.freeze, "7.conv", 0, &err));
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    assert_contains(err.message, "freeze: no parameter of this network is called \"7.conv\"");
    vg_run_options_reset(&options);
}

/* A held batch norm trains as it evaluates, and its gradient is that of a fixed affine map. */
static void test_held_batch_norm(void **state)
{
    (void)state;
    enum { N = 4, C = 3, HW = 5 * 4, IN = C * HW, CLASSES_HERE = 2 };
    vg_model *m = model_of(SPEC("bn"), C, 5, 4, CLASSES_HERE, N);
    float *x = random_floats((size_t)N * IN, 1), *d = random_floats((size_t)N * CLASSES_HERE, 2);
    float dx[N * IN], kept[N * CLASSES_HERE], statistics[2 * C];
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (int k = 0; k < C; k++) {
        p[0].value[k] = 1.5f - (float)k;
        p[1].value[k] = 0.3f * (float)k;
        statistics[k] = p[2].value[k] = 0.2f * (float)k;
        statistics[C + k] = p[3].value[k] = 0.5f + (float)k;
    }
    memcpy(kept, vg_model_forward(m, x, N, false, 0), sizeof kept);
    vg_model_hold_statistics(m, 0, true);
    const float *z = vg_model_forward(m, x, N, true, 0);
    assert_memory_equal(kept, z, sizeof kept);
    vg_model_backward(m, d, dx);
    assert_memory_equal(statistics, p[2].value, C * sizeof(float));
    assert_memory_equal(statistics + C, p[3].value, C * sizeof(float));
    for (int i = 0; i < N * IN; i += 7) {
        float was = x[i];
        double sides[2];
        for (int s = 0; s < 2; s++) {
            x[i] = was + (s ? 0.01f : -0.01f);
            z = vg_model_forward(m, x, N, true, 0);
            sides[s] = 0;
            for (int k = 0; k < N * CLASSES_HERE; k++)
                sides[s] += (double)z[k] * (double)d[k];
        }
        x[i] = was;
        assert_near((double)dx[i], (sides[1] - sides[0]) / 0.02, 2e-3);
    }
    vg_model_hold_statistics(m, 0, false);
    vg_model_forward(m, x, N, true, 0);
    assert_memory_not_equal(statistics, p[2].value, C * sizeof(float));
    free(x);
    free(d);
    vg_model_free(m);
}

/* Gradients of what is trained do not change by what is not; nothing is written of the latter. Which
 * parameters: bits of a number, each pattern another one; 0: the head alone. */
static void test_frozen_gradients(void **state)
{
    (void)state;
    enum { N = 9, C = 3, SIDE = 12, IN = C * SIDE * SIDE, PATTERNS = 12 };
    float *x = random_floats((size_t)N * IN, 1), *d = random_floats((size_t)N * CLASSES, 2);
    float *all_dx = malloc((size_t)N * IN * sizeof *all_dx),
          *dx = malloc((size_t)N * IN * sizeof *dx);
    for (int pattern = 0; pattern < PATTERNS; pattern++) {
        vg_model *m[2];
        vg_param *p[2];
        int count = 0;
        for (int i = 0; i < 2; i++) {
            m[i] = model_of(SPEC("conv 16 k3", "bn", "relu as a", "conv 16 k3 g16", "bn", "relu",
                                 "conv 16 k3", "prelu", "add a", "maxpool 2", "conv 12 k3 s2 g2",
                                 "groupnorm 3", "relu", "dense 20", "relu"),
                            C, SIDE, SIDE, CLASSES, N);
            p[i] = vg_model_params(m[i], &count);
        }
        for (int k = 0; k < count; k++) {
            if (pattern == 0 ? k + 2 < count : (k * 7 + k * k * pattern) % 5 < 3)
                p[1][k].rate = 0;
            for (size_t v = 0; p[1][k].grad && v < p[1][k].count; v++)
                p[1][k].grad[v] = NAN;
        }
        bool picture = pattern % 2, below = picture; /* anything to do before the head */
        for (int k = 0; k + 2 < count; k++)
            below |= p[1][k].trainable && p[1][k].rate > 0;
        for (int i = 0; i < 2; i++) {
            vg_model_forward(m[i], x, N, true, 0);
            vg_model_backward(m[i], d, !picture ? NULL : i ? dx : all_dx);
        }
        if (picture)
            assert_memory_equal(dx, all_dx, (size_t)N * IN * sizeof *dx);
        for (int k = 0; k < count; k++) {
            if (!p[1][k].grad || p[1][k].rate == 0)
                continue;
            assert_memory_equal(p[0][k].grad, p[1][k].grad, p[0][k].count * sizeof(float));
        }
        const bool own = p[1][0].rate > 0;
        const float *own_grad = p[1][0].grad;
        assert_non_null(own_grad);
        assert_true(own_grad && own != isnan(own_grad[0]));
        assert_int_equal(vg_model_backward_products(m[0], 0), picture ? 2 : 1);
        assert_int_equal(vg_model_backward_products(m[1], 0), (picture ? 1 : 0) + (own ? 1 : 0));
        assert_int_equal(vg_model_backward_products(m[0], 6), 2);
        assert_int_equal(vg_model_backward_products(m[1], vg_model_layers(m[1]) - 1),
                         (below ? 1 : 0) + (p[1][count - 2].rate > 0 ? 1 : 0));
        if (pattern == 0) /* nothing before the head */
            for (int layer = 0; layer + 1 < vg_model_layers(m[1]); layer++)
                assert_int_equal(vg_model_backward_products(m[1], layer), 0);
        for (int i = 0; i < 2; i++)
            vg_model_free(m[i]);
    }
    free(x), free(d), free(dx), free(all_dx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frozen_gradients),
        cmocka_unit_test(test_goes_on_from_weights),
        cmocka_unit_test(test_frozen_body),
        cmocka_unit_test(test_held_batch_norm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
