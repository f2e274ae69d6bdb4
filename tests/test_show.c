/* Tests of show.h: which terminals get pictures, and what is sent to them. */
#include "test.h"

#include "show.h"

static vg_error err;

static void test_which_way(void **state)
{
    (void)state;
    static const struct {
        vg_show_terminal terminal;
        vg_show_way automatic, always;
    } cases[] = {
        {{true, "xterm-kitty", NULL, "1", NULL, NULL}, VG_SHOW_KITTY, VG_SHOW_KITTY},
        {{true, "xterm-ghostty", "ghostty", NULL, NULL, NULL}, VG_SHOW_KITTY, VG_SHOW_KITTY},
        {{true, "xterm-256color", "iTerm.app", NULL, "truecolor", NULL},
         VG_SHOW_ITERM,
         VG_SHOW_ITERM},
        {{true, "xterm-256color", "WezTerm", NULL, NULL, ""}, VG_SHOW_ITERM, VG_SHOW_ITERM},
        {{true, "xterm-256color", NULL, NULL, "truecolor", NULL}, VG_SHOW_BLOCKS, VG_SHOW_BLOCKS},
        {{true, "xterm-256color", NULL, NULL, "24bit", NULL}, VG_SHOW_BLOCKS, VG_SHOW_BLOCKS},
        {{true, "xterm-256color", NULL, NULL, NULL, NULL}, VG_SHOW_NOTHING, VG_SHOW_BLOCKS},
        /* a multiplexer swallows the protocols */
        {{true, "tmux-256color", NULL, "1", "truecolor", "/tmp/tmux-0/default"},
         VG_SHOW_BLOCKS,
         VG_SHOW_BLOCKS},
        {{true, "screen", NULL, "1", NULL, "7.pts"}, VG_SHOW_NOTHING, VG_SHOW_BLOCKS},
        /* never where escape codes are not understood, or in a pipe */
        {{true, "dumb", "iTerm.app", "1", "truecolor", NULL}, VG_SHOW_NOTHING, VG_SHOW_NOTHING},
        {{true, NULL, NULL, "1", "truecolor", NULL}, VG_SHOW_NOTHING, VG_SHOW_NOTHING},
        {{true, "", NULL, NULL, "truecolor", NULL}, VG_SHOW_NOTHING, VG_SHOW_NOTHING},
        {{false, "xterm-kitty", NULL, "1", "truecolor", NULL}, VG_SHOW_NOTHING, VG_SHOW_NOTHING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(vg_show_choose(&cases[i].terminal, VG_SHOW_AUTO), cases[i].automatic);
        assert_int_equal(vg_show_choose(&cases[i].terminal, VG_SHOW_ALWAYS), cases[i].always);
        assert_int_equal(vg_show_choose(&cases[i].terminal, VG_SHOW_NEVER), VG_SHOW_NOTHING);
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(vg_show_look(file).terminal);
    fclose(file);
}

static void test_words(void **state)
{
    (void)state;
    vg_show_when when = VG_SHOW_AUTO;
    assert_ok(vg_show_parse("never", &when, &err));
    assert_int_equal(when, VG_SHOW_NEVER);
    assert_int_equal(vg_show_parse("allways", &when, &err), VG_E_ARG);
    assert_non_null(strstr(err.message, "did you mean \"always\""));
    assert_int_equal(when, VG_SHOW_NEVER);
}

/* What is sent for a file of `size` zeros. */
static char *sent(vg_show_way way, size_t size)
{
    static uint8_t png[8000];
    char *text = calloc(1, 16000);
    FILE *out = tmpfile();
    assert_non_null(out);
    vg_show_png(out, way, png, size, 80);
    rewind(out);
    assert_true(fread(text, 1, 15999, out) > 0);
    fclose(out);
    return text;
}

static void test_protocols(void **state)
{
    (void)state;
    char *text = sent(VG_SHOW_KITTY, 3);
    assert_string_equal(text, "\033_Ga=T,f=100,q=2,c=80,m=0;AAAA\033\\\n");
    free(text);
    text = sent(VG_SHOW_KITTY, 3072); /* exactly a chunk */
    assert_null(strstr(text, "m=1"));
    free(text);
    text = sent(VG_SHOW_KITTY, 7000); /* three */
    char *second = strstr(text, "\033_Gm=1;"), *third = strstr(text, "\033_Gm=0;");
    assert_true(strstr(text, "c=80,m=1;") && second && third && second < third);
    assert_int_equal(strcspn(strchr(text, ';') + 1, "\033"), 4096);
    free(text);
    text = sent(VG_SHOW_ITERM, 4);
    assert_string_equal(
        text, "\033]1337;File=inline=1;size=4;width=80;preserveAspectRatio=1:AAAAAA==\a\n");
    free(text);
}

/* Lines without their escape codes: none is wider than it may be. */
static int longest(const char *text)
{
    int most = 0, now = 0;
    for (; *text; text++) {
        if (*text == '\033')
            text += strcspn(text, "m");
        else if (*text == '\n')
            now = 0;
        else if (((unsigned char)*text & 0xC0) != 0x80)
            now++;
        most = now > most ? now : most;
    }
    return most;
}

static void test_rows_fit(void **state)
{
    (void)state;
    vg_preview preview = {0};
    preview.rows = calloc(2, sizeof *preview.rows);
    preview.summary.rows = 2;
    vg_preview_row *row = preview.rows;
    snprintf(row->name, sizeof row->name, "a\033[31m cat with a long name");
    snprintf(row->note, sizeof row->note, "7 training pictures");
    assert_ok(vg_image_shape(&row->original, 7, 5, 3, &err));
    memset(row->original.data, 200, 7 * 5 * 3);
    row->width = 7;
    row->height = 5;
    for (int i = 0; i < 7; i++) {
        assert_ok(vg_image_shape(&row->tiles[i].picture, i % 2 ? 1 : 30, i % 3 ? 9 : 1, 1, &err));
        memset(row->tiles[i].picture.data, 10,
               (size_t)row->tiles[i].picture.width * (size_t)row->tiles[i].picture.height);
        snprintf(
            row->tiles[i].caption, sizeof row->tiles[i].caption,
            "rot\u00a0+4° shift\u00a0−10%%\u00a00%% averylongwordthatfitsinnocolumnatallever%d", i);
        snprintf(row->tiles[i].reason, sizeof row->tiles[i].reason, "%s", i ? "" : "62 % is fill");
    }
    snprintf(preview.rows[1].name, sizeof preview.rows[1].name, "broken");
    snprintf(preview.rows[1].problem, sizeof preview.rows[1].problem, "all files are empty");
    static const int widths[] = {200, 100, 80, 60, 40, 20};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_ok(vg_show_rows(out, &preview, 7, widths[i], 2, &err));
        fclose(out);
        assert_in_range(longest(text), 1, widths[i]);
        assert_null(strstr(text, "\033[31m")); /* a name steers no terminal */
        assert_non_null(strstr(text, "▀"));
        assert_non_null(strstr(text, "original 7×5"));
        if (widths[i] > 60) {
            assert_non_null(strstr(text, "62 % is fill"));
            assert_non_null(strstr(text, "all files are empty"));
        }
        free(text);
    }
    vg_preview_reset(&preview);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_way),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_rows_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
