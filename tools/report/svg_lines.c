/* Lines with bands over a common x axis. Series differ by colour, by dash and by mark. */
#include "report/svg.h"
#include "report/svg_draw.h"

#include <math.h>

typedef struct axes {
    double left, top, right, bottom;
    double x_low, x_high, y_low, y_high;
    bool logarithmic;
} axes;

static double place_x(const axes *a, double x)
{
    double span = a->x_high > a->x_low ? a->x_high - a->x_low : 1;
    return a->left + (x - a->x_low) / span * (a->right - a->left);
}

static double place_y(const axes *a, double y)
{
    double value = a->logarithmic ? (y > 0 ? log10(y) : a->y_low) : y;
    value = fmin(fmax(value, a->y_low), a->y_high);
    return a->bottom - (value - a->y_low) / (a->y_high - a->y_low) * (a->bottom - a->top);
}

static double value_x(const vg_svg_lines *chart, int i)
{
    return chart->x ? chart->x[i] : i;
}

static void range_of(const vg_svg_lines *chart, axes *a)
{
    a->x_low = chart->count ? value_x(chart, 0) : 0;
    a->x_high = chart->count ? value_x(chart, chart->count - 1) : 1;
    a->logarithmic = chart->logarithmic;
    a->y_low = chart->low;
    a->y_high = chart->high;
    if (chart->low == chart->high) {
        a->y_low = chart->logarithmic ? INFINITY : 0;
        a->y_high = chart->logarithmic ? -INFINITY : 0;
        for (int l = 0; l < chart->line_count; l++) {
            const double *const parts[] = {chart->lines[l].y, chart->lines[l].low,
                                           chart->lines[l].high};
            for (int k = 0; k < 3; k++)
                for (int i = 0; parts[k] && i < chart->count; i++)
                    if (isfinite(parts[k][i]) && (!chart->logarithmic || parts[k][i] > 0)) {
                        a->y_low = fmin(a->y_low, parts[k][i]);
                        a->y_high = fmax(a->y_high, parts[k][i]);
                    }
        }
    }
    if (chart->logarithmic) {
        bool any = isfinite(a->y_low) && isfinite(a->y_high) && a->y_low > 0;
        a->y_low = any ? floor(fmax(log10(a->y_low), -12)) : -1;
        a->y_high = any ? ceil(log10(a->y_high)) : 0;
    }
    if (a->y_high <= a->y_low)
        a->y_high = a->y_low + 1;
}

static void y_axis(FILE *out, const vg_svg_lines *chart, const axes *a)
{
    double ticks[8];
    int count = vg_svg_ticks(a->y_low, a->y_high, ticks, 6);
    for (int i = 0; i < count; i++) {
        double y =
            a->bottom - (ticks[i] - a->y_low) / (a->y_high - a->y_low) * (a->bottom - a->top);
        char text[32];
        if (a->logarithmic && ticks[i] != floor(ticks[i]))
            continue;
        if (a->logarithmic)
            snprintf(text, sizeof text, ticks[i] < -3 ? "1e%.0f" : "%g",
                     ticks[i] < -3 ? ticks[i] : pow(10, ticks[i]));
        else if (chart->percent)
            snprintf(text, sizeof text, "%.0f %%", 100 * ticks[i] + 0.0);
        else
            vg_draw_number(text, sizeof text, ticks[i], false);
        vg_draw_line(out, a->left, y, a->right, y, VG_DRAW_GRID);
        vg_draw_text(out, a->left - 6, y + 4, "end", VG_DRAW_PALE, text, 0);
    }
    if (chart->y_title)
        vg_draw_text(out, 2, a->top - 10, "start", VG_DRAW_PALE, chart->y_title, 0);
}

/* Few words stand below their points, many are turned. */
enum { WORDS_LEVEL = 5 };

static void x_words(FILE *out, const vg_svg_lines *chart, const axes *a)
{
    for (int i = 0; i < chart->count; i++) {
        double x = place_x(a, value_x(chart, i));
        if (chart->count <= WORDS_LEVEL) {
            const char *anchor = i == 0 ? "start" : i == chart->count - 1 ? "end" : "middle";
            vg_draw_text(out, i == 0 ? x - 20 : x, a->bottom + 18, anchor, VG_DRAW_PALE,
                         chart->words[i], (a->right - a->left) / chart->count);
            continue;
        }
        fprintf(out, "<g transform=\"translate(%.1f %.1f) rotate(-35)\">", x + 4, a->bottom + 14);
        vg_draw_text(out, 0, 0, "end", VG_DRAW_PALE, chart->words[i], 90);
        fputs("</g>\n", out);
    }
}

static void x_axis(FILE *out, const vg_svg_lines *chart, const axes *a)
{
    vg_draw_line(out, a->left, a->bottom, a->right, a->bottom, "#8b959e");
    if (chart->words) {
        x_words(out, chart, a);
    } else {
        double ticks[12];
        int most = chart->count < 10 ? chart->count : 10;
        int count = vg_svg_ticks(a->x_low, a->x_high, ticks, most < 2 ? 2 : most);
        for (int i = 0; i < count; i++) {
            char text[32];
            if (ticks[i] != floor(ticks[i]))
                continue;
            vg_draw_number(text, sizeof text, ticks[i], false);
            vg_draw_line(out, place_x(a, ticks[i]), a->bottom, place_x(a, ticks[i]), a->bottom + 4,
                         "#8b959e");
            vg_draw_text(out, place_x(a, ticks[i]), a->bottom + 17, "middle", VG_DRAW_PALE, text,
                         0);
        }
    }
    if (chart->x_title)
        vg_draw_text(out, (a->left + a->right) / 2,
                     a->bottom + (chart->words && chart->count > WORDS_LEVEL ? 72 : 34), "middle",
                     VG_DRAW_PALE, chart->x_title, 0);
}

static void band(FILE *out, const vg_svg_lines *chart, const axes *a, int series)
{
    const vg_svg_line *of = &chart->lines[series];
    if (!of->low || !of->high)
        return;
    bool any = false;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < chart->count; k++) {
            int i = pass ? chart->count - 1 - k : k;
            if (!isfinite(of->low[i]) || !isfinite(of->high[i]))
                continue;
            fprintf(out, any ? "L%.1f %.1f" : "<path d=\"M%.1f %.1f", place_x(a, value_x(chart, i)),
                    place_y(a, pass ? of->low[i] : of->high[i]));
            any = true;
        }
    if (any)
        fprintf(out, "z\" fill=\"%s\" fill-opacity=\"0.15\"/>\n", vg_draw_colours[series]);
}

static void curve(FILE *out, const vg_svg_lines *chart, const axes *a, int series)
{
    const vg_svg_line *of = &chart->lines[series];
    bool pen = false, any = false;
    for (int i = 0; i < chart->count; i++) {
        if (!isfinite(of->y[i])) {
            pen = false;
            continue;
        }
        if (!any)
            fputs("<path d=\"", out);
        any = true;
        fprintf(out, "%s%.1f %.1f", pen ? "L" : "M", place_x(a, value_x(chart, i)),
                place_y(a, of->y[i]));
        pen = true;
    }
    if (any)
        fprintf(out,
                "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n",
                vg_draw_colours[series], vg_draw_dashes[series]);
    for (int i = 0; i < chart->count && chart->count <= 40; i++)
        if (isfinite(of->y[i]))
            vg_draw_marker(out, series, place_x(a, value_x(chart, i)), place_y(a, of->y[i]), 3.2);
}

/* Returns the height it takes; draws nothing without a stream. */
static double lines_legend(FILE *out, const vg_svg_lines *chart, double left, double width)
{
    double x = left, y = 12;
    for (int l = 0; l < chart->line_count; l++) {
        double need = 32 + vg_draw_width(chart->lines[l].name) + 18;
        if (x > left && x + need > width) {
            x = left;
            y += 18;
        }
        if (out) {
            fprintf(out,
                    "<path d=\"M%.1f %.1fh24\" stroke=\"%s\" stroke-width=\"2\" "
                    "stroke-dasharray=\"%s\"/>\n",
                    x, y - 4, vg_draw_colours[l], vg_draw_dashes[l]);
            vg_draw_marker(out, l, x + 12, y - 4, 3.2);
            vg_draw_text(out, x + 30, y, "start", VG_DRAW_INK, chart->lines[l].name, 0);
        }
        x += need;
    }
    return y + 8;
}

void vg_svg_lines_draw(FILE *out, const vg_svg_lines *chart)
{
    double width = chart->width ? chart->width : 500, height = chart->height ? chart->height : 260;
    vg_svg_lines shown = *chart;
    shown.line_count = chart->line_count < VG_SVG_SERIES ? chart->line_count : VG_SVG_SERIES;
    axes a = {.left = chart->words && chart->count > WORDS_LEVEL ? 72 : 52, .right = width - 16};
    double legend = shown.line_count > 1 ? lines_legend(NULL, &shown, 12, width) : 2;
    a.top = legend + (chart->y_title ? 22 : 10);
    bool turned = chart->words && chart->count > WORDS_LEVEL;
    a.bottom = height - (turned ? 64 : 24) - (chart->x_title ? 18 : 0);
    range_of(&shown, &a);
    vg_draw_begin(out, chart->name, width, height);
    if (shown.line_count > 1)
        lines_legend(out, &shown, 12, width);
    y_axis(out, &shown, &a);
    x_axis(out, &shown, &a);
    for (int l = 0; l < shown.line_count; l++)
        band(out, &shown, &a, l);
    for (int l = 0; l < shown.line_count; l++)
        curve(out, &shown, &a, l);
    fputs("</svg>\n", out);
}
