/* The rules of a verdict one by one, and the memory of the monitor. */
#include "test.h"

#include "observe/verdict.h"

#include <math.h>

enum { CLASSES = 4 };

/* A healthy look of four equal classes, to be spoiled. The arrays live in `storage`. */
typedef struct look {
    vg_diversity d;
    double predicted[CLASSES], label[CLASSES], recall[CLASSES];
    bool missing[CLASSES];
    vg_layer_spread layers[4];
} look;

static look *healthy(look *l)
{
    *l = (look){.d = {.classes = CLASSES,
                      .samples = 400,
                      .input_information = 0.6,
                      .input_information_low = 0.55,
                      .input_information_high = 0.65,
                      .effective_classes = 0.98,
                      .top_share = 0.3,
                      .top_class = 2,
                      .top_label_share = 0.25,
                      .label_information = 0.5,
                      .label_information_p = 0.002,
                      .accuracy = 0.8,
                      .balanced_accuracy = 0.8,
                      .balanced_low = 0.75,
                      .balanced_high = 0.85,
                      .loss = 0.5,
                      .output_change = 0.7,
                      .layer_count = 4,
                      .collapsed_layer = -1}};
    for (int c = 0; c < CLASSES; c++)
        l->label[c] = l->predicted[c] = 0.25;
    for (int i = 0; i < 4; i++)
        l->layers[i].spread = 0.4;
    l->d.label_share = l->label;
    l->d.predicted_share = l->predicted;
    l->d.recall = l->recall;
    l->d.missing = l->missing;
    l->d.layers = l->layers;
    return l;
}

static look *constant(look *l)
{
    healthy(l);
    l->d.input_information = 0.001;
    l->d.input_information_high = 0.0015;
    l->d.label_information_p = 1;
    l->d.balanced_accuracy = l->d.balanced_low = 0.25;
    l->d.top_share = 1;
    l->d.loss = 3;
    return l;
}

static look *partial(look *l)
{
    healthy(l);
    l->missing[3] = true;
    l->d.missing_count = 1;
    return l;
}

static look *one_class(look *l)
{
    healthy(l);
    l->d.top_share = 0.99;
    return l;
}

static void each_rule_decides(void **state)
{
    (void)state;
    look l;
    char reason[200];
    assert_int_equal(vg_verdict_of(&healthy(&l)->d, reason, sizeof reason), VG_VERDICT_HEALTHY);
    assert_contains(reason, "above chance (0.250)");
    assert_int_equal(vg_verdict_of(&constant(&l)->d, reason, sizeof reason), VG_VERDICT_CONSTANT);
    assert_contains(reason, "do not depend on the input");
    assert_int_equal(vg_verdict_of(&one_class(&l)->d, reason, sizeof reason), VG_VERDICT_ONE_CLASS);
    assert_string_equal(reason,
                        "99.0 % of inputs are called class 2, which is 25.0 % of the probe");
    assert_int_equal(vg_verdict_of(&partial(&l)->d, reason, sizeof reason), VG_VERDICT_PARTIAL);
    assert_string_equal(reason, "1 of 4 classes are (almost) never named: 3");
    healthy(&l)->d.label_information_p = 0.02;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_DIVERSE_BUT_WRONG);
    assert_contains(reason, "shuffled labels (p = 0.020)");
    l.d.input_information = 0.09;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_UNDECIDED);
    assert_int_equal(vg_verdict_of(&l.d, NULL, 0), VG_VERDICT_UNDECIDED);
}

static void healthy_needs_skill_and_numbers(void **state)
{
    (void)state;
    look l;
    char reason[200];
    healthy(&l)->d.balanced_low = 0.24;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_DIVERSE_BUT_WRONG);
    assert_contains(reason, "not above chance");
    l.d.input_information = 0.05; /* an untrained network that happens to name all classes */
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_UNDECIDED);
    /* outputs that barely differ are no sign of health, even when they are right now and then */
    healthy(&l)->d.input_information = 0.03;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_UNDECIDED);
    assert_contains(reason, "untrained");
    healthy(&l)->d.input_information = 0.05;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_HEALTHY);
    healthy(&l)->d.nonfinite_share = 0.05;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_UNDECIDED);
    assert_contains(reason, "5.0 % of the outputs are not finite");
    l.d.nonfinite_share = 1;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_CONSTANT);
    assert_contains(reason, "no output is a finite number");
}

/* Of 300 samples of 10 classes not even 0 is below a tenth of the share for certain. */
static void a_small_probe_is_told(void **state)
{
    (void)state;
    look l;
    char reason[200];
    healthy(&l)->d.missing_plain = 2;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_HEALTHY);
    assert_contains(reason, "2 classes are hardly named, too few samples to be sure; balanced");
}

static void a_skewed_probe_cannot_show_one_class(void **state)
{
    (void)state;
    look l;
    one_class(&l)->d.top_label_share = 0.95;
    assert_int_equal(vg_verdict_of(&l.d, NULL, 0), VG_VERDICT_HEALTHY);
}

/* Features of a well-trained network lie in few directions: that is no disease. */
static void rank_takes_no_part(void **state)
{
    (void)state;
    look l;
    healthy(&l)->d.effective_rank = 0.3;
    assert_int_equal(vg_verdict_of(&l.d, NULL, 0), VG_VERDICT_HEALTHY);
    l.d.effective_rank = NAN;
    assert_int_equal(vg_verdict_of(&l.d, NULL, 0), VG_VERDICT_HEALTHY);
}

static void many_missing_classes_are_cut_short(void **state)
{
    (void)state;
    enum { MANY = 43 };
    bool missing[MANY];
    double share[MANY];
    char reason[200];
    look l;
    healthy(&l)->d.classes = MANY;
    for (int c = 0; c < MANY; c++) {
        missing[c] = c > 5;
        share[c] = 1.0 / MANY;
    }
    l.d.missing = missing;
    l.d.label_share = share;
    l.d.missing_count = 37;
    assert_int_equal(vg_verdict_of(&l.d, reason, sizeof reason), VG_VERDICT_PARTIAL);
    assert_contains(reason, "37 of 43");
    assert_contains(reason, "6, 7, 8, 9, 10 and 32 more");
}

static void settles_on_two_equal_looks_after_a_fifth(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 0, &partial(&l)->d);
    vg_monitor_add(&m, 10, &partial(&l)->d);
    assert_int_equal(m.last, VG_VERDICT_PARTIAL);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
    assert_true(m.onset_step == UINT64_MAX);
    vg_monitor_add(&m, 20, &partial(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_PARTIAL);
    assert_int_equal(m.onset_step, 0);
    vg_monitor_add(&m, 40, &healthy(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
    assert_int_equal(m.recovery_step, 40);
    vg_monitor_add(&m, 60, &healthy(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_HEALTHY);
    vg_monitor_add(&m, 80, &constant(&l)->d);
    vg_monitor_add(&m, 100, &constant(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_CONSTANT);
    assert_int_equal(m.onset_step, 80);
    assert_true(m.recovery_step == UINT64_MAX);
    assert_int_equal(m.measurements, 7);
}

/* Nearly every network is bad for its first looks: that is no onset. */
static void a_normal_start_leaves_no_trace(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 0, &constant(&l)->d);
    vg_monitor_add(&m, 10, &partial(&l)->d);
    vg_monitor_add(&m, 25, &healthy(&l)->d);
    vg_monitor_add(&m, 50, &healthy(&l)->d);
    vg_monitor_add(&m, 100, &healthy(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_HEALTHY);
    assert_true(m.onset_step == UINT64_MAX && m.recovery_step == UINT64_MAX);
    assert_false(m.never_moved || m.not_finite || m.late_starter);
}

static void constant_and_one_class_are_one_answer(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 50, &constant(&l)->d);
    vg_monitor_add(&m, 100, &one_class(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_ONE_CLASS);
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 50, &constant(&l)->d);
    vg_monitor_add(&m, 100, &partial(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
}

/* Loss at ln K, outputs constant, but the inner layers change: may start late, until the end. */
static void a_late_starter_is_not_condemned(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    for (uint64_t step = 0; step <= 100; step += 25) {
        constant(&l)->d.loss = log(CLASSES);
        l.layers[1].spread = 0.1 + 0.004 * (double)step;
        l.layers[2].spread = 0.1;
        vg_monitor_add(&m, step, &l.d);
        assert_int_equal(m.last, VG_VERDICT_CONSTANT);
        assert_int_equal(m.settled, step < 100 ? VG_VERDICT_UNDECIDED : VG_VERDICT_CONSTANT);
        assert_int_equal(m.late_starter, step > 0 && step < 100);
    }
}

static void growing_information_is_movement(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    const double information[] = {1e-5, 1e-4, 1.05e-4};
    for (int i = 0; i < 3; i++) {
        constant(&l)->d.loss = log(CLASSES);
        l.d.input_information = information[i];
        vg_monitor_add(&m, 20 + 20 * (uint64_t)i, &l.d);
        assert_int_equal(m.settled, i < 2 ? VG_VERDICT_UNDECIDED : VG_VERDICT_CONSTANT);
    }
}

static void a_dead_network_at_ln_k_is_condemned(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    for (uint64_t step = 0; step <= 40; step += 20) {
        constant(&l)->d.loss = log(CLASSES);
        l.d.input_information = 0;
        vg_monitor_add(&m, step, &l.d);
    }
    assert_int_equal(m.settled, VG_VERDICT_CONSTANT);
    assert_int_equal(m.onset_step, 0);
}

static void never_moved_and_not_finite_are_findings(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    partial(&l)->d.output_change = 0;
    l.d.first_look = true;
    vg_monitor_add(&m, 0, &l.d);
    assert_false(m.never_moved);
    partial(&l)->d.output_change = 0.005;
    vg_monitor_add(&m, 40, &l.d);
    assert_false(m.never_moved);
    vg_monitor_add(&m, 50, &l.d);
    assert_true(m.never_moved);
    l.d.nonfinite_share = 0.01;
    vg_monitor_add(&m, 60, &l.d);
    assert_true(m.not_finite);
    /* The final look has no first one to compare with: it changes nothing about the finding. */
    partial(&l)->d.first_look = true;
    l.d.output_change = 0;
    vg_monitor_add(&m, 100, &l.d);
    assert_true(m.never_moved);
    assert_false(m.not_finite);
    assert_int_equal(m.settled, VG_VERDICT_PARTIAL);
}

static void no_finite_output_settles_at_once(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 0, &healthy(&l)->d);
    constant(&l)->d.nonfinite_share = 1;
    l.d.loss = log(CLASSES);
    vg_monitor_add(&m, 3, &l.d);
    assert_int_equal(m.settled, VG_VERDICT_CONSTANT);
    assert_int_equal(m.onset_step, 3);
    assert_true(m.not_finite);
}

static void a_training_that_broke_off_waits_for_nothing(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 0, &partial(&l)->d);
    constant(&l)->d.nonfinite_share = 0.9;
    vg_monitor_add(&m, 3, &l.d);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
    vg_monitor_break_off(&m, 3);
    assert_int_equal(m.settled, VG_VERDICT_CONSTANT);
    assert_int_equal(m.onset_step, 0);
    assert_true(m.not_finite);
    /* What was good in the held-out images is told beside it, and is not called bad. */
    vg_monitor_init(&m, 100);
    vg_monitor_add(&m, 0, &healthy(&l)->d);
    vg_monitor_break_off(&m, 0);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
    assert_true(m.not_finite);
}

static void without_a_plan_two_looks_settle(void **state)
{
    (void)state;
    look l;
    vg_monitor m;
    vg_monitor_init(&m, 0);
    vg_monitor_add(&m, 0, &healthy(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_UNDECIDED);
    vg_monitor_add(&m, 0, &healthy(&l)->d);
    assert_int_equal(m.settled, VG_VERDICT_HEALTHY);
}

static void names_are_those_of_the_reports(void **state)
{
    (void)state;
    assert_string_equal(vg_verdict_name(VG_VERDICT_UNDECIDED), "undecided");
    assert_string_equal(vg_verdict_name(VG_VERDICT_CONSTANT), "constant");
    assert_string_equal(vg_verdict_name(VG_VERDICT_ONE_CLASS), "one-class");
    assert_string_equal(vg_verdict_name(VG_VERDICT_PARTIAL), "partial");
    assert_string_equal(vg_verdict_name(VG_VERDICT_DIVERSE_BUT_WRONG), "diverse-but-wrong");
    assert_string_equal(vg_verdict_name(VG_VERDICT_HEALTHY), "healthy");
    assert_string_equal(vg_verdict_name((vg_verdict)99), "undecided");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_decides),
        cmocka_unit_test(healthy_needs_skill_and_numbers),
        cmocka_unit_test(a_small_probe_is_told),
        cmocka_unit_test(a_skewed_probe_cannot_show_one_class),
        cmocka_unit_test(rank_takes_no_part),
        cmocka_unit_test(many_missing_classes_are_cut_short),
        cmocka_unit_test(settles_on_two_equal_looks_after_a_fifth),
        cmocka_unit_test(a_normal_start_leaves_no_trace),
        cmocka_unit_test(constant_and_one_class_are_one_answer),
        cmocka_unit_test(a_late_starter_is_not_condemned),
        cmocka_unit_test(growing_information_is_movement),
        cmocka_unit_test(a_dead_network_at_ln_k_is_condemned),
        cmocka_unit_test(never_moved_and_not_finite_are_findings),
        cmocka_unit_test(no_finite_output_settles_at_once),
        cmocka_unit_test(a_training_that_broke_off_waits_for_nothing),
        cmocka_unit_test(without_a_plan_two_looks_settle),
        cmocka_unit_test(names_are_those_of_the_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
