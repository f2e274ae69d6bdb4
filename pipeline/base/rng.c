/* Philox4x32-10, and a Feistel permutation built on the same mixing. */
#include "base/rng.h"

#include <math.h>
#include <xxhash.h>

static uint64_t splitmix(uint64_t z)
{
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t vg_mix(uint64_t a, uint64_t b)
{
    return splitmix(splitmix(a) ^ (b * UINT64_C(0xD1342543DE82EF95) + 1));
}

uint64_t vg_hash(const void *bytes, size_t size, uint64_t seed)
{
    return XXH64(bytes, size, seed);
}

void vg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

vg_rng vg_rng_make(uint64_t seed, uint32_t epoch, uint64_t position, uint32_t use)
{
    uint64_t key = vg_mix(seed, ((uint64_t)use << 32) | epoch);
    vg_rng rng = {.key = {(uint32_t)key, (uint32_t)(key >> 32)},
                  .counter = {0, 0, (uint32_t)position, (uint32_t)(position >> 32)},
                  .used = 4};
    return rng;
}

uint32_t vg_rng_u32(vg_rng *rng)
{
    if (rng->used >= 4) {
        vg_philox(rng->counter, rng->key, rng->block);
        if (++rng->counter[0] == 0)
            rng->counter[1]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

float vg_rng_float(vg_rng *rng)
{
    return (float)(vg_rng_u32(rng) >> 8) * 0x1p-24f;
}

double vg_rng_double(vg_rng *rng)
{
    uint64_t high = vg_rng_u32(rng) >> 5, low = vg_rng_u32(rng) >> 6;
    return (double)((high << 26) | low) * 0x1p-53;
}

double vg_rng_uniform(vg_rng *rng, double low, double high)
{
    return low + (high - low) * vg_rng_double(rng);
}

uint64_t vg_rng_below(vg_rng *rng, uint64_t n)
{
    uint64_t reject = (0 - n) % n; /* 2^64 mod n */
    for (;;) {
        uint64_t r = ((uint64_t)vg_rng_u32(rng) << 32) | vg_rng_u32(rng);
        if (r >= reject)
            return r % n;
    }
}

double vg_rng_normal(vg_rng *rng)
{
    double u = 1.0 - vg_rng_double(rng); /* (0, 1]: the logarithm is finite */
    double v = vg_rng_double(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

uint64_t vg_permute(uint64_t key, uint64_t n, uint64_t i)
{
    if (n < 2)
        return 0;
    unsigned half = 1;
    while (half < 32 && (UINT64_C(1) << (2 * half)) < n)
        half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint64_t next = left ^ (vg_mix(key + round, right) & mask);
            left = right;
            right = next;
        }
        i = (left << half) | right;
    } while (i >= n); /* the domain is less than four times n: few steps */
    return i;
}
