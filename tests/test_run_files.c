/* Tests of report/run_files.c: bad files in words and as a table. */
#include "test.h"

#include "report/run.h"

static const char *const names[] = {"a/1.jpg", "b/tab\there.png", "c/odd.jpg"};
static vg_bad_sample bad[3];
static vg_job job;
static vg_run_result result;
static vg_run_report report;

static int setup(void **state)
{
    (void)state;
    bad[0] = (vg_bad_sample){
        .kind = VG_BAD_REPAIRED, .cause = VG_CAUSE_DAMAGED, .offset = 77, .intact = 0.75};
    bad[1] =
        (vg_bad_sample){.kind = VG_BAD_SKIPPED, .cause = VG_CAUSE_FOREIGN, .offset = UINT64_MAX};
    bad[2] = (vg_bad_sample){
        .kind = VG_BAD_SUSPICIOUS, .cause = VG_CAUSE_EXTENSION, .offset = UINT64_MAX, .intact = 1};
    for (int i = 0; i < 3; i++)
        snprintf(bad[i].reason, sizeof bad[i].reason, "%s: reason\n%d", names[i], i);
    result = (vg_run_result){.bad = bad, .bad_samples = 3, .bad_counts = {1, 1, 9}};
    report =
        (vg_run_report){.result = &result, .bad_names = names, .job = &job, .folder = "runs/x"};
    return 0;
}

static const char *printed(void (*print)(const vg_run_report *report, FILE *out))
{
    static char text[4096];
    FILE *file = tmpfile();
    print(&report, file);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void test_words(void **state)
{
    (void)state;
    char words[700];
    vg_run_files_words(&report, words, sizeof words);
    assert_string_equal(
        words, "1 skipped (1 not a picture), 1 repaired, 9 suspicious (1 wrong extension)");
    const char *text = printed(vg_run_files_text);
    assert_contains(text, "skipped   b/tab\\x09here.png: reason\\x0A1\n");
    assert_contains(text, "repaired  a/1.jpg: reason\\x0A0 (75 % of it is used)\n");
    assert_contains(text, "odd       c/odd.jpg: reason\\x0A2\n");
    assert_contains(text, "and 8 more, listed in runs/x/bad-files.tsv");
    result = (vg_run_result){0};
    assert_string_equal(printed(vg_run_files_text), "");
}

static void test_table(void **state)
{
    (void)state;
    assert_string_equal(printed(vg_run_files_tsv),
                        "path\tkind\tcause\toffset\tintact\treason\n"
                        "a/1.jpg\trepaired\tdamaged\t77\t0.7500\treason\\n0\n"
                        "b/tab\\there.png\tskipped\tforeign\t\t0.0000\treason\\n1\n"
                        "c/odd.jpg\tsuspicious\textension\t\t1.0000\treason\\n2\n");
}

static void test_hints(void **state)
{
    (void)state;
    char hint[160];
    result.loading = (vg_loader_times){.samples = 100, .decoded = 100};
    result.limit = VG_STAGE_DECODE;
    vg_run_limit_hint(&report, hint, sizeof hint);
    assert_contains(hint, "--cache");
    result.limit = VG_STAGE_TRANSFORM;
    vg_run_limit_hint(&report, hint, sizeof hint);
    assert_contains(hint, "augment");
    result.limit = VG_STAGE_CALLER;
    vg_run_limit_hint(&report, hint, sizeof hint);
    assert_string_equal(hint, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_words, setup),
        cmocka_unit_test_setup(test_table, setup),
        cmocka_unit_test_setup(test_hints, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
