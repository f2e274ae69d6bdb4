/* Initial weights: their deviations, and those that have a shape of their own. */
#include "test.h"

#include "nn_util.h"

#include <math.h>

static void test_initial_weights(void **state)
{
    (void)state;
    const struct {
        const char *word;
        double scale, deviation;
    } cases[] = {{"he", 0, sqrt(2.0 / 576)},
                 {"he_uniform", 0, sqrt(2.0 / 576)},
                 {"xavier", 0, sqrt(2.0 / (576 + 288))},
                 {"xavier_uniform", 0, sqrt(2.0 / (576 + 288))},
                 {"uniform", 0.05, 0.05 / sqrt(3)},
                 {"uniform", 0, 0},
                 {"lecun", 0, sqrt(1.0 / 576)},
                 {"lecun_uniform", 0, sqrt(1.0 / 576)},
                 {"normal", 0.02, 0.02},
                 {"orthogonal", 0, sqrt(1.0 / 576)},
                 {"zero", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        vg_net_spec spec = SPEC("conv 32 k3", "bn");
        vg_model_options o = {.channels = 64,
                              .height = 4,
                              .width = 4,
                              .classes = 3,
                              .max_batch = 1,
                              .init_scale = cases[i].scale};
        assert_ok(vg_init_parse(cases[i].word, &o.init, &err));
        assert_string_equal(vg_init_name(o.init), cases[i].word);
        vg_model *m;
        assert_ok(vg_model_new(&spec, &o, &m, &err));
        int count;
        vg_param *p = vg_model_params(m, &count);
        double squares = 0;
        for (size_t k = 0; k < p[0].count; k++)
            squares += (double)p[0].value[k] * (double)p[0].value[k];
        assert_near(sqrt(squares / (double)p[0].count), cases[i].deviation,
                    0.02 * cases[i].deviation);
        assert_true(p[1].value[0] == 0 && p[2].value[0] == 1 && p[3].value[0] == 0);
        assert_true(p[4].value[0] == 0 && p[5].value[0] == 1);
        vg_model_free(m);
        vg_net_spec_reset(&spec);
    }
    vg_error err;
    vg_init init;
    assert_int_equal(vg_init_parse("norm", &init, &err), VG_E_ARG);
    assert_contains(err.message, "he_uniform");
}

static const float *weights_of(vg_model **m, const char *words, int channels, const char *init)
{
    vg_error err = {0};
    vg_model_options o = {
        .channels = channels, .height = 4, .width = 4, .classes = 2, .max_batch = 1, .seed = 3};
    vg_net_spec spec = SPEC(words);
    int count;
    assert_ok(vg_init_parse(init, &o.init, &err));
    assert_ok(vg_model_new(&spec, &o, m, &err));
    vg_net_spec_reset(&spec);
    return vg_model_params(*m, &count)[0].value;
}

/* Rows of a wide matrix and columns of a tall one are orthogonal and of length 1. */
static void test_orthogonal_weights(void **state)
{
    (void)state;
    vg_model *m;
    for (int tall = 0; tall < 2; tall++) {
        const float *w = weights_of(&m, tall ? "conv 40 k3" : "conv 6 k3", 2, "orthogonal");
        size_t vectors = tall ? 18 : 6, length = tall ? 40 : 18;
        size_t next = tall ? 1 : 18, step = tall ? 18 : 1;
        for (size_t a = 0; a < vectors; a++)
            for (size_t b = 0; b <= a; b++) {
                double dot = 0;
                for (size_t j = 0; j < length; j++)
                    dot += (double)w[a * next + j * step] * (double)w[b * next + j * step];
                assert_near(dot, a == b, 1e-6);
            }
        vg_model_free(m);
    }
}

/* As nn.Conv2d and nn.Linear: kaiming_uniform with a = sqrt(5), which is U(-a, a) with a = 1 / sqrt(fan
 * in), and biases alike. */
static void test_weights_of_pytorch(void **state)
{
    (void)state;
    vg_model *m;
    weights_of(&m, "conv 512 k3", 7, "pytorch");
    int count;
    const vg_param *params = vg_model_params(m, &count);
    double limit = 1 / sqrt(63);
    for (int i = 0; i < 2; i++) {
        size_t n = params[i].count;
        double squares = 0, most = 0, sum = 0;
        assert_int_equal(n, i ? 512 : 512 * 63);
        for (size_t k = 0; k < n; k++) {
            double v = (double)params[i].value[k];
            most = fmax(most, fabs(v));
            squares += v * v;
            sum += v;
        }
        assert_true(most <= limit && most > 0.95 * limit);
        assert_near(sqrt(squares / (double)n), limit / sqrt(3), 0.05 * limit);
        assert_near(sum / (double)n, 0, 0.1 * limit);
    }
    vg_model_free(m);
}

/* As torch.nn.init.dirac_: with groups each of them hands its inputs on; the rest stays random. */
static void test_dirac_weights(void **state)
{
    (void)state;
    vg_model *m;
    float *x = random_floats(4 * 16, 9);
    weights_of(&m, "conv 6 k3 g2", 4, "dirac");
    vg_model_forward(m, x, 1, false, 0);
    const float *y = vg_model_activation(m, 0);
    for (int k = 0; k < 6; k++) { /* of each group's three outputs the first two */
        int from = k / 3 * 2 + k % 3;
        bool same = from < 4;
        for (int at = 0; same && at < 16; at++)
            same = y[6 * at + k] == x[16 * from + at];
        assert_int_equal(same, k % 3 < 2);
    }
    vg_model_free(m);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_orthogonal_weights),
        cmocka_unit_test(test_weights_of_pytorch),
        cmocka_unit_test(test_dirac_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
