/* Tests of tools/progress.h. */
#include "test.h"

#include "base/clock.h"
#include "progress.h"

static char text[1024];

static void read_back(FILE *file)
{
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
}

static void test_terminal_line_is_rewritten(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    vg_progress p = {.out = file, .terminal = true, .width = 12};
    vg_progress_clear(&p); /* nothing there: writes nothing */
    vg_progress_show(&p, "epoch %d/%d", 3, 8);
    vg_progress_show(&p, "epoch %d/%d  far too long", 3, 8);
    vg_progress_clear(&p);
    vg_progress_clear(&p);
    read_back(file);
    assert_string_equal(text, "\repoch 3/8  \r\repoch 3/8 …\r\r\033[K");
}

static void test_log_gets_lines(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    vg_progress p = {.out = file, .width = 12, .every = 60, .last = vg_clock()};
    assert_false(vg_progress_due(&p));
    p.last -= 61;
    assert_true(vg_progress_due(&p));
    vg_progress_show(&p, "a line of any length is not cut in a log");
    assert_false(vg_progress_due(&p));
    vg_progress_clear(&p);
    p.quiet = true;
    p.last = -1e9;
    assert_false(vg_progress_due(&p));
    vg_progress_show(&p, "not shown");
    read_back(file);
    assert_string_equal(text, "a line of any length is not cut in a log\n");
}

static void test_times(void **state)
{
    (void)state;
    char time[24];
    assert_string_equal(vg_progress_time(time, 7.4), "0:07");
    assert_string_equal(vg_progress_time(time, 400), "6:40");
    assert_string_equal(vg_progress_time(time, 3723), "1:02:03");
    assert_string_equal(vg_progress_time(time, -1.0 / 0.0), "0:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminal_line_is_rewritten),
        cmocka_unit_test(test_log_gets_lines),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
