/* Pooling of one plane; padding is beside the maximum and zero in the average; a remainder at the right and lower edge is left
 * out. A NaN in a window wins, as in the frameworks, so that it is seen further on. */
#include "nn/kernels/kernels.h"

#include <string.h>

enum { STRIP = 64 };

/* The common case by itself, 2 x 2 without overlap: first the larger of two rows, then of two
 * columns, each step a plain loop over one type, which the vectorizer takes. Of equal values the
 * first one in reading order counts, as in the general case. */
VG_KERNEL static void maxpool_two(const float *restrict x, size_t w, size_t p, size_t q,
                                  float *restrict y, uint16_t *restrict chosen)
{
    float top[2 * STRIP] = {0};
    int32_t row[2 * STRIP] = {0}, place[STRIP];
    for (size_t i = 0; i < p; i++)
        for (size_t j0 = 0; j0 < q; j0 += STRIP) {
            const float *a = x + 2 * i * w + 2 * j0, *b = a + w;
            size_t at = i * q + j0;
            size_t n = q - j0 < STRIP ? q - j0 : STRIP;
            for (size_t j = 0; j < 2 * n; j++) {
                int lower = (b[j] > a[j]) | (b[j] != b[j]);
                top[j] = lower ? b[j] : a[j];
                row[j] = lower ? 2 : 0;
            }
            float *out = y + at;
            for (size_t j = 0; j < n; j++) {
                float l = top[2 * j], r = top[2 * j + 1];
                int cl = row[2 * j], cr = row[2 * j + 1] + 1;
                int right = (r > l) | (r != r) | ((r == l) & (cr < cl));
                out[j] = right ? r : l;
                place[j] = right ? cr : cl;
            }
            uint16_t *where = chosen + at;
            for (size_t j = 0; j < n; j++)
                where[j] = (uint16_t)place[j];
        }
}

VG_KERNEL static void maxpool_two_backward(const uint16_t *restrict chosen,
                                           const float *restrict dy, size_t w, size_t p, size_t q,
                                           float *restrict dx)
{
    float value[2 * STRIP];
    int32_t place[2 * STRIP];
    for (size_t i = 0; i < p; i++) {
        for (size_t j0 = 0; j0 < q; j0 += STRIP) {
            float *restrict a = dx + 2 * i * w + 2 * j0, *restrict b = a + w;
            const float *d = dy + i * q + j0;
            const uint16_t *where = chosen + i * q + j0;
            size_t n = q - j0 < STRIP ? q - j0 : STRIP;
            for (size_t j = 0; j < n; j++) /* the distance from the left column of the window */
                place[2 * j] = where[j], place[2 * j + 1] = where[j] - 1;
            for (size_t j = 0; j < n; j++)
                value[2 * j] = value[2 * j + 1] = d[j];
            for (size_t j = 0; j < 2 * n; j++) {
                a[j] = place[j] == 0 ? value[j] : 0;
                b[j] = place[j] == 2 ? value[j] : 0;
            }
        }
        for (size_t j = 2 * q; j < w; j++)
            dx[2 * i * w + j] = dx[(2 * i + 1) * w + j] = 0;
    }
}

/* Where a window begins, perhaps before the plane, and which of its places lie inside. */
typedef struct reach {
    int y, x, r0, r1, s0, s1;
} reach;

static inline reach window_at(const vg_window *g, int p, int q)
{
    reach a = {.y = p * g->stride - g->padding, .x = q * g->stride - g->padding};
    a.r0 = a.y < 0 ? -a.y : 0;
    a.s0 = a.x < 0 ? -a.x : 0;
    a.r1 = g->h - a.y < g->kernel ? g->h - a.y : g->kernel;
    a.s1 = g->w - a.x < g->kernel ? g->w - a.x : g->kernel;
    return a;
}

void vg_maxpool_plane(const vg_window *g, const float *x, float *y, uint16_t *chosen)
{
    if (g->kernel == 2 && g->stride == 2 && !g->padding) {
        maxpool_two(x, (size_t)g->w, (size_t)g->p, (size_t)g->q, y, chosen);
        return;
    }
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            reach a = window_at(g, p, q);
            float best = x[(size_t)(a.y + a.r0) * (size_t)g->w + (size_t)(a.x + a.s0)];
            int where = a.r0 * g->kernel + a.s0;
            for (int r = a.r0; r < a.r1; r++)
                for (int s = a.s0; s < a.s1; s++) {
                    float v = x[(size_t)(a.y + r) * (size_t)g->w + (size_t)(a.x + s)];
                    if (v > best || v != v) {
                        best = v;
                        where = r * g->kernel + s;
                    }
                }
            *y++ = best;
            *chosen++ = (uint16_t)where;
        }
}

void vg_maxpool_plane_backward(const vg_window *g, const uint16_t *chosen, const float *dy,
                               float *dx)
{
    if (g->kernel == 2 && g->stride == 2 && !g->padding) {
        maxpool_two_backward(chosen, dy, (size_t)g->w, (size_t)g->p, (size_t)g->q, dx);
        size_t done = (size_t)(2 * g->p) * (size_t)g->w, all = (size_t)g->h * (size_t)g->w;
        memset(dx + done, 0, (all - done) * sizeof *dx);
        return;
    }
    memset(dx, 0, (size_t)g->h * (size_t)g->w * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            int r = *chosen / g->kernel, s = *chosen % g->kernel;
            chosen++;
            int row = p * g->stride - g->padding + r, column = q * g->stride - g->padding + s;
            dx[(size_t)row * (size_t)g->w + (size_t)column] += *dy++;
        }
}

void vg_avgpool_plane(const vg_window *g, const float *x, float *y)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            reach a = window_at(g, p, q);
            float sum = 0;
            for (int r = a.r0; r < a.r1; r++)
                for (int s = a.s0; s < a.s1; s++)
                    sum += x[(size_t)(a.y + r) * (size_t)g->w + (size_t)(a.x + s)];
            *y++ = sum * share;
        }
}

void vg_avgpool_plane_backward(const vg_window *g, const float *dy, float *dx)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    memset(dx, 0, (size_t)g->h * (size_t)g->w * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            reach a = window_at(g, p, q);
            float d = *dy++ * share;
            for (int r = a.r0; r < a.r1; r++)
                for (int s = a.s0; s < a.s1; s++)
                    dx[(size_t)(a.y + r) * (size_t)g->w + (size_t)(a.x + s)] += d;
        }
}
