/* Unfolding of images into rows of patches for a matrix product, its adjoint, and the plain
 * convolution they are tested against. The channels of a pixel lie beside each other, so a patch is
 * made of runs that are copied whole. Works on a range of output pixels, so that a caller can keep
 * the patches of a large map in the cache. */
#include "nn/kernels/kernels.h"

#include <stdbool.h>
#include <string.h>

static inline int dilation_of(const vg_window *g)
{
    return g->dilation > 1 ? g->dilation : 1;
}

VG_KERNEL static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* A run of a patch: `taps` places of one kernel row that lie beside each other in the image, from
 * place s on, at input column ix; taps 1 unless whole pixels follow each other. Places outside give
 * false. */
static bool run_at(const vg_window *g, bool whole, int s, int left, int *taps, int *ix)
{
    int step = dilation_of(g);
    *ix = left + s * step;
    bool inside = *ix >= 0 && *ix < g->w;
    int end = s + 1;
    if (step == 1 && whole)
        while (end < g->kernel && (left + end >= 0 && left + end < g->w) == inside)
            end++;
    *taps = end - s;
    return inside;
}

void vg_im2col(const vg_window *g, const float *x, size_t channels, int first, int count,
               float *col)
{
    size_t c = (size_t)g->c;
    int k = g->kernel, step = dilation_of(g);
    for (int at = first; at < first + count; at++) {
        int top = at / g->q * g->stride - g->padding, left = at % g->q * g->stride - g->padding;
        for (int r = 0; r < k; r++) {
            int iy = top + r * step;
            if (iy < 0 || iy >= g->h) {
                memset(col, 0, (size_t)k * c * sizeof *col);
                col += (size_t)k * c;
                continue;
            }
            for (int s = 0, taps, ix; s < k; s += taps) {
                bool inside = run_at(g, channels == c, s, left, &taps, &ix);
                size_t n = (size_t)taps * c;
                if (inside)
                    memcpy(col, x + ((size_t)iy * (size_t)g->w + (size_t)ix) * channels,
                           n * sizeof *col);
                else
                    memset(col, 0, n * sizeof *col);
                col += n;
            }
        }
    }
}

void vg_col2im(const vg_window *g, const float *col, size_t channels, int first, int count,
               float *dx)
{
    size_t c = (size_t)g->c;
    int k = g->kernel, step = dilation_of(g);
    for (int at = first; at < first + count; at++) {
        int top = at / g->q * g->stride - g->padding, left = at % g->q * g->stride - g->padding;
        for (int r = 0; r < k; r++) {
            int iy = top + r * step;
            if (iy < 0 || iy >= g->h) {
                col += (size_t)k * c;
                continue;
            }
            for (int s = 0, taps, ix; s < k; s += taps) {
                bool inside = run_at(g, channels == c, s, left, &taps, &ix);
                size_t n = (size_t)taps * c;
                if (inside)
                    add(dx + ((size_t)iy * (size_t)g->w + (size_t)ix) * channels, col, n);
                col += n;
            }
        }
    }
}

/* Where the input value under kernel place (r, s) of output pixel (p, q) is; -1 outside. */
static long tap(const vg_window *g, int c, int p, int q, int r, int s)
{
    int step = dilation_of(g);
    int iy = p * g->stride - g->padding + r * step, ix = q * g->stride - g->padding + s * step;
    if (iy < 0 || iy >= g->h || ix < 0 || ix >= g->w)
        return -1;
    return ((long)iy * g->w + ix) * g->c + c;
}

void vg_conv_forward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                         const float *bias, float *y)
{
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++)
            for (int k = 0; k < outputs; k++) {
                double sum = bias ? (double)bias[k] : 0;
                const float *w =
                    weight + (size_t)k * (size_t)g->c * (size_t)g->kernel * (size_t)g->kernel;
                for (int c = 0; c < g->c; c++)
                    for (int r = 0; r < g->kernel; r++)
                        for (int s = 0; s < g->kernel; s++, w++) {
                            long at = tap(g, c, p, q, r, s);
                            if (at >= 0)
                                sum += (double)x[at] * (double)*w;
                        }
                *y++ = (float)sum;
            }
}

void vg_conv_backward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                          const float *dy, float *dx, float *dw, float *db)
{
    if (dx)
        memset(dx, 0, (size_t)g->c * (size_t)g->h * (size_t)g->w * sizeof *dx);
    size_t taps = (size_t)g->c * (size_t)g->kernel * (size_t)g->kernel;
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++)
            for (int k = 0; k < outputs; k++) {
                float d = *dy++;
                if (db)
                    db[k] += d;
                size_t w = (size_t)k * taps;
                for (int c = 0; c < g->c; c++)
                    for (int r = 0; r < g->kernel; r++)
                        for (int s = 0; s < g->kernel; s++, w++) {
                            long at = tap(g, c, p, q, r, s);
                            if (at < 0)
                                continue;
                            dw[w] += d * x[at];
                            if (dx)
                                dx[at] += d * weight[w];
                        }
            }
}
