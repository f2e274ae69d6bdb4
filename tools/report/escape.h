/* Text from outside (names of classes, files, folders) made safe for a page and for JSON. */
#ifndef VG_REPORT_ESCAPE_H
#define VG_REPORT_ESCAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes `text` for HTML and SVG content and for attributes in double quotes: & < > " ' become
 * entities; bytes that are not UTF-8 and control characters are written as \xNN. */
void vg_escape_html(FILE *out, const char *text);
/* At most `columns` characters of it, cut text ends in an ellipsis. */
void vg_escape_html_cut(FILE *out, const char *text, int columns);

/* `path` as one word of a shell, in quotes where it must be, as $'...' when it holds what cannot be
 * shown; on the heap, NULL when memory ran out. */
char *vg_shell_word(const char *path);

/* A JSON string. A text that is not UTF-8 (jansson alone would refuse it) is written with its bad
 * bytes as \xNN and its backslashes doubled, so that two names never become one. NULL when memory
 * ran out. */
json_t *vg_json_text(const char *text);
/* A JSON number, null for NaN and infinities. */
json_t *vg_json_number(double value);
/* Sets a key, appends an element; takes over `value`. *ok becomes false when memory ran out (a NULL from any
 * constructor is passed on, so that one look at the end finds it). */
void vg_json_set(json_t *object, const char *key, json_t *value, bool *ok);
void vg_json_append(json_t *array, json_t *value, bool *ok);

#endif
