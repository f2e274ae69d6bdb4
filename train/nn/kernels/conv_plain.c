/* The naive twin of the convolution: every sum in double, every bound tested. For tests. */
#include "nn/kernels/conv.h"

#include <string.h>

/* The input place of output (p, q) and tap (r, s), or NULL outside. */
static const float *place(const vg_conv *c, const float *x, int n, int p, int q, int r, int s)
{
    int i = p * c->stride - c->padding + r * c->dilation;
    int j = q * c->stride - c->padding + s * c->dilation;
    if (i < 0 || i >= c->h || j < 0 || j >= c->w)
        return NULL;
    return x + (((size_t)n * (size_t)c->h + (size_t)i) * (size_t)c->w + (size_t)j) * c->x_pixel;
}

static float *output(const vg_conv *c, float *y, int n, int p, int q)
{
    return y + (((size_t)n * (size_t)c->p + (size_t)p) * (size_t)c->q + (size_t)q) * c->y_pixel;
}

void vg_conv_forward_plain(const vg_conv *c, const float *x, int images, const float *weight,
                           const float *bias, bool relu, float *y)
{
    size_t taps = (size_t)c->kernel * (size_t)c->kernel;
    for (int n = 0; n < images; n++)
        for (int p = 0; p < c->p; p++)
            for (int q = 0; q < c->q; q++)
                for (int k = 0; k < c->k; k++) {
                    double sum = bias ? (double)bias[k] : 0;
                    for (int t = 0; t < (int)taps; t++) {
                        const float *at = place(c, x, n, p, q, t / c->kernel, t % c->kernel);
                        for (int i = 0; at && i < c->c; i++)
                            sum += (double)at[i] *
                                   (double)weight[((size_t)k * (size_t)c->c + (size_t)i) * taps +
                                                  (size_t)t];
                    }
                    output(c, y, n, p, q)[k] = relu && sum < 0 ? 0 : (float)sum;
                }
}

/* One sum of the weight gradient. */
static double weight_sum(const vg_conv *c, const float *x, const float *dy, int images, int k,
                         int i, int t)
{
    double sum = 0;
    for (int n = 0; n < images; n++)
        for (int p = 0; p < c->p; p++)
            for (int q = 0; q < c->q; q++) {
                const float *at = place(c, x, n, p, q, t / c->kernel, t % c->kernel);
                size_t d = (((size_t)n * (size_t)c->p + (size_t)p) * (size_t)c->q + (size_t)q) *
                           c->y_pixel;
                if (at)
                    sum += (double)at[i] * (double)dy[d + (size_t)k];
            }
    return sum;
}

/* What output pixel (p, q) adds to dx. */
static void scatter(const vg_conv *c, const float *dy, int n, int p, int q, const float *weight,
                    float *dx)
{
    int taps = c->kernel * c->kernel;
    for (int t = 0; t < taps; t++) {
        const float *at = place(c, dx, n, p, q, t / c->kernel, t % c->kernel);
        for (int i = 0; at && i < c->c; i++) {
            double sum = (double)at[i];
            for (int k = 0; k < c->k; k++)
                sum +=
                    (double)dy[k] *
                    (double)
                        weight[((size_t)k * (size_t)c->c + (size_t)i) * (size_t)taps + (size_t)t];
            dx[(size_t)(at - dx) + (size_t)i] = (float)sum;
        }
    }
}

void vg_conv_backward_plain(const vg_conv *c, const float *x, const float *dy, int images,
                            const float *weight, float *dx, float *dw)
{
    int taps = c->kernel * c->kernel;
    for (int k = 0; k < c->k; k++)
        for (int i = 0; i < c->c; i++)
            for (int t = 0; t < taps; t++)
                dw[((size_t)k * (size_t)c->c + (size_t)i) * (size_t)taps + (size_t)t] =
                    (float)weight_sum(c, x, dy, images, k, i, t);
    for (size_t i = 0; i < (size_t)images * (size_t)c->h * (size_t)c->w; i++)
        memset(dx + i * c->x_pixel, 0, (size_t)c->c * sizeof *dx);
    for (int n = 0; n < images; n++)
        for (int p = 0; p < c->p; p++)
            for (int q = 0; q < c->q; q++)
                scatter(c,
                        dy + (((size_t)n * (size_t)c->p + (size_t)p) * (size_t)c->q + (size_t)q) *
                                 c->y_pixel,
                        n, p, q, weight, dx);
}
