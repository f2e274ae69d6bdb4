/* Bytes to planar floats: plain C, AVX2 and AVX-512, chosen at run time.
 *
 * Normalization is folded in as v * scale + offset, rounded after each of the two, so that all
 * versions and vg_normalizer_apply give the same bits. Fill modes are looked up for the few pixels
 * outside of the picture only; the rows themselves know nothing of them. */
#include "ops/finish.h"

#include "base/simd.h"
#include "image/codec.h"

#include <string.h>

static void row_plain(const uint8_t *in, size_t n, int in_channels, const vg_finish *f,
                      float *const out[3])
{
    size_t step = (size_t)in_channels;
    for (int c = 0; c < f->channels; c++) {
        const uint8_t *from = in + (in_channels == 1 ? 0 : c);
        float *to = out[c], scale = f->scale[c], offset = f->offset[c];
        if (f->mirror_x)
            for (size_t i = 0; i < n; i++)
                to[n - 1 - i] = (float)from[i * step] * scale + offset;
        else
            for (size_t i = 0; i < n; i++)
                to[i] = (float)from[i * step] * scale + offset;
    }
}

#if VG_SIMD_X86
#include <immintrin.h>

/* Where sample i of a colour lies in the three loads of 16 RGB pixels: byte 3 i + c of 48. */
#define AT(i, c, part)                                                                             \
    (char)(3 * (i) + (c)-16 * (part) >= 0 && 3 * (i) + (c)-16 * (part) < 16                        \
               ? 3 * (i) + (c)-16 * (part)                                                         \
               : -1)
#define FORWARD(c, part)                                                                           \
    {                                                                                              \
        AT(0, c, part), AT(1, c, part), AT(2, c, part), AT(3, c, part), AT(4, c, part),            \
            AT(5, c, part), AT(6, c, part), AT(7, c, part), AT(8, c, part), AT(9, c, part),        \
            AT(10, c, part), AT(11, c, part), AT(12, c, part), AT(13, c, part), AT(14, c, part),   \
            AT(15, c, part)                                                                        \
    }
#define BACKWARD(c, part)                                                                          \
    {                                                                                              \
        AT(15, c, part), AT(14, c, part), AT(13, c, part), AT(12, c, part), AT(11, c, part),       \
            AT(10, c, part), AT(9, c, part), AT(8, c, part), AT(7, c, part), AT(6, c, part),       \
            AT(5, c, part), AT(4, c, part), AT(3, c, part), AT(2, c, part), AT(1, c, part),        \
            AT(0, c, part)                                                                         \
    }
#define ALL(ORDER)                                                                                 \
    {                                                                                              \
        {ORDER(0, 0), ORDER(0, 1), ORDER(0, 2)}, {ORDER(1, 0), ORDER(1, 1), ORDER(1, 2)},          \
        {                                                                                          \
            ORDER(2, 0), ORDER(2, 1), ORDER(2, 2)                                                  \
        }                                                                                          \
    }
/* [mirrored][colour][load] */
static const char pick[2][3][3][16] __attribute__((aligned(16))) = {ALL(FORWARD), ALL(BACKWARD)};
static const char turn[16]
    __attribute__((aligned(16))) = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

static inline __m128i load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/* 16 samples of colour c, in the order of the output. */
VG_FOR_AVX2 static VG_INLINE __m128i gather(const __m128i in[3], bool mirror, int c)
{
    const char(*p)[16] = pick[mirror][c];
    return _mm_or_si128(
        _mm_or_si128(_mm_shuffle_epi8(in[0], load(p[0])), _mm_shuffle_epi8(in[1], load(p[1]))),
        _mm_shuffle_epi8(in[2], load(p[2])));
}

VG_FOR_AVX2 static VG_INLINE void put_avx2(__m128i v, float scale, float offset, float *to)
{
    __m256 s = _mm256_set1_ps(scale), o = _mm256_set1_ps(offset);
    __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v));
    __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(v, 8)));
    _mm256_storeu_ps(to, _mm256_add_ps(_mm256_mul_ps(low, s), o));
    _mm256_storeu_ps(to + 8, _mm256_add_ps(_mm256_mul_ps(high, s), o));
}

VG_FOR_AVX512 static VG_INLINE void put_avx512(__m128i v, float scale, float offset, float *to)
{
    __m512 x = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(v));
    x = _mm512_add_ps(_mm512_mul_ps(x, _mm512_set1_ps(scale)), _mm512_set1_ps(offset));
    _mm512_storeu_ps(to, x);
}

/* 16 pixels at a time; the last 16 may overlap those before, which gives the same values again. */
#define ROW(NAME, TARGET, PUT)                                                                     \
    TARGET static void NAME(const uint8_t *in, size_t n, int in_channels, const vg_finish *f,      \
                            float *const out[3])                                                   \
    {                                                                                              \
        if (n < 16) {                                                                              \
            row_plain(in, n, in_channels, f, out);                                                 \
            return;                                                                                \
        }                                                                                          \
        bool mirror = f->mirror_x;                                                                 \
        for (size_t i = 0; i < n; i += 16) {                                                       \
            i = i + 16 <= n ? i : n - 16;                                                          \
            size_t at = mirror ? n - 16 - i : i;                                                   \
            if (in_channels == 3) {                                                                \
                const uint8_t *p = in + 3 * i;                                                     \
                const __m128i rgb[3] = {load(p), load(p + 16), load(p + 32)};                      \
                for (int c = 0; c < 3; c++)                                                        \
                    PUT(gather(rgb, mirror, c), f->scale[c], f->offset[c], out[c] + at);           \
            } else {                                                                               \
                __m128i grey = load(in + i);                                                       \
                if (mirror)                                                                        \
                    grey = _mm_shuffle_epi8(grey, load(turn));                                     \
                for (int c = 0; c < f->channels; c++)                                              \
                    PUT(grey, f->scale[c], f->offset[c], out[c] + at);                             \
            }                                                                                      \
        }                                                                                          \
    }
/* At most three channels: the analyzer does not know. NOLINTNEXTLINE(clang-analyzer-core.*) */
ROW(row_avx2, VG_FOR_AVX2, put_avx2)
/* NOLINTNEXTLINE(clang-analyzer-core.*) */
ROW(row_avx512, VG_FOR_AVX512, put_avx512)

vg_finish_row vg_finish_version(int version)
{
    if (version > (int)vg_simd_best())
        return NULL;
    return version == VG_FINISH_AVX512 ? row_avx512
           : version == VG_FINISH_AVX2 ? row_avx2
                                       : row_plain;
}
#else
vg_finish_row vg_finish_version(int version)
{
    return version == VG_FINISH_PLAIN ? row_plain : NULL;
}
#endif

static vg_finish_row best(void)
{
    const vg_simd simd = vg_simd_best();
    return vg_finish_version(simd == VG_SIMD_AVX512 ? VG_FINISH_AVX512
                             : simd == VG_SIMD_AVX2 ? VG_FINISH_AVX2
                                                    : VG_FINISH_PLAIN);
}

/* Where coordinate i of an axis of n pixels is read; -1: the constant. */
static int place(int i, int n, vg_fill fill)
{
    if (i >= 0 && i < n)
        return i;
    if (fill == VG_FILL_CONSTANT)
        return -1;
    if (fill == VG_FILL_NEAREST)
        return i < 0 ? 0 : n - 1;
    int period = fill == VG_FILL_WRAP ? n : 2 * n;
    i %= period;
    i = i < 0 ? i + period : i;
    return i < n ? i : period - 1 - i;
}

/* Pixels from .. to - 1 of a row of the output as it is before mirroring; `line` NULL: constant. */
static void border(const vg_finish *f, const uint8_t *line, const vg_view *in, int from, int to,
                   float *const out[3])
{
    for (int u = from; u < to; u++) {
        int at = line ? place(u - f->x, in->width, f->fill) : -1;
        const uint8_t *p = at < 0 ? NULL : line + (size_t)at * (size_t)in->channels;
        int x = f->mirror_x ? f->width - 1 - u : u;
        for (int c = 0; c < f->channels; c++) {
            float v = at < 0              ? (float)f->fill_value
                      : in->channels == 1 ? (float)p[0]
                      : f->channels == 1  ? (float)vg_luma(p[0], p[1], p[2])
                                          : (float)p[c];
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as many planes as channels */
            out[c][x] = v * f->scale[c] + f->offset[c];
        }
    }
}

/* The luma of a stretch of RGB, a block at a time, through the row of greys. */
static void luma_row(vg_finish_row row, const uint8_t *in, int n, const vg_finish *f, float *out)
{
    enum { BLOCK = 256 };
    uint8_t grey[BLOCK];
    for (int i = 0; i < n; i += BLOCK) {
        int count = n - i < BLOCK ? n - i : BLOCK;
        for (int k = 0; k < count; k++) {
            const uint8_t *p = in + 3 * (size_t)(i + k);
            grey[k] = vg_luma(p[0], p[1], p[2]);
        }
        float *const to[3] = {out + (f->mirror_x ? n - i - count : i)};
        row(grey, (size_t)count, 1, f, to);
    }
}

void vg_finish_run(const vg_finish *f, const vg_view *in, float *out)
{
    vg_finish_row row = best();
    size_t width = (size_t)f->width, apart = f->channels == 3 ? width * (size_t)f->height : 0;
    /* The stretch of each row that the picture covers. */
    int from = f->x < 0 ? 0 : f->x < f->width ? f->x : f->width;
    int to = f->x + in->width < f->width ? f->x + in->width : f->width;
    to = to < from ? from : to;
    for (int v = 0; v < f->height; v++) {
        int at = place(v - f->y, in->height, f->fill);
        float *line = out + (size_t)(f->mirror_y ? f->height - 1 - v : v) * width;
        float *const to_rows[3] = {line, line + apart, line + 2 * apart};
        if (at < 0) {
            border(f, NULL, in, 0, f->width, to_rows);
            continue;
        }
        const uint8_t *bytes = in->data + (size_t)at * in->stride;
        border(f, bytes, in, 0, from, to_rows);
        border(f, bytes, in, to, f->width, to_rows);
        if (to == from)
            continue;
        size_t shift = (size_t)(f->mirror_x ? f->width - to : from);
        float *const inside[3] = {to_rows[0] + shift, to_rows[1] + shift, to_rows[2] + shift};
        const uint8_t *first = bytes + (size_t)(from - f->x) * (size_t)in->channels;
        if (in->channels == 3 && f->channels == 1)
            luma_row(row, first, to - from, f, inside[0]);
        else
            row(first, (size_t)(to - from), in->channels, f, inside);
    }
}
