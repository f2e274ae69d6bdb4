/* Inference gives the logits of an evaluation, by whatever layers a convolution takes on; the same bits for any
 * number of threads; of the weights that were there when it was prepared. */
#include "test.h"

#include "nn_util.h"

#include "nn/model_internal.h"

#include <math.h>
#include <omp.h>

enum { N = 11, C = 3, SIDE = 24, CLASSES = 4 };

/* Networks that have something to take on, and something that must not be. */
static vg_net_spec spec_at(int which)
{
    switch (which) {
    case 0: /* in all orders that a chain can have */
        return SPEC("conv 20 k3 nobias", "bn", "relu", "maxpool 2", "conv 24 k5", "maxpool 3",
                    "bn noscale", "relu", "conv 8 k1", "relu", "bn", "dense 9", "relu");
    case 1: /* a pool before a batch norm that may turn the order round; windows over the edge */
        return SPEC("conv 17 k3", "maxpool 2", "bn", "relu", "conv 16 k3", "relu",
                    "maxpool 3 s2 p1", "conv 16 k3 p0", "maxpool 4", "dense 40", "relu");
    case 2: /* sums: with the last block, with what others still read, with the picture */
        return SPEC("conv 3 k3", "bn", "add input", "relu as a", "conv 16 k3", "bn as b",
                    "conv 16 k3", "relu", "conv 16 k3", "bn", "add b", "relu", "conv 16 k3 as c",
                    "conv 16 k3", "add c", "conv 3 k1", "add a", "relu", "globalpool");
    case 3: /* groups, depthwise, joins, other activations */
        return SPEC("conv 12 k3 nobias", "bn", "relu as x", "conv 12 k3 g12 nobias", "bn", "relu",
                    "conv 12 k3 g3", "bn", "groupnorm 3", "add x", "gelu", "maxpool 2 as y",
                    "conv 20 k5 d2 g2", "bn", "relu", "spatialdropout 0.2", "concat y",
                    "conv 24 k3 s2", "relu", "flatten", "dense 30 as z", "relu", "dense 30",
                    "prelu channels", "add z");
    case 4: /* dense layers too large for one thread's caches, on a map and not */
        return SPEC("maxpool 2", "dense 300", "relu", "dense 300", "bn", "relu", "dropout 0.5");
    default:
        return SPEC("conv 16 k3", "conv 16 k3", "maxpool 3", "dense 20", "bn", "relu");
    }
}
enum { SPECS = 6 };

/* All values moved away from where they start, variances staying above zero. */
static void disturb(vg_model *m)
{
    int count;
    vg_param *p = vg_model_params(m, &count);
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < p[i].count; k++) {
            bool scale = strstr(p[i].name, "bn.weight") && !p[i].trainable;
            double d =
                strstr(p[i].name, "running_var") ? vg_rng_double(&rng) : 0.2 * vg_rng_normal(&rng);
            p[i].value[k] += scale ? 0 : (float)d;
        }
}

static vg_model *net(int which)
{
    vg_model *m = model_of(spec_at(which), C, SIDE, SIDE, CLASSES, N);
    disturb(m);
    return m;
}

static void assert_equal_logits(vg_model *m, const float *x, int n, int classes)
{
    size_t count = (size_t)n * (size_t)classes;
    float *want = malloc(count * sizeof *want);
    memcpy(want, vg_model_forward(m, x, n, false, 0), count * sizeof *want);
    const float *got = vg_model_infer(m, x, n);
    double size = 0;
    for (size_t i = 0; i < count; i++)
        size += (double)want[i] * (double)want[i];
    size = sqrt(size / (double)count);
    assert_true(size > 1e-3);
    for (size_t i = 0; i < count; i++)
        assert_near((double)got[i], (double)want[i], 3e-5 * size);
    free(want);
}

static void test_equals_evaluation(void **state)
{
    (void)state;
    float *x = random_floats((size_t)N * C * SIDE * SIDE, 1);
    for (int which = 0; which < SPECS; which++) {
        vg_model *m = net(which);
        for (int n = N; n > 0; n -= 5)
            assert_equal_logits(m, x, n, CLASSES);
        vg_model_free(m);
    }
    free(x);
}

static void test_presets(void **state)
{
    (void)state;
    const char *const names[] = {"lenet",     "small-cifar", "resnet20",
                                 "vgg-small", "speedrun",    "small-cnn"};
    float *x = random_floats((size_t)5 * 3 * 32 * 32, 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vg_error err = {0};
        vg_net_spec spec = {0};
        assert_ok(vg_net_spec_preset(names[i], &spec, &err));
        vg_model *m = model_of(spec, 3, 32, 32, 10, 5);
        disturb(m);
        assert_equal_logits(m, x, 5, 10);
        vg_model_free(m);
    }
    free(x);
}

/* Which layers are left to run: a look at the plan, so that the tests above are about something. */
static void test_what_is_absorbed(void **state)
{
    (void)state;
    vg_model *m = net(0);
    int absorbed = 0;
    for (int i = 0; i < m->count; i++)
        absorbed += m->layers[i].absorbed;
    assert_int_equal(absorbed, 7); /* the batch norm behind a ReLU is not, nor what follows it */
    vg_model_free(m);
    m = net(1);
    assert_true(m->layers[1].absorbed && !m->layers[2].absorbed && !m->layers[3].absorbed);
    assert_true(m->layers[5].absorbed && !m->layers[6].absorbed);
    vg_model_free(m);
    m = net(2);
    assert_true(!m->layers[2].absorbed); /* the picture is not ours to write to */
    assert_true(m->layers[10].absorbed && m->layers[11].absorbed);
    assert_int_equal(m->layers[8].root, m->layers[4].root);
    assert_true(!m->layers[14].absorbed); /* the convolution itself reads it */
    assert_true(m->layers[16].absorbed && m->layers[17].absorbed);
    assert_int_equal(m->layers[15].root, m->layers[3].root);
    vg_model_free(m);
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    float *x = random_floats((size_t)N * C * SIDE * SIDE, 1);
    for (int which = 0; which < SPECS; which++) {
        vg_model *m = net(which);
        float one[N * CLASSES];
        omp_set_num_threads(1);
        memcpy(one, vg_model_infer(m, x, N), sizeof one);
        for (int threads = 2; threads <= 8; threads *= 2) {
            omp_set_num_threads(threads);
            vg_model_prepare(m);
            assert_memory_equal(one, vg_model_infer(m, x, N), sizeof one);
        }
        omp_set_num_threads(1);
        vg_model_free(m);
    }
    free(x);
}

/* Maps may be spoiled between calls: nothing of an earlier one is read. */
static void test_nothing_stale_is_read(void **state)
{
    (void)state;
    float *x = random_floats((size_t)N * C * SIDE * SIDE, 1);
    for (int which = 0; which < SPECS; which++) {
        vg_model *m = net(which);
        float clean[N * CLASSES];
        memcpy(clean, vg_model_infer(m, x, N), sizeof clean);
        memset(m->maps, 0xFF, m->layout.bytes);
        assert_memory_equal(clean, vg_model_infer(m, x, N), sizeof clean);
        for (size_t i = 0; i < m->inference_layout.count; i++)
            for (size_t k = 0; k < i; k++) {
                const vg_want *a = &m->inference_layout.wants[i], *b = a - i + k;
                bool together = a->birth <= b->death && b->birth <= a->death;
                bool apart = a->at + a->bytes <= b->at || b->at + b->bytes <= a->at;
                assert_true(apart || !together);
            }
        vg_model_free(m);
    }
    free(x);
}

/* Weights written by hand count from the next vg_model_prepare on; a training pass makes it needless. */
static void test_when_it_is_prepared(void **state)
{
    (void)state;
    float *x = random_floats((size_t)N * C * SIDE * SIDE, 1), *d = random_floats(N * CLASSES, 2);
    vg_model *m = net(0);
    int count;
    vg_param *p = vg_model_params(m, &count);
    float first[N * CLASSES], second[N * CLASSES];
    memcpy(first, vg_model_infer(m, x, N), sizeof first);
    p[0].value[0] += 1;
    assert_memory_equal(first, vg_model_infer(m, x, N), sizeof first);
    vg_model_prepare(m);
    memcpy(second, vg_model_infer(m, x, N), sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    vg_model_forward(m, x, N, false, 0); /* changes nothing */
    assert_memory_equal(second, vg_model_infer(m, x, N), sizeof second);
    vg_model_forward(m, x, N, true, 0); /* moves the statistics */
    assert_memory_not_equal(second, vg_model_infer(m, x, N), sizeof second);
    vg_model_forward(m, x, N, true, 0);
    memcpy(first, vg_model_infer(m, x, N), sizeof first);
    vg_model_forward(m, x, N, true, 0);
    vg_model_backward(m, d, NULL);
    p[0].value[0] -= 1;
    assert_equal_logits(m, x, N, CLASSES);
    vg_model_initialize(m);
    assert_equal_logits(m, x, N, CLASSES);
    assert_null(vg_model_activation(m, 0));
    assert_ptr_equal(vg_model_activation(m, m->count - 1), vg_model_infer(m, x, N));
    free(x), free(d);
    vg_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_evaluation),     cmocka_unit_test(test_presets),
        cmocka_unit_test(test_what_is_absorbed),      cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_nothing_stale_is_read), cmocka_unit_test(test_when_it_is_prepared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
