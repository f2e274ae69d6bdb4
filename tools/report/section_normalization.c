/* On which scale the pictures lie, what normalization follows from it, and the classes on a scale of their own. */
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include "base/text.h"

#include <stdlib.h>

static const size_t most_shown = 3;  /* classes on another scale, in the text */
static const size_t most_rows = 500; /* of the page's table */

static const vg_normalization kinds[] = {VG_NORMALIZE_ZSCORE, VG_NORMALIZE_IMAGE_ZSCORE,
                                         VG_NORMALIZE_MINMAX, VG_NORMALIZE_ROBUST};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *name_of(const vg_audit_page *p, int label)
{
    return vg_dataset_class_name(p->dataset, label);
}

static char *command_of(const vg_audit_page *p)
{
    char after[60];
    snprintf(after, sizeof after, " --set normalize=%s",
             vg_normalization_name(p->audit->scale.kind));
    const vg_advice advice = {.before = "train-pipeline ", .after = after};
    return vg_advice_command(&advice, vg_dataset_path(p->dataset),
                             vg_dataset_background(p->dataset));
}

/* "0.485, 0.456, 0.406": of 0..1, as other programs want them. */
static void list_values(const vg_scale_class *of, int channels, bool deviations, double factor,
                        const char *format, char *text, size_t capacity)
{
    text[0] = '\0';
    for (int c = 0; c < channels; c++) {
        char number[40];
        snprintf(number, sizeof number, format, (deviations ? of->std[c] : of->mean[c]) * factor);
        vg_text_append(text, capacity, "%s%s", c ? ", " : "", number);
    }
}

static void off_words(const vg_audit_page *p, const vg_scale_off *off, char *text, size_t capacity)
{
    const vg_scale *s = &p->audit->scale;
    if (off->channel < 0)
        snprintf(text, capacity,
                 "\"%.100s\" %s: values spread %.0f of 255 within a picture, others %.0f (z %+.1f)",
                 name_of(p, off->label),
                 off->value < off->rest ? "is flatter" : "has more contrast", off->value, off->rest,
                 off->z);
    else
        snprintf(text, capacity, "\"%.100s\" lies %s: %s %.0f of 255, others %.0f (z %+.1f)",
                 name_of(p, off->label), off->value < off->rest ? "lower" : "higher",
                 vg_scale_channel(s, off->channel), off->value, off->rest, off->z);
}

static void range_words(const vg_scale *s, char *text, size_t capacity)
{
    text[0] = '\0';
    if (!s->narrow)
        return;
    int low = 255, high = 0;
    for (int c = 0; c < s->channels; c++) {
        low = s->low[c] < low ? s->low[c] : low;
        high = s->high[c] > high ? s->high[c] : high;
    }
    snprintf(text, capacity, "98 %% of the values lie between %d and %d of 255", low, high);
    if (s->deep)
        vg_text_append(
            text, capacity,
            "; %zu picture%s of more than 8 bits a channel %s scaled to 8: what they hold "
            "in a small part of their range is lost in steps; spread it before",
            s->deep, s->deep == 1 ? "" : "s", s->deep == 1 ? "is" : "are");
    else
        vg_text_append(text, capacity,
                       "; other programs that take v / 255 see hardly any contrast");
}

static void put_text(const vg_audit_page *p)
{
    const vg_scale *s = &p->audit->scale;
    char text[700], mean[120], std[120];
    if (p->audit->labels_only || s->channels == 0)
        return;
    snprintf(text, sizeof text, "%s: %s", vg_normalization_name(s->kind), s->why);
    vg_page_row(p, "normalize", text);
    for (size_t i = 0; i < s->off_count && i < most_shown; i++) {
        off_words(p, &s->off[i], text, sizeof text);
        if (i == most_shown - 1 && s->off_count > most_shown)
            vg_text_append(text, sizeof text, "; %zu more: --json, --html",
                           s->off_count - most_shown);
        vg_page_row(p, "", text);
    }
    range_words(s, text, sizeof text);
    if (text[0])
        vg_page_row(p, "", text);
    if (s->kind != VG_NORMALIZE_ZSCORE) {
        vg_page_command(p, command_of(p));
        return;
    }
    list_values(&s->all, s->channels, false, 1.0 / 255, "%.3f", mean, sizeof mean);
    list_values(&s->all, s->channels, true, 1.0 / 255, "%.3f", std, sizeof std);
    snprintf(text, sizeof text,
             "the default of train-pipeline, which fits it; elsewhere, of 0..1: mean %s, standard "
             "deviation %s",
             mean, std);
    vg_page_row(p, "", text);
}

/* ---- JSON */

static json_t *values(const double *v, int channels, double factor, bool *ok)
{
    json_t *list = json_array();
    for (int c = 0; c < channels; c++)
        vg_json_append(list, vg_json_number(v[c] * factor), ok);
    return list;
}

static json_t *class_object(const vg_audit_page *p, int label, bool *ok)
{
    const vg_scale *s = &p->audit->scale;
    const vg_scale_class *class = &s->per_class[label];
    json_t *one = json_object();
    bool any = class->images > 0;
    vg_json_set(one, "class", vg_json_text(name_of(p, label)), ok);
    vg_json_set(one, "images", json_integer((json_int_t) class->images), ok);
    vg_json_set(one, "mean", any ? values(class->mean, s->channels, 1, ok) : json_null(), ok);
    vg_json_set(one, "std", any ? values(class->std, s->channels, 1, ok) : json_null(), ok);
    vg_json_set(one, "level_std", any ? values(class->level_std, s->channels, 1, ok) : json_null(),
                ok);
    vg_json_set(one, "spread", any ? vg_json_number(class->spread) : json_null(), ok);
    return one;
}

static json_t *off_list(const vg_audit_page *p, bool *ok)
{
    const vg_scale *s = &p->audit->scale;
    json_t *list = json_array();
    for (size_t i = 0; i < s->off_count; i++) {
        const vg_scale_off *off = &s->off[i];
        json_t *one = json_object();
        vg_json_set(one, "class", vg_json_text(name_of(p, off->label)), ok);
        vg_json_set(one, "in", json_string(vg_scale_channel(s, off->channel)), ok);
        vg_json_set(one, "value", vg_json_number(off->value), ok);
        vg_json_set(one, "others", vg_json_number(off->rest), ok);
        vg_json_set(one, "z", vg_json_number(off->z), ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static json_t *reasons(const vg_audit_page *p, bool *ok)
{
    json_t *list = json_array();
    for (int i = 0; i < KINDS; i++) {
        char text[400];
        json_t *one = json_object();
        vg_scale_words(&p->audit->scale, &p->audit->stats, kinds[i], text, sizeof text);
        vg_json_set(one, "kind", json_string(vg_normalization_name(kinds[i])), ok);
        vg_json_set(one, "text", vg_json_text(text), ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static json_t *percentiles(const vg_scale *s, bool *ok)
{
    json_t *list = json_array();
    for (int c = 0; c < s->channels; c++) {
        json_t *pair = json_array();
        vg_json_append(pair, json_integer(s->low[c]), ok);
        vg_json_append(pair, json_integer(s->high[c]), ok);
        vg_json_append(list, pair, ok);
    }
    return list;
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_scale *s = &p->audit->scale;
    if (p->audit->labels_only || s->channels == 0) {
        vg_json_set(root, "normalization", json_null(), ok);
        return;
    }
    json_t *object = json_object(), *classes = json_array();
    char *command = command_of(p);
    vg_json_set(object, "recommended", json_string(vg_normalization_name(s->kind)), ok);
    vg_json_set(object, "why", vg_json_text(s->why), ok);
    vg_json_set(object, "command", command ? vg_json_text(command) : NULL, ok);
    free(command);
    vg_json_set(object, "kinds", reasons(p, ok), ok);
    vg_json_set(object, "mean", values(s->all.mean, s->channels, 1, ok), ok);
    vg_json_set(object, "std", values(s->all.std, s->channels, 1, ok), ok);
    vg_json_set(object, "unit_mean", values(s->all.mean, s->channels, 1.0 / 255, ok), ok);
    vg_json_set(object, "unit_std", values(s->all.std, s->channels, 1.0 / 255, ok), ok);
    vg_json_set(object, "between_images", vg_json_number(s->between), ok);
    vg_json_set(object, "by_class", vg_json_number(s->by_class), ok);
    vg_json_set(object, "percentiles", percentiles(s, ok), ok);
    vg_json_set(object, "narrow", json_boolean(s->narrow), ok);
    vg_json_set(object, "deep_images", json_integer((json_int_t)s->deep), ok);
    vg_json_set(object, "other_scale", off_list(p, ok), ok);
    for (int k = 0; k < s->classes; k++)
        vg_json_append(classes, class_object(p, k, ok), ok);
    vg_json_set(object, "classes", classes, ok);
    vg_json_set(root, "normalization", object, ok);
}

/* ---- page */

static void put_class_row(const vg_audit_page *p, const char *name, const vg_scale_class *class)
{
    int channels = p->audit->scale.channels;
    char text[120];
    vg_html_table_row(p->out);
    vg_html_cell(p->out, "%s", name);
    vg_html_number(p->out, "%zu", class->images);
    list_values(class, channels, false, 1, "%.1f", text, sizeof text);
    vg_html_number(p->out, "%s", class->images ? text : "");
    list_values(class, channels, true, 1, "%.1f", text, sizeof text);
    vg_html_number(p->out, "%s", class->images ? text : "");
    if (class->images)
        vg_html_number(p->out, "%.1f", class->spread);
    else
        vg_html_number(p->out, "%s", "");
}

static void put_kinds(const vg_audit_page *p)
{
    static const char *const heads[] = {"normalize", "", NULL};
    const vg_scale *s = &p->audit->scale;
    vg_html_table_begin(p->out, heads);
    for (int i = 0; i < KINDS; i++) {
        char text[400];
        vg_scale_words(s, &p->audit->stats, kinds[i], text, sizeof text);
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s%s", vg_normalization_name(kinds[i]),
                     kinds[i] == s->kind ? " (recommended)" : "");
        vg_html_cell(p->out, "%s", text);
    }
    vg_html_table_end(p->out);
}

static void put_classes(const vg_audit_page *p)
{
    static const char *const heads[] = {
        "class", ">training images", ">mean", ">standard deviation", ">within a picture", NULL};
    const vg_findings *f = p->findings;
    vg_html_paragraph(p->out,
                      "Of 255, %s. Mean and standard deviation are those of all pixels "
                      "of a class; the last column is the standard deviation within one "
                      "picture, on average.",
                      p->audit->scale.channels == 1 ? "grey" : "red, green and blue");
    fputs("<div class=\"scroll\">", p->out);
    vg_html_table_begin(p->out, heads);
    put_class_row(p, "all", &p->audit->scale.all);
    for (int i = 0; i < f->count && (size_t)i < most_rows; i++)
        put_class_row(p, name_of(p, f->classes[i].label),
                      &p->audit->scale.per_class[f->classes[i].label]);
    vg_html_table_end(p->out);
    fputs("</div>\n", p->out);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    const vg_scale *s = &p->audit->scale;
    char text[700];
    (void)err;
    if (p->audit->labels_only || s->channels == 0)
        return VG_OK;
    vg_html_section(p->out, "Normalization");
    vg_html_paragraph(p->out, "%s: %s.", vg_normalization_name(s->kind), s->why);
    range_words(s, text, sizeof text);
    if (text[0])
        vg_html_paragraph(p->out, "%s.", text);
    char *command = command_of(p);
    if (command)
        vg_html_code(p->out, command);
    free(command);
    put_kinds(p);
    for (size_t i = 0; i < s->off_count && i < most_rows; i++) {
        off_words(p, &s->off[i], text, sizeof text);
        vg_html_paragraph(p->out, "%s.", text);
    }
    put_classes(p);
    return VG_OK;
}

const vg_audit_section vg_section_normalization = {
    .name = "normalization", .text = put_text, .json = put_json, .html = put_html};
