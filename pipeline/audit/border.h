/* The frame of one colour around a picture. Private to audit/. */
#ifndef VG_AUDIT_BORDER_H
#define VG_AUDIT_BORDER_H

#include "audit/facts.h"

/* Fills the widths of the border's sides in pixels, all 0 where there is none; facts.h says what counts as one. It
 * stands at two opposite sides at least, which have the same colour, or at all four. Cheap: most pictures are told
 * after a look at the beginning of each side. */
void vg_border_find(const vg_image *image, uint16_t border[VG_SIDES]);

#endif
