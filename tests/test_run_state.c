/* Tests of a run that is cut off and taken up again: the same bits as one that never was. */
#include "make_idx.h"

#include "base/rng.h"
#include "run.h"

#include <math.h>

enum { CLASSES = 4, SIZE = 16 };

static const size_t train_counts[CLASSES] = {90, 80, 70, 60},
                    test_counts[CLASSES] = {40, 40, 40, 40};
static vg_dataset *dataset;
static char *folder, *state_path, *weights_path, *best_path;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, CLASSES, SIZE);
    state_path = vg_path_join(folder, "resume.safetensors");
    weights_path = vg_path_join(folder, "weights.safetensors");
    best_path = vg_path_join(folder, "best.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    free(state_path);
    free(weights_path);
    free(best_path);
    return 0;
}

static vg_run_options job(int epochs)
{
    vg_error err = {0};
    vg_run_options options = vg_run_options_default();
    const char *const layers[] = {"conv 8 k3",          "bn",          "relu",     "maxpool 2",
                                  "spatialdropout 0.1", "dropout 0.1", "dense 24", "relu"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
    options.epochs = epochs;
    options.batch = 20;
    options.policy.shift_x = 0.05;
    options.policy.noise = 4;
    options.mixing = (vg_mixing){.mixup = 0.4, .chance = 0.5};
    options.sampling = VG_SAMPLING_BALANCED;
    options.checkpoint = weights_path;
    options.best = best_path;
    options.state = state_path;
    options.identity = "net: small\nlearning_rate: 0.05\n";
    return options;
}

static uint64_t file_hash(const char *path)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    uint64_t hash = vg_hash(bytes.data, bytes.size, 0);
    vg_bytes_reset(&bytes);
    return hash;
}

static uint64_t mix_diversity(const vg_diversity *d, uint64_t hash)
{
    const double figures[] = {d->input_information,
                              d->input_information_low,
                              d->effective_classes,
                              d->label_information,
                              d->effective_rank,
                              d->balanced_accuracy,
                              d->loss,
                              d->output_change};
    hash = vg_hash(figures, sizeof figures, hash);
    hash = vg_hash(d->confusion, CLASSES * CLASSES * sizeof *d->confusion, hash);
    for (int l = 0; l < d->layer_count; l++)
        hash = vg_hash(&d->layers[l].spread, sizeof(double), hash);
    return hash;
}

/* Everything a run decides, its files included, as one number. */
static uint64_t digest(const vg_run_result *result)
{
    uint64_t hash = mix_diversity(&result->final, (uint64_t)result->epoch_count);
    for (int i = 0; i < result->epoch_count; i++) {
        const vg_epoch_record *e = &result->epochs[i];
        const double figures[] = {e->train_loss, e->train_accuracy, e->gradient_norm,
                                  e->learning_rate};
        hash = vg_hash(figures, sizeof figures, hash);
        hash = vg_hash(&e->step, sizeof e->step, hash);
        hash = vg_hash(&e->verdict, sizeof e->verdict, hash);
        hash = mix_diversity(&e->diversity, hash);
    }
    const vg_monitor *m = &result->monitor;
    const uint64_t memory[] = {(uint64_t)m->settled,   m->onset_step,
                               m->recovery_step,       (uint64_t)m->measurements,
                               (uint64_t)result->best, (uint64_t)result->ended};
    hash = vg_hash(memory, sizeof memory, hash);
    hash = vg_hash(m->reason, strlen(m->reason), hash);
    return vg_mix(hash, vg_mix(file_hash(weights_path), file_hash(best_path)));
}

/* Stops at every step that is a multiple of `every`, counted by steps of this call. */
struct stopper {
    int every, seen;
};

static bool stop(void *context, const vg_run_moment *moment)
{
    struct stopper *s = context;
    (void)moment;
    return s->every && ++s->seen == s->every;
}

static void clear(void)
{
    remove(state_path);
    remove(weights_path);
    remove(best_path);
}

/* Runs to the end, stopped after every so many steps (0: never); the state is kept every `kept` steps. */
static uint64_t run_in_pieces(vg_run_options *options, int every, int *pieces)
{
    vg_error err = {0};
    clear();
    for (*pieces = 1;; ++*pieces) {
        struct stopper stopper = {.every = every};
        vg_run_events events = {&stopper, stop, NULL};
        vg_run_result result;
        options->resume = true;
        options->threads = 1 + *pieces % 3;
        vg_status status = vg_run(dataset, options, &events, &result, &err);
        if (status == VG_E_STOPPED) {
            vg_run_result_reset(&result);
            assert_true(*pieces < 200);
            continue;
        }
        assert_ok(status);
        assert_true((result.resumed_step == UINT64_MAX) == (*pieces == 1));
        uint64_t found = digest(&result);
        vg_run_result_reset(&result);
        return found;
    }
}

static void same_for_any_pieces(vg_run_options *options)
{
    int pieces;
    uint64_t whole = run_in_pieces(options, 0, &pieces);
    assert_int_equal(pieces, 1);
    for (int every = 1; every < 40; every = every * 2 + 1) {
        assert_true(run_in_pieces(options, every, &pieces) == whole);
        assert_true(pieces > 1);
    }
}

static void test_same_bits_in_pieces(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(3); /* fewer than five epochs: looks in between */
    same_for_any_pieces(&options);
    options.optimizer.kind = VG_OPTIMIZER_ADAM;
    options.optimizer.lookahead = 3;
    options.optimizer.lookahead_alpha = 0.5;
    options.optimizer.ema = 0.9;
    options.schedule.base = 0.002;
    assert_ok(vg_param_rules_add(&options.freeze, "*.bn.*", 0, &err));
    options.freeze_epochs = 2;
    options.accumulate = 4; /* does not divide the 15 batches of an epoch */
    options.weighting = VG_WEIGHTING_SQRT;
    same_for_any_pieces(&options);
    vg_run_options_reset(&options);
}

static void test_plateau_and_ending_go_on(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(9);
    options.schedule.kind = VG_SCHEDULE_PLATEAU;
    options.plateau = (vg_plateau_options){.factor = 0.5, .threshold = 0.2, .patience = 0};
    options.stop_patience = 3;
    options.stop_min_delta = 0.3;
    options.best_by = VG_WATCH_INPUT_INFORMATION;
    same_for_any_pieces(&options);
    vg_run_result result;
    clear();
    options.resume = false;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_true(result.ended && result.epoch_count < 10);
    assert_true(result.epochs[result.epoch_count - 1].learning_rate <
                result.epochs[2].learning_rate);
    for (int i = 1; i < result.epoch_count; i++)
        assert_true(result.epochs[i].diversity.input_information <=
                    result.epochs[result.best].diversity.input_information);
    vg_run_result_reset(&result);
    vg_run_options_reset(&options);
}

/* Groups of batches make the steps of one large batch, to rounding. */
static void test_accumulation_is_a_large_batch(void **state)
{
    (void)state;
    vg_error err = {0};
    double losses[2][3];
    for (int way = 0; way < 2; way++) {
        vg_run_options options = vg_run_options_default();
        static const char *const layers[] = {"conv 6 k3", "relu", "maxpool 2", "dense 12", "relu"};
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            assert_ok(vg_net_spec_add(&options.net, layers[i], &err));
        options.epochs = 2;
        options.batch = way ? 10 : 30;
        options.accumulate = way ? 3 : 1;
        options.weighting = VG_WEIGHTING_INVERSE;
        options.policy.shift_x = 0.1;
        vg_run_result result;
        assert_ok(vg_run(dataset, &options, NULL, &result, &err));
        for (int e = 0; e < 3; e++)
            losses[way][e] = result.epochs[e].diversity.loss;
        vg_run_result_reset(&result);
        vg_run_options_reset(&options);
    }
    assert_true(losses[0][2] < 0.9 * losses[0][0]);
    for (int e = 0; e < 3; e++)
        assert_near(losses[1][e], losses[0][e], 1e-4);
}

/* Cut off without a word: whatever state was written last will do. */
static void test_states_within_an_epoch(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(2);
    int pieces;
    uint64_t whole = run_in_pieces(&options, 0, &pieces);
    char *copy = vg_path_join(folder, "copy.safetensors");
    clear();
    options.state_steps = 4;
    options.resume = false;
    struct stopper stopper = {.every = 11};
    vg_run_events events = {&stopper, stop, NULL};
    vg_run_result result;
    options.state = copy;
    assert_int_equal(vg_run(dataset, &options, &events, &result, &err), VG_E_STOPPED);
    assert_true(result.epoch_count == 1);
    vg_run_result_reset(&result);
    options.resume = true;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_int_equal(result.resumed_step, 11);
    assert_true(digest(&result) == whole);
    vg_run_result_reset(&result);
    /* a finished one has nothing left but the last look */
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    assert_int_equal(result.resumed_step, 30);
    assert_true(digest(&result) == whole);
    vg_run_result_reset(&result);
    free(copy);
    vg_run_options_reset(&options);
}

/* Another machine's instructions round differently: the run goes on, and says so to its end. */
static void test_another_machine_is_told(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(3);
    vg_run_result result;
    clear();
    static const vg_simd machines[] = {VG_SIMD_PLAIN, VG_SIMD_PLAIN, VG_SIMD_AVX512, VG_SIMD_PLAIN};
    bool several = vg_simd_best() != VG_SIMD_PLAIN;
    for (int piece = 0; piece < 4; piece++) {
        struct stopper stopper = {.every = piece < 3 ? 5 : 0};
        vg_run_events events = {&stopper, stop, NULL};
        vg_simd_limit(machines[piece]);
        vg_status status = vg_run(dataset, &options, &events, &result, &err);
        assert_int_equal(status, piece < 3 ? VG_E_STOPPED : VG_OK);
        assert_true(result.other_machine == (several && piece >= 2));
        vg_run_result_reset(&result);
        options.resume = true;
    }
    vg_simd_limit(VG_SIMD_AVX512);
    vg_run_options_reset(&options);
}

static void expect(vg_run_options *options, vg_status wanted, const char *part)
{
    vg_error err = {0};
    vg_run_result result;
    assert_int_equal(vg_run(dataset, options, NULL, &result, &err), wanted);
    assert_contains(err.message, part);
}

static void test_another_run_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1), other = job(1);
    vg_run_result result;
    clear();
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    vg_run_result_reset(&result);
    assert_ok(vg_run_state_fits(state_path, options.identity, &err));
    other.resume = true;
    other.identity = "net: small\nlearning_rate: 0.01\n";
    expect(&other, VG_E_STATE, "there \"learning_rate: 0.05\", here \"learning_rate: 0.01\"");
    assert_int_equal(vg_run_state_fits(state_path, other.identity, &err), VG_E_STATE);
    other.identity = "net: small\n";
    expect(&other, VG_E_STATE, "here \"\"");
    other.identity = options.identity;
    other.epochs = 2;
    expect(&other, VG_E_STATE, "epochs: 1");
    other.epochs = 1;
    other.seed = 5;
    expect(&other, VG_E_STATE, "seed: 1");
    other.seed = 1;
    other.normalization = VG_NORMALIZE_UNIT;
    expect(&other, VG_E_STATE, "normalization as fitted");
    other.normalization = VG_NORMALIZE_ZSCORE;
    assert_ok(vg_net_spec_add(&other.net, "dense 8", &err));
    expect(&other, VG_E_SHAPE, state_path);
    vg_dataset *shorter;
    char *there;
    const size_t fewer[CLASSES] = {90, 80, 70, 59};
    shorter = make_idx_dataset(&there, fewer, test_counts, CLASSES, SIZE);
    options.resume = true;
    assert_int_equal(vg_run(shorter, &options, NULL, &result, &err), VG_E_STATE);
    assert_contains(err.message, "images: 460");
    vg_dataset_close(shorter);
    test_folder_remove(there);
    vg_run_options_reset(&options);
    vg_run_options_reset(&other);
}

static void test_damaged_states_are_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_run_options options = job(1);
    vg_run_result result;
    clear();
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    vg_run_result_reset(&result);
    options.resume = true;
    options.state = weights_path;
    expect(&options, VG_E_FORMAT, "holds weights, but no state of a run");
    options.state = state_path;
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(state_path, 0, &bytes, &err));
    for (size_t at = bytes.size - 1; at > bytes.size / 2; at -= bytes.size / 7) {
        bytes.data[at] ^= 4;
        assert_ok(vg_file_write(state_path, bytes.data, bytes.size, &err));
        expect(&options, VG_E_FORMAT, "the checksum does not fit");
        bytes.data[at] ^= 4;
    }
    assert_ok(vg_file_write(state_path, bytes.data, bytes.size / 2, &err));
    expect(&options, VG_E_FORMAT, "cut off");
    vg_bytes_reset(&bytes);
    vg_run_options_reset(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_in_pieces),
        cmocka_unit_test(test_plateau_and_ending_go_on),
        cmocka_unit_test(test_accumulation_is_a_large_batch),
        cmocka_unit_test(test_states_within_an_epoch),
        cmocka_unit_test(test_another_run_is_refused),
        cmocka_unit_test(test_another_machine_is_told),
        cmocka_unit_test(test_damaged_states_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
