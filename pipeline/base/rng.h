/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A stream is named by (seed, epoch, position, operation) and does not depend on threads, on the
 * order of execution or on what other streams have drawn. This is what makes the bytes of a batch
 * the same for any number of threads. A vg_rng is a small value: copy it, keep it on the stack. One
 * vg_rng must not be used by two threads at once; different ones may. */
#ifndef VG_BASE_RNG_H
#define VG_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is drawn for. Numbers are part of what makes runs repeatable: add, never renumber.
 */
typedef enum vg_rng_use {
    VG_RNG_SHUFFLE = 1,
    VG_RNG_SAMPLER = 2,
    VG_RNG_PLAN = 3,  /* parameters of an augmentation plan */
    VG_RNG_NOISE = 4, /* pixel noise */
    VG_RNG_INIT = 5,
    VG_RNG_DROPOUT = 6,
    VG_RNG_PROBE = 7,
    VG_RNG_BOOTSTRAP = 8,
    VG_RNG_PERMUTE = 9,
    VG_RNG_SELECT = 10,
    VG_RNG_SAMPLE_DATA = 11, /* the generator of the sample dataset, tests */
    VG_RNG_CROP = 12,        /* rectangle of a random resized crop */
    VG_RNG_MIX = 13,         /* MixUp and CutMix of a batch */
    VG_RNG_CURVE = 14, /* corners and coefficients of perspective and elastic steps */
    VG_RNG_SEARCH = 15, /* trials of a search over settings */
    VG_RNG_PIXELS = 0x100 /* operations on pixels: one use for each step of a plan from here on */
} vg_rng_use;

typedef struct vg_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    unsigned used; /* numbers of `block` already given out; 4: none left */
} vg_rng;

/* The stream for one use at one place. */
vg_rng vg_rng_make(uint64_t seed, uint32_t epoch, uint64_t position, uint32_t use);

/* One Philox block: 4 numbers out of a 128-bit counter and a 64-bit key (for vectorized users). */
void vg_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

uint32_t vg_rng_u32(vg_rng *rng);
/* Uniform in [0, 1), 24 bits. */
float vg_rng_float(vg_rng *rng);
/* Uniform in [0, 1), 53 bits. */
double vg_rng_double(vg_rng *rng);
/* Uniform in [low, high). */
double vg_rng_uniform(vg_rng *rng, double low, double high);
/* Unbiased integer in [0, n), n > 0. */
uint64_t vg_rng_below(vg_rng *rng, uint64_t n);
/* Standard normal (Box-Muller, two uniforms each). */
double vg_rng_normal(vg_rng *rng);

/* The place of element `i` in a pseudo-random permutation of [0, n) named by `key`: O(1) time, no
 * memory (a Feistel network over the next power of four, with cycle walking). */
uint64_t vg_permute(uint64_t key, uint64_t n, uint64_t i);

/* Mixes two numbers into one well-distributed key. */
uint64_t vg_mix(uint64_t a, uint64_t b);
/* Stable hash of bytes (XXH64): the same on every machine and in every version. */
uint64_t vg_hash(const void *bytes, size_t size, uint64_t seed);

#endif
