/* What is done to THIS sample: the numbers that a policy drew for it. Printable and replayable. */
#ifndef VG_AUGMENT_PLAN_H
#define VG_AUGMENT_PLAN_H

#include "crop.h"
#include "load/loader.h"
#include "policy.h"

typedef struct vg_plan {
    vg_crop crop; /* width 0: none */
    int pad_x,
        pad_y; /* pixels of the input by which the picture is moved right / down (pad_crop) */
    double rotate_deg;
    double shift_x,
        shift_y; /* fractions of the width and height; positive moves the picture right / down */
    double shear_deg;
    double zoom_x, zoom_y; /* output -> input scale: below 1 magnifies */
    bool flip_horizontal, flip_vertical;
    double brightness, contrast, saturation; /* factors, 1: none */
    double hue;                              /* turns */
    int colour_order[4]; /* order of 0 brightness, 1 contrast, 2 saturation, 3 hue */
    double noise;        /* sigma, 8-bit steps */
    vg_steps steps; /* operations drawn with a chance; their geometry comes after all above but the
                       flips, their other operations after colour and before noise */
    vg_sample_key key; /* names the noise stream */
    vg_fill fill;
    double fill_value;
    vg_interpolation interpolation;
} vg_plan;

/* Does nothing. */
vg_plan vg_plan_none(void);
/* Draws in a fixed order from the stream (key, VG_RNG_PLAN): switching an operation on or off does
 * not change what is drawn for the others. `width` x `height` is the network's input: shifts given
 * in pixels are pixels of it (as in Keras), so that they are as strong on large pictures as on
 * small ones. `in_width` x `in_height` is the upright picture at its full size, in whose pixels the
 * crop is drawn: the plan can be replayed on that picture. */
vg_plan vg_plan_draw(const vg_policy *policy, const vg_sample_key *key, int width, int height,
                     int in_width, int in_height);
/* What chain `chain` (from 0) of a plan with chains (AugMix) does as a plan of its own; -1: the
 * picture without them. */
vg_plan vg_plan_chain(const vg_plan *plan, int chain);
/* Whether it needs resampling beyond a resize: anything geometric but crops, flips and quarter turns. */
bool vg_plan_warps(const vg_plan *plan);
/* Quarter turns of a plan that does not warp, 0 to 3 counter-clockwise, which come before its flips. */
int vg_plan_turns(const vg_plan *plan);
/* "crop 210×180+33+20 rot −12° shift +8% −3% zoom 1.10 0.95 flip-h noise 5": only what was drawn; "unchanged" if
 * nothing. UTF-8. VG_PLAN_TEXT bytes are enough. */
#define VG_PLAN_TEXT 1024
void vg_plan_print(const vg_plan *plan, char *text, size_t capacity);
/* What the output shows where nothing moves it, in pixels of a picture, pixel (0, 0) covering 0..1: the
 * picture, a crop, or more than the picture. */
typedef struct vg_frame {
    double x, y, width, height;
} vg_frame;

/* The one matrix of all geometry, with the resize: maps output pixel (x, y) of a width x height
 * picture to pixel coordinates of the picture that `frame` lies in: (m[0] x + m[1] y + m[2],
 * m[3] x + m[4] y + m[5]); pixel centres at integers. The plan's crop is not looked at.
 *
 * Keras' order, in (x, y) with y downwards, about the true centre of the frame:
 * M = Rotate Shift Shear Zoom Steps Pad Flip Resize, Rotate = [c -s; s c], Shear = [1 -sin; 0 cos]; shifts
 * are fractions of the frame. Geometry acts on the picture as it was decoded, so that a turned circle
 * stays a circle, and is then stretched to the network's input as evaluation stretches it; Keras
 * stretches first. Both are the same for pictures of the input's aspect. */
void vg_plan_matrix_of(const vg_plan *plan, const vg_frame *frame, int width, int height,
                       double m[6]);
/* The same in two: output pixel (u, v) -> q = (from[0] u + from[1], from[2] v + from[3]), pixels of the
 * frame about its centre, mirrored and moved; and q -> pixel of the picture. */
void vg_plan_split(const vg_plan *plan, const vg_frame *frame, int width, int height,
                   double from[4], double m[6]);
/* The same for the plan's crop, or without one for the whole of an in_width x in_height picture. */
void vg_plan_matrix(const vg_plan *plan, int in_width, int in_height, int width, int height,
                    double m[6]);

#endif
