/* The preview: a contact sheet of what the network will see. One row per class: the original as
 * decoded, then variants at the network's input size (enlarged by whole pixels when small), the
 * drawn parameters under each, a histogram before and after at the right, a header that names
 * dataset, policy, seed and input size, and a footer that says how many of many draws were useless
 * or destroyed the picture. */
#ifndef VG_AUGMENT_SHEET_H
#define VG_AUGMENT_SHEET_H

#include "dataset/dataset.h"
#include "image/image.h"
#include "inspect.h"
#include "transform.h"

/* What the footer says, for callers that print it as well. */
typedef struct vg_sheet_summary {
    size_t draws;                               /* inspected */
    size_t pictures;                            /* on so many training pictures */
    size_t findings[VG_FINDING_COUNT];          /* of the draws */
    int rows;                                   /* classes shown */
    int classes;                                /* with training pictures */
    int variants_unchanged, variants_destroyed; /* of those shown */
} vg_sheet_summary;

typedef struct vg_sheet_options {
    int variants;    /* per class, 1..32 (7) */
    int max_classes; /* rows (12); more classes than that: evenly chosen, and the header says so */
    int width;       /* of the sheet, pixels, at least 800 (1600) */
    uint64_t seed;
    int draws;                 /* draws of the policy that are inspected for the footer (500) */
    const char *title;         /* NULL: the last part of the dataset's path */
    vg_sheet_summary *summary; /* filled when not NULL */
} vg_sheet_options;
vg_sheet_options vg_sheet_options_default(void);

/* Draws the sheet for the training split of `dataset` (RGB). The pixels of a variant are those that
 * the loader would deliver for the key {seed, epoch = number of the variant, position = index of
 * the sample}, de-normalized on a fixed scale: fitted normalizations by their inverse, per-image
 * z-scores with -2.5..2.5 as black..white, per-image min-max with 0..1 as black..white. Variants
 * wider than their column are shown smaller; the header says so. VG_E_ARG
 * for options out of range, VG_E_STATE when the training split is empty, or the first error when
 * no picture could be read. */
vg_status vg_sheet_draw(const vg_dataset *dataset, const vg_augment *augment,
                        const vg_sheet_options *options, vg_image *sheet, vg_error *err);

#endif
