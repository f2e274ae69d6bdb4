/* Unfolding of images into columns for a matrix product, its adjoint, and the plain convolution
 * they are tested against. Works on a range of output pixels, so that a caller can keep the columns
 * of a large map in the cache. */
#include "nn/kernels/kernels.h"

#include <string.h>

/* Output columns whose input column ix = q stride - padding + s lies in [0, w): [*low, *high). */
static void inside(const vg_window *g, int s, int *low, int *high)
{
    int shift = g->padding - s;
    int lo = shift > 0 ? (shift + g->stride - 1) / g->stride : 0;
    int last = g->w - 1 + shift; /* largest q stride */
    int hi = last < 0 ? 0 : last / g->stride + 1;
    *low = lo < g->q ? lo : g->q;
    *high = hi < g->q ? hi : g->q;
    if (*high < *low)
        *high = *low;
}

static inline int least(int a, int b)
{
    return a < b ? a : b;
}

static inline int most(int a, int b)
{
    return a > b ? a : b;
}

/* One output row's part [q0, q1) of one kernel place. */
static inline void unfold_row(const float *restrict row, int stride, int base, int q0, int q1,
                              int low, int high, float *restrict out)
{
    int a = least(most(low, q0), q1), b = most(least(high, q1), a);
    for (int q = q0; q < a; q++)
        out[q - q0] = 0;
    if (stride == 1)
        for (int q = a; q < b; q++)
            out[q - q0] = row[base + q];
    else
        for (int q = a; q < b; q++)
            out[q - q0] = row[base + q * stride];
    for (int q = b; q < q1; q++)
        out[q - q0] = 0;
}

VG_KERNEL void vg_im2col(const vg_window *g, const float *x, int first, int count, float *col,
                         size_t ld)
{
    int end = first + count, k = g->kernel;
    for (int c = 0; c < g->c; c++)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++) {
                float *out = col + ((size_t)(c * k + r) * (size_t)k + (size_t)s) * ld;
                int low, high;
                inside(g, s, &low, &high);
                for (int at = first; at < end;) {
                    int p = at / g->q, q0 = at - p * g->q;
                    int q1 = least(g->q, q0 + end - at);
                    int iy = p * g->stride - g->padding + r;
                    if (iy < 0 || iy >= g->h)
                        memset(out, 0, (size_t)(q1 - q0) * sizeof *out);
                    else
                        unfold_row(x + ((size_t)c * (size_t)g->h + (size_t)iy) * (size_t)g->w,
                                   g->stride, s - g->padding, q0, q1, low, high, out);
                    out += q1 - q0;
                    at += q1 - q0;
                }
            }
}

VG_KERNEL void vg_col2im(const vg_window *g, const float *col, size_t ld, int first, int count,
                         float *dx)
{
    int end = first + count, k = g->kernel;
    for (int c = 0; c < g->c; c++)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++) {
                const float *in = col + ((size_t)(c * k + r) * (size_t)k + (size_t)s) * ld;
                int low, high;
                inside(g, s, &low, &high);
                for (int at = first; at < end;) {
                    int p = at / g->q, q0 = at - p * g->q;
                    int q1 = least(g->q, q0 + end - at);
                    int iy = p * g->stride - g->padding + r;
                    if (iy >= 0 && iy < g->h) {
                        float *restrict row =
                            dx + ((size_t)c * (size_t)g->h + (size_t)iy) * (size_t)g->w;
                        int a = most(low, q0), b = least(high, q1), base = s - g->padding;
                        if (g->stride == 1)
                            for (int q = a; q < b; q++)
                                row[base + q] += in[q - q0];
                        else
                            for (int q = a; q < b; q++)
                                row[base + q * g->stride] += in[q - q0];
                    }
                    in += q1 - q0;
                    at += q1 - q0;
                }
            }
}

/* Input value under kernel place (r, s) of output pixel (p, q), and where it is; NULL outside. */
static const float *tap(const vg_window *g, const float *x, int c, int p, int q, int r, int s)
{
    int iy = p * g->stride - g->padding + r, ix = q * g->stride - g->padding + s;
    if (iy < 0 || iy >= g->h || ix < 0 || ix >= g->w)
        return NULL;
    return x + ((size_t)c * (size_t)g->h + (size_t)iy) * (size_t)g->w + (size_t)ix;
}

void vg_conv_forward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                         const float *bias, float *y)
{
    for (int k = 0; k < outputs; k++)
        for (int p = 0; p < g->p; p++)
            for (int q = 0; q < g->q; q++) {
                double sum = bias ? (double)bias[k] : 0;
                const float *w = weight + (size_t)k * (size_t)(g->c * g->kernel * g->kernel);
                for (int c = 0; c < g->c; c++)
                    for (int r = 0; r < g->kernel; r++)
                        for (int s = 0; s < g->kernel; s++, w++) {
                            const float *v = tap(g, x, c, p, q, r, s);
                            if (v)
                                sum += (double)*v * (double)*w;
                        }
                *y++ = (float)sum;
            }
}

void vg_conv_backward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                          const float *dy, float *dx, float *dw, float *db)
{
    if (dx)
        memset(dx, 0, (size_t)g->c * (size_t)g->h * (size_t)g->w * sizeof *dx);
    size_t taps = (size_t)(g->c * g->kernel * g->kernel);
    for (int k = 0; k < outputs; k++)
        for (int p = 0; p < g->p; p++)
            for (int q = 0; q < g->q; q++) {
                float d = *dy++;
                if (db)
                    db[k] += d;
                size_t at = (size_t)k * taps;
                for (int c = 0; c < g->c; c++)
                    for (int r = 0; r < g->kernel; r++)
                        for (int s = 0; s < g->kernel; s++, at++) {
                            const float *v = tap(g, x, c, p, q, r, s);
                            if (!v)
                                continue;
                            dw[at] += d * *v;
                            if (dx)
                                dx[v - x] += d * weight[at];
                        }
            }
}
