/* What the sections of balance-report's report share: where they write, and how a row, a command and a picture look.
 * A section tells one kind of finding in all forms; sections.c has the list. To add one: write section_NAME.c with
 * a vg_audit_section, and name it there. Private to tools/report. */
#ifndef VG_REPORT_AUDIT_PAGE_H
#define VG_REPORT_AUDIT_PAGE_H

#include "report/audit.h"
#include "report/thumbs.h"

#include <jansson.h>

typedef struct vg_audit_page {
    FILE *out; /* of text and page */
    const vg_dataset *dataset;
    const vg_audit *audit;
    const vg_findings *findings;
    int width;                              /* of the text, columns */
    const char *bold, *warn, *pale, *plain; /* escape sequences or empty */
    vg_thumbs *thumbs;                      /* of the page */
} vg_audit_page;

/* ---- text: "label      words filled to the width" */
void vg_page_row(const vg_audit_page *page, const char *label, const char *text);
/* A command stands by itself in its line: it is there to be copied, and must not be broken. Frees it; NULL: nothing. */
void vg_page_command(const vg_audit_page *page, char *command);
/* "balance-report DATASET --list WORD", quoted; on the heap, NULL when memory ran out. */
char *vg_page_list_command(const vg_audit_page *page, const char *word);

/* One kind of finding. Members may be NULL. With audit->labels_only no picture was opened. */
typedef struct vg_audit_section {
    const char *name;
    void (*text)(const vg_audit_page *page);
    /* Sets keys of the report's object; *ok becomes false when memory ran out. */
    void (*json)(const vg_audit_page *page, json_t *root, bool *ok);
    vg_status (*html)(const vg_audit_page *page, vg_error *err);
    /* What should be done first as far as this section knows: fills *advice, whose weight (see vg_advice) is 0
     * before. */
    void (*advise)(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                   vg_advice *advice);
} vg_audit_section;

extern const vg_audit_section vg_section_copies;
extern const vg_audit_section vg_section_label_errors;
extern const vg_audit_section vg_section_measure;
extern const vg_audit_section vg_section_files;
extern const vg_audit_section vg_section_labels;
extern const vg_audit_section vg_section_origins;
extern const vg_audit_section vg_section_pictures;

extern const vg_audit_section
    *const vg_audit_sections[]; /* in the order of the report, NULL at the end */

extern const vg_audit_section vg_section_conditions;
extern const vg_audit_section vg_section_marks;
extern const vg_audit_section vg_section_normalization;
extern const vg_audit_section vg_section_plan;
extern const vg_audit_section vg_section_against;

#endif
