/* Tests of optim/optimizer.h; the steps against PyTorch are in test_golden.c. */
#include "test.h"

#include "nn_util.h"

#include "optim/optimizer.h"

#include <math.h>

/* One step on a head of 3 inputs with all weights 1 and all gradients g; its first weight. */
static double first_weight(vg_optimizer_options o, float g, double rate, int steps, double *norm)
{
    vg_error err = {0};
    vg_model *m = model_of((vg_net_spec){0}, 3, 1, 1, 2, 1);
    vg_optimizer *optimizer;
    assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < p[i].count; k++) {
            p[i].value[k] = 1;
            p[i].grad[k] = g;
        }
    for (int i = 0; i < steps; i++)
        *norm = vg_optimizer_step(optimizer, rate);
    assert_int_equal(vg_optimizer_steps(optimizer), steps);
    double w = (double)p[0].value[0], bias = (double)p[1].value[0];
    if (o.weight_decay > 0 && g == 0)
        assert_true(bias == 1); /* never decayed */
    vg_optimizer_free(optimizer);
    vg_model_free(m);
    return w;
}

static void test_sgd(void **state)
{
    (void)state;
    vg_optimizer_options o = {.kind = VG_OPTIMIZER_SGD};
    double norm;
    assert_near(first_weight(o, 0.5f, 0.1, 1, &norm), 0.95, 1e-6);
    assert_near(norm, 0.5 * sqrt(8), 1e-6);
    o.momentum = 0.9; /* second step: 0.9 x 0.5 + 0.5 */
    assert_near(first_weight(o, 0.5f, 0.1, 2, &norm), 1 - 0.05 - 0.095, 1e-6);
    o.nesterov = true;
    assert_near(first_weight(o, 0.5f, 0.1, 1, &norm), 1 - 0.1 * 0.95, 1e-6);
    o = (vg_optimizer_options){.kind = VG_OPTIMIZER_SGD, .weight_decay = 0.2};
    assert_near(first_weight(o, 0, 0.1, 1, &norm), 0.98, 1e-6);
}

static void test_adam(void **state)
{
    (void)state;
    vg_optimizer_options o = vg_optimizer_options_default();
    double norm;
    o.kind = VG_OPTIMIZER_ADAM;
    o.weight_decay = 0; /* the first step is one rate long, whatever the gradient */
    assert_near(first_weight(o, 0.5f, 0.1, 1, &norm), 0.9, 1e-6);
    assert_near(first_weight(o, -7, 0.1, 1, &norm), 1.1, 1e-6);
    o.kind = VG_OPTIMIZER_ADAMW;
    o.weight_decay = 0.5;
    assert_near(first_weight(o, 0, 0.1, 1, &norm), 0.95, 1e-6);
    o.kind = VG_OPTIMIZER_ADAM; /* L2 goes through the moments */
    assert_near(first_weight(o, 0, 0.1, 1, &norm), 0.9, 1e-6);
}

/* Three steps on a weight of 1 with a gradient of 0.5 and decay 0.1: torch.optim.RMSprop(lr=0.1,
 * alpha=0.99) without and with momentum 0.9, Adagrad(lr=0.1, eps=1e-8) of PyTorch 2. */
static void test_against_pytorch(void **state)
{
    (void)state;
    vg_optimizer_options o = {
        .kind = VG_OPTIMIZER_RMSPROP, .beta2 = 0.99, .epsilon = 1e-8, .weight_decay = 0.1};
    double norm;
    assert_near(first_weight(o, 0.5f, 0.1, 3, &norm), -1.132307973, 2e-6);
    o.momentum = 0.9;
    assert_near(first_weight(o, 0.5f, 0.1, 3, &norm), -3.33750056, 2e-6);
    o.kind = VG_OPTIMIZER_ADAGRAD;
    assert_near(first_weight(o, 0.5f, 0.1, 3, &norm), 0.7729372239, 1e-6);
}

static void test_clipping(void **state)
{
    (void)state;
    vg_optimizer_options o = {.kind = VG_OPTIMIZER_SGD, .clip_norm = 0.1};
    double norm, all = 0.5 * sqrt(8);
    assert_near(first_weight(o, 0.5f, 1, 1, &norm), 1 - 0.5 * 0.1 / all, 1e-5);
    assert_near(norm, all, 1e-6); /* before clipping */
    o.clip_value = 0.02;          /* after the norm, either sign */
    assert_near(first_weight(o, 0.5f, 1, 1, &norm), 0.98, 1e-6);
    assert_near(first_weight(o, -0.5f, 1, 1, &norm), 1.02, 1e-6);
    o.clip_value = 0;
    o.clip_norm = 10;
    assert_near(first_weight(o, 0.5f, 1, 1, &norm), 0.5, 1e-6);
}

static void test_state(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_model *m = model_of(SPEC("dense 2", "bn"), 3, 1, 1, 2, 1);
    const int counts[] = {6, 12, 12, 12, 6, 11};
    const char *const first[] = {"momentum.0.dense.weight", "exp_avg.0.dense.weight",
                                 "exp_avg.0.dense.weight",  "square_avg.0.dense.weight",
                                 "sum.0.dense.weight",      "momentum.0.dense.weight"};
    for (int kind = 0; kind < VG_OPTIMIZERS; kind++) {
        vg_optimizer_options o = vg_optimizer_options_default();
        o.kind = (vg_optimizer_kind)kind;
        vg_optimizer *optimizer;
        int count;
        assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
        vg_param *list = vg_optimizer_state(optimizer, &count);
        assert_int_equal(count, counts[kind]);
        assert_string_equal(list[0].name, first[kind]);
        assert_int_equal(list[0].count, 6);
        vg_optimizer_set_steps(optimizer, 41);
        assert_int_equal(vg_optimizer_steps(optimizer), 41);
        vg_optimizer_free(optimizer);
        vg_optimizer_kind parsed;
        assert_ok(vg_optimizer_parse(vg_optimizer_name(o.kind), &parsed, &err));
        assert_int_equal(parsed, kind);
    }
    vg_model_free(m);
}

static void test_wrong_options(void **state)
{
    (void)state;
    vg_model *m = model_of((vg_net_spec){0}, 3, 1, 1, 2, 1);
    vg_optimizer *optimizer;
    vg_error err;
    vg_optimizer_options good = vg_optimizer_options_default(), o = good;
    o.momentum = 1;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "momentum");
    o = good;
    o.beta2 = NAN;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "beta2");
    o = good;
    o.weight_decay = -1;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "weight_decay");
    o = good;
    o.clip_value = -1;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "clip_value");
    o = good;
    o.nesterov = true;
    o.momentum = 0;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "nesterov");
    const struct {
        size_t offset;
        double value;
        const char *word;
    } wrong[] = {{offsetof(vg_optimizer_options, l1), -1, "l1"},
                 {offsetof(vg_optimizer_options, ema), 1, "ema"},
                 {offsetof(vg_optimizer_options, lookahead_alpha), 0, "lookahead_alpha"},
                 {offsetof(vg_optimizer_options, lookahead_ramp), -1, "lookahead_ramp"},
                 {offsetof(vg_optimizer_options, muon_others_rate), NAN, "muon_others_rate"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        o = good;
        o.kind = VG_OPTIMIZER_MUON;
        o.lookahead = 5;
        memcpy((char *)&o + wrong[i].offset, &wrong[i].value, sizeof wrong[i].value);
        assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
        assert_contains(err.message, wrong[i].word);
    }
    o = good;
    o.lookahead = -1;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "lookahead");
    o = good;
    o.kind = VG_OPTIMIZER_MUON;
    o.muon_steps = 0;
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "muon_steps");
    assert_null(optimizer);
    vg_optimizer_kind kind;
    assert_int_equal(vg_optimizer_parse("rms", &kind, &err), VG_E_ARG);
    assert_contains(err.message, "adamw");
    vg_model_free(m);
}

static void test_rules_by_name(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_param_rules rules = {0};
    char word[VG_PARAM_PATTERN + 1];
    memset(word, 'a', VG_PARAM_PATTERN);
    word[VG_PARAM_PATTERN] = 0;
    assert_int_equal(vg_param_rules_add(&rules, "", 1, &err), VG_E_ARG);
    assert_int_equal(vg_param_rules_add(&rules, word, 1, &err), VG_E_ARG);
    assert_contains(err.message, "63 characters");
    assert_int_equal(vg_param_rules_add(&rules, "*", -1, &err), VG_E_ARG);
    assert_contains(err.message, "factor -1");
    assert_int_equal(vg_param_rules_add(&rules, "*", NAN, &err), VG_E_ARG);
    assert_int_equal(rules.count, 0);
    for (int i = 0; i < VG_PARAM_RULES; i++)
        assert_ok(vg_param_rules_add(&rules, i ? "*.bias" : "*", i, &err));
    assert_int_equal(vg_param_rules_add(&rules, "*", 1, &err), VG_E_ARG);
    assert_contains(err.message, "rule 17");
    assert_near(vg_param_rules_factor(&rules, "3.bn.bias", 7), VG_PARAM_RULES - 1, 0);
    assert_near(vg_param_rules_factor(&rules, "3.bn.weight", 7), 0, 0);
    rules.count = 0;
    assert_near(vg_param_rules_factor(&rules, "3.bn.weight", 7), 7, 0);

    vg_model *m = model_of(SPEC("dense 2"), 3, 1, 1, 2, 1);
    vg_optimizer_options o = vg_optimizer_options_default();
    vg_optimizer *optimizer;
    assert_ok(vg_param_rules_add(&o.rates, "*.conv.*", 0, &err));
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "rate: no parameter");
    assert_contains(err.message, "1.dense.bias");
    o.rates.count = 0;
    assert_ok(vg_param_rules_add(&o.decays, "9.*", 0, &err));
    assert_int_equal(vg_optimizer_new(m, &o, &optimizer, &err), VG_E_ARG);
    assert_contains(err.message, "decay: no parameter");
    vg_model_free(m);
}

/* What is frozen neither moves nor counts in the norm, and may thaw later. */
static void test_frozen(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_model *m = model_of(SPEC("dense 2 nobias"), 3, 1, 1, 2, 1);
    vg_optimizer_options o = vg_optimizer_options_default();
    vg_optimizer *optimizer;
    assert_ok(vg_param_rules_add(&o.rates, "0.*", 0, &err));
    assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
    int count;
    vg_param *p = vg_model_params(m, &count);
    assert_int_equal(count, 3);
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < p[i].count; k++)
            p[i].grad[k] = 2;
    const float old = p[0].value[0], other = p[1].value[0];
    assert_near(vg_optimizer_step(optimizer, 0.1), 2 * sqrt(4 + 2), 1e-6);
    assert_true(p[0].value[0] == old && p[1].value[0] != other);
    p[0].rate = 1;
    assert_near(vg_optimizer_step(optimizer, 0.1), 2 * sqrt(6 + 4 + 2), 1e-6);
    assert_true(p[0].value[0] != old);
    vg_optimizer_free(optimizer);
    vg_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_against_pytorch),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_rules_by_name),
        cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
