/* Every layer and the ways of joining them against PyTorch, recorded by tests/golden/layers.py, and
 * ten training steps of ResNet-20. Finite differences are in test_model.c. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "nn/loss.h"
#include "optim/optimizer.h"

#include <math.h>

enum { N = 5, CLASSES = 3 };

typedef struct recorded {
    float *all;
    const float *next;
    size_t left;
} recorded;

static const float *take(recorded *r, size_t count)
{
    assert_true(count <= r->left);
    const float *at = r->next;
    r->next += count;
    r->left -= count;
    return at;
}

static recorded load(void)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/layers.bin", 0, &bytes, &err));
    recorded r = {.all = malloc(bytes.size), .left = bytes.size / sizeof(float)};
    assert_non_null(r.all);
    memcpy(r.all, bytes.data, bytes.size);
    r.next = r.all;
    vg_bytes_reset(&bytes);
    return r;
}

/* Relative to the largest value of the array. */
static void compare(const char *net, const char *name, const float *found, const float *wanted,
                    size_t count)
{
    double largest = 5e-2, worst = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)wanted[i]));
        double off = fabs((double)found[i] - (double)wanted[i]);
        worst = off > worst || isnan(off) ? off : worst;
    }
    if (!(worst <= 3e-5 * largest))
        fail_msg("\"%s\", %s differs by %g, its largest value is %g", net, name, worst, largest);
}

static void check_case(recorded *r, int side, vg_net_spec spec)
{
    char about[128];
    vg_layer_print(&spec.layers[spec.count > 1 ? 1 : 0], about, sizeof about);
    vg_model *m = model_of(spec, 2, side, side, CLASSES, N);
    size_t inputs = (size_t)N * 2 * (size_t)(side * side);
    float d[N * CLASSES], *dx = malloc(inputs * sizeof *dx);
    const float *x = take(r, inputs);
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (int i = 0; i < count; i++)
        if (p[i].trainable)
            memcpy(p[i].value, take(r, p[i].count), p[i].count * sizeof *d);
    for (int i = 0; i < N * CLASSES; i++)
        d[i] = (float)(2.0 * i / (N * CLASSES - 1) - 1);
    const float *z = vg_model_forward(m, x, N, true, 0);
    compare(about, "logits", z, take(r, N * CLASSES), N * CLASSES);
    vg_model_backward(m, d, dx);
    for (int i = 0; i < count; i++)
        if (p[i].trainable)
            compare(about, p[i].name, p[i].grad, take(r, p[i].count), p[i].count);
    compare(about, "dx", dx, take(r, inputs), inputs);
    free(dx);
    vg_model_free(m);
}

static void check_layers(recorded *r)
{
    check_case(r, 6,
               SPEC("conv 4 k3", "relu as x", "conv 6 k3 s2 nobias", "bn", "relu",
                    "conv 6 k3 nobias", "bn as y", "conv 6 k1 s2 nobias from x", "bn", "add y",
                    "relu"));
    check_case(r, 5,
               SPEC("conv 3 k3", "sigmoid as a", "conv 4 k3", "relu", "concat a", "conv 3 k1",
                    "add a", "concat input"));
    static const struct {
        int side;
        const char *first, *words;
    } cases[] = {{7, "conv 4 k3", "conv 6 k3 d2 p0"},
                 {7, "conv 4 k3", "conv 6 k3 d2"},
                 {7, "conv 4 k3", "conv 6 k3 s2 d3 p3"},
                 {6, "conv 4 k3", "conv 6 k3 g2"},
                 {6, "conv 16 k3", "conv 24 k3 g2"},
                 {6, "conv 4 k3", "conv 4 k3 g4"},
                 {7, "conv 4 k3", "conv 8 k3 s2 d2 p2 g4 nobias"},
                 {7, "conv 4 k3", "maxpool 3 s2 p1"},
                 {6, "conv 4 k3", "avgpool 3 s2 p1"},
                 {6, "conv 4 k3", "globalpool"},
                 {6, "conv 4 k3", "globalmax"},
                 {6, "conv 4 k3", NULL},
                 {6, "conv 4 k3", "layernorm e1e-3"},
                 {6, "conv 4 k3", "bn e1e-2"},
                 {6, "conv 4 k3", "leaky 0.2"},
                 {6, "conv 4 k3", "prelu"},
                 {6, "conv 4 k3", "prelu channels"},
                 {6, "conv 4 k3", "elu 0.7"},
                 {6, "conv 4 k3", "selu"},
                 {6, "conv 4 k3", "gelu"},
                 {6, "conv 4 k3", "gelu tanh"},
                 {6, "conv 4 k3", "silu"},
                 {6, "conv 4 k3", "sigmoid"},
                 {6, "conv 4 k3", "tanh"},
                 {6, "conv 4 k3", "exp"},
                 {6, "conv 4 k3", "softmax"},
                 {6, "conv 4 k3", "linear 0.125"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(r, cases[i].side,
                   cases[i].words ? SPEC(cases[i].first, cases[i].words)
                                  : SPEC(cases[i].first, "groupnorm 2", "relu"));
    check_case(r, 6, SPEC("conv 4 k3", "flatten", "cosine classes", "linear 8"));
}

/* As in the script. */
static double noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216 - 0.5;
}

static void check_resnet(recorded *r)
{
    enum { BATCH = 16, SIZE = 3 * 32 * 32 };
    vg_error err = {0};
    vg_net_spec spec;
    assert_ok(vg_net_spec_preset("resnet20", &spec, &err));
    vg_model *m = model_of(spec, 3, 32, 32, 10, BATCH);
    uint32_t state = 1;
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (int i = 0; i < count; i++)
        if (p[i].dims > 1) {
            double scale = sqrt(24 / ((double)p[i].count / (double)p[i].shape[0]));
            for (size_t k = 0; k < p[i].count; k++)
                p[i].value[k] = (float)(noise(&state) * scale);
        }
    float *x = malloc(BATCH * SIZE * sizeof *x), d[BATCH * 10];
    int32_t labels[BATCH];
    for (int i = 0; i < BATCH * SIZE; i++)
        x[i] = (float)(2 * noise(&state));
    for (int i = 0; i < BATCH; i++)
        labels[i] = i * 7 % 10;
    vg_optimizer_options o = vg_optimizer_options_default();
    o.weight_decay = 0;
    vg_optimizer *optimizer;
    assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
    for (uint64_t step = 0; step < 10; step++) {
        const float *z = vg_model_forward(m, x, BATCH, true, step);
        double loss = vg_softmax_cross_entropy(z, labels, BATCH, 10, NULL, d).loss;
        assert_near(loss, (double)*take(r, 1), 1e-4);
        vg_model_backward(m, d, NULL);
        vg_optimizer_step(optimizer, 0.0005);
    }
    free(x);
    vg_optimizer_free(optimizer);
    vg_model_free(m);
}

static void test_against_pytorch(void **state)
{
    (void)state;
    recorded r = load();
    check_layers(&r);
    check_resnet(&r);
    assert_int_equal(r.left, 0);
    free(r.all);
}

/* Parameters and multiply-adds of the nets that other programs are compared on. */
static void test_known_nets(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int c, side, classes;
        size_t parameters;
        double mega_macs;
    } nets[] = {
        {"lenet", 1, 28, 10, 61706, 0.41652},         {"small-cifar", 3, 32, 10, 2168362, 26.58},
        {"book", 3, 150, 2, 3453634, 236.10},         {"resnet20", 3, 32, 10, 272474, 40.81},
        {"vgg-small", 3, 32, 10, 1739210, 190.52},    {"resnet18", 3, 224, 1000, 11689512, 1814.07},
        {"mobilenet", 3, 224, 1000, 4231976, 568.74}, {"vgg16", 3, 224, 1000, 138365992, 15470.26}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        vg_error err = {0};
        vg_net_spec spec;
        assert_ok(vg_net_spec_preset(nets[i].preset, &spec, &err));
        vg_model *m = model_of(spec, nets[i].c, nets[i].side, nets[i].side, nets[i].classes, 1);
        uint64_t macs = 0;
        for (int k = 0; k < vg_model_layers(m); k++)
            macs += vg_model_layer(m, k)->macs;
        assert_int_equal(vg_model_parameter_count(m), nets[i].parameters);
        assert_near((double)macs * 1e-6, nets[i].mega_macs, 0.006);
        vg_model_free(m);
    }
}

/* What cannot be joined says so, and an output that goes nowhere is found. */
static void test_wrong_joins(void **state)
{
    (void)state;
    static const struct {
        const char *const words[5];
        vg_status status;
        const char *message;
    } cases[] = {
        {{"conv 4 k3 as x", "conv 5 k3", "add x", ""}, VG_E_SHAPE, "cannot be added"},
        {{"conv 4 k3 as x", "maxpool 2", "concat x", ""}, VG_E_SHAPE, "behind each other"},
        {{"conv 4 k3 as x", "conv 5 k3", "conv 4 k1 from x", ""}, VG_E_ARG, "nobody reads"},
        {{"conv 5 k3", "groupnorm 2", ""}, VG_E_SHAPE, "2 groups"},
        {{"conv 5 k3", "conv 6 k3 g3", ""}, VG_E_SHAPE, "3 groups"}};
    vg_model_options o = {.channels = 2, .height = 8, .width = 8, .classes = 3, .max_batch = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        vg_model *m;
        vg_net_spec spec = spec_of(cases[i].words);
        assert_int_equal(vg_model_new(&spec, &o, &m, &err), cases[i].status);
        assert_contains(err.message, cases[i].message);
        vg_net_spec_reset(&spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_pytorch),
        cmocka_unit_test(test_known_nets),
        cmocka_unit_test(test_wrong_joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
