/* Pictures of one flat colour, which have nothing to learn from, and drawings on transparent ground that
 * are flat only over the colour that lies behind them. */
#ifndef VG_AUDIT_FLAT_H
#define VG_AUDIT_FLAT_H

#include "dataset/dataset.h"

/* Whether no channel's standard deviation reaches one of 255 steps. */
bool vg_image_is_flat(const vg_image *image);

/* Up to so many of the pictures are looked at, evenly chosen. */
enum { VG_FLAT_TRIED = 256, VG_FLAT_COLOURS = 3 };

/* What a set of pictures comes to over black, grey and white. */
typedef struct vg_flat_trial {
    size_t pictures; /* that could be read */
    size_t flat[VG_FLAT_COLOURS];
    double contrast[VG_FLAT_COLOURS]; /* mean of the standard deviations, 8-bit steps */
    int best; /* 0xRRGGBB: least flat ones, of equals the most contrast; VG_BACKGROUND_UNSET: no
                 other than the dataset's has fewer */
} vg_flat_trial;
/* Reads the samples `indices` over each colour, on the caller's thread. Those that cannot be read are
 * left out. VG_E_NOMEM. */
vg_status vg_flat_try(const vg_dataset *dataset, const size_t *indices, size_t count,
                      vg_flat_trial *trial, vg_error *err);

/* What was found in a set of pictures. */
typedef struct vg_flat {
    size_t pictures; /* that could be read */
    size_t flat;     /* of them */
    size_t hidden; /* of these: with transparent pixels, so that another background may show them */
    size_t example; /* index of the first flat one */
    int better;     /* vg_flat_trial.best of all pictures with transparent pixels */
} vg_flat;
/* Whether it is worth a warning: a twentieth of the pictures, and more than one. */
bool vg_flat_is_bad(const vg_flat *flat);
/* A sentence: "100 % of the images are one flat colour (...)", with the cause where it is known. Empty
 * without any. */
void vg_flat_words(const vg_flat *flat, const vg_dataset *dataset, char *text, size_t capacity);

#endif
