/* Gaussian noise, many streams of random numbers beside each other.
 *
 * Noise is drawn for every value of every sample, so it must cost little more than the addition. A
 * counter-based generator costs as much as all the rest; so LANES generators xoshiro128++ (Blackman, Vigna:
 * "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021) run side by side, whose states are
 * the first blocks of the sample's own Philox stream: still a pure function of the key. Each 32-bit word
 * becomes one normal through the inverse of the distribution function: 30 bits choose the place in the
 * tail, one the side. In each octave of the tail probability the inverse is a polynomial
 * (noise_table.py), found by the exponent of the float, which machines look up in registers. Largest
 * error 2.2e-4, largest magnitude 6.2. Only +, * and conversions are used, which IEEE 754 rounds the
 * same way everywhere, so that all versions give the same bytes. */
#include "ops/noise.h"

#include "base/rng.h"
#include "base/simd.h"
#include "ops/noise_table.h"

#include <string.h>

enum { LANES = 64, WORDS = 4 };

typedef struct stream {
    uint32_t s[WORDS][LANES];
    float table[DEGREE + 1][32]; /* the coefficients, times sigma */
} stream;

static void stream_make(stream *s, const vg_sample_key *key, float sigma)
{
    const vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_NOISE);
    for (uint32_t lane = 0; lane < LANES; lane++) {
        uint32_t counter[4] = {lane, 0, rng.counter[2], rng.counter[3]}, block[4];
        vg_philox(counter, rng.key, block);
        for (int w = 0; w < WORDS; w++)
            s->s[w][lane] = block[w];
    }
    for (int k = 0; k <= DEGREE; k++)
        for (int e = 0; e < 32; e++)
            s->table[k][e] = coefficients[k][e] * sigma;
}

static VG_INLINE uint32_t rotate(uint32_t v, int by)
{
    return v << by | v >> (32 - by);
}

/* The next word of each lane. */
static VG_INLINE void words_plain(stream *s, uint32_t word[LANES])
{
    for (int i = 0; i < LANES; i++) {
        uint32_t a = s->s[0][i], b = s->s[1][i], c = s->s[2][i], d = s->s[3][i];
        word[i] = rotate(a + d, 7) + a;
        c ^= a;
        d ^= b;
        s->s[1][i] = b ^ c;
        s->s[0][i] = a ^ d;
        s->s[2][i] = c ^ b << 9;
        s->s[3][i] = rotate(d, 11);
    }
}

static inline float normal(const stream *s, uint32_t word)
{
    float q = (float)(int32_t)((word & 0x7fffffffu) | 1), m, z;
    uint32_t bits, mantissa, side;
    memcpy(&bits, &q, sizeof bits);
    uint32_t octave = bits >> 23 & 31;
    mantissa = (bits & 0x7fffffu) | 0x3f800000u;
    memcpy(&m, &mantissa, sizeof m);
    z = s->table[DEGREE][octave];
    for (int k = DEGREE - 1; k >= 0; k--)
        z = z * m + s->table[k][octave];
    memcpy(&side, &z, sizeof side);
    side ^= word & 0x80000000u;
    memcpy(&z, &side, sizeof z);
    return z;
}

static inline float clamp(float v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* The next `count` values, LANES at most: x += normals, clamped, or the normals themselves. */
static void some_plain(stream *s, size_t count, bool add, float *x)
{
    uint32_t word[LANES];
    words_plain(s, word);
    for (size_t i = 0; i < count; i++) {
        float z = normal(s, word[i]);
        x[i] = add ? clamp(x[i] + z) : z;
    }
}

/* The vector versions do whole rows of lanes. */

#if VG_SIMD_X86
#include <immintrin.h>

enum { WIDE = LANES / 16 };

VG_FOR_AVX512 static VG_INLINE void words_avx512(__m512i s[WORDS][WIDE], __m512i word[WIDE])
{
    for (int i = 0; i < WIDE; i++) {
        __m512i a = s[0][i], b = s[1][i], c = s[2][i], d = s[3][i];
        word[i] = _mm512_add_epi32(_mm512_rol_epi32(_mm512_add_epi32(a, d), 7), a);
        s[1][i] = _mm512_ternarylogic_epi32(a, b, c, 0x96);
        s[2][i] = _mm512_ternarylogic_epi32(a, c, _mm512_slli_epi32(b, 9), 0x96);
        s[0][i] = _mm512_ternarylogic_epi32(a, b, d, 0x96);
        s[3][i] = _mm512_rol_epi32(_mm512_xor_si512(b, d), 11);
    }
}

VG_FOR_AVX512 static VG_INLINE void normals_avx512(const __m512i word[WIDE],
                                                   const __m512 low[DEGREE + 1],
                                                   const __m512 high[DEGREE + 1], __m512 z[WIDE])
{
    const __m512i side = _mm512_set1_epi32((int32_t)0x80000000), one = _mm512_set1_epi32(1);
    __m512i octave[WIDE];
    __m512 m[WIDE];
    for (int i = 0; i < WIDE; i++) {
        __m512i q = _mm512_ternarylogic_epi32(side, word[i], one, 0xae); /* (~side & word) | 1 */
        q = _mm512_castps_si512(_mm512_cvtepi32_ps(q));
        octave[i] = _mm512_srli_epi32(q, 23); /* the look-up reads five bits of it */
        q = _mm512_ternarylogic_epi32(q, _mm512_set1_epi32(0x7fffff), _mm512_set1_epi32(0x3f800000),
                                      0xea);
        m[i] = _mm512_castsi512_ps(q);
        z[i] = _mm512_permutex2var_ps(low[DEGREE], octave[i], high[DEGREE]);
    }
    for (int k = DEGREE - 1; k >= 0; k--)
        for (int i = 0; i < WIDE; i++)
            z[i] = _mm512_add_ps(_mm512_mul_ps(z[i], m[i]),
                                 _mm512_permutex2var_ps(low[k], octave[i], high[k]));
    for (int i = 0; i < WIDE; i++) {
        __m512i v = _mm512_castps_si512(z[i]);
        v = _mm512_ternarylogic_epi32(v, word[i], side, 0x78); /* v ^ (word & side) */
        z[i] = _mm512_castsi512_ps(v);
    }
}

VG_FOR_AVX512 static void rows_avx512(stream *s, size_t rows, bool add, float *x)
{
    const __m512 zero = _mm512_setzero_ps(), most = _mm512_set1_ps(255);
    __m512 low[DEGREE + 1], high[DEGREE + 1];
    __m512i state[WORDS][WIDE];
    for (int k = 0; k <= DEGREE; k++) {
        low[k] = _mm512_loadu_ps(s->table[k]);
        high[k] = _mm512_loadu_ps(s->table[k] + 16);
    }
    memcpy(state, s->s, sizeof state);
    for (size_t row = 0; row < rows; row++, x += LANES) {
        __m512i word[WIDE];
        __m512 z[WIDE];
        words_avx512(state, word);
        normals_avx512(word, low, high, z);
        for (size_t i = 0; i < WIDE; i++) {
            __m512 v = z[i];
            if (add)
                v = _mm512_min_ps(
                    most, _mm512_max_ps(zero, _mm512_add_ps(_mm512_loadu_ps(x + 16 * i), v)));
            _mm512_storeu_ps(x + 16 * i, v);
        }
    }
    memcpy(s->s, state, sizeof state);
}

VG_FOR_AVX2 static VG_INLINE __m256i rotate_avx2(__m256i v, const int by)
{
    return _mm256_or_si256(_mm256_slli_epi32(v, by), _mm256_srli_epi32(v, 32 - by));
}

VG_FOR_AVX2 static VG_INLINE __m256i *lanes(stream *s, int word, int first)
{
    return (__m256i *)(void *)(s->s[word] + first);
}

/* The next words of lanes first .. first + 7. */
VG_FOR_AVX2 static VG_INLINE __m256i words_avx2(stream *s, int first)
{
    __m256i a = _mm256_loadu_si256(lanes(s, 0, first)), b = _mm256_loadu_si256(lanes(s, 1, first));
    __m256i c = _mm256_loadu_si256(lanes(s, 2, first)), d = _mm256_loadu_si256(lanes(s, 3, first));
    __m256i word = _mm256_add_epi32(rotate_avx2(_mm256_add_epi32(a, d), 7), a);
    c = _mm256_xor_si256(c, a);
    d = _mm256_xor_si256(d, b);
    _mm256_storeu_si256(lanes(s, 1, first), _mm256_xor_si256(b, c));
    _mm256_storeu_si256(lanes(s, 0, first), _mm256_xor_si256(a, d));
    _mm256_storeu_si256(lanes(s, 2, first), _mm256_xor_si256(c, _mm256_slli_epi32(b, 9)));
    _mm256_storeu_si256(lanes(s, 3, first), rotate_avx2(d, 11));
    return word;
}

/* Registers of eight hold the eight octaves of 2^-9 <= p < 1/2; what lies beyond, one in 256, is
 * done apart. */
VG_FOR_AVX2 static VG_INLINE __m256 normals_avx2(const stream *s, __m256i word,
                                                 const __m256 table[DEGREE + 1])
{
    const __m256i side = _mm256_set1_epi32((int32_t)0x80000000);
    __m256i place = _mm256_or_si256(_mm256_andnot_si256(side, word), _mm256_set1_epi32(1));
    __m256 q = _mm256_cvtepi32_ps(place);
    __m256i bits = _mm256_castps_si256(q), octave = _mm256_srli_epi32(bits, 23);
    __m256i mantissa = _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff)),
                                       _mm256_set1_epi32(0x3f800000));
    __m256 m = _mm256_castsi256_ps(mantissa);
    __m256 z = _mm256_permutevar8x32_ps(table[DEGREE], octave); /* reads three bits of it */
    for (int k = DEGREE - 1; k >= 0; k--)
        z = _mm256_add_ps(_mm256_mul_ps(z, m), _mm256_permutevar8x32_ps(table[k], octave));
    z = _mm256_xor_ps(z, _mm256_castsi256_ps(_mm256_and_si256(word, side)));
    __m256 beyond = _mm256_or_ps(_mm256_cmp_ps(q, _mm256_set1_ps(0x1p23f), _CMP_LT_OQ),
                                 _mm256_cmp_ps(q, _mm256_set1_ps(0x1p31f), _CMP_GE_OQ));
    if (_mm256_movemask_ps(beyond)) {
        uint32_t words[8];
        float values[8];
        _mm256_storeu_si256((__m256i *)(void *)words, word);
        for (int i = 0; i < 8; i++)
            values[i] = normal(s, words[i]);
        z = _mm256_loadu_ps(values);
    }
    return z;
}

VG_FOR_AVX2 static void rows_avx2(stream *s, size_t rows, bool add, float *x)
{
    const __m256 zero = _mm256_setzero_ps(), most = _mm256_set1_ps(255);
    __m256 table[DEGREE + 1];
    for (int k = 0; k <= DEGREE; k++) {
        float of_octave[8];
        for (int e = 150; e < 158; e++) /* the exponent fields of 2^23 .. 2^30 */
            of_octave[e & 7] = s->table[k][e & 31];
        table[k] = _mm256_loadu_ps(of_octave);
    }
    for (size_t row = 0; row < rows; row++)
        for (int i = 0; i < LANES; i += 8, x += 8) {
            __m256 z = normals_avx2(s, words_avx2(s, i), table);
            if (add)
                z = _mm256_min_ps(most, _mm256_max_ps(zero, _mm256_add_ps(_mm256_loadu_ps(x), z)));
            _mm256_storeu_ps(x, z);
        }
}
#endif

void vg_noise_run(vg_simd simd, float *x, size_t n, double sigma, const vg_sample_key *key)
{
    const bool add = (float)sigma != 0;
    stream s;
    stream_make(&s, key, add ? (float)sigma : 1);
    size_t fast = 0;                                      /* rows done in vectors */
    void (*rows)(stream *, size_t, bool, float *) = NULL; /* why a pointer: see ops/tent.c */
#if VG_SIMD_X86
    rows = simd == VG_SIMD_AVX512 ? rows_avx512 : simd == VG_SIMD_AVX2 ? rows_avx2 : NULL;
#else
    (void)simd;
#endif
    if (rows) {
        fast = n / LANES;
        rows(&s, fast, add, x);
    }
    for (size_t at = fast * LANES; at < n; at += LANES)
        some_plain(&s, n - at < LANES ? n - at : LANES, add, x + at);
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
