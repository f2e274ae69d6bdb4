/* The compressed data of a PNG inflated at once and handed on as if it had never been compressed.
 * Internal to pipeline/image. */
#ifndef VG_IMAGE_PNG_INFLATE_H
#define VG_IMAGE_PNG_INFLATE_H

#include "image/codec.h"

/* Memory that is kept from picture to picture, for one thread. */
struct vg_png_inflater {
    struct libdeflate_decompressor *library; /* made when first needed */
    vg_bytes joined;                         /* the compressed data of several chunks */
    vg_bytes inflated;
    size_t first, total; /* bytes of the two chunks that are handed out, see vg_png_inflate */
    size_t rest;         /* where in the file the chunks behind the picture data begin */
    size_t given;        /* bytes of what is handed out that were */
    uint64_t pictures;   /* inflated at once so far */
    bool off;            /* a switch for tests: never at once */
};

/* Releases what is held, not the struct. */
void vg_png_inflater_reset(vg_png_inflater *inflater);

/* Inflates the picture data that begin with the chunk at byte `at` of the file. True: everything was as
 * it has to be, and vg_png_inflate_give now serves, in place of the bytes from at + 8 on (behind the
 * length and name of the first chunk), two chunks of picture data that hold the same stored
 * uncompressed; after those the file goes on at inflater->rest. Their checksums are not right.
 * False: the file is to be read as it is. It may be damaged, or there is nothing to be won. */
bool vg_png_inflate(vg_png_inflater *inflater, const uint8_t *bytes, size_t size, size_t at);

/* The next `count` bytes; false if there are not so many. */
bool vg_png_inflate_give(vg_png_inflater *inflater, uint8_t *to, size_t count);
/* Whether all were given. */
bool vg_png_inflate_done(const vg_png_inflater *inflater);

#endif
