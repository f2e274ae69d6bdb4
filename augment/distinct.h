/* How many different views a policy makes of one picture: what repeating it is worth. */
#ifndef VG_AUGMENT_DISTINCT_H
#define VG_AUGMENT_DISTINCT_H

#include "policy.h"

#include <stdint.h>

/* What the policy was seen to draw for one picture within an epoch. */
typedef struct vg_view_kinds {
    bool endless;   /* (almost) no draw came twice: something in the policy varies without steps */
    double *shares; /* [count] of each view that was drawn; not when endless */
    size_t count;
} vg_view_kinds;

/* Draws 4,096 times, as the loader would at different places of an epoch. input: width and height of the network's
 * input; picture: of the picture, pixels. Two draws are one view when everything that they do to a picture is the same
 * number: two turns by 3.1 and 3.2 degrees are two views, however alike. Pure. VG_E_NOMEM. */
vg_status vg_view_kinds_find(const vg_policy *policy, const int input[2], const int picture[2],
                             vg_view_kinds *kinds, vg_error *err);
void vg_view_kinds_reset(vg_view_kinds *kinds);
/* Expected different views in so many draws of one picture: at most `draws`. */
double vg_view_kinds_among(const vg_view_kinds *kinds, uint64_t draws);
/* Of a class of `images` pictures that is seen `seen` times in an epoch, every picture as often as every other or once
 * more (load/sampler.h). */
double vg_view_kinds_of_class(const vg_view_kinds *kinds, uint64_t images, uint64_t seen);

#endif
