/* Covering parts of a picture: random erasing, cutout, grid mask. See pixels.h. */
#ifndef VG_AUGMENT_OPS_OCCLUDE_H
#define VG_AUGMENT_OPS_OCCLUDE_H

#include "load/loader.h"
#include "ops/pixels.h"

/* Sets the rectangle, which may reach outside, to value[c]. */
void vg_occlude_rectangle(const vg_pixels *p, int x, int y, int width, int height,
                          const float value[3]);
/* Fills it with uniform noise of the stream (key, use), each value its own. */
void vg_occlude_noise(const vg_pixels *p, int x, int y, int width, int height,
                      const vg_sample_key *key, uint32_t use);
/* GridMask (Chen et al., arXiv:2001.04086): squares of side (1 - keep) unit in a grid of `unit`
 * pixels, which begins at (x, y), become value[c]. keep in [0, 1], unit >= 2. */
void vg_occlude_grid(const vg_pixels *p, int unit, double keep, int x, int y, const float value[3]);

#endif
