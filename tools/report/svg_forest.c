/* Estimates with intervals against zero. An interval that leaves the chart (a single pair of
 * trainings has an infinite one) ends in an arrow. */
#include "report/svg.h"
#include "report/svg_draw.h"

#include <math.h>

enum { ROW = 24 };

typedef struct scale {
    double left, right, low, high;
} scale;

static double place(const scale *s, double value)
{
    double v = fmin(fmax(value, s->low), s->high);
    return s->left + (v - s->low) / (s->high - s->low) * (s->right - s->left);
}

/* Covers zero and all finite intervals; infinite ones count with their estimates only. */
static void range_of(const vg_svg_forest *chart, scale *s)
{
    s->low = 0;
    s->high = 0;
    for (int i = 0; i < chart->count; i++) {
        const vg_svg_estimate *row = &chart->rows[i];
        const double values[] = {row->value, row->low, row->high};
        for (int k = 0; k < 3 && !row->heading; k++)
            if (isfinite(values[k])) {
                s->low = fmin(s->low, values[k]);
                s->high = fmax(s->high, values[k]);
            }
    }
    double span = s->high - s->low;
    if (span <= 0)
        span = 1;
    s->low -= 0.06 * span;
    s->high += 0.06 * span;
}

static void arrow(FILE *out, double x, double y, int direction)
{
    fprintf(out, "<path d=\"M%.1f %.1fl%d -4v8z\" fill=\"%s\"/>\n", x, y, -7 * direction,
            VG_DRAW_INK);
}

static void estimate(FILE *out, const vg_svg_estimate *row, const scale *s, double y)
{
    bool clear = row->low > 0 || row->high < 0;
    const char *colour = clear ? vg_draw_colours[0] : VG_DRAW_PALE;
    double a = place(s, isnan(row->low) ? row->value : row->low);
    double b = place(s, isnan(row->high) ? row->value : row->high);
    fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"%s\" stroke-width=\"%s\"/>\n", a, y, b,
            colour, clear ? "3" : "1.5");
    if (row->low < s->low)
        arrow(out, s->left - 3, y, -1);
    if (row->high > s->high)
        arrow(out, s->right + 3, y, 1);
    fprintf(out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\" stroke=\"%s\" "
            "stroke-width=\"2\"/>\n",
            place(s, row->value), y, clear ? colour : "#ffffff", colour);
}

void vg_svg_forest_draw(FILE *out, const vg_svg_forest *chart)
{
    double width = chart->width ? chart->width : 860, labels = 60, notes = 0;
    for (int i = 0; i < chart->count; i++) {
        labels = fmax(labels, vg_draw_width(chart->rows[i].label) + 16);
        if (chart->rows[i].note)
            notes = fmax(notes, vg_draw_width(chart->rows[i].note));
    }
    labels = fmin(labels, width * 0.3);
    notes = fmin(notes, width * 0.35);
    scale s = {.left = labels + 12, .right = width - notes - 24};
    range_of(chart, &s);
    double top = 24, bottom = top + ROW * chart->count;
    vg_draw_begin(out, chart->name, width, bottom + 42);
    double ticks[9];
    int count = vg_svg_ticks(s.low, s.high, ticks, 8);
    for (int i = 0; i < count; i++) {
        char text[32];
        vg_draw_number(text, sizeof text, fabs(ticks[i]) < 1e-12 ? 0 : ticks[i], false);
        vg_draw_line(out, place(&s, ticks[i]), top, place(&s, ticks[i]), bottom, VG_DRAW_GRID);
        vg_draw_text(out, place(&s, ticks[i]), bottom + 16, "middle", VG_DRAW_PALE, text, 0);
    }
    double zero = place(&s, 0);
    fprintf(out, "<path d=\"M%.1f %.1fV%.1f\" stroke=\"%s\" stroke-width=\"1.5\"/>\n", zero,
            top - 4, bottom, VG_DRAW_INK);
    if (chart->left)
        vg_draw_text(out, zero - 8, 14, "end", VG_DRAW_PALE, chart->left, zero - 8);
    if (chart->right)
        vg_draw_text(out, zero + 8, 14, "start", VG_DRAW_PALE, chart->right, 0);
    for (int i = 0; i < chart->count; i++) {
        const vg_svg_estimate *row = &chart->rows[i];
        double y = top + ROW * (i + 0.5);
        if (row->heading)
            fputs("<g font-weight=\"600\">", out);
        vg_draw_text(out, row->heading ? 0 : 10, y + 4, "start", VG_DRAW_INK, row->label,
                     labels - 4);
        if (row->heading)
            fputs("</g>\n", out);
        if (!row->heading && isfinite(row->value))
            estimate(out, row, &s, y);
        if (row->note)
            vg_draw_text(out, s.right + 14, y + 4, "start", VG_DRAW_PALE, row->note, notes);
    }
    if (chart->x_title)
        vg_draw_text(out, (s.left + s.right) / 2, bottom + 36, "middle", VG_DRAW_PALE,
                     chart->x_title, 0);
    fputs("</svg>\n", out);
}
