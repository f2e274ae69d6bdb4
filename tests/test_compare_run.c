/* A comparison of real trainings: a planted imbalance collapses the bare arm, rebalancing cures it,
 * and the control shows nothing. */
#include "test.h"

#include "make_idx.h"
#include "study/compare.h"

#include <math.h>

enum { SIZE = 12, SEEDS = 6 };

static vg_run_options job_of(void)
{
    vg_error err;
    vg_run_options job = vg_run_options_default();
    const char *const words[] = {"conv 4 k3", "relu", "maxpool 2", "dense 16", "relu"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_ok(vg_net_spec_add(&job.net, words[i], &err));
    job.epochs = 3;
    job.batch = 32;
    job.normalization = VG_NORMALIZE_UNIT;
    job.sampling = VG_SAMPLING_BALANCED;
    return job;
}

static void rebalancing_cures_a_planted_imbalance(void **state)
{
    (void)state;
    vg_error err;
    char *folder;
    const size_t train[] = {796, 4}, test[] = {100, 100};
    vg_dataset *dataset = make_idx_dataset(&folder, train, test, 2, SIZE);
    vg_run_options job = job_of();
    vg_comparison c = {0};
    vg_compare_options options = {.changes = {VG_CHANGE_NOTHING, VG_CHANGE_REBALANCE},
                                  .change_count = 2,
                                  .seeds = SEEDS,
                                  .first_seed = 1};
    assert_ok(vg_compare(dataset, &job, &options, NULL, &c, &err));
    for (int i = 0; i < c.arm_count; i++) {
        print_message("%s: %s, %.2f s\n", c.arms[i].name, vg_verdict_name(c.arms[i].verdict),
                      c.arms[i].seconds);
        for (int s = 0; s < SEEDS; s++)
            print_message("  %s %.3f %.3f\n", vg_verdict_name(c.arms[i].verdicts[s]),
                          c.arms[i].values[s * VG_MEASURES], c.arms[i].values[s * VG_MEASURES + 5]);
    }
    for (int i = 0; i < c.change_count; i++)
        print_message("%s: %+.3f [%.3f, %.3f] p %.3f corrected %.3f: %s\n",
                      c.effects[i].name, c.effects[i].measures[5].difference,
                      c.effects[i].measures[5].low, c.effects[i].measures[5].high,
                      c.effects[i].measures[5].p, c.effects[i].measures[5].p_corrected,
                      c.effects[i].word);
    const vg_paired *control = &c.effects[0].measures[5], *cure = &c.effects[1].measures[5];
    assert_true(c.arms[0].verdict == VG_VERDICT_CONSTANT ||
                c.arms[0].verdict == VG_VERDICT_ONE_CLASS);
    assert_int_equal(c.arms[2].verdict, VG_VERDICT_HEALTHY);
    assert_true(control->low <= 0 && control->high >= 0);
    /* it was another training all the same */
    assert_true(c.arms[0].values[0] != c.arms[1].values[0]);
    assert_true(cure->low > 0);
    assert_near(cure->p, 2.0 / 64, 0);
    assert_string_equal(c.effects[1].word, "this cures it");
    assert_true(isnan(c.effects[1].measures[4].p)); /* effective rank of two classes */
    assert_true(c.arms[2].example.epoch_count == job.epochs + 1);
    vg_comparison_reset(&c);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* The same seed twice is the same training: all differences of a study repeat. */
static void a_study_repeats_itself(void **state)
{
    (void)state;
    vg_error err;
    char *folder;
    const size_t train[] = {60, 40, 50}, test[] = {20, 20, 20};
    vg_dataset *dataset = make_idx_dataset(&folder, train, test, 3, SIZE);
    vg_run_options job = job_of();
    job.epochs = 1;
    vg_comparison a = {0}, b = {0};
    vg_compare_options options = {
        .changes = {VG_CHANGE_REBALANCE}, .change_count = 1, .seeds = 2, .first_seed = 5};
    job.threads = 1;
    assert_ok(vg_compare(dataset, &job, &options, NULL, &a, &err));
    job.threads = 2;
    assert_ok(vg_compare(dataset, &job, &options, NULL, &b, &err));
    for (int i = 0; i < 2; i++)
        assert_memory_equal(a.arms[i].values, b.arms[i].values, 2 * VG_MEASURES * sizeof(double));
    assert_true(a.arms[0].values[5] != a.arms[0].values[VG_MEASURES + 5] ||
                a.arms[0].values[0] != a.arms[0].values[VG_MEASURES]);
    vg_comparison_reset(&a);
    vg_comparison_reset(&b);
    vg_run_options_reset(&job);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rebalancing_cures_a_planted_imbalance),
        cmocka_unit_test(a_study_repeats_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
