/* Pictures in the terminal. A sheet is sent as a picture to terminals that have a protocol for it
 * (kitty's graphics protocol, iTerm2's inline images); others that show 24-bit colours get small
 * pictures of half blocks, two pixels in a character.
 *
 * Nothing is ever written to what is not a terminal, nor where TERM says that it understands no
 * escape codes. Which protocol a terminal has is taken from its environment, not asked from it: an
 * answer that comes late would land in the shell. */
#ifndef VG_TOOLS_SHOW_H
#define VG_TOOLS_SHOW_H

#include "preview.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum vg_show_when { VG_SHOW_AUTO, VG_SHOW_ALWAYS, VG_SHOW_NEVER } vg_show_when;
/* "auto", "always" or "never". */
vg_status vg_show_parse(const char *word, vg_show_when *when, vg_error *err);

typedef enum vg_show_way {
    VG_SHOW_NOTHING,
    VG_SHOW_KITTY,
    VG_SHOW_ITERM,
    VG_SHOW_BLOCKS
} vg_show_way;

/* What is looked at; NULL: not set. */
typedef struct vg_show_terminal {
    bool terminal; /* the stream is one */
    const char *term, *term_program, *kitty_window, *colorterm, *multiplexer; /* TMUX or STY */
} vg_show_terminal;
vg_show_terminal vg_show_look(FILE *stream);
/* AUTO: half blocks only where COLORTERM promises 24-bit colours. ALWAYS: half blocks on any terminal
 * but a dumb one. Inside of a multiplexer, which swallows the protocols, half blocks. */
vg_show_way vg_show_choose(const vg_show_terminal *terminal, vg_show_when when);

/* A PNG file's bytes as a picture `columns` wide. `way`: KITTY or ITERM. */
void vg_show_png(FILE *out, vg_show_way way, const uint8_t *png, size_t size, int columns);
/* The first rows of a preview as half blocks: name, pictures, parameters below. As many variants as
 * fit `columns`; at most `most_rows` rows. `cell` is what vg_preview_gather should be given. */
int vg_show_cell(int columns);
vg_status vg_show_rows(FILE *out, const vg_preview *preview, int variants, int columns,
                       int most_rows, vg_error *err);

#endif
