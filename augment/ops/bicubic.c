/* Bicubic sampling of a span: a window of 4 x 4 pixels and eight weights for each of them.
 *
 * Across first, for each of the four rows, then down. Both times pairs of 16-bit numbers are weighed and
 * added by one instruction; between them sums are rounded to 1/64 of a grey level. Weights are whole
 * numbers that add up to VG_PLACE_ONE, so that a flat picture stays what it is and all versions give the same
 * bytes. Near the border the window is moved into the picture, and taps that the fill mode folds onto the
 * same pixel add up their weights; `reflect`, `wrap` and pictures of less than 4 pixels have their windows
 * copied. The naive twin lives in tests/test_remap.c. */
#include "ops/span.h"

#include <string.h>

enum { SPAN = VG_SAMPLE_SPAN, STEP = VG_STEP, ONE = VG_PLACE_ONE, TAPS = 4 };
enum { ROW = 16 /* bytes of a row of a window */, WINDOW = TAPS * ROW };
enum { DROPPED = VG_PLACE_BITS - 6, HALF = 1 << (DROPPED - 1) };
static const float scale = 1.0f / (ONE << 6);

/* Both weights of a pair of taps, the first one in the lower half. */
typedef struct pairs {
    int32_t first[SPAN], last[SPAN];
} pairs;

typedef struct weighed {
    int32_t at[SPAN]; /* byte of the window's first pixel */
    pairs x, y;
} weighed;

static VG_INLINE int32_t pair(int32_t first, int32_t second)
{
    return (int32_t)((uint32_t)(first & 0xffff) | (uint32_t)second << 16);
}

/* How much of the weight lies on the taps up to k, of the first three sums of weights. */
static VG_INLINE int32_t up_to(int32_t k, int32_t a, int32_t b, int32_t c)
{
    int32_t v = k < 0 ? 0 : a;
    v = k < 1 ? v : b;
    v = k < 2 ? v : c;
    return k < 3 ? v : ONE;
}

/* STEP places of an axis: at becomes the window's first pixel, n - 4 at most where `clamp` (then n is at
 * least 4, and what the window leaves is weight on its outermost pixels). */
static VG_INLINE void weigh(int32_t *restrict at, const int32_t *restrict part, int n, bool clamp,
                            int32_t *restrict first, int32_t *restrict last)
{
    int32_t w0[STEP], w1[STEP], w2[STEP], w3[STEP], outside = 0;
    for (int i = 0; i < STEP; i++) {
        const float t = (float)part[i] * (1.0f / ONE);
        const float a = t * (-0.5f + t * (1.0f - 0.5f * t));
        const float c = t * (0.5f + t * (2.0f - 1.5f * t)), d = t * t * (-0.5f + 0.5f * t);
        w0[i] = (int32_t)(a * ONE + (ONE + 0.5f)) - ONE;
        w2[i] = (int32_t)(c * ONE + 0.5f);
        w3[i] = (int32_t)(d * ONE + (ONE + 0.5f)) - ONE;
        w1[i] = ONE - w0[i] - w2[i] - w3[i];
    }
    for (int i = 0; i < STEP; i++) {
        at[i]--;
        outside |= (uint32_t)at[i] > (uint32_t)(n - TAPS);
    }
    if (clamp && outside)
        for (int i = 0; i < STEP; i++) {
            int32_t a = w0[i], b = a + w1[i], c = b + w2[i], most = n - TAPS;
            int32_t to = at[i] < 0 ? 0 : at[i] > most ? most : at[i], by = to - at[i];
            int32_t p = up_to(by, a, b, c), q = up_to(1 + by, a, b, c), r = up_to(2 + by, a, b, c);
            at[i] = to;
            w0[i] = p;
            w1[i] = q - p;
            w2[i] = r - q;
            w3[i] = ONE - r;
        }
    for (int i = 0; i < STEP; i++) {
        first[i] = pair(w0[i], w1[i]);
        last[i] = pair(w2[i], w3[i]);
    }
}

static VG_INLINE void prepare(const vg_sample_job *j, vg_places *p, int count, weighed *w)
{
    const vg_view *in = &j->in;
    const bool clamp = (j->fill == VG_FILL_NEAREST || j->fill == VG_FILL_CONSTANT) &&
                       in->width >= TAPS && in->height >= TAPS;
    for (int k = 0; k < count; k += STEP) {
        weigh(p->x + k, p->fx + k, in->width, clamp, w->x.first + k, w->x.last + k);
        weigh(p->y + k, p->fy + k, in->height, clamp, w->y.first + k, w->y.last + k);
        for (int i = k; i < k + STEP; i++)
            w->at[i] = (int32_t)((uint32_t)p->y[i] * (uint32_t)in->stride +
                                 (uint32_t)(p->x[i] * in->channels));
    }
}

/* Whether a step's windows lie in the picture, and with them what is read: 16 bytes of a row of RGB. */
static VG_INLINE bool all_inside(const vg_view *in, const vg_places *p, int k, const int32_t *at)
{
    const int32_t bytes = 3 * in->width, rows = in->height - TAPS, columns = in->width - TAPS;
    const int32_t behind = (int32_t)in->stride * rows + bytes - ROW;
    const int32_t most = in->channels == 1 ? INT32_MAX : behind;
    if (rows < 0 || columns < 0)
        return false;
    int32_t outside = 0;
    for (int i = k; i < k + STEP; i++)
        outside |= ((uint32_t)p->x[i] > (uint32_t)columns) | ((uint32_t)p->y[i] > (uint32_t)rows) |
                   (at[i] > most);
    return !outside;
}

typedef struct source {
    const uint8_t *data;
    size_t stride;
} source;

static void copy_window(const vg_sample_job *j, int left, int top, uint8_t *to)
{
    const vg_view *in = &j->in;
    const size_t channels = (size_t)in->channels;
    for (int r = 0; r < TAPS; r++, to += ROW)
        for (int k = 0; k < TAPS; k++) {
            size_t x = (size_t)vg_fold(left + k, in->width, j->fill);
            size_t y = (size_t)vg_fold(top + r, in->height, j->fill);
            memcpy(to + channels * (size_t)k, in->data + y * in->stride + x * channels, channels);
        }
}

/* Where the windows of a step are read. */
static VG_INLINE source find(const vg_sample_job *j, const vg_places *p, int k, bool countable,
                             weighed *w, uint8_t apart[STEP][WINDOW])
{
    if (countable && all_inside(&j->in, p, k, w->at))
        return (source){j->in.data, j->in.stride};
    for (int i = 0; i < STEP; i++) {
        copy_window(j, p->x[k + i], p->y[k + i], apart[i]);
        w->at[k + i] = i * WINDOW;
    }
    return (source){apart[0], ROW};
}

/* ---- the sums of a step, of which `count` are stored */

static VG_INLINE int32_t lower(int32_t weights)
{
    return (int16_t)(weights & 0xffff);
}

static VG_INLINE float whole_sum(int32_t a, int32_t b, int32_t c, int32_t d, int32_t first,
                                 int32_t last)
{
    int32_t sum = a * lower(first) + b * (first >> 16) + c * lower(last) + d * (last >> 16);
    float v = (float)sum * scale;
    v = v > 0 ? v : 0;
    return v < 255 ? v : 255;
}

static VG_INLINE void grey(const source *s, const weighed *w, int k, int count, float *restrict out)
{
    int32_t row[TAPS][STEP];
    float value[STEP];
    for (size_t r = 0; r < TAPS; r++) {
        int32_t a[STEP], b[STEP], c[STEP], d[STEP];
        for (int i = 0; i < STEP; i++) {
            const uint8_t *p = s->data + w->at[k + i] + r * s->stride;
            a[i] = p[0];
            b[i] = p[1];
            c[i] = p[2];
            d[i] = p[3];
        }
        for (int i = 0; i < STEP; i++) {
            int32_t first = w->x.first[k + i], last = w->x.last[k + i];
            int32_t sum = a[i] * lower(first) + b[i] * (first >> 16);
            sum += c[i] * lower(last) + d[i] * (last >> 16);
            row[r][i] = (sum + HALF) >> DROPPED;
        }
    }
    for (int i = 0; i < STEP; i++)
        value[i] = whole_sum(row[0][i], row[1][i], row[2][i], row[3][i], w->y.first[k + i],
                             w->y.last[k + i]);
    memcpy(out, value, (size_t)count * sizeof *out);
}

static VG_INLINE void rgb_plain(const source *s, const weighed *w, int k, int count, size_t plane,
                                float *restrict out)
{
    for (int i = 0; i < count; i++)
        for (size_t c = 0; c < 3; c++) {
            int32_t first = w->x.first[k + i], last = w->x.last[k + i], row[TAPS];
            for (size_t r = 0; r < TAPS; r++) {
                const uint8_t *p = s->data + w->at[k + i] + r * s->stride + c;
                int32_t sum = p[0] * lower(first) + p[3] * (first >> 16);
                sum += p[6] * lower(last) + p[9] * (last >> 16);
                row[r] = (sum + HALF) >> DROPPED;
            }
            out[c * plane + (size_t)i] =
                whole_sum(row[0], row[1], row[2], row[3], w->y.first[k + i], w->y.last[k + i]);
        }
}

#if VG_SIMD_X86
#include <immintrin.h>

/* Two neighbours of a colour as a pair of 16 bits, from byte `first` of a row of R G B. */
#define PAIRS(first)                                                                               \
    _mm_setr_epi8((first), -1, 3 + (first), -1, (first) + 1, -1, 4 + (first), -1, (first) + 2, -1, \
                  5 + (first), -1, -1, -1, -1, -1)

VG_FOR_AVX2 static VG_INLINE __m256i two_windows(const source *s, const int32_t *at, size_t row)
{
    const uint8_t *p = s->data + at[0] + row * s->stride, *q = s->data + at[4] + row * s->stride;
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)p)),
                                   _mm_loadu_si128((const void *)q), 1);
}

/* The sums of two pixels' R G B, from weights of those of the row: `fx`, `lx` across, `fy`, `ly` down. */
VG_FOR_AVX2 static VG_INLINE __m256i two_pixels(const source *s, const int32_t *at, __m256i fx,
                                                __m256i lx, __m256i fy, __m256i ly)
{
    const __m256i firsts = _mm256_broadcastsi128_si256(PAIRS(0));
    const __m256i lasts = _mm256_broadcastsi128_si256(PAIRS(6));
    __m256i row[TAPS];
    for (size_t r = 0; r < TAPS; r++) {
        __m256i v = two_windows(s, at, r);
        __m256i a = _mm256_madd_epi16(_mm256_shuffle_epi8(v, firsts), fx);
        __m256i b = _mm256_madd_epi16(_mm256_shuffle_epi8(v, lasts), lx);
        row[r] = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_set1_epi32(HALF));
        row[r] = _mm256_srai_epi32(row[r], DROPPED);
    }
    __m256i upper = _mm256_blend_epi16(row[0], _mm256_slli_epi32(row[1], 16), 0xaa);
    __m256i under = _mm256_blend_epi16(row[2], _mm256_slli_epi32(row[3], 16), 0xaa);
    return _mm256_add_epi32(_mm256_madd_epi16(upper, fy), _mm256_madd_epi16(under, ly));
}

VG_FOR_AVX2 static VG_INLINE void rgb_avx2(const source *s, const weighed *w, int k, int count,
                                           size_t plane, float *out)
{
    for (int i = 0; i < count; i += 8) {
        const __m256i fx = _mm256_loadu_si256((const void *)(w->x.first + k + i));
        const __m256i lx = _mm256_loadu_si256((const void *)(w->x.last + k + i));
        const __m256i fy = _mm256_loadu_si256((const void *)(w->y.first + k + i));
        const __m256i ly = _mm256_loadu_si256((const void *)(w->y.last + k + i));
        const int32_t *at = w->at + k + i;
        __m256i sum[4];
#define ONE_OF_FOUR(n)                                                                             \
    sum[n] = two_pixels(s, at + (n), _mm256_shuffle_epi32(fx, (n)*0x55),                           \
                        _mm256_shuffle_epi32(lx, (n)*0x55), _mm256_shuffle_epi32(fy, (n)*0x55),    \
                        _mm256_shuffle_epi32(ly, (n)*0x55))
        ONE_OF_FOUR(0);
        ONE_OF_FOUR(1);
        ONE_OF_FOUR(2);
        ONE_OF_FOUR(3);
#undef ONE_OF_FOUR
        __m256i rg0 = _mm256_unpacklo_epi32(sum[0], sum[1]);
        __m256i rg1 = _mm256_unpacklo_epi32(sum[2], sum[3]);
        __m256i b0 = _mm256_unpackhi_epi32(sum[0], sum[1]);
        __m256i b1 = _mm256_unpackhi_epi32(sum[2], sum[3]);
        const __m256i all[3] = {_mm256_unpacklo_epi64(rg0, rg1), _mm256_unpackhi_epi64(rg0, rg1),
                                _mm256_unpacklo_epi64(b0, b1)};
        const __m256i order = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - i), order);
        for (size_t c = 0; c < 3; c++) {
            __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(all[c]), _mm256_set1_ps(scale));
            v = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(255));
            _mm256_maskstore_ps(out + c * plane + i, mask, v);
        }
    }
}

/* As its twin, with four pixels in a register. */
VG_FOR_AVX512 static VG_INLINE __m512i four_pixels(const source *s, const int32_t *at, __m512i fx,
                                                   __m512i lx, __m512i fy, __m512i ly)
{
    const __m512i firsts = _mm512_broadcast_i32x4(PAIRS(0));
    const __m512i lasts = _mm512_broadcast_i32x4(PAIRS(6));
    __m512i row[TAPS];
    for (size_t r = 0; r < TAPS; r++) {
        __m512i v = _mm512_inserti64x4(_mm512_castsi256_si512(two_windows(s, at, r)),
                                       two_windows(s, at + 8, r), 1);
        __m512i a = _mm512_madd_epi16(_mm512_shuffle_epi8(v, firsts), fx);
        __m512i b = _mm512_madd_epi16(_mm512_shuffle_epi8(v, lasts), lx);
        row[r] = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_set1_epi32(HALF));
        row[r] = _mm512_srai_epi32(row[r], DROPPED);
    }
    __m512i upper = _mm512_mask_blend_epi16(0xaaaaaaaa, row[0], _mm512_slli_epi32(row[1], 16));
    __m512i under = _mm512_mask_blend_epi16(0xaaaaaaaa, row[2], _mm512_slli_epi32(row[3], 16));
    return _mm512_add_epi32(_mm512_madd_epi16(upper, fy), _mm512_madd_epi16(under, ly));
}

VG_FOR_AVX512 static VG_INLINE void sixteen(const source *s, const weighed *w, int k, int count,
                                            size_t plane, float *out)
{
    const __m512i fx = _mm512_loadu_si512(w->x.first + k), lx = _mm512_loadu_si512(w->x.last + k);
    const __m512i fy = _mm512_loadu_si512(w->y.first + k), ly = _mm512_loadu_si512(w->y.last + k);
    const int32_t *at = w->at + k;
    __m512i sum[4];
#define ONE_OF_FOUR(n, PERM)                                                                       \
    sum[n] =                                                                                       \
        four_pixels(s, at + (n), _mm512_shuffle_epi32(fx, PERM), _mm512_shuffle_epi32(lx, PERM),   \
                    _mm512_shuffle_epi32(fy, PERM), _mm512_shuffle_epi32(ly, PERM))
    ONE_OF_FOUR(0, _MM_PERM_AAAA);
    ONE_OF_FOUR(1, _MM_PERM_BBBB);
    ONE_OF_FOUR(2, _MM_PERM_CCCC);
    ONE_OF_FOUR(3, _MM_PERM_DDDD);
#undef ONE_OF_FOUR
    __m512i rg0 = _mm512_unpacklo_epi32(sum[0], sum[1]), b0 = _mm512_unpackhi_epi32(sum[0], sum[1]);
    __m512i rg1 = _mm512_unpacklo_epi32(sum[2], sum[3]), b1 = _mm512_unpackhi_epi32(sum[2], sum[3]);
    const __m512i all[3] = {_mm512_unpacklo_epi64(rg0, rg1), _mm512_unpackhi_epi64(rg0, rg1),
                            _mm512_unpacklo_epi64(b0, b1)};
    const __mmask16 mask = (__mmask16)(0xffffu >> (16 - count));
    for (size_t c = 0; c < 3; c++) {
        __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(all[c]), _mm512_set1_ps(scale));
        v = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), _mm512_set1_ps(255));
        _mm512_mask_storeu_ps(out + c * plane, mask, v);
    }
}

VG_FOR_AVX512 static VG_INLINE void rgb_avx512(const source *s, const weighed *w, int k, int count,
                                               size_t plane, float *out)
{
    for (int i = 0; i < count; i += 16)
        sixteen(s, w, k + i, count - i < 16 ? count - i : 16, plane, out + i);
}
#endif

/* ---- a span */

/* `target` is an attribute, which brackets would break. NOLINTBEGIN(bugprone-macro-parentheses) */
#define SAMPLE(name, target)                                                                       \
    target static void sample_##name(const vg_sample_job *j, vg_places *p, int count,              \
                                     size_t plane, float *out)                                     \
    {                                                                                              \
        const bool countable = vg_counts_in_32_bits(&j->in);                                       \
        uint8_t apart[STEP][WINDOW] = {{0}};                                                       \
        weighed w;                                                                                 \
        prepare(j, p, count, &w);                                                                  \
        for (int k = 0; k < count; k += STEP) {                                                    \
            int few = count - k < STEP ? count - k : STEP;                                         \
            const source s = find(j, p, k, countable, &w, apart);                                  \
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

vg_sample_span *vg_bicubic_version(vg_simd simd)
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
