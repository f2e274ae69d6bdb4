/* See show.h. kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol/ (PNG in chunks of at most 4096
 * characters). iTerm2: https://iterm2.com/documentation-images.html (OSC 1337). */
#include "show.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base64.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

vg_status vg_show_parse(const char *word, vg_show_when *when, vg_error *err)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *when = (vg_show_when)i;
            return VG_OK;
        }
    const char *near = vg_nearest(word, words, 3);
    return vg_fail(err, VG_E_ARG, "--show: found \"%s\", expected auto, always or never%s%s%s",
                   word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

vg_show_terminal vg_show_look(FILE *stream)
{
    const char *tmux = getenv("TMUX");
    return (vg_show_terminal){.terminal = isatty(fileno(stream)),
                              .term = getenv("TERM"),
                              .term_program = getenv("TERM_PROGRAM"),
                              .kitty_window = getenv("KITTY_WINDOW_ID"),
                              .colorterm = getenv("COLORTERM"),
                              .multiplexer = tmux ? tmux : getenv("STY")};
}

static bool is(const char *value, const char *word)
{
    return value && strcmp(value, word) == 0;
}

static bool set(const char *value)
{
    return value && *value;
}

vg_show_way vg_show_choose(const vg_show_terminal *t, vg_show_when when)
{
    if (!t->terminal || when == VG_SHOW_NEVER || !set(t->term) || is(t->term, "dumb"))
        return VG_SHOW_NOTHING;
    if (!set(t->multiplexer)) {
        if (set(t->kitty_window) || is(t->term, "xterm-kitty") || is(t->term, "xterm-ghostty") ||
            is(t->term_program, "ghostty"))
            return VG_SHOW_KITTY;
        if (is(t->term_program, "iTerm.app") || is(t->term_program, "WezTerm"))
            return VG_SHOW_ITERM;
    }
    bool colours = is(t->colorterm, "truecolor") || is(t->colorterm, "24bit");
    return colours || when == VG_SHOW_ALWAYS ? VG_SHOW_BLOCKS : VG_SHOW_NOTHING;
}

void vg_show_png(FILE *out, vg_show_way way, const uint8_t *png, size_t size, int columns)
{
    enum { CHUNK = 4096 / 4 * 3 };
    if (way == VG_SHOW_ITERM) {
        fprintf(out, "\033]1337;File=inline=1;size=%zu;width=%d;preserveAspectRatio=1:", size,
                columns);
        vg_base64_write(out, png, size);
        fputs("\a\n", out);
        return;
    }
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t length = size - at < CHUNK ? size - at : CHUNK;
        bool more = at + length < size;
        if (at == 0)
            fprintf(out, "\033_Ga=T,f=100,q=2,c=%d,m=%d;", columns, more);
        else
            fprintf(out, "\033_Gm=%d;", more);
        vg_base64_write(out, png + at, length);
        fputs("\033\\", out);
    }
    fputc('\n', out);
}

/* ---- half blocks */

enum { GAP = 1, LEAST_COLUMNS = 14, MOST_COLUMNS = 24 };

/* How many pictures stand side by side, and how wide each. */
static int fit(int columns, int *width)
{
    int count = (columns + GAP) / (MOST_COLUMNS - 4 + GAP);
    count = count < 2 ? 2 : count > 8 ? 8 : count;
    *width = (columns + GAP) / count - GAP;
    if (*width > MOST_COLUMNS)
        *width = MOST_COLUMNS;
    if (*width < LEAST_COLUMNS && count > 1) {
        count = 1;
        *width = columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
    }
    return count;
}

int vg_show_cell(int columns)
{
    int width;
    fit(columns, &width);
    return width;
}

/* Averages the part of `from` that output pixel (x, y) of width x height covers. */
static void area(const vg_image *from, int x, int y, int width, int height, int colour[3])
{
    int x0 = x * from->width / width, x1 = (x + 1) * from->width / width;
    int y0 = y * from->height / height, y1 = (y + 1) * from->height / height;
    x1 = x1 > x0 ? x1 : x0 + 1;
    y1 = y1 > y0 ? y1 : y0 + 1;
    long sum[3] = {0}, n = (long)(x1 - x0) * (y1 - y0);
    for (int v = y0; v < y1; v++)
        for (int u = x0; u < x1; u++)
            for (int c = 0; c < 3; c++)
                sum[c] += from->data[((size_t)v * (size_t)from->width + (size_t)u) *
                                         (size_t)from->channels +
                                     (size_t)(from->channels == 3 ? c : 0)];
    for (int c = 0; c < 3; c++)
        colour[c] = (int)((sum[c] + n / 2) / n);
}

/* Pixels of the picture on the terminal: as wide as the cell, or less when it is upright. */
static void shape(const vg_image *picture, int width, int *across, int *down)
{
    *across = width;
    *down = picture->height * width / picture->width;
    if (*down > width) {
        *down = width;
        *across = picture->width * width / picture->height;
    }
    *across = *across < 1 ? 1 : *across;
    *down = (*down + 1) / 2 * 2; /* two in a character */
    *down = *down < 2 ? 2 : *down;
}

static void blanks(FILE *out, int count)
{
    fprintf(out, "%*s", count, "");
}

static void block_line(FILE *out, const vg_image *picture, int width, int line)
{
    int across, down;
    if (!picture->data) {
        blanks(out, width);
        return;
    }
    shape(picture, width, &across, &down);
    if (2 * line >= down) {
        blanks(out, width);
        return;
    }
    for (int x = 0; x < across; x++) {
        int up[3], low[3];
        area(picture, x, 2 * line, across, down, up);
        area(picture, x, 2 * line + 1, across, down, low);
        fprintf(out, "\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm▀", up[0], up[1], up[2], low[0], low[1],
                low[2]);
    }
    fputs("\033[0m", out);
    blanks(out, width - across);
}

/* Takes up to `width` columns of words off *at and prints them, padded. */
static void text_line(FILE *out, const char **at, int width)
{
    char line[1024];
    size_t used = 0, end = 0;
    const char *s = *at;
    while (*s == ' ')
        s++;
    for (size_t i = 0; s[i] && i + 1 < sizeof line; i++) {
        bool last = s[i + 1] == '\0' || s[i + 1] == ' ';
        if (!last)
            continue;
        char word[1024];
        snprintf(word, sizeof word, "%.*s", (int)(i + 1), s);
        if (vg_cli_columns(word) > width && end)
            break;
        end = i + 1;
        if (vg_cli_columns(word) > width)
            break;
    }
    used = end;
    snprintf(line, sizeof line, "%.*s", (int)used, s);
    for (char *nbsp = line;
         (nbsp = strstr(nbsp, "\xc2\xa0"));) { /* copied text should hold blanks */
        *nbsp = ' ';
        memmove(nbsp + 1, nbsp + 2, strlen(nbsp + 2) + 1);
    }
    vg_cli_pad(out, line, width);
    *at = s + used;
}

static void show_row(FILE *out, const vg_preview_row *row, int variants, int columns)
{
    int width, count = fit(columns, &width), lines = 0;
    const vg_image *pictures[9];
    const char *text[9];
    char original[64];
    if (count > variants + 1)
        count = variants + 1;
    snprintf(original, sizeof original, "original %d×%d", row->width, row->height);
    for (int i = 0; i < count; i++) {
        int across, down;
        pictures[i] = i ? &row->tiles[i - 1].picture : &row->original;
        text[i] = i ? row->tiles[i - 1].caption : original;
        if (pictures[i]->data) {
            shape(pictures[i], width, &across, &down);
            lines = down / 2 > lines ? down / 2 : lines;
        }
    }
    for (int line = 0; line < lines; line++) {
        for (int i = 0; i < count; i++) {
            block_line(out, pictures[i], width, line);
            if (i + 1 < count)
                blanks(out, GAP);
        }
        fputc('\n', out);
    }
    const char *reasons[9];
    bool any = false;
    for (int i = 0; i < count; i++) {
        reasons[i] = i ? row->tiles[i - 1].reason : "";
        any = any || *reasons[i];
    }
    enum { CAPTION_LINES = 9 };
    for (int line = any ? -1 : 0; line < CAPTION_LINES; line++) {
        bool left = false;
        for (int i = 0; i < count; i++)
            left = left || *text[i];
        if (line >= 0 && !left)
            break;
        for (int i = 0; i < count && line == CAPTION_LINES - 1; i++)
            if (vg_cli_columns(text[i]) > width)
                text[i] = "\u2026"; /* more than fits: the sheet has it all */
        for (int i = 0; i < count; i++) {
            if (line < 0)
                text_line(out, &reasons[i], width);
            else
                text_line(out, &text[i], width);
            if (i + 1 < count)
                blanks(out, GAP);
        }
        fputc('\n', out);
    }
}

vg_status vg_show_rows(FILE *out, const vg_preview *preview, int variants, int columns,
                       int most_rows, vg_error *err)
{
    int rows = preview->summary.rows < most_rows ? preview->summary.rows : most_rows;
    for (int r = 0; r < rows; r++) {
        const vg_preview_row *row = &preview->rows[r];
        char head[600];
        snprintf(head, sizeof head, "%s   %s", row->name,
                 row->problem[0] ? row->problem : row->note);
        int wide = vg_cli_columns(head);
        vg_cli_pad(out, head, wide < columns ? wide : columns);
        fputc('\n', out);
        if (!row->problem[0])
            show_row(out, row, variants, columns);
        fputc('\n', out);
    }
    if (ferror(out))
        return vg_fail(err, VG_E_IO, "the terminal could not be written to");
    return VG_OK;
}
