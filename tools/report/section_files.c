/* Files that cannot be read, or not as they should be: how many of each kind, where they gather, and each by its name with
 * the reason. What the scan passed over and names that are nearly the same stand here too. */
#include "base/text.h"
#include "cli.h"
#include "report/audit_page.h"
#include "report/class_notes.h"
#include "report/escape.h"
#include "report/html.h"

#include <string.h>

enum { TEXT_BYTES = 1100, MOST_FILES = 500 };

static const struct kind {
    vg_mark mark;
    const char *words;
} kinds[] = {
    {VG_MARK_BROKEN, "broken"},
    {VG_MARK_WARNING, "readable with a warning"},
    {VG_MARK_WRONG_EXTENSION, "with the wrong extension"},
    {VG_MARK_TURNED, "turned by EXIF"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* "2 broken, 10 turned by EXIF (all of them "dog")" */
static void found_words(const vg_dataset *dataset, const vg_audit *audit, char text[TEXT_BYTES])
{
    text[0] = '\0';
    for (size_t k = 0; k < KINDS; k++) {
        size_t n = audit->marks.total[kinds[k].mark];
        if (!n)
            continue;
        vg_text_append(text, TEXT_BYTES, "%s%zu %s", text[0] ? ", " : "", n, kinds[k].words);
        int label = vg_class_gathers(audit, kinds[k].mark);
        if (label >= 0)
            vg_text_append(text, TEXT_BYTES, " (%zu of them \"%.60s\")",
                           audit->per_class[label].marked[kinds[k].mark],
                           vg_dataset_class_name(dataset, label));
    }
}

static void put_text(const vg_audit_page *p)
{
    const vg_audit *a = p->audit;
    char text[TEXT_BYTES], left_out[600];
    found_words(p->dataset, a, text);
    vg_ignored_words(p->dataset, left_out, sizeof left_out);
    if (!text[0])
        vg_text_append(text, sizeof text, a->labels_only ? "none was opened" : "all readable");
    if (left_out[0])
        vg_text_append(text, sizeof text, "; ignored: %s", left_out);
    vg_page_row(p, "files", text);
    if (a->broken_count || a->noted_count)
        vg_page_command(p, vg_page_list_command(p, "files"));
}

/* Counts per class, beside what audit_json.c says of the files. */
static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    json_t *files = json_object_get(root, "files"), *all = json_object();
    for (size_t k = 0; k < KINDS; k++) {
        json_t *of = json_object();
        for (int c = 0; c < p->audit->classes && !p->audit->labels_only; c++) {
            size_t n = p->audit->per_class[c].marked[kinds[k].mark];
            json_t *name = n ? vg_json_text(vg_dataset_class_name(p->dataset, c)) : NULL;
            *ok &= !n || name;
            if (name)
                vg_json_set(of, json_string_value(name), json_integer((json_int_t)n), ok);
            json_decref(name);
        }
        vg_json_set(all, vg_mark_name(kinds[k].mark), of, ok);
    }
    if (files)
        vg_json_set(files, "per_class", json_incref(all), ok);
    json_decref(all);
}

static void put_rows(const vg_audit_page *p, const vg_audit_file *files, size_t count,
                     const char *kind)
{
    for (size_t i = 0; i < count && i < MOST_FILES; i++) {
        char name[4096];
        vg_dataset_name(p->dataset, files[i].index, name, sizeof name);
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", kind);
        vg_html_cell(p->out, "%s", name);
        vg_html_cell(p->out, "%s", files[i].reason);
    }
}

static void put_left_out(const vg_audit_page *p)
{
    char left_out[600], words[300];
    size_t kept, noticed;
    vg_ignored_words(p->dataset, left_out, sizeof left_out);
    vg_html_paragraph(p->out, "Ignored: %s.", left_out[0] ? left_out : "nothing");
    for (size_t k = 0; k < p->findings->alike_count && k < MOST_FILES; k++) {
        vg_alike_words(p->dataset, p->findings, k, words, sizeof words);
        vg_html_paragraph(p->out, "%s.", words);
    }
    const char *const *notes = vg_dataset_notes(p->dataset, &kept, &noticed);
    for (size_t k = 0; k < kept; k++)
        vg_html_paragraph(p->out, "%s", notes[k]);
    if (noticed > kept)
        vg_html_paragraph(p->out, "... and %zu more of this kind.", noticed - kept);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    static const char *const heads[] = {"", "file", "reason", NULL};
    const vg_audit *a = p->audit;
    char text[TEXT_BYTES], flat[400], colour[VG_BACKGROUND_TEXT];
    (void)err;
    found_words(p->dataset, a, text);
    vg_html_section(p->out, "Files");
    vg_html_paragraph(p->out, "%zu found, %zu decoded: %s.", a->found, a->decoded,
                      text[0] ? text : "all as they should be");
    vg_flat_words(&a->flat, p->dataset, flat, sizeof flat);
    if (a->flat.flat && a->flat.better >= 0)
        vg_html_paragraph(p->out, "%s. Instead: --background %s.", flat,
                          vg_background_print(a->flat.better, colour));
    else if (a->flat.flat)
        vg_html_paragraph(p->out, "%s.", flat);
    put_left_out(p);
    if (a->broken_count + a->noted_count == 0)
        return VG_OK;
    vg_html_table_begin(p->out, heads);
    put_rows(p, a->broken, a->broken_count, "broken");
    put_rows(p, a->noted, a->noted_count, "warning");
    vg_html_table_end(p->out);
    if (a->broken_count > MOST_FILES || a->noted_count > MOST_FILES)
        vg_html_paragraph(p->out, "The first %d of each; all of them: --list files.", MOST_FILES);
    return VG_OK;
}

const vg_audit_section vg_section_files = {
    .name = "files", .text = put_text, .json = put_json, .html = put_html};
