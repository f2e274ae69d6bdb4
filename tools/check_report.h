/* What the check of a policy found, for augment --check and for the report of a training. */
#ifndef VG_TOOLS_CHECK_REPORT_H
#define VG_TOOLS_CHECK_REPORT_H

#include "check.h"
#include "cli.h"

#include <jansson.h>

/* The findings, each a paragraph of at most `width` columns: "warning", the sentence, "instead: ...". */
void vg_check_print(const vg_check *check, FILE *out, int width);
/* Kind, part, share, text and remedy of each finding. NULL when memory ran out. */
json_t *vg_check_findings_json(const vg_check *check);

#endif
