/* What balance-report was asked to do: its options, read and checked against each other. */
#ifndef VG_TOOLS_REPORT_OPTIONS_H
#define VG_TOOLS_REPORT_OPTIONS_H

#include "audit/fix.h"
#include "audit/marks.h"
#include "cli.h"
#include "dataset/dataset.h"
#include "report/conditions.h"

typedef struct vg_report_options {
    const char *html, *csv, *plan; /* files to write, NULL: none */
    const char *against;           /* path of another dataset, NULL: none */
    bool list_files;               /* a list in place of the report: of broken and odd files ... */
    bool list_mark;                /* ... or of samples with `mark` */
    vg_mark mark;
    vg_conditions conditions; /* of --fail-on */
    bool fail_on_error, quick;
    bool label_errors; /* also when --list asks for them */
    double measure;    /* minutes; 0: not */
    int background;
    vg_split_by split_by;
    const char *fix; /* folder, NULL: nothing is fixed */
    bool fix_some;   /* fix_choice was given */
    vg_fix_choice fix_choice;
} vg_report_options;

/* Options, usage and examples; options.context is the vg_report_options. */
const vg_cli_spec *vg_report_spec(void);
/* What excludes each other: -1 to go on, else the exit status, with the reason on stderr. */
int vg_report_options_check(const vg_report_options *options, const vg_cli *cli);
void vg_report_options_reset(vg_report_options *options);

#endif
