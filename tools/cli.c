/* The command line of all three tools, on top of getopt_long.
 *
 * getopt_long reads (it permutes, so that options may follow the operands); what it does not do is
 * done here: the common options, --help from one table, and for an unknown option the nearest known
 * one. Its own messages are switched off because ours name the tool and suggest. */
#include "cli.h"

#include "base/alloc.h"
#include "base/text.h"
#include "image/background.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COMMON_OUT = 1, COMMON_SEED, COMMON_THREADS, COMMON_JSON, COMMON_QUIET };
enum { COMMON_VERSION = COMMON_QUIET + 1, COMMON_HELP, COMMON_COUNT = COMMON_HELP };
enum { FIRST_OWN = 1000 }; /* getopt value of the tool's own options: this plus their place */

static const vg_cli_option common_options[COMMON_COUNT] = {
    {"out", "PATH", NULL, COMMON_OUT},
    {"seed", "N", "seed of everything random (whole number from 0)", COMMON_SEED},
    {"threads", "N", "threads to use; results do not depend on it (all CPUs)", COMMON_THREADS},
    {"json", NULL, "one JSON object on stdout, messages on stderr", COMMON_JSON},
    {"quiet", NULL, "no progress and no notes; errors are still told", COMMON_QUIET},
    {"version", NULL, "print the version", COMMON_VERSION},
    {"help", NULL, "print this help", COMMON_HELP},
};

/* Messages hold names from a disk: what could steer a terminal is written out as \xNN. */
static void message(const vg_cli *cli, const char *format, va_list args)
{
    char text[2048], shown[VG_TEXT_SHOWN];
    vsnprintf(text, sizeof text, format, args);
    fflush(stdout);
    fprintf(stderr, "%s: ", cli->spec->tool);
    for (const char *at = text; *at;) {
        bool line = *at == '\n';
        at += line ? 1 : vg_text_show(at, shown);
        fputs(line ? "\n" : shown, stderr);
    }
    fputc('\n', stderr);
}

void vg_cli_error(const vg_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message(cli, format, args);
    va_end(args);
}

void vg_cli_note(const vg_cli *cli, const char *format, ...)
{
    if (cli->quiet)
        return;
    va_list args;
    va_start(args, format);
    message(cli, format, args);
    va_end(args);
}

int vg_cli_fail(const vg_cli *cli, const vg_error *err, vg_status status)
{
    const char *text = err && err->message[0] ? err->message : vg_status_text(status);
    vg_cli_error(cli, "%s", text);
    return status == VG_E_ARG ? VG_EXIT_USAGE : VG_EXIT_FAILED;
}

int vg_cli_usage(const vg_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message(cli, format, args);
    va_end(args);
    fprintf(stderr, "usage: %s %s\n       %s --help explains\n", cli->spec->tool, cli->spec->usage,
            cli->spec->tool);
    return VG_EXIT_USAGE;
}

vg_status vg_cli_integer(const char *what, const char *text, int64_t low, int64_t high,
                         int64_t *value, vg_error *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno == ERANGE || number < low || number > high) {
        return vg_fail(err, VG_E_ARG,
                       "%s: found \"%s\", expected a whole number from %" PRId64 " to %" PRId64,
                       what, text, low, high);
    }
    *value = number;
    return VG_OK;
}

static void print_option(FILE *out, const vg_cli_option *option, const char *help)
{
    char left[64];
    const char *argument = option->argument;
    if (argument && argument[0] == '[')
        snprintf(left, sizeof left, "--%s[=%.*s]", option->name, (int)strlen(argument) - 2,
                 argument + 1);
    else
        snprintf(left, sizeof left, "--%s%s%s", option->name, argument ? " " : "",
                 argument ? argument : "");
    fprintf(out, "  %-24s %s\n", left, help);
}

static void print_help(const vg_cli_spec *spec)
{
    printf("usage: %s %s\n\n%s\n\n", spec->tool, spec->usage, spec->what);
    for (int i = 0; i < spec->option_count; i++)
        print_option(stdout, &spec->options[i], spec->options[i].help);
    if (spec->option_count)
        putchar('\n');
    for (int i = 0; i < COMMON_COUNT; i++)
        if (common_options[i].id != COMMON_OUT || spec->out_help)
            print_option(stdout, &common_options[i],
                         common_options[i].help ? common_options[i].help : spec->out_help);
    printf(
        "\nOptions may stand before or after the operands. Exit status: 0 done, 1 failed, 2 wrong "
        "usage,\n3 what --fail-on names is there.\n");
    if (spec->footer)
        printf("\n%s", spec->footer);
}

/* What was asked for may have met a full disk. */
static int printed(const vg_cli *cli)
{
    vg_error err = {0};
    vg_status status = vg_cli_finish(stdout, &err);
    return status ? vg_cli_fail(cli, &err, status) : VG_EXIT_DONE;
}

static int take_common(vg_cli *cli, int id, const char *value)
{
    vg_error err = {0};
    int64_t number = 0;
    switch (id) {
    case COMMON_OUT:
        if (!*value)
            return vg_cli_usage(cli, "--out: found \"\", expected a path");
        cli->out = value;
        break;
    case COMMON_SEED:
        if (vg_cli_integer("--seed", value, 0, INT64_MAX, &number, &err) != VG_OK)
            return vg_cli_usage(cli, "%s", err.message);
        cli->seed = (uint64_t)number;
        cli->seed_given = true;
        break;
    case COMMON_THREADS:
        if (vg_cli_integer("--threads", value, 0, 1024, &number, &err) != VG_OK)
            return vg_cli_usage(cli, "%s", err.message);
        cli->threads = (int)number;
        break;
    case COMMON_JSON:
        cli->json = true;
        break;
    case COMMON_QUIET:
        cli->quiet = true;
        break;
    case COMMON_VERSION:
        printf("%s (variegate) %s\n", cli->spec->tool, VG_VERSION);
        return printed(cli);
    case COMMON_HELP:
        print_help(cli->spec);
        return printed(cli);
    default:
        break;
    }
    return -1;
}

/* Why getopt stopped at argv[index]: an unknown option, an ambiguous one, or a missing argument. */
static int refuse(const vg_cli *cli, const struct option *table, size_t count, const char *word,
                  bool missing)
{
    if (missing)
        return vg_cli_usage(cli, "%s needs an argument", word);
    char name[64];
    const char *start = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
    const char *known[64];
    size_t known_count = 0;
    for (size_t i = 0; i < count && known_count < 64; i++) {
        if (strcmp(table[i].name, name) == 0)
            return vg_cli_usage(cli, "--%s takes no argument", name);
        known[known_count++] = table[i].name;
    }
    const char *nearest = vg_nearest(name, known, known_count);
    if (nearest)
        return vg_cli_usage(cli, "unknown option \"%s\"; did you mean \"--%s\"?", word, nearest);
    return vg_cli_usage(cli, "unknown option \"%s\"", word);
}

static int read_options(const vg_cli_spec *spec, int argc, char **argv, void *context, vg_cli *cli,
                        const struct option *table, size_t count)
{
    vg_error err = {0};
    opterr = 0;
    optind = 0; /* glibc: start anew, so that a test may parse twice */
    for (;;) {
        int found = getopt_long(argc, argv, ":", table, NULL);
        if (found == -1)
            break;
        if (found == '?' && optopt > ' ' && optopt < 0x7F) /* there are no one-letter options */
            return vg_cli_usage(cli, "unknown option \"-%c\"", optopt);
        if (found == '?' || found == ':') {
            const char *word = argv[optind - 1];
            return refuse(cli, table, count, word, found == ':');
        }
        if (found < FIRST_OWN) {
            int end = take_common(cli, found, optarg);
            if (end >= 0)
                return end;
        } else if (spec->take(context, spec->options[found - FIRST_OWN].id, optarg, &err) !=
                   VG_OK) {
            return vg_cli_usage(cli, "%s", err.message);
        }
    }
    cli->operands = argv + optind;
    cli->operand_count = argc - optind;
    if (cli->operand_count > spec->max_operands)
        return vg_cli_usage(cli, "\"%s\" is one operand too many",
                            cli->operands[spec->max_operands]);
    for (int i = 0; i < cli->operand_count; i++)
        if (!*cli->operands[i])
            return vg_cli_usage(cli, "found \"\", expected a path (a variable that is not set?)");
    return -1;
}

int vg_cli_parse(const vg_cli_spec *spec, int argc, char **argv, void *context, vg_cli *cli)
{
    *cli = (vg_cli){.spec = spec};
    size_t count = 0;
    struct option *table = vg_calloc((size_t)spec->option_count + COMMON_COUNT + 1, sizeof *table);
    if (!table) {
        vg_cli_error(cli, "out of memory");
        return VG_EXIT_FAILED;
    }
    for (int i = 0; i < spec->option_count; i++) {
        const char *argument = spec->options[i].argument;
        int kind = !argument            ? no_argument
                   : argument[0] == '[' ? optional_argument
                                        : required_argument;
        table[count++] = (struct option){spec->options[i].name, kind, NULL, FIRST_OWN + i};
    }
    for (int i = 0; i < COMMON_COUNT; i++) {
        if (common_options[i].id == COMMON_OUT && !spec->out_help)
            continue;
        table[count++] = (struct option){
            common_options[i].name, common_options[i].argument ? required_argument : no_argument,
            NULL, common_options[i].id};
    }
    int end = read_options(spec, argc, argv, context, cli, table, count);
    free(table);
    return end;
}

bool vg_cli_colour(FILE *stream)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (refused && *refused)
        return false;
    return isatty(fileno(stream)) && terminal && strcmp(terminal, "dumb") != 0;
}

int vg_cli_width(FILE *stream, int otherwise)
{
    struct winsize size;
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return otherwise;
}

/* Columns that the characters in `shown` take: one, or as many as there are letters in \xNN. */
static int columns_of(const char *shown)
{
    return (unsigned char)shown[0] < 0x80 ? (int)strlen(shown) : 1;
}

int vg_cli_columns(const char *text)
{
    int columns = 0;
    char shown[VG_TEXT_SHOWN];
    for (; *text; columns += columns_of(shown))
        text += vg_text_show(text, shown);
    return columns;
}

void vg_cli_pad(FILE *out, const char *text, int columns)
{
    int width = vg_cli_columns(text), keep = width <= columns ? width : columns - 1, used = 0;
    char shown[VG_TEXT_SHOWN];
    while (*text) {
        text += vg_text_show(text, shown);
        if (used + columns_of(shown) > keep)
            break;
        fputs(shown, out);
        used += columns_of(shown);
    }
    if (keep < width && columns > 0) {
        fputs("…", out);
        used++;
    }
    for (; used < columns; used++)
        fputc(' ', out);
}

void vg_cli_wrap(FILE *out, const char *text, int at, int indent, int width)
{
    while (*text) {
        int length = (int)strcspn(text, " ");
        while (strncmp(text + length, " %", 2) == 0) /* a number keeps its unit */
            length += 2 + (int)strcspn(text + length + 2, " ");
        char word[512];
        snprintf(word, sizeof word, "%.*s", length, text);
        int columns = vg_cli_columns(word);
        if (at > indent && at + 1 + columns > width) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        vg_cli_pad(out, word, columns);
        at += columns;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void vg_cli_bar(FILE *out, double value, double full, int columns)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double share = full > 0 && value > 0 ? value / full : 0;
    int parts = (int)((share < 1 ? share : 1) * columns * 8 + 0.5), shown = 0;
    if (parts == 0 && share > 0)
        parts = 1;
    for (; parts >= 8; parts -= 8, shown++)
        fputs("█", out);
    if (parts && shown < columns) {
        fputs(eighths[parts], out);
        shown++;
    }
    for (; shown < columns; shown++)
        fputc(' ', out);
}

char *vg_cli_count(char text[32], uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

vg_status vg_cli_finish(FILE *out, vg_error *err)
{
    if (fflush(out) != 0 || ferror(out))
        return vg_fail(err, VG_E_IO, "writing the result failed: %s", strerror(errno));
    return VG_OK;
}

vg_status vg_cli_background(const char *value, int *background, vg_error *err)
{
    vg_status status = vg_background_parse(value, background, err);
    return status ? vg_fail_in(err, "--background", status) : VG_OK;
}
