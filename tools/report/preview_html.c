/* The page of a preview. It has a frame of its own instead of report/html.h's: it is as wide as the
 * window, follows the reader's dark or light, and has a script.
 *
 * Pictures are PNG, so that nothing is seen that the network would not see; when all of them together
 * are large (many megapixels) JPEG of quality 95, and the page says so. Originals are always JPEG. */
#include "report/preview_html.h"

#include "base/file.h"
#include "base64.h"
#include "check.h"
#include "cli.h"
#include "image/encode.h"
#include "report/escape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_PNG_PIXELS = 6e6;
/* So that the original, seven variants and the histogram stand side by side on 1300 pixels. */
enum { SHOWN_LEAST = 96, SHOWN_MOST = 112, BARS_WIDTH = 160 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n";

static const char style[] =
    ":root{color-scheme:light dark;--paper:#fff;--ink:#1c2126;--faint:#55606a;--line:#d9dee2;"
    "--soft:#f2f4f6;--blue:#0b63ce;--red:#c4320a;--grey:#7a858f;--amber:#8a5a00;--bars:#c9d1d9}"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e3e7ea;--faint:#9aa5ae;"
    "--line:#333a41;--soft:#1e2328;--blue:#6cb0ff;--red:#ff8a5c;--grey:#8d98a2;--amber:#e0a83c;--"
    "bars:#48525c}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "main{max-width:1720px;margin:0 auto;padding:24px 28px 48px}"
    "h1{font-size:25px;line-height:1.25;margin:0 0 4px}"
    "h2{font-size:19px;margin:34px 0 4px;padding-top:14px;border-top:1px solid var(--line)}"
    "h3{font-size:15px;margin:0 0 6px}h3 small{font-weight:400;color:var(--faint);margin-left:8px}"
    "p{margin:6px 0;max-width:100ch}.faint{color:var(--faint);font-size:13.5px}"
    ".box{border-left:7px solid var(--grey);background:var(--soft);border-radius:4px;"
    "padding:10px 18px;margin:16px 0}.box.bad{border-color:#d55e00}.box.good{border-color:#009e73}"
    ".box b{font-size:18px}"
    "pre{background:var(--soft);border-radius:4px;padding:9px 13px;margin:8px "
    "0;white-space:pre-wrap;"
    "overflow-wrap:anywhere;user-select:all;font:13px/1.45 "
    "ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "monospace}"
    ".row{padding:14px 0 10px;border-bottom:1px solid var(--line)}"
    ".strip{display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start}"
    "figure{margin:0;font-size:12.5px;line-height:1.35;color:var(--faint);max-width:100%}"
    "img{display:block;image-rendering:pixelated;border:3px solid transparent;cursor:zoom-in;"
    "max-width:100%;height:auto}img:focus-visible{outline:2px solid var(--blue);outline-offset:1px}"
    ".red img{border-color:var(--red)}.grey img{border-color:var(--grey);border-style:dashed}"
    "figcaption{margin:3px 3px 0}figcaption span{white-space:nowrap}figcaption "
    "b{display:block;color:var(--ink);font-weight:600}"
    ".red b{color:var(--red)}.amber img{border-color:var(--amber)}.amber "
    "b,.warn{color:var(--amber)}"
    ".warn{font-size:13.5px;margin:0 0 6px}"
    "svg{display:block}.before{fill:var(--bars)}.after{fill:none;stroke:var(--blue);stroke-width:2}"
    ".axis{stroke:var(--grey)}svg text{font:11px system-ui,sans-serif;fill:var(--faint)}"
    ".bar{position:sticky;top:0;z-index:1;background:var(--paper);padding:9px "
    "0;display:flex;gap:12px;"
    "flex-wrap:wrap;align-items:center;border-bottom:1px solid var(--line)}"
    ".bar[hidden]{display:none}.bar input{width:min(420px,50vw);accent-color:var(--blue)}"
    ".bar output{min-width:16ch;font-variant-numeric:tabular-nums}"
    ".one .tile{display:none}.one .tile.now{display:block;max-width:none}"
    ".one figure{zoom:1.5}"
    "dialog{border:0;padding:14px;background:var(--paper);color:var(--ink);max-width:98vw;"
    "max-height:98vh}dialog::backdrop{background:#000b}dialog img{cursor:zoom-out;border:0;"
    "width:min(92vw,80vh);object-fit:contain}dialog p{max-width:92vw}"
    "@media(max-width:640px){main{padding:16px 12px}.strip{gap:8px}figure{max-width:46%}}"
    "@media print{.bar{display:none}.row{break-inside:avoid}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

/* Pages through the tiles of a section, and shows a picture large. All texts come from the page. */
static const char script[] =
    "for(const bar of document.querySelectorAll('.bar')){"
    "const section=bar.parentElement,range=bar.querySelector('input'),"
    "say=bar.querySelector('output'),word=bar.dataset.word;bar.hidden=false;"
    "const turn=()=>{const n=+range.value;section.classList.toggle('one',n>0);"
    "say.textContent=n?word+' '+(+bar.dataset.first+n-1)+' of '+bar.dataset.last:'all side by "
    "side';"
    "for(const row of section.querySelectorAll('.strip'))"
    "row.querySelectorAll('.tile').forEach((t,i)=>t.classList.toggle('now',i===n-1))};"
    "range.addEventListener('input',turn);turn()}"
    "const box=document.querySelector('dialog'),large=box.querySelector('img'),"
    "text=box.querySelector('p');let all=[],at=0;"
    "const show=i=>{at=(i+all.length)%all.length;const img=all[at];large.src=img.src;"
    "large.alt=img.alt;text.textContent=img.alt+': '+"
    "img.parentElement.querySelector('figcaption').innerText.replace(/\\n/g,', ')};"
    "const "
    "open=img=>{all=[...img.closest('.strip').querySelectorAll('img')];show(all.indexOf(img));"
    "box.showModal()};"
    "for(const img of document.querySelectorAll('.strip img')){img.tabIndex=0;"
    "img.addEventListener('click',()=>open(img));"
    "img.addEventListener('keydown',e=>{if(e.key==='Enter')open(img)})}"
    "box.addEventListener('click',()=>box.close());"
    "box.addEventListener('keydown',e=>{if(e.key==='ArrowRight')show(at+1);"
    "if(e.key==='ArrowLeft')show(at-1)});";

typedef struct writer {
    FILE *out;
    bool jpeg;
    vg_bytes bytes;
    vg_error *err;
} writer;

/* Opens a figure as wide as its picture. */
static vg_status put_picture(writer *w, const vg_image *picture, const char *kind, bool jpeg,
                             const char *alt)
{
    vg_status status = jpeg ? vg_jpeg_encode(picture, 95, &w->bytes, w->err)
                            : vg_png_encode(picture, 6, &w->bytes, w->err);
    if (status != VG_OK)
        return status;
    int longer = picture->width > picture->height ? picture->width : picture->height;
    /* Enlarged by whole factors only. */
    int factor = longer > SHOWN_MOST ? 1 : SHOWN_MOST / longer;
    double scale = longer > SHOWN_MOST ? (double)SHOWN_MOST / longer : factor;
    double width = picture->width * scale + 6, height = picture->height * scale + 6;
    fprintf(
        w->out,
        "<figure class=\"%s\" style=\"width:%.0fpx\"><img width=\"%.0f\" height=\"%.0f\" alt=\"",
        kind, width > SHOWN_LEAST ? width : SHOWN_LEAST, width, height);
    vg_escape_html(w->out, alt);
    fprintf(w->out, "\" src=\"data:image/%s;base64,", jpeg ? "jpeg" : "png");
    vg_base64_write(w->out, w->bytes.data, w->bytes.size);
    fputs("\">\n", w->out);
    return VG_OK;
}

static void put_histogram(FILE *out, const vg_preview_row *row)
{
    enum { WIDTH = BARS_WIDTH, HEIGHT = 96, BAR = WIDTH / VG_PREVIEW_BINS };
    double most = 0.01;
    for (int i = 0; i < VG_PREVIEW_BINS; i++)
        most = fmax(most, fmax(row->before[i], row->after[i]));
    most = fmin(most, 0.25); /* one bin of background must not flatten all others */
    fprintf(out,
            "<figure><svg width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"brightness before "
            "and after\"><path class=\"before\" d=\"",
            WIDTH, HEIGHT + 34);
    for (int i = 0; i < VG_PREVIEW_BINS; i++) {
        double h = HEIGHT * fmin(1, row->before[i] / most);
        fprintf(out, "M%d %dv%.1fh%dv%.1fz", i * BAR, HEIGHT, -h, BAR - 1, h);
    }
    fputs("\"/><path class=\"after\" d=\"", out);
    for (int i = 0; i < VG_PREVIEW_BINS; i++) {
        double y = HEIGHT * (1 - fmin(1, row->after[i] / most));
        fprintf(out, i ? "V%.1fH%d" : "M0 %.1fH%d", y, (i + 1) * BAR);
    }
    fprintf(out,
            "\"/><path class=\"axis\" d=\"M0 %d.5h%d\"/><text y=\"%d\">0</text><text x=\"%d\" "
            "y=\"%d\" text-anchor=\"end\">255</text><rect class=\"before\" x=\"30\" y=\"%d\" "
            "width=\"9\" height=\"9\"/><text x=\"42\" y=\"%d\">before</text><path class=\"after\" "
            "d=\"M84 %dh12\"/><text x=\"99\" y=\"%d\">after</text></svg></figure>\n",
            HEIGHT, WIDTH, HEIGHT + 14, WIDTH, HEIGHT + 14, HEIGHT + 5, HEIGHT + 14, HEIGHT + 10,
            HEIGHT + 14);
}

/* Lines break between parameters, not within one. */
static void put_caption(FILE *out, const char *text)
{
    while (*text) {
        char word[128];
        size_t length = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        fputs("<span>", out);
        vg_escape_html(out, word);
        fputs("</span> ", out);
        text += length;
        text += strspn(text, " ");
    }
}

static const char *kind_of(const vg_preview_tile *tile)
{
    if (tile->finding == VG_FINDING_UNCHANGED)
        return "tile grey";
    return vg_finding_destroys(tile->finding) ? "tile red"
           : tile->looks_like_another         ? "tile amber"
                                              : "tile";
}

static vg_status put_row(writer *w, const vg_preview_row *row, int variants)
{
    fputs("<div class=\"row\"><h3>", w->out);
    vg_escape_html(w->out, row->name);
    fputs("<small>", w->out);
    vg_escape_html(w->out, row->note);
    fputs("</small></h3>\n", w->out);
    if (row->problem[0]) {
        fputs("<p class=\"red\"><b>", w->out);
        vg_escape_html(w->out, row->problem);
        fputs("</b></p></div>\n", w->out);
        return VG_OK;
    }
    if (row->warning[0]) {
        fputs("<p class=\"warn\">", w->out);
        vg_escape_html(w->out, row->warning);
        fputs("</p>\n", w->out);
    }
    fputs("<div class=\"strip\">", w->out);
    char alt[300];
    snprintf(alt, sizeof alt, "%s, original", row->name);
    vg_status status = put_picture(w, &row->original, "", true, alt);
    fprintf(w->out, "<figcaption><b>original</b>%d × %d</figcaption></figure>\n", row->width,
            row->height);
    for (int i = 0; i < variants && status == VG_OK; i++) {
        const vg_preview_tile *tile = &row->tiles[i];
        snprintf(alt, sizeof alt, "%s, variant %d", row->name, i);
        status = put_picture(w, &tile->picture, kind_of(tile), w->jpeg, alt);
        fputs("<figcaption>", w->out);
        if (tile->reason[0]) {
            fputs("<b>", w->out);
            vg_escape_html(w->out, tile->reason);
            fputs("</b>", w->out);
        }
        put_caption(w->out, tile->caption);
        fputs("</figcaption></figure>\n", w->out);
    }
    put_histogram(w->out, row);
    fputs("</div></div>\n", w->out);
    return status;
}

/* The slider. Hidden until the script runs. */
static void put_slider(FILE *out, const char *word, int first, int variants)
{
    fprintf(out,
            "<div class=\"bar\" hidden data-word=\"%s\" data-first=\"%d\" data-last=\"%d\">"
            "<label>page through <input type=\"range\" min=\"0\" max=\"%d\" value=\"0\" "
            "aria-label=\"%s\"></label><output></output>"
            "<span class=\"faint\">click a picture to enlarge it</span></div>\n",
            word, first, first + variants - 1, variants, word);
}

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* What to do about the findings of the census. */
static void put_advice(FILE *out, const vg_preview_summary *s)
{
    static const struct {
        vg_finding finding;
        const char *advice;
    } table[] = {
        {VG_FINDING_FILL,
         "mostly fill: weaken shift, zoom or rotate, or use crop, which never leaves "
         "the picture"},
        {VG_FINDING_CLIPPED, "clipped to black or white: weaken brightness, contrast and noise"},
        {VG_FINDING_FLAT, "without contrast: keep contrast and brightness factors away from 0"},
        {VG_FINDING_CUT,
         "with the content out of view: raise the lower bound of crop, weaken shift "
         "and zoom"},
        {VG_FINDING_DETAIL, "without detail: weaken blur, noise, downscale or what hides parts"},
        {VG_FINDING_UNCHANGED,
         "without a visible change: stronger values, or a policy less, would be as good"},
    };
    fputs("<ul>\n", out);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (s->findings[table[i].finding])
            fprintf(out, "<li>%zu %s</li>\n", s->findings[table[i].finding], table[i].advice);
    fputs("</ul>\n", out);
}

static void put_summary(FILE *out, const vg_preview_page *page)
{
    const vg_preview_summary *s = &page->classes->summary;
    size_t destroyed = vg_preview_destroyed(s), unchanged = s->findings[VG_FINDING_UNCHANGED];
    bool none = vg_policy_is_none(&page->augment->policy);
    bool bad = percent(destroyed, s->draws) >= 5 || (!none && unchanged > s->draws / 2);
    char blame[300];
    fprintf(out, "<div class=\"box %s\">", none ? "" : bad ? "bad" : "good");
    if (none)
        fputs("<b>No augmentation</b><p>Every epoch shows the network the same pictures.</p>", out);
    else {
        fprintf(out,
                "<b>%.1f %% of the draws destroy the picture, %.1f %% change nothing that can be "
                "seen</b><p class=\"faint\">%zu draws on %zu training pictures were inspected.</p>",
                percent(destroyed, s->draws), percent(unchanged, s->draws), s->draws, s->pictures);
        vg_preview_blame(s, 8, blame, sizeof blame);
        if (destroyed) {
            fputs("<p>Destroyed ", out);
            vg_escape_html(out, blame);
            fputs(" (each was replayed without one operation after the other).</p>", out);
        }
        if (destroyed || unchanged)
            put_advice(out, s);
    }
    fputs("</div>\n", out);
    for (const char *at = page->warnings; *at;) {
        const char *end = strstr(at, " | ");
        size_t length = end ? (size_t)(end - at) : strlen(at);
        char text[600];
        snprintf(text, sizeof text, "%.*s", (int)length, at);
        fputs("<div class=\"box bad\">", out);
        vg_escape_html(out, text);
        fputs("</div>\n", out);
        at += length + (end ? 3 : 0);
    }
    for (int i = 0; page->check && i < page->check->finding_count; i++) {
        const vg_check_finding *f = &page->check->findings[i];
        if (f->kind == VG_CHECK_NOTE)
            continue;
        fputs("<div class=\"box bad\">", out);
        vg_escape_html(out, f->text);
        if (f->remedy[0]) {
            fputs("<br>Instead: ", out);
            vg_escape_html(out, f->remedy);
        }
        fputs("</div>\n", out);
    }
}

static void put_head(FILE *out, const vg_preview_page *page, bool jpeg)
{
    const vg_augment *a = page->augment;
    char resize[40];
    vg_framing_print(&a->framing, resize, sizeof resize);
    fputs(head, out);
    fputs("<title>", out);
    vg_escape_html(out, page->dataset);
    fprintf(
        out,
        " – what the network will see</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>",
        style);
    vg_escape_html(out, page->dataset);
    fputs(" – what the network will see</h1>\n<p class=\"faint\">", out);
    fprintf(out,
            "input %d × %d × %d, resize %s, normalization %s (shown back on a fixed scale), seed "
            "%llu%s</p>\n",
            a->width, a->height, a->channels, resize, vg_normalization_name(a->normalizer.kind),
            (unsigned long long)page->seed,
            jpeg ? ". The pictures of this page are JPEGs of quality 95, for its size" : "");
    put_summary(out, page);
    fputs("<p>The policy; a click selects it:</p>\n<pre>", out);
    vg_escape_html(out, page->policy);
    if (page->class_lines[0]) {
        fputs("\n", out);
        vg_escape_html(out, page->class_lines);
    }
    fputs("</pre>\n<pre>", out);
    vg_escape_html(out, page->command);
    fputs("</pre>\n", out);
}

static bool is_large(const vg_preview_page *page)
{
    const vg_augment *a = page->augment;
    double rows = page->classes->summary.rows + page->operations->summary.rows;
    double shown = fmin(1, (double)VG_PREVIEW_PAGE_CELL / fmax(a->width, a->height));
    return rows * page->variants * a->width * a->height * shown * shown > MOST_PNG_PIXELS;
}

static vg_status put_section(writer *w, const vg_preview *preview, int variants)
{
    vg_status status = VG_OK;
    for (int r = 0; r < preview->summary.rows && status == VG_OK; r++)
        status = put_row(w, &preview->rows[r], variants);
    fputs("</section>\n", w->out);
    return status;
}

static vg_status put_page(writer *w, const vg_preview_page *page)
{
    const vg_preview_summary *s = &page->classes->summary;
    FILE *out = w->out;
    put_head(out, page, w->jpeg);
    fprintf(
        out,
        "<section>\n<h2>Classes</h2>\n<p class=\"faint\">%d of %d classes. Each variant is what "
        "the network gets of this picture in one epoch. A red edge: destroyed; a dashed one: no "
        "visible change; an amber one: it looks like another class. At the end of a row, "
        "brightness before (bars) and after (line).</p>\n",
        s->rows, s->classes);
    put_slider(out, "epoch", 0, page->variants);
    vg_status status = put_section(w, page->classes, page->variants);
    if (status != VG_OK)
        return status;
    fputs(
        "<section>\n<h2>Operations, each alone</h2>\n<p class=\"faint\">One picture; every "
        "operation "
        "from its weakest draw to its strongest, to either side in turn. The last row draws all of "
        "them as the policy does.</p>\n",
        out);
    put_slider(out, "strength", 1, page->variants);
    status = put_section(w, page->operations, page->variants);
    fprintf(out,
            "<p class=\"faint\">augment %s</p>\n</main>\n<dialog><img alt=\"\"><p></p></dialog>\n"
            "<script>%s</script>\n</body>\n</html>\n",
            VG_VERSION, script);
    return status;
}

vg_status vg_preview_html(const char *path, const vg_preview_page *page, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status != VG_OK)
        return status;
    writer w = {.out = file.stream, .jpeg = is_large(page), .err = err};
    status = put_page(&w, page);
    vg_bytes_reset(&w.bytes);
    if (status != VG_OK) {
        vg_atomic_abort(&file);
        return status;
    }
    return vg_atomic_commit(&file, err);
}
