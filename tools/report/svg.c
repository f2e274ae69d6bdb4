/* What the charts share: text, lines, marks, numbers, axis steps. Everything is laid out here, with
 * character widths estimated at 0.56 em: a browser needs no script, and the same bytes come out on
 * every machine. */
#include "report/svg_draw.h"

#include "report/escape.h"
#include "report/svg.h"

#include <math.h>
#include <string.h>

const char *const vg_draw_colours[VG_SVG_SERIES] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                    "#56b4e9", "#000000", "#d55e00", "#7a858f"};
const char *const vg_draw_dashes[VG_SVG_SERIES] = {"",    "7 3", "2 3",  "10 3 2 3",
                                                   "4 2", "1 2", "12 4", "8 2 2 2 2 2"};

static int text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

/* Pixels that a text of 12 px takes, about. */
double vg_draw_width(const char *text)
{
    return 6.8 * text_columns(text);
}

double vg_draw_longest(const char *const *texts, int count, double most)
{
    double width = 0;
    for (int i = 0; i < count; i++)
        if (texts[i])
            width = fmax(width, vg_draw_width(texts[i]));
    return fmin(width, most);
}

void vg_draw_begin(FILE *out, const char *name, double width, double height)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
            width, height, width, height);
    vg_escape_html(out, name);
    fputs("\">\n", out);
}

void vg_draw_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour)
{
    fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" fill=\"none\"/>\n", x1, y1, x2, y2,
            colour);
}

/* anchor: "start", "middle", "end". `room` in pixels cuts the text (0: do not). */
void vg_draw_text(FILE *out, double x, double y, const char *anchor, const char *colour,
                  const char *text, double room)
{
    int columns = text_columns(text), most = room > 0 ? (int)(room / 6.8) : columns;
    most = most < 1 ? 1 : most;
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">", x, y, anchor,
            colour);
    if (columns > most) {
        fputs("<title>", out);
        vg_escape_html(out, text);
        fputs("</title>", out);
    }
    vg_escape_html_cut(out, text, most);
    fputs("</text>\n", out);
}

/* A marker whose shape belongs to the series. */
void vg_draw_marker(FILE *out, int series, double x, double y, double r)
{
    const char *colour = vg_draw_colours[series % VG_SVG_SERIES];
    switch (series % 4) {
    case 0:
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n", x, y, r, colour);
        break;
    case 1:
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                x - r, y - r, 2 * r, 2 * r, colour);
        break;
    case 2:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\" fill=\"%s\"/>\n", x, y - 1.2 * r,
                1.2 * r, 2.2 * r, -2.4 * r, colour);
        break;
    default:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\" fill=\"%s\"/>\n", x,
                y - 1.3 * r, 1.3 * r, 1.3 * r, -1.3 * r, 1.3 * r, -1.3 * r, -1.3 * r, colour);
        break;
    }
}

void vg_draw_number(char *text, size_t capacity, double value, bool percent)
{
    if (!isfinite(value))
        snprintf(text, capacity, "–");
    else if (percent)
        snprintf(text, capacity, fabs(value) < 0.0995 && value != 0 ? "%.1f %%" : "%.0f %%",
                 100 * value);
    else
        snprintf(text, capacity, "%.4g", value == 0 ? 0.0 : value);
}

int vg_svg_ticks(double low, double high, double *ticks, int capacity)
{
    if (capacity < 2 || !isfinite(low) || !isfinite(high) || high <= low)
        return 0;
    double raw = (high - low) / (capacity - 1);
    double power = pow(10, floor(log10(raw)));
    double step = 10 * power;
    static const double steps[] = {1, 2, 2.5, 5};
    for (int i = 3; i >= 0; i--)
        if (steps[i] * power >= raw * (1 - 1e-9))
            step = steps[i] * power;
    int count = 0;
    double first = ceil(low / step - 1e-9);
    while (count < capacity && (first + count) * step <= high + 1e-9 * step) {
        ticks[count] = (first + count) * step + 0.0; /* -0 becomes 0 */
        count++;
    }
    return count;
}
