/* balance-report as a page in one file: what to do first, the classes with a few of their pictures,
 * what gives the label away, the files. Pictures are small JPEGs inside the page, so that it can be
 * mailed and opened anywhere; nothing is fetched. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli.h"
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THUMBS = 6, MOST_GALLERIES = 40 };

typedef vg_audit_page page;
/* Of a class: dataset indices; SIZE_MAX: none. */
typedef size_t row_of_thumbs[THUMBS];

static const char *name_of(const page *p, int label)
{
    return vg_dataset_class_name(p->dataset, label);
}

/* For each class the places of THUMBS samples at equal distances. */
static vg_status choose_thumbs(const page *p, row_of_thumbs **chosen, vg_error *err)
{
    size_t classes = (size_t)p->findings->count;
    size_t *total = vg_calloc(classes * 2, sizeof *total);
    row_of_thumbs *thumbs = vg_alloc(classes, sizeof *thumbs);
    *chosen = thumbs;
    if (!total || !thumbs) {
        free(total);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the pictures of %zu classes", classes);
    }
    size_t *seen = total + classes;
    for (size_t k = 0; k < classes; k++)
        for (int t = 0; t < THUMBS; t++)
            thumbs[k][t] = SIZE_MAX;
    for (int i = 0; i < p->findings->count; i++)
        total[p->findings->classes[i].label] = p->findings->classes[i].total;
    for (size_t i = 0; i < vg_dataset_count(p->dataset); i++) {
        size_t k = (size_t)vg_dataset_label(p->dataset, i), at = seen[k]++;
        for (size_t t = 0; t < THUMBS; t++)
            if (at == t * total[k] / THUMBS)
                thumbs[k][t] = i;
    }
    free(total);
    return VG_OK;
}

static void put_command(const page *p, char *command)
{
    if (command)
        vg_html_code(p->out, command);
    free(command);
}

static void put_head(const page *p)
{
    const vg_findings *f = p->findings;
    char title[4200], line[400], total[32];
    snprintf(title, sizeof title, "What is skewed in %s", vg_dataset_path(p->dataset));
    snprintf(line, sizeof line, "%s images, %d classes; %s: train %zu, val %zu, test %zu",
             vg_cli_count(total, f->all.total), f->count,
             vg_dataset_brings_splits(p->dataset) ? "its own split"
             : vg_dataset_options_of(p->dataset).split_by == VG_SPLIT_BY_GROUP
                 ? "no split of its own, made by group"
                 : "no split of its own, made by name",
             f->split[VG_SPLIT_TRAIN], f->split[VG_SPLIT_VAL], f->split[VG_SPLIT_TEST]);
    vg_html_begin(p->out, title, line);
    vg_html_verdict_begin(p->out, f->clean ? VG_TONE_GOOD : VG_TONE_BAD,
                          f->clean ? "Nothing to repair" : "Do first");
    vg_html_verdict_line(p->out, "%s", f->first.text);
    vg_html_verdict_end(p->out);
    put_command(p, vg_advice_command(&f->first, vg_dataset_path(p->dataset),
                                     vg_dataset_background(p->dataset)));
}

/* What the charts share: one entry per class, largest first. */
typedef struct chart_data {
    const char **labels;
    double *values;
    char (*notes)[64];
    const char **note_of;
    bool *accused;
} chart_data;

static void chart_data_reset(chart_data *d)
{
    free(d->labels);
    free(d->values);
    free(d->notes);
    free(d->note_of);
    free(d->accused);
    *d = (chart_data){0};
}

static vg_status chart_data_init(const page *p, chart_data *d, vg_error *err)
{
    size_t n = (size_t)p->findings->count;
    *d = (chart_data){.labels = vg_calloc(n, sizeof *d->labels),
                      .values = vg_calloc(n, sizeof *d->values),
                      .notes = vg_calloc(n, sizeof *d->notes),
                      .note_of = vg_calloc(n, sizeof *d->note_of),
                      .accused = vg_calloc(n, sizeof *d->accused)};
    if (!d->labels || !d->values || !d->notes || !d->note_of || !d->accused) {
        chart_data_reset(d);
        return vg_fail(err, VG_E_NOMEM, "out of memory for a chart of %zu classes", n);
    }
    for (size_t i = 0; i < n; i++) {
        d->labels[i] = name_of(p, p->findings->classes[i].label);
        d->note_of[i] = d->notes[i];
    }
    return VG_OK;
}

static void put_counts(const page *p, chart_data *d)
{
    const vg_findings *f = p->findings;
    double total = (double)f->shown.total;
    for (int i = 0; i < f->count; i++) {
        char number[32];
        d->values[i] = (double)f->classes[i].shown;
        d->accused[i] = f->classes[i].accused;
        snprintf(d->notes[i], sizeof d->notes[i], "%s   %.1f %%",
                 vg_cli_count(number, f->classes[i].shown),
                 total > 0 ? 100 * d->values[i] / total : 0);
    }
    vg_svg_bars chart = {.name = "Images per class",
                         .labels = d->labels,
                         .values = d->values,
                         .notes = d->note_of,
                         .accused = d->accused,
                         .rows = f->count,
                         .series_count = 1};
    vg_html_section(p->out, "Classes");
    vg_html_figure_begin(p->out, f->by_train ? "Training images per class" : "Images per class");
    vg_svg_bars_draw(p->out, &chart);
    vg_html_figure_end(p->out,
                       "a class with few images adds little to the loss, so that a network "
                       "gains more by never naming it. Marked classes have a remark below.");
    const vg_balance *b = &f->shown;
    vg_html_paragraph(
        p->out,
        "Imbalance %.1f : 1. Effective classes %.1f of %d (entropy %.2f of %.2f nats). "
        "A network that always says \"%s\" is right in %.1f %% of cases.",
        b->imbalance_ratio, b->effective_classes, b->classes, b->entropy,
        b->classes > 0 ? log((double)b->classes) : 0, name_of(p, b->majority),
        100 * b->majority_share);
}

static vg_status put_gallery(const page *p, vg_error *err)
{
    static const char *const heads[] = {"class",    ">train",          ">val", ">test",
                                        "pictures", "what stands out", NULL};
    const vg_findings *f = p->findings;
    row_of_thumbs *thumbs = NULL;
    vg_status status = choose_thumbs(p, &thumbs, err);
    if (status) {
        free(thumbs);
        return status;
    }
    if (f->count > MOST_GALLERIES)
        vg_html_paragraph(p->out, "Pictures of the %d largest and the %d smallest classes.",
                          MOST_GALLERIES / 2, MOST_GALLERIES / 2);
    fputs("<div class=\"scroll\">", p->out);
    vg_html_table_begin(p->out, heads);
    for (int i = 0; !status && i < f->count; i++) {
        const vg_class_finding *class = &f->classes[i];
        const size_t *count = p->audit->per_class[class->label].count;
        bool shown = f->count <= MOST_GALLERIES || i < MOST_GALLERIES / 2 ||
                     i >= f->count - MOST_GALLERIES / 2;
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", name_of(p, class->label));
        for (int s = 0; s < VG_SPLIT_COUNT; s++)
            vg_html_number(p->out, "%zu", count[s]);
        fputs("<td style=\"white-space:nowrap\">", p->out);
        for (int t = 0; !status && shown && t < THUMBS; t++)
            if (thumbs[class->label][t] != SIZE_MAX)
                status = vg_thumb_put(p->out, p->thumbs, p->dataset, thumbs[class->label][t], err);
        fputs("</td>", p->out);
        vg_html_cell(p->out, "%s", class->note);
    }
    vg_html_table_end(p->out);
    fputs("</div>\n", p->out);
    free(thumbs);
    return status;
}

static void put_shortcut_chart(const page *p)
{
    const vg_audit *a = p->audit;
    static const char *const series[] = {"from this property alone", "chance (95 % of shuffles)"};
    const char *labels[VG_SHORTCUTS + 1];
    double values[2 * (VG_SHORTCUTS + 1)];
    int rows = a->shortcut_count;
    for (int i = 0; i < a->shortcut_count; i++) {
        labels[i] = a->shortcuts[i].property;
        values[2 * (size_t)i] = a->shortcuts[i].accuracy;
        values[2 * (size_t)i + 1] = a->shortcuts[i].null_high;
    }
    if (a->together.accuracy > 0) {
        labels[rows] = a->together.property;
        values[2 * (size_t)rows] = a->together.accuracy;
        values[2 * (size_t)rows + 1] = a->together.null_high;
        rows++;
    }
    vg_svg_bars chart = {.name = "Balanced accuracy of naming the class from one property",
                         .labels = labels,
                         .series = series,
                         .values = values,
                         .rows = rows,
                         .series_count = 2,
                         .percent = true,
                         .full = 1,
                         .width = 500};
    vg_html_figure_begin(p->out, "How well one number names the class");
    vg_svg_bars_draw(p->out, &chart);
    vg_html_figure_end(p->out,
                       "what names the class without a look at the picture is learned first, "
                       "and fails on pictures that were taken elsewhere.");
}

static void put_brightness(const page *p, chart_data *d)
{
    const vg_findings *f = p->findings;
    for (int i = 0; i < f->count; i++) {
        const vg_audit_class *a = &p->audit->per_class[f->classes[i].label];
        d->values[i] = a->decoded ? a->brightness : NAN;
        d->accused[i] =
            strstr(f->classes[i].note, "darker") || strstr(f->classes[i].note, "brighter");
        snprintf(d->notes[i], sizeof d->notes[i], "%.2f ± %.2f", a->brightness, a->brightness_std);
    }
    vg_svg_bars chart = {.name = "Mean brightness per class",
                         .labels = d->labels,
                         .values = d->values,
                         .notes = d->note_of,
                         .accused = d->accused,
                         .rows = f->count,
                         .series_count = 1,
                         .full = 1,
                         .width = 500};
    vg_html_figure_begin(p->out, "Brightness of each class (0 black, 1 white; ± spread of images)");
    vg_svg_bars_draw(p->out, &chart);
    vg_html_figure_end(p->out,
                       "a class that is darker than the rest can be named by a light meter.");
}

static void put_looks(const page *p, chart_data *d)
{
    vg_html_section(p->out, "What gives the label away");
    for (int i = 0; i < p->audit->shortcut_count; i++) {
        char text[400];
        vg_shortcut_words(p->dataset, &p->audit->shortcuts[i], text, sizeof text);
        vg_html_paragraph(p->out, "%s.", text);
    }
    if (p->audit->together.accuracy > 0) {
        char text[400];
        vg_together_words(p->audit, text, sizeof text);
        vg_html_paragraph(p->out, "Besides, %s.", text);
    }
    if (p->audit->shortcut_count == 0)
        vg_html_paragraph(p->out,
                          "Nothing that was looked at: neither light nor size nor format of "
                          "the files tells the classes apart.");
    vg_html_row_begin(p->out);
    put_brightness(p, d);
    if (p->audit->shortcut_count)
        put_shortcut_chart(p);
    vg_html_row_end(p->out);
}

static vg_status put_page(const page *p, vg_error *err)
{
    chart_data data;
    vg_status status = chart_data_init(p, &data, err);
    if (status)
        return status;
    put_head(p);
    put_counts(p, &data);
    status = put_gallery(p, err);
    if (!status)
        put_looks(p, &data);
    for (int i = 0; !status && vg_audit_sections[i]; i++)
        if (vg_audit_sections[i]->html)
            status = vg_audit_sections[i]->html(p, err);
    if (!status)
        vg_html_end(p->out, "balance-report (variegate) " VG_VERSION);
    chart_data_reset(&data);
    return status;
}

vg_status vg_audit_html(const char *path, const vg_dataset *dataset, const vg_audit *audit,
                        const vg_findings *findings, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status)
        return status;
    vg_thumbs thumbs = {0};
    page p = {.out = file.stream,
              .dataset = dataset,
              .audit = audit,
              .findings = findings,
              .thumbs = &thumbs};
    status = put_page(&p, err);
    vg_thumbs_reset(&thumbs);
    if (status) {
        vg_atomic_abort(&file);
        return status;
    }
    return vg_atomic_commit(&file, err);
}
