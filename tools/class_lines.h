/* What is said about policies of single classes, the same in all commands. */
#ifndef VG_TOOLS_CLASS_LINES_H
#define VG_TOOLS_CLASS_LINES_H

#include "class_policy.h"
#include "cli.h"

#include <jansson.h>

/* A line for each policy: `label`, the classes that it is for by their names, and its words. Of rules
 * that apply to no class (no class is rare) it says so. The text is on the heap, "" without rules; NULL
 * with *err set when the rules do not fit the dataset (VG_E_ARG) or memory ran out. */
char *vg_class_lines(const vg_class_rules *rules, const vg_policy *general,
                     const vg_dataset *dataset, const char *label, vg_error *err);
/* The rules as an array of {"classes": ..., "words": ...}; NULL: no memory. */
json_t *vg_class_json(const vg_class_rules *rules);
/* Notes what the rules make odd that the general policy does not. */
void vg_class_notes(const vg_cli *cli, const vg_class_rules *rules, const vg_policy *general);

#endif
