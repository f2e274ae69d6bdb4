/* Tests of report/section_labels.c: what is said of splits, order and power in text, JSON and page, and
 * what stays unsaid. */
#include "test.h"

#include "manifest_fixture.h"

#include "report/audit_page.h"
#include "report/conditions.h"
#include "run.h"

/* What a report of labels alone says about a dataset. */
typedef struct report {
    vg_dataset *dataset;
    vg_audit audit;
    vg_findings findings;
    char *text, *html;
    json_t *json;
} report;

static report make(vg_dataset *dataset)
{
    report r = {.dataset = dataset};
    vg_error err = {0};
    size_t size;
    assert_ok(vg_audit_labels(dataset, &r.audit, &err));
    assert_ok(vg_findings_make(dataset, &r.audit, &r.findings, &err));
    FILE *out = open_memstream(&r.text, &size);
    assert_non_null(out);
    vg_audit_text(out, dataset, &r.audit, &r.findings, 160, false);
    assert_int_equal(fclose(out), 0);
    out = open_memstream(&r.html, &size);
    assert_non_null(out);
    const vg_audit_page page = {
        .out = out, .dataset = dataset, .audit = &r.audit, .findings = &r.findings};
    assert_ok(vg_section_labels.html(&page, &err));
    assert_int_equal(fclose(out), 0);
    char *json = NULL;
    out = open_memstream(&json, &size);
    assert_non_null(out);
    assert_ok(vg_audit_json(out, dataset, &r.audit, &r.findings, false, &err));
    assert_int_equal(fclose(out), 0);
    r.json = json_loads(json, 0, NULL);
    assert_non_null(r.json);
    free(json);
    return r;
}

static void reset(report *r)
{
    vg_findings_reset(&r->findings);
    vg_audit_reset(&r->audit);
    vg_dataset_close(r->dataset);
    free(r->text);
    free(r->html);
    json_decref(r->json);
}

static const json_t *at(const report *r, const char *first, const char *second)
{
    const json_t *labels = json_object_get(json_object_get(r->json, "labels"), first);
    return second ? json_object_get(labels, second) : labels;
}

static bool says(const report *r, const char *row)
{
    char line[40];
    snprintf(line, sizeof line, "\n%s ", row);
    return strstr(r->text, line) != NULL;
}

/* counts[split][class]: rows in an order that mixes everything, or class by class. */
static vg_dataset *open_rows(const char *name, size_t counts[3][3], bool sorted)
{
    enum { MOST = 20000 };
    char *text = malloc((size_t)MOST * 32), *rows = malloc((size_t)MOST * 2);
    size_t n = 0, used;
    assert_non_null(text);
    assert_non_null(rows);
    for (int k = 0; k < 3; k++)
        for (int s = 0; s < 3; s++)
            for (size_t i = 0; i < counts[s][k]; i++, n++) {
                assert_true(n < MOST);
                rows[2 * n] = (char)s;
                rows[2 * n + 1] = (char)k;
            }
    used = (size_t)snprintf(text, 32, "path,label,split\n");
    for (size_t i = 0; i < n; i++) {
        size_t row = sorted ? i : (size_t)(i * 7919 % n);
        static const char *const splits[] = {"train", "val", "test"}, *const names[] = {
                                                                          "ant", "b<i>", "cow"};
        used += (size_t)snprintf(text + used, 32, "%zu.png,%s,%s\n", row,
                                 names[(int)rows[2 * row + 1]], splits[(int)rows[2 * row]]);
    }
    vg_dataset *dataset = open_manifest(name, text);
    assert_int_equal(vg_dataset_count(dataset), n);
    free(text);
    free(rows);
    return dataset;
}

static void test_calm(void **state)
{
    (void)state;
    size_t counts[3][3] = {{3000, 3000, 3000}, {500, 500, 500}, {500, 500, 500}};
    report r = make(open_rows("calm.csv", counts, false));
    assert_false(says(&r, "splits"));
    assert_false(says(&r, "order"));
    assert_false(says(&r, "power"));
    assert_int_equal(r.findings.first.weight, VG_WEIGHT_LABELS_ONLY);
    assert_int_equal(json_array_size(at(&r, "drift", NULL)), 3);
    const json_t *drift = json_array_get(at(&r, "drift", NULL), 1);
    assert_string_equal(json_string_value(json_object_get(drift, "verdict")), "none");
    assert_string_equal(json_string_value(json_array_get(json_object_get(drift, "splits"), 1)),
                        "test");
    assert_false(json_is_true(at(&r, "order", "sorted")));
    assert_int_equal(json_integer_value(at(&r, "order", "images")), 9000);
    const json_t *val = at(&r, "splits", "val");
    assert_int_equal(json_integer_value(json_object_get(val, "images")), 1500);
    assert_int_equal(json_integer_value(json_object_get(val, "too_few")), 0);
    assert_int_equal(json_integer_value(json_object_get(val, "needed")), 39);
    assert_true(json_is_null(json_object_get(val, "probe_wanted")));
    assert_int_equal(json_array_size(json_object_get(val, "differences")), 5);
    assert_near(json_number_value(json_object_get(r.json, "imbalance_factor")), 0, 1e-12);
    assert_near(json_number_value(json_object_get(r.json, "effective_ratio")), 1, 1e-12);
    const json_t *class = json_array_get(json_object_get(r.json, "classes"), 0);
    assert_near(json_number_value(json_object_get(class, "effective_number")),
                vg_effective_number(4000, 0.999), 1e-6);
    assert_true(json_number_value(json_object_get(class, "perfect_low")) > 0.99);
    assert_int_equal(json_array_size(json_object_get(class, "absent_in")), 0);
    assert_contains(r.html, "no more than chance");
    assert_contains(r.html, "Splits came with the data.");
    reset(&r);
}

static void test_class_that_a_split_lacks(void **state)
{
    (void)state;
    size_t counts[3][3] = {{900, 900, 900}, {100, 100, 100}, {150, 150, 0}};
    report r = make(open_rows("absent.csv", counts, false));
    assert_contains(r.text, "\nsplits     1 of 3 classes has no image in test (\"cow\")\n");
    assert_contains(r.text,
                    "DO FIRST   1 of 3 classes has no image in test (\"cow\"): no accuracy");
    const json_t *absent = json_object_get(at(&r, "splits", "test"), "absent");
    assert_int_equal(json_array_size(absent), 1);
    assert_string_equal(json_string_value(json_array_get(absent, 0)), "cow");
    const json_t *class = json_array_get(json_object_get(r.json, "classes"), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(class, "absent_in"), 0)),
                        "test");
    assert_contains(r.html, "no image in test");
    reset(&r);
}

static void test_drift(void **state)
{
    (void)state;
    size_t counts[3][3] = {{2000, 1500, 1500}, {200, 150, 150}, {60, 400, 200}};
    report r = make(open_rows("drift.csv", counts, false));
    assert_contains(r.text,
                    "\nsplits     test has other shares of classes than train (distance 0.3");
    assert_contains(r.text, "p < 0.001): \"b<i>\" 30.0 % in train, 60.6 % in test, \"ant\" 40.0 %");
    assert_contains(r.text, "DO FIRST   Test has other shares of classes than train");
    const json_t *drift = json_array_get(at(&r, "drift", NULL), 1);
    assert_string_equal(json_string_value(json_object_get(drift, "verdict")), "grave");
    assert_int_equal(json_array_size(json_object_get(drift, "classes")), 2);
    assert_contains(r.html, "&quot;b&lt;i&gt;&quot;");
    assert_null(strstr(r.html, "b<i>"));
    reset(&r);
}

static void test_even_on_purpose(void **state)
{
    (void)state;
    size_t counts[3][3] = {{4000, 400, 400}, {400, 40, 40}, {200, 200, 200}};
    report r = make(open_rows("even.csv", counts, false));
    assert_contains(r.text, "test has its classes equal and train has not");
    assert_contains(r.findings.first.text, "times as many images"); /* imbalance comes first */
    reset(&r);
}

static void test_sorted_rows(void **state)
{
    (void)state;
    size_t counts[3][3] = {{1000, 1000, 1000}, {500, 500, 500}, {0, 0, 0}};
    report r = make(open_rows("sorted.csv", counts, true));
    assert_contains(r.text,
                    "\norder      the rows of the manifest stand class by class: 32 in a row");
    assert_contains(r.text, "DO FIRST   The rows of the manifest stand class by class");
    assert_contains(r.text, "lacks 2 of 3 classes");
    assert_true(json_is_true(at(&r, "order", "sorted")));
    assert_int_equal(json_integer_value(at(&r, "order", "longest_run")), 1000);
    assert_int_equal(json_integer_value(at(&r, "order", "last_fifth_lacks")), 2);
    assert_contains(r.html, "Order: the rows");
    reset(&r);
}

static void test_runs_of_one_class(void **state)
{
    (void)state;
    char *text = malloc(40000);
    size_t used = 0;
    assert_non_null(text);
    for (int i = 0; i < 2000; i++)
        used += (size_t)snprintf(text + used, 20, "%d.png,%c\n", i, 'a' + i / 50 % 4);
    report r = make(open_manifest("runs.csv", text));
    assert_contains(r.text,
                    "order      the rows of the manifest come in runs of one class (50 of \"");
    assert_null(strstr(r.findings.first.text, "class by class"));
    free(text);
    reset(&r);
}

/* The numbers of --fail-on, here where the labels are. */
static void test_conditions(void **state)
{
    (void)state;
    vg_error err = {0};
    size_t counts[3][3] = {{900, 900, 900}, {100, 100, 10}, {150, 150, 0}};
    size_t even[3][3] = {{900, 900, 900}, {100, 100, 100}, {90, 90, 90}};
    static const char line[] = "absent-classes==1,blind-class==1,drift>0.3,sorted==1";
    report r = make(open_rows("conditions.csv", counts, true));
    vg_conditions list = {0};
    assert_ok(vg_conditions_add(&list, line, &err));
    assert_ok(vg_conditions_check(&list, VG_NEEDS_NOTHING, &err)); /* --quick knows them */
    assert_int_equal(vg_conditions_judge(&list, &r.audit, &r.findings), 4);
    reset(&r);
    r = make(open_rows("harmless.csv", even, false));
    assert_int_equal(vg_conditions_judge(&list, &r.audit, &r.findings), 0);
    vg_conditions_reset(&list);
    reset(&r);
}

/* The same shares in splits of our own making: chance, and nobody is blamed. */
static void test_hash_split_is_not_blamed(void **state)
{
    (void)state;
    char text[2000] = "";
    for (int i = 0; i < 60; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d.png,%c\n", i,
                 i < 2 ? 'a' : 'b' + i * 37 % 2);
    report r = make(open_manifest("hash.csv", text));
    assert_false(says(&r, "splits"));
    assert_null(strstr(r.findings.first.text, "no image in"));
    assert_contains(r.html, "drawn by a hash");
    assert_contains(r.text, "power      val has ");
    assert_contains(
        r.text, "too few to tell from chance that a class is never named; two networks cannot be");
    reset(&r);
}

static void test_class_without_an_image_by_hash(void **state)
{
    (void)state;
    char *text = malloc(20000);
    size_t used = 0;
    assert_non_null(text);
    for (int i = 0; i < 601; i++)
        used += (size_t)snprintf(text + used, 25, "%d.png,%c\n", i, i ? 'b' + i * 37 % 2 : 'a');
    report r = make(open_manifest("rare.csv", text));
    assert_int_equal(r.audit.labels.absent[VG_SPLIT_VAL], 1);
    assert_contains(r.text, "power      1 of 3 classes has fewer than 3");
    assert_contains(r.text,
                    " images in val (1 of them none): that a network never names it cannot be");
    free(text);
    reset(&r);
}

static void test_probe_is_too_small(void **state)
{
    (void)state;
    char *text = malloc(600000);
    size_t used = 0;
    assert_non_null(text);
    for (int i = 0; i < 24000; i++)
        used += (size_t)snprintf(text + used, 25, "%d.png,%d,%s\n", i, i / 4 * 37 % 100,
                                 i % 4 ? "train" : "val");
    report r = make(open_manifest("many.csv", text));
    assert_contains(r.text,
                    "power      of the 6,000 images in val a training looks at 2,000 after each "
                    "epoch, too few to see 100 missing classes\n");
    assert_contains(r.text, "many.csv --set probe=3900\n");
    assert_int_equal(json_integer_value(json_object_get(at(&r, "splits", "val"), "probe_wanted")),
                     3900);
    free(text);
    reset(&r);
}

static void test_probe_is_that_of_a_training(void **state)
{
    (void)state;
    assert_int_equal(vg_labels_options_default().probe, vg_run_options_default().probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calm),
        cmocka_unit_test(test_class_that_a_split_lacks),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_even_on_purpose),
        cmocka_unit_test(test_sorted_rows),
        cmocka_unit_test(test_runs_of_one_class),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_hash_split_is_not_blamed),
        cmocka_unit_test(test_class_without_an_image_by_hash),
        cmocka_unit_test(test_probe_is_too_small),
        cmocka_unit_test(test_probe_is_that_of_a_training),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
