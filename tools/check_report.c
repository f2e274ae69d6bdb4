/* The findings of a check as paragraphs and as JSON. Notes are told too: what was not judged is part of the
 * answer. */
#include "check_report.h"

#include "report/escape.h"

#include <string.h>

enum { INDENT = 11 };

void vg_check_print(const vg_check *check, FILE *out, int width)
{
    for (int i = 0; i < check->finding_count; i++) {
        const vg_check_finding *f = &check->findings[i];
        fprintf(out, "%-*s", INDENT, f->kind == VG_CHECK_NOTE ? "note" : "warning");
        vg_cli_wrap(out, f->text, INDENT, INDENT, width);
        if (f->remedy[0]) {
            fprintf(out, "%*s", INDENT, "");
            char remedy[sizeof f->remedy + 16];
            snprintf(remedy, sizeof remedy, "instead: %s", f->remedy);
            vg_cli_wrap(out, remedy, INDENT, INDENT, width);
        }
    }
}

json_t *vg_check_findings_json(const vg_check *check)
{
    json_t *findings = json_array();
    for (int i = 0; findings && i < check->finding_count; i++) {
        const vg_check_finding *f = &check->findings[i];
        json_t *one =
            json_pack("{s:s, s:s, s:f, s:o, s:o}", "kind", vg_check_kind_name(f->kind), "part",
                      f->part < 0 ? "" : check->parts[f->part].words, "share", f->share, "text",
                      vg_json_text(f->text), "remedy", vg_json_text(f->remedy));
        if (json_array_append_new(findings, one) != 0) {
            json_decref(findings);
            return NULL;
        }
    }
    return findings;
}
