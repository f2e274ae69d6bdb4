/* Noise as cameras make it, beyond plain Gaussian (ops/noise.h). See pixels.h.
 *
 * Random numbers come from the stream (key, use): two operations on one picture must be given
 * different `use`s. */
#ifndef VG_AUGMENT_OPS_SENSOR_H
#define VG_AUGMENT_OPS_SENSOR_H

#include "load/loader.h"
#include "ops/pixels.h"

/* v (1 + sigma n), n standard normal, each value its own. */
void vg_sensor_speckle(const vg_pixels *p, double sigma, const vg_sample_key *key, uint32_t use);
/* Photons: white is `photons` of them on average, each value is Poisson distributed about its own
 * number. Exact up to a mean of 64, from there by a normal with Cornish-Fisher's second term. */
void vg_sensor_poisson(const vg_pixels *p, double photons, const vg_sample_key *key, uint32_t use);
/* A share `amount` of the pixels becomes black or white, half and half, all channels together. */
void vg_sensor_salt_pepper(const vg_pixels *p, double amount, const vg_sample_key *key,
                           uint32_t use);
/* High ISO: variance grain^2 (v / 255) + (grain / 4)^2, half of it common to the channels of a pixel (luminance)
 * and half of each channel's own (colour). `grain` is the sigma at white, 8-bit steps. */
void vg_sensor_iso(const vg_pixels *p, double grain, const vg_sample_key *key, uint32_t use);

#endif
