/* Whether two pictures whose brightness fits have the same colours, which their fit (same_picture.h) does not see. */
#ifndef VG_AUDIT_SAME_COLOUR_H
#define VG_AUDIT_SAME_COLOUR_H

#include "audit/window.h"

#include <stdbool.h>

enum { VG_COLOUR_SIDE = 16 };

/* Averages of blue and red less luma (BT.601 without scaling) over a grid of cells. */
typedef struct vg_colours {
    int16_t blue[VG_COLOUR_SIDE * VG_COLOUR_SIDE], red[VG_COLOUR_SIDE * VG_COLOUR_SIDE];
    bool grey; /* no cell has colour */
} vg_colours;

/* Pure function. */
void vg_colours_make(const vg_image *image, vg_colours *colours);
/* Compares the window of `a` with all of `b` turned (window.h), a's colours times `gain`. The same if at least two thirds of
 * the cells agree but for 12 levels and a third of the colour (cutting off at white changes it), or if one of them is grey: it may have been made so. Pure function. */
bool vg_same_colour(const vg_colours *a, vg_window_part window, const vg_colours *b, int turn,
                    double gain);

#endif
