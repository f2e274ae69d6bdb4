/* One picture under every operation, each alone at a typical strength: a sheet to look at. */
#ifndef VG_AUGMENT_GALLERY_H
#define VG_AUGMENT_GALLERY_H

#include "image/image.h"
#include "operation.h"

/* What one would write in a policy to see clearly what the operation does; 0 for those that take no
 * number. */
double vg_gallery_strength(vg_operation operation);
/* Draws the sheet (RGB) for an RGB picture of 16 to 512 pixels a side, shown at its size: the picture
 * itself, then the operations in the order of their numbers, with what was drawn below each. VG_E_ARG
 * for other pictures. */
vg_status vg_gallery_draw(const vg_image *picture, uint64_t seed, vg_image *sheet, vg_error *err);

#endif
