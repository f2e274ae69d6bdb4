/* How one picture lies in a cache, in memory and in the packed file: a head of 64 bytes, the
 * decoder's warning if there is one, the pixels, each from a multiple of 64 on. In the machine's
 * byte order. Internal to the cache. */
#ifndef VG_LOAD_CACHE_RECORD_H
#define VG_LOAD_CACHE_RECORD_H

#include "load/cache.h"

enum { VG_RECORD_ALIGN = 64, VG_RECORD_NOTE = 160, VG_RECORD_HEAD_MAX = 256 };

typedef struct vg_record {
    uint64_t check;   /* XXH3-64 of the pixels, seeded with that of the rest of head and note */
    uint64_t bytes;   /* of all of it, a multiple of VG_RECORD_ALIGN */
    uint64_t content; /* low half of the XXH3-128 of the stored bytes */
    uint64_t damage_offset;
    double intact;
    int32_t width, height, full_width, full_height;
    uint8_t channels, shrink;
    uint8_t format; /* of the stored bytes, times 2, plus 1 when they were damaged */
    uint8_t note;   /* bytes of the warning with its terminator, 0: none */
    uint32_t magic;
} vg_record;
_Static_assert(sizeof(vg_record) == 64, "the head of a picture is laid out for files");

/* The head with its note, as it goes before the pixels; returns its length. `check` is left 0. */
size_t vg_record_make(const vg_image *image, const vg_decode_info *info, uint64_t content,
                      uint8_t head[VG_RECORD_HEAD_MAX]);
/* Fills in `check`. */
void vg_record_seal(uint8_t *head, const uint8_t *pixels);
size_t vg_record_pixel_bytes(const vg_record *record);

/* Whether a record lies at `record`, of which `room` bytes are there, and is what was written. */
bool vg_record_valid(const vg_record *record, uint64_t room);
/* What the record says; it must be valid. */
void vg_record_open(const vg_record *record, vg_cached *picture);

#endif
