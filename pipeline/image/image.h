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
