/* Tests of speed.h: what the first steps of a training tell. No figure is held against a time. */
#include "make_idx.h"

#include "speed.h"

#include <math.h>

enum { CLASSES = 3, SIZE = 12 };

static const size_t train_counts[CLASSES] = {40, 40, 40}, test_counts[CLASSES] = {9, 9, 9};
static vg_dataset *dataset;
static char *folder;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, CLASSES, SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

static vg_run_options job(void)
{
    vg_error err = {0};
    vg_run_options options = vg_run_options_default();
    const char *const layers[] = {"conv 6 k3", "bn",   "relu",    "maxpool 2",
                                  "conv 4 k3", "relu", "dense 8", "relu"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
    options.batch = 16;
    return options;
}

static const vg_speed_options quick = {.warm_up = 1, .least_steps = 9, .seconds = 0};

/* The parts of a step are not longer than the step, the layers not longer than the passes, and the
 * arithmetic is that of the network. More steps than an epoch has (7) are taken from the next. */
static void test_parts(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job();
    vg_speed s;
    assert_ok(vg_speed_measure(dataset, &options, &quick, NULL, &s, &err));
    assert_int_equal(s.steps, 9);
    assert_int_equal(s.batch, 16);
    assert_int_equal(s.layer_count, 9);
    assert_true(s.threads >= 1 && s.height == SIZE && s.width == SIZE && s.channels == 1);
    double parts = s.waited + s.prepared + s.forward + s.loss + s.backward + s.update + s.rest;
    assert_true(s.seconds > 0 && s.forward > 0 && s.loss > 0 && s.backward > 0 && s.update > 0);
    assert_near(parts, s.seconds, 0.02 * s.seconds + 1e-5);
    double forward = 0, backward = 0, update = 0, flop = 0;
    for (int i = 0; i < s.layer_count; i++) {
        const vg_layer_speed *l = &s.layers[i];
        assert_true(l->forward_s >= 0 && l->backward_s >= 0 && l->update_s >= 0);
        forward += l->forward_s;
        backward += l->backward_s;
        update += l->update_s;
        flop += l->forward_flop + l->backward_flop;
    }
    assert_true(forward > 0 && forward <= s.forward * 1.01);
    assert_true(backward > 0 && backward <= s.backward * 1.01);
    assert_near(update, s.update, 1e-6);
    assert_near(flop, s.flop, 1);
    assert_near(s.arithmetic_s + s.other_layers_s, forward + backward, 1e-9);
    /* conv of 1 x 3 x 3 to 6 channels on 12 x 12: nobody wants the gradient of the picture */
    assert_near(s.layers[0].forward_flop, 2.0 * 16 * 9 * 6 * 144, 0.5);
    assert_near(s.layers[0].backward_flop, s.layers[0].forward_flop, 0.5);
    /* conv of 6 x 3 x 3 to 4 on 6 x 6: gradients of weights and of its input */
    assert_near(s.layers[4].forward_flop, 2.0 * 16 * 54 * 4 * 36, 0.5);
    assert_near(s.layers[4].backward_flop, 2 * s.layers[4].forward_flop, 0.5);
    assert_near(s.layers[1].forward_flop, 0, 0);
    assert_true(s.slowest >= 0 && s.slowest < s.layer_count);
    assert_true(s.peak.flop_per_s > 0 && s.blas_core[0]);
    assert_true(s.read_s >= 0 && s.decode_s >= 0 && s.transform_s > 0);
    vg_speed_reset(&s);
    assert_null(s.layers);
    vg_run_options_reset(&options);
}

/* A training that leaves the numbers is told, not measured. */
static void test_not_finite(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job();
    options.schedule.base = 1e30;
    options.schedule.kind = VG_SCHEDULE_CONSTANT;
    options.schedule.warmup_share = 0;
    vg_speed s;
    assert_int_equal(vg_speed_measure(dataset, &options, &quick, NULL, &s, &err), VG_E_NUMERIC);
    assert_contains(err.message, "learning_rate");
    assert_null(s.layers);
    vg_run_options_reset(&options);
}

static void test_wrong_use(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job();
    vg_speed_options how = {.least_steps = 0};
    vg_speed s;
    assert_int_equal(vg_speed_measure(dataset, &options, &how, NULL, &s, &err), VG_E_ARG);
    assert_contains(err.message, "at least one");
    options.batch = 0;
    assert_int_equal(vg_speed_measure(dataset, &options, &quick, NULL, &s, &err), VG_E_ARG);
    vg_run_options_reset(&options);
}

static bool stop_at_once(void *context, const vg_run_moment *moment)
{
    (void)context;
    (void)moment;
    return true;
}

static void test_stopped(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job();
    vg_run_events events = {.batch = stop_at_once};
    vg_speed s;
    assert_int_equal(vg_speed_measure(dataset, &options, &quick, &events, &s, &err), VG_E_STOPPED);
    vg_run_options_reset(&options);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(vg_speed_limit_name(VG_SPEED_LOADING), "loading");
    assert_string_equal(vg_speed_limit_name(VG_SPEED_OVERHEAD), "overhead");
    assert_string_equal(vg_speed_limit_name(VG_SPEED_LIMITS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_wrong_use), cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
