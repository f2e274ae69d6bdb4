/* The preview as a contact sheet. One row per class or operation (preview.h): the original as decoded,
 * then variants at the network's input size (enlarged by whole pixels when small), the drawn parameters
 * under each, a histogram before and after at the right, a header that names dataset, policy, seed and
 * input size, and a footer that says how many of many draws were useless or destroyed the picture, and
 * which operation did it. */
#ifndef VG_AUGMENT_SHEET_H
#define VG_AUGMENT_SHEET_H

#include "preview.h"

typedef struct vg_sheet_options {
    vg_preview_options preview;  /* its cell is chosen by the sheet */
    int width;                   /* of the sheet, pixels, at least 800 (1600) */
    const char *title;           /* NULL: the last part of the dataset's path */
    vg_preview_summary *summary; /* filled when not NULL */
} vg_sheet_options;
vg_sheet_options vg_sheet_options_default(void);

/* Draws the sheet for the training split of `dataset` (RGB). Variants wider than their column are shown
 * smaller; the header says so. VG_E_ARG for options out of range, else errors as vg_preview_gather. */
vg_status vg_sheet_draw(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_sheet_options *options, vg_image *sheet, vg_error *err);

#endif
