/* Depthwise convolution: it has nothing to multiply as matrices. Every place of the kernel adds a
 * row of pixels, times the place's weights, to a row of pixels. */
#include "nn/kernels/kernels.h"

#include <string.h>

enum { STRIP = 64 };

/* Output columns [*low, *high) whose input column q stride + shift lies in [0, w). */
static void inside(const vg_window *g, int shift, int *low, int *high)
{
    int lo = shift < 0 ? (-shift + g->stride - 1) / g->stride : 0;
    int last = g->w - 1 - shift, hi = last < 0 ? 0 : last / g->stride + 1;
    *high = hi < g->q ? hi : g->q;
    *low = lo < *high ? lo : *high;
}

/* Rows of `n` pixels; those of x are `step` values apart, those of y c. */
VG_KERNEL static void add_rows(float *restrict y, const float *restrict x,
                               const float *restrict weight, size_t n, size_t step, size_t c)
{
    for (size_t i = 0; i < n; i++, y += c, x += step)
        for (size_t k = 0; k < c; k++)
            y[k] += weight[k] * x[k];
}

VG_KERNEL static void spread_rows(float *restrict dx, const float *restrict dy,
                                  const float *restrict weight, size_t n, size_t step, size_t c)
{
    for (size_t i = 0; i < n; i++, dx += step, dy += c)
        for (size_t k = 0; k < c; k++)
            dx[k] += weight[k] * dy[k];
}

VG_KERNEL static void dot_rows(double *restrict dw, const float *restrict x,
                               const float *restrict dy, size_t n, size_t step, size_t c)
{
    for (size_t k0 = 0; k0 < c; k0 += STRIP) {
        float sum[STRIP] = {0};
        size_t width = c - k0 < STRIP ? c - k0 : STRIP;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < width; k++)
                sum[k] += x[i * step + k0 + k] * dy[i * c + k0 + k];
        for (size_t k = 0; k < width; k++)
            dw[k0 + k] += (double)sum[k];
    }
}

/* What one place (r, s) of a kernel has to do with an image. */
typedef struct reach {
    int down, right, low, high;
} reach;

static reach reach_of(const vg_window *g, int r, int s)
{
    int step = g->dilation > 1 ? g->dilation : 1;
    reach a = {.down = r * step - g->padding, .right = s * step - g->padding};
    inside(g, a.right, &a.low, &a.high);
    return a;
}

/* The input pixel of output pixel (p, a.low); -1: outside. */
static long row_at(const vg_window *g, const reach *a, int p)
{
    int iy = p * g->stride + a->down;
    if (iy < 0 || iy >= g->h || a->low >= a->high)
        return -1;
    return (long)iy * g->w + (long)a->low * g->stride + a->right;
}

void vg_depthwise_forward(const vg_window *g, const float *x, const float *weight, float *y)
{
    size_t c = (size_t)g->c;
    memset(y, 0, (size_t)g->p * (size_t)g->q * c * sizeof *y);
    for (int p = 0; p < g->p; p++)
        for (int r = 0; r < g->kernel; r++)
            for (int s = 0; s < g->kernel; s++) {
                reach a = reach_of(g, r, s);
                long at = row_at(g, &a, p);
                if (at >= 0)
                    add_rows(y + ((size_t)p * (size_t)g->q + (size_t)a.low) * c, x + (size_t)at * c,
                             weight + (size_t)(r * g->kernel + s) * c, (size_t)(a.high - a.low),
                             (size_t)g->stride * c, c);
            }
}

void vg_depthwise_backward(const vg_window *g, const float *x, const float *weight, const float *dy,
                           float *dx, double *dw)
{
    size_t c = (size_t)g->c;
    for (int p = 0; p < g->p; p++)
        for (int r = 0; r < g->kernel; r++)
            for (int s = 0; s < g->kernel; s++) {
                reach a = reach_of(g, r, s);
                long at = row_at(g, &a, p);
                if (at < 0)
                    continue;
                const float *d = dy + ((size_t)p * (size_t)g->q + (size_t)a.low) * c;
                size_t place = (size_t)(r * g->kernel + s) * c;
                size_t n = (size_t)(a.high - a.low), step = (size_t)g->stride * c;
                if (dw)
                    dot_rows(dw + place, x + (size_t)at * c, d, n, step, c);
                if (dx)
                    spread_rows(dx + (size_t)at * c, d, weight + place, n, step, c);
            }
}
