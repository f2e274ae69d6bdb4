/* Nearest and bicubic sampling at given places, a span at a time.
 *
 * As in ops/bilinear.c pixels are first copied next to each other, here into one plane for each of
 * the taps, so that the arithmetic is plain loops over a span that compilers vectorize; they are
 * compiled once for each machine. Fill modes are a matter of the taps' places: clamped, folded or
 * taken modulo. */
#include "ops/points.h"

enum { SPAN = VG_BILINEAR_SPAN, TAPS = 4 };

typedef struct axis {
    int32_t first[SPAN];   /* place of the first tap, or of the only one */
    float weight[4][SPAN]; /* bicubic */
} axis;

typedef struct cubic {
    axis x, y;
    uint8_t tap[TAPS][TAPS][3][SPAN]; /* row, column, channel */
} cubic;

static int fold(int i, int n, vg_fill fill)
{
    if (i >= 0 && i < n)
        return i;
    if (fill == VG_FILL_WRAP)
        return ((i % n) + n) % n;
    if (fill == VG_FILL_REFLECT) {
        i = ((i % (2 * n)) + 2 * n) % (2 * n);
        return i < n ? i : 2 * n - 1 - i;
    }
    return i < 0 ? 0 : n - 1;
}

/* floor(), without a call. */
static VG_INLINE int32_t down(double v)
{
    int32_t w = (int32_t)v;
    return w - (v < (double)w ? 1 : 0);
}

static VG_INLINE void nearest_places(const double *restrict x, int32_t *restrict whole)
{
    for (int i = 0; i < SPAN; i++)
        whole[i] = down(x[i] + 0.5);
}

static VG_INLINE void cubic_places(const double *restrict x, axis *restrict a)
{
    for (int i = 0; i < SPAN; i++) {
        int32_t w = down(x[i]);
        float t = (float)(x[i] - (double)w);
        a->first[i] = w - 1;
        a->weight[0][i] = t * (-0.5f + t * (1.0f - 0.5f * t));
        a->weight[1][i] = 1.0f + t * t * (-2.5f + 1.5f * t);
        a->weight[2][i] = t * (0.5f + t * (2.0f - 1.5f * t));
        a->weight[3][i] = t * t * (-0.5f + 0.5f * t);
    }
}

static VG_INLINE void cubic_blend(const cubic *restrict c, int channel, int count,
                                  float *restrict out)
{
    float sum[SPAN];
    for (int i = 0; i < SPAN; i++)
        sum[i] = 0;
    for (int r = 0; r < TAPS; r++)
        for (int i = 0; i < SPAN; i++) {
            float row = c->x.weight[0][i] * (float)(int32_t)c->tap[r][0][channel][i];
            row += c->x.weight[1][i] * (float)(int32_t)c->tap[r][1][channel][i];
            row += c->x.weight[2][i] * (float)(int32_t)c->tap[r][2][channel][i];
            row += c->x.weight[3][i] * (float)(int32_t)c->tap[r][3][channel][i];
            sum[i] += c->y.weight[r][i] * row;
        }
    for (int i = 0; i < count; i++) {
        float v = sum[i] > 0 ? sum[i] : 0;
        out[i] = v < 255 ? v : 255;
    }
}

typedef struct version {
    void (*nearest)(const double *x, int32_t *whole);
    void (*places)(const double *x, axis *a);
    void (*blend)(const cubic *c, int channel, int count, float *out);
} version;

/* `target` is an attribute, which brackets would break. NOLINTBEGIN(bugprone-macro-parentheses) */
#define VERSION(name, target)                                                                      \
    target static void nearest_##name(const double *x, int32_t *whole)                             \
    {                                                                                              \
        nearest_places(x, whole);                                                                  \
    }                                                                                              \
    target static void places_##name(const double *x, axis *a)                                     \
    {                                                                                              \
        cubic_places(x, a);                                                                        \
    }                                                                                              \
    target static void blend_##name(const cubic *c, int channel, int count, float *out)            \
    {                                                                                              \
        cubic_blend(c, channel, count, out);                                                       \
    }

/* NOLINTEND(bugprone-macro-parentheses) */
VERSION(plain, )
#if VG_SIMD_X86
VERSION(avx2, VG_FOR_AVX2)
VERSION(avx512, VG_FOR_AVX512)
#endif

static version choose(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return (version){nearest_avx512, places_avx512, blend_avx512};
    if (simd == VG_SIMD_AVX2)
        return (version){nearest_avx2, places_avx2, blend_avx2};
#endif
    (void)simd;
    return (version){nearest_plain, places_plain, blend_plain};
}

static void show_constant(const vg_bilinear *j, const double *x, const double *y, int count,
                          size_t plane, float *out)
{
    for (int i = 0; j->fill == VG_FILL_CONSTANT && i < count; i++)
        if (x[i] < j->x0 || x[i] > j->x1 || y[i] < j->y0 || y[i] > j->y1)
            for (int c = 0; c < j->in.channels; c++)
                out[(size_t)c * plane + (size_t)i] = j->value;
}

void vg_points_nearest(const vg_bilinear *j, vg_simd simd, const double *x, const double *y,
                       int count, size_t plane, float *out)
{
    const version best = choose(simd);
    const vg_view *in = &j->in;
    const size_t channels = (size_t)in->channels;
    int32_t column[SPAN], row[SPAN];
    best.nearest(x, column);
    best.nearest(y, row);
    for (int i = 0; i < count; i++) {
        size_t u = (size_t)fold(column[i], in->width, j->fill);
        size_t v = (size_t)fold(row[i], in->height, j->fill);
        const uint8_t *p = in->data + v * in->stride + u * channels;
        for (size_t c = 0; c < channels; c++)
            out[c * plane + (size_t)i] = p[c];
    }
    show_constant(j, x, y, count, plane, out);
}

/* The taps of pixel i at the picture's border or beyond. */
static void copy_folded(const vg_bilinear *j, int i, cubic *to)
{
    const vg_view *in = &j->in;
    const size_t channels = (size_t)in->channels;
    for (int r = 0; r < TAPS; r++)
        for (int k = 0; k < TAPS; k++) {
            size_t x = (size_t)fold(to->x.first[i] + k, in->width, j->fill);
            size_t y = (size_t)fold(to->y.first[i] + r, in->height, j->fill);
            const uint8_t *p = in->data + y * in->stride + x * channels;
            for (size_t c = 0; c < channels; c++)
                to->tap[r][k][c][i] = p[c];
        }
}

/* The taps of all pixels, a plane for each. */
static void copy_taps(const vg_bilinear *j, int count, cubic *to)
{
    const vg_view *in = &j->in;
    for (int i = 0; i < count; i++) {
        int x = to->x.first[i], y = to->y.first[i];
        if (x < 0 || y < 0 || x > in->width - TAPS || y > in->height - TAPS) {
            copy_folded(j, i, to);
            continue;
        }
        const uint8_t *p = in->data + (size_t)y * in->stride + (size_t)x * (size_t)in->channels;
        for (int r = 0; r < TAPS; r++, p += in->stride)
            for (int k = 0; k < TAPS; k++)
                if (in->channels == 1) {
                    to->tap[r][k][0][i] = p[k];
                } else {
                    const uint8_t *rgb = p + (size_t)3 * (size_t)k;
                    to->tap[r][k][0][i] = rgb[0];
                    to->tap[r][k][1][i] = rgb[1];
                    to->tap[r][k][2][i] = rgb[2];
                }
    }
}

void vg_points_bicubic(const vg_bilinear *j, vg_simd simd, const double *x, const double *y,
                       int count, size_t plane, float *out)
{
    const version best = choose(simd);
    cubic c;
    best.places(x, &c.x);
    best.places(y, &c.y);
    copy_taps(j, count, &c);
    for (int r = 0; count < SPAN && r < TAPS; r++) /* what lies behind is computed, thrown away */
        for (int k = 0; k < TAPS; k++)
            for (int channel = 0; channel < j->in.channels; channel++)
                for (int i = count; i < SPAN; i++)
                    c.tap[r][k][channel][i] = 0;
    for (int channel = 0; channel < j->in.channels; channel++)
        best.blend(&c, channel, count, out + (size_t)channel * plane);
    show_constant(j, x, y, count, plane, out);
}
