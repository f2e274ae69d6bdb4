/* The plan of passes and buffers: every layer once, no two living maps in one place, less room than all
 * maps together, and nothing read that the same step has not written. */
#include "test.h"

#include "nn_util.h"

#include "nn/model_internal.h"

enum { N = 11, C = 3, SIDE = 24, CLASSES = 4 };

static vg_model *net(int which)
{
    vg_error err = {0};
    vg_net_spec spec = {0};
    if (which == 0)
        assert_ok(vg_net_spec_preset("resnet20", &spec, &err));
    else if (which == 1)
        assert_ok(vg_net_spec_preset("small-cifar", &spec, &err));
    else if (which == 2)
        spec = SPEC("conv 12 k3 nobias", "bn", "relu as x", "conv 12 k3 g12", "groupnorm 3",
                    "add x", "gelu", "maxpool 2 as y", "conv 20 k5 d2 g2", "bn", "relu",
                    "spatialdropout 0.2", "concat y", "maxpool 3 s2", "conv 24 k3 s2", "relu",
                    "dense 30 as z", "relu", "dense 30", "prelu channels", "add z");
    else
        spec = SPEC("dense 20", "bn", "relu", "dropout 0.5");
    return model_of(spec, C, SIDE, SIDE, CLASSES, N);
}

/* How often each layer has its turn in a program. */
static void check_turns(const vg_model *m, const vg_program *p, int step)
{
    int *times = calloc((size_t)m->count, sizeof *times);
    for (int s = 0; s < p->stage_count; s++) {
        const vg_stage *stage = &p->stages[s];
        for (int k = 0; k < stage->count; k++) {
            const vg_segment *segment = &p->segments[stage->first + k];
            assert_true(segment->part >= 1);
            for (int i = segment->from; i != segment->to; i += step)
                times[i]++;
        }
        if (stage->tiles >= 0)
            times[stage->tiles]++;
    }
    for (int i = 0; i < m->count; i++)
        assert_int_equal(times[i], 1);
    free(times);
}

static void test_every_layer_has_one_turn(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        vg_model *m = net(which);
        check_turns(m, &m->training, 1);
        check_turns(m, &m->evaluation, 1);
        check_turns(m, &m->backward, -1);
        vg_model_free(m);
    }
}

static void test_maps_that_live_together_lie_apart(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        vg_model *m = net(which);
        size_t sum = 0;
        for (size_t i = 0; i < m->layout.count; i++) {
            const vg_want *a = &m->layout.wants[i];
            sum += a->bytes;
            assert_true(a->birth <= a->death);
            assert_true(a->at + a->bytes <= m->layout.bytes - m->scratch_bytes);
            for (size_t k = 0; k < i; k++) {
                const vg_want *b = &m->layout.wants[k];
                bool together = a->birth <= b->death && b->birth <= a->death;
                bool apart = a->at + a->bytes <= b->at || b->at + b->bytes <= a->at;
                assert_true(apart || !together);
            }
        }
        if (which == 0)
            assert_true(m->layout.bytes - m->scratch_bytes < sum * 3 / 4);
        vg_model_free(m);
    }
}

/* Two steps and an evaluation, behind each of which all maps may be spoiled. */
static float *run(vg_model *m, const float *x, const float *d, bool spoil, size_t *count)
{
    int params;
    vg_param *p = vg_model_params(m, &params);
    size_t values = (size_t)N * CLASSES + (size_t)N * C * SIDE * SIDE;
    for (int i = 0; i < params; i++)
        values += p[i].grad ? p[i].count : 0;
    float *out = malloc(values * sizeof *out), *to = out,
          *dx = malloc((size_t)N * C * SIDE * SIDE * 4);
    for (int i = 0; i < 3; i++) {
        if (spoil)
            memset(m->maps, 0xFF, m->layout.bytes);
        const float *z = vg_model_forward(m, x, N, i < 2, (uint64_t)i);
        memcpy(to, z, (size_t)N * CLASSES * sizeof *to);
        if (i < 2)
            vg_model_backward(m, d, dx);
    }
    to += (size_t)N * CLASSES;
    memcpy(to, dx, (size_t)N * C * SIDE * SIDE * sizeof *to);
    to += (size_t)N * C * SIDE * SIDE;
    for (int i = 0; i < params; i++)
        if (p[i].grad) {
            memcpy(to, p[i].grad, p[i].count * sizeof *to);
            to += p[i].count;
        }
    *count = values;
    free(dx);
    return out;
}

static void test_nothing_stale_is_read(void **state)
{
    (void)state;
    float *x = random_floats((size_t)N * C * SIDE * SIDE, 1), *d = random_floats(N * CLASSES, 2);
    for (int which = 0; which < 4; which++) {
        size_t count;
        vg_model *a = net(which), *b = net(which);
        float *clean = run(a, x, d, false, &count), *spoiled = run(b, x, d, true, &count);
        assert_memory_equal(clean, spoiled, count * sizeof *clean);
        free(clean), free(spoiled);
        vg_model_free(a);
        vg_model_free(b);
    }
    free(x), free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layer_has_one_turn),
        cmocka_unit_test(test_maps_that_live_together_lie_apart),
        cmocka_unit_test(test_nothing_stale_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
