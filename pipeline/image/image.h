/* A decoded picture: 8-bit samples, interleaved (H W C), rows top to bottom without padding.
 * One channel is grey, three are RGB (sRGB as stored, no colour management). */
#ifndef VG_IMAGE_IMAGE_H
#define VG_IMAGE_IMAGE_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct vg_image {
    uint8_t *data; /* height * width * channels bytes, owned */
    int width;     /* pixels */
    int height;
    int channels;    /* 1 or 3 */
    size_t capacity; /* bytes allocated; storage is reused when the picture changes */
} vg_image;

/* Pixels that somebody else owns: a picture, a part of one, a cached one. Interleaved, rows `stride`
 * bytes apart. Valid as long as what it was taken from is neither changed nor freed. */
typedef struct vg_view {
    const uint8_t *data;
    int width, height, channels;
    size_t stride;
} vg_view;
vg_view vg_image_view(const vg_image *image);
/* The rectangle at (x, y), which must lie inside. */
vg_view vg_view_part(const vg_view *view, int x, int y, int width, int height);

/* Which part of a picture is meant. The picture is decoded at 1 / shrink of its size, each side
 * rounded up; the rectangle is in pixels of that. Its pixels are, bit for bit, those that the
 * picture as a whole has there at the same shrink. */
typedef struct vg_region {
    int full_width, full_height; /* of the upright picture as stored */
    int shrink;                  /* 1, 2, 4 or 8 */
    int x, y, width, height;
} vg_region;
vg_region vg_region_whole(int full_width, int full_height, int shrink);

/* Gives the image this shape, growing its storage when needed; the pixels are undefined afterwards.
 * A zero-initialized vg_image is a valid empty one. VG_E_ARG for sizes below 1 or channels other
 * than 1 and 3, VG_E_NOMEM (image untouched). */
vg_status vg_image_shape(vg_image *image, int width, int height, int channels, vg_error *err);
/* Frees the storage and makes the image empty. */
void vg_image_reset(vg_image *image);
size_t vg_image_bytes(const vg_image *image);
vg_status vg_image_copy(const vg_image *from, vg_image *to, vg_error *err);
/* Converts to 1 or 3 channels (grey by ITU-R BT.601 luma as libjpeg: 0.299 R + 0.587 G + 0.114 B).
 */
vg_status vg_image_convert(const vg_image *from, int channels, vg_image *to, vg_error *err);

#endif
