/* The preview as one self-contained page: pictures as data URIs, histograms as inline SVG, a few lines
 * of its own script to page through epochs and strengths and to enlarge a picture. Nothing is loaded
 * from elsewhere (the page forbids it by its own policy), and without a script all pictures stand there
 * readable. */
#ifndef VG_REPORT_PREVIEW_HTML_H
#define VG_REPORT_PREVIEW_HTML_H

#include "preview.h"

/* The vg_preview_options.cell that the page's previews should be gathered with. */
enum { VG_PREVIEW_PAGE_CELL = 512 };

typedef struct vg_preview_page {
    const char *dataset;
    const char *policy;           /* in full */
    const char *class_lines;      /* policies of classes, a line each; may be empty */
    const char *command;          /* that trains with it */
    const char *warnings;         /* of the policy, separated by " | " */
    const struct vg_check *check; /* of the policy; NULL: none */
    const vg_augment *augment;
    int variants;
    uint64_t seed;
    const vg_preview *classes; /* with its summary of draws */
    const vg_preview *operations;
} vg_preview_page;

/* Writes the page to `path`, whole or not at all. */
vg_status vg_preview_html(const char *path, const vg_preview_page *page, vg_error *err);

#endif
