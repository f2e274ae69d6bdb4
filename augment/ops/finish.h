/* The last step of samples that need no warp: interleaved bytes to planar floats, moved, mirrored and
 * scaled on the way. */
#ifndef VG_AUGMENT_OPS_FINISH_H
#define VG_AUGMENT_OPS_FINISH_H

#include "image/image.h"
#include "policy.h"

#include <stdbool.h>

typedef struct vg_finish {
    int width, height, channels; /* of the output; channels 1 or 3 */
    int x, y;                    /* where in the output the picture's first pixel goes */
    bool mirror_x, mirror_y;     /* after that */
    vg_fill fill;                /* of what the picture leaves open */
    double fill_value;
    float scale[3], offset[3]; /* of each channel of the output */
} vg_finish;

/* out (C H W) = v * scale[c] + offset[c], a multiplication and an addition of floats. Of three channels
 * for an output of one the luma is taken (vg_luma), one fills all three. Needs a picture of 1 or 3
 * channels with at least a pixel. Pure. */
void vg_finish_run(const vg_finish *finish, const vg_view *in, float *out);

/* One row of it: `n` pixels of `in_channels` to `n` floats at each of out[0 .. channels - 1], from the
 * last one on when mirrored. Channels alike, or one in and three out. */
typedef void (*vg_finish_row)(const uint8_t *in, size_t n, int in_channels, const vg_finish *finish,
                              float *const out[3]);
enum { VG_FINISH_PLAIN, VG_FINISH_AVX2, VG_FINISH_AVX512, VG_FINISH_VERSIONS };
/* That version, or NULL where this machine cannot run it. All give the same bits. */
vg_finish_row vg_finish_version(int version);

#endif
