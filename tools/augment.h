/* The parts of the command augment: what was asked for, and a function for each thing that it does. */
#ifndef VG_TOOLS_AUGMENT_H
#define VG_TOOLS_AUGMENT_H

#include "class_lines.h"
#include "cli.h"
#include "export.h"
#include "mix.h"
#include "sheet.h"
#include "show.h"

#include <stdio.h>

/* The command line, read. */
typedef struct vg_augment_choices {
    bool preview, operations, check, fail_on_warning;
    bool check_options;      /* one of the next was given */
    int64_t epochs;          /* --check: of the training, 0: not given */
    vg_mixing mixing;        /* --check: of its batches */
    const char *policy_text; /* as it was asked for */
    vg_policy policy;
    vg_class_rules class_rules;        /* changes to it for single classes */
    vg_class_policies *class_policies; /* what they come to, filled by vg_augment_prepare */
    int height, width;                 /* 0: as train-pipeline would choose */
    vg_normalization normalization;
    bool exact;             /* fitted on all training images */
    const char *save_stats; /* where what was fitted goes; NULL: nowhere */
    vg_framing framing;
    int background; /* behind transparent pixels */
    /* --preview */
    const char *html;
    vg_preview_by by;
    int64_t variants, rows; /* 0: not given */
    vg_show_when show;
    /* --out FOLDER */
    bool export_options; /* one of these was given */
    int64_t copies;      /* -1: not given */
    bool no_originals, balance, png;
    int64_t quality; /* 0: not given */
} vg_augment_choices;

/* The transform that train-pipeline would use for this dataset: channels and size from the data where
 * they were not chosen, the normalization fitted when `fit`. *pixels: of the normalizer, held; release
 * it after the last use of `augment`. */
vg_status vg_augment_prepare(const vg_augment_choices *choices, const vg_cli *cli,
                             const vg_dataset *dataset, bool fit, vg_augment *augment,
                             vg_pixel_stats **pixels, vg_error *err);

/* The JSON of --save-stats alone, on stdout. */
vg_status vg_augment_statistics_json(const vg_augment_choices *choices,
                                     const vg_normalizer *normalizer, vg_error *err);

/* For train-pipeline: ` --set augment="..."`, with what else was chosen that has a key there. */
void vg_augment_print_set(const vg_augment_choices *choices, FILE *out);

/* Each reads what it needs, writes what was asked for and says what it did on stdout. */
vg_status vg_augment_preview(const vg_augment_choices *choices, const vg_cli *cli, vg_error *err);
vg_status vg_augment_export(const vg_augment_choices *choices, const vg_cli *cli, vg_error *err);
/* The table of operations: Markdown (docs/augmentation.md holds it), or JSON. */
void vg_augment_operations(FILE *out);
vg_status vg_augment_operations_json(FILE *out, vg_error *err);

/* What is asked for by the end of a file name. */
typedef enum vg_augment_file {
    VG_FILE_PNG,
    VG_FILE_JPEG,
    VG_FILE_HTML,
    VG_FILE_OTHER
} vg_augment_file;
vg_augment_file vg_augment_file_of(const char *path);

#endif
