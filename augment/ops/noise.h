/* Gaussian noise whose bytes are the same on every machine and thread. */
#ifndef VG_AUGMENT_OPS_NOISE_H
#define VG_AUGMENT_OPS_NOISE_H

#include "load/loader.h"

/* x[i] += sigma * normal(i), clamped to 0..255, i in [0, n): a Philox4x32-10 stream named by (key,
 * VG_RNG_NOISE) through Box and Muller's transform; value i does not depend on n. Pure. */
void vg_noise_add(float *x, size_t n, double sigma, const vg_sample_key *key);
/* The standard normals themselves. */
void vg_noise_normals(float *out, size_t n, const vg_sample_key *key);

#endif
