/* Series of images that come from one origin, what the split does to them, and which split would keep them
 * together. */
#include "base/text.h"
#include "cli.h"
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include <stdlib.h>

enum { MOST_SHOWN = 8, MOST_THUMBS = 12, MOST_LISTED = 200 };
static const double many_leaked = 0.05; /* of what is held out */

static size_t held_out(const vg_dataset *dataset, const vg_audit *audit)
{
    size_t n = 0;
    for (int k = 0; k < vg_dataset_classes(dataset); k++)
        n += audit->per_class[k].count[VG_SPLIT_VAL] + audit->per_class[k].count[VG_SPLIT_TEST];
    return n;
}

static size_t leaked(const vg_audit *audit)
{
    return audit->origins.leaked[VG_SPLIT_VAL] + audit->origins.leaked[VG_SPLIT_TEST];
}

/* "1,307 series (frames of a track), 3,921 images". */
static void found_words(const vg_origins *o, char *text, size_t capacity)
{
    static const char *const words[VG_ORIGIN_KINDS] = {"variants of one image", "numbered frames",
                                                       "bursts of neighbours that are alike",
                                                       "folders of their own"};
    char groups[32], members[32];
    vg_line line = vg_line_begin(text, capacity);
    vg_line_put(&line, "%s images are in %s series (", vg_cli_count(members, o->member_count),
                vg_cli_count(groups, o->group_count));
    for (int k = 0, kinds = 0; k < VG_ORIGIN_KINDS; k++)
        if (o->of_kind[k])
            vg_line_put(&line, "%s%s %s", kinds++ ? ", " : "", vg_cli_count(groups, o->of_kind[k]),
                        words[k]);
    vg_line_put(&line, ")");
    if (o->likeness > 0)
        vg_line_put(&line, "; their images differ by %.0f %% of what others of a class do",
                    100 * o->likeness);
}

static void torn_words(const vg_dataset *dataset, const vg_audit *audit, char *text,
                       size_t capacity)
{
    const vg_origins *o = &audit->origins;
    char torn[32], held[32], all[32];
    vg_line line = vg_line_begin(text, capacity);
    if (!o->torn)
        vg_line_put(&line, "the split keeps each of them together");
    else
        vg_line_put(&line,
                    "the split tears %s of them apart: %s of %s held-out images have others of "
                    "their series in train",
                    vg_cli_count(torn, o->torn), vg_cli_count(held, leaked(audit)),
                    vg_cli_count(all, held_out(dataset, audit)));
}

/* Whether opening the dataset in another way is all that is needed. */
static bool split_by_group_helps(const vg_dataset *dataset, const vg_origins *o)
{
    return o->by_names && !vg_dataset_brings_splits(dataset) &&
           vg_dataset_options_of(dataset).split_by == VG_SPLIT_BY_NAME;
}

static char *command_of(const vg_audit_page *page)
{
    vg_advice advice = {.before = "balance-report ", .after = " --fix fixed"};
    if (split_by_group_helps(page->dataset, &page->audit->origins))
        advice = (vg_advice){.before = "train-pipeline ", .after = " --set split.by=group"};
    return vg_advice_command(&advice, vg_dataset_path(page->dataset),
                             vg_dataset_background(page->dataset));
}

static void put_text(const vg_audit_page *page)
{
    const vg_origins *o = &page->audit->origins;
    char text[700], torn[300];
    if (page->audit->labels_only || !o->group_count)
        return;
    found_words(o, text, sizeof text);
    torn_words(page->dataset, page->audit, torn, sizeof torn);
    vg_text_append(text, sizeof text, ". T%s", torn + 1);
    vg_page_row(page, "series", text);
    if (!o->torn)
        return;
    vg_page_command(page, vg_page_list_command(page, vg_mark_name(VG_MARK_ORIGIN_LEAK)));
    vg_page_command(page, command_of(page));
}

static json_t *group_json(const vg_dataset *dataset, const vg_origins *o, size_t g, bool *ok)
{
    json_t *group = json_object(), *images = json_array();
    char name[4096];
    for (size_t i = 0; i < o->groups[g].count && i < MOST_LISTED; i++) {
        size_t index = o->members[o->groups[g].begin + i];
        json_t *image = json_object();
        vg_dataset_name(dataset, index, name, sizeof name);
        vg_json_set(image, "path", vg_json_text(name), ok);
        vg_json_set(image, "split", json_string(vg_split_name(vg_dataset_split(dataset, index))),
                    ok);
        vg_json_append(images, image, ok);
    }
    vg_json_set(group, "kind", json_string(vg_origin_name(o->groups[g].kind)), ok);
    vg_json_set(group, "count", json_integer((json_int_t)o->groups[g].count), ok);
    vg_json_set(group, "images", images, ok);
    return group;
}

static void put_json(const vg_audit_page *page, json_t *root, bool *ok)
{
    const vg_origins *o = &page->audit->origins;
    if (page->audit->labels_only) {
        vg_json_set(root, "origins", json_null(), ok);
        return;
    }
    json_t *origins = json_object(), *kinds = json_object(), *torn = json_array();
    vg_json_set(origins, "groups", json_integer((json_int_t)o->group_count), ok);
    vg_json_set(origins, "images", json_integer((json_int_t)o->member_count), ok);
    for (int k = 0; k < VG_ORIGIN_KINDS; k++)
        vg_json_set(kinds, vg_origin_name((vg_origin_kind)k),
                    json_integer((json_int_t)o->of_kind[k]), ok);
    vg_json_set(origins, "kinds", kinds, ok);
    vg_json_set(origins, "compared", json_integer((json_int_t)o->compared), ok);
    vg_json_set(origins, "likeness", o->likeness > 0 ? vg_json_number(o->likeness) : json_null(),
                ok);
    vg_json_set(origins, "torn", json_integer((json_int_t)o->torn), ok);
    vg_json_set(origins, "leaking", json_integer((json_int_t)o->leaking), ok);
    vg_json_set(origins, "held_out", json_integer((json_int_t)held_out(page->dataset, page->audit)),
                ok);
    vg_json_set(origins, "leaked", json_integer((json_int_t)leaked(page->audit)), ok);
    vg_json_set(origins, "by_names", json_boolean(o->by_names), ok);
    size_t listed = 0;
    for (size_t g = 0; g < o->group_count && listed < MOST_LISTED; g++) {
        if (!o->groups[g].torn)
            continue;
        vg_json_append(torn, group_json(page->dataset, o, g, ok), ok);
        listed++;
    }
    vg_json_set(origins, "torn_groups", torn, ok);
    vg_json_set(root, "origins", origins, ok);
}

static vg_status put_group(const vg_audit_page *page, const vg_origin_group *group, vg_error *err)
{
    const vg_origins *o = &page->audit->origins;
    vg_status status = VG_OK;
    vg_html_table_row(page->out);
    char name[4096];
    vg_dataset_name(page->dataset, o->members[group->begin], name, sizeof name);
    vg_html_cell(page->out, "%s ... (%s, %zu images)", name, vg_origin_name(group->kind),
                 group->count);
    fputs("<td>", page->out);
    for (size_t i = 0; !status && i < group->count && i < MOST_THUMBS; i++) {
        size_t index = o->members[group->begin + i];
        fputs("<span style=\"display:inline-block;text-align:center\">", page->out);
        status = vg_thumb_put(page->out, page->thumbs, page->dataset, index, err);
        fprintf(page->out, "<br><small>%s</small></span>",
                vg_split_name(vg_dataset_split(page->dataset, index)));
    }
    fputs("</td>", page->out);
    return status;
}

static vg_status put_html(const vg_audit_page *page, vg_error *err)
{
    static const char *const heads[] = {"series", "its images, and where the split puts them",
                                        NULL};
    const vg_origins *o = &page->audit->origins;
    char found[400], torn[300];
    if (page->audit->labels_only)
        return VG_OK;
    vg_html_section(page->out, "Series");
    if (!o->group_count) {
        vg_html_paragraph(page->out, "No frames of one track, no bursts and no variants of one "
                                     "image were found.");
        return VG_OK;
    }
    found_words(o, found, sizeof found);
    torn_words(page->dataset, page->audit, torn, sizeof torn);
    vg_html_paragraph(page->out, "%s. T%s.", found, torn + 1);
    if (!o->torn)
        return VG_OK;
    vg_html_paragraph(page->out, "Images of one series show nearly the same: a network that has "
                                 "seen some of them is not tested by the others, and what is "
                                 "measured on them is too good.");
    char *command = command_of(page);
    if (command)
        vg_html_code(page->out, command);
    free(command);
    vg_html_table_begin(page->out, heads);
    vg_status status = VG_OK;
    size_t shown = 0;
    for (size_t g = 0; !status && g < o->group_count && shown < MOST_SHOWN; g++) {
        if (!o->groups[g].torn)
            continue;
        status = put_group(page, &o->groups[g], err);
        shown++;
    }
    vg_html_table_end(page->out);
    if (o->torn > shown)
        vg_html_paragraph(page->out, "The first %zu of %zu that are torn apart.", shown, o->torn);
    return status;
}

static void advise(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                   vg_advice *advice)
{
    (void)findings;
    const vg_origins *o = &audit->origins;
    size_t held = audit->labels_only ? 0 : held_out(dataset, audit);
    if (!held || !leaked(audit))
        return;
    bool many = (double)leaked(audit) > many_leaked * (double)held;
    bool reopen = split_by_group_helps(dataset, o);
    char some[32], all[32];
    advice->weight = many ? VG_WEIGHT_TORN : VG_WEIGHT_FEW_BROKEN;
    snprintf(advice->text, sizeof advice->text,
             "%s of %s held-out images have others of their series in train (%s): what is "
             "measured on them is too good. %s",
             vg_cli_count(some, leaked(audit)), vg_cli_count(all, held),
             o->of_kind[VG_ORIGIN_FRAMES] ? "frames of one track and the like"
                                          : "bursts, variants of one image and the like",
             reopen ? "Split by series instead of by image."
                    : "This writes a manifest that keeps series together, and touches no image.");
    advice->before = reopen ? "train-pipeline " : "balance-report ";
    advice->after = reopen ? " --set split.by=group" : " --fix fixed";
}

const vg_audit_section vg_section_origins = {
    .name = "origins", .text = put_text, .json = put_json, .html = put_html, .advise = advise};
