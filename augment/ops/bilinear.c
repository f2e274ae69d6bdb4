/* Bilinear sampling of a span: weights, the four neighbours, and their sum.
 *
 * Fill modes are a matter of the place: beyond the outermost centres the picture is constant under
 * `nearest`, mirrored under `reflect` and periodic under `wrap`, so that places are brought in and the
 * neighbours are always inside. Two neighbours of a row are 6 adjacent bytes, one plain load of 8, which
 * is several times faster than the machine's gather instructions; those of both rows share a register
 * of 16 bytes, and one shuffle makes of them the pairs of a colour that one instruction weighs and adds.
 * Weights have 15 bits and are whole numbers that add up to VG_PLACE_ONE, sums are exact: all versions
 * give the same bytes. The naive twin lives in tests/test_bilinear.c. */
#include "ops/span.h"

#include <string.h>

enum { SPAN = VG_SAMPLE_SPAN, STEP = VG_STEP, ONE = VG_PLACE_ONE, PACKED = 16 /* bytes */ };
static const float scale = 1.0f / ONE;

/* A span made ready, or a step of it with its neighbours apart. */
typedef struct weighed {
    int32_t at[SPAN];                /* byte of the upper left neighbour */
    int32_t left[SPAN], right[SPAN]; /* upper weight | lower weight << 16 */
} weighed;

/* Brings `count` places (whole steps) of an axis of n pixels to 0 .. n - 2 and a part of up to ONE, where
 * that is possible: the last pixel is the right neighbour of the one before it. */
static VG_INLINE void bring_in(int32_t *restrict at, int32_t *restrict part, int count, int n,
                               vg_fill fill)
{
    const int32_t most = n > 1 ? n - 2 : 0, end = n > 1 ? ONE : 0;
    int32_t outside = n < 2;
    for (int k = 0; k < count; k += STEP)
        for (int i = k; i < k + STEP; i++)
            outside |= (uint32_t)at[i] > (uint32_t)most;
    for (int k = 0; outside && k < count; k += STEP) {
        if (fill == VG_FILL_WRAP) {
            for (int i = k; i < k + STEP; i++)
                at[i] = vg_modulo(at[i], n);
            continue;
        }
        if (fill == VG_FILL_REFLECT)
            for (int i = k; i < k + STEP; i++) { /* turned back: from the other neighbour */
                int32_t t = vg_modulo(at[i], 2 * n);
                part[i] = t < n ? part[i] : ONE - part[i];
                at[i] = t < n ? t : 2 * n - 2 - t;
            }
        for (int i = k; i < k + STEP; i++) {
            int32_t w = at[i], f = part[i];
            f = w < 0 ? 0 : w > most ? end : f;
            part[i] = f;
            at[i] = w < 0 ? 0 : w > most ? most : w;
        }
    }
}

static VG_INLINE void weigh(const vg_places *p, int k, weighed *w)
{
    for (int i = k; i < k + STEP; i++) {
        int32_t fx = p->fx[i], fy = p->fy[i];
        int32_t both = (fx * fy + ONE / 2) >> VG_PLACE_BITS;
        w->right[i] = (fx - both) | both << 16;
        w->left[i] = (ONE - fx - fy + both) | (fy - both) << 16;
    }
}

/* Whether no pixel of whole steps is at a seam, and none so near the end of the last row that a load of
 * 8 bytes would leave the picture (that of other rows runs into the next). */
static VG_INLINE bool all_inside(const vg_view *in, const vg_places *p, int from, int to,
                                 const int32_t *at)
{
    const int32_t bytes = 3 * in->width,
                  behind = (int32_t)in->stride * (in->height - 2) + bytes - 8;
    const int32_t most = in->channels == 1 ? INT32_MAX : behind;
    const int32_t right = in->width - 2, low = in->height - 2;
    int32_t outside = 0;
    for (int k = from; k < to; k += STEP)
        for (int i = k; i < k + STEP; i++)
            outside |= (p->x[i] > right) | (p->y[i] > low) | (at[i] > most);
    return !outside;
}

/* The neighbours of one pixel at the seam of a wrapped picture or at its very end, as a picture of
 * their own: the upper two, and 8 bytes on the lower two. */
static void copy_apart(const vg_sample_job *j, int left, int top, uint8_t *to)
{
    const vg_view *in = &j->in;
    const bool wrap = j->fill == VG_FILL_WRAP;
    const size_t channels = (size_t)in->channels;
    int right = left + 1 < in->width ? left + 1 : wrap ? 0 : left;
    int bottom = top + 1 < in->height ? top + 1 : wrap ? 0 : top;
    const uint8_t *a = in->data + (size_t)top * in->stride;
    const uint8_t *b = in->data + (size_t)bottom * in->stride;
    memcpy(to, a + channels * (size_t)left, channels);
    memcpy(to + channels, a + channels * (size_t)right, channels);
    memcpy(to + 8, b + channels * (size_t)left, channels);
    memcpy(to + 8 + channels, b + channels * (size_t)right, channels);
}

/* ---- the sums of a step: `at`, `left` and `right` have STEP numbers, `count` of them are stored */

typedef struct source {
    const uint8_t *data;
    size_t stride;
} source;

static VG_INLINE void grey(const source *s, const weighed *w, int k, int count, float *restrict out)
{
    int32_t a[STEP], b[STEP], c[STEP], d[STEP];
    float value[STEP];
    for (int i = 0; i < STEP; i++) {
        const uint8_t *p = s->data + w->at[k + i], *q = p + s->stride;
        a[i] = p[0];
        b[i] = p[1];
        c[i] = q[0];
        d[i] = q[1];
    }
    for (int i = 0; i < STEP; i++) {
        int32_t left = w->left[k + i], right = w->right[k + i];
        int32_t sum = a[i] * (left & 0xffff) + c[i] * (left >> 16);
        sum += b[i] * (right & 0xffff) + d[i] * (right >> 16);
        value[i] = (float)sum * scale;
    }
    memcpy(out, value, (size_t)count * sizeof *out);
}

static VG_INLINE void rgb_plain(const source *s, const weighed *w, int k, int count, size_t plane,
                                float *restrict out)
{
    for (int i = 0; i < count; i++) {
        const uint8_t *p = s->data + w->at[k + i], *q = p + s->stride;
        int32_t left = w->left[k + i], right = w->right[k + i];
        for (size_t c = 0; c < 3; c++) {
            int32_t sum = p[c] * (left & 0xffff) + q[c] * (left >> 16);
            sum += p[3 + c] * (right & 0xffff) + q[3 + c] * (right >> 16);
            out[c * plane + (size_t)i] = (float)sum * scale;
        }
    }
}

#if VG_SIMD_X86
#include <immintrin.h>

/* Upper and lower neighbours of a colour, as pairs of 16 bits: the left ones, the right ones. */
#define PAIRS(first)                                                                               \
    _mm_setr_epi8((first), -1, 8 + (first), -1, (first) + 1, -1, 9 + (first), -1, (first) + 2, -1, \
                  10 + (first), -1, -1, -1, -1, -1)

VG_FOR_AVX2 static VG_INLINE __m128i both_rows(const uint8_t *p, size_t stride)
{
    int64_t upper, lower;
    memcpy(&upper, p, 8);
    memcpy(&lower, p + stride, 8);
    return _mm_insert_epi64(_mm_cvtsi64_si128(upper), lower, 1);
}

VG_FOR_AVX2 static VG_INLINE __m256i two_pixels(const source *s, const int32_t *at)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(both_rows(s->data + at[0], s->stride)),
                                   both_rows(s->data + at[4], s->stride), 1);
}

/* Eight pixels: register n holds R G B of pixels n and 4 + n, which the transposition puts in order. */
VG_FOR_AVX2 static VG_INLINE void eight(const source *s, const int32_t *at, __m256i left,
                                        __m256i right, __m256 value[3])
{
    const __m256i lefts = _mm256_broadcastsi128_si256(PAIRS(0));
    const __m256i rights = _mm256_broadcastsi128_si256(PAIRS(3));
    __m256i sum[4];
#define ONE_OF_FOUR(n)                                                                             \
    {                                                                                              \
        __m256i v = two_pixels(s, at + (n));                                                       \
        __m256i a = _mm256_madd_epi16(_mm256_shuffle_epi8(v, lefts),                               \
                                      _mm256_shuffle_epi32(left, (n)*0x55));                       \
        __m256i b = _mm256_madd_epi16(_mm256_shuffle_epi8(v, rights),                              \
                                      _mm256_shuffle_epi32(right, (n)*0x55));                      \
        sum[n] = _mm256_add_epi32(a, b);                                                           \
    }
    ONE_OF_FOUR(0)
    ONE_OF_FOUR(1)
    ONE_OF_FOUR(2)
    ONE_OF_FOUR(3)
#undef ONE_OF_FOUR
    __m256i rg0 = _mm256_unpacklo_epi32(sum[0], sum[1]), b0 = _mm256_unpackhi_epi32(sum[0], sum[1]);
    __m256i rg1 = _mm256_unpacklo_epi32(sum[2], sum[3]), b1 = _mm256_unpackhi_epi32(sum[2], sum[3]);
    const __m256 unit = _mm256_set1_ps(scale);
    value[0] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_unpacklo_epi64(rg0, rg1)), unit);
    value[1] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_unpackhi_epi64(rg0, rg1)), unit);
    value[2] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_unpacklo_epi64(b0, b1)), unit);
}

VG_FOR_AVX2 static VG_INLINE void rgb_avx2(const source *s, const weighed *w, int k, int count,
                                           size_t plane, float *out)
{
    for (int i = 0; i < count; i += 8) {
        __m256 value[3];
        eight(s, w->at + k + i, _mm256_loadu_si256((const void *)(w->left + k + i)),
              _mm256_loadu_si256((const void *)(w->right + k + i)), value);
        const __m256i order = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - i), order);
        for (size_t c = 0; c < 3; c++)
            _mm256_maskstore_ps(out + c * plane + i, mask, value[c]);
    }
}

VG_FOR_AVX512 static VG_INLINE __m512i four_pixels(const source *s, const int32_t *at)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(two_pixels(s, at)), two_pixels(s, at + 8), 1);
}

/* As its twin: register n holds pixels n, 4 + n, 8 + n and 12 + n. */
VG_FOR_AVX512 static VG_INLINE void sixteen(const source *s, const weighed *w, int k, int count,
                                            size_t plane, float *out)
{
    const __m512i lefts = _mm512_broadcast_i32x4(PAIRS(0));
    const __m512i rights = _mm512_broadcast_i32x4(PAIRS(3));
    const __m512i left = _mm512_loadu_si512(w->left + k), right = _mm512_loadu_si512(w->right + k);
    const int32_t *at = w->at + k;
    __m512i sum[4];
#define ONE_OF_FOUR(n, PERM)                                                                       \
    {                                                                                              \
        __m512i v = four_pixels(s, at + (n));                                                      \
        __m512i a =                                                                                \
            _mm512_madd_epi16(_mm512_shuffle_epi8(v, lefts), _mm512_shuffle_epi32(left, PERM));    \
        __m512i b =                                                                                \
            _mm512_madd_epi16(_mm512_shuffle_epi8(v, rights), _mm512_shuffle_epi32(right, PERM));  \
        sum[n] = _mm512_add_epi32(a, b);                                                           \
    }
    ONE_OF_FOUR(0, _MM_PERM_AAAA)
    ONE_OF_FOUR(1, _MM_PERM_BBBB)
    ONE_OF_FOUR(2, _MM_PERM_CCCC)
    ONE_OF_FOUR(3, _MM_PERM_DDDD)
#undef ONE_OF_FOUR
    __m512i rg0 = _mm512_unpacklo_epi32(sum[0], sum[1]), b0 = _mm512_unpackhi_epi32(sum[0], sum[1]);
    __m512i rg1 = _mm512_unpacklo_epi32(sum[2], sum[3]), b1 = _mm512_unpackhi_epi32(sum[2], sum[3]);
    const __m512i all[3] = {_mm512_unpacklo_epi64(rg0, rg1), _mm512_unpackhi_epi64(rg0, rg1),
                            _mm512_unpacklo_epi64(b0, b1)};
    const __mmask16 mask = (__mmask16)(0xffffu >> (16 - count));
    for (size_t c = 0; c < 3; c++)
        _mm512_mask_storeu_ps(out + c * plane, mask,
                              _mm512_mul_ps(_mm512_cvtepi32_ps(all[c]), _mm512_set1_ps(scale)));
}

VG_FOR_AVX512 static VG_INLINE void rgb_avx512(const source *s, const weighed *w, int k, int count,
                                               size_t plane, float *out)
{
    for (int i = 0; i < count; i += 16)
        sixteen(s, w, k + i, count - i < 16 ? count - i : 16, plane, out + i);
}
#endif

/* ---- a span */

static VG_INLINE void prepare(const vg_sample_job *j, vg_places *p, int count, weighed *w)
{
    const int32_t stride = (int32_t)j->in.stride, channels = j->in.channels;
    bring_in(p->x, p->fx, count, j->in.width, j->fill);
    bring_in(p->y, p->fy, count, j->in.height, j->fill);
    for (int k = 0; k < count; k += STEP) {
        weigh(p, k, w);
        for (int i = k; i < k + STEP; i++)
            w->at[i] =
                (int32_t)((uint32_t)p->y[i] * (uint32_t)stride + (uint32_t)(p->x[i] * channels));
    }
}

/* Where the neighbours of a step are read; `inside`: they all lie in the picture. */
static VG_INLINE source find(const vg_sample_job *j, const vg_places *p, int k, bool inside,
                             weighed *w, uint8_t apart[STEP][PACKED])
{
    if (inside || (vg_counts_in_32_bits(&j->in) && all_inside(&j->in, p, k, k + STEP, w->at)))
        return (source){j->in.data, j->in.stride};
    for (int i = 0; i < STEP; i++) {
        copy_apart(j, p->x[k + i], p->y[k + i], apart[i]);
        w->at[k + i] = i * PACKED;
    }
    return (source){apart[0], PACKED / 2};
}

/* `target` is an attribute, which brackets would break. NOLINTBEGIN(bugprone-macro-parentheses) */
#define SAMPLE(name, target)                                                                       \
    target static void sample_##name(const vg_sample_job *j, vg_places *p, int count,              \
                                     size_t plane, float *out)                                     \
    {                                                                                              \
        uint8_t apart[STEP][PACKED] = {{0}};                                                       \
        weighed w;                                                                                 \
        prepare(j, p, count, &w);                                                                  \
        const bool inside = vg_counts_in_32_bits(&j->in) && all_inside(&j->in, p, 0, count, w.at); \
        for (int k = 0; k < count; k += STEP) {                                                    \
            int few = count - k < STEP ? count - k : STEP;                                         \
            const source s = find(j, p, k, inside, &w, apart);                                     \
            if (j->in.channels == 1)                                                               \
                grey(&s, &w, k, few, out + k);                                                     \
            else                                                                                   \
                rgb_##name(&s, &w, k, few, plane, out + k);                                        \
        }                                                                                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
SAMPLE(plain, )
#if VG_SIMD_X86
SAMPLE(avx2, VG_FOR_AVX2)
SAMPLE(avx512, VG_FOR_AVX512)
#endif

vg_sample_span *vg_bilinear_version(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return sample_avx512;
    if (simd == VG_SIMD_AVX2)
        return sample_avx2;
#endif
    (void)simd;
    return sample_plain;
}
