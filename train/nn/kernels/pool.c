/* Pooling of one plane, windows without padding; a remainder at the right and lower edge is left
 * out. A NaN in a window wins, as in the frameworks, so that it is seen further on. */
#include "nn/kernels/kernels.h"

#include <string.h>

/* The common case by itself: no overlap, no inner loops, and the vectorizer can take it. */
VG_KERNEL static void maxpool_two(const float *restrict x, int w, int p, int q, float *restrict y,
                                  uint16_t *restrict chosen)
{
    for (int i = 0; i < p; i++) {
        const float *a = x + (size_t)(2 * i) * (size_t)w, *b = a + w;
        float *out = y + (size_t)i * (size_t)q;
        uint16_t *place = chosen + (size_t)i * (size_t)q;
        for (int j = 0; j < q; j++) {
            float v0 = a[2 * j], v1 = a[2 * j + 1], v2 = b[2 * j], v3 = b[2 * j + 1];
            float best = v0;
            unsigned where = 0;
            where = v1 > best || v1 != v1 ? 1 : where;
            best = v1 > best || v1 != v1 ? v1 : best;
            where = v2 > best || v2 != v2 ? 2 : where;
            best = v2 > best || v2 != v2 ? v2 : best;
            where = v3 > best || v3 != v3 ? 3 : where;
            best = v3 > best || v3 != v3 ? v3 : best;
            out[j] = best;
            place[j] = (uint16_t)where;
        }
    }
}

VG_KERNEL static void maxpool_two_backward(const uint16_t *restrict chosen,
                                           const float *restrict dy, int w, int p, int q,
                                           float *restrict dx)
{
    for (int i = 0; i < p; i++) {
        float *a = dx + (size_t)(2 * i) * (size_t)w, *b = a + w;
        const float *d = dy + (size_t)i * (size_t)q;
        const uint16_t *place = chosen + (size_t)i * (size_t)q;
        for (int j = 0; j < q; j++) {
            float v = d[j];
            unsigned where = place[j];
            a[2 * j] = where == 0 ? v : 0;
            a[2 * j + 1] = where == 1 ? v : 0;
            b[2 * j] = where == 2 ? v : 0;
            b[2 * j + 1] = where == 3 ? v : 0;
        }
        for (int j = 2 * q; j < w; j++)
            a[j] = b[j] = 0;
    }
}

void vg_maxpool_plane(const vg_window *g, const float *x, float *y, uint16_t *chosen)
{
    if (g->kernel == 2 && g->stride == 2) {
        maxpool_two(x, g->w, g->p, g->q, y, chosen);
        return;
    }
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            const float *at = x + (size_t)(p * g->stride) * (size_t)g->w + (size_t)(q * g->stride);
            float best = *at;
            int where = 0;
            for (int r = 0; r < g->kernel; r++)
                for (int s = 0; s < g->kernel; s++) {
                    float v = at[(size_t)r * (size_t)g->w + (size_t)s];
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
    if (g->kernel == 2 && g->stride == 2) {
        maxpool_two_backward(chosen, dy, g->w, g->p, g->q, dx);
        size_t done = (size_t)(2 * g->p) * (size_t)g->w, all = (size_t)g->h * (size_t)g->w;
        memset(dx + done, 0, (all - done) * sizeof *dx);
        return;
    }
    memset(dx, 0, (size_t)g->h * (size_t)g->w * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            int r = *chosen / g->kernel, s = *chosen % g->kernel;
            chosen++;
            dx[(size_t)(p * g->stride + r) * (size_t)g->w + (size_t)(q * g->stride + s)] += *dy++;
        }
}

void vg_avgpool_plane(const vg_window *g, const float *x, float *y)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            const float *at = x + (size_t)(p * g->stride) * (size_t)g->w + (size_t)(q * g->stride);
            float sum = 0;
            for (int r = 0; r < g->kernel; r++)
                for (int s = 0; s < g->kernel; s++)
                    sum += at[(size_t)r * (size_t)g->w + (size_t)s];
            *y++ = sum * share;
        }
}

void vg_avgpool_plane_backward(const vg_window *g, const float *dy, float *dx)
{
    float share = 1.0f / (float)(g->kernel * g->kernel);
    memset(dx, 0, (size_t)g->h * (size_t)g->w * sizeof *dx);
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++) {
            float *at = dx + (size_t)(p * g->stride) * (size_t)g->w + (size_t)(q * g->stride);
            float d = *dy++ * share;
            for (int r = 0; r < g->kernel; r++)
                for (int s = 0; s < g->kernel; s++)
                    at[(size_t)r * (size_t)g->w + (size_t)s] += d;
        }
}
