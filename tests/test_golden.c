/* A whole network against PyTorch: outputs, loss, all gradients and three steps of two optimizers,
 * recorded by tests/golden/nn.py. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "nn/loss.h"
#include "optim/optimizer.h"

#include <math.h>

enum { N = 10, CLASSES = 4, INPUTS = 2 * 15 * 14 };

static vg_net_spec net(void)
{
    return SPEC("conv 5 k3 nobias", "bn", "relu", "maxpool 2", "conv 7 k3 s2 p0", "relu",
                "avgpool 2 s1", "conv 6 k1 nobias", "bn", "flatten", "dense 9", "relu");
}

static const float *next;
static size_t left;

static const float *take(size_t count)
{
    assert_true(count <= left);
    const float *at = next;
    next += count;
    left -= count;
    return at;
}

/* Relative to the largest value of the array: float32 with other orders of summation. */
static void compare(const char *name, const float *found, const float *wanted, size_t count)
{
    double largest = 1e-3, worst = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)wanted[i]));
        double off = fabs((double)found[i] - (double)wanted[i]);
        worst = off > worst || isnan(off) ? off : worst;
    }
    if (!(worst <= 2e-5 * largest + 1e-6))
        fail_msg("%s differs by %g, its largest value is %g", name, worst, largest);
}

static double step(vg_model *m, const float *x, const float *labels, uint64_t number, float *dx)
{
    static const float weights[CLASSES] = {1.0f, 0.5f, 2.0f, 3.0f};
    int32_t y[N];
    float d[N * CLASSES];
    for (int i = 0; i < N; i++)
        y[i] = (int32_t)labels[i];
    const float *z = vg_model_forward(m, x, N, true, number);
    double loss = vg_softmax_cross_entropy(z, y, N, CLASSES, weights, d).loss;
    vg_model_backward(m, d, dx);
    return loss;
}

static void put_parameters(vg_model *m, const float *from)
{
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (int i = 0; i < count; i++)
        if (p[i].trainable) {
            memcpy(p[i].value, from, p[i].count * sizeof(float));
            from += p[i].count;
        }
}

static void test_against_pytorch(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/nn.bin", 0, &bytes, &err));
    float *all = malloc(bytes.size);
    assert_non_null(all);
    memcpy(all, bytes.data, bytes.size);
    next = all;
    left = bytes.size / sizeof(float);

    const float *x = take(N * INPUTS), *labels = take(N);
    vg_model *m = model_of(net(), 2, 15, 14, CLASSES, N);
    const float *start = take(vg_model_parameter_count(m));
    put_parameters(m, start);
    float *dx = malloc(N * INPUTS * sizeof *dx);
    double loss = step(m, x, labels, 0, dx);
    int count;
    vg_param *p = vg_model_params(m, &count);
    compare("logits", vg_model_activation(m, vg_model_layers(m) - 1), take(N * CLASSES),
            N * CLASSES);
    assert_near(loss, (double)*take(1), 1e-5);
    for (int i = 0; i < count; i++)
        if (p[i].trainable)
            compare(p[i].name, p[i].grad, take(p[i].count), p[i].count);
    compare("dx", dx, take(N * INPUTS), N * INPUTS);
    free(dx);
    vg_model_free(m);

    for (int kind = 0; kind < 2; kind++) {
        vg_optimizer_options o = vg_optimizer_options_default();
        o.kind = kind ? VG_OPTIMIZER_ADAMW : VG_OPTIMIZER_SGD;
        o.nesterov = true;
        o.weight_decay = 0.1;
        o.clip_norm = 1;
        vg_optimizer *optimizer;
        m = model_of(net(), 2, 15, 14, CLASSES, N);
        put_parameters(m, start);
        assert_ok(vg_optimizer_new(m, &o, &optimizer, &err));
        for (uint64_t i = 0; i < 3; i++) {
            step(m, x, labels, i, NULL);
            vg_optimizer_step(optimizer, kind ? 0.01 : 0.05);
        }
        p = vg_model_params(m, &count);
        for (int i = 0; i < count; i++)
            if (p[i].trainable)
                compare(p[i].name, p[i].value, take(p[i].count), p[i].count);
        for (int i = 0; i < count; i++)
            if (!p[i].trainable)
                compare(p[i].name, p[i].value, take(p[i].count), p[i].count);
        vg_optimizer_free(optimizer);
        vg_model_free(m);
    }
    assert_int_equal(left, 0);
    free(all);
    vg_bytes_reset(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
