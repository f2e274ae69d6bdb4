/* augment --operations: what a policy may name, from the table that reads policies. */
#include "augment.h"
#include "report/escape.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static const char *const kinds[] = {"geometry", "colour",    "noise",
                                    "filter",   "occlusion", "nothing"};
static const char *const forms[] = {"takes none", "−v to v", "1 − v to 1 + v", "0 to v",
                                    "v itself"};
static const char *const form_words[] = {"none", "symmetric", "factor", "up_to", "exact"};

static void number(FILE *out, double value)
{
    fprintf(out, "%s%g", value < 0 ? "−" : "", fabs(value));
}

void vg_augment_operations(FILE *out)
{
    fputs("| operation | kind | one number v draws | allowed | changes nothing | what is drawn |\n"
          "| --- | --- | --- | --- | --- | --- |\n",
          out);
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        fprintf(out, "| `%s` | %s | %s | ", info->name, kinds[info->kind], forms[info->form]);
        if (info->form != VG_FORM_NONE) {
            number(out, info->low);
            fputs(" to ", out);
            number(out, info->high);
        }
        fputs(" | ", out);
        if (info->form != VG_FORM_NONE && !isnan(info->neutral))
            number(out, info->neutral);
        fprintf(out, " | %s%s |\n", info->form == VG_FORM_NONE ? "" : info->meaning,
                info->whole ? ", whole" : "");
    }
}

static json_t *entry(const vg_operation_info *info)
{
    bool numbered = info->form != VG_FORM_NONE;
    json_t *range = numbered
                        ? json_pack("[o, o]", vg_json_number(info->low), vg_json_number(info->high))
                        : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:o}", "name", info->name, "kind",
                     kinds[info->kind], "form", form_words[info->form], "range", range, "neutral",
                     numbered ? vg_json_number(info->neutral) : json_null(), "whole", info->whole,
                     "meaning", numbered ? json_string(info->meaning) : json_null());
}

vg_status vg_augment_operations_json(FILE *out, vg_error *err)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < VG_OPERATIONS; i++)
        ok = json_array_append_new(list, entry(vg_operation_of((vg_operation)i))) == 0 && ok;
    json_t *root =
        json_pack("{s:s, s:s, s:o}", "tool", "augment", "version", VG_VERSION, "operations", list);
    char *text = ok && root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    fprintf(out, "%s\n", text);
    free(text);
    return VG_OK;
}
