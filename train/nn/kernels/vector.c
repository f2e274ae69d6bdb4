/* Elementwise loops and sums. Written plainly and left to the compiler's vectorizer; sums have 16
 * explicit lanes because strict floating point forbids it to split them by itself. */
#include "nn/kernels/kernels.h"

enum { LANES = 16 };

VG_KERNEL void vg_add_bias(float *y, size_t n, float bias, int relu)
{
    if (relu) {
        for (size_t i = 0; i < n; i++) {
            float v = y[i] + bias;
            y[i] = v < 0 ? 0 : v;
        }
    } else {
        for (size_t i = 0; i < n; i++)
            y[i] += bias;
    }
}

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

VG_KERNEL void vg_affine(const float *restrict x, float *restrict y, size_t n, float a, float b,
                         int relu)
{
    if (relu) {
        for (size_t i = 0; i < n; i++) {
            float v = a * x[i] + b;
            y[i] = v < 0 ? 0 : v;
        }
    } else {
        for (size_t i = 0; i < n; i++)
            y[i] = a * x[i] + b;
    }
}

VG_KERNEL void vg_affine2(const float *restrict dy, const float *restrict x, float *restrict dx,
                          size_t n, float a, float b, float c)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = a * dy[i] + b * x[i] + c;
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

VG_KERNEL void vg_sum_and_product(const float *x, const float *y, size_t n, double *sum,
                                  double *product)
{
    double lane[LANES] = {0}, cross[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double v = (double)x[i + k];
            lane[k] += v;
            cross[k] += v * (double)y[i + k];
        }
    for (size_t k = 0; i + k < n; k++) {
        double v = (double)x[i + k];
        lane[k] += v;
        cross[k] += v * (double)y[i + k];
    }
    *sum = fold(lane);
    *product = fold(cross);
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
