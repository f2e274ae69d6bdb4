/* Writing pictures: sheets, thumbnails, the sample dataset. Grey or RGB, 8 bits. Thread-safe. */
#ifndef VG_IMAGE_ENCODE_H
#define VG_IMAGE_ENCODE_H

#include "base/file.h"
#include "image/image.h"

/* JPEG into *out (storage reused); quality 1..100, 4:2:0 below 90 and 4:4:4 from there on. */
vg_status vg_jpeg_encode(const vg_image *image, int quality, vg_bytes *out, vg_error *err);
/* PNG into *out; level 0..9 is zlib's. */
vg_status vg_png_encode(const vg_image *image, int level, vg_bytes *out, vg_error *err);

#endif
