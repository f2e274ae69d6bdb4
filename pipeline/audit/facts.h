/* What one picture of a dataset tells about itself. One entry a sample is kept through the whole audit. */
#ifndef VG_AUDIT_FACTS_H
#define VG_AUDIT_FACTS_H

#include "image/decode.h"
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
    VG_FACT_CLEAR = 64,   /* with transparent pixels */
    VG_FACT_EXIF = 128    /* EXIF data are there */
};

/* The border's sides. */
enum { VG_SIDE_TOP, VG_SIDE_RIGHT, VG_SIDE_BOTTOM, VG_SIDE_LEFT, VG_SIDES };

typedef struct vg_facts {
    float brightness, contrast; /* mean and standard deviation of BT.601 luma, 0..1 */
    float mean[3], std[3]; /* of each channel, 0..255; of a grey picture three times the same */
    int32_t width, height; /* upright, pixels */
    uint64_t file_bytes;   /* 0: stored decoded */
    uint16_t flags;
    uint8_t format;  /* vg_image_format */
    uint8_t colour;  /* vg_colour_type, of the file */
    uint8_t bits;    /* a sample of a channel in the file; 0: stored decoded, or not known */
    uint8_t quality; /* of a JPEG, 1..100 (see vg_decode_info); 0: not known */
    /* Luma below which 1, 5, 95, 99 % of the pixels are, or as high. */
    uint8_t p1, p5, p95, p99;
    uint16_t entropy;  /* of the luma's 256 values, VG_ENTROPY_STEPS a bit */
    uint16_t edge;     /* usual width of an edge, VG_EDGE_STEPS a pixel; 0: there are none */
    uint16_t coloured; /* share of pixels with colour, of VG_WHOLE */
    uint16_t border[VG_SIDES]; /* widths of a frame of one colour around the picture, pixels */
} vg_facts;
enum { VG_ENTROPY_STEPS = 4096, VG_EDGE_STEPS = 256, VG_WHOLE = 65535 };

/* What the pixels tell: everything but file_bytes, format, colour, bits, quality and the flags DECODED, WARNED, TURNED,
 * MISNAMED, CLEAR and EXIF, which are left as they are. Pure function of the picture, the same numbers on every
 * machine.
 *
 * Of a large picture a part is measured: bands of 8 rows at equal distances, so that it is an eighth or 16,384 pixels,
 * whatever is more; GREY, FLAT and the border always come from all that matters to them.
 *
 * An edge's width is sqrt(2 sum (x')^2 / sum (x'')^2) over neighbours along rows or columns, the wider of the two: 1 for
 * a hard step, two standard deviations of the blur of a soft one. It does not depend on contrast, and strong edges count
 * most: a sharp subject before a blurred ground is sharp. Second differences of one level count as none, or
 * rounding would pass for detail.
 *
 * A pixel has colour when two of its channels are more than 12 levels apart (JPEG leaves grey pictures tints of less).
 *
 * A border is what is of one colour (within 10 levels) along a whole side and ends in a straight line: of the pixels just
 * inside at least 6 in 10 differ. Without the line it is a ground on which an object stands. */
void vg_facts_measure(const vg_image *image, vg_facts *facts);

#endif
