/* What stands on a contact sheet, before it is laid out. Internal to the sheet. */
#ifndef VG_AUGMENT_SHEET_ROWS_H
#define VG_AUGMENT_SHEET_ROWS_H

#include "sheet.h"

enum { SHEET_BINS = 32, SHEET_VARIANTS = 32 };

typedef struct sheet_tile {
    vg_image picture;
    char caption[240]; /* the drawn parameters */
    char reason[64];   /* of a finding */
    vg_finding finding;
} sheet_tile;

typedef struct sheet_row {
    int label;
    size_t count;      /* training samples of the class */
    vg_image original; /* fitted into the cell */
    int width, height; /* of the original as decoded */
    char problem[160]; /* not empty: no picture of the class could be read, and why */
    sheet_tile tiles[SHEET_VARIANTS];
    double before[SHEET_BINS], after[SHEET_BINS]; /* shares of luma as the network gets it */
} sheet_row;

typedef struct sheet_rows {
    sheet_row *rows;
    int cell; /* widest and highest picture, pixels */
    int zoom; /* whole-pixel enlargement of the variants; 0: shown smaller than they are */
    vg_sheet_summary summary;
} sheet_rows;

/* Chooses classes and samples, reads, transforms and inspects. Release with sheet_rows_reset, also
 * after an error. */
vg_status sheet_rows_gather(const vg_dataset *dataset, const vg_augment *augment,
                            const vg_sheet_options *options, int cell, sheet_rows *rows,
                            vg_error *err);
void sheet_rows_reset(sheet_rows *rows);

#endif
