/* Another dataset held against this one: classes, shares, what the pictures are like, and pictures that both have. */
#include "audit/against.h"
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include "base/text.h"
#include "cli.h"

#include <math.h>

static const size_t most_named = 5;  /* classes and properties in the text */
static const size_t most_rows = 500; /* of the page's tables */

static const char *other_path(const vg_audit_page *p)
{
    return vg_dataset_path(p->findings->other);
}

/* Names of classes that only one of the two has, the first few. */
static void list_only(const vg_against *a, int which, char *text, size_t capacity)
{
    size_t named = 0;
    text[0] = '\0';
    for (size_t k = 0; k < a->class_count && named < most_named; k++)
        if (a->classes[k].there[which] && !a->classes[k].there[1 - which])
            vg_text_append(text, capacity, "%s\"%.60s\"", named++ ? ", " : "", a->classes[k].name);
    if (a->only[which] > most_named)
        vg_text_append(text, capacity, " ... (%zu in all)", a->only[which]);
}

static void class_words(const vg_audit_page *p, char *text, size_t capacity)
{
    const vg_against *a = p->findings->against;
    char names[500], images[32];
    snprintf(text, capacity, "%.300s: %s images", other_path(p),
             vg_cli_count(images, a->images[1]));
    for (int which = 1; which >= 0; which--) {
        if (!a->only[which])
            continue;
        list_only(a, which, names, sizeof names);
        vg_text_append(text, capacity, "; %s %s: %s", a->only[which] == 1 ? "a class" : "classes",
                       which ? "that this one lacks" : "of this one that it lacks", names);
    }
    if (!a->only[0] && !a->only[1])
        vg_text_append(text, capacity, ", the same classes");
}

static void share_words(const vg_against *a, char *text, size_t capacity)
{
    const vg_drift *d = &a->shares;
    bool moved = d->word == VG_DRIFT_SOME || d->word == VG_DRIFT_GRAVE;
    snprintf(text, capacity,
             "class shares %s: Jensen-Shannon distance %.2f (%.2f by chance), chi-square %.1f with "
             "%d degree%s of freedom, p %s%.2g",
             moved                      ? "have moved"
             : d->word == VG_DRIFT_EVEN ? "were made even"
                                        : "are the same",
             d->distance, d->by_chance, d->chi_square, d->freedom, d->freedom == 1 ? "" : "s",
             d->p < 1e-4 ? "< " : "= ", fmax(d->p, 1e-4));
    for (int i = 0; moved && i < d->worst_count && i < 3; i++)
        vg_text_append(text, capacity, "%s \"%.60s\" %.1f → %.1f %%", i ? "," : ":",
                       a->classes[d->worst[i].label].name, 100 * d->worst[i].share[0],
                       100 * d->worst[i].share[1]);
}

static void property_words(const vg_against_property *q, char *text, size_t capacity)
{
    snprintf(text, capacity,
             "%s has moved: %.4g ± %.4g here, %.4g ± %.4g there; %+.2f [%.2f, %.2f] standard "
             "deviations, distance of the distributions %.2f",
             q->name, q->mean[0], q->std[0], q->mean[1], q->std[1], q->difference, q->low, q->high,
             q->distance);
    if (q->accuracy > 0)
        vg_text_append(text, capacity, "; alone it tells the two apart with %.0f %% (chance 50 %%)",
                       100 * q->accuracy);
}

static void across_words(const vg_against *a, char *text, size_t capacity)
{
    snprintf(text, capacity, "%zu of its pictures %s also here (%zu with the same pixels",
             a->across_count, a->across_count == 1 ? "is" : "are", a->exact_across);
    vg_text_append(text, capacity, a->conflicts_across ? ", %zu under another class)" : ")",
                   a->conflicts_across);
}

static void put_text(const vg_audit_page *p)
{
    const vg_against *a = p->findings->against;
    char text[1400];
    if (!a)
        return;
    class_words(p, text, sizeof text);
    vg_page_row(p, "against", text);
    share_words(a, text, sizeof text);
    vg_page_row(p, "", text);
    size_t moved = 0;
    for (int i = 0; i < a->property_count; i++) {
        if (!a->properties[i].moved || ++moved > most_named)
            continue;
        property_words(&a->properties[i], text, sizeof text);
        vg_page_row(p, "", text);
    }
    if (moved > most_named) {
        snprintf(text, sizeof text, "... %zu more properties: --json, --html", moved - most_named);
        vg_page_row(p, "", text);
    } else if (!moved && a->property_count) {
        snprintf(text, sizeof text,
                 "the pictures are alike: no property has moved (the farthest, %s, by a distance "
                 "of %.2f)",
                 a->properties[0].name, a->properties[0].distance);
        vg_page_row(p, "", text);
    }
    if (a->labels_only)
        return;
    if (a->across_count)
        across_words(a, text, sizeof text);
    else
        snprintf(text, sizeof text, "none of its pictures is also here");
    vg_page_row(p, "", text);
}

/* ---- JSON */

static json_t *pair(double first, double second, bool *ok)
{
    json_t *list = json_array();
    vg_json_append(list, vg_json_number(first), ok);
    vg_json_append(list, vg_json_number(second), ok);
    return list;
}

static json_t *class_list(const vg_against *a, bool *ok)
{
    json_t *list = json_array();
    for (size_t k = 0; k < a->class_count; k++) {
        const vg_against_class *class = &a->classes[k];
        json_t *one = json_object();
        vg_json_set(one, "class", vg_json_text(class->name), ok);
        for (int d = 0; d < 2; d++)
            vg_json_set(one, d ? "there" : "here",
                        class->there[d] ? json_integer((json_int_t) class->count[d]) : json_null(),
                        ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static json_t *share_object(const vg_against *a, bool *ok)
{
    static const char *const words[] = {"none", "even", "some", "grave"};
    const vg_drift *d = &a->shares;
    json_t *object = json_object();
    vg_json_set(object, "distance", vg_json_number(d->distance), ok);
    vg_json_set(object, "distance_by_chance", vg_json_number(d->by_chance), ok);
    vg_json_set(object, "chi_square", vg_json_number(d->chi_square), ok);
    vg_json_set(object, "degrees_of_freedom", json_integer(d->freedom), ok);
    vg_json_set(object, "p", vg_json_number(d->p), ok);
    vg_json_set(object, "verdict", json_string(words[d->word]), ok);
    return object;
}

static json_t *property_list(const vg_against *a, bool *ok)
{
    json_t *list = json_array();
    for (int i = 0; i < a->property_count; i++) {
        const vg_against_property *q = &a->properties[i];
        json_t *one = json_object();
        vg_json_set(one, "property", json_string(q->name), ok);
        vg_json_set(one, "moved", json_boolean(q->moved), ok);
        vg_json_set(one, "mean", pair(q->mean[0], q->mean[1], ok), ok);
        vg_json_set(one, "std", pair(q->std[0], q->std[1], ok), ok);
        vg_json_set(one, "difference", vg_json_number(q->difference), ok);
        vg_json_set(one, "low", vg_json_number(q->low), ok);
        vg_json_set(one, "high", vg_json_number(q->high), ok);
        vg_json_set(one, "distance", vg_json_number(q->distance), ok);
        vg_json_set(one, "p", vg_json_number(q->p), ok);
        vg_json_set(one, "accuracy", q->accuracy > 0 ? vg_json_number(q->accuracy) : json_null(),
                    ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static json_t *name_of(const vg_dataset *dataset, size_t index)
{
    char name[4096];
    vg_dataset_name(dataset, index, name, sizeof name);
    return vg_json_text(name);
}

static json_t *across_list(const vg_audit_page *p, bool *ok)
{
    const vg_against *a = p->findings->against;
    json_t *list = json_array();
    for (size_t i = 0; i < a->across_count; i++) {
        json_t *one = json_object();
        vg_json_set(one, "here", name_of(p->dataset, a->across[i].here), ok);
        vg_json_set(one, "there", name_of(p->findings->other, a->across[i].there), ok);
        vg_json_set(one, "exact", json_boolean(a->across[i].exact), ok);
        vg_json_set(one, "labels_differ", json_boolean(a->across[i].labels_differ), ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_against *a = p->findings->against;
    if (!a) {
        vg_json_set(root, "against", json_null(), ok);
        return;
    }
    json_t *object = json_object();
    vg_json_set(object, "dataset", vg_json_text(other_path(p)), ok);
    vg_json_set(object, "images", pair((double)a->images[0], (double)a->images[1], ok), ok);
    vg_json_set(object, "moved", json_integer(a->moved), ok);
    vg_json_set(object, "class_shares", share_object(a, ok), ok);
    vg_json_set(object, "classes", class_list(a, ok), ok);
    vg_json_set(object, "properties", property_list(a, ok), ok);
    vg_json_set(object, "copies", a->labels_only ? json_null() : across_list(p, ok), ok);
    vg_json_set(root, "against", object, ok);
}

/* ---- page */

static void put_property_table(const vg_audit_page *p)
{
    static const char *const heads[] = {"property",  ">here",     ">there", ">difference",
                                        ">distance", ">accuracy", "",       NULL};
    const vg_against *a = p->findings->against;
    vg_html_paragraph(p->out, "Of all pictures. Difference: in standard deviations of single "
                              "pictures, with its 95 %% interval. Distance: of the distributions, "
                              "0 to 1 (Kolmogorov-Smirnov). Accuracy: of telling the two datasets "
                              "apart by this alone.");
    vg_html_table_begin(p->out, heads);
    for (int i = 0; i < a->property_count; i++) {
        const vg_against_property *q = &a->properties[i];
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", q->name);
        vg_html_number(p->out, "%.4g ± %.3g", q->mean[0], q->std[0]);
        vg_html_number(p->out, "%.4g ± %.3g", q->mean[1], q->std[1]);
        vg_html_number(p->out, "%+.2f [%.2f, %.2f]", q->difference, q->low, q->high);
        vg_html_number(p->out, "%.2f", q->distance);
        if (q->accuracy > 0)
            vg_html_number(p->out, "%.0f %%", 100 * q->accuracy);
        else
            vg_html_number(p->out, "%s", "");
        vg_html_cell(p->out, "%s", q->moved ? "has moved" : "");
    }
    vg_html_table_end(p->out);
}

static void put_class_table(const vg_audit_page *p)
{
    static const char *const heads[] = {"class",       ">here",        ">there",
                                        ">share here", ">share there", NULL};
    const vg_against *a = p->findings->against;
    fputs("<div class=\"scroll\">", p->out);
    vg_html_table_begin(p->out, heads);
    for (size_t k = 0; k < a->class_count && k < most_rows; k++) {
        const vg_against_class *class = &a->classes[k];
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", class->name);
        for (int d = 0; d < 2; d++)
            if (class->there[d])
                vg_html_number(p->out, "%zu", class->count[d]);
            else
                vg_html_number(p->out, "%s", "none");
        for (int d = 0; d < 2; d++)
            vg_html_number(p->out, "%.1f %%",
                           a->images[d] ? 100 * (double)class->count[d] / (double)a->images[d] : 0);
    }
    vg_html_table_end(p->out);
    fputs("</div>\n", p->out);
}

static vg_status put_copies(const vg_audit_page *p, vg_error *err)
{
    enum { MOST_PAIRS = 24 };
    static const char *const heads[] = {"here", "there", "", NULL};
    const vg_against *a = p->findings->against;
    vg_status status = VG_OK;
    vg_html_table_begin(p->out, heads);
    for (size_t i = 0; !status && i < a->across_count && i < most_rows; i++) {
        const vg_across *one = &a->across[i];
        char here[4096], there[4096];
        vg_dataset_name(p->dataset, one->here, here, sizeof here);
        vg_dataset_name(p->findings->other, one->there, there, sizeof there);
        vg_html_table_row(p->out);
        fputs("<td>", p->out);
        if (i < MOST_PAIRS)
            status = vg_thumb_put(p->out, p->thumbs, p->dataset, one->here, err);
        fputs(" ", p->out);
        vg_escape_html(p->out, here);
        fputs("</td><td>", p->out);
        if (!status && i < MOST_PAIRS)
            status = vg_thumb_put(p->out, p->thumbs, p->findings->other, one->there, err);
        fputs(" ", p->out);
        vg_escape_html(p->out, there);
        fputs("</td>", p->out);
        vg_html_cell(p->out, "%s%s", one->exact ? "the same pixels" : "changed",
                     one->labels_differ ? ", another class" : "");
    }
    vg_html_table_end(p->out);
    return status;
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    const vg_against *a = p->findings->against;
    char text[1400];
    if (!a)
        return VG_OK;
    vg_html_section(p->out, "Against another dataset");
    class_words(p, text, sizeof text);
    vg_html_paragraph(p->out, "%s.", text);
    share_words(a, text, sizeof text);
    vg_html_paragraph(p->out, "%s.", text);
    put_class_table(p);
    if (a->property_count)
        put_property_table(p);
    if (!a->across_count)
        return VG_OK;
    across_words(a, text, sizeof text);
    vg_html_paragraph(p->out, "%s.", text);
    return put_copies(p, err);
}

const vg_audit_section vg_section_against = {
    .name = "against", .text = put_text, .json = put_json, .html = put_html};
