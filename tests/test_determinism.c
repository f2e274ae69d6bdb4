/* The same bits for any number of threads: forward, backward and 20 steps of training. */
#include "test.h"

#include "nn_util.h"

#include "nn/loss.h"
#include "optim/optimizer.h"

#include <omp.h>

enum { N = 21, CLASSES = 5, C = 3, SIDE = 18, STEPS = 20 };

static vg_net_spec net(void)
{
    return SPEC("conv 12 k3 nobias", "bn", "relu as x", "conv 12 k3 g12", "groupnorm 3", "add x",
                "gelu", "maxpool 2 as y", "conv 20 k5 d2 g2", "bn", "relu", "spatialdropout 0.2",
                "concat y", "conv 40 k3", "maxpool 3 s2", "conv 24 k3 s2", "relu", "dense 150", "bn", "relu as z",
                "dropout 0.5", "dense 150", "prelu channels", "add z", "dense 40", "relu");
}

/* All that can differ after some steps: parameters, gradients, the input's gradient, logits. */
typedef struct outcome {
    float *values;
    size_t count;
    double norms[STEPS], losses[STEPS];
} outcome;

static outcome train(int threads, vg_optimizer_kind kind, int n)
{
    vg_error err = {0};
    omp_set_num_threads(threads);
    vg_model *m = model_of(net(), C, SIDE, SIDE, CLASSES, N);
    vg_optimizer_options options = vg_optimizer_options_default();
    options.kind = kind;
    options.clip_norm = 2;
    vg_optimizer *o;
    assert_ok(vg_optimizer_new(m, &options, &o, &err));
    size_t inputs = (size_t)n * C * SIDE * SIDE;
    float *x = random_floats(inputs, 4), *dx = malloc(inputs * sizeof *dx);
    float d[N * CLASSES];
    int32_t labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = i % CLASSES;
    outcome out = {0};
    for (int step = 0; step < STEPS; step++) {
        const float *z = vg_model_forward(m, x, n, true, (uint64_t)step);
        out.losses[step] = vg_softmax_cross_entropy(z, labels, n, CLASSES, NULL, d).loss;
        vg_model_backward(m, d, dx);
        out.norms[step] = vg_optimizer_step(o, 0.02);
    }
    int count;
    vg_param *p = vg_model_params(m, &count);
    size_t total = inputs + (size_t)n * CLASSES;
    for (int i = 0; i < count; i++)
        total += 2 * p[i].count;
    out.values = calloc(total, sizeof *out.values);
    float *at = out.values;
    memcpy(at, dx, inputs * sizeof *at);
    at += inputs;
    for (int i = 0; i < count; i++) {
        memcpy(at, p[i].value, p[i].count * sizeof *at);
        at += p[i].count;
        if (p[i].grad)
            memcpy(at, p[i].grad, p[i].count * sizeof *at);
        at += p[i].count;
    }
    memcpy(at, vg_model_forward(m, x, n, false, 0), (size_t)n * CLASSES * sizeof *at);
    out.count = total;
    free(x);
    free(dx);
    vg_optimizer_free(o);
    vg_model_free(m);
    return out;
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    const int sizes[] = {N, 3};
    for (int s = 0; s < 2; s++)
        for (int kind = VG_OPTIMIZER_SGD; kind <= (s ? VG_OPTIMIZER_SGD : VG_OPTIMIZER_ADAMW);
             kind += 2) {
            outcome one = train(1, (vg_optimizer_kind)kind, sizes[s]);
            const int threads[] = {2, 4, 8};
            for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
                outcome many = train(threads[i], (vg_optimizer_kind)kind, sizes[s]);
                assert_memory_equal(one.losses, many.losses, sizeof one.losses);
                assert_memory_equal(one.norms, many.norms, sizeof one.norms);
                assert_int_equal(one.count, many.count);
                assert_memory_equal(one.values, many.values, one.count * sizeof *one.values);
                free(many.values);
            }
            free(one.values);
        }
    omp_set_num_threads(1);
}

/* And the seed does: otherwise the test above would compare nothing. */
static void test_steps_matter(void **state)
{
    (void)state;
    outcome a = train(2, VG_OPTIMIZER_SGD, N);
    assert_true(a.losses[STEPS - 1] < 0.8 * a.losses[0]);
    assert_true(a.norms[0] > 0);
    free(a.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_steps_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
