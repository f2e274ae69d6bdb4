/* Parts of the run page; for report/run_html*.c only. */
#ifndef VG_REPORT_RUN_HTML_H
#define VG_REPORT_RUN_HTML_H

#include "report/run.h"

/* The sections about a comparison: table, forest plot, every seed. */
void vg_run_html_comparison(const vg_run_report *report, FILE *out);
/* Predicted against true shares of one training. */
void vg_run_html_shares(const vg_run_report *report, const vg_diversity *diversity, FILE *out);

#endif
