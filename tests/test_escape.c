/* Tests of tools/report/escape.h. */
#include "test.h"

#include "report/escape.h"

#include <math.h>
#include <stdlib.h>

static char *html(const char *text, int columns)
{
    char *memory = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&memory, &size);
    assert_non_null(out);
    if (columns)
        vg_escape_html_cut(out, text, columns);
    else
        vg_escape_html(out, text);
    fclose(out);
    return memory;
}

static void check(const char *text, int columns, const char *expected)
{
    char *found = html(text, columns);
    assert_string_equal(found, expected);
    free(found);
}

static void test_html(void **state)
{
    (void)state;
    check("<script>alert(\"1\" & '2')</script>", 0,
          "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
    check("käse 日本 😀", 0, "käse 日本 😀");
    check("bad \xFF\xC3", 0, "bad \\xFF\\xC3");
    check("overlong \xC0\x80 surrogate \xED\xA0\x80", 0,
          "overlong \\xC0\\x80 surrogate \\xED\\xA0\\x80");
    check("bell \x07 next line \xC2\x85", 0, "bell \\x07 next line \\xC2\\x85");
    check("a\nb\tc", 0, "a\nb\tc");
    check("\xFF\xFF\xFF", 2, "\\xFF…");
    check("käsebrot", 5, "käse…");
    check("a<b", 3, "a&lt;b");
}

static void test_json(void **state)
{
    (void)state;
    json_t *text = vg_json_text("bad \xFF.jpg");
    assert_string_equal(json_string_value(text), "bad \\xFF.jpg");
    json_decref(text);
    text = vg_json_text("a\\xFF\xFE\xC3\xA9"); /* not the same as the bytes FF FE */
    assert_string_equal(json_string_value(text), "a\\\\xFF\\xFEé");
    json_decref(text);
    text = vg_json_text("a\\b\033"); /* UTF-8: as it is, JSON has its own escape for the rest */
    assert_string_equal(json_string_value(text), "a\\b\033");
    json_decref(text);
    text = vg_json_text("käse");
    assert_string_equal(json_string_value(text), "käse");
    json_decref(text);
    json_t *number = vg_json_number(NAN);
    assert_true(json_is_null(number));
    json_decref(number);
    number = vg_json_number(-INFINITY);
    assert_true(json_is_null(number));
    json_decref(number);
    number = vg_json_number(0.5);
    assert_near(json_real_value(number), 0.5, 0);
    json_decref(number);
}

static void test_shell_word(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"runs/2026-1", "runs/2026-1"},
                                           {"my run", "'my run'"},
                                           {"it's", "'it'\\''s'"},
                                           {"$(x)", "'$(x)'"},
                                           {"a\\b", "'a\\b'"},
                                           {"e\033'\\\xFF", "$'e\\x1B\\'\\\\\\xFF'"},
                                           {"", "''"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *word = vg_shell_word(words[i][0]);
        assert_non_null(word);
        assert_string_equal(word, words[i][1]);
        free(word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_html), cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_shell_word)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
