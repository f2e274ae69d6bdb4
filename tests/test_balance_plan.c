/* The plan: tiers of augmentation, and a fragment that the job reader takes, whatever the classes are called. */
#include "test.h"

#include "job.h"
#include "report/balance_plan.h"

enum { MOST = 6 };

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
    vg_audit_class per_class[MOST];
    vg_balance_plan plan;
} fixture;

/* counts[classes] training images of classes called names[], as JSON has them. */
static void begin(fixture *f, const char *const *names, const int *counts, int classes)
{
    char path[4200];
    size_t of_train[MOST];
    f->folder = test_folder_make();
    snprintf(path, sizeof path, "%s/list.jsonl", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int k = 0; k < classes; k++)
        for (int i = 0; i < counts[k]; i++)
            fprintf(file, "{\"path\": \"%d-%d.png\", \"label\": \"%s\", \"split\": \"train\"}\n", k,
                    i, names[k]);
    fprintf(file, "{\"path\": \"t.png\", \"label\": \"%s\", \"split\": \"test\"}\n", names[0]);
    assert_int_equal(fclose(file), 0);
    vg_error err;
    if (vg_dataset_open(path, NULL, &f->dataset, &err) != VG_OK)
        fail_msg("%s", err.message);
    f->audit = (vg_audit){.classes = classes, .per_class = f->per_class, .labels_only = true};
    assert_int_equal(vg_dataset_classes(f->dataset), classes);
    vg_dataset_counts(f->dataset, VG_SPLIT_TRAIN, of_train);
    for (int k = 0; k < classes; k++)
        f->per_class[k].count[VG_SPLIT_TRAIN] = of_train[k];
    assert_ok(vg_balance_plan_make(f->dataset, &f->audit, &f->plan, &err));
}

static void end(fixture *f)
{
    vg_balance_plan_reset(&f->plan);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
}

/* Prints the fragment and reads it as a job; the job is the caller's. */
static vg_job read_back(const fixture *f, char **text)
{
    size_t size = 0;
    vg_job job;
    vg_error err;
    FILE *out = open_memstream(text, &size);
    assert_non_null(out);
    vg_balance_plan_print(&f->plan, f->dataset, out);
    assert_int_equal(fclose(out), 0);
    assert_ok(vg_job_init(&job, &err));
    if (vg_job_read(&job, *text, size, "plan", NULL, &err) != VG_OK)
        fail_msg("%s in:\n%s", err.message, *text);
    return job;
}

static int label_of(const fixture *f, const char *name)
{
    for (int k = 0; k < f->plan.classes; k++)
        if (strcmp(vg_dataset_class_name(f->dataset, k), name) == 0)
            return k;
    fail_msg("no class %s", name);
    return -1;
}

static void rare_classes_get_more(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog", "owl", "rat"};
    static const int counts[] = {100, 100, 30, 10};
    fixture f = {0};
    vg_class_policies table;
    vg_error err;
    char *text;
    begin(&f, names, counts, 4);
    vg_job job = read_back(&f, &text);
    assert_int_equal(job.run.sampling, VG_SAMPLING_BALANCED);
    assert_int_equal(job.run.weighting, VG_WEIGHTING_NONE);
    assert_int_equal(f.plan.tier[label_of(&f, "cat")], 0);
    assert_int_equal(f.plan.tier[label_of(&f, "owl")], 1); /* 60 of 30 */
    assert_int_equal(f.plan.tier[label_of(&f, "rat")], 2); /* 60 of 10 */
    assert_int_equal(f.plan.tiered, 2);
    assert_int_equal(f.plan.rare, label_of(&f, "rat"));
    /* the job's rules say the same of each class */
    assert_ok(
        vg_class_policies_make(&job.run.class_rules, &job.run.policy, f.dataset, &table, &err));
    for (int k = 0; k < 4; k++) {
        vg_policy wanted = job.run.policy;
        char a[VG_POLICY_TEXT], b[VG_POLICY_TEXT];
        if (f.plan.tier[k])
            assert_ok(vg_policy_change(&wanted, vg_balance_plan_words(f.plan.tier[k]), &err));
        vg_policy_print(&wanted, a, sizeof a);
        vg_policy_print(vg_class_policy_of(&table, &job.run.policy, k), b, sizeof b);
        assert_string_equal(a, b);
    }
    vg_class_policies_reset(&table);
    vg_job_reset(&job);
    free(text);
    end(&f);
}

static void views_are_as_many_as_draws_with_augmentation(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    static const int counts[] = {90, 10};
    fixture f = {0};
    begin(&f, names, counts, 2);
    const vg_way *chosen = &f.plan.ways.list[f.plan.ways.chosen];
    assert_int_equal(chosen->per_class[1].seen, 50);
    assert_int_equal(chosen->per_class[1].images, 10);
    assert_near(vg_balance_plan_views(&f.plan, f.plan.ways.chosen, 1, 0), 50, 1e-9);
    assert_near(vg_balance_plan_views(&f.plan, 0, 1, 0), 10, 1e-9);
    end(&f);
}

static void even_classes_change_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    static const int counts[] = {50, 50};
    fixture f = {0};
    char *text;
    begin(&f, names, counts, 2);
    vg_job job = read_back(&f, &text);
    assert_int_equal(job.run.sampling, VG_SAMPLING_SHUFFLE);
    assert_int_equal(job.run.class_rules.count, 0);
    assert_null(strstr(text, "augment_classes"));
    vg_job_reset(&job);
    free(text);
    end(&f);
}

static void names_that_yaml_bites_on(void **state)
{
    (void)state;
    static const char *const names[] = {
        "big", "a, b", "rare", " no: [1] \\\"#", "0x1\xc2\x85", "\xe2\x82\xac uro"};
    static const char *const named[] = {"a, b", "rare", " no: [1] \"#", "\xe2\x82\xac uro"};
    static const int counts[] = {200, 20, 21, 22, 23, 24};
    fixture f = {0};
    vg_class_policies table;
    vg_error err;
    char *text;
    begin(&f, names, counts, 6);
    vg_job job = read_back(&f, &text);
    assert_ok(
        vg_class_policies_make(&job.run.class_rules, &job.run.policy, f.dataset, &table, &err));
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        int k = label_of(&f, named[i]);
        assert_true(f.plan.tier[k] > 0);
        if (table.of_class[k] < 0)
            fail_msg("\"%s\" has no rule in:\n%s", named[i], text);
    }
    assert_true(table.of_class[label_of(&f, "big")] < 0);
    assert_non_null(strstr(text, "1 class is left out")); /* with a control character */
    vg_class_policies_reset(&table);
    vg_job_reset(&job);
    free(text);
    end(&f);
}

static void ways_have_names_and_reasons(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    static const int counts[] = {300, 100, 10};
    fixture f = {0};
    char text[500];
    begin(&f, names, counts, 3);
    for (int i = 0; i < VG_WAYS; i++) {
        vg_way_words(&f.plan, i, f.dataset, text, sizeof text);
        assert_true(text[0]);
    }
    vg_way_name(&f.plan.ways.list[1], text, sizeof text);
    assert_string_equal(text, "weights=inverse");
    vg_way_name(&f.plan.ways.list[f.plan.ways.chosen], text, sizeof text);
    assert_string_equal(text, "sampling=sqrt");
    vg_way_words(&f.plan, f.plan.ways.chosen, f.dataset, text, sizeof text);
    assert_non_null(strstr(text, "equal classes would show each picture of \"c\" 14 times"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rare_classes_get_more),
        cmocka_unit_test(views_are_as_many_as_draws_with_augmentation),
        cmocka_unit_test(even_classes_change_nothing),
        cmocka_unit_test(names_that_yaml_bites_on),
        cmocka_unit_test(ways_have_names_and_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
