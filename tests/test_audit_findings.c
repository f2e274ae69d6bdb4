/* What balance-report says first and about each class, from numbers set by hand. */
#include "test.h"

#include "base/file.h"
#include "report/audit.h"

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
    vg_audit_class per_class[3];
    vg_audit_file broken[8];
} fixture;

/* A manifest with `counts` images of the classes a, b, c in `split` (NULL: no split column); the
 * files need not exist, for nothing reads them. */
static void open_manifest(fixture *f, const int counts[3], const char *split)
{
    f->folder = test_folder_make();
    char path[4200];
    snprintf(path, sizeof path, "%s/list.csv", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(split ? "path,label,split\n" : "path,label\n", file);
    int written[3] = {0}, total = counts[0] + counts[1] + counts[2];
    for (int row = 0; row < total;
         row++) { /* in shares, so that the order is none of the classes */
        int k = 0;
        for (int other = 1; other < 3; other++)
            if ((long)(written[other] + 1) * counts[k] < (long)(written[k] + 1) * counts[other])
                k = other;
        fprintf(file, split ? "%c/%d.png,%c,%s\n" : "%c/%d.png,%c\n", 'a' + k, written[k], 'a' + k,
                split);
        written[k]++;
    }
    assert_int_equal(fclose(file), 0);
    vg_dataset_options options = vg_dataset_options_default();
    vg_error err;
    if (vg_dataset_open(path, &options, &f->dataset, &err) != VG_OK)
        fail_msg("%s", err.message);
    f->audit = (vg_audit){.classes = vg_dataset_classes(f->dataset), .per_class = f->per_class};
    f->audit.found = f->audit.decoded = vg_dataset_count(f->dataset);
    size_t n[3];
    for (int s = 0; s < VG_SPLIT_COUNT; s++) {
        vg_dataset_counts(f->dataset, (vg_split)s, n);
        for (int k = 0; k < f->audit.classes; k++)
            f->per_class[k].count[s] = n[k];
    }
    for (int k = 0; k < f->audit.classes; k++) {
        vg_audit_class *c = &f->per_class[k];
        c->decoded = c->count[0] + c->count[1] + c->count[2];
        c->brightness = 0.5;
        c->brightness_std = 0.1;
        c->contrast = 0.2;
        c->width = c->height = 64;
        c->file_bytes = 1000;
    }
    f->audit.broken = f->broken;
    if (vg_labels_of(f->dataset, NULL, &f->audit.labels, &err) != VG_OK)
        fail_msg("%s", err.message);
}

static void close_manifest(fixture *f)
{
    vg_labels_reset(&f->audit.labels);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
}

static vg_findings find(const fixture *f)
{
    vg_findings findings;
    vg_error err;
    if (vg_findings_make(f->dataset, &f->audit, &findings, &err) != VG_OK)
        fail_msg("%s", err.message);
    return findings;
}

static const char *note_of(const vg_findings *findings, int label)
{
    for (int i = 0; i < findings->count; i++)
        if (findings->classes[i].label == label)
            return findings->classes[i].note;
    fail_msg("no class %d", label);
    return "";
}

static void test_nothing_to_repair(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){300, 300, 300}, NULL);
    vg_findings findings = find(&f);
    assert_true(findings.clean);
    assert_string_equal(findings.first.after, " --compare");
    assert_int_equal(findings.sampling, VG_SAMPLING_SHUFFLE);
    for (int k = 0; k < 3; k++)
        assert_string_equal(note_of(&findings, k), "");
    vg_findings_reset(&findings);
    close_manifest(&f);
}

static void test_imbalance_and_plan(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){50, 500, 250}, NULL);
    vg_findings findings = find(&f);
    assert_false(findings.clean);
    assert_non_null(strstr(findings.first.text, "\"b\" has 10 times as many images as \"a\""));
    assert_int_equal(findings.classes[0].label, 1); /* largest first */
    assert_int_equal(findings.classes[2].label, 0);
    assert_int_equal(findings.sampling, VG_SAMPLING_BALANCED);
    assert_int_equal(findings.rare, 0);
    assert_int_equal(findings.rare_images, f.per_class[0].count[VG_SPLIT_TRAIN]);
    assert_true(findings.rare_seen > 4 * findings.rare_images);
    char *command = vg_plan_command(&findings, "it's here", VG_BACKGROUND_BLACK);
    assert_string_equal(command, "train-pipeline 'it'\\''s here' --set balance.sampling=balanced");
    free(command);
    vg_findings_reset(&findings);
    close_manifest(&f);

    open_manifest(&f, (int[3]){10, 500, 500}, NULL); /* too rare to be shown as often */
    findings = find(&f);
    assert_int_equal(findings.sampling, VG_SAMPLING_SQRT);
    vg_findings_reset(&findings);
    close_manifest(&f);
}

static void test_dark_class(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){300, 300, 300}, NULL);
    f.per_class[1].brightness = 0.2;
    f.audit.shortcuts[0] = (vg_shortcut){
        .property = "brightness", .accuracy = 0.6, .chance = 1.0 / 3, .class_index = 1, .z = -3};
    f.audit.shortcut_count = 1;
    vg_findings findings = find(&f);
    assert_non_null(
        strstr(note_of(&findings, 1), "darker than the others: 0.20 ± 0.10 against 0.50"));
    assert_string_equal(note_of(&findings, 0), "");
    assert_non_null(strstr(findings.first.text, "\"b\" is darker than the others (z -3.0)"));
    assert_non_null(strstr(findings.first.after, "normalize=image-zscore"));
    vg_findings_reset(&findings);

    f.per_class[1].brightness = 0.45; /* half a standard deviation: a remark would be noise */
    f.audit.shortcut_count = 0;
    findings = find(&f);
    assert_string_equal(note_of(&findings, 1), "");
    vg_findings_reset(&findings);
    close_manifest(&f);
}

static void test_looks(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){300, 300, 300}, NULL);
    f.per_class[0].width = f.per_class[0].height = 20;
    f.per_class[1].contrast = 0.05;
    f.per_class[2].grey = 300;
    vg_findings findings = find(&f);
    assert_non_null(strstr(note_of(&findings, 0), "smaller: about 20x20 pixels against 64x64"));
    assert_non_null(strstr(note_of(&findings, 1), "flat: contrast 0.05 against 0.20"));
    assert_non_null(strstr(note_of(&findings, 2), "100 % without colour (others 0 %)"));
    vg_findings_reset(&findings);
    close_manifest(&f);
}

static void test_broken_files_come_first(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){20, 200, 100}, NULL);
    for (size_t i = 0; i < 8; i++)
        f.broken[i] = (vg_audit_file){.index = i, .status = VG_E_FORMAT, .reason = "cut"};
    f.audit.broken_count = 1; /* 0.3 %: the imbalance matters more */
    vg_findings findings = find(&f);
    assert_non_null(strstr(findings.first.text, "10 times"));
    vg_findings_reset(&findings);
    f.audit.broken_count = 8;
    f.audit.decoded -= 8;
    findings = find(&f);
    assert_non_null(strstr(findings.first.text, "8 of 320 images cannot be decoded (2.5 %)"));
    assert_string_equal(findings.first.after, " --list files");
    vg_findings_reset(&findings);
    close_manifest(&f);
}

static void test_class_without_training(void **state)
{
    (void)state;
    fixture f = {0};
    open_manifest(&f, (int[3]){5, 0, 0}, "test"); /* one class, and it is only tested */
    vg_findings findings = find(&f);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.rare, -1);
    assert_non_null(strstr(findings.first.text, "one class"));
    assert_non_null(strstr(note_of(&findings, 0), "no training images"));
    assert_non_null(strstr(note_of(&findings, 0), "accuracy ±33 points (5 to test)"));
    char *command = vg_advice_command(&findings.first, "x", VG_BACKGROUND_BLACK);
    assert_null(command);
    vg_findings_reset(&findings);
    close_manifest(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_repair),
        cmocka_unit_test(test_imbalance_and_plan),
        cmocka_unit_test(test_dark_class),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_broken_files_come_first),
        cmocka_unit_test(test_class_without_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
