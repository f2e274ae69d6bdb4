/* The page frame. The style stands in the page itself: a report is one file that can be mailed,
 * archived and opened years later without a network.
 *
 * Colours are those of Okabe and Ito, which stay apart for every kind of colour blindness; no
 * meaning is carried by colour alone. */
#include "report/html.h"

#include "report/escape.h"

#include <stdarg.h>
#include <stdbool.h>

static const char style[] =
    ":root{color-scheme:light}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:#f4f5f6;color:#1c2126;font:16px/1.5 system-ui,-apple-system,'Segoe "
    "UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "main{max-width:1080px;margin:0 auto;padding:28px 32px 40px;background:#fff;min-height:100vh}"
    "h1{font-size:26px;line-height:1.25;margin:0 0 2px}"
    ".line{color:#55606a;margin:0 0 22px;font-size:14px}"
    "h2{font-size:20px;margin:38px 0 8px;padding-top:14px;border-top:1px solid #d9dee2}"
    "p{margin:8px 0;max-width:78ch}"
    ".verdict{border-left:8px solid;border-radius:4px;padding:14px 20px;margin:0 0 20px}"
    ".verdict b{display:block;font-size:23px;line-height:1.3}"
    ".verdict p{margin:6px 0 0}"
    ".good{border-color:#009e73;background:#eaf6f2}"
    ".bad{border-color:#d55e00;background:#fcf0e8}"
    ".unsure{border-color:#7a858f;background:#f1f3f5}"
    "figure{margin:22px 0;break-inside:avoid}"
    "figure h3{font-size:16px;margin:0 0 6px}"
    "figcaption{color:#55606a;font-size:14px;max-width:78ch;margin-top:6px}"
    "figcaption i{font-style:normal;font-weight:600;color:#1c2126}"
    ".row{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:8px 32px}"
    ".row figure{margin:12px 0;min-width:0}"
    ".scroll{overflow-x:auto}"
    "svg{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe "
    "UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}"
    "th{text-align:left;font-weight:600;color:#55606a;border-bottom:2px solid #c9d0d6}"
    "th,td{padding:5px 16px 5px 0;vertical-align:top}"
    "td{border-bottom:1px solid #e6eaed}"
    ".n{text-align:right}"
    "pre{background:#f4f5f6;border-radius:4px;padding:12px 16px;overflow-x:auto;font:13px/1.45 "
    "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "footer{margin-top:34px;color:#55606a;font-size:13px;border-top:1px solid "
    "#d9dee2;padding-top:10px}"
    "@media(max-width:560px){main{padding:18px 14px}.row{grid-template-columns:1fr}}"
    "@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}"
    "h2{break-after:avoid}pre{white-space:pre-wrap}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

/* Formats and escapes. A text longer than the buffer is cut: these are sentences, not files. */
static void put_escaped(FILE *out, const char *format, va_list args)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    vg_escape_html(out, text);
}

void vg_html_begin(FILE *out, const char *title, const char *line)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          out);
    vg_escape_html(out, title);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
    vg_escape_html(out, title);
    fputs("</h1>\n", out);
    if (line) {
        fputs("<p class=\"line\">", out);
        vg_escape_html(out, line);
        fputs("</p>\n", out);
    }
    fputs("<section>\n", out);
}

void vg_html_end(FILE *out, const char *foot)
{
    fputs("</section>\n", out);
    if (foot) {
        fputs("<footer>", out);
        vg_escape_html(out, foot);
        fputs("</footer>\n", out);
    }
    fputs("</main>\n</body>\n</html>\n", out);
}

void vg_html_section(FILE *out, const char *heading)
{
    fputs("</section>\n<section>\n<h2>", out);
    vg_escape_html(out, heading);
    fputs("</h2>\n", out);
}

void vg_html_paragraph(FILE *out, const char *format, ...)
{
    va_list args;
    fputs("<p>", out);
    va_start(args, format);
    put_escaped(out, format, args);
    va_end(args);
    fputs("</p>\n", out);
}

void vg_html_code(FILE *out, const char *text)
{
    fputs("<pre>", out);
    vg_escape_html(out, text);
    fputs("</pre>\n", out);
}

void vg_html_verdict_begin(FILE *out, vg_tone tone, const char *word)
{
    static const char *const names[] = {"good", "bad", "unsure"};
    fprintf(out, "<div class=\"verdict %s\"><b>", names[tone]);
    vg_escape_html(out, word);
    fputs("</b>\n", out);
}

void vg_html_verdict_line(FILE *out, const char *format, ...)
{
    va_list args;
    fputs("<p>", out);
    va_start(args, format);
    put_escaped(out, format, args);
    va_end(args);
    fputs("</p>\n", out);
}

void vg_html_verdict_end(FILE *out)
{
    fputs("</div>\n", out);
}

void vg_html_figure_begin(FILE *out, const char *title)
{
    fputs("<figure>\n<h3>", out);
    vg_escape_html(out, title);
    fputs("</h3>\n<div class=\"scroll\">\n", out);
}

void vg_html_figure_end(FILE *out, const char *why)
{
    fputs("</div>\n<figcaption><i>Why this matters:</i> ", out);
    vg_escape_html(out, why);
    fputs("</figcaption>\n</figure>\n", out);
}

void vg_html_row_begin(FILE *out)
{
    fputs("<div class=\"row\">\n", out);
}

void vg_html_row_end(FILE *out)
{
    fputs("</div>\n", out);
}

void vg_html_table_begin(FILE *out, const char *const *heads)
{
    fputs("<table><thead><tr>", out);
    for (; *heads; heads++) {
        bool number = (*heads)[0] == '>';
        fputs(number ? "<th class=\"n\">" : "<th>", out);
        vg_escape_html(out, *heads + number);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>", out);
}

void vg_html_table_row(FILE *out)
{
    fputs("\n<tr>", out); /* the end tag of a row may be left out in HTML */
}

void vg_html_cell(FILE *out, const char *format, ...)
{
    va_list args;
    fputs("<td>", out);
    va_start(args, format);
    put_escaped(out, format, args);
    va_end(args);
    fputs("</td>", out);
}

void vg_html_number(FILE *out, const char *format, ...)
{
    va_list args;
    fputs("<td class=\"n\">", out);
    va_start(args, format);
    put_escaped(out, format, args);
    va_end(args);
    fputs("</td>", out);
}

void vg_html_table_end(FILE *out)
{
    fputs("\n</tbody></table>\n", out);
}
