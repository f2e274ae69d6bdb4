/* The frame of our pages: one self-contained file with inline style and inline SVG, no script, no
 * request to anywhere; readable on paper and for the colour-blind.
 *
 * A page is: vg_html_begin, then sections with paragraphs, tables and figures, then vg_html_end.
 * Everything that is passed as text is escaped. Errors of the stream are the caller's to check
 * (vg_atomic_commit does). */
#ifndef VG_REPORT_HTML_H
#define VG_REPORT_HTML_H

#include <stdio.h>

/* Up to and including the page's heading; `line` stands below it in small type (may be NULL). */
void vg_html_begin(FILE *out, const char *title, const char *line);
/* The foot (a line of text, may be NULL) and the end of the document. */
void vg_html_end(FILE *out, const char *foot);

/* A section with its heading; ends the one before. */
void vg_html_section(FILE *out, const char *heading);
/* A paragraph from a printf format; the whole of it is escaped. */
void vg_html_paragraph(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Preformatted text: a configuration, commands. */
void vg_html_code(FILE *out, const char *text);

/* The box at the top: a big word, and sentences that explain it. */
typedef enum vg_tone { VG_TONE_GOOD, VG_TONE_BAD, VG_TONE_UNSURE } vg_tone;
void vg_html_verdict_begin(FILE *out, vg_tone tone, const char *word);
void vg_html_verdict_line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vg_html_verdict_end(FILE *out);

/* A figure with a title, and below it one sentence that says why it matters. Between the two calls
 * write SVG (report/svg.h) or a table. */
void vg_html_figure_begin(FILE *out, const char *title);
void vg_html_figure_end(FILE *out, const char *why);
/* Figures between these two calls stand side by side where there is room. */
void vg_html_row_begin(FILE *out);
void vg_html_row_end(FILE *out);

/* A table. `heads` are its column titles (NULL-terminated); a head that begins with '>' is a column
 * of numbers, right-aligned. Then cells in order, each row begun with vg_html_table_row. */
void vg_html_table_begin(FILE *out, const char *const *heads);
void vg_html_table_row(FILE *out);
void vg_html_cell(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Right-aligned. */
void vg_html_number(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vg_html_table_end(FILE *out);

#endif
