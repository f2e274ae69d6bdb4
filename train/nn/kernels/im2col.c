/* Unfolding of images into columns for a matrix product, its adjoint, and the plain convolution
 * they are tested against. Works on a range of output pixels, so that a caller can keep the columns
 * of a large map in the cache. */
#include "nn/kernels/kernels.h"

#include <stdbool.h>
#include <string.h>

static inline int dilation_of(const vg_window *g)
{
    return g->dilation > 1 ? g->dilation : 1;
}

/* Output columns whose input column ix = q stride - padding + s lies in [0, w): [*low, *high). */
static void inside(const vg_window *g, int s, int *low, int *high)
{
    int shift = g->padding - s * dilation_of(g);
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

/* A convolution that keeps the width (stride 1): a row of columns is the plane itself, shifted, but
 * for the values beyond the left and right edge. One copy and a few zeros instead of many short
 * rows. The part [*from, *to) of output pixels [first, end) whose input index i + *shift lies in the
 * plane; what is beside it is zero. */
static bool keeps_width(const vg_window *g)
{
    return g->stride == 1 && g->q == g->w;
}

static void shifted(const vg_window *g, int r, int s, int first, int end, int *shift, int *from,
                    int *to)
{
    int step = dilation_of(g);
    *shift = (r * step - g->padding) * g->w + s * step - g->padding;
    int low = -*shift, high = g->h * g->w - *shift;
    *from = least(most(low, first), end);
    *to = most(least(high, end), *from);
}

/* Output columns of kernel column s that lie beside the plane: [*low, *high) of each row. */
static void beside(const vg_window *g, int s, int *low, int *high)
{
    int off = s * dilation_of(g) - g->padding;
    *low = off > 0 ? most(g->w - off, 0) : 0;
    *high = off > 0 ? g->w : least(-off, g->w);
}

/* Zeroes those columns in a row of pixels [first, end). */
static void clear_beside(const vg_window *g, int s, int first, int end, float *row)
{
    int low, high;
    beside(g, s, &low, &high);
    if (low >= high)
        return;
    for (int start = first / g->w * g->w; start < end; start += g->w)
        for (int i = most(start + low, first); i < least(start + high, end); i++)
            row[i - first] = 0;
}

static void unfold_shifted(const vg_window *g, const float *x, int first, int count, float *col,
                           size_t ld)
{
    int end = first + count, k = g->kernel;
    size_t plane = (size_t)g->h * (size_t)g->w;
    for (int c = 0; c < g->c; c++, x += plane)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++, col += ld) {
                int shift, from, to;
                shifted(g, r, s, first, end, &shift, &from, &to);
                memset(col, 0, (size_t)(from - first) * sizeof *col);
                if (to > from)
                    memcpy(col + (from - first), x + (from + shift),
                           (size_t)(to - from) * sizeof *col);
                memset(col + (to - first), 0, (size_t)(end - to) * sizeof *col);
                clear_beside(g, s, first, end, col);
            }
}

VG_KERNEL static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void fold_shifted(const vg_window *g, float *col, size_t ld, int first, int count, float *dx)
{
    int end = first + count, k = g->kernel;
    size_t plane = (size_t)g->h * (size_t)g->w;
    for (int c = 0; c < g->c; c++, dx += plane)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++, col += ld) {
                int shift, from, to;
                shifted(g, r, s, first, end, &shift, &from, &to);
                clear_beside(g, s, first, end, col);
                if (to > from)
                    add(dx + (from + shift), col + (from - first), (size_t)(to - from));
            }
}

VG_KERNEL void vg_im2col(const vg_window *g, const float *x, int first, int count, float *col,
                         size_t ld)
{
    if (keeps_width(g)) {
        unfold_shifted(g, x, first, count, col, ld);
        return;
    }
    int end = first + count, k = g->kernel, step = dilation_of(g);
    for (int c = 0; c < g->c; c++)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++) {
                float *out = col + ((size_t)(c * k + r) * (size_t)k + (size_t)s) * ld;
                int low, high;
                inside(g, s, &low, &high);
                for (int at = first; at < end;) {
                    int p = at / g->q, q0 = at - p * g->q;
                    int q1 = least(g->q, q0 + end - at);
                    int iy = p * g->stride - g->padding + r * step;
                    if (iy < 0 || iy >= g->h)
                        memset(out, 0, (size_t)(q1 - q0) * sizeof *out);
                    else
                        unfold_row(x + ((size_t)c * (size_t)g->h + (size_t)iy) * (size_t)g->w,
                                   g->stride, s * step - g->padding, q0, q1, low, high, out);
                    out += q1 - q0;
                    at += q1 - q0;
                }
            }
}

VG_KERNEL void vg_col2im(const vg_window *g, float *col, size_t ld, int first, int count, float *dx)
{
    if (keeps_width(g)) {
        fold_shifted(g, col, ld, first, count, dx);
        return;
    }
    int end = first + count, k = g->kernel, step = dilation_of(g);
    for (int c = 0; c < g->c; c++)
        for (int r = 0; r < k; r++)
            for (int s = 0; s < k; s++) {
                const float *in = col + ((size_t)(c * k + r) * (size_t)k + (size_t)s) * ld;
                int low, high;
                inside(g, s, &low, &high);
                for (int at = first; at < end;) {
                    int p = at / g->q, q0 = at - p * g->q;
                    int q1 = least(g->q, q0 + end - at);
                    int iy = p * g->stride - g->padding + r * step;
                    if (iy >= 0 && iy < g->h) {
                        float *restrict row =
                            dx + ((size_t)c * (size_t)g->h + (size_t)iy) * (size_t)g->w;
                        int a = most(low, q0), b = least(high, q1), base = s * step - g->padding;
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
    int step = dilation_of(g);
    int iy = p * g->stride - g->padding + r * step, ix = q * g->stride - g->padding + s * step;
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
                const float *w =
                    weight + (size_t)k * (size_t)g->c * (size_t)g->kernel * (size_t)g->kernel;
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
    size_t taps = (size_t)g->c * (size_t)g->kernel * (size_t)g->kernel;
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
