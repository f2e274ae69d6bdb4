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
    check("bad \xFF\xC3", 0, "bad \xEF\xBF\xBD\xEF\xBF\xBD");
    check("overlong \xC0\x80 surrogate \xED\xA0\x80", 0,
          "overlong \xEF\xBF\xBD\xEF\xBF\xBD surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    check("bell \x07", 0, "bell \xEF\xBF\xBD");
    check("käsebrot", 5, "käse…");
    check("a<b", 3, "a&lt;b");
}

static void test_json(void **state)
{
    (void)state;
    json_t *text = vg_json_text("bad \xFF.jpg");
    assert_string_equal(json_string_value(text), "bad \xEF\xBF\xBD.jpg");
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
