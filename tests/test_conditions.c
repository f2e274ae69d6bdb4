/* Conditions of --fail-on: their language, what they refuse, and what they find. */
#include "test.h"

#include "report/conditions.h"

#include <math.h>

static vg_condition one(const char *line)
{
    vg_conditions list = {0};
    vg_error err;
    if (vg_conditions_add(&list, line, &err) != VG_OK)
        fail_msg("%s", err.message);
    assert_int_equal(list.count, 1);
    vg_condition c = list.list[0];
    vg_conditions_reset(&list);
    return c;
}

static void refused(const char *line, const char *why)
{
    vg_conditions list = {0};
    vg_error err;
    assert_int_equal(vg_conditions_add(&list, line, &err), VG_E_ARG);
    if (!strstr(err.message, why))
        fail_msg("\"%s\": \"%s\" lacks \"%s\"", line, err.message, why);
    vg_conditions_reset(&list);
}

static void every_mark_is_a_name_in_both_numbers(void **state)
{
    (void)state;
    for (int m = 0; m < VG_MARKS; m++) {
        char line[80];
        snprintf(line, sizeof line, "%s>0", vg_mark_name((vg_mark)m));
        vg_condition singular = one(line);
        assert_string_equal(singular.name, vg_mark_name((vg_mark)m));
        const char *name = singular.name;
        size_t n = strlen(name);
        if (name[n - 1] == 'y')
            snprintf(line, sizeof line, "%.*sies>0", (int)n - 1, name);
        else
            snprintf(line, sizeof line, "%ss>0", name);
        assert_int_equal(one(line).number, singular.number);
    }
    assert_string_equal(one("near_copies>0").name, "near-copy");
    assert_string_equal(one("copies>0").name, "copy");
    assert_string_equal(one("effective classes<3").name, "effective-classes");
}

static void operators_and_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double bound;
        vg_comparing comparing;
        bool share;
    } cases[] = {
        {"imbalance>10", 10, VG_COMPARING_ABOVE, false},
        {" imbalance >= 1.5 ", 1.5, VG_COMPARING_AT_LEAST, false},
        {"classes<2", 2, VG_COMPARING_BELOW, false},
        {"classes<=2", 2, VG_COMPARING_AT_MOST, false},
        {"classes==2", 2, VG_COMPARING_EQUAL, false},
        {"broken>20", 20, VG_COMPARING_ABOVE, false},
        {"broken>1", 1, VG_COMPARING_ABOVE, false},
        {"broken>2 %", 0.02, VG_COMPARING_ABOVE, true},
        {"broken>0.01", 0.01, VG_COMPARING_ABOVE, true}, /* there is no hundredth of an image */
        {"broken>0%", 0, VG_COMPARING_ABOVE, true},
        {"majority>90%", 0.9, VG_COMPARING_ABOVE, true},
        {"majority>0.9", 0.9, VG_COMPARING_ABOVE, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_condition c = one(cases[i].line);
        assert_int_equal(c.comparing, cases[i].comparing);
        assert_near(c.bound, cases[i].bound, 1e-12);
        assert_int_equal(c.share, cases[i].share);
    }
}

static void several_in_a_line_and_lines_after_each_other(void **state)
{
    (void)state;
    vg_conditions list = {0};
    vg_error err;
    assert_ok(vg_conditions_add(&list, "imbalance>10, leaks>0,broken > 1%,", &err));
    assert_ok(vg_conditions_add(&list, "dark>3", &err));
    assert_int_equal(list.count, 4);
    assert_string_equal(list.list[2].text, "broken > 1%");
    assert_string_equal(list.list[3].name, "dark");
    vg_conditions_reset(&list);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    refused("imbalanc>3", "did you mean \"imbalance\"");
    refused("lekas>3", "did you mean \"leak\"");
    refused("wombat>3", "but imbalance, ");
    refused("leaks", "expected NAME OPERATOR NUMBER");
    refused("leaks=3", "expected NAME OPERATOR NUMBER");
    refused("leaks>", "expected a number");
    refused("leaks>many", "expected a number");
    refused("leaks>-1", "expected a number from 0");
    refused("leaks>nan", "expected a number");
    refused("leaks>1e999", "expected a number");
    refused("leaks>1000000000000000000000000000000000000000000000000000000", "expected a number");
    refused("imbalance>3%", "is no share");
    refused("broken>200%", "at most 1");
    refused("majority>2", "at most 1");
    refused("", "found no condition");
    refused(" , ", "found no condition");
    refused(">3", "there is no \"\"");
    refused("a name that is far too long for any of the numbers that this program knows of by a "
            "large margin>3",
            "less than");
}

static void what_will_not_be_there_is_refused(void **state)
{
    (void)state;
    vg_conditions list = {0};
    vg_error err;
    assert_ok(vg_conditions_add(&list, "imbalance>10,leaks>0,label-error>20", &err));
    assert_int_equal(vg_conditions_check(&list, VG_NEEDS_NOTHING, &err), VG_E_ARG);
    assert_non_null(strstr(err.message, "\"leaks>0\" needs the pictures"));
    assert_int_equal(vg_conditions_check(&list, VG_NEEDS_PICTURES, &err), VG_E_ARG);
    assert_non_null(strstr(err.message, "--label-errors"));
    assert_ok(vg_conditions_check(&list, VG_NEEDS_PICTURES | VG_NEEDS_PREDICTIONS, &err));
    assert_ok(vg_conditions_add(&list, "moved>0,copies-across>0", &err));
    assert_int_equal(vg_conditions_check(&list, VG_NEEDS_PICTURES | VG_NEEDS_PREDICTIONS, &err),
                     VG_E_ARG);
    assert_non_null(strstr(err.message, "--against"));
    vg_conditions_reset(&list);
}

static void numbers_are_found_and_compared(void **state)
{
    (void)state;
    vg_conditions list = {0};
    vg_error err;
    vg_audit audit = {.found = 200};
    vg_class_finding classes[2] = {{.total = 150, .tested = 20}, {.total = 50, .tested = 7}};
    vg_findings findings = {.classes = classes,
                            .count = 2,
                            .all = {.total = 200, .imbalance_ratio = 3, .majority_share = 0.75},
                            .train = {.present = 1}};
    char words[200];
    assert_ok(vg_marks_init(&audit.marks, 200, &err));
    for (size_t i = 0; i < 5; i++)
        vg_marks_set(&audit.marks, i, VG_MARK_BROKEN);
    vg_marks_set(&audit.marks, 7, VG_MARK_EXACT_COPY);
    vg_marks_set(&audit.marks, 7, VG_MARK_NEAR_COPY);
    vg_marks_set(&audit.marks, 9, VG_MARK_NEAR_COPY);
    assert_ok(vg_conditions_add(&list,
                                "imbalance>3,imbalance>=3,broken>2%,broken<5,broken<=5,copies==2,"
                                "majority>0.7,smallest-class<50,least-tested<10,untrained-class>0",
                                &err));
    size_t held = vg_conditions_judge(&list, &audit, &findings);
    static const bool expected[] = {false, true, true, false, true, true, true, false, true, true};
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (list.list[i].holds != expected[i])
            fail_msg("%s", list.list[i].text);
        count += expected[i];
    }
    assert_int_equal(held, count);
    vg_condition_words(&list.list[2], words, sizeof words);
    assert_string_equal(words, "broken>2%: found 2.5 % (5 images)");
    vg_condition_words(&list.list[0], words, sizeof words);
    assert_string_equal(words, "imbalance>3: found 3");
    vg_condition_words(&list.list[6], words, sizeof words);
    assert_string_equal(words, "majority>0.7: found 75 %");
    findings.all.imbalance_ratio = 3.14159;
    vg_conditions_judge(&list, &audit, &findings);
    vg_condition_words(&list.list[0], words, sizeof words);
    assert_string_equal(words, "imbalance>3: found 3.142");
    assert_true(list.list[0].holds);
    findings.all.imbalance_ratio = (double)NAN;
    vg_conditions_judge(&list, &audit, &findings);
    assert_false(list.list[0].holds);
    vg_marks_reset(&audit.marks);
    vg_conditions_reset(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mark_is_a_name_in_both_numbers),
        cmocka_unit_test(operators_and_bounds),
        cmocka_unit_test(several_in_a_line_and_lines_after_each_other),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(what_will_not_be_there_is_refused),
        cmocka_unit_test(numbers_are_found_and_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
