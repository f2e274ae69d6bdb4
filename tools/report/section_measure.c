/* What the findings cost, as measured by paired trainings (--measure). */
#include "cli.h"
#include "measure.h"
#include "report/audit_page.h"
#include "report/effects.h"
#include "report/escape.h"
#include "report/html.h"
#include "report/run.h"

#include <string.h>

static double labels_of(const vg_measured *m)
{
    return vg_run_effective_labels(&m->comparison.arms[0].example.final);
}

static void conditions(const vg_measured *m, char *text, size_t capacity)
{
    char train[32], held[32];
    snprintf(text, capacity,
             "%s on %dx%d pixels, %d epochs of %s images, measured on %s; %d paired seeds, 95 %%, "
             "p Holm-corrected: * 0.05  ** 0.01  *** 0.001",
             m->net, m->width, m->height, m->epochs, vg_cli_count(train, m->train_samples),
             vg_cli_count(held, m->held_out_samples), m->comparison.seeds);
}

static void put_text(const vg_audit_page *p)
{
    const vg_measured *m = p->findings->measured;
    char text[700];
    if (!m)
        return;
    if (m->comparison.arm_count == 0) {
        snprintf(text, sizeof text,
                 "nothing to measure: no finding that a training could feel%s%s%s",
                 m->skipped[0] ? " (" : "", m->skipped, m->skipped[0] ? ")" : "");
        vg_page_row(p, "costs", text);
        return;
    }
    for (int i = 0; i < m->comparison.change_count; i++) {
        snprintf(text, sizeof text, "%s: %s; repaired by: %s", m->comparison.effects[i].name,
                 m->findings[i].finding, m->findings[i].repair);
        vg_page_row(p, i ? "" : "costs", text);
    }
    fputc('\n', p->out);
    vg_effect_head(p->out, "without", 16, p->pale, p->plain);
    for (int i = 0; i < m->comparison.change_count; i++)
        vg_effect_row(p->out, &m->comparison.effects[i], labels_of(m), 16, "", p->warn, p->plain);
    fputs(p->pale, p->out);
    conditions(m, text, sizeof text);
    vg_page_row(p, "", text);
    fputs(p->plain, p->out);
    if (m->skipped[0])
        vg_page_row(p, "", m->skipped);
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_measured *m = p->findings->measured;
    if (!m) {
        vg_json_set(root, "measured", json_null(), ok);
        return;
    }
    json_t *all = json_object(), *effects = json_array();
    for (int i = 0; i < m->comparison.change_count; i++) {
        json_t *e = vg_effect_json(&m->comparison.effects[i], m->comparison.seeds);
        vg_json_set(e, "finding", vg_json_text(m->findings[i].finding), ok);
        vg_json_set(e, "repair", vg_json_text(m->findings[i].repair), ok);
        vg_json_append(effects, e, ok);
    }
    vg_json_set(all, "findings", effects, ok);
    vg_json_set(all, "skipped", m->skipped[0] ? vg_json_text(m->skipped) : json_null(), ok);
    vg_json_set(all, "net", vg_json_text(m->net), ok);
    vg_json_set(all, "width", json_integer(m->width), ok);
    vg_json_set(all, "height", json_integer(m->height), ok);
    vg_json_set(all, "epochs", json_integer(m->epochs), ok);
    vg_json_set(all, "train_samples", json_integer((json_int_t)m->train_samples), ok);
    vg_json_set(all, "held_out_samples", json_integer((json_int_t)m->held_out_samples), ok);
    vg_json_set(all, "seconds", vg_json_number(m->comparison.seconds), ok);
    vg_json_set(root, "measured", all, ok);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    static const char *const heads[] = {
        "finding", "repair", ">output diversity", ">balanced accuracy", ">points won",
        "verdict", NULL};
    const vg_measured *m = p->findings->measured;
    char text[700];
    (void)err;
    if (!m)
        return VG_OK;
    vg_html_section(p->out, "What the findings cost");
    if (m->comparison.arm_count == 0) {
        vg_html_paragraph(p->out, "No finding that a training could feel. %s", m->skipped);
        return VG_OK;
    }
    vg_html_table_begin(p->out, heads);
    for (int i = 0; i < m->comparison.change_count; i++) {
        const vg_change_effect *e = &m->comparison.effects[i];
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s: %s", e->name, m->findings[i].finding);
        vg_html_cell(p->out, "%s", m->findings[i].repair);
        vg_html_number(p->out, "%.2f → %.2f %s", e->before[0], e->after[0],
                       vg_run_stars(e->measures[0].p_corrected));
        vg_html_number(p->out, "%.1f %% → %.1f %% %s", 100 * e->before[5], 100 * e->after[5],
                       vg_run_stars(e->measures[5].p_corrected));
        vg_html_number(p->out, "%+.1f [%.1f, %.1f]", 100 * e->measures[5].difference,
                       100 * e->measures[5].low, 100 * e->measures[5].high);
        vg_html_cell(p->out, "%s", e->word);
    }
    vg_html_table_end(p->out);
    conditions(m, text, sizeof text);
    vg_html_paragraph(
        p->out, "%s. Each finding was repaired by itself and held against the data as they are.",
        text);
    if (m->skipped[0])
        vg_html_paragraph(p->out, "Not measured: %s.", m->skipped);
    return VG_OK;
}

const vg_audit_section vg_section_measure = {
    .name = "measure", .text = put_text, .json = put_json, .html = put_html};
