/* Gaussian noise whose bytes are the same on every machine and thread. */
#ifndef VG_AUGMENT_OPS_NOISE_H
#define VG_AUGMENT_OPS_NOISE_H

#include "base/simd.h"
#include "load/loader.h"

/* x[i] += sigma * normal(i), clamped to 0..255, i in [0, n): 64 generators xoshiro128++, whose states are
 * the Philox stream named by (key, VG_RNG_NOISE), through the inverse of the normal distribution
 * function (error below 2.5e-4, magnitudes up to 6.2); value i does not depend on n. Nothing happens for sigma of 0 or below. Pure. */
void vg_noise_add(float *x, size_t n, double sigma, const vg_sample_key *key);
/* The standard normals themselves. */
void vg_noise_normals(float *out, size_t n, const vg_sample_key *key);

/* Both, in a version that this machine must have: the normals themselves where sigma is 0. All give
 * the same bytes. */
void vg_noise_run(vg_simd simd, float *x, size_t n, double sigma, const vg_sample_key *key);

#endif
