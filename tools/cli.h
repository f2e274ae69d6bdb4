/* What the three commands have in common: options, messages, exit statuses, the terminal.
 *
 * Options may stand before or after the operands. The common ones mean the same everywhere:
 *   --out PATH  --seed N  --threads N  --json  --quiet  --version  --help
 * Results go to stdout; progress and messages ("tool: message") to stderr. With --json stdout
 * carries exactly one JSON object. Not thread-safe (getopt is not). */
#ifndef VG_TOOLS_CLI_H
#define VG_TOOLS_CLI_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VG_VERSION "0.1.0"

typedef enum vg_exit {
    VG_EXIT_DONE = 0,
    VG_EXIT_FAILED = 1,
    VG_EXIT_USAGE = 2,
    VG_EXIT_FOUND = 3 /* only when asked for: what --fail-on names is there */
} vg_exit;

/* An option of one tool, beside the common ones. */
typedef struct vg_cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* "FILE"; "[LIST]": may be left out (value NULL); NULL: takes none */
    const char *help;     /* one line */
    int id;               /* what the tool knows it by */
} vg_cli_option;

typedef struct vg_cli_spec {
    const char *tool;     /* "balance-report" */
    const char *what;     /* one line: what it is for */
    const char *usage;    /* what follows the tool's name in "usage: tool ..." */
    const char *out_help; /* what --out means here */
    const char *footer;   /* examples and the like after the options in --help; may be NULL */
    const vg_cli_option *options; /* [option_count] */
    int option_count;
    int max_operands;
    /* Called for every option of the tool in the order of the command line. A status other than
     * VG_OK ends the tool with VG_EXIT_USAGE and the message in *err. */
    vg_status (*take)(void *context, int id, const char *value, vg_error *err);
} vg_cli_spec;

/* The common options as they were given. Strings point into argv. */
typedef struct vg_cli {
    const vg_cli_spec *spec;
    const char *out; /* NULL: not given */
    bool seed_given;
    uint64_t seed;
    int threads; /* 0: not given, all CPUs */
    bool json, quiet;
    char **operands; /* [operand_count] */
    int operand_count;
} vg_cli;

/* Reads the command line. Returns -1 when the tool should go on, else the exit status to end with:
 * 0 after --help and --version (printed on stdout), VG_EXIT_USAGE after a wrong use (explained on
 * stderr, with the nearest option for an unknown one). `context` goes to spec->take. */
int vg_cli_parse(const vg_cli_spec *spec, int argc, char **argv, void *context, vg_cli *cli);

/* "tool: message" on stderr. A note is left out with --quiet, an error never. */
void vg_cli_error(const vg_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vg_cli_note(const vg_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The error's message (or the status in words), then VG_EXIT_USAGE for VG_E_ARG, else
 * VG_EXIT_FAILED. */
int vg_cli_fail(const vg_cli *cli, const vg_error *err, vg_status status);
/* The same for wrong usage found by the tool itself; points to --help. Returns VG_EXIT_USAGE. */
int vg_cli_usage(const vg_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Call first in main, with argv: restarts the program once with OPENBLAS_CORETYPE set when OpenBLAS
 * picked slower kernels than this CPU can run (see cli_blas.c). Needs train/. */
void vg_cli_fast_blas(char **argv);

/* A whole number in [low, high]; VG_E_ARG names `what`, what was found and the range. */
vg_status vg_cli_integer(const char *what, const char *text, int64_t low, int64_t high,
                         int64_t *value, vg_error *err);

/* Whether `stream` is a terminal that may show colours (NO_COLOR unset, TERM not "dumb"). */
bool vg_cli_colour(FILE *stream);
/* Columns of the terminal behind `stream`, `otherwise` if there is none. */
int vg_cli_width(FILE *stream, int otherwise);
/* Columns that vg_cli_pad needs for a whole text: one for a code point, four for each byte that it
 * writes as \xNN. */
int vg_cli_columns(const char *text);
/* Prints `text` cut or filled to exactly `columns` columns; cut text ends in an ellipsis. Bytes that
 * are not UTF-8 and characters that steer a terminal are written as \xNN (vg_text_show). */
void vg_cli_pad(FILE *out, const char *text, int columns);
/* Words wrapped at `width`, a number kept with its " %"; the first begins at column `at`, continued lines
 * are indented. Ends the line. */
void vg_cli_wrap(FILE *out, const char *text, int at, int indent, int width);
/* Prints a bar of value / full of `columns` columns in eighths of a block, filled up with blanks;
 * anything above 0 shows at least a sliver. */
void vg_cli_bar(FILE *out, double value, double full, int columns);
/* "60,000": a count with separators, for people. Returns `text`. */
char *vg_cli_count(char text[32], uint64_t count);
/* Flushes and checks stdout: VG_E_IO when what was printed did not arrive (a full disk). */
vg_status vg_cli_finish(FILE *out, vg_error *err);

/* The value of --background. */
vg_status vg_cli_background(const char *value, int *background, vg_error *err);

#endif
