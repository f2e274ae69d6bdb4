/* Did a plan do nothing that could be seen, or did it destroy the picture? Simple, stated measures
 * on what the network gets. */
#ifndef VG_AUGMENT_INSPECT_H
#define VG_AUGMENT_INSPECT_H

#include "transform.h"

typedef enum vg_finding {
    VG_FINDING_NONE,      /* changed, and still a picture */
    VG_FINDING_UNCHANGED, /* mean absolute difference to the un-augmented view below one 8-bit step */
    VG_FINDING_FILL,      /* more than half of the pixels lie outside of the picture */
    VG_FINDING_CLIPPED,   /* the share of values at 0 or 255 rose by more than 0.6 */
    VG_FINDING_FLAT,      /* less than a tenth of the contrast (standard deviation) is left */
    VG_FINDING_CUT,       /* less than a quarter of what the picture shows is left in view */
    VG_FINDING_DETAIL, /* less than a tenth of its detail is left: blurred, drowned in noise, hidden */
    VG_FINDING_COUNT
} vg_finding;

typedef struct vg_inspection {
    vg_finding finding;
    double change;  /* mean absolute difference to the un-augmented view, 8-bit steps */
    double outside; /* share of pixels that were filled, less that of the un-augmented view */
    double clipped; /* share of values at 0 or 255, less that of the un-augmented view */
    double
        contrast; /* standard deviation over that of the un-augmented view; 1 for flat pictures */
    /* The share of the un-augmented view's edges (gradient length on a grid of at most 32 x 32) that lie
     * within the new view. Edges stand for the object: plain background has none, so that a crop of sky
     * counts as lost and one that fills the view with the object as kept. 1 for flat pictures and
     * for mixtures (AugMix), of which a part always shows the whole. */
    double visible;
    /* The squared correlation of the gradients of both views on that grid: the share of the detail that
     * is still there, whatever brightness and contrast. 1 where the picture was moved, which cannot be
     * compared cell by cell, and for flat pictures. */
    double detail;
} vg_inspection;

/* `before` and `after` are vg_augment_view of one in_width x in_height picture, without and with
 * `plan`. Pure. */
vg_inspection vg_inspect(const vg_augment *augment, const vg_plan *plan, int in_width,
                         int in_height, const float *before, const float *after);
/* A few words with the number: "58 % fill", "no visible change"; empty for VG_FINDING_NONE. */
void vg_inspection_print(const vg_inspection *inspection, char *text, size_t capacity);
/* Whether a finding means that the picture was destroyed. */
bool vg_finding_destroys(vg_finding finding);

#endif
