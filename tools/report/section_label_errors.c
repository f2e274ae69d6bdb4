/* Labels that are probably wrong (--label-errors): about how many, between which classes, and the pictures. Words are those of
 * a suspicion: what a network doubts may be a rare picture with the right label. */
#include "base/alloc.h"
#include "cli.h"
#include "label_search.h"
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_PAIRS = 6, TEXT_LABELS = 5, PAGE_PAIRS = 40, PAGE_GROUPS = 24, GROUP_THUMBS = 10 };

static const char *name_of(const vg_audit_page *p, int label)
{
    return vg_dataset_class_name(p->dataset, label);
}

static const char *kind_words(vg_noise_kind kind)
{
    static const char *const words[] = {
        "", "scattered over the classes",
        "most of them of one class under the name of a certain other",
        "some of them of one class under the name of a certain other, most of them scattered"};
    return words[kind];
}

/* The number in one sentence. */
static void number_words(const vg_label_errors *e, char *text, size_t capacity)
{
    char judged[32], wrong[32], low[32], high[32], flagged[32];
    double all = (double)e->judged;
    vg_cli_count(judged, e->judged);
    vg_cli_count(wrong, (uint64_t)llround(e->noise.wrong));
    vg_cli_count(low, (uint64_t)llround(e->noise.low));
    vg_cli_count(high, (uint64_t)llround(e->noise.high));
    vg_cli_count(flagged, e->suspicious);
    if (e->noise.kind == VG_NOISE_NONE)
        snprintf(text, capacity,
                 "no label is proven wrong: 0 to %s of %s (at most %.2g %%); %s look odd", high,
                 judged, 100 * e->noise.high / all, flagged);
    else
        snprintf(
            text, capacity,
            "about %s of %s labels seem wrong, %.2g %% (%s to %s, %.2g to %.2g %%), %s; %s are "
            "suspicious one by one",
            wrong, judged, 100 * e->noise.wrong / all, low, high, 100 * e->noise.low / all,
            100 * e->noise.high / all, kind_words(e->noise.kind), flagged);
}

/* How it was judged, and what was not. */
static void method_words(const vg_audit_page *p, const vg_label_errors *e, char *text,
                         size_t capacity)
{
    snprintf(text, capacity,
             "judged by %s on %dx%d pixels, %d folds of %d epochs, in %.1f s; it would have given "
             "%.1f %% of the labels",
             e->net, e->width, e->height, e->folds, e->epochs, e->seconds, 100 * e->agreement);
    size_t used = strlen(text);
    if (e->left_out_count > 0)
        snprintf(text + used, capacity - used, "; not judged, too few images: \"%.60s\"%s",
                 name_of(p, e->left_out[0]), e->left_out_count > 1 ? " and other classes" : "");
    used = strlen(text);
    if (e->unreadable > 0)
        snprintf(text + used, capacity - used, "; %zu images could not be read", e->unreadable);
    used = strlen(text);
    if (e->not_asked > 0)
        snprintf(text + used, capacity - used, "; %zu images were left out to save time",
                 e->not_asked);
}

static void put_text(const vg_audit_page *p)
{
    const vg_label_search *search = p->findings->labels;
    char text[1200];
    if (!search)
        return;
    if (search->refusal[0]) {
        snprintf(text, sizeof text, "labels were not judged: %s", search->refusal);
        vg_page_row(p, "doubtful", text);
        return;
    }
    const vg_label_errors *e = &search->found;
    number_words(e, text, sizeof text);
    vg_page_row(p, "doubtful", text);
    for (size_t i = 0; i < e->noise.pair_count && i < TEXT_PAIRS; i++) {
        const vg_noise_pair *pair = &e->noise.pairs[i];
        snprintf(text, sizeof text, "about %.0f images of \"%.80s\" are called \"%.80s\" (%.1f %%)",
                 pair->images, name_of(p, pair->truth), name_of(p, pair->given), 100 * pair->share);
        vg_page_row(p, "", text);
    }
    if (e->noise.pair_count > TEXT_PAIRS) {
        snprintf(text, sizeof text, "... %zu more such pairs: --json, --html",
                 e->noise.pair_count - TEXT_PAIRS);
        vg_page_row(p, "", text);
    }
    for (size_t i = 0; i < e->suspicious && i < TEXT_LABELS; i++) {
        char name[512];
        const vg_judged_label *l = &e->labels[i];
        vg_dataset_name(p->dataset, l->index, name, sizeof name);
        snprintf(text, sizeof text,
                 "look at %.300s: called \"%.80s\", looks like \"%.80s\" (%.0f %%)", name,
                 name_of(p, l->given), name_of(p, l->suggested), fmin(100 * (double)l->doubt, 99));
        vg_page_row(p, "", text);
    }
    fputs(p->pale, p->out);
    method_words(p, e, text, sizeof text);
    vg_page_row(p, "", text);
    fputs(p->plain, p->out);
}

/* ---- JSON */

static json_t *pairs_json(const vg_audit_page *p, const vg_label_errors *e, bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->noise.pair_count; i++) {
        const vg_noise_pair *pair = &e->noise.pairs[i];
        json_t *o = json_object();
        vg_json_set(o, "class", vg_json_text(name_of(p, pair->truth)), ok);
        vg_json_set(o, "labelled", vg_json_text(name_of(p, pair->given)), ok);
        vg_json_set(o, "images", vg_json_number(pair->images), ok);
        vg_json_set(o, "share", vg_json_number(pair->share), ok);
        vg_json_set(o, "share_low", vg_json_number(pair->low), ok);
        vg_json_append(list, o, ok);
    }
    return list;
}

static json_t *labels_json(const vg_audit_page *p, const vg_label_errors *e, bool *ok)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->suspicious; i++) {
        char name[4096];
        const vg_judged_label *l = &e->labels[i];
        json_t *o = json_object();
        vg_dataset_name(p->dataset, l->index, name, sizeof name);
        vg_json_set(o, "path", vg_json_text(name), ok);
        vg_json_set(o, "split", vg_json_text(vg_split_name(vg_dataset_split(p->dataset, l->index))),
                    ok);
        vg_json_set(o, "label", vg_json_text(name_of(p, l->given)), ok);
        vg_json_set(o, "suggested", vg_json_text(name_of(p, l->suggested)), ok);
        vg_json_set(o, "doubt", vg_json_number((double)l->doubt), ok);
        vg_json_append(list, o, ok);
    }
    return list;
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_label_search *search = p->findings->labels;
    if (!search) {
        vg_json_set(root, "label_errors", json_null(), ok);
        return;
    }
    const vg_label_errors *e = &search->found;
    json_t *all = json_object(), *left_out = json_array();
    for (int i = 0; i < e->left_out_count; i++)
        vg_json_append(left_out, vg_json_text(name_of(p, e->left_out[i])), ok);
    bool judged = search->refusal[0] == '\0';
    vg_json_set(all, "refusal", judged ? json_null() : vg_json_text(search->refusal), ok);
    vg_json_set(all, "judged", json_integer((json_int_t)e->judged), ok);
    vg_json_set(all, "wrong", judged ? vg_json_number(e->noise.wrong) : json_null(), ok);
    vg_json_set(all, "wrong_low", judged ? vg_json_number(e->noise.low) : json_null(), ok);
    vg_json_set(all, "wrong_high", judged ? vg_json_number(e->noise.high) : json_null(), ok);
    vg_json_set(all, "kind", judged ? vg_json_text(vg_noise_kind_name(e->noise.kind)) : json_null(),
                ok);
    vg_json_set(all, "pairs", pairs_json(p, e, ok), ok);
    vg_json_set(all, "suspicious", labels_json(p, e, ok), ok);
    vg_json_set(all, "classes_left_out", left_out, ok);
    vg_json_set(all, "unreadable", json_integer((json_int_t)e->unreadable), ok);
    vg_json_set(all, "not_asked", json_integer((json_int_t)e->not_asked), ok);
    vg_json_set(all, "agreement", judged ? vg_json_number(e->agreement) : json_null(), ok);
    vg_json_set(all, "net", judged ? vg_json_text(e->net) : json_null(), ok);
    vg_json_set(all, "width", json_integer(e->width), ok);
    vg_json_set(all, "height", json_integer(e->height), ok);
    vg_json_set(all, "folds", json_integer(e->folds), ok);
    vg_json_set(all, "epochs", json_integer(e->epochs), ok);
    vg_json_set(all, "seconds", vg_json_number(e->seconds), ok);
    vg_json_set(root, "label_errors", all, ok);
}

/* ---- page */

/* Suspicious labels of one name that look like one other class. */
typedef struct group {
    int given, suggested;
    size_t count, shown;
    size_t thumbs[GROUP_THUMBS];
    float doubts[GROUP_THUMBS];
} group;

static int largest_first(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->given != y->given ? (x->given > y->given) - (x->given < y->given)
                                : (x->suggested > y->suggested) - (x->suggested < y->suggested);
}

/* *groups is the caller's. */
static vg_status make_groups(const vg_label_errors *e, group **groups, size_t *count, vg_error *err)
{
    size_t room = 0;
    *groups = NULL;
    *count = 0;
    for (size_t i = 0; i < e->suspicious; i++) {
        const vg_judged_label *l = &e->labels[i];
        size_t g = 0;
        while (g < *count &&
               ((*groups)[g].given != l->given || (*groups)[g].suggested != l->suggested))
            g++;
        if (g == *count) {
            if (!vg_grow(groups, &room, *count + 1, sizeof **groups))
                return vg_fail(err, VG_E_NOMEM, "out of memory for suspicious labels");
            (*groups)[(*count)++] = (group){.given = l->given, .suggested = l->suggested};
        }
        group *own = &(*groups)[g];
        if (own->shown < GROUP_THUMBS) {
            own->thumbs[own->shown] = l->index;
            own->doubts[own->shown++] = l->doubt;
        }
        own->count++;
    }
    if (*count > 0)
        qsort(*groups, *count, sizeof **groups, largest_first);
    return VG_OK;
}

static vg_status put_groups(const vg_audit_page *p, const vg_label_errors *e, vg_error *err)
{
    static const char *const heads[] = {"label", "looks like", ">images", "most suspicious first",
                                        NULL};
    group *groups;
    size_t count;
    vg_status status = make_groups(e, &groups, &count, err);
    if (!status && count > 0) {
        vg_html_table_begin(p->out, heads);
        for (size_t g = 0; g < count && g < PAGE_GROUPS && !status; g++) {
            vg_html_table_row(p->out);
            vg_html_cell(p->out, "%s", name_of(p, groups[g].given));
            vg_html_cell(p->out, "%s", name_of(p, groups[g].suggested));
            vg_html_number(p->out, "%zu", groups[g].count);
            fputs("<td style=\"white-space:nowrap\">", p->out);
            for (size_t t = 0; t < groups[g].shown && !status; t++)
                status = vg_thumb_put(p->out, p->thumbs, p->dataset, groups[g].thumbs[t], err);
            fputs("</td>", p->out);
        }
        vg_html_table_end(p->out);
        if (count > PAGE_GROUPS)
            vg_html_paragraph(p->out, "%zu more pairs of classes with fewer such images: --json.",
                              count - PAGE_GROUPS);
    }
    free(groups);
    return status;
}

static void put_pairs(const vg_audit_page *p, const vg_label_errors *e)
{
    static const char *const heads[] = {"images of", "are called", ">about", ">share of the class",
                                        NULL};
    if (e->noise.pair_count == 0)
        return;
    vg_html_table_begin(p->out, heads);
    for (size_t i = 0; i < e->noise.pair_count && i < PAGE_PAIRS; i++) {
        const vg_noise_pair *pair = &e->noise.pairs[i];
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", name_of(p, pair->truth));
        vg_html_cell(p->out, "%s", name_of(p, pair->given));
        vg_html_number(p->out, "%.0f", pair->images);
        vg_html_number(p->out, "%.1f %%", 100 * pair->share);
    }
    vg_html_table_end(p->out);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    const vg_label_search *search = p->findings->labels;
    char text[1200];
    if (!search)
        return VG_OK;
    vg_html_section(p->out, "Labels that may be wrong");
    if (search->refusal[0]) {
        vg_html_paragraph(p->out, "Not judged: %s.", search->refusal);
        return VG_OK;
    }
    const vg_label_errors *e = &search->found;
    number_words(e, text, sizeof text);
    text[0] = (char)toupper((unsigned char)text[0]);
    vg_html_paragraph(p->out, "%s.", text);
    put_pairs(p, e);
    vg_status status = put_groups(p, e, err);
    method_words(p, e, text, sizeof text);
    vg_html_paragraph(p->out,
                      "Every image was judged by a network that was trained without it (%s). A "
                      "network learns wrong labels too, and its accuracy is measured against them: "
                      "look at these images first. Each is a suspicion, not a verdict; a rare "
                      "image with the right label looks odd as well.",
                      text);
    return status;
}

const vg_audit_section vg_section_label_errors = {
    .name = "label-errors", .text = put_text, .json = put_json, .html = put_html};
