/* What a search over settings has found, as text, JSON and a page. docs/reports.md documents the JSON. */
#ifndef VG_REPORT_SWEEP_REPORT_H
#define VG_REPORT_SWEEP_REPORT_H

#include "sweep.h"

#include <jansson.h>
#include <stdio.h>

/* `folder` holds the trials and winner.yaml. */
void vg_sweep_text(const vg_sweep *sweep, const char *folder, FILE *out);
json_t *vg_sweep_json(const vg_sweep *sweep, const char *folder); /* NULL: no memory */
void vg_sweep_html(const vg_sweep *sweep, const char *folder, FILE *out);
/* Who has won and whether that can be told from chance, in a sentence or two. */
void vg_sweep_words(const vg_sweep *sweep, char *text, size_t capacity);

#endif
