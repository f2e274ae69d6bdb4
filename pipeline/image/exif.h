/* The EXIF orientation: where it stands in a file, and turning a picture upright.
 * Sources: CIPA DC-008 (Exif 2.32) 4.6.2 and 4.7.2, TIFF 6.0 section 2. Thread-safe. */
#ifndef VG_IMAGE_EXIF_H
#define VG_IMAGE_EXIF_H

#include "image/image.h"

/* The orientation 1..8 in EXIF data (a TIFF header and its first directory, with or without the
 * "Exif\0\0" before it); 0 if it is not there, or damaged, or outside 1..8. Never fails. */
int vg_exif_orientation(const uint8_t *bytes, size_t size);
/* The same from the first Exif APP1 segment before the picture data of a JPEG file. */
int vg_exif_orientation_of_jpeg(const uint8_t *bytes, size_t size);
/* Where that segment's data begin, "Exif\0\0" included; NULL without one. */
const uint8_t *vg_exif_in_jpeg(const uint8_t *bytes, size_t size, size_t *found);

/* Turns a picture with this orientation upright; 0 and 1 change nothing. Orientations 5 to 8
 * exchange width and height and go through `spare`, whose storage is exchanged with the picture's;
 * the others work in place. VG_E_NOMEM (picture untouched). */
vg_status vg_exif_apply(vg_image *image, int orientation, vg_image *spare, vg_error *err);

#endif
