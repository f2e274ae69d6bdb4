/* Counter-based Gaussian noise, many counters at a time.
 *
 * Noise is drawn for every value of every sample, so it must cost little more than the addition.
 * Philox runs 7 rounds here, the fewest with which it passes the whole of BigCrush (Salmon et al.,
 * SC 2011, table 2; streams of other uses have 10), and each 32-bit word becomes one normal through
 * the inverse of the distribution function: 30 bits choose the place in the tail, one the
 * side. In each octave of the tail probability the inverse is a polynomial
 * (noise_table.py), found by the exponent of the float, which machines look up in registers. Largest error
 * 5e-6, largest magnitude 6.2. Only +, * and conversions are used, which IEEE 754 rounds the same
 * way everywhere, so that all versions give the same bytes. */
#include "ops/noise.h"

#include "base/rng.h"
#include "base/simd.h"
#include "ops/noise_table.h"

#include <string.h>

enum {
    LANES = 8,         /* Philox blocks at a time */
    GROUP = 4 * LANES, /* the normals that they make: words 0 and 1 of the lanes, then 2 and 3 */
    ROUNDS = 7
};

static const uint32_t multiply0 = 0xD2511F53u, multiply1 = 0xCD9E8D57u;
static const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

/* A stream, with its keys of all rounds. */
typedef struct stream {
    uint64_t key[ROUNDS][2];
    uint32_t counter[2]; /* the upper half, which names the stream */
} stream;

static stream make_stream(const vg_sample_key *key)
{
    const vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_NOISE);
    stream s = {.counter = {rng.counter[2], rng.counter[3]}};
    uint32_t k0 = rng.key[0], k1 = rng.key[1];
    for (int round = 0; round < ROUNDS; round++, k0 += weyl0, k1 += weyl1) {
        s.key[round][0] = k0;
        s.key[round][1] = k1;
    }
    return s;
}

static inline float normal(uint32_t word)
{
    float q = (float)(int32_t)(word >> 2) + 0.5f;
    uint32_t bits;
    memcpy(&bits, &q, sizeof bits);
    uint32_t octave = bits >> 23 & 31, mantissa = (bits & 0x7fffffu) | 0x3f800000u;
    float t;
    memcpy(&t, &mantissa, sizeof t);
    t -= 1.5f;
    float z = coefficients[5][octave];
    for (int k = 4; k >= 0; k--)
        z = z * t + coefficients[k][octave];
    uint32_t side;
    memcpy(&side, &z, sizeof side);
    side ^= word << 31;
    memcpy(&z, &side, sizeof z);
    return z;
}

static inline float clamp(float v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static void group_plain(const stream *s, uint64_t first, float out[GROUP])
{
    for (size_t lane = 0; lane < LANES; lane++) {
        uint64_t counter = first + lane;
        uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
        uint32_t c2 = s->counter[0], c3 = s->counter[1];
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t p0 = (uint64_t)multiply0 * c0, p1 = (uint64_t)multiply1 * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ (uint32_t)s->key[round][0];
            c1 = (uint32_t)p1;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ (uint32_t)s->key[round][1];
            c3 = (uint32_t)p0;
        }
        out[2 * lane] = normal(c0);
        out[2 * lane + 1] = normal(c1);
        out[2 * (LANES + lane)] = normal(c2);
        out[2 * (LANES + lane) + 1] = normal(c3);
    }
}

/* The vector versions do whole groups: x += scale * normals, clamped, or the normals themselves where
 * scale is 0. */

#if VG_SIMD_X86
#include <immintrin.h>

enum { AHEAD = 4 }; /* groups at a time, because each step must wait for the one before */

/* The words of eight counters lie in the lower halves of 64-bit lanes, where the machine multiplies
 * them; what the upper halves hold is never looked at. */
VG_FOR_AVX512 static VG_INLINE void philox_avx512(const stream *s, uint64_t first,
                                                  __m512i word[2 * AHEAD])
{
    const __m512i m0 = _mm512_set1_epi64(multiply0), m1 = _mm512_set1_epi64(multiply1);
    const __m512i lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    __m512i c0[AHEAD], c1[AHEAD], c2[AHEAD], c3[AHEAD];
    for (size_t i = 0; i < AHEAD; i++) {
        c0[i] = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(first + i * LANES)), lane);
        c1[i] = _mm512_srli_epi64(c0[i], 32);
        c2[i] = _mm512_set1_epi64(s->counter[0]);
        c3[i] = _mm512_set1_epi64(s->counter[1]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const __m512i k0 = _mm512_set1_epi64((int64_t)s->key[round][0]);
        const __m512i k1 = _mm512_set1_epi64((int64_t)s->key[round][1]);
        for (size_t i = 0; i < AHEAD; i++) {
            __m512i p0 = _mm512_mul_epu32(c0[i], m0), p1 = _mm512_mul_epu32(c2[i], m1);
            c0[i] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), c1[i], k0, 0x96);
            c2[i] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), c3[i], k1, 0x96);
            c1[i] = p1;
            c3[i] = p0;
        }
    }
    for (size_t i = 0; i < AHEAD;
         i++) { /* the lower halves of the second to the upper of the first */
        word[2 * i] = _mm512_mask_shuffle_epi32(c0[i], 0xaaaa, c1[i], _MM_PERM_CCAA);
        word[2 * i + 1] = _mm512_mask_shuffle_epi32(c2[i], 0xaaaa, c3[i], _MM_PERM_CCAA);
    }
}

VG_FOR_AVX512 static VG_INLINE void normal_avx512(const __m512i word[2 * AHEAD],
                                                  const __m512 low[6], const __m512 high[6],
                                                  __m512 z[2 * AHEAD])
{
    __m512i octave[2 * AHEAD];
    __m512 t[2 * AHEAD];
    for (int i = 0; i < 2 * AHEAD; i++) {
        __m512 q = _mm512_cvtepi32_ps(_mm512_srli_epi32(word[i], 2));
        __m512i bits = _mm512_castps_si512(_mm512_add_ps(q, _mm512_set1_ps(0.5f)));
        octave[i] = _mm512_srli_epi32(bits, 23); /* the look-up reads five bits of it */
        bits = _mm512_ternarylogic_epi32(bits, _mm512_set1_epi32(0x7fffff),
                                         _mm512_set1_epi32(0x3f800000), 0xea);
        t[i] = _mm512_sub_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(1.5f));
        z[i] = _mm512_permutex2var_ps(low[5], octave[i], high[5]);
    }
    for (int k = 4; k >= 0; k--)
        for (int i = 0; i < 2 * AHEAD; i++)
            z[i] = _mm512_add_ps(_mm512_mul_ps(z[i], t[i]),
                                 _mm512_permutex2var_ps(low[k], octave[i], high[k]));
    for (int i = 0; i < 2 * AHEAD; i++) {
        __m512i side = _mm512_slli_epi32(word[i], 31);
        z[i] = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(z[i]), side));
    }
}

/* A multiple of AHEAD groups. */
VG_FOR_AVX512 static void groups_avx512(const stream *s, size_t groups, float scale, float *x)
{
    const __m512 zero = _mm512_setzero_ps(), most = _mm512_set1_ps(255);
    __m512 low[6], high[6];
    for (int k = 0; k < 6; k++) {
        low[k] = _mm512_loadu_ps(coefficients[k]);
        high[k] = _mm512_loadu_ps(coefficients[k] + 16);
    }
    for (size_t g = 0; g < groups; g += AHEAD) {
        __m512i word[2 * AHEAD];
        __m512 z[2 * AHEAD];
        philox_avx512(s, g * LANES, word);
        normal_avx512(word, low, high, z);
        for (int i = 0; i < 2 * AHEAD; i++, x += 16) {
            __m512 v = z[i];
            if (scale != 0) {
                v = _mm512_add_ps(_mm512_loadu_ps(x), _mm512_mul_ps(v, _mm512_set1_ps(scale)));
                v = _mm512_min_ps(most, _mm512_max_ps(zero, v));
            }
            _mm512_storeu_ps(x, v);
        }
    }
}

/* One group: the words of counters first .. first + 3 and of the next four, for the same reason
 * beside each other. word[0] and [1] are the first two words of all, [2] and [3] the others. */
VG_FOR_AVX2 static VG_INLINE void philox_avx2(const stream *s, uint64_t first, __m256i word[4])
{
    const __m256i m0 = _mm256_set1_epi64x(multiply0), m1 = _mm256_set1_epi64x(multiply1);
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    __m256i c0[2], c1[2], c2[2], c3[2];
    for (size_t i = 0; i < 2; i++) {
        c0[i] = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)(first + 4 * i)), lane);
        c1[i] = _mm256_srli_epi64(c0[i], 32);
        c2[i] = _mm256_set1_epi64x(s->counter[0]);
        c3[i] = _mm256_set1_epi64x(s->counter[1]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const __m256i k0 = _mm256_set1_epi64x((int64_t)s->key[round][0]);
        const __m256i k1 = _mm256_set1_epi64x((int64_t)s->key[round][1]);
        for (size_t i = 0; i < 2; i++) {
            __m256i p0 = _mm256_mul_epu32(c0[i], m0), p1 = _mm256_mul_epu32(c2[i], m1);
            c0[i] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(c1[i], k0));
            c2[i] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(c3[i], k1));
            c1[i] = p1;
            c3[i] = p0;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        word[i] = _mm256_blend_epi32(c0[i], _mm256_slli_epi64(c1[i], 32), 0xaa);
        word[2 + i] = _mm256_blend_epi32(c2[i], _mm256_slli_epi64(c3[i], 32), 0xaa);
    }
}

/* Registers of eight hold the eight octaves of 2^-9 <= p < 1/2; what lies beyond, one in 256, is
 * done apart. */
VG_FOR_AVX2 static inline __m256 normal_avx2(__m256i word, const __m256 table[6])
{
    __m256 q = _mm256_cvtepi32_ps(_mm256_srli_epi32(word, 2));
    q = _mm256_add_ps(q, _mm256_set1_ps(0.5f));
    __m256i bits = _mm256_castps_si256(q), octave = _mm256_srli_epi32(bits, 23);
    __m256i mantissa = _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff)),
                                       _mm256_set1_epi32(0x3f800000));
    __m256 t = _mm256_sub_ps(_mm256_castsi256_ps(mantissa), _mm256_set1_ps(1.5f));
    __m256 z = _mm256_permutevar8x32_ps(table[5], octave); /* reads three bits of it */
    for (int k = 4; k >= 0; k--)
        z = _mm256_add_ps(_mm256_mul_ps(z, t), _mm256_permutevar8x32_ps(table[k], octave));
    __m256i side = _mm256_slli_epi32(word, 31);
    z = _mm256_castsi256_ps(_mm256_xor_si256(_mm256_castps_si256(z), side));
    __m256 beyond = _mm256_or_ps(_mm256_cmp_ps(q, _mm256_set1_ps(0x1p22f), _CMP_LT_OQ),
                                 _mm256_cmp_ps(q, _mm256_set1_ps(0x1p30f), _CMP_GE_OQ));
    if (_mm256_movemask_ps(beyond)) {
        uint32_t words[8];
        float values[8];
        _mm256_storeu_si256((__m256i *)(void *)words, word);
        for (int i = 0; i < 8; i++)
            values[i] = normal(words[i]);
        z = _mm256_loadu_ps(values);
    }
    return z;
}

VG_FOR_AVX2 static void groups_avx2(const stream *s, size_t groups, float scale, float *x)
{
    const __m256 zero = _mm256_setzero_ps(), most = _mm256_set1_ps(255);
    __m256 table[6];
    for (int k = 0; k < 6; k++)
        for (int e = 149; e < 157; e++) /* the exponent fields of 2^22 .. 2^29 */
            ((float *)&table[k])[e & 7] = coefficients[k][e & 31];
    for (size_t g = 0; g < groups; g++) {
        __m256i word[4];
        philox_avx2(s, g * LANES, word);
        for (int i = 0; i < 4; i++, x += 8) {
            __m256 z = normal_avx2(word[i], table);
            if (scale != 0) {
                z = _mm256_mul_ps(z, _mm256_set1_ps(scale));
                z = _mm256_add_ps(_mm256_loadu_ps(x), z);
                z = _mm256_min_ps(most, _mm256_max_ps(zero, z));
            }
            _mm256_storeu_ps(x, z);
        }
    }
}
#endif

void vg_noise_run(vg_simd simd, float *x, size_t n, double sigma, const vg_sample_key *key)
{
    const stream s = make_stream(key);
    const float scale = (float)sigma;
    size_t fast = 0; /* groups done in vectors */
#if VG_SIMD_X86
    size_t whole = n / GROUP;
    if (simd == VG_SIMD_AVX512) {
        fast = whole / AHEAD * AHEAD;
        groups_avx512(&s, fast, scale, x);
    } else if (simd == VG_SIMD_AVX2) {
        fast = whole;
        groups_avx2(&s, fast, scale, x);
    }
#else
    (void)simd;
#endif
    for (size_t g = fast; g * GROUP < n; g++) {
        float z[GROUP], *to = x + g * GROUP;
        group_plain(&s, g * LANES, z);
        size_t count = n - g * GROUP < GROUP ? n - g * GROUP : GROUP;
        for (size_t i = 0; i < count; i++)
            to[i] = scale == 0 ? z[i] : clamp(to[i] + scale * z[i]);
    }
}

void vg_noise_normals(float *out, size_t n, const vg_sample_key *key)
{
    vg_noise_run(vg_simd_best(), out, n, 0, key);
}

void vg_noise_add(float *x, size_t n, double sigma, const vg_sample_key *key)
{
    if ((float)sigma > 0)
        vg_noise_run(vg_simd_best(), x, n, sigma, key);
}
