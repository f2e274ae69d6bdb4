/* Charts as inline SVG: bars, lines, a heat map, a forest plot. Plain elements, no script.
 *
 * Texts are escaped, long labels cut (the whole text stands in a <title>, shown on hovering).
 * Values that are not finite are left out of a chart. Series differ by colour AND by mark or dash;
 * a chart carries its name for screen readers. Widths are in CSS pixels; a page may scale a chart
 * down. */
#ifndef VG_REPORT_SVG_H
#define VG_REPORT_SVG_H

#include <stdbool.h>
#include <stdio.h>

enum { VG_SVG_SERIES = 8 };

/* Horizontal bars: a row per label, one bar per series in it. */
typedef struct vg_svg_bars {
    const char *name;          /* for screen readers */
    const char *const *labels; /* [rows] */
    const char *const *series; /* [series_count] for the legend; NULL: none (one series) */
    const double *values;      /* [rows][series_count] */
    const char *const *notes;  /* [rows] small text behind the bars; NULL: the values */
    const bool *accused;    /* [rows] rows drawn in the warning colour, with a mark; NULL: none */
    int rows, series_count; /* series_count <= 3 */
    bool percent;           /* values are shares: 0.25 is shown as 25 % */
    double full;            /* value of a bar of full length; 0: the largest value */
    int width;              /* 0: 760 */
} vg_svg_bars;
void vg_svg_bars_draw(FILE *out, const vg_svg_bars *chart);

/* Lines over a common x: numbers, or words at equal distances. */
typedef struct vg_svg_line {
    const char *name;
    const double *y;          /* [count] */
    const double *low, *high; /* [count] a band around the line; NULL: none */
} vg_svg_line;
typedef struct vg_svg_lines {
    const char *name;
    const char *x_title, *y_title; /* NULL: none */
    const double *x;               /* [count]; NULL: 0, 1, 2 ... */
    const char *const *words;      /* [count] instead of numbers below the axis; NULL: numbers */
    int count;
    const vg_svg_line *lines; /* [line_count], at most VG_SVG_SERIES */
    int line_count;
    double low, high; /* of the y axis; both 0: from the values, 0 included */
    bool percent;
    bool logarithmic;  /* y axis in powers of ten; values <= 0 stand at its foot */
    int width, height; /* 0: 500, 260 */
} vg_svg_lines;
void vg_svg_lines_draw(FILE *out, const vg_svg_lines *chart);

/* A matrix in shades of one colour: confusion, outputs for probe inputs. */
typedef struct vg_svg_heat {
    const char *name;
    const char *row_title, *column_title; /* NULL: none */
    const char *const *row_labels, *const *column_labels;
    const double *values;     /* [rows][columns], 0..1 */
    const char *const *cells; /* [rows][columns] text in each cell, NULL (or an entry NULL): none */
    int rows, columns;
    bool diagonal; /* frame the cells with row = column */
    int width;     /* 0: 500 */
} vg_svg_heat;
void vg_svg_heat_draw(FILE *out, const vg_svg_heat *chart);

/* Estimates with their intervals, one row each, against a line at zero. */
typedef struct vg_svg_estimate {
    const char *label;
    const char *note; /* right of the row; NULL: none */
    double value, low, high;
    bool heading; /* a row that is only a label in bold */
} vg_svg_estimate;
typedef struct vg_svg_forest {
    const char *name;
    const char *x_title;
    const vg_svg_estimate *rows;
    int count;
    const char *left, *right; /* what stands at the two sides of zero ("worse", "better") */
    int width;                /* 0: 860 */
} vg_svg_forest;
void vg_svg_forest_draw(FILE *out, const vg_svg_forest *chart);

/* Round axis steps: fills ticks[capacity] with at most `capacity` values that cover [low, high],
 * returns how many. */
int vg_svg_ticks(double low, double high, double *ticks, int capacity);

#endif
