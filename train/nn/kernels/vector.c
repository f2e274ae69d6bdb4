/* Elementwise loops and sums. Written plainly and left to the compiler's vectorizer; sums have 16
 * explicit lanes because strict floating point forbids it to split them by itself. */
#include "nn/kernels/kernels.h"

#include <string.h>

enum { LANES = 16, BLOCK = 1024 };

VG_KERNEL void vg_add_bias_row(float *y, const float *bias, size_t n, int relu)
{
    for (size_t i = 0; i < n; i++) {
        float v = y[i] + bias[i];
        y[i] = relu && v < 0 ? 0 : v;
    }
}

VG_KERNEL void vg_relu(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

VG_KERNEL void vg_relu_backward(const float *y, const float *dy, float *dx, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float d = dy[i];
        dx[i] = y[i] <= 0 ? 0 : d;
    }
}

static inline double fold(const double *lane)
{
    double a[LANES / 2];
    for (int k = 0; k < LANES / 2; k++)
        a[k] = lane[k] + lane[k + LANES / 2];
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

VG_KERNEL double vg_sum(const float *x, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)x[i + k];
    for (size_t k = 0; i + k < n; k++)
        lane[k] += (double)x[i + k];
    return fold(lane);
}

VG_KERNEL double vg_sum_squares(const float *x, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double v = (double)x[i + k];
            lane[k] += v * v;
        }
    for (size_t k = 0; i + k < n; k++)
        lane[k] += (double)x[i + k] * (double)x[i + k];
    return fold(lane);
}

VG_KERNEL void vg_sum_of(const float *a, const float *b, float *y, size_t n, int relu)
{
    if (relu) {
        for (size_t i = 0; i < n; i++) {
            float v = a[i] + b[i];
            y[i] = v < 0 ? 0 : v;
        }
    } else {
        for (size_t i = 0; i < n; i++)
            y[i] = a[i] + b[i];
    }
}

VG_KERNEL void vg_add(float *restrict y, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

VG_KERNEL void vg_scale(float *x, size_t n, float a)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= a;
}

VG_KERNEL void vg_add_tree(const float *parts, size_t stride, size_t n, float *restrict out)
{
    const float *p = parts;
    size_t d = stride;
    for (size_t i = 0; i < n; i++)
        out[i] = ((p[i] + p[i + d]) + (p[i + 2 * d] + p[i + 3 * d])) +
                 ((p[i + 4 * d] + p[i + 5 * d]) + (p[i + 6 * d] + p[i + 7 * d]));
}

double vg_add_tree_double(const double *parts, size_t stride)
{
    const double *p = parts;
    size_t d = stride;
    return ((p[0] + p[d]) + (p[2 * d] + p[3 * d])) +
           ((p[4 * d] + p[5 * d]) + (p[6 * d] + p[7 * d]));
}

/* In squares that stay in the level-1 cache. */
VG_KERNEL void vg_transpose(const float *restrict from, size_t rows, size_t columns,
                            float *restrict to)
{
    enum { SQUARE = 32 };
    for (size_t i0 = 0; i0 < rows; i0 += SQUARE)
        for (size_t j0 = 0; j0 < columns; j0 += SQUARE) {
            size_t i1 = i0 + SQUARE < rows ? i0 + SQUARE : rows;
            size_t j1 = j0 + SQUARE < columns ? j0 + SQUARE : columns;
            for (size_t j = j0; j < j1; j++)
                for (size_t i = i0; i < i1; i++)
                    to[j * rows + i] = from[i * columns + j];
        }
}

VG_KERNEL void vg_sum_backward(const float *y, const float *dy, float *dx, float *other, bool add,
                               size_t n)
{
    if (!dx && !y) {
        for (size_t i = 0; other && i < n; i++)
            other[i] = add ? other[i] + dy[i] : dy[i];
        return;
    }
    for (size_t at = 0; at < n; at += BLOCK) { /* the second loop finds all in the level-1 cache */
        float kept[BLOCK];
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < m; i++)
            kept[i] = y && y[at + i] <= 0 ? 0 : dy[at + i];
        for (size_t i = 0; dx && i < m; i++)
            dx[at + i] = kept[i];
        if (other && add)
            for (size_t i = 0; i < m; i++)
                other[at + i] += kept[i];
        else if (other)
            memcpy(other + at, kept, m * sizeof *kept);
    }
}
