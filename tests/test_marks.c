/* Marks: words that are parsed back, and counts that know what was set before. */
#include "test.h"

#include "audit/marks.h"

static void every_word_is_parsed_back(void **state)
{
    (void)state;
    for (int m = 0; m < VG_MARKS; m++) {
        vg_mark mark = VG_MARKS;
        vg_error err;
        assert_ok(vg_mark_parse(vg_mark_name((vg_mark)m), &mark, &err));
        assert_int_equal(mark, m);
        assert_true(vg_mark_words((vg_mark)m)[0]);
    }
}

static void an_unknown_word_is_told_with_the_nearest(void **state)
{
    (void)state;
    vg_mark mark;
    vg_error err;
    assert_int_equal(vg_mark_parse("blured", &mark, &err), VG_E_ARG);
    assert_non_null(strstr(err.message, "blurred"));
    assert_non_null(strstr(err.message, "label-error"));
}

static void a_mark_counts_once(void **state)
{
    (void)state;
    vg_marks marks;
    vg_error err;
    assert_ok(vg_marks_init(&marks, 3, &err));
    vg_marks_set(&marks, 1, VG_MARK_DARK);
    vg_marks_set(&marks, 1, VG_MARK_DARK);
    vg_marks_set(&marks, 2, VG_MARK_DARK);
    vg_marks_set(&marks, 2, VG_MARK_LEAK);
    assert_int_equal(marks.total[VG_MARK_DARK], 2);
    assert_int_equal(marks.total[VG_MARK_LEAK], 1);
    assert_true(vg_marks_has(&marks, 1, VG_MARK_DARK));
    assert_false(vg_marks_has(&marks, 0, VG_MARK_DARK));
    assert_false(vg_marks_has(&marks, 1, VG_MARK_LEAK));
    assert_false(vg_marks_has(&marks, 3, VG_MARK_LEAK)); /* beyond the end: of an empty set too */
    vg_marks_reset(&marks);
    assert_false(vg_marks_has(&marks, 0, VG_MARK_DARK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_parsed_back),
        cmocka_unit_test(an_unknown_word_is_told_with_the_nearest),
        cmocka_unit_test(a_mark_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
