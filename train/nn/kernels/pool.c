/* Pooling of one image, channels beside each other; padding is beside the maximum and zero in the
 * average; a remainder at the right and lower edge is left out. Of equal values the first one in
 * reading order counts. A NaN in a window wins, as in the frameworks, so that it is seen further on.
 *
 * Channels are worked on in strips, and each step is a plain loop over one type, which the
 * vectorizer takes. */
#include "nn/kernels/pool_window.h"

#include <string.h>

enum { STRIP = 64 };

/* The pixel under place (r, s) of a window. */
static inline size_t pixel_at(const vg_window *g, const vg_pool_reach *a, int r, int s)
{
    return (size_t)(a->y + r) * (size_t)g->w + (size_t)(a->x + s);
}

/* Channels [0, n) of one window, n at most STRIP; x begins at the first of them. column: where the place
 * has a second byte, so far behind the first; 0: it has none. */
VG_KERNEL static void largest(const vg_window *g, const vg_pool_reach *a, const float *restrict x,
                              size_t n, bool relu, float *restrict y, uint8_t *restrict chosen,
                              size_t column)
{
    float best[STRIP] = {0};
    int32_t place[STRIP] = {0};
    size_t c = (size_t)g->c;
    const float *first = x + pixel_at(g, a, a->r0, a->s0) * c;
    for (size_t k = 0; k < n; k++) {
        best[k] = first[k];
        place[k] = a->r0 * g->kernel + a->s0;
    }
    for (int r = a->r0; r < a->r1; r++)
        for (int s = a->s0; s < a->s1; s++) {
            const float *v = x + pixel_at(g, a, r, s) * c;
            int32_t here = r * g->kernel + s;
            for (size_t k = 0; k < n; k++) {
                int more = (v[k] > best[k]) | (v[k] != v[k]);
                best[k] = more ? v[k] : best[k];
                place[k] = more ? here : place[k];
            }
        }
    for (size_t k = 0; relu && k < n; k++) {
        place[k] = best[k] <= 0 ? VG_POOL_NOWHERE : place[k];
        best[k] = best[k] <= 0 ? 0 : best[k];
    }
    for (size_t k = 0; k < n; k++)
        y[k] = best[k];
    for (size_t k = 0; chosen && k < n; k++)
        chosen[k] = (uint8_t)(column ? place[k] / g->kernel : place[k]);
    for (size_t k = 0; chosen && column && k < n; k++)
        chosen[column + k] = (uint8_t)(place[k] % g->kernel);
}

void vg_maxpool(const vg_window *g, const float *x, float *y, uint8_t *chosen, bool relu)
{
#if VG_SIMD_X86
    if (!chosen && vg_simd_best() == VG_SIMD_AVX512) {
        vg_maxpool_values_avx512(g, x, y, relu);
        return;
    }
    if (g->kernel <= VG_POOL_NARROW && vg_simd_best() == VG_SIMD_AVX512) {
        vg_maxpool_avx512(g, x, y, chosen, relu);
        return;
    }
#endif
    vg_maxpool_plain(g, x, y, chosen, relu);
}

void vg_maxpool_plain(const vg_window *g, const float *x, float *y, uint8_t *chosen, bool relu)
{
    size_t c = (size_t)g->c, all = (size_t)g->p * (size_t)g->q * c;
    size_t column = g->kernel > VG_POOL_NARROW ? all : 0;
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            size_t at = ((size_t)p * (size_t)g->q + (size_t)q) * c;
            for (size_t k = 0; k < c; k += STRIP)
                largest(g, &a, x + k, c - k < STRIP ? c - k : STRIP, relu, y + at + k,
                        chosen ? chosen + at + k : NULL, column);
        }
}

/* Places of one window that lie inside: dx += dy where the place was chosen. */
VG_KERNEL static void hand_back(const vg_window *g, const vg_pool_reach *a,
                                const uint8_t *restrict chosen, const float *restrict dy, size_t n,
                                float *restrict dx)
{
    int32_t place[STRIP];
    size_t c = (size_t)g->c;
    for (size_t k = 0; k < n; k++)
        place[k] = chosen[k];
    for (int r = a->r0; r < a->r1; r++)
        for (int s = a->s0; s < a->s1; s++) {
            float *d = dx + pixel_at(g, a, r, s) * c;
            int32_t here = r * g->kernel + s;
            for (size_t k = 0; k < n; k++)
                d[k] += place[k] == here ? dy[k] : 0;
        }
}

static void hand_back_wide(const vg_window *g, const vg_pool_reach *a, const uint8_t *row,
                           const uint8_t *column, const float *dy, float *dx)
{
    for (size_t k = 0; k < (size_t)g->c; k++)
        dx[pixel_at(g, a, row[k], column[k]) * (size_t)g->c + k] += dy[k];
}

void vg_maxpool_backward(const vg_window *g, const uint8_t *chosen, const float *dy, float *dx)
{
#if VG_SIMD_X86
    if (g->kernel <= VG_POOL_NARROW && vg_simd_best() == VG_SIMD_AVX512) {
        vg_maxpool_backward_avx512(g, chosen, dy, dx);
        return;
    }
#endif
    vg_maxpool_backward_plain(g, chosen, dy, dx);
}

void vg_maxpool_backward_plain(const vg_window *g, const uint8_t *chosen, const float *dy,
                               float *dx)
{
    size_t c = (size_t)g->c, all = (size_t)g->p * (size_t)g->q * c;
    memset(dx, 0, (size_t)g->h * (size_t)g->w * c * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            size_t at = ((size_t)p * (size_t)g->q + (size_t)q) * c;
            if (g->kernel > VG_POOL_NARROW) {
                hand_back_wide(g, &a, chosen + at, chosen + all + at, dy + at, dx);
                continue;
            }
            for (size_t k = 0; k < c; k += STRIP)
                hand_back(g, &a, chosen + at + k, dy + at + k, c - k < STRIP ? c - k : STRIP,
                          dx + k);
        }
}

VG_KERNEL static void give_row(const uint8_t *restrict chosen, const float *restrict dy, size_t n,
                               int32_t here, float *restrict dx)
{
    int32_t place[STRIP];
    for (size_t k = 0; k < n; k++)
        place[k] = chosen[k];
    for (size_t k = 0; k < n; k++)
        dx[k] = place[k] == here ? dy[k] : 0;
}

void vg_maxpool_backward_row(const vg_window *g, const uint8_t *chosen, const float *dy, int row,
                             float *dx)
{
    size_t c = (size_t)g->c, kernel = (size_t)g->kernel;
    size_t covered = row < g->p * g->kernel ? (size_t)g->q * kernel : 0;
    memset(dx + covered * c, 0, ((size_t)g->w - covered) * c * sizeof *dx);
    if (covered == 0)
        return;
#if VG_SIMD_X86
    if (vg_simd_best() == VG_SIMD_AVX512) {
        vg_maxpool_backward_row_avx512(g, chosen, dy, row, dx);
        return;
    }
#endif
    size_t at = (size_t)(row / g->kernel) * (size_t)g->q * c;
    for (size_t x = 0; x < covered; x++, dx += c)
        for (size_t k = 0; k < c; k += STRIP)
            give_row(chosen + at + x / kernel * c + k, dy + at + x / kernel * c + k,
                     c - k < STRIP ? c - k : STRIP, row % g->kernel * g->kernel + (int)(x % kernel),
                     dx + k);
}

VG_KERNEL void vg_maxpool_sums(const uint8_t *chosen, const float *dy, size_t pixels, size_t c,
                               double *sum)
{
    for (size_t k0 = 0; k0 < c; k0 += STRIP) {
        size_t n = c - k0 < STRIP ? c - k0 : STRIP;
        for (size_t i = 0; i < pixels;) {
            float part[STRIP] = {0}; /* of up to 32 values, as in vg_channel_sums */
            size_t end = pixels - i < 32 ? pixels : i + 32;
            for (; i < end; i++) {
                int32_t place[STRIP];
                const float *d = dy + i * c + k0;
                for (size_t k = 0; k < n; k++)
                    place[k] = chosen[i * c + k0 + k];
                for (size_t k = 0; k < n; k++)
                    part[k] += place[k] == VG_POOL_NOWHERE ? 0 : d[k];
            }
            for (size_t k = 0; k < n; k++)
                sum[k0 + k] += (double)part[k];
        }
    }
}

VG_KERNEL static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

VG_KERNEL static void add_scaled(float *restrict to, const float *restrict from, size_t n, float a)
{
    for (size_t i = 0; i < n; i++)
        to[i] += a * from[i];
}

void vg_avgpool(const vg_window *g, const float *x, float *y)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    size_t c = (size_t)g->c;
    memset(y, 0, (size_t)g->p * (size_t)g->q * c * sizeof *y);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++, y += c) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            for (int r = a.r0; r < a.r1; r++)
                for (int s = a.s0; s < a.s1; s++)
                    add(y, x + pixel_at(g, &a, r, s) * c, c);
            vg_scale(y, c, share);
        }
}

void vg_avgpool_backward(const vg_window *g, const float *dy, float *dx)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    size_t c = (size_t)g->c;
    memset(dx, 0, (size_t)g->h * (size_t)g->w * c * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++, dy += c) {
            vg_pool_reach a = vg_pool_window(g, p, q);
            for (int r = a.r0; r < a.r1; r++)
                for (int s = a.s0; s < a.s1; s++)
                    add_scaled(dx + pixel_at(g, &a, r, s) * c, dy, c, share);
        }
}
