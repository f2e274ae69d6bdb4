/* Antialiased bitmap fonts for sheets: ASCII, Latin-1 and – … → −, everything else a box. */
#ifndef VG_AUGMENT_FONT_H
#define VG_AUGMENT_FONT_H

#include <stddef.h>
#include <stdint.h>

typedef struct vg_glyph {
    uint32_t code;         /* Unicode */
    int8_t left, top;      /* of the ink, from the pen and the line's top, pixels */
    uint8_t width, height; /* of the ink */
    uint8_t advance;
    const char *ink; /* width * height characters, 'A' (none) to 'P' (full) */
} vg_glyph;

typedef struct vg_font {
    const vg_glyph *glyphs; /* by code, the replacement box last */
    size_t count;
    int line; /* height of a line, pixels */
} vg_font;

extern const vg_font vg_font_small; /* 11 px: captions */
extern const vg_font vg_font_text;  /* 14 px bold: names */
extern const vg_font vg_font_title; /* 20 px bold */

/* The glyph of a code point; the replacement box when there is none. */
const vg_glyph *vg_font_glyph(const vg_font *font, uint32_t code);
/* Takes the next code point off the UTF-8 text *at; 0 at its end, 0xFFFD (one byte taken) where the
 * bytes are not UTF-8. */
uint32_t vg_utf8_next(const char **at);

#endif
