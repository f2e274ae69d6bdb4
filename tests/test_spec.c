/* Tests of nn/spec.h. */
#include "test.h"

#include "nn/spec.h"

static void test_words_come_back(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"conv 32 k3", "conv 32 k3 s1 p1"},
        {"conv 32 k3 s2 p0 nobias", "conv 32 k3 s2 p0 nobias"},
        {"  conv\t8 k5 ", "conv 8 k5 s1 p2"},
        {"conv 8 k4 p1", "conv 8 k4 s1 p1"},
        {"maxpool 2", "maxpool 2"},
        {"maxpool 3 s2", "maxpool 3 s2"},
        {"avgpool 2 s2", "avgpool 2"},
        {"dropout 0.25", "dropout 0.25"},
        {"dropout 0.1", "dropout 0.1"},
        {"dropout 0.123456789", "dropout 0.123456789"},
        {"dense 128", "dense 128"},
        {"dense 128 nobias", "dense 128 nobias"},
        {"bn", "bn"},
        {"relu", "relu"},
        {"globalpool as x", "globalpool as x"},
        {"conv 8 k3 d2 g4", "conv 8 k3 s1 p2 d2 g4"},
        {"maxpool 3 s2 p1", "maxpool 3 s2 p1"},
        {"bn m0.4 e1e-12 noscale", "bn m0.4 e1e-12 noscale"},
        {"groupnorm 8 e0.001", "groupnorm 8 e0.001"},
        {"layernorm e1e-5", "layernorm"},
        {"spatialdropout 0.2", "spatialdropout 0.2"},
        {"gelu tanh", "gelu tanh"},
        {"prelu channels", "prelu channels"},
        {"leaky", "leaky"},
        {"elu 0.5", "elu 0.5"},
        {"linear 0.1", "linear 0.1"},
        {"add x from input as y_2", "add x from input as y_2"},
        {"concat input", "concat input"},
        {"relu as z from x", "relu from x as z"},
        {"conv 0 k2 p0 whiten", "conv 0 k2 s1 p0 whiten"},
        {"conv 24 k2 p0 nobias whiten e0.01", "conv 24 k2 s1 p0 nobias whiten e0.01"},
        {"flatten", "flatten"}};
    enum { PAIRS = sizeof pairs / sizeof *pairs };
    vg_error err = {0};
    vg_net_spec spec = {0};
    for (int i = 0; i < PAIRS; i++) {
        assert_ok(vg_net_spec_add(&spec, pairs[i][0], &err));
        char text[64];
        vg_layer_print(&spec.layers[i], text, sizeof text);
        assert_string_equal(text, pairs[i][1]);
    }
    assert_int_equal(spec.count, PAIRS);
    assert_string_equal(spec.name, "custom");
    vg_net_spec copy;
    assert_ok(vg_net_spec_copy(&spec, &copy, &err));
    vg_net_spec_reset(&spec);
    assert_null(spec.layers);
    assert_int_equal(copy.count, PAIRS);
    assert_int_equal(copy.layers[0].outputs, 32);
    vg_net_spec_reset(&copy);
}

static void test_wrong_words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", "empty"},
                                           {"   ", "empty"},
                                           {"convolve 3", "there is no \"convolve\""},
                                           {"conv", "lacks its outputs"},
                                           {"conv 32", "kernel size"},
                                           {"conv x k3", "\"x\""},
                                           {"conv 0 k3", "\"0\""},
                                           {"conv 99999999999999 k3", "does not fit"},
                                           {"conv 32 k0", "\"k0\""},
                                           {"conv 32 k3 q1", "\"q1\""},
                                           {"conv 32 k3x", "\"k3x\""},
                                           {"conv 32 k3 e0.1", "\"e0.1\""},
                                           {"conv 32 k3 whiten e-1", "\"e-1\""},
                                           {"conv 32 k3 g2 whiten", "without groups"},
                                           {"conv 32 k4", "even kernel"},
                                           {"conv 32 k3 p3", "less than the kernel"},
                                           {"maxpool", "lacks its window"},
                                           {"maxpool 2 2", "does not fit"},
                                           {"avgpool -1", "\"-1\""},
                                           {"dropout", "rate"},
                                           {"dropout 1", "\"1\""},
                                           {"dropout -0.1", "\"-0.1\""},
                                           {"dropout nan", "\"nan\""},
                                           {"dense", "lacks its outputs"},
                                           {"dense 10 relu", "\"relu\""},
                                           {"bn 3", "nothing more"},
                                           {"bn e0", "\"e0\""},
                                           {"groupnorm", "lacks its groups"},
                                           {"layernorm m0.1", "\"m0.1\""},
                                           {"conv 6 k3 g4", "no multiple of 4"},
                                           {"maxpool 3 p2", "\"p2\""},
                                           {"gelu erf", "\"erf\""},
                                           {"leaky -1", "slope"},
                                           {"tanh 2", "nothing more"},
                                           {"add", "name of an output"},
                                           {"add x", "no layer before it is named \"x\""},
                                           {"relu from y", "no layer before it is named \"y\""},
                                           {"relu as input", "\"input\""},
                                           {"relu as a-b", "\"a-b\""},
                                           {"conv 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8", "too many"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        vg_net_spec spec = {0};
        assert_int_equal(vg_net_spec_add(&spec, cases[i][0], &err), VG_E_ARG);
        assert_contains(err.message, cases[i][1]);
        assert_int_equal(spec.count, 0);
        assert_null(spec.layers);
    }
}

static void test_presets(void **state)
{
    (void)state;
    int count;
    const vg_net_preset *presets = vg_net_presets(&count);
    assert_true(count >= 5);
    assert_string_equal(presets[0].name, "small-cnn");
    for (int i = 0; i < count; i++) {
        vg_error err = {0};
        vg_net_spec spec;
        assert_ok(vg_net_spec_preset(presets[i].name, &spec, &err));
        assert_string_equal(spec.name, presets[i].name);
        assert_true(spec.count > 3 && presets[i].what[0]);
        vg_net_spec_reset(&spec);
    }
    vg_error err;
    vg_net_spec spec = {0};
    assert_int_equal(vg_net_spec_preset("smal-cnn", &spec, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"small-cnn\"");
    assert_contains(err.message, "vgg-small");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_come_back),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_presets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
