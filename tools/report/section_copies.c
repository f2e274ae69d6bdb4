/* Copies as a section of balance-report: label conflicts and leaks first, for those make numbers wrong; then what is
 * merely there more than once. Text names the first few, the page shows groups as pictures, JSON has every group and
 * every link. */
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 900, MOST_NAMED = 3, MOST_GROUPS = 60, MOST_SHOWN = 6, CLASS_COLUMNS = 14 };

/* Between those of VG_WEIGHT_*. From one held-out image in fifty on a leak moves the number that networks are chosen
 * by; fewer are still worth more than a shortcut. Copies in one split only shift the weights of what they show. */
static const double weight_leaks = 58, weight_conflicts = 54, weight_few_leaks = 36,
                    weight_few_conflicts = 34, weight_copies = 32;
static const double many_leaks = 0.02, many_conflicts = 0.005, many_copies = 0.05;

static size_t in_split(const vg_audit *audit, vg_split split)
{
    size_t n = 0;
    for (int k = 0; k < audit->classes; k++)
        n += audit->per_class[k].count[split];
    return n;
}

static size_t leaked(const vg_audit *audit)
{
    return audit->copies.leaked[VG_SPLIT_VAL] + audit->copies.leaked[VG_SPLIT_TEST];
}

/* ---- the findings in words, for text, page and advice */

static void copies_words(const vg_audit *audit, char text[TEXT_BYTES])
{
    const vg_duplicates *c = &audit->copies;
    size_t kinds[VG_COPY_KINDS] = {0};
    char total[32], extra[32];
    for (size_t i = 0; i < c->link_count; i++)
        kinds[c->links[i].kind]++;
    snprintf(text, TEXT_BYTES, "%s of %s images are there already, in %zu group%s of copies:",
             vg_cli_count(extra, c->extra), vg_cli_count(total, audit->found), c->group_count,
             c->group_count == 1 ? "" : "s");
    for (int k = 0, first = 1; k < VG_COPY_KINDS; k++)
        if (kinds[k]) {
            vg_text_append(text, TEXT_BYTES, "%s %zu %s", first ? "" : ",", kinds[k],
                           k == VG_COPY_EXACT ? "with the same pixels" : vg_copy_name(k));
            first = 0;
        }
}

static void leak_words(const vg_dataset *dataset, const vg_audit *audit, char text[TEXT_BYTES])
{
    const vg_duplicates *c = &audit->copies;
    int parts = 0;
    text[0] = '\0';
    for (int s = VG_SPLIT_TEST; s >= VG_SPLIT_VAL; s--)
        if (c->leaked[s])
            vg_text_append(text, TEXT_BYTES, "%s%zu of %zu %s images", parts++ ? " and " : "",
                           c->leaked[s], in_split(audit, (vg_split)s), vg_split_name((vg_split)s));
    bool one = leaked(audit) == 1;
    if (vg_dataset_brings_splits(dataset))
        vg_text_append(text, TEXT_BYTES, " ha%s a copy in train", one ? "s" : "ve");
    else
        vg_text_append(text, TEXT_BYTES, " would have a copy in train after the split by name");
    parts = 0;
    for (int s = VG_SPLIT_TEST; s >= VG_SPLIT_VAL; s--)
        if (c->bought[s])
            vg_text_append(text, TEXT_BYTES, "%s %.1f points of %s accuracy",
                           parts++ ? " and" : ": a network that knows them by heart gains up to",
                           100 * (double)c->bought[s] / (double)in_split(audit, (vg_split)s),
                           vg_split_name((vg_split)s));
}

/* Two members of a group whose labels differ. */
static void conflict_ends(const vg_dataset *dataset, const vg_audit *audit,
                          const vg_copy_group *group, size_t ends[2])
{
    const size_t *members = audit->copies.members + group->begin;
    ends[0] = ends[1] = members[0];
    for (size_t m = 1; m < group->count && ends[0] == ends[1]; m++)
        if (vg_dataset_label(dataset, members[m]) != vg_dataset_label(dataset, members[0]))
            ends[1] = members[m];
}

static void conflict_words(const vg_dataset *dataset, const vg_audit *audit, char text[TEXT_BYTES])
{
    const vg_duplicates *c = &audit->copies;
    size_t named = 0;
    snprintf(text, TEXT_BYTES, "%zu group%s of copies ha%s several labels", c->conflicts,
             c->conflicts == 1 ? "" : "s", c->conflicts == 1 ? "s" : "ve");
    for (size_t g = 0; g < c->group_count && named < MOST_NAMED; g++) {
        size_t ends[2];
        char names[2][200];
        if (!c->groups[g].labels_differ)
            continue;
        conflict_ends(dataset, audit, &c->groups[g], ends);
        for (int e = 0; e < 2; e++)
            vg_dataset_name(dataset, ends[e], names[e], sizeof names[e]);
        vg_text_append(text, TEXT_BYTES, "%s %s is \"%.40s\", %s \"%.40s\"", named ? ";" : ":",
                       names[0], vg_dataset_class_name(dataset, vg_dataset_label(dataset, ends[0])),
                       names[1],
                       vg_dataset_class_name(dataset, vg_dataset_label(dataset, ends[1])));
        named++;
    }
    if (c->conflicts > named)
        vg_text_append(text, TEXT_BYTES, "; and %zu more", c->conflicts - named);
}

/* ---- text */

static void put_text(const vg_audit_page *page)
{
    const vg_duplicates *c = &page->audit->copies;
    char text[TEXT_BYTES];
    if (page->audit->labels_only)
        return;
    if (c->conflicts) {
        conflict_words(page->dataset, page->audit, text);
        vg_page_row(page, "conflicts", text);
    }
    if (c->leaks) {
        leak_words(page->dataset, page->audit, text);
        vg_page_row(page, "leaks", text);
    }
    if (c->group_count)
        copies_words(page->audit, text);
    else
        snprintf(text, sizeof text,
                 "none: no image is another one saved again, turned, cropped or written on");
    vg_page_row(page, "copies", text);
}

/* ---- what to do first */

static void set_advice(vg_advice *advice, double weight, const char *words, const char *remedy)
{
    char copy[TEXT_BYTES];
    snprintf(copy, sizeof copy, "%s", words);
    if (copy[0] >= 'a' && copy[0] <= 'z')
        copy[0] = (char)(copy[0] - 'a' + 'A');
    advice->weight = weight;
    advice->before = "balance-report ";
    advice->after = " --fix cleaned";
    size_t room = sizeof advice->text - strlen(remedy) - 8;
    bool cut = strlen(copy) > room;
    snprintf(advice->text, sizeof advice->text, "%.*s%s. %s", (int)room, copy, cut ? " ..." : "",
             remedy);
}

static void advise(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                   vg_advice *advice)
{
    (void)findings;
    const vg_duplicates *c = &audit->copies;
    char text[TEXT_BYTES];
    double held_out = (double)(in_split(audit, VG_SPLIT_VAL) + in_split(audit, VG_SPLIT_TEST));
    bool leaks_count = (double)leaked(audit) > many_leaks * held_out;
    bool conflicts_count =
        (double)audit->marks.total[VG_MARK_LABEL_CONFLICT] > many_conflicts * (double)audit->found;
    if (audit->labels_only || !c->group_count)
        return;
    if (c->leaks && (leaks_count || !conflicts_count)) {
        leak_words(dataset, audit, text);
        set_advice(advice, leaks_count ? weight_leaks : weight_few_leaks, text,
                   "This writes a list without the copies, the images stay where they are.");
    } else if (c->conflicts) {
        conflict_words(dataset, audit, text);
        set_advice(advice, conflicts_count ? weight_conflicts : weight_few_conflicts, text,
                   "One of the labels is wrong; this writes a list that leaves them out.");
    } else if ((double)c->extra > many_copies * (double)audit->found) {
        copies_words(audit, text);
        set_advice(advice, weight_copies, text,
                   "What they show counts several times; this writes a list without them.");
    }
}

/* ---- links and groups for page and JSON */

/* The links of each group in a row. */
typedef struct grouped {
    size_t *links; /* [link_count] indices, by group */
    size_t *begin; /* [group_count + 1] in links */
} grouped;

static void grouped_reset(grouped *by)
{
    free(by->links);
    free(by->begin);
    *by = (grouped){0};
}

static bool grouped_make(const vg_audit *audit, grouped *by)
{
    const vg_duplicates *c = &audit->copies;
    size_t *group_of = vg_alloc(audit->found, sizeof *group_of);
    *by = (grouped){.links = vg_alloc(c->link_count, sizeof *by->links),
                    .begin = vg_calloc(c->group_count + 2, sizeof *by->begin)};
    if (!group_of || !by->links || !by->begin) {
        free(group_of);
        grouped_reset(by);
        return false;
    }
    for (size_t g = 0; g < c->group_count; g++)
        for (size_t m = 0; m < c->groups[g].count; m++)
            group_of[c->members[c->groups[g].begin + m]] = g;
    for (size_t i = 0; i < c->link_count; i++)
        by->begin[group_of[c->links[i].first] + 2]++;
    for (size_t g = 0; g < c->group_count; g++)
        by->begin[g + 2] += by->begin[g + 1];
    for (size_t i = 0; i < c->link_count; i++)
        by->links[by->begin[group_of[c->links[i].first] + 1]++] = i;
    free(group_of);
    return true;
}

/* ---- JSON */

static json_t *name_json(const vg_dataset *dataset, size_t index)
{
    char name[4096];
    vg_dataset_name(dataset, index, name, sizeof name);
    return vg_json_text(name);
}

static json_t *link_json(const vg_dataset *dataset, const vg_copy *link, bool *ok)
{
    json_t *object = json_object(), *window = json_array();
    const double sides[] = {link->window.x0, link->window.x1, link->window.y0, link->window.y1};
    for (int i = 0; i < 4; i++)
        vg_json_append(window, vg_json_number(sides[i]), ok);
    vg_json_set(object, "first", name_json(dataset, link->first), ok);
    vg_json_set(object, "second", name_json(dataset, link->second), ok);
    vg_json_set(object, "kind", json_string(vg_copy_name(link->kind)), ok);
    vg_json_set(object, "turn", json_string(vg_turn_name(link->turn)), ok);
    vg_json_set(object, "window", window, ok);
    vg_json_set(object, "agreeing", vg_json_number(link->agreeing), ok);
    return object;
}

static json_t *member_json(const vg_dataset *dataset, size_t index, bool *ok)
{
    json_t *object = json_object();
    int label = vg_dataset_label(dataset, index);
    vg_json_set(object, "path", name_json(dataset, index), ok);
    vg_json_set(object, "class", vg_json_text(vg_dataset_class_name(dataset, label)), ok);
    vg_json_set(object, "split", json_string(vg_split_name(vg_dataset_split(dataset, index))), ok);
    return object;
}

static json_t *group_json(const vg_audit_page *page, const grouped *by, size_t g, bool *ok)
{
    const vg_duplicates *c = &page->audit->copies;
    const vg_copy_group *group = &c->groups[g];
    json_t *object = json_object(), *members = json_array(), *links = json_array();
    for (size_t m = 0; m < group->count; m++)
        vg_json_append(members, member_json(page->dataset, c->members[group->begin + m], ok), ok);
    for (size_t i = by->begin[g]; i < by->begin[g + 1]; i++)
        vg_json_append(links, link_json(page->dataset, &c->links[by->links[i]], ok), ok);
    vg_json_set(object, "kind", json_string(vg_copy_name(group->weakest)), ok);
    vg_json_set(object, "label_conflict", json_boolean(group->labels_differ), ok);
    vg_json_set(object, "leak", json_boolean(group->leaks), ok);
    vg_json_set(object, "stays", name_json(page->dataset, group->stays), ok);
    vg_json_set(object, "members", members, ok);
    vg_json_set(object, "links", links, ok);
    return object;
}

static json_t *by_split(const size_t counts[VG_SPLIT_COUNT], bool *ok)
{
    json_t *object = json_object();
    for (int s = VG_SPLIT_VAL; s < VG_SPLIT_COUNT; s++)
        vg_json_set(object, vg_split_name((vg_split)s), json_integer((json_int_t)counts[s]), ok);
    return object;
}

static void put_json(const vg_audit_page *page, json_t *root, bool *ok)
{
    const vg_duplicates *c = &page->audit->copies;
    grouped by;
    if (page->audit->labels_only) {
        vg_json_set(root, "copies", json_null(), ok);
        return;
    }
    if (!grouped_make(page->audit, &by)) {
        *ok = false;
        return;
    }
    json_t *object = json_object(), *groups = json_array();
    for (size_t g = 0; g < c->group_count; g++)
        vg_json_append(groups, group_json(page, &by, g, ok), ok);
    grouped_reset(&by);
    const struct {
        const char *key;
        size_t count;
    } counts[] = {
        {"extra", c->extra},
        {"exact", c->exact_extra},
        {"conflicts", c->conflicts},
        {"leaks", c->leaks},
        {"pairs_compared", c->compared},
        {"pairs_confirmed", c->confirmed},
        {"pairs_skipped", c->dropped},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        vg_json_set(object, counts[i].key, json_integer((json_int_t)counts[i].count), ok);
    vg_json_set(object, "leaked", by_split(c->leaked, ok), ok);
    vg_json_set(object, "leaked_same_label", by_split(c->bought, ok), ok);
    vg_json_set(object, "seconds", vg_json_number(c->seconds), ok);
    vg_json_set(object, "groups", groups, ok);
    vg_json_set(root, "copies", object, ok);
}

/* ---- page */

static vg_status put_member(const vg_audit_page *page, size_t index, vg_error *err)
{
    const vg_dataset *dataset = page->dataset;
    fputs("<div style=\"display:inline-block;vertical-align:top;font-size:11px\">", page->out);
    vg_status status = vg_thumb_put(page->out, page->thumbs, dataset, index, err);
    fputs("<br>", page->out);
    vg_escape_html_cut(page->out, vg_dataset_class_name(dataset, vg_dataset_label(dataset, index)),
                       CLASS_COLUMNS);
    fprintf(page->out, "<br>%s</div>", vg_split_name(vg_dataset_split(dataset, index)));
    return status;
}

static void link_words(const vg_copy *link, char text[160])
{
    double area = (link->window.x1 - link->window.x0) * (link->window.y1 - link->window.y0);
    snprintf(text, 160, "%s", vg_copy_name(link->kind));
    if (link->turn)
        vg_text_append(text, 160, ", %s", vg_turn_name(link->turn));
    if (area < 0.97)
        vg_text_append(text, 160, ", shows %.0f %% of the area", 100 * area);
    if (link->kind != VG_COPY_EXACT)
        vg_text_append(text, 160, ", %.0f %% of it agrees", 100 * link->agreeing);
}

static void put_names(const vg_audit_page *page, const grouped *by, size_t g)
{
    const vg_duplicates *c = &page->audit->copies;
    size_t end = by->begin[g + 1], shown = 0;
    char name[4096], words[160];
    fputs("<td style=\"font-size:12px\">", page->out);
    for (size_t i = by->begin[g]; i < end && shown < MOST_SHOWN; i++, shown++) {
        const vg_copy *link = &c->links[by->links[i]];
        vg_dataset_name(page->dataset, link->second, name, sizeof name);
        vg_escape_html(page->out, name);
        fputs(" &larr; ", page->out);
        vg_dataset_name(page->dataset, link->first, name, sizeof name);
        vg_escape_html(page->out, name);
        link_words(link, words);
        fprintf(page->out, ": %s<br>", words);
    }
    if (end - by->begin[g] > shown)
        fprintf(page->out, "... and %zu more", end - by->begin[g] - shown);
    fputs("</td>", page->out);
}

static vg_status put_group(const vg_audit_page *page, const grouped *by, size_t g, vg_error *err)
{
    const vg_copy_group *group = &page->audit->copies.groups[g];
    const size_t *members = page->audit->copies.members + group->begin;
    vg_status status = VG_OK;
    vg_html_table_row(page->out);
    vg_html_cell(page->out, "%s",
                 group->labels_differ && group->leaks ? "labels differ, leak"
                 : group->labels_differ               ? "labels differ"
                 : group->leaks                       ? "leak"
                                                      : "copies");
    fputs("<td>", page->out);
    for (size_t m = 0; !status && m < group->count && m < MOST_SHOWN; m++)
        status = put_member(page, members[m], err);
    if (group->count > MOST_SHOWN)
        fprintf(page->out, "<br>... and %zu more", group->count - MOST_SHOWN);
    fputs("</td>", page->out);
    put_names(page, by, g);
    return status;
}

static int rank_of(const vg_copy_group *group)
{
    return group->labels_differ ? 0 : group->leaks ? 1 : 2;
}

static vg_status put_groups(const vg_audit_page *page, const grouped *by, vg_error *err)
{
    static const char *const heads[] = {"", "pictures", "what was done", NULL};
    const vg_duplicates *c = &page->audit->copies;
    vg_status status = VG_OK;
    size_t shown = 0;
    fputs("<div class=\"scroll\">", page->out);
    vg_html_table_begin(page->out, heads);
    for (int rank = 0; rank < 3; rank++)
        for (size_t g = 0; !status && g < c->group_count && shown < MOST_GROUPS; g++)
            if (rank_of(&c->groups[g]) == rank) {
                status = put_group(page, by, g, err);
                shown++;
            }
    vg_html_table_end(page->out);
    fputs("</div>\n", page->out);
    if (c->group_count > shown)
        vg_html_paragraph(page->out, "The first %zu of %zu groups; all of them: --json.", shown,
                          c->group_count);
    return status;
}

static vg_status put_html(const vg_audit_page *page, vg_error *err)
{
    const vg_duplicates *c = &page->audit->copies;
    char text[TEXT_BYTES];
    grouped by;
    if (page->audit->labels_only)
        return VG_OK;
    vg_html_section(page->out, "Copies");
    if (!c->group_count) {
        vg_html_paragraph(page->out, "No image is another one saved again, turned, cropped or "
                                     "written on.");
        return VG_OK;
    }
    if (c->conflicts) {
        conflict_words(page->dataset, page->audit, text);
        vg_html_paragraph(page->out, "%s.", text);
    }
    if (c->leaks) {
        leak_words(page->dataset, page->audit, text);
        vg_html_paragraph(page->out, "%s.", text);
    }
    copies_words(page->audit, text);
    vg_html_paragraph(page->out, "%s. Each pair was compared on its pixels.", text);
    if (!grouped_make(page->audit, &by))
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu groups of copies", c->group_count);
    vg_status status = put_groups(page, &by, err);
    grouped_reset(&by);
    return status;
}

const vg_audit_section vg_section_copies = {"copies", put_text, put_json, put_html, advise};
