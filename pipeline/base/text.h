/* Words that people type: comparing them, and finding what was probably meant; lines written into a
 * buffer; and names from a disk, which may hold any byte, made fit to be shown. Pure functions. */
#ifndef VG_BASE_TEXT_H
#define VG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Equal but for the case of ASCII letters. */
bool vg_text_equal_fold(const char *a, const char *b);

/* How many letters must be put in, taken out, replaced, or swapped with their neighbour to turn `a`
 * into `b` (optimal string alignment distance: Levenshtein plus neighbour swaps). Bytes, the case of
 * ASCII letters ignored; of longer words only the first 127 bytes count. */
size_t vg_edit_distance(const char *a, const char *b);

/* The word of list[n] that `word` was probably meant to be, for "did you mean ...?": the nearest one
 * (the first of equally near ones), or NULL when none is near: at most a third of the letters of
 * the longer word wrong, and always one. A word that begins with all of `word` (three letters at
 * least) is near too. */
const char *vg_nearest(const char *word, const char *const *list, size_t n);

/* A line that is written piece by piece into the caller's buffer, always ended by a zero byte; what does
 * not fit is cut off. */
typedef struct vg_line {
    char *text;
    size_t capacity, used; /* used: without the zero byte */
    bool cut;              /* something did not fit */
} vg_line;
/* An empty one. capacity may be 0: nothing is written. */
vg_line vg_line_begin(char *text, size_t capacity);
/* One that goes on where the text in the buffer ends. */
vg_line vg_line_more(char *text, size_t capacity);
void vg_line_put(vg_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* vg_line_more and vg_line_put at once; false when something did not fit. */
bool vg_text_append(char *text, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The whole of `text` as a finite number. */
bool vg_text_number(const char *text, double *value);
/* The fewest digits that read back as the same number, and no exponent where the number is above 1. Returns
 * `text`. */
enum { VG_TEXT_NUMBER = 32 };
const char *vg_text_shortest(double value, char text[VG_TEXT_NUMBER]);

/* Bytes of the valid UTF-8 character at `text` (no overlong forms, no surrogates), 0 if there is
 * none; its code in *code (may be NULL). `text` ends with a zero byte, which is a character. */
int vg_text_character(const char *text, uint32_t *code);

/* One step of showing a name: puts the character at `text` into `shown`, or, where it cannot be
 * shown, its bytes as \\xNN each. Not shown are bytes that are not UTF-8, control characters (C0, DEL,
 * C1), line and paragraph separators, and what turns the direction of text around (which could make
 * a name look like another one). Returns how many bytes of `text` that was; 0 at its end. */
enum { VG_TEXT_SHOWN = 20 };
int vg_text_show(const char *text, char shown[VG_TEXT_SHOWN]);
/* Whether every character of `text` is shown as itself. */
bool vg_text_is_plain(const char *text);

#endif
