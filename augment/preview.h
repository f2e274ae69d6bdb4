/* The preview: what the network will see of some training pictures, with the numbers that were drawn
 * and what an inspection says, before it is laid out as a sheet, a page or in a terminal.
 *
 * By class: a row for each class, the original and variants of it as the loader would deliver them.
 * By operation: one picture, a row for each operation of the policy alone, from its weakest to its
 * strongest draw, and a last row of all together. */
#ifndef VG_AUGMENT_PREVIEW_H
#define VG_AUGMENT_PREVIEW_H

#include "dataset/dataset.h"
#include "image/image.h"
#include "inspect.h"
#include "parts.h"
#include "transform.h"

enum { VG_PREVIEW_BINS = 32, VG_PREVIEW_VARIANTS = 32 };

typedef enum vg_preview_by { VG_PREVIEW_CLASSES, VG_PREVIEW_OPERATIONS } vg_preview_by;

typedef struct vg_preview_options {
    vg_preview_by by;
    int variants; /* in a row, 1 to VG_PREVIEW_VARIANTS (7) */
    int max_rows; /* of classes (12); more classes than that: evenly chosen */
    uint64_t seed;
    int draws;                    /* of the policy that are inspected for the summary (500) */
    const struct vg_check *check; /* of the same policy: its findings stand beside what they are
                                     about; NULL: none */
    int cell;                     /* pictures wider or higher than this are shown smaller (1024) */
} vg_preview_options;
vg_preview_options vg_preview_options_default(void);

typedef struct vg_preview_tile {
    vg_image picture;
    char caption[VG_PLAN_TEXT + 256]; /* the drawn parameters; no break within one (U+00A0) */
    char reason[96];                  /* of a finding, with the operation that is to blame */
    vg_finding finding;
    bool looks_like_another; /* class; the reason names it */
} vg_preview_tile;

typedef struct vg_preview_row {
    char name[256];    /* of the class or operation */
    char note[200];    /* "120 training pictures", "−20 to 20 degrees, every sample" */
    char warning[600]; /* of the check, about this row's operation; may be empty */
    char problem[160]; /* not empty: no picture of the class could be read, and why */
    vg_image original; /* reduced to fit the cell */
    int width, height; /* of the original as decoded */
    vg_preview_tile tiles[VG_PREVIEW_VARIANTS];
    double before[VG_PREVIEW_BINS],
        after[VG_PREVIEW_BINS]; /* shares of luma as the network gets it */
} vg_preview_row;

typedef struct vg_preview_summary {
    size_t draws;                       /* inspected */
    size_t pictures;                    /* on so many training pictures */
    size_t findings[VG_FINDING_COUNT];  /* of the draws */
    size_t destroyed_by[VG_PART_CODES]; /* draws that would not be destroyed without it; of several
                                            such operations the one whose loss leaves least change */
    size_t destroyed_together;          /* draws that no single operation is to blame for */
    int rows;                           /* shown */
    int classes;                        /* with training pictures */
    int variants_unchanged, variants_destroyed, variants_like_others; /* of those shown */
} vg_preview_summary;

typedef struct vg_preview {
    vg_preview_row *rows; /* [summary.rows] */
    int zoom; /* whole-pixel enlargement of variants that fits the cell; 0: they are shown smaller */
    vg_preview_summary summary;
} vg_preview;

/* Chooses classes and samples, reads, transforms and inspects. The pixels of a variant are those that
 * the loader would deliver for the key {seed, epoch = number of the variant, position = index of the
 * sample}, de-normalized on a fixed scale: fitted normalizations by their inverse, per-image z-scores
 * and ZCA (whitened) with -2.5..2.5 as black..white, per-image min-max with 0..1 as black..white. VG_E_ARG for options
 * out of range, VG_E_STATE when the training split is empty, or the first error when no picture could
 * be read. Release with vg_preview_reset, also after an error. */
vg_status vg_preview_gather(const vg_dataset *dataset, const vg_augment *augment,
                            const vg_preview_options *options, vg_preview *preview, vg_error *err);
void vg_preview_reset(vg_preview *preview);

/* Draws that a summary calls destroyed. */
size_t vg_preview_destroyed(const vg_preview_summary *summary);
/* "12 mostly fill, 3 clipped to black or white": the findings that destroy, those that occurred. */
void vg_preview_kinds(const vg_preview_summary *summary, char *text, size_t capacity);
/* "24 by zoom, 3 by shift, 2 by several together"; empty when
 * nothing was destroyed. At most `most` operations are named. */
void vg_preview_blame(const vg_preview_summary *summary, int most, char *text, size_t capacity);

#endif
