/* The operations that a policy may draw with a chance, alone or in groups: one table with the name,
 * the unit, the range and the neutral value of each, and how a drawn one is printed and applied.
 *
 * Geometric ones (VG_KIND_GEOMETRY) are never applied by themselves: they go into the one matrix of
 * the plan (vg_step_matrix) or, perspective and elastic, around it (curve.h). All others work on planar floats at the network's input size. */
#ifndef VG_AUGMENT_OPERATION_H
#define VG_AUGMENT_OPERATION_H

#include "base/rng.h"
#include "load/loader.h"
#include "ops/pixels.h"
#include "ops/recompress.h"

#include <stdbool.h>

typedef enum vg_operation {
    VG_OP_ROTATE, /* numbers are part of what makes runs repeatable: add, never renumber */
    VG_OP_SHEAR_X,
    VG_OP_SHEAR_Y,
    VG_OP_SHIFT_X,
    VG_OP_SHIFT_Y,
    VG_OP_SCALE,
    VG_OP_FLIP_H,
    VG_OP_FLIP_V,
    VG_OP_TURN,
    VG_OP_BRIGHTNESS,
    VG_OP_CONTRAST,
    VG_OP_SATURATION,
    VG_OP_HUE,
    VG_OP_GAMMA,
    VG_OP_CHANNEL_SHIFT,
    VG_OP_RGB_SHIFT,
    VG_OP_SHUFFLE,
    VG_OP_GREY,
    VG_OP_INVERT,
    VG_OP_POSTERIZE,
    VG_OP_SOLARIZE,
    VG_OP_EQUALIZE,
    VG_OP_AUTOCONTRAST,
    VG_OP_CLAHE,
    VG_OP_NOISE,
    VG_OP_SPECKLE,
    VG_OP_POISSON,
    VG_OP_SALT_PEPPER,
    VG_OP_ISO,
    VG_OP_BLUR,
    VG_OP_MOTION,
    VG_OP_MEDIAN,
    VG_OP_SHARPNESS,
    VG_OP_JPEG,
    VG_OP_DOWNSCALE,
    VG_OP_ERASE,
    VG_OP_CUTOUT,
    VG_OP_GRID,
    VG_OP_IDENTITY,
    VG_OP_PERSPECTIVE,
    VG_OP_ELASTIC,
    VG_OPERATIONS
} vg_operation;

typedef enum vg_kind {
    VG_KIND_GEOMETRY,
    VG_KIND_COLOUR,
    VG_KIND_NOISE,
    VG_KIND_FILTER,
    VG_KIND_OCCLUDE,
    VG_KIND_NOTHING
} vg_kind;

/* What one number v means; lo:hi always means U(lo, hi). */
typedef enum vg_form {
    VG_FORM_NONE,      /* takes no number */
    VG_FORM_SYMMETRIC, /* U(-v, v) */
    VG_FORM_FACTOR,    /* U(max(0, 1 - v), 1 + v) */
    VG_FORM_UP_TO,     /* U(0, v) */
    VG_FORM_EXACT      /* v itself */
} vg_form;

typedef struct vg_operation_info {
    const char *name;
    vg_kind kind;
    vg_form form;
    double low, high; /* what a drawn value may be */
    double neutral;   /* the value that changes nothing; NAN: there is none */
    bool whole;       /* drawn as a whole number */
    const char *meaning;
} vg_operation_info;
const vg_operation_info *vg_operation_of(vg_operation operation);
/* VG_OPERATIONS when there is none of that name. */
vg_operation vg_operation_named(const char *name, size_t length);

/* One operation with the numbers drawn for it. */
typedef struct vg_step {
    vg_operation operation;
    float v[4]; /* v[0] is the value of the table; others as vg_step_draw says */
} vg_step;

/* Draws U(low, high) and whatever else the operation needs (a direction, a place). */
vg_step vg_step_draw(vg_operation operation, double low, double high, vg_rng *rng);
/* The step with a value chosen by somebody else; the rest is drawn. */
vg_step vg_step_with(vg_operation operation, double value, vg_rng *rng);
/* Whether it leaves every picture as it is. */
bool vg_step_is_neutral(const vg_step *step);
/* "blur 1.2", "erase 12%"; returns the length, as snprintf. */
int vg_step_print(const vg_step *step, char *text, size_t capacity);

/* Multiplies `m` (output pixel -> input pixel about the picture's centre, in pixels of a width x
 * height picture, rows (m0 m1 m2) and (m3 m4 m5)) from the right with a geometric step. Positive
 * angles turn counter-clockwise, positive shifts go right and down, scale below 1 magnifies. */
void vg_step_matrix(const vg_step *step, double width, double height, double m[6]);

/* Applies a step that is not geometric. `place` is its place in the plan: it names the random
 * stream, so that the same operation twice draws twice. VG_E_NOMEM from the JPEG step only. */
vg_status vg_step_apply(const vg_step *step, const vg_pixels *pixels, const vg_sample_key *key,
                        int place, vg_recompress_scratch *scratch, vg_error *err);

#endif
