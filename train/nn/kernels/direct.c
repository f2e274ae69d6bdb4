/* Convolution of few channels without columns: for every place of the kernel, rows of the input
 * times one weight are added to rows of the output. A depthwise convolution has nothing to multiply
 * as matrices. Weight gradients are sums in double, rows in order. */
#include "nn/kernels/kernels.h"

#include <string.h>

/* Output columns [*low, *high) whose input column q stride + shift lies in [0, w). */
static void inside(const vg_window *g, int shift, int *low, int *high)
{
    int lo = shift < 0 ? (-shift + g->stride - 1) / g->stride : 0;
    int last = g->w - 1 - shift, hi = last < 0 ? 0 : last / g->stride + 1;
    *high = hi < g->q ? hi : g->q;
    *low = lo < *high ? lo : *high;
}

VG_KERNEL static void add_row(float *restrict y, const float *restrict x, int n, int stride,
                              float w)
{
    if (stride == 1)
        for (int q = 0; q < n; q++)
            y[q] += w * x[q];
    else
        for (int q = 0; q < n; q++)
            y[q] += w * x[(size_t)q * (size_t)stride];
}

VG_KERNEL static void spread_row(float *restrict dx, const float *restrict dy, int n, int stride,
                                 float w)
{
    if (stride == 1)
        for (int q = 0; q < n; q++)
            dx[q] += w * dy[q];
    else
        for (int q = 0; q < n; q++)
            dx[(size_t)q * (size_t)stride] += w * dy[q];
}

static double dot_row(const float *x, const float *dy, int n, int stride)
{
    if (stride == 1) {
        double sum, product;
        vg_sum_and_product(dy, x, (size_t)n, &sum, &product);
        return product;
    }
    double sum = 0;
    for (int q = 0; q < n; q++)
        sum += (double)x[(size_t)q * (size_t)stride] * (double)dy[q];
    return sum;
}

/* What one place (r, s) of a kernel has to do with a plane. */
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

/* Where the row of output row p begins in the input plane, at output column a.low; -1: outside. */
static long row_at(const vg_window *g, const reach *a, int p)
{
    int iy = p * g->stride + a->down;
    if (iy < 0 || iy >= g->h || a->low >= a->high)
        return -1;
    return (long)iy * g->w + (long)a->low * g->stride + a->right;
}

void vg_direct_forward(const vg_window *g, int outputs, const float *x, const float *weight,
                       const float *bias, int relu, float *y)
{
    size_t in = (size_t)g->h * (size_t)g->w, out = (size_t)g->p * (size_t)g->q;
    for (int k = 0; k < outputs; k++, y += out) {
        memset(y, 0, out * sizeof *y);
        for (int c = 0; c < g->c; c++)
            for (int r = 0; r < g->kernel; r++)
                for (int s = 0; s < g->kernel; s++) {
                    reach a = reach_of(g, r, s);
                    float w = *weight++;
                    for (int p = 0; p < g->p; p++) {
                        long at = row_at(g, &a, p);
                        if (at >= 0)
                            add_row(y + (size_t)p * (size_t)g->q + a.low,
                                    x + (size_t)c * in + (size_t)at, a.high - a.low, g->stride, w);
                    }
                }
        if (bias || relu)
            vg_add_bias(y, out, bias ? bias[k] : 0, relu);
    }
}

void vg_direct_backward(const vg_window *g, int outputs, const float *x, const float *weight,
                        const float *dy, float *dx, float *dw)
{
    size_t in = (size_t)g->h * (size_t)g->w, out = (size_t)g->p * (size_t)g->q;
    for (int k = 0; k < outputs; k++, dy += out)
        for (int c = 0; c < g->c; c++)
            for (int r = 0; r < g->kernel; r++)
                for (int s = 0; s < g->kernel; s++) {
                    reach a = reach_of(g, r, s);
                    float w = *weight++;
                    double sum = 0;
                    for (int p = 0; p < g->p; p++) {
                        long at = row_at(g, &a, p);
                        if (at < 0)
                            continue;
                        const float *d = dy + (size_t)p * (size_t)g->q + a.low;
                        size_t place = (size_t)c * in + (size_t)at;
                        sum += dot_row(x + place, d, a.high - a.low, g->stride);
                        if (dx)
                            spread_row(dx + place, d, a.high - a.low, g->stride, w);
                    }
                    *dw++ += (float)sum;
                }
}
