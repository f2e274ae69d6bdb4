/* WebP through libwebp, where the build has it. Internal to pipeline/image: decode.h is public. */
#ifndef VG_IMAGE_WEBP_H
#define VG_IMAGE_WEBP_H

#include "image/codec.h"

/* Whether this build reads WebP. */
bool vg_webp_readable(void);
/* Reads a lossy or lossless WebP as vg_decode says, without turning it; alpha is composited over
 * the background. Animations are refused. info->format is set already. */
vg_status vg_webp_read(const vg_decode_job *job);

#endif
