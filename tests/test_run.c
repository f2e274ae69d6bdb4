/* Tests of run.h: a whole training on a small dataset. */
#include "make_idx.h"

#include "base/rng.h"
#include "run.h"

#include <math.h>

enum { CLASSES = 4, SIZE = 16 };

static const size_t train_counts[CLASSES] = {90, 80, 70, 60},
                    test_counts[CLASSES] = {40, 40, 40, 40};
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

static vg_run_options job(int epochs)
{
    vg_error err = {0};
    vg_run_options options = vg_run_options_default();
    const char *const layers[] = {"conv 8 k3",  "bn",   "relu",      "maxpool 2",
                                  "conv 12 k3", "relu", "maxpool 2", "dropout 0.1",
                                  "dense 24",   "relu"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
    options.epochs = epochs;
    options.batch = 20;
    options.policy.shift_x = 0.05;
    options.policy.noise = 4;
    return options;
}

static void test_learns_and_reports(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(6);
    vg_run_result result;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_int_equal(result.epoch_count, 7);
    assert_int_equal(result.channels, 1);
    assert_int_equal(result.height, SIZE);
    assert_int_equal(result.width, SIZE);
    assert_int_equal(result.train_samples, 300);
    assert_int_equal(result.held_out, VG_SPLIT_TEST);
    assert_int_equal(result.held_out_samples, 160);
    assert_true(isnan(result.epochs[0].train_loss));
    assert_int_equal(result.epochs[6].step, 90);
    assert_true(result.epochs[6].train_loss < result.epochs[1].train_loss);
    assert_true(result.final.balanced_accuracy > 0.8);
    assert_int_equal(result.monitor.settled, VG_VERDICT_HEALTHY);
    assert_true(result.epochs[0].diversity.input_information < result.final.input_information);
    assert_true(result.epochs[0].diversity.output_change == 0);
    assert_true(result.epochs[6].diversity.output_change > 0.1);
    vg_run_result_reset(&result);
    vg_run_options_reset(&options);
}

/* Everything a run decides, as one number. */
static uint64_t digest(const vg_run_options *options)
{
    vg_error err = {0};
    vg_run_result result;
    assert_ok(vg_run(dataset, options, NULL, &result, &err));
    uint64_t hash = 0;
    for (int i = 0; i < result.epoch_count; i++) {
        const vg_epoch_record *e = &result.epochs[i];
        hash = vg_hash(&e->train_loss, sizeof e->train_loss, hash);
        hash = vg_hash(&e->gradient_norm, sizeof e->gradient_norm, hash);
        hash = vg_hash(&e->diversity.input_information, sizeof(double), hash);
        hash = vg_hash(&e->diversity.loss, sizeof(double), hash);
        hash = vg_hash(&e->diversity.effective_rank, sizeof(double), hash);
        for (int l = 0; l < e->diversity.layer_count; l++)
            hash = vg_hash(&e->diversity.layers[l].spread, sizeof(double), hash);
    }
    vg_run_result_reset(&result);
    return hash;
}

static void test_same_bits_for_any_thread_count(void **state)
{
    (void)state;
    vg_run_options options = job(2);
    options.sampling = VG_SAMPLING_BALANCED;
    options.weighting = VG_WEIGHTING_SQRT;
    options.threads = 1;
    uint64_t one = digest(&options);
    for (int threads = 2; threads <= 4; threads++) {
        options.threads = threads;
        assert_true(digest(&options) == one);
    }
    options.order_seed = 9;
    uint64_t other_order = digest(&options);
    options.order_seed = 0;
    options.seed = 2;
    assert_true(other_order != one && digest(&options) != one);
    vg_run_options_reset(&options);
}

/* The epoch reaches the policy: with a ramp of two epochs the first one has half the strength (a power
 * of two, so that the draws are the same bits). */
static void test_strength_follows_the_epochs(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1);
    assert_ok(vg_policy_parse("rotate=40 contrast=0.5 ramp=2", &options.policy, &err));
    uint64_t ramped = digest(&options);
    assert_ok(vg_policy_parse("rotate=20 contrast=0.25", &options.policy, &err));
    assert_true(digest(&options) == ramped);
    options.epochs = 2;
    uint64_t half = digest(&options);
    assert_ok(vg_policy_parse("rotate=40 contrast=0.5 ramp=2", &options.policy, &err));
    assert_true(digest(&options) != half);
    vg_run_options_reset(&options);
}

static void test_policies_of_classes(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1);
    uint64_t without = digest(&options);
    assert_ok(vg_class_rules_add(&options.class_rules, "2", "shift_x=0.05", &err));
    assert_true(digest(&options) == without); /* as the general policy has it */
    assert_ok(vg_class_rules_add(&options.class_rules, "rare,3", "rotate=20", &err));
    uint64_t with = digest(&options);
    assert_true(with != without);
    options.threads = 3;
    assert_true(digest(&options) == with);
    assert_ok(vg_class_rules_add(&options.class_rules, "cat", "none", &err));
    vg_run_result result;
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    assert_contains(err.message, "a policy for class \"cat\", which");
    vg_run_options_reset(&options);
}

static void test_mixing(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1);
    uint64_t without = digest(&options), of[3];
    options.mixing = (vg_mixing){1, 1, 0};
    assert_true(digest(&options) == without);
    for (int i = 0; i < 3; i++) {
        options.mixing = (vg_mixing){i != 1 ? 1 : 0, i != 0 ? 1 : 0, 1};
        options.weighting = VG_WEIGHTING_INVERSE;
        options.threads = 1;
        of[i] = digest(&options);
        options.threads = 3;
        assert_true(digest(&options) == of[i]);
        assert_true(of[i] != without);
    }
    assert_true(of[0] != of[1] && of[0] != of[2] && of[1] != of[2]);
    options.weighting = VG_WEIGHTING_NONE;
    options.epochs = 8;
    vg_run_result result;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_true(result.final.balanced_accuracy > 0.8);
    /* half pictures are not told apart as well as the whole ones of the probe */
    assert_true(result.epochs[8].train_accuracy < result.final.balanced_accuracy);
    vg_run_result_reset(&result);
    options.batch = 1;
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    assert_contains(err.message, "mixing needs two pictures in a batch");
    vg_run_options_reset(&options);
}

struct stopper {
    uint64_t at;
    int batches, epochs;
};

static bool stop_at(void *context, const vg_run_moment *m)
{
    struct stopper *s = context;
    assert_true(m->epoch >= 1 && m->steps == 45 && isfinite(m->loss));
    assert_true(m->images_per_s > 0 && m->load_share >= 0 && m->limit <= VG_STAGE_CALLER);
    s->batches++;
    return m->step == s->at;
}

static void count_epoch(void *context, const vg_epoch_record *record)
{
    struct stopper *s = context;
    assert_int_equal(record->epoch, s->epochs);
    s->epochs++;
}

static void test_events_and_stopping(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(3);
    struct stopper stopper = {.at = 20};
    vg_run_events events = {&stopper, stop_at, count_epoch};
    vg_run_result result;
    assert_int_equal(vg_run(dataset, &options, &events, &result, &err), VG_E_STOPPED);
    assert_contains(err.message, "20 of 45");
    assert_int_equal(stopper.batches, 20);
    assert_int_equal(stopper.epochs, 2); /* before training, and the first */
    assert_int_equal(result.epoch_count, 2);
    vg_run_result_reset(&result);
    vg_run_options_reset(&options);
}

static void test_checkpoint_evaluates_to_the_same(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(2);
    char *path = vg_path_join(folder, "weights.safetensors");
    options.checkpoint = path;
    vg_run_result result;
    vg_diversity again = {0};
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    const vg_evaluate_options how = {.split = VG_SPLIT_TEST};
    assert_ok(vg_evaluate(dataset, path, &how, &again, &err));
    assert_int_equal(again.samples, result.final.samples);
    assert_near(again.accuracy, result.final.accuracy, 0);
    assert_near(again.input_information, result.final.input_information, 1e-9);
    assert_near(again.loss, result.final.loss, 1e-9);
    /* another dataset with fewer classes is refused */
    char *other_folder;
    vg_dataset *other = make_idx_dataset(&other_folder, train_counts, test_counts, 3, SIZE);
    assert_int_equal(vg_evaluate(other, path, &how, &again, &err), VG_E_STATE);
    assert_contains(err.message, "4 classes");
    vg_dataset_close(other);
    test_folder_remove(other_folder);
    vg_diversity_reset(&again);
    vg_run_result_reset(&result);
    vg_run_options_reset(&options);
    free(path);
}

/* Means over white are not those over black. */
static void test_statistics_of_another_background_are_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    char *path = vg_path_join(folder, "white.stats");
    vg_dataset *white = NULL;
    vg_dataset_options open = vg_dataset_options_default();
    open.background = VG_BACKGROUND_WHITE;
    assert_ok(vg_dataset_open(folder, &open, &white, &err));
    vg_run_options options = job(1);
    options.normalization = VG_NORMALIZE_ZSCORE;
    assert_ok(vg_run_prepare(white, &options, &err));
    assert_ok(vg_run_statistics_save(&options, white, path, &err));
    vg_run_options_reset(&options);
    options = job(1);
    options.statistics = path;
    assert_int_equal(vg_run_prepare(dataset, &options, &err), VG_E_STATE);
    assert_contains(err.message, "over white");
    assert_contains(err.message, "input.background=white");
    assert_ok(vg_run_prepare(white, &options, &err));
    assert_int_equal(options.normalization, VG_NORMALIZE_ZSCORE);
    vg_run_options_reset(&options);
    vg_dataset_close(white);
    free(path);
}

static void test_explosion_ends_the_run_with_a_finding(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(5);
    options.schedule.base = 1e18;
    options.schedule.warmup_share = 0;
    vg_run_result result;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_true(result.monitor.not_finite);
    assert_true(result.epoch_count < 6);
    vg_run_result_reset(&result);
    vg_run_options_reset(&options);
}

/* A linear network with weights near the largest float: the loss of a batch overflows while some held-out images still
 * have finite outputs. Whatever is left finite, the run ends as bad. */
static void test_partial_overflow_settles(void **state)
{
    (void)state;
    vg_error err = {0};
    int partial = 0;
    for (int i = 0; i < 11; i++) {
        double rate = 4e36 * pow(1.25, i);
        vg_run_options options = vg_run_options_default();
        assert_ok(vg_net_spec_add(&options.net, "flatten", &err));
        options.epochs = 5;
        options.batch = 20;
        options.schedule.kind = VG_SCHEDULE_CONSTANT;
        options.schedule.warmup_share = 0;
        options.schedule.base = rate;
        options.optimizer.momentum = options.optimizer.weight_decay = 0;
        options.optimizer.clip_norm = 0; /* which would keep it finite */
        vg_run_result result;
        assert_ok(vg_run(dataset, &options, NULL, &result, &err));
        if (result.epoch_count < 6) {
            double share = result.final.nonfinite_share;
            partial += share > 0 && share < 1;
            assert_true(result.monitor.not_finite);
            assert_int_not_equal(result.monitor.settled, VG_VERDICT_UNDECIDED);
            assert_int_not_equal(result.monitor.settled, VG_VERDICT_HEALTHY);
        }
        vg_run_result_reset(&result);
        vg_run_options_reset(&options);
    }
    assert_true(partial > 0);
}

static bool same_final(const vg_run_result *a, const vg_run_result *b)
{
    size_t cells = (size_t)CLASSES * CLASSES;
    return a->final.loss == b->final.loss && a->final.accuracy == b->final.accuracy &&
           memcmp(a->final.confusion, b->final.confusion, cells * sizeof *a->final.confusion) == 0;
}

/* A whitening layer is fitted to the dataset, whatever the number of threads, and serves to learn. */
static void test_whitening_layer(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_result first, second;
    for (int i = 0; i < 2; i++) {
        vg_run_options options = vg_run_options_default();
        const char *const layers[] = {"conv 0 k2 p0 whiten", "gelu", "conv 8 k3",
                                      "maxpool 2",           "bn",   "gelu"};
        for (size_t k = 0; k < sizeof layers / sizeof *layers; k++)
            assert_ok(vg_net_spec_add(&options.net, layers[k], &err));
        options.epochs = 3;
        options.batch = 20;
        options.threads = 1 + 2 * i;
        assert_ok(vg_run(dataset, &options, NULL, i ? &second : &first, &err));
        vg_run_options_reset(&options);
    }
    assert_true(first.final.accuracy > 0.5);
    assert_true(same_final(&first, &second));
    vg_run_result_reset(&first);
    vg_run_result_reset(&second);
}

static void test_wrong_options(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_result result;
    vg_run_options options = job(0);
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    options.epochs = 1;
    options.schedule.base = 0;
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    assert_contains(err.message, "learning rate");
    vg_run_options_reset(&options);
    options = vg_run_options_default();
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_ARG);
    assert_contains(err.message, "no layers");
    options = job(1);
    options.height = options.width = 2;
    assert_int_equal(vg_run(dataset, &options, NULL, &result, &err), VG_E_SHAPE);
    vg_run_options_reset(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns_and_reports),
        cmocka_unit_test(test_same_bits_for_any_thread_count),
        cmocka_unit_test(test_strength_follows_the_epochs),
        cmocka_unit_test(test_policies_of_classes),
        cmocka_unit_test(test_mixing),
        cmocka_unit_test(test_events_and_stopping),
        cmocka_unit_test(test_checkpoint_evaluates_to_the_same),
        cmocka_unit_test(test_statistics_of_another_background_are_refused),
        cmocka_unit_test(test_explosion_ends_the_run_with_a_finding),
        cmocka_unit_test(test_partial_overflow_settles),
        cmocka_unit_test(test_whitening_layer),
        cmocka_unit_test(test_wrong_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
