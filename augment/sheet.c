/* Lays the contact sheet out: measures first (captions wrap, so rows differ in height), then draws.
 *
 * It is made to be read at 100 % on a white page: pictures are enlarged only by whole pixels, so
 * that what looks blurred is blurred, and nothing is drawn over them. */
#include "sheet.h"

#include "base/file.h"
#include "check.h"
#include "draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 32,
    GAP = 12,        /* between cells */
    HISTOGRAM = 190, /* width of the last column */
    ROW_GAP = 22,    /* between rows */
    NAME_LINE = 26,  /* height of a row's name */
    CAPTION_GAP = 6, /* between a picture and its caption */
    EDGE = 3,        /* thickness of a finding's edge */
};

enum {
    PAPER = 0xFFFFFF,
    INK = 0x1F2328,
    FAINT = 0x636C76,
    LINE = 0xDDE1E6,
    GREY = 0x9AA3AD,
    RED = 0xD1242F,
    AMBER = 0x8A5A00,
    BARS = 0xD3D9E0,
    BLUE = 0x0B63CE
};

typedef struct layout {
    const vg_dataset *dataset;
    const vg_augment *augment;
    const vg_sheet_options *options;
    vg_preview preview;
    int pitch, cell;               /* from cell to cell; the widest and highest picture */
    int shown_width, shown_height; /* of a variant on the sheet */
    char title[400], about[700];
    char policy[VG_POLICY_TEXT + 16];
    char *more;     /* policies of classes, a line each; on the heap */
    char *warnings; /* a line each; on the heap */
    char footer[3][500];
} layout;

vg_sheet_options vg_sheet_options_default(void)
{
    vg_sheet_options options = {.preview = vg_preview_options_default(), .width = 1600};
    return options;
}

/* Policies of classes, and what is wrong: lines of any length. */
static vg_status write_lines(layout *l, vg_error *err)
{
    size_t sizes[2];
    const vg_class_policies *table = l->augment->class_policies;
    const vg_check *found = l->options->preview.check;
    char names[200], line[VG_POLICY_TEXT], warnings[1000];
    FILE *more = open_memstream(&l->more, &sizes[0]);
    FILE *wrong = more ? open_memstream(&l->warnings, &sizes[1]) : NULL;
    for (int i = 0; wrong && table && i < table->count; i++) {
        vg_class_policies_names(table, i, l->dataset, names, sizeof names);
        vg_policy_print(&table->policies[i], line, sizeof line);
        fprintf(more, "for %s: %s\n", names, line);
    }
    vg_policy_warnings(&l->augment->policy, warnings, sizeof warnings);
    for (char *at = warnings; wrong && *at;) {
        char *end = strstr(at, " | ");
        size_t length = end ? (size_t)(end - at) : strlen(at);
        fprintf(wrong, "%.*s\n", (int)length, at);
        at += length + (end ? 3 : 0);
    }
    bool by_operation = l->options->preview.by == VG_PREVIEW_OPERATIONS;
    for (int i = 0; wrong && found && i < found->finding_count; i++) {
        const vg_check_finding *f = &found->findings[i];
        bool beside = by_operation && f->part >= 0 && !found->parts[f->part].whole;
        if (f->kind != VG_CHECK_NOTE && !beside)
            fprintf(wrong, "%s%s%s\n", f->text, f->remedy[0] ? "; instead: " : "", f->remedy);
    }
    bool ok = wrong && fclose(wrong) == 0;
    ok = more && fclose(more) == 0 && ok;
    return ok ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for the header");
}

static void write_header(layout *l)
{
    const vg_augment *a = l->augment;
    const vg_preview_summary *s = &l->preview.summary;
    const char *title = l->options->title;
    char path[300], policy[VG_POLICY_TEXT], resize[60] = "";
    if (!title) {
        snprintf(path, sizeof path, "%s", vg_dataset_path(l->dataset));
        for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';)
            path[--n] = '\0';
        title = vg_path_base(path);
    }
    vg_policy_print(&a->policy, policy, sizeof policy);
    snprintf(l->title, sizeof l->title, "%s \u2013 what the network will see", title);
    snprintf(l->policy, sizeof l->policy, "policy %s", policy);
    if (a->framing.kind != VG_FRAMING_STRETCH) {
        memcpy(resize, "      resize ", 13);
        vg_framing_print(&a->framing, resize + 13, sizeof resize - 13);
    }
    int used = snprintf(l->about, sizeof l->about,
                        "input %d × %d × %d%s      normalization %s (shown back on a fixed scale)"
                        "      seed %llu      ",
                        a->width, a->height, a->channels, resize,
                        vg_normalization_name(a->normalizer.kind),
                        (unsigned long long)l->options->preview.seed);
    size_t room = sizeof l->about - (size_t)used;
    char *rest = l->about + used;
    if (l->options->preview.by == VG_PREVIEW_OPERATIONS)
        used = snprintf(rest, room, "each operation alone, from its weakest draw to its strongest");
    else if (s->rows < s->classes)
        used = snprintf(rest, room, "%d of %d classes, evenly chosen", s->rows, s->classes);
    else
        used = snprintf(rest, room, "%d class%s", s->classes, s->classes == 1 ? "" : "es");
    rest += used;
    room -= (size_t)used;
    if (l->preview.zoom == 0)
        snprintf(rest, room, "      variants shown at %.0f %%", 100.0 * l->shown_width / a->width);
    else if (l->preview.zoom > 1)
        snprintf(rest, room, "      variants shown %d × enlarged", l->preview.zoom);
}

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void write_footer(layout *l)
{
    const vg_preview_summary *s = &l->preview.summary;
    size_t unchanged = s->findings[VG_FINDING_UNCHANGED], destroyed = vg_preview_destroyed(s);
    size_t fine = s->draws - unchanged - destroyed;
    if (vg_policy_is_none(&l->augment->policy)) {
        snprintf(l->footer[0], sizeof l->footer[0],
                 "No augmentation: every epoch shows the network the same pictures.");
        return;
    }
    snprintf(
        l->footer[0], sizeof l->footer[0],
        "Of %zu draws on %zu training pictures: %zu (%.1f %%) changed the picture and kept it,",
        s->draws, s->pictures, fine, percent(fine, s->draws));
    snprintf(l->footer[1], sizeof l->footer[1], "%zu (%.1f %%) made no visible change,", unchanged,
             percent(unchanged, s->draws));
    snprintf(l->footer[2], sizeof l->footer[2], "%zu (%.1f %%) destroyed it%s", destroyed,
             percent(destroyed, s->draws), destroyed ? ":" : ".");
    if (destroyed) {
        char kinds[200], blame[200];
        size_t used = strlen(l->footer[2]);
        vg_preview_kinds(s, kinds, sizeof kinds);
        vg_preview_blame(s, 6, blame, sizeof blame);
        snprintf(l->footer[2] + used, sizeof l->footer[2] - used, " %s; %s.", kinds, blame);
    }
}

static int caption_lines(const layout *l, const vg_preview_tile *tile)
{
    int width = l->pitch - GAP;
    return vg_paint_wrapped(NULL, 0, 0, width, &vg_font_small, 0, tile->caption) +
           vg_paint_wrapped(NULL, 0, 0, width, &vg_font_small, 0, tile->reason);
}

/* The whole-pixel enlargement of an original. */
static int original_zoom(const layout *l, const vg_preview_row *row)
{
    int high = l->shown_height > 96 ? l->shown_height : 96;
    int across = row->original.width > 0 ? l->cell / row->original.width : 1;
    int down = row->original.height > 0 ? high / row->original.height : 1;
    int zoom = across < down ? across : down;
    return zoom > 1 ? zoom : 1;
}

static int picture_height(const layout *l, const vg_preview_row *row)
{
    int original = row->original.height * original_zoom(l, row);
    return original > l->shown_height ? original : l->shown_height;
}

static int text_width(const layout *l)
{
    return l->options->width - 2 * MARGIN;
}

/* Of a row's warnings; drawn on `on` if that is not NULL. */
static int warning_height(const layout *l, vg_image *on, int y, const vg_preview_row *row)
{
    int lines = vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_small, AMBER, row->warning);
    return lines ? lines * vg_font_small.line + 6 : 0;
}

static int row_height(const layout *l, const vg_preview_row *row)
{
    if (row->problem[0])
        return NAME_LINE + 2 * vg_font_small.line;
    int lines = 2;
    for (int i = 0; i < l->options->preview.variants; i++) {
        int count = caption_lines(l, &row->tiles[i]);
        lines = count > lines ? count : lines;
    }
    return NAME_LINE + warning_height(l, NULL, 0, row) + picture_height(l, row) + CAPTION_GAP +
           lines * vg_font_small.line;
}

/* Draws (on NULL: measures) lines below each other; returns the y below them. */
static int draw_lines(const layout *l, vg_image *on, int y, const char *lines, uint32_t colour)
{
    for (const char *at = lines; *at;) {
        size_t length = strcspn(at, "\n");
        char line[VG_POLICY_TEXT + 256];
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        y += 5;
        y += vg_font_text.line *
             vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_text, colour, line);
        at += length + (at[length] == '\n');
    }
    return y;
}

/* Draws (on NULL: measures) the header; returns the y below it. */
static int draw_header(const layout *l, vg_image *on)
{
    int y = MARGIN - 4;
    y += vg_font_title.line *
         vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_title, INK, l->title);
    y += 8;
    y += vg_font_text.line *
         vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_text, BLUE, l->policy);
    y = draw_lines(l, on, y, l->more, BLUE);
    y += 4;
    y += vg_font_small.line *
         vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_small, FAINT, l->about);
    y = draw_lines(l, on, y, l->warnings, AMBER);
    return y + 14;
}

static void draw_histogram(const layout *l, vg_image *on, int x, int y, int height,
                           const vg_preview_row *row)
{
    /* A bin that holds a whole background would flatten all others: it is cut at a quarter. */
    double most = 0;
    for (int i = 0; i < VG_PREVIEW_BINS; i++)
        most = fmax(most, fmax(row->before[i], row->after[i]));
    most = fmin(most, 0.25);
    int bottom = 16, width = l->options->width - MARGIN - x;
    vg_box box = {x, y, width, height - bottom};
    vg_paint_bars(on, box, row->before, VG_PREVIEW_BINS, most, BARS);
    vg_paint_steps(on, box, row->after, VG_PREVIEW_BINS, most, BLUE);
    vg_paint_fill(on, (vg_box){x, y + height - bottom, width, 1}, GREY);
    int base = y + height - bottom + 3;
    vg_paint_text(on, x, base, &vg_font_small, FAINT, "0");
    vg_paint_text(on, x + width - vg_paint_text_width(&vg_font_small, "255"), base, &vg_font_small,
                  FAINT, "255");
    /* the key, between the two ends of the scale */
    int at = x + width / 2 - 58;
    vg_paint_fill(on, (vg_box){at, base + 3, 9, 8}, BARS);
    at = vg_paint_text(on, at + 13, base, &vg_font_small, FAINT, "before");
    vg_paint_fill(on, (vg_box){at + 14, base + 6, 10, 2}, BLUE);
    vg_paint_text(on, at + 28, base, &vg_font_small, FAINT, "after");
}

static void draw_tile(const layout *l, vg_image *on, int x, int y, int height,
                      const vg_preview_tile *tile)
{
    int zoom = l->preview.zoom > 0 ? l->preview.zoom : 1;
    int top = y + (height - l->shown_height) / 2;
    vg_paint_picture(on, x, top, &tile->picture, zoom);
    bool destroyed = vg_finding_destroys(tile->finding);
    vg_paint_frame(on, (vg_box){x - 1, top - 1, l->shown_width + 2, l->shown_height + 2}, 1, LINE);
    bool other = tile->looks_like_another;
    if (tile->finding != VG_FINDING_NONE || other)
        vg_paint_frame(
            on,
            (vg_box){x - EDGE, top - EDGE, l->shown_width + 2 * EDGE, l->shown_height + 2 * EDGE},
            EDGE,
            destroyed ? RED
            : other   ? AMBER
                      : GREY);
    int width = l->pitch - GAP, text_y = y + height + CAPTION_GAP;
    int lines = vg_paint_wrapped(on, x, text_y, width, &vg_font_small,
                                 destroyed ? RED
                                 : other   ? AMBER
                                           : INK,
                                 tile->reason);
    vg_paint_wrapped(on, x, text_y + lines * vg_font_small.line, width, &vg_font_small, FAINT,
                     tile->caption);
}

static void draw_row(const layout *l, vg_image *on, int y, const vg_preview_row *row)
{
    char text[200];
    int x = vg_paint_text(on, MARGIN, y, &vg_font_text, INK, row->name);
    vg_paint_text(on, x + 12, y + vg_font_text.line - vg_font_small.line - 1, &vg_font_small, FAINT,
                  row->note);
    y += NAME_LINE;
    if (row->problem[0]) {
        vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_small, RED, row->problem);
        return;
    }
    y += warning_height(l, on, y, row);
    int height = picture_height(l, row), zoom = original_zoom(l, row);
    vg_paint_picture(on, MARGIN, y + (height - row->original.height * zoom) / 2, &row->original,
                     zoom);
    snprintf(text, sizeof text, "original %d × %d", row->width, row->height);
    vg_paint_wrapped(on, MARGIN, y + height + CAPTION_GAP, l->pitch - GAP, &vg_font_small, INK,
                     text);
    for (int i = 0; i < l->options->preview.variants; i++)
        draw_tile(l, on, MARGIN + (i + 1) * l->pitch + GAP, y, height, &row->tiles[i]);
    draw_histogram(l, on, l->options->width - MARGIN - HISTOGRAM, y, height, row);
}

/* Draws (on NULL: measures) the footer from y on; returns the y below it. */
static int draw_footer(const layout *l, vg_image *on, int y)
{
    char text[1600];
    snprintf(text, sizeof text, "%s %s %s", l->footer[0], l->footer[1], l->footer[2]);
    if (on)
        vg_paint_fill(on, (vg_box){MARGIN, y, text_width(l), 1}, LINE);
    y += 14;
    y += vg_font_text.line *
         vg_paint_wrapped(on, MARGIN, y, text_width(l), &vg_font_text, INK, text);
    y += 8;
    if (on) {
        vg_paint_frame(on, (vg_box){MARGIN, y, 13, 13}, EDGE, GREY);
        int x = vg_paint_text(on, MARGIN + 20, y, &vg_font_small, FAINT,
                              "grey edge: mean change below 1 of 255");
        if (l->options->preview.check && l->options->preview.check->looks) {
            vg_paint_frame(on, (vg_box){x + 24, y, 13, 13}, EDGE, AMBER);
            vg_paint_text(on, x + 44, y, &vg_font_small, FAINT,
                          "amber edge: as near to another class as its own pictures are");
        }
        y += vg_font_small.line + 6;
        x = MARGIN - 24;
        vg_paint_frame(on, (vg_box){x + 24, y, 13, 13}, EDGE, RED);
        vg_paint_text(on, x + 44, y, &vg_font_small, FAINT,
                      "red edge: more than half of the pixels are fill, or 60 % more values than "
                      "before are clipped, or less than a tenth of the contrast or detail or a "
                      "quarter of the content is left; in brackets the operation that did it");
    }
    if (!on)
        y += vg_font_small.line + 6;
    return y + vg_font_small.line + MARGIN - 8;
}

static vg_status check(const vg_sheet_options *o, vg_error *err)
{
    int variants = o->preview.variants;
    if (variants < 1 || variants > VG_PREVIEW_VARIANTS)
        return vg_fail(err, VG_E_ARG, "a sheet of %d variants: expected 1 to %d", variants,
                       VG_PREVIEW_VARIANTS);
    int cell = (o->width - 2 * MARGIN - HISTOGRAM) / (variants + 1) - GAP;
    if (o->width > 20000 || cell < 64)
        return vg_fail(err, VG_E_ARG,
                       "a sheet %d pixels wide with %d variants: expected at most 20000, and at "
                       "least %d to leave 64 for each",
                       o->width, variants, 2 * MARGIN + HISTOGRAM + (variants + 1) * 76 + 20);
    return VG_OK;
}

static vg_status draw(layout *l, vg_image *sheet, vg_error *err)
{
    int height = draw_header(l, NULL);
    for (int r = 0; r < l->preview.summary.rows; r++)
        height += row_height(l, &l->preview.rows[r]) + ROW_GAP;
    height = draw_footer(l, NULL, height);
    vg_status status = vg_image_shape(sheet, l->options->width, height, 3, err);
    if (status != VG_OK)
        return status;
    vg_paint_fill(sheet, (vg_box){0, 0, sheet->width, height}, PAPER);
    int y = draw_header(l, sheet);
    for (int r = 0; r < l->preview.summary.rows; r++) {
        vg_paint_fill(sheet, (vg_box){MARGIN, y, text_width(l), 1}, LINE);
        draw_row(l, sheet, y + ROW_GAP / 2, &l->preview.rows[r]);
        y += row_height(l, &l->preview.rows[r]) + ROW_GAP;
    }
    draw_footer(l, sheet, y);
    return VG_OK;
}

vg_status vg_sheet_draw(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_sheet_options *options, vg_image *sheet, vg_error *err)
{
    vg_status status = check(options, err);
    if (status != VG_OK)
        return status;
    layout l = {.dataset = dataset, .augment = augment, .options = options};
    l.pitch = (options->width - 2 * MARGIN - HISTOGRAM - GAP) / (options->preview.variants + 1);
    l.cell = l.pitch - GAP;
    vg_preview_options content = options->preview;
    content.cell = l.cell;
    status = vg_preview_gather(dataset, augment, &content, &l.preview, err);
    if (status == VG_OK) {
        for (int r = 0; r < l.preview.summary.rows && !l.shown_width; r++) {
            const vg_image *first = &l.preview.rows[r].tiles[0].picture;
            int zoom = l.preview.zoom > 0 ? l.preview.zoom : 1;
            l.shown_width = first->width * zoom;
            l.shown_height = first->height * zoom;
        }
        write_header(&l);
        write_footer(&l);
        status = write_lines(&l, err);
    }
    if (status == VG_OK)
        status = draw(&l, sheet, err);
    free(l.more);
    free(l.warnings);
    if (status == VG_OK && options->summary)
        *options->summary = l.preview.summary;
    vg_preview_reset(&l.preview);
    return status;
}
