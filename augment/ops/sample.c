/* Where output pixels fall, and the constant around the picture.
 *
 * Along an affine map a span of pixels begins at a place that is computed in double, and goes on in steps of
 * 2^-23 pixels: at most 1e-5 away from the exact one after 128 of them, and whole numbers are all it
 * takes. Any other places come as doubles. Either way they become whole pixels and parts of 2^-14, which
 * the samplers (ops/nearest.c, bilinear.c, bicubic.c) blend in integers, so that no version can differ
 * by a bit. Under a constant fill the pixels of a row that show the picture are one stretch; nothing
 * else is sampled. Knows no reduction: ops/warp.c and ops/remap.c decide. */
#include "ops/sample.h"

#include "ops/span.h"

#include <math.h>

enum { SPAN = VG_SAMPLE_SPAN, STEP = VG_STEP, FINE = 23, COARSE = FINE - VG_PLACE_BITS };
static const double MOST_STEP = 1.5; /* 128 of these, 2^23 times, are below 2^31 */

/* One axis of a span: the place of its first pixel, and how much further each one is. */
typedef struct ramp {
    int32_t whole, part;
    int32_t further[SPAN];
} ramp;

static void ramp_make(ramp *r, double step)
{
    const int32_t whole = (int32_t)floor(step * (1 << FINE) + 0.5);
    for (int i = 0; i < SPAN; i++)
        r->further[i] = i * whole;
}

static void ramp_begin(ramp *r, double at)
{
    const double whole = floor(at);
    r->whole = (int32_t)whole;
    r->part = (int32_t)floor((at - whole) * (1 << FINE) + 0.5);
    r->part += 1 << (COARSE - 1); /* rounds to parts of 2^-14 */
}

static VG_INLINE void go(const ramp *restrict r, int count, int32_t *restrict whole,
                         int32_t *restrict part)
{
    for (int k = 0; k < count; k += STEP)
        for (int i = k; i < k + STEP; i++) {
            int32_t at = r->part + r->further[i];
            whole[i] = r->whole + (at >> FINE);
            part[i] = at >> COARSE & (VG_PLACE_ONE - 1);
        }
}

static VG_INLINE void round_off(const double *restrict at, int count, int32_t *restrict whole,
                                int32_t *restrict part)
{
    for (int k = 0; k < count; k += STEP)
        for (int i = k; i < k + STEP; i++) {
            int32_t w = (int32_t)at[i];
            w -= at[i] < (double)w ? 1 : 0;
            int32_t p = (int32_t)((at[i] - (double)w) * VG_PLACE_ONE + 0.5);
            whole[i] = w + (p >> VG_PLACE_BITS);
            part[i] = p & (VG_PLACE_ONE - 1);
        }
}

/* Takes the constant where a place is outside. */
static VG_INLINE void hide(const vg_sample_job *j, const double *restrict x,
                           const double *restrict y, int count, size_t plane, float *restrict out)
{
    const double x0 = j->x0, x1 = j->x1, y0 = j->y0, y1 = j->y1;
    const float value = j->value;
    int32_t hidden[SPAN];
    for (int i = 0; i < SPAN; i++)
        hidden[i] = (x[i] < x0) | (x[i] > x1) | (y[i] < y0) | (y[i] > y1);
    for (int c = 0; c < j->in.channels; c++, out += plane)
        for (int i = 0; i < count; i++)
            out[i] = hidden[i] ? value : out[i];
}

typedef struct version {
    void (*go)(const ramp *x, const ramp *y, int count, vg_places *p);
    void (*round)(const double *x, const double *y, int count, vg_places *p);
    void (*hide)(const vg_sample_job *j, const double *x, const double *y, int count, size_t plane,
                 float *out);
} version;

/* `target` is an attribute, which brackets would break. NOLINTBEGIN(bugprone-macro-parentheses) */
#define VERSION(name, target)                                                                      \
    target static void go_##name(const ramp *x, const ramp *y, int count, vg_places *p)            \
    {                                                                                              \
        go(x, count, p->x, p->fx);                                                                 \
        go(y, count, p->y, p->fy);                                                                 \
    }                                                                                              \
    target static void round_##name(const double *x, const double *y, int count, vg_places *p)     \
    {                                                                                              \
        round_off(x, count, p->x, p->fx);                                                          \
        round_off(y, count, p->y, p->fy);                                                          \
    }                                                                                              \
    target static void hide_##name(const vg_sample_job *j, const double *x, const double *y,       \
                                   int count, size_t plane, float *out)                            \
    {                                                                                              \
        hide(j, x, y, count, plane, out);                                                          \
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
        return (version){go_avx512, round_avx512, hide_avx512};
    if (simd == VG_SIMD_AVX2)
        return (version){go_avx2, round_avx2, hide_avx2};
#endif
    (void)simd;
    return (version){go_plain, round_plain, hide_plain};
}

static vg_sample_span *sampler(vg_interpolation interpolation, vg_simd simd)
{
    return interpolation == VG_INTERPOLATION_NEAREST   ? vg_nearest_version(simd)
           : interpolation == VG_INTERPOLATION_BICUBIC ? vg_bicubic_version(simd)
                                                       : vg_bilinear_version(simd);
}

/* Narrows [*from, *to) to the steps u for which low <= start + step u <= high. */
static void narrow(double start, double step, double low, double high, int *from, int *to)
{
    if (step == 0) {
        *to = start >= low && start <= high ? *to : *from;
        return;
    }
    double a = (low - start) / step, b = (high - start) / step;
    double first = ceil(fmin(a, b)), behind = floor(fmax(a, b)) + 1;
    *from = first > *from ? (int)fmin(first, *to) : *from;
    *to = behind < *to ? (int)fmax(behind, *from) : *to;
}

static void fill_row(const vg_sample_job *j, int from, int to, size_t plane, float *row)
{
    for (int c = 0; c < j->in.channels; c++)
        for (int u = from; u < to; u++)
            row[(size_t)c * plane + (size_t)u] = j->value;
}

void vg_sample_run(const vg_sample_job *j, vg_simd simd, float *out)
{
    const version best = choose(simd);
    vg_sample_span *const sample = sampler(j->interpolation, simd);
    const size_t plane = (size_t)j->width * (size_t)j->height;
    const double dx = j->m[0], dy = j->m[3];
    const bool small = fabs(dx) <= MOST_STEP && fabs(dy) <= MOST_STEP;
    ramp across, down;
    vg_places p;
    if (small) {
        ramp_make(&across, dx);
        ramp_make(&down, dy);
    }
    for (int v = 0; v < j->height; v++) {
        const double cx = j->m[1] * v + j->m[2], cy = j->m[4] * v + j->m[5];
        float *row = out + (size_t)v * (size_t)j->width;
        int from = 0, to = j->width;
        if (j->fill == VG_FILL_CONSTANT) {
            narrow(cx, dx, j->x0, j->x1, &from, &to);
            narrow(cy, dy, j->y0, j->y1, &from, &to);
            fill_row(j, 0, from, plane, row);
            fill_row(j, to, j->width, plane, row);
        }
        for (int u = from; u < to; u += SPAN) {
            int count = to - u < SPAN ? to - u : SPAN;
            if (small) {
                ramp_begin(&across, cx + dx * u);
                ramp_begin(&down, cy + dy * u);
                best.go(&across, &down, count, &p);
            } else {
                double x[SPAN], y[SPAN];
                for (int i = 0; i < SPAN; i++) {
                    x[i] = cx + dx * (i < count ? u + i : u);
                    y[i] = cy + dy * (i < count ? u + i : u);
                }
                best.round(x, y, count, &p);
            }
            sample(j, &p, count, plane, row + u);
        }
    }
}

void vg_sample_points(const vg_sample_job *j, vg_simd simd, const double *x, const double *y,
                      int count, size_t plane, float *out)
{
    const version best = choose(simd);
    vg_places p;
    best.round(x, y, count, &p);
    sampler(j->interpolation, simd)(j, &p, count, plane, out);
    if (j->fill == VG_FILL_CONSTANT)
        best.hide(j, x, y, count, plane, out);
}
