/* What is kept of a picture to find its copies: a hash of its pixels, and a small grey picture. */
#ifndef VG_AUDIT_FINGERPRINT_H
#define VG_AUDIT_FINGERPRINT_H

#include "image/image.h"

#include <stdint.h>

enum { VG_THUMB = 32, VG_MIDDLE = 96 };

typedef struct vg_fingerprint {
    uint64_t pixels[2];                 /* XXH3-128 of size, channels and all samples */
    uint8_t thumb[VG_THUMB * VG_THUMB]; /* luma, area averages, aspect not kept */
    uint8_t ready;                      /* 0: no picture to compare */
} vg_fingerprint;

/* Buffers of one thread; zero-initialized is empty. */
typedef struct vg_fingerprint_room {
    uint32_t *columns;
    size_t capacity;
} vg_fingerprint_room;
void vg_fingerprint_room_reset(vg_fingerprint_room *room);

/* VG_E_NOMEM. Pure function of the picture. */
vg_status vg_fingerprint_make(const vg_image *image, vg_fingerprint_room *room,
                              vg_fingerprint *print, vg_error *err);
/* The picture as size x size area averages of its luma (BT.601), size at most VG_MIDDLE; smaller ones are spread out. The same
 * bytes on every machine. */
vg_status vg_grey_square(const vg_image *image, int size, vg_fingerprint_room *room, uint8_t *out,
                         vg_error *err);

#endif
