/* What --fail-on asked: every condition with the number that was found. */
#include "report/audit_page.h"
#include "report/conditions.h"
#include "report/escape.h"
#include "report/html.h"

static void put_text(const vg_audit_page *p)
{
    const vg_conditions *c = p->findings->conditions;
    for (size_t i = 0; c && i < c->count; i++) {
        char words[200], line[240];
        vg_condition_words(&c->list[i], words, sizeof words);
        snprintf(line, sizeof line, "%s%s", words, c->list[i].holds ? ": HOLDS" : ", passes");
        vg_page_row(p, i ? "" : "fail-on", line);
    }
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_conditions *c = p->findings->conditions;
    json_t *list = json_array();
    for (size_t i = 0; c && i < c->count; i++) {
        json_t *one = json_object();
        vg_json_set(one, "condition", vg_json_text(c->list[i].text), ok);
        vg_json_set(one, "name", json_string(c->list[i].name), ok);
        vg_json_set(one, "meaning", json_string(c->list[i].meaning), ok);
        vg_json_set(one, "bound", vg_json_number(c->list[i].bound), ok);
        vg_json_set(one, "found", vg_json_number(c->list[i].found), ok);
        vg_json_set(one, "holds", json_boolean(c->list[i].holds), ok);
        vg_json_append(list, one, ok);
    }
    vg_json_set(root, "fail_on", list, ok);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    static const char *const heads[] = {"condition", "", "of what", NULL};
    const vg_conditions *c = p->findings->conditions;
    (void)err;
    if (!c || !c->count)
        return VG_OK;
    vg_html_section(p->out, "Conditions");
    vg_html_table_begin(p->out, heads);
    for (size_t i = 0; i < c->count; i++) {
        char words[200];
        vg_condition_words(&c->list[i], words, sizeof words);
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", words);
        vg_html_cell(p->out, "%s", c->list[i].holds ? "holds" : "passes");
        vg_html_cell(p->out, "%s", c->list[i].meaning);
    }
    vg_html_table_end(p->out);
    return VG_OK;
}

const vg_audit_section vg_section_conditions = {
    .name = "conditions", .text = put_text, .json = put_json, .html = put_html};
