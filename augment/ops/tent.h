/* Sampling of a reduced picture along an affine map: each output pixel is the mean of the input
 * under a tent. Private to ops/. */
#ifndef VG_AUGMENT_OPS_TENT_H
#define VG_AUGMENT_OPS_TENT_H

#include "base/simd.h"
#include "image/image.h"
#include "policy.h"

/* Pixel offset (x, y) -> tent coordinates (a, b) = (ax x + ay y, bx x + by y): the weight is
 * max(0, 1 - |a|) max(0, 1 - |b|). No direction may be narrower than one pixel. */
typedef struct vg_tent {
    double ax, ay, bx, by;
    double half_width, half_height; /* of its bounding box, input pixels */
} vg_tent;

typedef struct vg_tent_job {
    vg_view in;
    double m[6]; /* as vg_warp; no output pixel falls further than 2^22 pixels from the first */
    int width, height;
    vg_fill fill;
    double x0, x1, y0, y1; /* constant fill: output pixels whose centres fall outside are filled */
    float value;
    vg_tent tent;
} vg_tent_job;

/* Memory of one thread; zero-initialize, release with vg_tent_scratch_reset. */
typedef struct vg_tent_scratch {
    void *memory;
    size_t capacity;
} vg_tent_scratch;
void vg_tent_scratch_reset(vg_tent_scratch *scratch);

/* Fills `out`, planar floats. Places in the tent are rounded to 2^-14, weights to 2^-13 of the
 * tip's; the mean is of those. All versions give the same bytes; `simd` must be one that this machine
 * has. VG_E_NOMEM. */
vg_status vg_tent_run(const vg_tent_job *job, vg_simd simd, vg_tent_scratch *scratch, float *out,
                      vg_error *err);

#endif
