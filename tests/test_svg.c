/* Tests of tools/report/svg.h and html.h: well-formed, finite, escaped. Well-formed is checked by a
 * small reader of tags (every element closed in order). How it looks is checked by eye. */
#include "test.h"

#include "report/html.h"
#include "report/svg.h"

#include <math.h>

static char *memory;
static size_t size;

static FILE *start(void)
{
    free(memory);
    memory = NULL;
    FILE *out = open_memstream(&memory, &size);
    assert_non_null(out);
    return out;
}

/* Every element of an SVG text is closed, in order; no number is nan or inf. */
static void assert_well_formed(const char *text)
{
    char stack[32][16];
    int depth = 0;
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        size_t length = strcspn(at + 1, " />\n");
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_memory_equal(stack[depth], at + 2, strlen(stack[depth]));
        } else if (end[-1] != '/') {
            assert_true(depth < 32 && length < 16);
            snprintf(stack[depth++], 16, "%.*s", (int)length, at + 1);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void test_bars(void **state)
{
    (void)state;
    const char *const labels[] = {"<cat> & \"dog\"",
                                  "a very long name of a class that does not fit", "c"};
    const char *const series[] = {"predicted", "true"};
    const double values[] = {0.9, 0.3, 0.1, 0.3, NAN, 0.4};
    const bool accused[] = {false, true, false};
    FILE *out = start();
    vg_svg_bars_draw(out, &(vg_svg_bars){.name = "x\"y",
                                         .labels = labels,
                                         .series = series,
                                         .values = values,
                                         .accused = accused,
                                         .rows = 3,
                                         .series_count = 2,
                                         .percent = true,
                                         .width = 300});
    fclose(out);
    assert_well_formed(memory);
    assert_contains(memory, "&lt;cat&gt;");
    assert_contains(memory, "90 % / 30 %");
    assert_contains(memory, "<title>a very long name of a class that does not fit</title>");
    assert_contains(memory, "◀");
    out = start();
    vg_svg_bars_draw(out, &(vg_svg_bars){.name = "empty", .rows = 0, .series_count = 1});
    fclose(out);
    assert_well_formed(memory);
}

static void test_lines(void **state)
{
    (void)state;
    const double y[] = {NAN, 0.5, 0.2, NAN, 0.9}, low[] = {NAN, 0.4, 0.1, NAN, 0.8},
                 high[] = {NAN, 0.6, 0.3, NAN, 1};
    const double gone[] = {NAN, NAN, NAN, NAN, NAN}, tiny[] = {0, 1e-9, 1e-3, 1, 0.5};
    const vg_svg_line lines[] = {{"one", y, low, high}, {"nothing", gone, NULL, NULL}};
    FILE *out = start();
    vg_svg_lines_draw(out, &(vg_svg_lines){.name = "n",
                                           .x_title = "epoch",
                                           .y_title = "loss",
                                           .count = 5,
                                           .lines = lines,
                                           .line_count = 2});
    fclose(out);
    assert_well_formed(memory);
    assert_contains(memory, "nothing");
    const char *const words[] = {"input", "0.conv", "1.relu", "2.dense", "logits"};
    const vg_svg_line spread = {"spread", tiny, NULL, NULL};
    out = start();
    vg_svg_lines_draw(out, &(vg_svg_lines){.name = "n",
                                           .words = words,
                                           .count = 5,
                                           .lines = &spread,
                                           .line_count = 1,
                                           .logarithmic = true});
    fclose(out);
    assert_well_formed(memory);
    assert_contains(memory, "1e-");
    assert_contains(memory, "logits");
    /* One point, and no point at all. */
    for (int count = 0; count < 2; count++) {
        out = start();
        vg_svg_lines_draw(
            out, &(vg_svg_lines){.name = "n", .count = count, .lines = &spread, .line_count = 1});
        fclose(out);
        assert_well_formed(memory);
    }
}

static void test_heat(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b<"};
    const double values[] = {1, 0, NAN, 0.5};
    const char *const cells[] = {"10", "0", NULL, "5"};
    FILE *out = start();
    vg_svg_heat_draw(out, &(vg_svg_heat){.name = "confusion",
                                         .row_title = "true",
                                         .column_title = "predicted",
                                         .row_labels = names,
                                         .column_labels = names,
                                         .values = values,
                                         .cells = cells,
                                         .rows = 2,
                                         .columns = 2,
                                         .diagonal = true});
    fclose(out);
    assert_well_formed(memory);
    assert_contains(memory, "#08306b"); /* the darkest blue for 1 */
    assert_contains(memory, ">10<");
    assert_contains(memory, "b&lt;");
}

static void test_forest(void **state)
{
    (void)state;
    const vg_svg_estimate rows[] = {
        {.label = "normalize", .heading = true},
        {.label = "accuracy", .note = "+38.1", .value = 38, .low = 31, .high = 45},
        {.label = "one seed", .value = 2, .low = -INFINITY, .high = INFINITY},
        {.label = "nothing", .value = NAN, .low = NAN, .high = NAN},
    };
    FILE *out = start();
    vg_svg_forest_draw(out, &(vg_svg_forest){.name = "effects",
                                             .x_title = "points",
                                             .rows = rows,
                                             .count = 4,
                                             .left = "worse",
                                             .right = "better"});
    fclose(out);
    assert_well_formed(memory);
    assert_contains(memory, "+38.1");
}

static void test_ticks(void **state)
{
    (void)state;
    double ticks[6];
    assert_int_equal(vg_svg_ticks(0, 1, ticks, 6), 6);
    assert_near(ticks[1], 0.2, 1e-12);
    assert_int_equal(vg_svg_ticks(-0.3, 47, ticks, 6), 5); /* 0 10 20 30 40 */
    assert_near(ticks[0], 0, 1e-12);
    assert_near(ticks[4], 40, 1e-12);
    assert_int_equal(vg_svg_ticks(1, 1, ticks, 6), 0);
    assert_int_equal(vg_svg_ticks(0, INFINITY, ticks, 6), 0);
}

static void test_page(void **state)
{
    (void)state;
    FILE *out = start();
    vg_html_begin(out, "pets <12>", "a & b");
    vg_html_verdict_begin(out, VG_TONE_BAD, "ONE-CLASS");
    vg_html_verdict_line(out, "says \"%s\"", "<cat>");
    vg_html_verdict_end(out);
    vg_html_section(out, "Data");
    const char *const heads[] = {"class", ">images", NULL};
    vg_html_table_begin(out, heads);
    vg_html_table_row(out);
    vg_html_cell(out, "%s", "x</td>");
    vg_html_number(out, "%d", 3);
    vg_html_table_end(out);
    vg_html_figure_begin(out, "F");
    vg_html_figure_end(out, "because");
    vg_html_code(out, "a: <b>\n");
    vg_html_end(out, "foot");
    fclose(out);
    assert_contains(memory, "<title>pets &lt;12&gt;</title>");
    assert_contains(memory, "says &quot;&lt;cat&gt;&quot;");
    assert_contains(memory, "x&lt;/td&gt;");
    assert_contains(memory, "<th class=\"n\">images</th>");
    assert_contains(memory, "because");
    assert_null(strstr(memory, "<script"));
    assert_null(strstr(memory, "http")); /* asks nobody for anything */
}

static int release(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),   cmocka_unit_test(test_lines), cmocka_unit_test(test_heat),
        cmocka_unit_test(test_forest), cmocka_unit_test(test_ticks), cmocka_unit_test(test_page),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
