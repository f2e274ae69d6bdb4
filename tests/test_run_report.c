/* Tests of tools/report/run.h on made-up results: every form, with names that need escaping, values
 * that do not exist, and both verdict directions. */
#include "test.h"

#include "report/run.h"

#include "base/alloc.h"

#include <math.h>

enum { K = 3 };

static const char *const classes[K] = {"cat <b>", "do\"g", "caf\xE9"}; /* the last is no UTF-8 */
static const size_t counts[VG_SPLIT_COUNT][K] = {{90, 9, 1}, {10, 10, 10}, {0, 0, 0}};
static const char *const bad_names[1] = {"cat/<odd>.jpg"};
static vg_job job;
static vg_error err;
static char *memory;

static vg_diversity diversity(bool collapsed)
{
    vg_diversity d = {.classes = K,
                      .samples = 30,
                      .input_information = collapsed ? 0.05 : 0.6,
                      .input_information_low = 0.01,
                      .input_information_high = 0.07,
                      .effective_classes = collapsed ? 1.0 / K : 1,
                      .top_share = collapsed ? 1 : 0.4,
                      .top_label_share = 1.0 / K,
                      .missing_count = collapsed ? 2 : 0,
                      .label_information = 0.2,
                      .label_information_p = 0.002,
                      .effective_rank = NAN,
                      .accuracy = 0.5,
                      .balanced_accuracy = collapsed ? 1.0 / K : 0.8,
                      .balanced_low = 0.7,
                      .balanced_high = 0.9,
                      .loss = INFINITY,
                      .layer_count = 2,
                      .collapsed_layer = collapsed ? 1 : -1};
    d.predicted_share = vg_calloc(K, sizeof(double));
    d.label_share = vg_calloc(K, sizeof(double));
    d.recall = vg_calloc(K, sizeof(double));
    d.confusion = vg_calloc(K * K, sizeof(size_t));
    d.missing = vg_calloc(K, sizeof(bool));
    d.layers = vg_calloc(2, sizeof *d.layers);
    for (int k = 0; k < K; k++) {
        d.predicted_share[k] = collapsed ? k == 0 : 1.0 / K;
        d.label_share[k] = 1.0 / K;
        d.recall[k] = k == 2 ? NAN : 0.5;
        d.missing[k] = collapsed && k > 0;
        d.confusion[k * K] = 10;
    }
    snprintf(d.layers[0].name, sizeof d.layers[0].name, "input");
    snprintf(d.layers[1].name, sizeof d.layers[1].name, "1.conv<&>");
    d.layers[0].spread = 0.4;
    return d;
}

static vg_run_result result_of(bool collapsed)
{
    vg_run_result r = {.epoch_count = 2,
                       .final = diversity(collapsed),
                       .held_out = VG_SPLIT_VAL,
                       .train_samples = 100,
                       .held_out_samples = 30,
                       .probe_samples = 30,
                       .bad_samples = 1,
                       .parameters = 1234,
                       .channels = 1,
                       .height = 8,
                       .width = 8,
                       .seconds = 2};
    r.monitor.settled = r.monitor.last = collapsed ? VG_VERDICT_ONE_CLASS : VG_VERDICT_HEALTHY;
    r.monitor.onset_step = collapsed ? 24 : UINT64_MAX;
    r.monitor.recovery_step = UINT64_MAX;
    r.epochs = vg_calloc(2, sizeof *r.epochs);
    for (int i = 0; i < 2; i++)
        r.epochs[i] = (vg_epoch_record){.epoch = i,
                                        .step = (uint64_t)i * 10,
                                        .train_loss = i ? 0.5 : NAN,
                                        .train_accuracy = i ? 0.5 : NAN,
                                        .learning_rate = i ? 0.1 : NAN,
                                        .gradient_norm = i ? 1 : NAN,
                                        .images_per_s = i * 100.0,
                                        .diversity = diversity(collapsed)};
    r.bad = vg_calloc(1, sizeof *r.bad);
    r.bad[0].cause = VG_CAUSE_DAMAGED;
    r.bad[0].offset = 4711;
    r.bad[0].intact = 0.25;
    r.bad_counts[VG_BAD_SKIPPED] = 1;
    r.limit = VG_STAGE_DECODE;
    r.loading = (vg_loader_times){.decode = 2, .samples = 100, .decoded = 100};
    snprintf(r.bad[0].reason, sizeof r.bad[0].reason, "cat/<odd>.jpg: truncated <here>");
    return r;
}

static vg_comparison comparison_of(int seeds)
{
    vg_comparison c = {.arm_count = 2, .change_count = 1, .seeds = seeds, .seconds = 100};
    c.arms = vg_calloc(2, sizeof *c.arms);
    c.effects = vg_calloc(1, sizeof *c.effects);
    for (int a = 0; a < 2; a++) {
        snprintf(c.arms[a].name, sizeof c.arms[a].name, "%s",
                 a ? "+ rebalance" : "without changes");
        c.arms[a].values = vg_calloc((size_t)seeds * VG_MEASURES, sizeof(double));
        c.arms[a].verdicts = vg_calloc((size_t)seeds, sizeof(vg_verdict));
        c.arms[a].verdict = a ? VG_VERDICT_HEALTHY : VG_VERDICT_ONE_CLASS;
        for (int i = 0; i < seeds; i++)
            c.arms[a].verdicts[i] = c.arms[a].verdict;
        c.arms[a].example = result_of(a == 0);
    }
    vg_change_effect *e = &c.effects[0];
    e->change = VG_CHANGE_REBALANCE;
    snprintf(e->name, sizeof e->name, "rebalance");
    for (int m = 0; m < VG_MEASURES; m++) {
        e->measures[m] = (vg_paired){.n = seeds,
                                     .difference = 0.381,
                                     .low = seeds > 1 ? 0.31 : -INFINITY,
                                     .high = seeds > 1 ? 0.449 : INFINITY,
                                     .p = 0.01,
                                     .p_corrected = 0.03};
        e->before[m] = 0.1;
        e->after[m] = 0.481;
    }
    e->measures[4].difference = NAN; /* the effective rank of two classes */
    snprintf(e->word, sizeof e->word, "this cures it");
    return c;
}

static vg_run_report report_of(const vg_run_result *result, const vg_comparison *comparison)
{
    return (vg_run_report){.dataset = "some/pets <3>/",
                           .classes = classes,
                           .class_count = K,
                           .counts = {counts[0], counts[1], counts[2]},
                           .bad_names = bad_names,
                           .job = &job,
                           .result = result,
                           .comparison = comparison,
                           .folder = "runs/x",
                           .date = "2026-11-21 03:04 UTC"};
}

static const char *text_of(const vg_run_report *report, bool html)
{
    size_t size = 0;
    free(memory);
    memory = NULL;
    FILE *out = open_memstream(&memory, &size);
    assert_non_null(out);
    if (html)
        vg_run_report_html(report, out);
    else
        vg_run_report_text(report, out, 110, false);
    fclose(out);
    return memory;
}

static const json_t *at(const json_t *root, const char *first, const char *second)
{
    const json_t *value = json_object_get(root, first);
    if (second)
        value = json_object_get(value, second);
    if (!value)
        fail_msg("no %s %s", first, second ? second : "");
    return value;
}

static void test_json(void **state)
{
    (void)state;
    vg_run_result result = result_of(true);
    vg_run_report report = report_of(&result, NULL);
    json_t *json = vg_run_report_json(&report);
    assert_non_null(json);
    assert_string_equal(json_string_value(at(json, "verdict", NULL)), "one-class");
    assert_contains(json_string_value(at(json, "verdict_reason", NULL)),
                    "says \"cat <b>\" to 100 %");
    assert_near(json_real_value(at(json, "accuracy", NULL)), 0.5, 0);
    assert_near(json_real_value(at(json, "diversity", "input_information")), 0.05, 0);
    assert_true(json_is_null(at(json, "diversity", "effective_rank")));
    assert_true(json_is_null(at(json, "loss", NULL)));
    assert_int_equal(json_array_size(at(json, "diversity", "missing_classes")), 2);
    assert_string_equal(
        json_string_value(json_array_get(at(json, "diversity", "missing_classes"), 1)),
        "caf\\xE9");
    const json_t *layer = json_array_get(at(json, "diversity", "layers"), 1);
    assert_string_equal(json_string_value(at(layer, "name", NULL)), "1.conv<&>");
    assert_near(json_real_value(at(layer, "spread", NULL)), 0, 0);
    const json_t *epoch = json_array_get(at(json, "epochs", NULL), 0);
    assert_true(json_is_null(at(epoch, "train_loss", NULL)));
    assert_int_equal(json_integer_value(at(json, "onset_step", NULL)), 24);
    assert_true(json_is_null(at(json, "recovery_step", NULL)));
    assert_null(json_object_get(json, "changes"));
    const json_t *broken = json_array_get(at(json, "data", "broken"), 0);
    assert_string_equal(json_string_value(at(broken, "path", NULL)), "cat/<odd>.jpg");
    assert_string_equal(json_string_value(at(broken, "cause", NULL)), "damaged");
    assert_int_equal(json_integer_value(at(broken, "offset", NULL)), 4711);
    assert_int_equal(json_integer_value(json_object_get(at(json, "data", "files"), "skipped")), 1);
    assert_string_equal(json_string_value(at(json, "loading", "limited_by")), "decode");
    assert_int_equal(json_integer_value(at(json, "loading", "decoded")), 100);
    assert_contains(json_string_value(at(json, "job", NULL)), "learning_rate: ");
    json_decref(json);
    vg_run_result_reset(&result);
}

static void test_json_of_comparison(void **state)
{
    (void)state;
    vg_comparison comparison = comparison_of(7);
    vg_run_report report = report_of(&comparison.arms[1].example, &comparison);
    json_t *json = vg_run_report_json(&report);
    assert_non_null(json);
    const json_t *change = json_array_get(at(json, "changes", NULL), 0);
    assert_string_equal(json_string_value(at(change, "name", NULL)), "rebalance");
    assert_int_equal(json_integer_value(at(change, "seeds", NULL)), 7);
    const json_t *measure = at(at(change, "measures", NULL), "balanced_accuracy", NULL);
    assert_near(json_real_value(at(measure, "difference", NULL)), 0.381, 0);
    assert_near(json_real_value(at(measure, "p", NULL)), 0.03, 0);
    measure = at(at(change, "measures", NULL), "effective_rank", NULL);
    assert_true(json_is_null(at(measure, "difference", NULL)));
    assert_int_equal(json_array_size(at(json, "arms", NULL)), 2);
    json_decref(json);
    vg_comparison_reset(&comparison);
}

static void test_trainings_that_disagree_are_counted(void **state)
{
    (void)state;
    vg_comparison comparison = comparison_of(7);
    vg_run_report report = report_of(&comparison.arms[1].example, &comparison);
    assert_null(strstr(text_of(&report, false), "of 7 trainings"));
    comparison.arms[0].verdicts[3] = VG_VERDICT_CONSTANT;
    comparison.arms[1].verdicts[0] = VG_VERDICT_UNDECIDED;
    const char *text = text_of(&report, false);
    assert_contains(text, "without changes: ONE-CLASS  in 6 of 7 trainings: says");
    assert_contains(text, "with all changes: HEALTHY  in 6 of 7 trainings; the first: UNDECIDED: ");
    text = text_of(&report, true);
    assert_contains(text, "With all changes: HEALTHY in 6 of 7 trainings; the first: UNDECIDED");
    vg_comparison_reset(&comparison);
}

static void test_classes_never_named_are_told(void **state)
{
    (void)state;
    vg_run_result result = result_of(false);
    vg_run_report report = report_of(&result, NULL);
    assert_contains(text_of(&report, false), "names all 3 classes");
    result.final.predicted_share[1] = 0;
    assert_contains(text_of(&report, false), "names 2 of 3 classes; never \"");
    assert_contains(text_of(&report, false), "which is too");
    vg_run_result_reset(&result);
}

static void test_text(void **state)
{
    (void)state;
    vg_run_result result = result_of(true);
    vg_run_report report = report_of(&result, NULL);
    const char *text = text_of(&report, false);
    assert_contains(text, "VERDICT   ONE-CLASS  says \"cat <b>\" to 100 % of inputs; 33 % of them");
    assert_contains(text, "since step 24; inputs");
    assert_contains(text, "files     1 skipped (1 damaged)");
    assert_contains(text, "skipped   cat/<odd>.jpg: truncated <here>");
    snprintf(result.bad[0].reason, sizeof result.bad[0].reason, /* of a file that is not there */
             "/data/pets/cat/<odd>.jpg: No such file\033[1m");
    text = text_of(&report, false);
    assert_contains(text, "skipped   cat/<odd>.jpg: No such file\\x1B[1m");
    assert_contains(text, "again     train-pipeline --job runs/x/job.yaml");
    assert_contains(text, "effective classes   1.0 of 3.0");
    assert_null(strchr(text, '\033'));
    vg_run_result_reset(&result);
}

static void test_text_of_comparison(void **state)
{
    (void)state;
    vg_comparison comparison = comparison_of(7);
    vg_run_report report = report_of(&comparison.arms[1].example, &comparison);
    const char *text = text_of(&report, false);
    assert_contains(text, "VERDICT   without changes: ONE-CLASS");
    assert_contains(text, "with all changes: HEALTHY");
    assert_contains(text, "rebalance   0.10 -> 0.48 *");
    assert_contains(text, "+38.1 [31.0, 44.9] *");
    assert_contains(text, "this cures it");
    vg_comparison_reset(&comparison);
    /* A single pair has no interval. */
    comparison = comparison_of(1);
    report = report_of(&comparison.arms[1].example, &comparison);
    assert_contains(text_of(&report, false), "+38.1 (one pair)");
    assert_null(strstr(memory, "inf,"));
    assert_null(strstr(text_of(&report, true), "inf]"));
    vg_comparison_reset(&comparison);
}

static void test_page(void **state)
{
    (void)state;
    vg_comparison comparison = comparison_of(7);
    vg_run_report report = report_of(&comparison.arms[1].example, &comparison);
    const char *text = text_of(&report, true);
    assert_contains(text, "<title>pets &lt;3&gt;: does the network look at its input?</title>");
    assert_contains(text, "Without changes: ONE-CLASS");
    assert_contains(text, "With all changes: HEALTHY");
    assert_contains(text, "cat &lt;b&gt;");
    assert_contains(text, "caf\\xE9");
    assert_contains(text, "truncated &lt;here&gt;");
    assert_contains(text, "1.conv&lt;&amp;&gt;");
    assert_contains(text, "does not exist here");
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "cat <b>"));
    assert_null(strstr(text, "\xE9"));
    assert_null(strstr(text, ">nan"));
    assert_null(strstr(text_of(&report, false), "nan"));
    text = text_of(&report, true);
    /* Every figure says why it matters. */
    int figures = 0, reasons = 0;
    for (const char *p = text; (p = strstr(p, "<figure>")) != NULL; p++)
        figures++;
    for (const char *p = text; (p = strstr(p, "Why this matters:")) != NULL; p++)
        reasons++;
    assert_true(figures >= 8);
    assert_int_equal(figures, reasons);
    vg_comparison_reset(&comparison);
}

static void test_undecided_explains_itself(void **state)
{
    (void)state;
    vg_run_result result = result_of(false);
    vg_run_report report = report_of(&result, NULL);
    char text[400];
    result.monitor.settled = VG_VERDICT_UNDECIDED;
    vg_run_verdict_reason(&report, &result, text, sizeof text);
    assert_contains(text, "two equal ones in a row are needed");
    result.monitor.last = VG_VERDICT_UNDECIDED;
    snprintf(result.monitor.reason, sizeof result.monitor.reason, "nothing was measured");
    vg_run_verdict_reason(&report, &result, text, sizeof text);
    assert_string_equal(text, "nothing was measured");
    vg_run_result_reset(&result);
}

static void test_detail_of_a_history(void **state)
{
    (void)state;
    vg_run_result result = result_of(false);
    char text[400];
    result.monitor.onset_step = 0;
    result.monitor.recovery_step = 90;
    vg_run_verdict_detail(&result, text, sizeof text);
    assert_string_equal(text, ""); /* every network begins like this */
    result.monitor.onset_step = 40;
    vg_run_verdict_detail(&result, text, sizeof text);
    assert_string_equal(text, "since step 40, recovered at step 90");
    result.monitor.settled = VG_VERDICT_CONSTANT;
    result.monitor.onset_step = 0;
    result.monitor.recovery_step = UINT64_MAX;
    vg_run_verdict_detail(&result, text, sizeof text);
    assert_contains(text, "from the first step on; yet no layer makes inputs equal");
    vg_run_result_reset(&result);
}

static int prepare(void **state)
{
    (void)state;
    return vg_job_init(&job, &err) == VG_OK ? 0 : 1;
}

static int release(void **state)
{
    (void)state;
    free(memory);
    vg_job_reset(&job);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_comparison),
        cmocka_unit_test(test_trainings_that_disagree_are_counted),
        cmocka_unit_test(test_classes_never_named_are_told),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_of_comparison),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_undecided_explains_itself),
        cmocka_unit_test(test_detail_of_a_history),
    };
    return cmocka_run_group_tests(tests, prepare, release);
}
