/* JPEG artefacts: through an encoder and back. See pixels.h; the values come back as whole bytes. */
#ifndef VG_AUGMENT_OPS_RECOMPRESS_H
#define VG_AUGMENT_OPS_RECOMPRESS_H

#include "base/file.h"
#include "image/decode.h"
#include "ops/pixels.h"

/* Of one thread; zero-initialize, release with vg_recompress_reset. */
typedef struct vg_recompress_scratch {
    vg_image picture;
    vg_bytes bytes;
    vg_decoder *decoder;
} vg_recompress_scratch;
void vg_recompress_reset(vg_recompress_scratch *scratch);

/* As JPEG of `quality` 1 to 100 (4:2:0 below 90) shows it. Unlike the other operations this one
 * allocates, inside the JPEG library. VG_E_NOMEM, VG_E_ARG for another quality. */
vg_status vg_recompress(const vg_pixels *p, int quality, vg_recompress_scratch *scratch,
                        vg_error *err);

#endif
