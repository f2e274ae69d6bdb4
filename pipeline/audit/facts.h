/* What one picture of a dataset tells about itself. One entry a sample is kept through the whole audit. */
#ifndef VG_AUDIT_FACTS_H
#define VG_AUDIT_FACTS_H

#include "image/image.h"

#include <stdint.h>

/* vg_facts.flags */
enum {
    VG_FACT_DECODED = 1,
    VG_FACT_WARNED = 2,   /* the decoder warned, or only a part is whole */
    VG_FACT_TURNED = 4,   /* EXIF asks for another orientation than upright */
    VG_FACT_MISNAMED = 8, /* another known format than the name says, broken or not */
    VG_FACT_GREY = 16,    /* no pixel has colour */
    VG_FACT_FLAT = 32,    /* one colour, see flat.h */
    VG_FACT_CLEAR = 64    /* with transparent pixels */
};

typedef struct vg_facts {
    float brightness, contrast; /* mean and standard deviation of BT.601 luma, 0..1 */
    float mean[3], std[3]; /* of each channel, 0..255; of a grey picture three times the same */
    int32_t width, height; /* upright, pixels */
    uint64_t file_bytes;   /* 0: stored decoded */
    uint8_t format;        /* vg_image_format */
    uint8_t flags;
    uint8_t bits; /* a sample of a channel in the file; 0: stored decoded, or not known */
} vg_facts;

/* What the pixels tell: everything but file_bytes, format, bits and the flags DECODED, WARNED, TURNED, MISNAMED and
 * CLEAR, which are left as they are. Pure function of the picture, the same numbers on every machine. */
void vg_facts_measure(const vg_image *image, vg_facts *facts);

#endif
