/* Primitives of our charts; for report/svg_*.c only. */
#ifndef VG_REPORT_SVG_DRAW_H
#define VG_REPORT_SVG_DRAW_H

#include "report/svg.h"

#define VG_DRAW_WARNING "#d55e00"
#define VG_DRAW_INK "#1c2126"
#define VG_DRAW_PALE "#55606a"
#define VG_DRAW_GRID "#e1e6ea"
/* Okabe and Ito (2008), in an order in which neighbours differ in lightness too. */
extern const char *const vg_draw_colours[VG_SVG_SERIES];
extern const char *const vg_draw_dashes[VG_SVG_SERIES]; /* stroke-dasharray of a series */

/* Pixels that a text takes, about; and the widest of some (NULL entries allowed), at most `most`. */
double vg_draw_width(const char *text);
double vg_draw_longest(const char *const *texts, int count, double most);

void vg_draw_begin(FILE *out, const char *name, double width, double height);
void vg_draw_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour);
/* anchor: "start", "middle", "end". A text wider than `room` pixels is cut (0: never). */
void vg_draw_text(FILE *out, double x, double y, const char *anchor, const char *colour,
                  const char *text, double room);
/* A mark whose shape belongs to the series. */
void vg_draw_marker(FILE *out, int series, double x, double y, double r);
void vg_draw_number(char *text, size_t capacity, double value, bool percent);

#endif
