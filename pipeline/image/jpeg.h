/* JPEG through libjpeg-turbo. Internal to pipeline/image: decode.h and encode.h are public. */
#ifndef VG_IMAGE_JPEG_H
#define VG_IMAGE_JPEG_H

#include "image/codec.h"

/* The library's state, for one thread, reused from file to file. */
vg_status vg_jpeg_new(vg_jpeg_reader **reader, vg_error *err);
void vg_jpeg_free(vg_jpeg_reader *reader);
/* Reads a JPEG of 1, 3 or 4 components (grey, RGB, YCbCr, CMYK, YCCK; baseline, progressive,
 * arithmetic) as vg_decode says, without turning it: exactly the part that was chosen.
 * info->format is set already. */
vg_status vg_jpeg_read(const vg_decode_job *job);

#endif
