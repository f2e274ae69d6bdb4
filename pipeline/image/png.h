/* PNG through libpng. Internal to pipeline/image: decode.h and encode.h are public. */
#ifndef VG_IMAGE_PNG_H
#define VG_IMAGE_PNG_H

#include "image/codec.h"

/* Reads a PNG of any colour type and depth as vg_decode says, without turning it: 16 bits are
 * scaled to 8 with rounding, alpha and tRNS are composited over the background, gamma and colour profiles
 * are ignored, an animation gives its default picture. info->format is set already. */
vg_status vg_png_read(const vg_decode_job *job);

#endif
