/* Tests of base/text.h. */
#include "test.h"

#include "base/text.h"

static void test_distances_by_hand(void **state)
{
    (void)state;
    assert_int_equal(vg_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(vg_edit_distance("", "abc"), 3);
    assert_int_equal(vg_edit_distance("abc", ""), 3);
    assert_int_equal(vg_edit_distance("same", "same"), 0);
    assert_int_equal(vg_edit_distance("Same", "sAME"), 0);
    assert_int_equal(vg_edit_distance("form", "from"), 1); /* a swap is one mistake */
    assert_int_equal(vg_edit_distance("learing_rate", "learning_rate"), 1);
    assert_int_equal(vg_edit_distance("ca", "abc"), 3); /* optimal string alignment: no edit between
                                                           swapped letters (true Damerau: 2) */
}

static void test_long_words_stay_in_bounds(void **state)
{
    (void)state;
    char a[400], b[400];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[399] = b[399] = '\0';
    assert_int_equal(vg_edit_distance(a, b), 127);
    assert_int_equal(vg_edit_distance(a, "a"), 126);
    const char *list[] = {b};
    assert_null(vg_nearest(a, list, 1));
}

static void test_nearest(void **state)
{
    (void)state;
    const char *keys[] = {"epochs", "learning_rate", "batch", "seed", "momentum"};
    assert_string_equal(vg_nearest("learing_rate", keys, 5), "learning_rate");
    assert_string_equal(vg_nearest("epoch", keys, 5), "epochs");
    assert_string_equal(vg_nearest("SEDE", keys, 5), "seed");
    assert_string_equal(vg_nearest("learn", keys, 5), "learning_rate"); /* begins like it */
    assert_null(vg_nearest("zebra", keys, 5));
    assert_null(vg_nearest("x", keys, 5));
    assert_null(vg_nearest("", keys, 5));
    assert_null(vg_nearest("epochs", keys, 0));
}

static void test_the_first_of_equals_wins(void **state)
{
    (void)state;
    const char *list[] = {"cat", "car", "cap"};
    assert_string_equal(vg_nearest("cax", list, 3), "cat");
    const char *letters[] = {"a", "b"};
    assert_null(vg_nearest("c", letters, 2)); /* every letter wrong is not near */
}

static void test_equal_fold(void **state)
{
    (void)state;
    assert_true(vg_text_equal_fold("Train", "tRAIN"));
    assert_false(vg_text_equal_fold("train", "trains"));
    assert_false(vg_text_equal_fold("trains", "train"));
    assert_true(vg_text_equal_fold("", ""));
}

static void test_characters(void **state)
{
    (void)state;
    uint32_t code = 0;
    assert_int_equal(vg_text_character("\xC3\xA9", &code), 2);
    assert_int_equal(code, 0xE9);
    assert_int_equal(vg_text_character("\xF0\x9F\x98\x80", &code), 4);
    assert_int_equal(code, 0x1F600);
    assert_int_equal(vg_text_character("", &code), 1);
    const char *bad[] = {"\x80",
                         "\xC3",
                         "\xC0\x80",
                         "\xE0\x9F\xBF",
                         "\xED\xA0\x80",
                         "\xF0\x8F\xBF\xBF",
                         "\xF4\x90\x80\x80",
                         "\xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vg_text_character(bad[i], NULL), 0);
}

static void test_shown(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"é", "é"},
        {"\\", "\\"},
        {"\033", "\\x1B"},
        {"\n", "\\x0A"},
        {"\177", "\\x7F"},
        {"\xC2\x9B", "\\xC2\\x9B"},
        {"\xE9x", "\\xE9"},
        /* right-to-left override; NOLINTNEXTLINE(misc-misleading-bidirectional) */
        {"\xE2\x80\xAE", "\\xE2\\x80\\xAE"},
        {"\xC2\xA0", "\xC2\xA0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[VG_TEXT_SHOWN];
        assert_true(vg_text_show(cases[i][0], shown) > 0);
        assert_string_equal(shown, cases[i][1]);
    }
    char shown[VG_TEXT_SHOWN];
    assert_int_equal(vg_text_show("", shown), 0);
    assert_true(vg_text_is_plain("käse \\ 日本"));
    assert_false(vg_text_is_plain("k\xE4se"));
    assert_false(vg_text_is_plain("a\tb"));
}

static void test_lines(void **state)
{
    (void)state;
    char text[8];
    vg_line line = vg_line_begin(text, sizeof text);
    vg_line_put(&line, "%s-%d", "ab", 3);
    assert_string_equal(text, "ab-3");
    assert_int_equal(line.used, 4);
    assert_false(line.cut);
    vg_line_put(&line, "%s", "defg");
    assert_string_equal(text, "ab-3def"); /* ended, and no further */
    assert_true(line.cut);
    vg_line_put(&line, "more");
    assert_string_equal(text, "ab-3def");
    line = vg_line_more(text, sizeof text);
    assert_int_equal(line.used, 7);
    line = vg_line_begin(text, 0);
    vg_line_put(&line, "x");
    assert_true(line.cut);
    assert_string_equal(text, "ab-3def");
    text[0] = '\0';
    assert_true(vg_text_append(text, sizeof text, "%d", 1234567)); /* just fits */
    assert_false(vg_text_append(text, sizeof text, "8"));
    assert_string_equal(text, "1234567");
}

static void test_numbers(void **state)
{
    (void)state;
    double value;
    assert_true(vg_text_number("-1.5e2", &value));
    assert_near(value, -150, 0);
    static const char *const bad[] = {"", "x", "1x", "nan", "inf", "1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(vg_text_number(bad[i], &value));
    char text[VG_TEXT_NUMBER];
    assert_string_equal(vg_text_shortest(0.1, text), "0.1");
    assert_string_equal(vg_text_shortest(40, text), "40"); /* not 4e+01 */
    assert_string_equal(vg_text_shortest(1.0 / 3, text), "0.3333333333333333");
    assert_near(strtod(vg_text_shortest(1e-7, text), NULL), 1e-7, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances_by_hand),
        cmocka_unit_test(test_long_words_stay_in_bounds),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_the_first_of_equals_wins),
        cmocka_unit_test(test_equal_fold),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
