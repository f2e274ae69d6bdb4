/* The preview: a contact sheet of what the network will see. One row per class: the original as
 * decoded, then variants at the network's input size (enlarged by whole pixels when small), the
 * drawn parameters under each, a histogram before and after at the right, a header that names
 * dataset, policy, seed and input size. */
#ifndef VG_AUGMENT_SHEET_H
#define VG_AUGMENT_SHEET_H

#include "dataset/dataset.h"
#include "image/image.h"
#include "transform.h"

typedef struct vg_sheet_options {
    int variants;    /* per class (7) */
    int max_classes; /* rows (12); more classes than that: evenly chosen, and the header says so */
    int width;       /* of the sheet, pixels (1600) */
    uint64_t seed;
} vg_sheet_options;
vg_sheet_options vg_sheet_options_default(void);

/* Draws the sheet for the training split of `dataset` (RGB). The pixels of a variant are those that
 * the loader would deliver for the same key, de-normalized on a fixed scale. */
vg_status vg_sheet_draw(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_sheet_options *options, vg_image *sheet, vg_error *err);

#endif
