/* Rows of the resize: plain C and AVX2, chosen at run time by resize.c.
 *
 * Across, the fast version takes four RGB pixels at a time. A weight of 22 fractional bits is split
 * into its low 12 bits and the rest, because the machine multiplies and adds pairs of 16-bit
 * numbers; both sums are put together at the end, modulo 2^32, which is where the plain sum is too.
 * Grey takes eight pixels at a time in the same way. AVX-512 does so for four RGB rows at once, which share their weights.
 * Down, sums run over whole rows, which compilers vectorize: the AVX2 version is the same code
 * compiled for wider vectors, that for AVX-512 keeps its sums in registers. */
#include "image/resize_row.h"

#include <string.h>

enum { TAPS = 4, GREY_TAPS = 8, LOW_BITS = 12 };
static const size_t STEP = 3 * (size_t)TAPS; /* bytes */

static inline uint8_t grey(const uint8_t *in, const vg_weights *w, int i)
{
    const int32_t *value = w->value + (size_t)i * (size_t)w->most;
    const uint8_t *p = in + w->first[i];
    int32_t sum = 1 << (VG_FRACTION_BITS - 1);
    for (int k = 0; k < w->count[i]; k++)
        sum += p[k] * value[k];
    return vg_narrow(sum);
}

void vg_resize_row_grey(const uint8_t *in, const vg_weights *w, uint8_t *out)
{
    for (int i = 0; i < w->outputs; i++)
        out[i] = grey(in, w, i);
}

static inline void pixel(const uint8_t *in, const vg_weights *w, int i, uint8_t *out)
{
    const int32_t *value = w->value + (size_t)i * (size_t)w->most;
    const uint8_t *p = in + (size_t)w->first[i] * 3;
    int32_t r = 1 << (VG_FRACTION_BITS - 1), g = r, b = r;
    for (int k = 0; k < w->count[i]; k++, p += 3) {
        r += p[0] * value[k];
        g += p[1] * value[k];
        b += p[2] * value[k];
    }
    out[0] = vg_narrow(r);
    out[1] = vg_narrow(g);
    out[2] = vg_narrow(b);
}

void vg_resize_row_rgb(const uint8_t *in, const vg_weights *w, uint8_t *out)
{
    for (int i = 0; i < w->outputs; i++)
        pixel(in, w, i, out + (size_t)i * 3);
}

static VG_INLINE void down(const uint8_t *restrict in, size_t stride, size_t n,
                           const int32_t *value, int count, int32_t *restrict sum,
                           uint8_t *restrict out)
{
    for (size_t x = 0; x < n; x++)
        sum[x] = 1 << (VG_FRACTION_BITS - 1);
    for (int k = 0; k < count; k++, in += stride) {
        int32_t v = value[k];
        for (size_t x = 0; x < n; x++)
            sum[x] += in[x] * v;
    }
    for (size_t x = 0; x < n; x++)
        out[x] = vg_narrow(sum[x]);
}

void vg_resize_down(const uint8_t *restrict in, size_t stride, size_t n, const int32_t *value,
                    int count, int32_t *restrict sum, uint8_t *restrict out)
{
    down(in, stride, n, value, count, sum, out);
}

int vg_row_blocks(const vg_weights *w)
{
    return (w->most + TAPS - 1) / TAPS;
}

/* A block: the low parts of four weights, then the high parts, as (0 1)(0 1)(0 1)(0 1)(2 3)... */
void vg_row_blocks_fill(const vg_weights *w, int16_t *blocks)
{
    int n = vg_row_blocks(w);
    memset(blocks, 0, sizeof *blocks * VG_ROW_BLOCK * (size_t)n * (size_t)w->outputs);
    for (int i = 0; i < w->outputs; i++) {
        const int32_t *value = w->value + (size_t)i * (size_t)w->most;
        int16_t *own = blocks + (size_t)i * (size_t)n * VG_ROW_BLOCK;
        for (int k = 0; k < w->count[i]; k++) {
            int16_t low = (int16_t)(value[k] & ((1 << LOW_BITS) - 1));
            int16_t high = (int16_t)(value[k] >> LOW_BITS);
            int16_t *to = own + (ptrdiff_t)(k / TAPS) * VG_ROW_BLOCK;
            for (ptrdiff_t c = 0, at = k % TAPS / 2 * 8 + k % 2; c < 4; c++, at += 2) {
                to[at] = low;
                to[VG_ROW_BLOCK / 2 + at] = high;
            }
        }
    }
}

int vg_grey_blocks(const vg_weights *w)
{
    return (w->most + GREY_TAPS - 1) / GREY_TAPS;
}

/* A block: the low parts of eight weights, then the high parts. */
void vg_grey_blocks_fill(const vg_weights *w, int16_t *blocks)
{
    int n = vg_grey_blocks(w);
    memset(blocks, 0, sizeof *blocks * VG_GREY_BLOCK * (size_t)n * (size_t)w->outputs);
    for (int i = 0; i < w->outputs; i++) {
        const int32_t *value = w->value + (size_t)i * (size_t)w->most;
        int16_t *own = blocks + (size_t)i * (size_t)n * VG_GREY_BLOCK;
        for (int k = 0; k < w->count[i]; k++) {
            int16_t *to = own + (ptrdiff_t)(k / GREY_TAPS) * VG_GREY_BLOCK + k % GREY_TAPS;
            to[0] = (int16_t)(value[k] & ((1 << LOW_BITS) - 1));
            to[GREY_TAPS] = (int16_t)(value[k] >> LOW_BITS);
        }
    }
}

#if VG_SIMD_X86
#include <immintrin.h>

bool vg_resize_row_is_fast(void)
{
    return vg_simd_best() >= VG_SIMD_AVX2;
}

VG_FOR_AVX2 void vg_resize_row_rgb_fast(const uint8_t *in, int width, const vg_weights *w,
                                        const int16_t *blocks, uint8_t *out)
{
    /* Two pixels a half, as 16-bit pairs R R G G B B and nothing. */
    const __m256i pairs =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                         -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const size_t step = (size_t)vg_row_blocks(w) * VG_ROW_BLOCK;
    for (int i = 0; i < w->outputs; i++, blocks += step, out += 3) {
        int n = (w->count[i] + TAPS - 1) / TAPS;
        if (w->first[i] + n * TAPS + 2 > width) { /* 16 bytes are read for 4 pixels */
            pixel(in, w, i, out);
            continue;
        }
        const uint8_t *p = in + (size_t)w->first[i] * 3;
        const int16_t *block = blocks;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int q = 0; q < n; q++, p += STEP, block += VG_ROW_BLOCK) {
            __m128i four = _mm_loadu_si128((const __m128i *)(const void *)p);
            __m256i v = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), pairs);
            __m256i wl = _mm256_loadu_si256((const __m256i *)(const void *)block);
            __m256i wh = _mm256_loadu_si256((const __m256i *)(const void *)(block + 16));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(v, wl));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(v, wh));
        }
        __m256i both = _mm256_add_epi32(low, _mm256_slli_epi32(high, LOW_BITS));
        __m128i sum =
            _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        sum = _mm_add_epi32(sum, _mm_set1_epi32(1 << (VG_FRACTION_BITS - 1)));
        sum = _mm_srai_epi32(sum, VG_FRACTION_BITS);
        sum = _mm_packs_epi32(sum, sum);
        int32_t rgb = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
        memcpy(out, &rgb, 3);
    }
}

/* The sum of one output, in four parts. */
VG_FOR_AVX2 static VG_INLINE __m128i grey_sum(const uint8_t *p, const int16_t *block, const int n)
{
    __m128i low = _mm_setzero_si128(), high = low;
    for (int q = 0; q < n; q++, p += GREY_TAPS, block += VG_GREY_BLOCK) {
        __m128i v = _mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)p));
        low = _mm_add_epi32(low, _mm_madd_epi16(v, _mm_loadu_si128((const void *)block)));
        high = _mm_add_epi32(high,
                             _mm_madd_epi16(v, _mm_loadu_si128((const void *)(block + GREY_TAPS))));
    }
    return _mm_add_epi32(low, _mm_slli_epi32(high, LOW_BITS));
}

/* Four outputs as bytes; `n` is a constant where it is small. */
VG_FOR_AVX2 static VG_INLINE int32_t four_greys(const uint8_t *in, const int32_t *first,
                                                const int16_t *block, size_t step, const int n)
{
    __m128i s0 = grey_sum(in + first[0], block, n), s1 = grey_sum(in + first[1], block + step, n);
    __m128i s2 = grey_sum(in + first[2], block + 2 * step, n);
    __m128i s3 = grey_sum(in + first[3], block + 3 * step, n);
    __m128i sum = _mm_hadd_epi32(_mm_hadd_epi32(s0, s1), _mm_hadd_epi32(s2, s3));
    sum = _mm_add_epi32(sum, _mm_set1_epi32(1 << (VG_FRACTION_BITS - 1)));
    sum = _mm_srai_epi32(sum, VG_FRACTION_BITS);
    sum = _mm_packs_epi32(sum, sum);
    return _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
}

VG_FOR_AVX2 void vg_resize_row_grey_fast(const uint8_t *in, int width, const vg_weights *w,
                                         const int16_t *blocks, uint8_t *out)
{
    const size_t step = (size_t)vg_grey_blocks(w) * VG_GREY_BLOCK;
    int i = 0;
    while (i < w->outputs) {
        const int32_t *first = w->first + i, *count = w->count + i;
        int n = 0, end = 0;
        for (int k = 0; k < 4 && k < w->outputs - i; k++) {
            n = count[k] > n ? count[k] : n;
            end = first[k] > end ? first[k] : end;
        }
        n = (n + GREY_TAPS - 1) / GREY_TAPS;
        if (i + 4 > w->outputs ||
            end + n * GREY_TAPS > width) { /* nothing is read behind the row */
            out[i] = grey(in, w, i);
            i++;
            continue;
        }
        const int16_t *own = blocks + (size_t)i * step;
        int32_t four = n == 1   ? four_greys(in, first, own, step, 1)
                       : n == 2 ? four_greys(in, first, own, step, 2)
                                : four_greys(in, first, own, step, n);
        memcpy(out + i, &four, 4);
        i += 4;
    }
}

VG_FOR_AVX2 static void down_avx2(const uint8_t *restrict in, size_t stride, size_t n,
                                  const int32_t *value, int count, int32_t *restrict sum,
                                  uint8_t *restrict out)
{
    down(in, stride, n, value, count, sum, out);
}

/* Sixty-four sums in registers; the rest as elsewhere. */
VG_FOR_AVX512 static void down_avx512(const uint8_t *restrict in, size_t stride, size_t n,
                                      const int32_t *value, int count, int32_t *restrict sum,
                                      uint8_t *restrict out)
{
    size_t x = 0;
    for (; x + 64 <= n; x += 64) {
        __m512i s0 = _mm512_set1_epi32(1 << (VG_FRACTION_BITS - 1)), s1 = s0, s2 = s0, s3 = s0;
        const uint8_t *p = in + x;
        for (int k = 0; k < count; k++, p += stride) {
            const __m512i v = _mm512_set1_epi32(value[k]);
            const __m128i *from = (const void *)p;
            __m512i p0 = _mm512_cvtepu8_epi32(_mm_loadu_si128(from));
            __m512i p1 = _mm512_cvtepu8_epi32(_mm_loadu_si128(from + 1));
            __m512i p2 = _mm512_cvtepu8_epi32(_mm_loadu_si128(from + 2));
            __m512i p3 = _mm512_cvtepu8_epi32(_mm_loadu_si128(from + 3));
            s0 = _mm512_add_epi32(s0, _mm512_mullo_epi32(p0, v));
            s1 = _mm512_add_epi32(s1, _mm512_mullo_epi32(p1, v));
            s2 = _mm512_add_epi32(s2, _mm512_mullo_epi32(p2, v));
            s3 = _mm512_add_epi32(s3, _mm512_mullo_epi32(p3, v));
        }
        const __m512i zero = _mm512_setzero_si512();
        __m512i all[4] = {s0, s1, s2, s3};
        for (size_t k = 0; k < 4; k++) {
            __m512i t = _mm512_max_epi32(_mm512_srai_epi32(all[k], VG_FRACTION_BITS), zero);
            _mm_storeu_si128((__m128i *)(void *)(out + x + 16 * k), _mm512_cvtusepi32_epi8(t));
        }
    }
    down(in + x, stride, n - x, value, count, sum, out + x);
}

void vg_resize_down_fast(vg_simd simd, const uint8_t *restrict in, size_t stride, size_t n,
                         const int32_t *value, int count, int32_t *restrict sum,
                         uint8_t *restrict out)
{
    /* a pointer, because GCC 12 was seen to drop direct calls to static functions of another target */
    void (*version)(const uint8_t *, size_t, size_t, const int32_t *, int, int32_t *, uint8_t *) =
        simd == VG_SIMD_AVX512 ? down_avx512 : down_avx2;
    version(in, stride, n, value, count, sum, out);
}
#else
bool vg_resize_row_is_fast(void)
{
    return false;
}

void vg_resize_row_grey_fast(const uint8_t *in, int width, const vg_weights *w,
                             const int16_t *blocks, uint8_t *out)
{
    (void)width;
    (void)blocks;
    vg_resize_row_grey(in, w, out);
}

void vg_resize_row_rgb_fast(const uint8_t *in, int width, const vg_weights *w,
                            const int16_t *blocks, uint8_t *out)
{
    (void)width;
    (void)blocks;
    vg_resize_row_rgb(in, w, out);
}

void vg_resize_down_fast(vg_simd simd, const uint8_t *restrict in, size_t stride, size_t n,
                         const int32_t *value, int count, int32_t *restrict sum,
                         uint8_t *restrict out)
{
    (void)simd;
    vg_resize_down(in, stride, n, value, count, sum, out);
}
#endif

#if VG_SIMD_X86
bool vg_resize_rows4_is_fast(void)
{
    return vg_simd_best() == VG_SIMD_AVX512;
}

/* The same 16 bytes of four rows. */
VG_FOR_AVX512 static inline __m512i four_rows(const uint8_t *p, size_t stride)
{
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const void *)p));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + stride)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + 2 * stride)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(p + 3 * stride)), 3);
}

VG_FOR_AVX512 static inline __m512i four_weights(const int16_t *p)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)p));
}

/* One output of four rows, R G B and nothing as 32-bit numbers. `n` is a constant where it is small:
 * most outputs have one block or two, and a loop around so little costs as much as they do. */
VG_FOR_AVX512 static VG_INLINE __m512i four_outputs(const uint8_t *p, size_t stride,
                                                    const int16_t *block, const int n)
{
    const __m512i first = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const __m512i second = _mm512_broadcast_i32x4(
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    __m512i low = _mm512_set1_epi32(1 << (VG_FRACTION_BITS - 1)), high = _mm512_setzero_si512();
    for (int q = 0; q < n; q++, p += STEP, block += VG_ROW_BLOCK) {
        __m512i v = four_rows(p, stride);
        __m512i a = _mm512_shuffle_epi8(v, first), b = _mm512_shuffle_epi8(v, second);
        low =
            _mm512_add_epi32(low, _mm512_add_epi32(_mm512_madd_epi16(a, four_weights(block)),
                                                   _mm512_madd_epi16(b, four_weights(block + 8))));
        high = _mm512_add_epi32(high,
                                _mm512_add_epi32(_mm512_madd_epi16(a, four_weights(block + 16)),
                                                 _mm512_madd_epi16(b, four_weights(block + 24))));
    }
    return _mm512_srai_epi32(_mm512_add_epi32(low, _mm512_slli_epi32(high, LOW_BITS)),
                             VG_FRACTION_BITS);
}

/* Four outputs of four rows, as bytes. `first`: of the four outputs; `step`: from the weights of one to
 * those of the next. */
VG_FOR_AVX512 static VG_INLINE void four_by_four(const uint8_t *in, size_t stride,
                                                 const int32_t *first, const int16_t *block,
                                                 size_t step, const int n, uint8_t *out,
                                                 size_t out_stride)
{
    const __m512i close = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    __m512i v0 = four_outputs(in + 3 * (size_t)first[0], stride, block, n);
    __m512i v1 = four_outputs(in + 3 * (size_t)first[1], stride, block + step, n);
    __m512i v2 = four_outputs(in + 3 * (size_t)first[2], stride, block + 2 * step, n);
    __m512i v3 = four_outputs(in + 3 * (size_t)first[3], stride, block + 3 * step, n);
    __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(v0, v1), _mm512_packs_epi32(v2, v3));
    bytes = _mm512_shuffle_epi8(bytes, close);
    _mm_mask_storeu_epi32(out, 0x7, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi32(out + out_stride, 0x7, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi32(out + 2 * out_stride, 0x7, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi32(out + 3 * out_stride, 0x7, _mm512_extracti32x4_epi32(bytes, 3));
}

VG_FOR_AVX512 void vg_resize_rows4_rgb(const uint8_t *in, size_t in_stride, int width,
                                       const vg_weights *w, const int16_t *blocks, uint8_t *out,
                                       size_t out_stride)
{
    const size_t step = (size_t)vg_row_blocks(w) * VG_ROW_BLOCK;
    int i = 0;
    while (i < w->outputs) {
        const int32_t *first = w->first + i, *count = w->count + i;
        int n = 0, end = 0;
        for (int k = 0; k < 4 && k < w->outputs - i; k++) {
            n = count[k] > n ? count[k] : n;
            end = first[k] > end ? first[k] : end;
        }
        n = (n + TAPS - 1) / TAPS;
        uint8_t *to = out + 3 * (size_t)i;
        if (i + 4 > w->outputs || end + n * TAPS + 2 > width) { /* 16 bytes are read for 4 pixels */
            for (size_t row = 0; row < 4; row++)
                pixel(in + row * in_stride, w, i, to + row * out_stride);
            i++;
            continue;
        }
        const int16_t *own = blocks + (size_t)i * step;
        if (n == 1)
            four_by_four(in, in_stride, first, own, step, 1, to, out_stride);
        else if (n == 2)
            four_by_four(in, in_stride, first, own, step, 2, to, out_stride);
        else
            four_by_four(in, in_stride, first, own, step, n, to, out_stride);
        i += 4;
    }
}
#else
bool vg_resize_rows4_is_fast(void)
{
    return false;
}

void vg_resize_rows4_rgb(const uint8_t *in, size_t in_stride, int width, const vg_weights *w,
                         const int16_t *blocks, uint8_t *out, size_t out_stride)
{
    (void)width;
    (void)blocks;
    for (size_t row = 0; row < 4; row++)
        vg_resize_row_rgb(in + row * in_stride, w, out + row * out_stride);
}
#endif
