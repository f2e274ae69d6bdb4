/* --label-errors: labels that are probably wrong, judged by networks that were trained without them. */
#ifndef VG_TOOLS_LABEL_SEARCH_H
#define VG_TOOLS_LABEL_SEARCH_H

#include "audit/audit.h"
#include "cli.h"
#include "report/audit.h"
#include "study/label_errors.h"

/* What came of it; zero-initialized is empty. */
typedef struct vg_label_search {
    vg_label_errors found; /* empty where ... */
    char refusal[512];     /* ... the labels could not be judged, and why; "" otherwise */
} vg_label_search;
void vg_label_search_reset(vg_label_search *search);

/* Judges all labels, with progress on stderr, and sets VG_MARK_LABEL_ERROR of the suspicious ones in the audit, unless no
 * wrong label is proven. Too few images to judge is no error. Errors: those of vg_label_errors_find. */
vg_status vg_label_search_run(const vg_cli *cli, const vg_dataset *dataset, vg_audit *audit,
                              vg_label_search *search, vg_error *err);
/* For --list: "label-error <tab> path <tab> looks like CLASS, N % <tab> class <tab> split", the most doubtful first; also those
 * that prove nothing, which a note on stderr tells. */
void vg_label_search_list(FILE *out, const vg_cli *cli, const vg_dataset *dataset,
                          const vg_label_search *search);
/* Hands the result to the report (borrowed), and puts it first there where it weighs most. */
void vg_findings_take_labels(vg_findings *findings, const vg_dataset *dataset,
                             const vg_label_search *search);

#endif
