/* Tests of base/status.h. */
#include "test.h"

static void test_fail_fills_and_returns(void **state)
{
    (void)state;
    vg_error err = {0};
    assert_int_equal(vg_fail(&err, VG_E_IO, "%s: %d", "a.jpg", 7), VG_E_IO);
    assert_int_equal(err.code, VG_E_IO);
    assert_string_equal(err.message, "a.jpg: 7");
    assert_int_equal(vg_fail(NULL, VG_E_ARG, "nobody listens"), VG_E_ARG);
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    vg_error err = {0};
    vg_fail(&err, VG_E_FORMAT, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    vg_fail_in(&err, "file.png", VG_E_FORMAT);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "file.png: xx", 12);
}

static void test_context_is_put_before(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fail(&err, VG_E_FORMAT, "truncated");
    assert_int_equal(vg_fail_in(&err, "dog/1.jpg", err.code), VG_E_FORMAT);
    assert_string_equal(err.message, "dog/1.jpg: truncated");
    err = (vg_error){0};
    vg_fail_in(&err, "dog/1.jpg", VG_E_NOMEM);
    assert_string_equal(err.message, "dog/1.jpg: out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_and_returns),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_context_is_put_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
