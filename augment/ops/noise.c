/* Counter-based Gaussian noise, many counters at a time.
 *
 * Noise is drawn for every value of every sample, so it must cost little more than the addition:
 * Philox and the Box-Muller transform are written as loops over arrays, which compilers turn into
 * vector code, with the logarithm, sine and cosine as polynomials of our own. Those use only +, -,
 * *, / and sqrt, which IEEE 754 rounds the same way everywhere, where the C library's functions
 * differ from version to version. Their error (below 1e-6) is far below what the 24-bit uniforms
 * resolve. */
#include "ops/noise.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

enum {
    LANES = 32,       /* Philox blocks at a time */
    BLOCK = 4 * LANES /* normals that they make */
};

/* Blocks first .. first + LANES - 1 of the stream, words[w][lane]. */
static void philox_lanes(const vg_rng *rng, uint64_t first, uint32_t words[4][LANES])
{
    uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
    uint32_t k0 = rng->key[0], k1 = rng->key[1];
    for (int i = 0; i < LANES; i++) {
        uint64_t counter = first + (uint64_t)i;
        c0[i] = (uint32_t)counter;
        c1[i] = (uint32_t)(counter >> 32);
        c2[i] = rng->counter[2];
        c3[i] = rng->counter[3];
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i];
            uint64_t p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = (uint32_t)p1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(words[0], c0, sizeof c0);
    memcpy(words[1], c1, sizeof c1);
    memcpy(words[2], c2, sizeof c2);
    memcpy(words[3], c3, sizeof c3);
}

/* ln of u = (k + 1) / 2^24. The exponent comes from the bits; the mantissa m in [sqrt 1/2, sqrt 2)
 * from ln m = 2 artanh((m - 1) / (m + 1)). */
static inline float logarithm(float u)
{
    uint32_t bits;
    memcpy(&bits, &u, sizeof bits);
    uint32_t shifted = bits - 0x3f3504f3u;
    int32_t exponent = (int32_t)shifted >> 23;
    uint32_t mantissa = (shifted & 0x007fffffu) + 0x3f3504f3u;
    float m;
    memcpy(&m, &mantissa, sizeof m);
    float t = (m - 1) / (m + 1), s = t * t;
    float series = 2 + s * (0.66666667f + s * (0.4f + s * (0.28571429f + s * 0.22222222f)));
    return (float)exponent * 0.69314718f + t * series;
}

/* cos and sin of 2 pi k / 2^24: an eighth of the circle by series, the rest by symmetry. */
static inline void cosine_sine(uint32_t k, float *cosine, float *sine)
{
    int32_t eighth = (int32_t)((k + (1u << 21)) & 0x3fffffu) - (1 << 21); /* within a quarter */
    uint32_t quarter = ((k + (1u << 21)) >> 22) & 3;
    float x = (float)eighth * 3.7450704e-07f; /* 2 pi / 2^24 */
    float s2 = x * x;
    float s = x * (1 + s2 * (-0.16666667f + s2 * (8.3333333e-3f + s2 * -1.9841270e-4f)));
    float c = 1 + s2 * (-0.5f + s2 * (4.1666667e-2f + s2 * (-1.3888889e-3f + s2 * 2.4801587e-5f)));
    float cs = quarter & 1 ? s : c, sn = quarter & 1 ? c : s;
    *cosine = quarter == 1 || quarter == 2 ? -cs : cs;
    *sine = quarter >= 2 ? -sn : sn;
}

/* 4 * LANES normals; the lane's four are out[lane], out[LANES + lane], ... */
static void block(const vg_rng *rng, uint64_t first, float out[BLOCK])
{
    uint32_t words[4][LANES];
    philox_lanes(rng, first, words);
    for (int pair = 0; pair < 4; pair += 2)
        for (int i = 0; i < LANES; i++) {
            uint32_t a = words[pair][i] >> 8, b = words[pair + 1][i] >> 8;
            float u = (float)(int32_t)(a + 1) * 0x1p-24f; /* (0, 1]: the logarithm is finite */
            float radius = sqrtf(-2 * logarithm(u)), c, s;
            cosine_sine(b, &c, &s);
            out[pair * LANES + i] = radius * c;
            out[(pair + 1) * LANES + i] = radius * s;
        }
}

void vg_noise_normals(float *out, size_t n, const vg_sample_key *key)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_NOISE);
    for (size_t at = 0; at < n; at += BLOCK) {
        float normals[BLOCK];
        block(&rng, at / 4, normals);
        size_t count = n - at < BLOCK ? n - at : BLOCK;
        memcpy(out + at, normals, count * sizeof *out);
    }
}

void vg_noise_add(float *x, size_t n, double sigma, const vg_sample_key *key)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_NOISE);
    float scale = (float)sigma;
    for (size_t at = 0; at < n; at += BLOCK) {
        float normals[BLOCK];
        block(&rng, at / 4, normals);
        size_t count = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < count; i++) {
            float v = x[at + i] + scale * normals[i];
            x[at + i] = v < 0 ? 0 : v > 255 ? 255 : v;
        }
    }
}
