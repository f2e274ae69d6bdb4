/* Tests of tools/cli.h: what a command line means, and what is said about a wrong one. */
#include "test.h"

#include "cli.h"

#include <unistd.h>

enum { POLICY, COMPARE, PREVIEW };

typedef struct taken {
    char policy[32], compare[32];
    int compares, previews;
} taken;

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    taken *t = context;
    if (id == POLICY && strcmp(value, "bad") == 0)
        return vg_fail(err, VG_E_ARG, "--policy: found \"bad\"");
    if (id == POLICY)
        snprintf(t->policy, sizeof t->policy, "%s", value);
    if (id == COMPARE)
        snprintf(t->compare, sizeof t->compare, "%s", value ? value : "(none)");
    t->compares += id == COMPARE;
    t->previews += id == PREVIEW;
    return VG_OK;
}

static const vg_cli_option options[] = {
    {"policy", "P", "what to do", POLICY},
    {"compare", "[LIST]", "compare", COMPARE},
    {"preview", NULL, "a sheet", PREVIEW},
};
static const vg_cli_spec spec = {.tool = "tool",
                                 .what = "Does things.",
                                 .usage = "DATASET [options]",
                                 .out_help = "where to",
                                 .options = options,
                                 .option_count = 3,
                                 .max_operands = 1,
                                 .take = take};

static vg_cli cli;
static taken got;
static char said[4096];

/* Parses the words with stdout and stderr going into `said`. */
static int parse(const char *first, ...)
{
    static char storage[16][64];
    static char tool[] = "tool", *argv[18] = {tool};
    int argc = 1;
    va_list args;
    va_start(args, first);
    for (const char *word = first; word; word = va_arg(args, const char *)) {
        snprintf(storage[argc - 1], sizeof storage[0], "%s", word);
        argv[argc] = storage[argc - 1];
        argc++;
    }
    va_end(args);
    argv[argc] = NULL;
    memset(&got, 0, sizeof got);
    fflush(stdout);
    fflush(stderr);
    FILE *file = tmpfile();
    assert_non_null(file);
    int out = dup(1), error = dup(2);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    int end = vg_cli_parse(&spec, argc, argv, &got, &cli);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(error, 2);
    close(out);
    close(error);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    return end;
}

static void test_options_before_and_after(void **state)
{
    (void)state;
    assert_int_equal(parse("--policy", "light", "pets/", "--seed=7", "--json", NULL), -1);
    assert_int_equal(cli.operand_count, 1);
    assert_string_equal(cli.operands[0], "pets/");
    assert_string_equal(got.policy, "light");
    assert_true(cli.seed_given && cli.seed == 7 && cli.json && !cli.quiet);
    assert_int_equal(parse("pets/", "--threads", "3", "--out", "x", "--quiet", NULL), -1);
    assert_int_equal(cli.threads, 3);
    assert_string_equal(cli.out, "x");
    assert_true(cli.quiet && !cli.seed_given);
    assert_string_equal(said, "");
    assert_int_equal(parse("--", "--odd-name", NULL), -1);
    assert_string_equal(cli.operands[0], "--odd-name");
}

static void test_optional_argument(void **state)
{
    (void)state;
    assert_int_equal(parse("--compare", "pets/", NULL), -1);
    assert_string_equal(got.compare, "(none)");
    assert_string_equal(cli.operands[0], "pets/");
    assert_int_equal(parse("--compare=normalize", "pets/", NULL), -1);
    assert_string_equal(got.compare, "normalize");
}

static void test_wrong_usage(void **state)
{
    (void)state;
    assert_int_equal(parse("pets/", "--polcy", "light", NULL), VG_EXIT_USAGE);
    assert_contains(said, "tool: unknown option \"--polcy\"; did you mean \"--policy\"?");
    assert_int_equal(parse("--zzzzzzzz", NULL), VG_EXIT_USAGE);
    assert_contains(said, "unknown option \"--zzzzzzzz\"\n");
    assert_int_equal(parse("-x", "pets/", NULL), VG_EXIT_USAGE);
    assert_contains(said, "unknown option \"-x\"");
    assert_int_equal(parse("pets/", "--policy", NULL), VG_EXIT_USAGE);
    assert_contains(said, "--policy needs an argument");
    assert_int_equal(parse("--json=1", NULL), VG_EXIT_USAGE);
    assert_contains(said, "--json takes no argument");
    assert_int_equal(parse("a", "b", NULL), VG_EXIT_USAGE);
    assert_contains(said, "\"b\" is one operand too many");
    assert_int_equal(parse("--seed", "-1", NULL), VG_EXIT_USAGE);
    assert_contains(said, "--seed: found \"-1\", expected a whole number from 0");
    assert_int_equal(parse("--seed", "9223372036854775808", NULL), VG_EXIT_USAGE);
    assert_contains(said, "expected a whole number from 0 to 9223372036854775807");
    assert_int_equal(parse("", NULL), VG_EXIT_USAGE);
    assert_contains(said, "found \"\", expected a path");
    assert_int_equal(parse("pets/", "--out", "", NULL), VG_EXIT_USAGE);
    assert_contains(said, "--out: found \"\"");
    assert_int_equal(parse("--b\033[31m\177", NULL), VG_EXIT_USAGE);
    assert_contains(said, "unknown option \"--b\\x1B[31m\\x7F\"");
    assert_int_equal(parse("--threads", "2x", NULL), VG_EXIT_USAGE);
    assert_contains(said, "--threads: found \"2x\"");
    assert_int_equal(parse("--policy", "bad", NULL), VG_EXIT_USAGE);
    assert_contains(said, "tool: --policy: found \"bad\"");
}

static void test_help_and_version(void **state)
{
    (void)state;
    assert_int_equal(parse("--help", NULL), VG_EXIT_DONE);
    assert_contains(said, "usage: tool DATASET [options]");
    assert_contains(said, "--compare[=LIST]");
    assert_contains(said, "--out PATH");
    assert_contains(said, "where to");
    assert_int_equal(parse("--version", NULL), VG_EXIT_DONE);
    assert_contains(said, "tool (variegate) " VG_VERSION);
}

static void print_of(char *text, size_t size, void (*write)(FILE *out))
{
    FILE *file = tmpfile();
    assert_non_null(file);
    write(file);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void pads(FILE *out)
{
    vg_cli_pad(out, "käse", 6);
    fputc('|', out);
    vg_cli_pad(out, "käsebrot", 5);
    fputc('|', out);
    vg_cli_pad(out, "a\033b", 6);
    fputc('|', out);
    vg_cli_pad(out, "\177\xC2\x9B\xFF", 16); /* DEL, a C1 control (CSI), no UTF-8 */
    fputc('|', out);
    vg_cli_pad(out, "ab\xFF", 5); /* an escape is cut as a whole */
    fputc('|', out);
    vg_cli_bar(out, 1, 2, 4);
    fputc('|', out);
    vg_cli_bar(out, 1e-9, 1, 2);
    fputc('|', out);
    vg_cli_bar(out, 9, 3, 2);
    fputc('|', out);
    vg_cli_bar(out, 0, 0, 2);
}

static void wraps(FILE *out)
{
    fputs("-> ", out);
    vg_cli_wrap(out, "käse and 5 % more of it", 3, 3, 12);
}

/* Continued lines are indented, and a number keeps its unit. */
static void test_wrapping(void **state)
{
    (void)state;
    char text[200];
    print_of(text, sizeof text, wraps);
    assert_string_equal(text, "-> käse and\n   5 % more\n   of it\n");
}

static void test_columns(void **state)
{
    (void)state;
    char text[256];
    print_of(text, sizeof text, pads);
    assert_string_equal(text, "käse  |käse…|a\\x1Bb|\\x7F\\xC2\\x9B\\xFF|ab…  |██  |▏ |██|  ");
    assert_int_equal(vg_cli_columns("käse"), 4);
    assert_int_equal(vg_cli_columns("k\xE4se"), 7);
    char count[32];
    assert_string_equal(vg_cli_count(count, 0), "0");
    assert_string_equal(vg_cli_count(count, 999), "999");
    assert_string_equal(vg_cli_count(count, 60000), "60,000");
    assert_string_equal(vg_cli_count(count, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void test_exit_statuses(void **state)
{
    (void)state;
    parse("pets/", "--quiet", NULL);
    vg_error err = {.code = VG_E_IO, .message = "x: gone"};
    fflush(stderr);
    int error = dup(2);
    FILE *file = tmpfile();
    dup2(fileno(file), 2);
    assert_int_equal(vg_cli_fail(&cli, &err, VG_E_IO), VG_EXIT_FAILED);
    assert_int_equal(vg_cli_fail(&cli, NULL, VG_E_ARG), VG_EXIT_USAGE);
    vg_cli_note(&cli, "not said with --quiet");
    dup2(error, 2);
    close(error);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(said, "tool: x: gone\ntool: invalid argument\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_before_and_after),
        cmocka_unit_test(test_optional_argument),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_exit_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
