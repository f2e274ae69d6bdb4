/* Tests of tools/sweep.h: jobs of trials, their order, the winner; and of the key that names a search. */
#include "test.h"

#include "report/sweep_report.h"
#include "sweep.h"

#include <math.h>

static vg_error err;

static void set(vg_job *job, const char *assignment)
{
    assert_ok(vg_job_set(job, assignment, "--set", &err));
}

static vg_job search(void)
{
    vg_job job;
    assert_ok(vg_job_init(&job, &err));
    set(&job, "dataset=/data");
    set(&job, "epochs=7");
    set(&job, "sweep.keys={optimizer: [sgd, adam], net: \"small-cnn | lenet\", weight_decay: 1e-5 "
              ".. 1e-2 log}");
    assert_ok(vg_job_finish(&job, &err));
    return job;
}

static void test_jobs_of_trials(void **state)
{
    (void)state;
    vg_job base = search(), job;
    const vg_search_point point = {{1, 1, 0.0025}};
    assert_ok(vg_sweep_job(&base, &point, 42, &job, &err));
    assert_int_equal(job.run.optimizer.kind, VG_OPTIMIZER_ADAM);
    assert_string_equal(job.run.net.name, "lenet");
    assert_near(job.run.optimizer.weight_decay, 0.0025, 0);
    assert_int_equal(job.run.epochs, 7);
    assert_int_equal(job.run.seed, 42);
    assert_int_equal(job.sweep.space.count, 0);
    assert_near(job.run.schedule.base, 0.001, 0); /* nobody gave a rate: that of adam */
    vg_job_reset(&job);
    set(&base, "learning_rate=0.2");
    assert_ok(vg_sweep_job(&base, &point, 42, &job, &err));
    assert_near(job.run.schedule.base, 0.2, 0);
    vg_job_reset(&job);
    vg_job_reset(&base);
}

/* Every way to write a search is the same one, and what is printed reads back. */
static void test_keys_come_back(void **state)
{
    (void)state;
    vg_job base = search(), again;
    char *text = NULL, *other = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    vg_job_print(&base, out);
    assert_int_equal(fclose(out), 0);
    assert_ok(vg_job_init(&again, &err));
    assert_ok(vg_job_read(&again, text, size, "job.yaml", NULL, &err));
    out = open_memstream(&other, &size);
    vg_job_print(&again, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, other);
    set(&again,
        "sweep.keys=optimizer=sgd|adam ; net = small-cnn|lenet; weight_decay=1e-05..0.01 log;");
    assert_int_equal(again.sweep.space.count, 3);
    assert_string_equal(again.sweep.space.keys[1].name, "net");
    assert_string_equal(again.sweep.space.keys[1].words[1], "lenet");
    set(&again, "sweep.keys=none");
    assert_int_equal(again.sweep.space.count, 0);
    assert_int_equal(vg_job_set(&again, "sweep.keys=[net]", "--set", &err), VG_E_ARG);
    assert_int_equal(vg_job_set(&again, "sweep.keys=batch=8..11", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "whole number");
    free(text);
    free(other);
    vg_job_reset(&base);
    vg_job_reset(&again);
}

static void test_order_and_winner(void **state)
{
    (void)state;
    vg_job base = search();
    vg_sweep sweep = {.job = &base};
    static const struct {
        vg_trial_end end;
        double value;
    } trials[] = {{VG_TRIAL_GAVE_UP, 0.9}, {VG_TRIAL_DONE, 0.5}, {VG_TRIAL_FAILED, NAN},
                  {VG_TRIAL_DONE, 0.8},    {VG_TRIAL_DONE, NAN}, {VG_TRIAL_DONE, 0.7}};
    static const size_t wanted[] = {3, 5, 1, 4, 0, 2};
    char words[600];
    for (size_t i = 0; i < 6; i++) {
        vg_trial *t = vg_sweep_add(&sweep);
        assert_non_null(t);
        t->end = trials[i].end;
        t->value = trials[i].value;
    }
    assert_ok(vg_sweep_rank(&sweep, &err));
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(sweep.order[i], wanted[i]);
    vg_sweep_judge(&sweep);
    assert_true(sweep.any && sweep.winner == 3);
    vg_sweep_words(&sweep, words, sizeof words);
    assert_contains(words, "nobody can tell its lead from chance");
    /* other seeds turn it round */
    sweep.confirmed = 2;
    sweep.trials[3].fresh[0] = 0.6;
    sweep.trials[3].fresh[1] = 0.61;
    sweep.trials[5].fresh[0] = 0.7;
    sweep.trials[5].fresh[1] = 0.72;
    sweep.trials[3].fresh_count = sweep.trials[5].fresh_count = 2;
    vg_sweep_judge(&sweep);
    assert_int_equal(sweep.winner, 5);
    vg_sweep_words(&sweep, words, sizeof words);
    assert_contains(words, "trial 6: balanced_accuracy 0.7100 (mean of 2 other seeds)");
    assert_contains(words, "more than the noise of seeds");
    json_t *json = vg_sweep_json(&sweep, "folder");
    assert_int_equal(json_integer_value(json_object_get(json, "winner")), 6);
    assert_int_equal(json_array_size(json_object_get(json, "trials")), 6);
    json_decref(json);
    vg_sweep_reset(&sweep);
    vg_job_reset(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_of_trials),
        cmocka_unit_test(test_keys_come_back),
        cmocka_unit_test(test_order_and_winner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
