/* The ladder, the pairing, the words and the error paths of a comparison, with a training that is
 * computed instead of run. */
#include "test.h"

#include "study/compare_internal.h"

#include <math.h>

/* What the trainings were asked to do, and what they answer. */
static struct {
    vg_run_options seen[64];
    int count;
    int fail_at; /* -1: never */
    /* added to balanced accuracy (and the other measures) by each change */
    double normalize, rebalance, augment;
    double accuracy; /* not 0: augment does this to the accuracy, up and down, instead */
    double noise;    /* of a training, other in each arm */
    double base;
    double rank; /* effective rank */
    const vg_run_events *events;
} fake;

static vg_status fake_run(const vg_dataset *dataset, const vg_run_options *options,
                          const vg_run_events *events, vg_run_result *result, vg_error *err)
{
    (void)dataset;
    *result = (vg_run_result){0};
    int at = fake.count++;
    assert_in_range(at, 0, 63);
    fake.seen[at] = *options;
    fake.events = events;
    if (at == fake.fail_at)
        return vg_fail(err, VG_E_IO, "disk full");
    double value = fake.base + 0.01 * (double)(options->seed % 5) + fake.noise * sin(17.0 * at);
    value += options->normalization == VG_NORMALIZE_ZSCORE ? fake.normalize : 0;
    value += options->sampling == VG_SAMPLING_BALANCED ? fake.rebalance : 0;
    value += vg_policy_is_none(&options->policy) ? 0 : fake.augment;
    result->final.input_information = value;
    result->final.effective_classes = value;
    result->final.label_information = value;
    double accuracy = value;
    if (fake.accuracy != 0 && !vg_policy_is_none(&options->policy))
        accuracy += fake.accuracy * cos(5.0 * at) - fake.augment;
    result->final.balanced_accuracy = accuracy;
    result->final.missing_count = value < 0.4 ? 3 : 0;
    result->final.effective_rank = fake.rank;
    result->final.recall = calloc(3, sizeof(double)); /* freed with the result */
    result->monitor.settled = value < 0.4 ? VG_VERDICT_PARTIAL : VG_VERDICT_HEALTHY;
    result->seconds = 1 + at % 2;
    return VG_OK;
}

static void reset_fake(void)
{
    memset(&fake, 0, sizeof fake);
    fake.fail_at = -1;
    fake.base = 0.5;
    fake.rank = 1;
}

static vg_run_options full_job(void)
{
    vg_run_options job = {.normalization = VG_NORMALIZE_ZSCORE,
                          .sampling = VG_SAMPLING_BALANCED,
                          .weighting = VG_WEIGHTING_SQRT,
                          .policy = vg_policy_none(),
                          .seed = 99,
                          .order_seed = 4,
                          .checkpoint = "weights"};
    job.policy.flip_horizontal = true;
    return job;
}

static void the_ladder_adds_one_change_per_arm(void **state)
{
    (void)state;
    vg_error err;
    vg_arms ladder;
    vg_run_options job = full_job();
    vg_compare_options options = vg_compare_options_default();
    assert_int_equal(options.seeds, 7);
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 4);
    const vg_run_options *arm = ladder.jobs;
    assert_string_equal(ladder.names[0], "without changes");
    assert_int_equal(arm[0].normalization, VG_NORMALIZE_UNIT);
    assert_int_equal(arm[0].sampling, VG_SAMPLING_SHUFFLE);
    assert_int_equal(arm[0].weighting, VG_WEIGHTING_NONE);
    assert_true(vg_policy_is_none(&arm[0].policy));
    assert_string_equal(ladder.names[1], "+ normalize");
    assert_int_equal(arm[1].normalization, VG_NORMALIZE_ZSCORE);
    assert_int_equal(arm[1].sampling, VG_SAMPLING_SHUFFLE);
    assert_string_equal(ladder.names[2], "+ rebalance");
    assert_int_equal(arm[2].normalization, VG_NORMALIZE_ZSCORE);
    assert_int_equal(arm[2].sampling, VG_SAMPLING_BALANCED);
    assert_int_equal(arm[2].weighting, VG_WEIGHTING_SQRT);
    assert_true(vg_policy_is_none(&arm[2].policy));
    assert_string_equal(ladder.names[3], "+ augment");
    assert_true(arm[3].policy.flip_horizontal);
    for (int i = 0; i < 4; i++) {
        assert_null(arm[i].checkpoint);
        assert_int_equal(arm[i].order_seed, 4);
    }
}

static void absent_changes_are_left_out(void **state)
{
    (void)state;
    vg_error err;
    vg_arms ladder;
    vg_compare_options options = vg_compare_options_default();
    vg_run_options job = full_job();
    job.normalization = VG_NORMALIZE_UNIT;
    job.sampling = VG_SAMPLING_SHUFFLE; /* weighting is left */
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 3);
    assert_int_equal(ladder.pairs[0].change, VG_CHANGE_REBALANCE);
    assert_int_equal(ladder.pairs[1].change, VG_CHANGE_AUGMENT);
    job.normalization = VG_NORMALIZE_NONE;
    job.weighting = VG_WEIGHTING_NONE;
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 2);
    assert_int_equal(ladder.jobs[0].normalization, VG_NORMALIZE_NONE);
    job.policy = vg_policy_none();
    job.mixing = (vg_mixing){0.2, 0, 1}; /* is augmentation too */
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 2);
    assert_false(vg_mixing_is_on(&ladder.jobs[0].mixing));
    assert_true(vg_mixing_is_on(&ladder.jobs[1].mixing));
    job.mixing = (vg_mixing){.chance = 1};
    assert_ok(vg_class_rules_add(&job.class_rules, "rare", "rotate=5", &err)); /* and that */
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 2);
    assert_int_equal(ladder.jobs[0].class_rules.count, 0);
    assert_int_equal(ladder.jobs[1].class_rules.count, 1);
    vg_class_rules_reset(&job.class_rules);
    assert_int_equal(vg_ladder_make(&job, &options, &ladder, &err), VG_E_ARG);
    assert_contains(err.message, "nothing to compare");
}

static void what_is_not_asked_about_stays(void **state)
{
    (void)state;
    vg_error err;
    vg_arms ladder;
    vg_run_options job = full_job();
    vg_compare_options options = {.changes = {VG_CHANGE_AUGMENT}, .change_count = 1, .seeds = 6};
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 2);
    assert_int_equal(ladder.jobs[0].normalization, VG_NORMALIZE_ZSCORE);
    assert_int_equal(ladder.jobs[0].sampling, VG_SAMPLING_BALANCED);
    assert_true(vg_policy_is_none(&ladder.jobs[0].policy));
}

static void the_control_changes_only_the_order(void **state)
{
    (void)state;
    vg_error err;
    vg_arms ladder;
    vg_run_options job = full_job();
    vg_compare_options options = {
        .changes = {VG_CHANGE_NOTHING, VG_CHANGE_NORMALIZE}, .change_count = 2, .seeds = 6};
    assert_ok(vg_ladder_make(&job, &options, &ladder, &err));
    assert_int_equal(ladder.count, 3);
    assert_string_equal(ladder.names[1], "+ nothing");
    assert_int_equal(ladder.jobs[1].normalization, VG_NORMALIZE_UNIT);
    assert_true(ladder.jobs[1].order_seed != ladder.jobs[0].order_seed);
    assert_true(ladder.jobs[2].order_seed == ladder.jobs[1].order_seed);
}

static void impossible_questions_are_refused(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    reset_fake();
    options.seeds = 0;
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err), VG_E_ARG);
    assert_contains(err.message, "0 seeds");
    options.seeds = 6;
    options.change_count = 0;
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err), VG_E_ARG);
    assert_contains(err.message, "0 data changes");
    options.change_count = 2;
    options.changes[1] = options.changes[0];
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err), VG_E_ARG);
    assert_contains(err.message, "\"normalize\" is named twice");
    options.changes[1] = (vg_change)17;
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err), VG_E_ARG);
    assert_int_equal(fake.count, 0);
    assert_null(c.arms);
}

static void arms_share_their_seeds(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    options.first_seed = 30;
    reset_fake();
    fake.rebalance = 0.1;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_int_equal(fake.count, 28);
    for (int i = 0; i < 28; i++) {
        assert_int_equal(fake.seen[i].seed, 30 + i / 4);
        assert_int_equal(fake.seen[i].normalization,
                         i % 4 ? VG_NORMALIZE_ZSCORE : VG_NORMALIZE_UNIT);
    }
    assert_null(fake.events);
    assert_int_equal(c.arm_count, 4);
    assert_int_equal(c.change_count, 3);
    assert_int_equal(c.seeds, 7);
    assert_near(c.arms[0].values[3 * VG_MEASURES + 5], 0.5 + 0.01 * (33 % 5), 1e-15);
    assert_non_null(c.arms[3].example.final.recall);
    assert_near(c.arms[1].seconds, 2, 1e-15);
    assert_near(c.seconds, 7 * (1 + 2 + 1 + 2), 1e-12);
    assert_near(c.effects[0].seconds, 1, 1e-15);
    /* the differences are the same in all seeds: no width, p = 2 / 2^7, times 3 */
    const vg_change_effect *e = &c.effects[1];
    assert_int_equal(e->change, VG_CHANGE_REBALANCE);
    assert_near(e->measures[5].difference, 0.1, 1e-12);
    assert_near(e->measures[5].low, 0.1, 1e-9);
    assert_near(e->measures[5].p, 2.0 / 128, 0);
    assert_near(e->measures[5].p_corrected, 6.0 / 128, 0);
    assert_near(e->after[5] - e->before[5], 0.1, 1e-12);
    assert_string_equal(e->word, "helps");
    assert_string_equal(c.effects[0].word, "no effect seen");
    assert_near(c.effects[0].measures[5].p_corrected, 1, 0);
    vg_comparison_reset(&c);
    assert_null(c.arms);
}

/* Bad before, healthy after, significant. */
static void a_cure_is_called_a_cure(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    reset_fake();
    fake.base = 0.2;
    fake.rebalance = 0.4;
    fake.augment = -0.1;
    fake.noise = 0.005;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_string_equal(c.effects[1].word, "this cures it");
    assert_string_equal(c.effects[2].word, "harms");
    assert_true(c.effects[1].measures[5].low > 0.3);
    assert_int_equal(c.arms[0].verdict, VG_VERDICT_PARTIAL);
    assert_int_equal(c.arms[2].verdict, VG_VERDICT_HEALTHY);
    /* missing classes went from 3 to 0 */
    assert_near(c.effects[1].measures[2].difference, -3, 0);
    vg_comparison_reset(&c);
}

/* A change with itself: the interval covers zero, and nothing is claimed. */
static void noise_is_not_an_effect(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = {.changes = {VG_CHANGE_NOTHING}, .change_count = 1, .seeds = 6};
    reset_fake();
    fake.noise = 0.1;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_true(c.effects[0].measures[5].low < 0 && c.effects[0].measures[5].high > 0);
    assert_contains(c.effects[0].word, "undecided (needs ");
    fake.noise = 0.001;
    fake.count = 0;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_string_equal(c.effects[0].word, "no effect seen");
    vg_comparison_reset(&c);
}

/* Two seeds can decide nothing, however large the difference is. */
static void few_seeds_say_how_many_are_needed(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    options.seeds = 2;
    reset_fake();
    fake.rebalance = 0.3;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_string_equal(c.effects[1].word, "undecided (needs about 7 seeds)");
    options.seeds = 1;
    fake.count = 0;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    assert_true(isinf(c.effects[1].measures[5].high));
    assert_string_equal(c.effects[1].word, "undecided (needs about 7 seeds)");
    vg_comparison_reset(&c);
    assert_int_equal(vg_seeds_least(1), 6);
    assert_int_equal(vg_seeds_least(2), 7);
    assert_int_equal(vg_seeds_least(3), 7);
    assert_int_equal(vg_seeds_least(4), 8);
}

static void diversity_alone_is_not_called_help(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_compare_options options = vg_compare_options_default();
    const char *const words[2] = {"more diverse, accuracy unchanged",
                                  "more diverse, accuracy undecided"};
    for (int wide = 0; wide < 2; wide++) {
        vg_comparison c = {0};
        reset_fake();
        fake.augment = 0.1; /* in every measure but the accuracy */
        fake.accuracy = wide ? 0.2 : 0.005;
        assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
        assert_string_equal(c.effects[2].word, words[wide]);
        vg_comparison_reset(&c);
    }
}

static void a_measure_that_does_not_exist_stays_nan(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    reset_fake();
    fake.rank = NAN;
    fake.rebalance = 0.1;
    assert_ok(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err));
    for (int i = 0; i < 3; i++) {
        assert_true(isnan(c.effects[i].measures[4].difference));
        assert_true(isnan(c.effects[i].measures[4].p_corrected));
        assert_true(isnan(c.effects[i].before[4]));
    }
    assert_string_equal(c.effects[1].word, "helps");
    vg_comparison_reset(&c);
}

static void a_failed_training_names_its_arm(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    vg_compare_options options = vg_compare_options_default();
    reset_fake();
    fake.fail_at = 5;
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, NULL, &c, &err), VG_E_IO);
    assert_string_equal(err.message, "arm \"+ normalize\", seed 2: disk full");
    assert_null(c.arms);
    assert_null(c.effects);
}

static bool stop_at_third(void *context, int done, int total, const char *arm, int seed)
{
    char *told = context;
    size_t used = strlen(told);
    snprintf(told + used, 400 - used, "%d/%d %s %d; ", done, total, arm, seed);
    return done == 3;
}

static void an_event_may_stop_the_study(void **state)
{
    (void)state;
    vg_error err;
    vg_run_options job = full_job();
    vg_comparison c = {0};
    char told[400] = "";
    vg_compare_events events = {.context = told, .training = stop_at_third};
    vg_compare_options options = {.changes = {VG_CHANGE_NORMALIZE}, .change_count = 1, .seeds = 6};
    reset_fake();
    assert_int_equal(vg_compare_with(fake_run, NULL, &job, &options, &events, &c, &err),
                     VG_E_STOPPED);
    assert_string_equal(err.message, "stopped after 3 of 12 trainings");
    assert_int_equal(fake.count, 3);
    assert_ptr_equal(fake.events, &events.run);
    assert_string_equal(told, "0/12 without changes 0; 1/12 + normalize 0; 2/12 without changes 1; "
                              "3/12 + normalize 1; ");
    assert_null(c.arms);
}

static void the_verdict_of_an_arm_is_the_most_frequent(void **state)
{
    (void)state;
    vg_verdict v[] = {VG_VERDICT_HEALTHY,   VG_VERDICT_CONSTANT, VG_VERDICT_HEALTHY,
                      VG_VERDICT_ONE_CLASS, VG_VERDICT_CONSTANT, VG_VERDICT_HEALTHY};
    assert_int_equal(vg_verdict_of_most(v, 6), VG_VERDICT_HEALTHY);
    assert_int_equal(vg_verdict_of_most(v, 5), VG_VERDICT_CONSTANT); /* a tie: the worse */
    v[0] = VG_VERDICT_UNDECIDED;
    assert_int_equal(vg_verdict_of_most(v, 1), VG_VERDICT_UNDECIDED);
    assert_int_equal(vg_verdict_of_most(v + 2, 2), VG_VERDICT_ONE_CLASS);
}

static void words_are_read_back(void **state)
{
    (void)state;
    vg_error err;
    vg_change change;
    for (int i = 0; i < VG_CHANGES; i++) {
        assert_ok(vg_change_parse(vg_change_name((vg_change)i), &change, &err));
        assert_int_equal(change, i);
    }
    assert_int_equal(vg_change_parse("normalise", &change, &err), VG_E_ARG);
    assert_contains(err.message, "\"normalise\"; known are normalize, rebalance");
    vg_diversity d = {.input_information = 1,
                      .effective_classes = 2,
                      .missing_count = 3,
                      .label_information = 4,
                      .effective_rank = 5,
                      .balanced_accuracy = 6};
    for (int m = 0; m < VG_MEASURES; m++)
        assert_near(vg_measure_value(&d, m), m + 1, 0);
    assert_string_equal(vg_measure_name(2), "missing_classes");
    assert_string_equal(vg_measure_name(6), "unknown");
    assert_true(isnan(vg_measure_value(&d, -1)));
}

static void a_remedy_is_held_against_the_data_as_they_are(void **state)
{
    (void)state;
    vg_run_options plain = full_job(), even = full_job(), shifted = full_job();
    vg_comparison c = {0};
    vg_error err;
    plain.sampling = shifted.sampling = VG_SAMPLING_SHUFFLE;
    plain.policy.flip_horizontal = even.policy.flip_horizontal = false;
    const vg_remedy remedies[] = {{.name = "imbalance", .job = &even},
                                  {.name = "flip", .job = &shifted}};
    vg_compare_options how = {.seeds = vg_consequence_seeds(2), .first_seed = 1};
    assert_int_equal(how.seeds, 7);
    reset_fake();
    fake.rebalance = 0.1; /* the second remedy has none of it */
    fake.augment = 0.2;
    assert_ok(vg_consequence_with(fake_run, NULL, &plain, remedies, 2, &how, NULL, &c, &err));
    assert_int_equal(c.arm_count, 3);
    assert_int_equal(c.change_count, 2);
    assert_string_equal(c.arms[2].name, "without flip");
    assert_string_equal(c.effects[0].name, "imbalance");
    assert_near(c.effects[0].measures[5].difference, 0.1, 1e-12);
    assert_near(c.effects[1].measures[5].difference, 0.2, 1e-12);
    assert_string_equal(c.effects[0].word, "helps");
    assert_null(fake.seen[0].checkpoint); /* a study of findings leaves no weights */
    assert_null(fake.seen[2].checkpoint);
    vg_comparison_reset(&c);
}

static void remedies_that_cannot_be_measured_are_refused(void **state)
{
    (void)state;
    vg_run_options plain = full_job();
    vg_comparison c = {0};
    vg_error err;
    const vg_remedy none = {.name = "broken"};
    vg_compare_options how = {.seeds = 6, .first_seed = 1};
    reset_fake();
    assert_int_equal(vg_consequence_with(fake_run, NULL, &plain, &none, 1, &how, NULL, &c, &err),
                     VG_E_ARG);
    assert_contains(err.message, "\"broken\" changes nothing");
    assert_int_equal(vg_consequence_with(fake_run, NULL, &plain, &none, 0, &how, NULL, &c, &err),
                     VG_E_ARG);
    assert_int_equal(fake.count, 0);
    char *folder = test_folder_make();
    vg_dataset *data[2];
    for (int i = 0; i < 2; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%c.csv", folder, 'a' + i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "path,label,split\n1.png,a,train\n2.png,b,%s\n3.png,a,test\n",
                i ? "test" : "train");
        assert_int_equal(fclose(file), 0);
        assert_ok(vg_dataset_open(path, NULL, &data[i], &err));
    }
    const vg_remedy other = {.name = "leak", .dataset = data[1]};
    assert_int_equal(
        vg_consequence_with(fake_run, data[0], &plain, &other, 1, &how, NULL, &c, &err), VG_E_ARG);
    assert_contains(err.message, "2 held-out samples");
    vg_dataset_close(data[0]);
    vg_dataset_close(data[1]);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ladder_adds_one_change_per_arm),
        cmocka_unit_test(absent_changes_are_left_out),
        cmocka_unit_test(what_is_not_asked_about_stays),
        cmocka_unit_test(the_control_changes_only_the_order),
        cmocka_unit_test(impossible_questions_are_refused),
        cmocka_unit_test(arms_share_their_seeds),
        cmocka_unit_test(a_cure_is_called_a_cure),
        cmocka_unit_test(noise_is_not_an_effect),
        cmocka_unit_test(few_seeds_say_how_many_are_needed),
        cmocka_unit_test(diversity_alone_is_not_called_help),
        cmocka_unit_test(a_measure_that_does_not_exist_stays_nan),
        cmocka_unit_test(a_failed_training_names_its_arm),
        cmocka_unit_test(an_event_may_stop_the_study),
        cmocka_unit_test(the_verdict_of_an_arm_is_the_most_frequent),
        cmocka_unit_test(a_remedy_is_held_against_the_data_as_they_are),
        cmocka_unit_test(remedies_that_cannot_be_measured_are_refused),
        cmocka_unit_test(words_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
