/* Horizontal bars. */
#include "report/svg.h"
#include "report/svg_draw.h"

#include <math.h>
#include <string.h>

static void bars_legend(FILE *out, const vg_svg_bars *chart, double x)
{
    for (int s = 0; s < chart->series_count; s++) {
        fprintf(out, "<rect x=\"%.1f\" y=\"4\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x,
                vg_draw_colours[s]);
        vg_draw_text(out, x + 17, 14, "start", VG_DRAW_INK, chart->series[s], 0);
        x += 17 + vg_draw_width(chart->series[s]) + 22;
    }
}

static void bars_row(FILE *out, const vg_svg_bars *chart, int row, const double box[4], double full)
{
    double left = box[0], top = box[1], room = box[2], bar = box[3], end = left;
    bool accused = chart->accused && chart->accused[row];
    for (int s = 0; s < chart->series_count; s++) {
        double value = chart->values[(size_t)row * (size_t)chart->series_count + (size_t)s];
        double length = isfinite(value) && full > 0 ? room * fmin(fmax(value / full, 0), 1) : 0;
        if (value > 0 && length < 1)
            length = 1;
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                left, top + s * bar, length, bar - 1,
                accused && s == 0 ? VG_DRAW_WARNING : vg_draw_colours[s]);
        end = fmax(end, left + length);
    }
    char text[160] = "";
    if (chart->notes && chart->notes[row]) {
        snprintf(text, sizeof text, "%s", chart->notes[row]);
    } else if (!chart->notes) {
        for (int s = 0; s < chart->series_count; s++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s", s ? " / " : "");
            used = strlen(text);
            vg_draw_number(text + used, sizeof text - used,
                           chart->values[(size_t)row * (size_t)chart->series_count + (size_t)s],
                           chart->percent);
        }
    }
    char marked[176];
    snprintf(marked, sizeof marked, "%s%s", text, accused ? " ◀" : "");
    vg_draw_text(out, end + 7, top + bar * chart->series_count / 2 + 4, "start",
                 accused ? VG_DRAW_WARNING : VG_DRAW_PALE, marked, 0);
}

void vg_svg_bars_draw(FILE *out, const vg_svg_bars *chart)
{
    double width = chart->width ? chart->width : 760;
    double bar = chart->series_count > 1 ? 10 : 16;
    double pitch = bar * chart->series_count + (chart->rows > 40 ? 3 : 8);
    double left = 12 + vg_draw_longest(chart->labels, chart->rows, width * 0.3);
    double behind = chart->notes ? vg_draw_longest(chart->notes, chart->rows, width * 0.45) + 30
                                 : 20 + 48.0 * chart->series_count;
    double top = chart->series ? 26 : 4, full = chart->full;
    for (int i = 0; i < chart->rows * chart->series_count && chart->full <= 0; i++)
        if (isfinite(chart->values[i]))
            full = fmax(full, chart->values[i]);
    vg_draw_begin(out, chart->name, width, top + pitch * chart->rows + 4);
    if (chart->series)
        bars_legend(out, chart, left);
    for (int row = 0; row < chart->rows; row++) {
        double box[4] = {left, top + row * pitch, width - left - behind, bar};
        vg_draw_text(out, left - 7, box[1] + bar * chart->series_count / 2 + 4, "end", VG_DRAW_INK,
                     chart->labels[row], left - 12);
        bars_row(out, chart, row, box, full);
    }
    vg_draw_line(out, left, top - 2, left, top + pitch * chart->rows, "#aab3bb");
    fputs("</svg>\n", out);
}
