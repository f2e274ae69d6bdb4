/* Noise whose strength depends on the pixel. Streams are drawn in the order of the values, so that
 * the bytes depend on the key alone. */
#include "ops/sensor.h"

#include "arithmetic.h"
#include "base/rng.h"
#include "ops/noise.h"

#include <math.h>

/* Normals of their own for this use, into p->spare. */
static const float *normals(const vg_pixels *p, const vg_sample_key *key, uint32_t use, size_t n)
{
    vg_sample_key own = *key;
    own.seed = vg_mix(key->seed, use);
    vg_noise_normals(p->spare, n, &own);
    return p->spare;
}

void vg_sensor_speckle(const vg_pixels *p, double sigma, const vg_sample_key *key, uint32_t use)
{
    if (!(sigma > 0))
        return;
    size_t n = vg_pixels_count(p);
    const float *z = normals(p, key, use, n);
    float s = (float)sigma;
    for (size_t i = 0; i < n; i++)
        p->x[i] = vg_pixels_clamp(p->x[i] * (1 + s * z[i]));
}

/* The smallest k with P(K <= k) > u: inversion by adding up. */
static int poisson(double mean, double u)
{
    double term = vg_exponential(-mean), sum = term;
    int k = 0;
    while (u >= sum && k < 256) {
        term *= mean / ++k;
        sum += term;
    }
    return k;
}

void vg_sensor_poisson(const vg_pixels *p, double photons, const vg_sample_key *key, uint32_t use)
{
    if (!(photons > 0))
        return;
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, use);
    size_t n = vg_pixels_count(p);
    const float *z = normals(p, key, use, n);
    double scale = photons / 255, back = 255 / photons;
    for (size_t i = 0; i < n; i++) {
        double mean = (double)p->x[i] * scale, count, u = vg_rng_double(&rng);
        if (mean <= 64) {
            count = poisson(mean, u);
        } else {
            double normal = (double)z[i];
            count = floor(mean + sqrt(mean) * normal + (normal * normal - 1) / 6 + 0.5);
        }
        p->x[i] = vg_pixels_clamp((float)(count * back));
    }
}

void vg_sensor_salt_pepper(const vg_pixels *p, double amount, const vg_sample_key *key,
                           uint32_t use)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, use);
    size_t n = vg_pixels_plane(p);
    float most = (float)amount, half = most / 2;
    for (size_t i = 0; i < n; i++) {
        float u = vg_rng_float(&rng);
        if (u >= most)
            continue;
        for (int c = 0; c < p->channels; c++)
            p->x[(size_t)c * n + i] = u < half ? 0 : 255;
    }
}

void vg_sensor_iso(const vg_pixels *p, double grain, const vg_sample_key *key, uint32_t use)
{
    if (!(grain > 0))
        return;
    size_t n = vg_pixels_plane(p);
    float read = (float)(grain * grain / 16), shot = (float)(grain * grain / 255);
    const float half = 0.70710678f;
    /* The common part first: it scales with the pixel's own value in each channel. */
    const float *z = normals(p, key, use, n);
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n;
        for (size_t i = 0; i < n; i++)
            x[i] += (p->channels == 3 ? half : 1) * sqrtf(shot * x[i] + read) * z[i];
    }
    if (p->channels == 1) {
        for (size_t i = 0; i < n; i++)
            p->x[i] = vg_pixels_clamp(p->x[i]);
        return;
    }
    z = normals(p, key, use + 1, 3 * n);
    for (size_t i = 0; i < 3 * n; i++) {
        float v = vg_pixels_clamp(p->x[i]);
        p->x[i] = vg_pixels_clamp(v + half * sqrtf(shot * v + read) * z[i]);
    }
}
