/* The user's question, asked of real pictures: does a collapse get its name, does the comparison show what cures it, and
 * is a healthy net left in peace? T-shirt against Dress of Fashion-MNIST, 2,000 training images, the plain net: at 199 : 1
 * the net says "T-shirt" to everything, balanced it does not.
 * Needs VG_DATA (a folder with fashion-mnist/ in it); skipped without. */
#include "test.h"

#include "base/file.h"
#include "study/compare.h"

#include <math.h>

static char *path;

static int setup(void **state)
{
    (void)state;
    const char *data = getenv("VG_DATA");
    path = data && *data ? vg_path_join(data, "fashion-mnist") : NULL;
    if (path && !vg_path_is_folder(path)) {
        free(path);
        path = NULL;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(path);
    return 0;
}

static vg_dataset *open_pair(size_t shirts, size_t dresses)
{
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_dataset_options options = vg_dataset_options_default();
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    const char *const classes[] = {"0", "3"};
    const size_t limits[] = {shirts, dresses};
    vg_selection selection = {.classes = classes,
                              .class_count = 2,
                              .limit_classes = classes,
                              .limits = limits,
                              .limit_count = 2};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    return dataset;
}

/* Net B of the collapse cases and its training. */
static vg_run_options plain_job(void)
{
    vg_error err = {0};
    vg_run_options job = vg_run_options_default();
    assert_ok(vg_net_spec_preset("plain", &job.net, &err));
    job.epochs = 6;
    job.batch = 64;
    job.normalization = VG_NORMALIZE_UNIT;
    job.optimizer.kind = VG_OPTIMIZER_SGD;
    job.optimizer.momentum = 0;
    job.optimizer.clip_norm = 0;
    job.optimizer.weight_decay = 1e-5;
    job.schedule.kind = VG_SCHEDULE_CONSTANT;
    job.schedule.base = 0.1;
    job.schedule.warmup_share = 0;
    return job;
}

static vg_comparison compare(const vg_dataset *dataset, const vg_run_options *job,
                             const vg_change *changes, int count, int seeds)
{
    vg_error err = {0};
    vg_compare_options options = vg_compare_options_default();
    vg_comparison result = {0};
    options.change_count = count;
    for (int i = 0; i < count; i++)
        options.changes[i] = changes[i];
    options.seeds = seeds;
    assert_ok(vg_compare(dataset, job, &options, NULL, &result, &err));
    return result;
}

static int measure_index(const char *name)
{
    for (int m = 0; m < VG_MEASURES; m++) {
        if (strcmp(vg_measure_name(m), name) == 0)
            return m;
    }
    fail_msg("no measure %s", name);
    return -1;
}

static void test_imbalance_collapses_and_rebalancing_restores(void **state)
{
    (void)state;
    if (!path)
        skip();
    vg_dataset *dataset = open_pair(1990, 10);
    vg_run_options job = plain_job();
    job.sampling = VG_SAMPLING_BALANCED;
    const vg_change changes[] = {VG_CHANGE_REBALANCE};
    vg_comparison c = compare(dataset, &job, changes, 1, 6);
    assert_int_equal(c.arm_count, 2);
    for (int seed = 0; seed < 6; seed++) {
        assert_true(c.arms[0].verdicts[seed] == VG_VERDICT_ONE_CLASS ||
                    c.arms[0].verdicts[seed] == VG_VERDICT_CONSTANT);
    }
    assert_int_equal(c.arms[1].verdict, VG_VERDICT_HEALTHY);
    const char *const restored[] = {"input_information", "effective_classes", "label_information",
                                    "balanced_accuracy"};
    for (size_t i = 0; i < sizeof restored / sizeof *restored; i++) {
        const vg_paired *p = &c.effects[0].measures[measure_index(restored[i])];
        print_message("%s %+.3f [%.3f, %.3f] p %.3f\n", restored[i], p->difference, p->low, p->high,
                      p->p_corrected);
        assert_true(p->low > 0);
        assert_true(p->p_corrected <= 0.05);
    }
    vg_comparison_reset(&c);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
}

static void test_a_change_against_itself_covers_zero(void **state)
{
    (void)state;
    if (!path)
        skip();
    vg_dataset *dataset = open_pair(1000, 1000);
    vg_run_options job = plain_job();
    job.epochs = 4;
    const vg_change changes[] = {VG_CHANGE_NOTHING};
    vg_comparison c = compare(dataset, &job, changes, 1, 6);
    int differ = 0;
    for (int m = 0; m < VG_MEASURES; m++) {
        const vg_paired *p = &c.effects[0].measures[m];
        if (isnan(p->difference))
            continue; /* the effective rank of two classes */
        print_message("%s %+.4f [%.4f, %.4f] p %.3f\n", vg_measure_name(m), p->difference, p->low,
                      p->high, p->p_corrected);
        assert_true(p->low <= 0 && p->high >= 0);
        differ += p->difference != 0;
    }
    assert_true(differ > 2); /* the order really was another */
    vg_comparison_reset(&c);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
}

static void test_a_healthy_net_stays_healthy_and_undecided_is_said(void **state)
{
    (void)state;
    if (!path)
        skip();
    vg_dataset *dataset = open_pair(1000, 1000);
    vg_run_options job = plain_job();
    job.normalization = VG_NORMALIZE_ZSCORE;
    const vg_change changes[] = {VG_CHANGE_NORMALIZE};
    vg_comparison c = compare(dataset, &job, changes, 1, 3); /* 3 pairs can never reach p 0.05 */
    assert_int_equal(c.arms[0].verdict, VG_VERDICT_HEALTHY);
    assert_int_equal(c.arms[1].verdict, VG_VERDICT_HEALTHY);
    print_message("%s\n", c.effects[0].word);
    assert_true(strstr(c.effects[0].word, "undecided") || strstr(c.effects[0].word, "no effect"));
    vg_comparison_reset(&c);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
}

/* One training; its balanced accuracy and verdict. */
static double train(const vg_dataset *dataset, const vg_run_options *job, uint64_t seed,
                    vg_verdict *verdict)
{
    vg_error err = {0};
    vg_run_options options = *job; /* lent */
    vg_run_result result = {0};
    options.seed = seed;
    assert_ok(vg_run(dataset, &options, NULL, &result, &err));
    double accuracy = result.final.balanced_accuracy;
    *verdict = result.monitor.settled;
    vg_run_result_reset(&result);
    return accuracy;
}

static void set_net(vg_run_options *job, const char *const *words)
{
    vg_error err = {0};
    vg_net_spec_reset(&job->net);
    for (; *words; words++)
        assert_ok(vg_net_spec_add(&job->net, *words, &err));
}
#define PLAIN_TRUNK                                                                                \
    "conv 8 k5", "relu", "maxpool 2", "conv 16 k3", "relu", "maxpool 2", "dense 128", "relu"

/* The same one-class collapse at 199 : 1, and losses that know how rare a class is. Focal loss and sigmoids do not, and
 * are no cure here: they make the rare images count more in a net that is right about them already a little. */
static void test_losses_restore_what_imbalance_collapses(void **state)
{
    (void)state;
    if (!path)
        skip();
    enum { SEEDS = 4 };
    vg_dataset *dataset = open_pair(1990, 10);
    double all_adjusted = 0, all_deferred = 0, all_ldam = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        vg_verdict verdict;
        vg_run_options job = plain_job();
        assert_true(train(dataset, &job, seed, &verdict) < 0.52);
        assert_true(verdict == VG_VERDICT_ONE_CLASS || verdict == VG_VERDICT_CONSTANT);

        job.loss.kind = VG_LOSS_LOGIT_ADJUSTED;
        double adjusted = train(dataset, &job, seed, &verdict);
        assert_int_equal(verdict, VG_VERDICT_HEALTHY);

        job.loss.kind = VG_LOSS_SOFTMAX;
        job.weighting = VG_WEIGHTING_EFFECTIVE;
        job.weights_beta = 0.9999;
        job.weights_from = 0.5;
        double deferred = train(dataset, &job, seed, &verdict);

        set_net(&job, (const char *const[]){PLAIN_TRUNK, "cosine classes", "linear 10", NULL});
        job.loss.kind = VG_LOSS_LDAM;
        job.loss.scale = 10;
        double ldam = train(dataset, &job, seed, &verdict);
        print_message("seed %d: logit-adjusted %.3f, deferred weights %.3f, ldam with these %.3f\n",
                      (int)seed, adjusted, deferred, ldam);
        all_adjusted += adjusted / SEEDS;
        all_deferred += deferred / SEEDS;
        all_ldam += ldam / SEEDS;
        vg_run_options_reset(&job);
    }
    /* of all seeds: with ten rare images a single one says little (margins gave 0.52 to 0.86 for six
     * seeds), and rounding decides which one is the bad one */
    assert_true(all_adjusted > 0.8 && all_deferred > 0.7 && all_ldam > 0.6);
    vg_dataset_close(dataset);
}

/* Softmax applied twice leaves classes out that the same net names when it is applied once; logits taken for
 * probabilities give one output for everything. All three are said before anything is trained. */
static void test_outputs_that_the_loss_misunderstands(void **state)
{
    (void)state;
    if (!path)
        skip();
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_dataset_options options = vg_dataset_options_default();
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    vg_selection selection = {.train_total = 2000, .held_out_total = 2000};
    assert_ok(vg_dataset_select(dataset, &selection, &err));
    vg_run_options job = plain_job();
    vg_verdict verdict;
    set_net(&job, (const char *const[]){PLAIN_TRUNK, "dense classes", "softmax", NULL});
    assert_null(vg_run_warning(&job));
    double once = train(dataset, &job, 2, &verdict);
    assert_int_equal(verdict, VG_VERDICT_HEALTHY);
    job.loss.from_logits = VG_FROM_LOGITS_YES;
    assert_contains(vg_run_warning(&job), "applies its own");
    double twice = train(dataset, &job, 2, &verdict);
    assert_int_equal(verdict, VG_VERDICT_PARTIAL);
    assert_true(once > 0.7 && twice < once - 0.1);
    set_net(&job, (const char *const[]){PLAIN_TRUNK, NULL});
    job.loss.from_logits = VG_FROM_LOGITS_NO;
    assert_contains(vg_run_warning(&job), "taken for probabilities");
    double never = train(dataset, &job, 2, &verdict);
    assert_int_equal(verdict, VG_VERDICT_CONSTANT);
    assert_true(never < 0.12);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imbalance_collapses_and_rebalancing_restores),
        cmocka_unit_test(test_a_change_against_itself_covers_zero),
        cmocka_unit_test(test_a_healthy_net_stays_healthy_and_undecided_is_said),
        cmocka_unit_test(test_losses_restore_what_imbalance_collapses),
        cmocka_unit_test(test_outputs_that_the_loss_misunderstands),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
