/* A matrix in shades of one blue: lightness alone carries the value, so that it survives a grey
 * printer and every kind of colour blindness. */
#include "report/svg.h"
#include "report/svg_draw.h"

#include <math.h>

/* White (0) to the darkest blue (1). */
static void shade(double value, char text[8])
{
    static const double stops[][3] = {
        {255, 255, 255}, {198, 219, 239}, {107, 174, 214}, {33, 113, 181}, {8, 48, 107}};
    double at = fmin(fmax(isfinite(value) ? value : 0, 0), 1) * 4;
    int i = at >= 4 ? 3 : (int)at;
    int rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = (int)(stops[i][c] + (at - i) * (stops[i + 1][c] - stops[i][c]) + 0.5) & 255;
    snprintf(text, 8, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
}

static void cell(FILE *out, const vg_svg_heat *chart, int row, int column, const double box[4])
{
    size_t at = (size_t)row * (size_t)chart->columns + (size_t)column;
    char colour[8];
    shade(chart->values[at], colour);
    double x = box[0] + column * box[2], y = box[1] + row * box[3];
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y,
            box[2], box[3], colour);
    if (chart->cells && chart->cells[at] && vg_draw_width(chart->cells[at]) < box[2] + 2 &&
        box[3] >= 13)
        vg_draw_text(out, x + box[2] / 2, y + box[3] / 2 + 4, "middle",
                     chart->values[at] > 0.55 ? "#ffffff" : VG_DRAW_INK, chart->cells[at], 0);
}

static void heat_labels(FILE *out, const vg_svg_heat *chart, const double box[4], double below)
{
    /* With many rows only every n-th name fits; the others would overprint each other. */
    int every_row = (int)ceil(12.5 / box[3]), every_column = (int)ceil(12.5 / box[2]);
    for (int r = 0; r < chart->rows && chart->row_labels; r += every_row)
        vg_draw_text(out, box[0] - 6, box[1] + (r + 0.5) * box[3] + 4, "end", VG_DRAW_INK,
                     chart->row_labels[r], box[0] - 26);
    for (int c = 0; c < chart->columns && chart->column_labels; c += every_column) {
        fprintf(out, "<g transform=\"translate(%.1f %.1f) rotate(-50)\">",
                box[0] + (c + 0.5) * box[2] + 4, box[1] + chart->rows * box[3] + 13);
        vg_draw_text(out, 0, 0, "end", VG_DRAW_INK, chart->column_labels[c], below);
        fputs("</g>\n", out);
    }
    if (chart->row_title)
        fprintf(out, "<g transform=\"translate(12 %.1f) rotate(-90)\">",
                box[1] + chart->rows * box[3] / 2);
    if (chart->row_title) {
        vg_draw_text(out, 0, 0, "middle", VG_DRAW_PALE, chart->row_title, 0);
        fputs("</g>\n", out);
    }
}

void vg_svg_heat_draw(FILE *out, const vg_svg_heat *chart)
{
    double width = chart->width ? chart->width : 500;
    double left = 30, below = 10;
    if (chart->row_labels)
        left += vg_draw_longest(chart->row_labels, chart->rows, width * 0.28);
    if (chart->column_labels)
        below = vg_draw_longest(chart->column_labels, chart->columns, 90);
    double w = (width - left - 10) / chart->columns;
    double h = fmin(fmax(w, 5), chart->rows <= 12 ? 34 : 24);
    double box[4] = {left, 8, w, h};
    double bottom = box[1] + chart->rows * h;
    double height = bottom + 18 + below * 0.8 + (chart->column_title ? 20 : 0);
    vg_draw_begin(out, chart->name, width, height);
    for (int r = 0; r < chart->rows; r++)
        for (int c = 0; c < chart->columns; c++)
            cell(out, chart, r, c, box);
    for (int i = 0; chart->diagonal && i < chart->rows && i < chart->columns; i++)
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
                "stroke=\"#8b959e\"/>\n",
                left + i * w + 0.5, box[1] + i * h + 0.5, w - 1, h - 1);
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
            "stroke=\"#aab3bb\"/>\n",
            left, box[1], w * chart->columns, bottom - box[1]);
    heat_labels(out, chart, box, below);
    if (chart->column_title)
        vg_draw_text(out, left + w * chart->columns / 2, height - 5, "middle", VG_DRAW_PALE,
                     chart->column_title, 0);
    fputs("</svg>\n", out);
}
