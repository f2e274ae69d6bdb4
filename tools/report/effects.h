/* What a change of the data did, as a row of a table and as JSON: shared by comparisons of jobs and by what
 * balance-report measures. */
#ifndef VG_REPORT_EFFECTS_H
#define VG_REPORT_EFFECTS_H

#include "study/compare.h"

#include <jansson.h>
#include <stdio.h>

/* Headings; `name` is that of the first column of `columns` characters. `dim` and `off` are escape sequences or
 * empty. */
void vg_effect_head(FILE *out, const char *name, int columns, const char *dim, const char *off);
/* "normalize   0.02 -> 0.41 ***   1.1 -> 7.4   +38.1 [31.0, 44.9] ***   this cures it". `labels`: effective number of
 * classes among the labels. */
void vg_effect_row(FILE *out, const vg_change_effect *effect, double labels, int columns,
                   const char *good, const char *bad, const char *off);
/* A new object (docs/reports.md, changes[]); NULL when memory ran out. */
json_t *vg_effect_json(const vg_change_effect *effect, int seeds);

#endif
