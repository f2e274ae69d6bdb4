/* Bilinear sampling, a span of output pixels at a time, in three steps: where each pixel falls, its
 * four neighbours copied next to each other, and the blend.
 *
 * Fill modes are a matter of the coordinate: outside of the outermost centres the picture is
 * constant under `nearest`, mirrored under `reflect` and periodic under `wrap`, so that the
 * coordinate is clamped, folded or reduced and the neighbours are always inside. The copies are
 * plain loads: two neighbours of a row are 6 adjacent bytes, one load of 8, which is several times
 * faster than the machine's gather instructions. Places and grey blends are loops that compilers
 * vectorize, compiled once for each machine; the RGB blend takes its bytes apart by hand.
 * Knows no reduction: ops/warp.c decides. The naive twin lives in tests/test_bilinear.c. */
#include "ops/bilinear.h"

#include <math.h>
#include <string.h>

enum { SPAN = VG_BILINEAR_SPAN, STEP = 32 };

/* One span. Rounded up to whole steps, beyond which nothing is defined. */
typedef struct span {
    int32_t left[SPAN], top[SPAN];
    float fx[SPAN], fy[SPAN];
    int32_t hidden[SPAN]; /* constant fill: 1 where the constant shows */
    uint64_t upper[SPAN],
        lower[SPAN]; /* the neighbours: bytes R G B R G B, or grey in one: 4 bytes */
} span;

/* floor(), without a call; coordinates are far below 2^31. */
static VG_INLINE double down_to_whole(double v)
{
    double w = (double)(int32_t)v;
    return w - (v < w ? 1.0 : 0.0);
}

/* One axis: n pixels, and how coordinates outside are brought in. Many short loops, because a choice
 * between two numbers is vectorized and a choice between two computations is not. */
static VG_INLINE void locate(const double *restrict at, int n, vg_fill fill,
                             int32_t *restrict whole, float *restrict part)
{
    const double size = n, end = n - 1, period = 2.0 * n;
    /* the last pixel has no right neighbour but its own, or under `wrap` the first */
    const int32_t most = fill == VG_FILL_WRAP ? n - 1 : n > 1 ? n - 2 : 0;
    double x[STEP];
    for (int i = 0; i < STEP; i++)
        x[i] = at[i];
    if (fill == VG_FILL_WRAP)
        for (int i = 0; i < STEP; i++) {
            double t = x[i] - size * down_to_whole(x[i] / size);
            x[i] = t < size ? t : 0; /* rounding */
        }
    if (fill == VG_FILL_REFLECT)
        for (int i = 0; i < STEP; i++) {
            double t = x[i] + 0.5;
            t -= period * down_to_whole(t / period);
            double back = period - t;
            x[i] = (t < back ? t : back) - 0.5;
        }
    for (int i = 0; i < STEP; i++) {
        double v = x[i] > 0 ? x[i] : 0;
        x[i] = fill == VG_FILL_WRAP || v < end ? v : end;
    }
    for (int i = 0; i < STEP; i++) {
        int32_t w = (int32_t)x[i];
        whole[i] = w < most ? w : most;
    }
    for (int i = 0; i < STEP; i++)
        part[i] = (float)(x[i] - (double)whole[i]);
}

static VG_INLINE void hide(const vg_bilinear *j, const double *restrict px,
                           const double *restrict py, int32_t *restrict hidden)
{
    for (int i = 0; i < STEP; i++) {
        double x = px[i], y = py[i];
        hidden[i] = (x < j->x0) | (x > j->x1) | (y < j->y0) | (y > j->y1);
    }
}

/* What lies in the picture at `count` places, whole steps of them. The modes are told apart out here,
 * so that the loops hold no branch. */
static VG_INLINE void places(const vg_bilinear *j, const double *px, const double *py, int count,
                             span *s)
{
    for (int i = 0; i < count; i += STEP) {
        switch (j->fill) {
        case VG_FILL_WRAP:
            locate(px + i, j->in.width, VG_FILL_WRAP, s->left + i, s->fx + i);
            locate(py + i, j->in.height, VG_FILL_WRAP, s->top + i, s->fy + i);
            break;
        case VG_FILL_REFLECT:
            locate(px + i, j->in.width, VG_FILL_REFLECT, s->left + i, s->fx + i);
            locate(py + i, j->in.height, VG_FILL_REFLECT, s->top + i, s->fy + i);
            break;
        default:
            locate(px + i, j->in.width, VG_FILL_NEAREST, s->left + i, s->fx + i);
            locate(py + i, j->in.height, VG_FILL_NEAREST, s->top + i, s->fy + i);
        }
        if (j->fill == VG_FILL_CONSTANT)
            hide(j, px + i, py + i, s->hidden + i);
    }
}

/* Where `count` output pixels from (u, v) fall under the affine map. */
static VG_INLINE void along(const vg_bilinear *j, int u, int v, int count, double *restrict x,
                            double *restrict y)
{
    const double cx = j->m[1] * v + j->m[2], cy = j->m[4] * v + j->m[5];
    const double dx = j->m[0], dy = j->m[3];
    for (int k = 0; k < count; k += STEP)
        for (int i = k; i < k + STEP; i++) {
            x[i] = cx + dx * (double)(u + i);
            y[i] = cy + dy * (double)(u + i);
        }
}

/* Eight bytes, the first in the lowest place: compilers make one load of it where they can. */
static inline uint64_t load8(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t pixel3(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16;
}

/* The neighbours of one pixel at the seam of a wrapped picture or at its very end. */
static void fetch_apart(const vg_view *in, int left, int top, bool wrap, uint64_t *upper,
                        uint64_t *lower)
{
    int right = left + 1 < in->width ? left + 1 : wrap ? 0 : left;
    int bottom = top + 1 < in->height ? top + 1 : wrap ? 0 : top;
    const uint8_t *a = in->data + (size_t)top * in->stride;
    const uint8_t *b = in->data + (size_t)bottom * in->stride;
    if (in->channels == 1) {
        *upper = (uint64_t)a[left] | (uint64_t)a[right] << 8 | (uint64_t)b[left] << 16 |
                 (uint64_t)b[right] << 24;
        return;
    }
    *upper = pixel3(a + 3 * (size_t)left) | pixel3(a + 3 * (size_t)right) << 24;
    *lower = pixel3(b + 3 * (size_t)left) | pixel3(b + 3 * (size_t)right) << 24;
}

/* One step of pixels whose loads all stay in the picture. */
static inline void fetch_grey(const vg_view *in, const int32_t *left, const int32_t *top,
                              uint64_t *restrict upper)
{
    const uint8_t *data = in->data;
    const size_t stride = in->stride;
    for (int i = 0; i < STEP; i++) {
        const uint8_t *p = data + (size_t)top[i] * stride + (size_t)left[i], *q = p + stride;
        upper[i] =
            (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)q[0] << 16 | (uint64_t)q[1] << 24;
    }
}

static inline void fetch_rgb(const vg_view *in, const int32_t *left, const int32_t *top,
                             uint64_t *restrict upper, uint64_t *restrict lower)
{
    const uint8_t *data = in->data;
    const size_t stride = in->stride;
    for (int i = 0; i < STEP; i++) {
        const uint8_t *p = data + (size_t)top[i] * stride + 3 * (size_t)left[i];
        upper[i] = load8(p);
        lower[i] = load8(p + stride);
    }
}

/* Whether no pixel of a step is at a seam, and none so near the end of the last row that a load of
 * 8 bytes would leave the picture (that of other rows runs into the next). */
static VG_INLINE bool all_inside(const vg_view *in, const int32_t *restrict left,
                                 const int32_t *restrict top)
{
    int32_t x = 0, y = 0;
    for (int i = 0; i < STEP; i++) {
        x = x > left[i] ? x : left[i];
        y = y > top[i] ? y : top[i];
    }
    return x <= in->width - 2 && y <= in->height - 2 && (y <= in->height - 3 || x <= in->width - 3);
}

static VG_INLINE void fetch(const vg_bilinear *j, int count, span *s)
{
    const vg_view *in = &j->in;
    for (int i = 0; i < count; i += STEP) {
        if (!all_inside(in, s->left + i, s->top + i))
            for (int k = i; k < count && k < i + STEP; k++)
                fetch_apart(in, s->left[k], s->top[k], j->fill == VG_FILL_WRAP, &s->upper[k],
                            &s->lower[k]);
        else if (in->channels == 1)
            fetch_grey(in, s->left + i, s->top + i, s->upper + i);
        else
            fetch_rgb(in, s->left + i, s->top + i, s->upper + i, s->lower + i);
    }
}

static inline float lerp(float from, float to, float part)
{
    return from + part * (to - from);
}

/* Down first, then across: the order of each version. */
static VG_INLINE void blend_grey(const span *s, int first, int count, float *restrict out)
{
    for (int i = first; i < count; i++) {
        uint32_t q = (uint32_t)s->upper[i];
        float a = (float)(int32_t)(q & 255), b = (float)(int32_t)(q >> 8 & 255);
        float c = (float)(int32_t)(q >> 16 & 255), d = (float)(int32_t)(q >> 24);
        float left = a + s->fy[i] * (c - a), right = b + s->fy[i] * (d - b);
        out[i] = left + s->fx[i] * (right - left);
    }
}

static void blend_rgb(const span *s, int first, int count, size_t plane, float *restrict out)
{
    for (int i = first; i < count; i++)
        for (int c = 0; c < 3; c++) {
            uint64_t t = s->upper[i] >> 8 * c, b = s->lower[i] >> 8 * c;
            float left = lerp((float)(t & 255), (float)(b & 255), s->fy[i]);
            float right = lerp((float)(t >> 24 & 255), (float)(b >> 24 & 255), s->fy[i]);
            out[(size_t)c * plane + (size_t)i] = lerp(left, right, s->fx[i]);
        }
}

static VG_INLINE void show_constant(const span *s, int count, float value, float *restrict out)
{
    for (int i = 0; i < count; i++)
        out[i] = s->hidden[i] ? value : out[i];
}

typedef struct version {
    void (*along)(const vg_bilinear *j, int u, int v, int count, double *x, double *y);
    void (*fetch)(const vg_bilinear *j, const double *x, const double *y, int count, span *s);
    void (*grey)(const span *s, int count, float *out);
    void (*rgb)(const span *s, int count, size_t plane, float *out);
    void (*constant)(const span *s, int count, float value, float *out);
} version;

static void along_plain(const vg_bilinear *j, int u, int v, int count, double *x, double *y)
{
    along(j, u, v, count, x, y);
}

static void fetch_plain(const vg_bilinear *j, const double *x, const double *y, int count, span *s)
{
    places(j, x, y, count, s);
    fetch(j, count, s);
}

static void grey_plain(const span *s, int count, float *out)
{
    blend_grey(s, 0, count, out);
}

static void rgb_plain(const span *s, int count, size_t plane, float *out)
{
    blend_rgb(s, 0, count, plane, out);
}

static void constant_plain(const span *s, int count, float value, float *out)
{
    show_constant(s, count, value, out);
}

#if VG_SIMD_X86
#include <immintrin.h>

VG_FOR_AVX2 static void along_avx2(const vg_bilinear *j, int u, int v, int count, double *x,
                                   double *y)
{
    along(j, u, v, count, x, y);
}

VG_FOR_AVX2 static void fetch_avx2(const vg_bilinear *j, const double *x, const double *y,
                                   int count, span *s)
{
    places(j, x, y, count, s);
    fetch(j, count, s);
}

VG_FOR_AVX512 static void along_avx512(const vg_bilinear *j, int u, int v, int count, double *x,
                                       double *y)
{
    along(j, u, v, count, x, y);
}

VG_FOR_AVX512 static void fetch_avx512(const vg_bilinear *j, const double *x, const double *y,
                                       int count, span *s)
{
    places(j, x, y, count, s);
    fetch(j, count, s);
}

VG_FOR_AVX2 static void grey_avx2(const span *s, int count, float *out)
{
    blend_grey(s, 0, count, out);
}

VG_FOR_AVX512 static void grey_avx512(const span *s, int count, float *out)
{
    blend_grey(s, 0, count, out);
}

VG_FOR_AVX2 static void constant_avx2(const span *s, int count, float value, float *out)
{
    show_constant(s, count, value, out);
}

VG_FOR_AVX512 static void constant_avx512(const span *s, int count, float value, float *out)
{
    show_constant(s, count, value, out);
}

/* In each half of two pixels of 8 bytes: left and right byte of a channel, of both, as 32 bits. */
#define PICK(c)                                                                                    \
    _mm_setr_epi8((c), -1, -1, -1, 3 + (c), -1, -1, -1, 8 + (c), -1, -1, -1, 11 + (c), -1, -1, -1)

VG_FOR_AVX2 static inline __m256 down_avx2(const uint64_t *upper, const uint64_t *lower,
                                           __m256i pick, __m256 fy)
{
    __m256i t = _mm256_loadu_si256((const __m256i *)(const void *)upper);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)lower);
    __m256 p = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(t, pick));
    __m256 q = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(b, pick));
    return _mm256_add_ps(p, _mm256_mul_ps(fy, _mm256_sub_ps(q, p)));
}

VG_FOR_AVX2 static void rgb_avx2(const span *s, int count, size_t plane, float *out)
{
    const __m256i twice0 = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    const __m256i twice1 = _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7);
    const __m256i pick[3] = {_mm256_broadcastsi128_si256(PICK(0)),
                             _mm256_broadcastsi128_si256(PICK(1)),
                             _mm256_broadcastsi128_si256(PICK(2))};
    int i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256 fx = _mm256_loadu_ps(s->fx + i), fy = _mm256_loadu_ps(s->fy + i);
        __m256 fy0 = _mm256_permutevar8x32_ps(fy, twice0);
        __m256 fy1 = _mm256_permutevar8x32_ps(fy, twice1);
        /* the order that the two shuffles below leave: pixels 0 1 4 5 2 3 6 7 */
        fx = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(fx), 0xd8));
        for (size_t c = 0; c < 3; c++) {
            __m256 v0 = down_avx2(s->upper + i, s->lower + i, pick[c], fy0);
            __m256 v1 = down_avx2(s->upper + i + 4, s->lower + i + 4, pick[c], fy1);
            __m256 left = _mm256_shuffle_ps(v0, v1, 0x88), right = _mm256_shuffle_ps(v0, v1, 0xdd);
            __m256 all = _mm256_add_ps(left, _mm256_mul_ps(fx, _mm256_sub_ps(right, left)));
            all = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(all), 0xd8));
            _mm256_storeu_ps(out + c * plane + i, all);
        }
    }
    blend_rgb(s, i, count, plane, out);
}

VG_FOR_AVX512 static inline __m512 down_avx512(const uint64_t *upper, const uint64_t *lower,
                                               __m512i pick, __m512 fy)
{
    __m512 p = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(_mm512_loadu_si512(upper), pick));
    __m512 q = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(_mm512_loadu_si512(lower), pick));
    return _mm512_add_ps(p, _mm512_mul_ps(fy, _mm512_sub_ps(q, p)));
}

VG_FOR_AVX512 static void rgb_avx512(const span *s, int count, size_t plane, float *out)
{
    const __m512i twice0 = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const __m512i twice1 =
        _mm512_setr_epi32(8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    const __m512i pick[3] = {_mm512_broadcast_i32x4(PICK(0)), _mm512_broadcast_i32x4(PICK(1)),
                             _mm512_broadcast_i32x4(PICK(2))};
    for (int i = 0; i < count; i += 16) { /* the span is whole steps, what is written is not */
        __mmask16 mask = (__mmask16)(count - i < 16 ? (1u << (count - i)) - 1 : 0xffffu);
        __m512 fx = _mm512_loadu_ps(s->fx + i), fy = _mm512_loadu_ps(s->fy + i);
        __m512 fy0 = _mm512_permutexvar_ps(twice0, fy), fy1 = _mm512_permutexvar_ps(twice1, fy);
        for (size_t c = 0; c < 3; c++) {
            __m512 v0 = down_avx512(s->upper + i, s->lower + i, pick[c], fy0);
            __m512 v1 = down_avx512(s->upper + i + 8, s->lower + i + 8, pick[c], fy1);
            __m512 left = _mm512_permutex2var_ps(v0, even, v1);
            __m512 right = _mm512_permutex2var_ps(v0, odd, v1);
            __m512 all = _mm512_add_ps(left, _mm512_mul_ps(fx, _mm512_sub_ps(right, left)));
            _mm512_mask_storeu_ps(out + c * plane + i, mask, all);
        }
    }
}
#endif

static version choose(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return (version){along_avx512, fetch_avx512, grey_avx512, rgb_avx512, constant_avx512};
    if (simd == VG_SIMD_AVX2)
        return (version){along_avx2, fetch_avx2, grey_avx2, rgb_avx2, constant_avx2};
#endif
    (void)simd;
    return (version){along_plain, fetch_plain, grey_plain, rgb_plain, constant_plain};
}

/* One span at places that are known. */
static void sample(const vg_bilinear *j, const version *best, const double *x, const double *y,
                   int count, size_t plane, span *s, float *out)
{
    best->fetch(j, x, y, count, s);
    if (j->in.channels == 1)
        best->grey(s, count, out);
    else
        best->rgb(s, count, plane, out);
    if (j->fill == VG_FILL_CONSTANT)
        for (int c = 0; c < j->in.channels; c++)
            best->constant(s, count, j->value, out + (size_t)c * plane);
}

void vg_bilinear_run(const vg_bilinear *j, vg_simd simd, float *out)
{
    const version best = choose(simd);
    const size_t plane = (size_t)j->width * (size_t)j->height;
    double x[SPAN], y[SPAN];
    span s;
    memset(&s, 0, sizeof s); /* what lies behind the last pixel is read, and thrown away */
    for (int v = 0; v < j->height; v++)
        for (int u = 0; u < j->width; u += SPAN) {
            int count = j->width - u < SPAN ? j->width - u : SPAN;
            best.along(j, u, v, count, x, y);
            sample(j, &best, x, y, count, plane, &s,
                   out + (size_t)v * (size_t)j->width + (size_t)u);
        }
}

void vg_bilinear_points(const vg_bilinear *j, vg_simd simd, const double *x, const double *y,
                        int count, size_t plane, float *out)
{
    const version best = choose(simd);
    span s;
    memset(&s, 0, sizeof s);
    sample(j, &best, x, y, count, plane, &s, out);
}
