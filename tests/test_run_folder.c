/* Tests of tools/run_folder.h. */
#include "test.h"

#include "run_folder.h"

#include "base/file.h"

static vg_error err;

static void test_numbers_are_never_reused(void **state)
{
    (void)state;
    char *base = test_folder_make(), below[4200], *first, *second, *named;
    snprintf(below, sizeof below, "%s/runs", base);
    assert_ok(vg_run_folder_make(NULL, below, &first, &err));
    assert_ok(vg_run_folder_make(NULL, below, &second, &err));
    assert_string_not_equal(first, second);
    assert_contains(first, "-1");
    assert_contains(second, "-2");
    assert_true(vg_path_is_folder(first) && vg_path_is_folder(second));
    snprintf(below, sizeof below, "%s/a/b", base);
    assert_ok(vg_run_folder_make(below, "unused", &named, &err));
    assert_string_equal(named, below);
    assert_true(vg_path_is_folder(named));
    free(first);
    free(second);
    free(named);
    test_folder_remove(base);
}

static void test_a_file_in_the_way(void **state)
{
    (void)state;
    char *base = test_folder_make(), path[4200], *made;
    snprintf(path, sizeof path, "%s/file", base);
    assert_ok(vg_file_write(path, "x", 1, &err));
    assert_int_not_equal(vg_run_folder_make(path, "unused", &made, &err), VG_OK);
    assert_contains(err.message, path);
    test_folder_remove(base);
}

static void test_job_is_stored(void **state)
{
    (void)state;
    char *base = test_folder_make(), path[4200];
    vg_job job, again;
    assert_ok(vg_job_init(&job, &err));
    assert_ok(vg_job_set(&job, "epochs=17", "--set", &err));
    assert_ok(vg_run_folder_write_job(base, &job, &err));
    snprintf(path, sizeof path, "%s/job.yaml", base);
    assert_ok(vg_job_init(&again, &err));
    assert_int_not_equal(again.run.epochs, 17);
    /* A job without a dataset has nothing to put there. */
    assert_ok(vg_job_set(&job, "dataset=pets", "--set", &err));
    char stale[4200];
    snprintf(stale, sizeof stale, "%s/report.json", base);
    assert_ok(vg_file_write(stale, "{}", 2, &err));
    assert_ok(vg_run_folder_write_job(base, &job, &err));
    assert_false(vg_path_exists(stale)); /* of another run */
    assert_ok(vg_job_load(&again, path, &err));
    assert_int_equal(again.run.epochs, 17);
    vg_job_reset(&job);
    vg_job_reset(&again);
    test_folder_remove(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_never_reused),
        cmocka_unit_test(test_a_file_in_the_way),
        cmocka_unit_test(test_job_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
