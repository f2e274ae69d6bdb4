/* Which classes have a policy of their own, and which: `rare` is said by name, since who is rare follows
 * from the dataset. */
#include "class_lines.h"

#include "report/escape.h"

#include <stdio.h>
#include <stdlib.h>

char *vg_class_lines(const vg_class_rules *rules, const vg_policy *general,
                     const vg_dataset *dataset, const char *label, vg_error *err)
{
    vg_class_policies table;
    char *text = NULL;
    size_t size = 0;
    if (vg_class_policies_make(rules, general, dataset, &table, err) != VG_OK)
        return NULL;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; out && i < table.count; i++) {
        char names[200], line[VG_POLICY_TEXT];
        vg_class_policies_names(&table, i, dataset, names, sizeof names);
        vg_policy_print(&table.policies[i], line, sizeof line);
        fprintf(out, "%s%s: %s\n", label, names, line);
    }
    if (out && rules->count && !table.count)
        fprintf(out, "%snone: no class is rare (fewer training images than half of the median)\n",
                label);
    vg_class_policies_reset(&table);
    if (!out || fclose(out) != 0) {
        free(text);
        vg_fail(err, VG_E_NOMEM, "out of memory for policies of classes");
        return NULL;
    }
    return text;
}

void vg_class_notes(const vg_cli *cli, const vg_class_rules *rules, const vg_policy *general)
{
    char warnings[1000];
    if (vg_class_rules_warnings(rules, general, warnings, sizeof warnings) > 0)
        vg_cli_note(cli, "%s", warnings);
}

json_t *vg_class_json(const vg_class_rules *rules)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < rules->count; i++) {
        json_t *rule = json_pack("{s:o, s:o}", "classes", vg_json_text(rules->rules[i].classes),
                                 "words", vg_json_text(rules->rules[i].words));
        if (json_array_append_new(list, rule) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
