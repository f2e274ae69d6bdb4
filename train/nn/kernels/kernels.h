/* Inner loops of the layers: pure functions over arrays, no allocation, no threads. Maps are H W C:
 * the channels of a pixel lie beside each other.
 *
 * Sums are kept in a fixed number of lanes and added in a fixed order, so that the result does not
 * depend on the width of the vectors the compiler chose; fused multiply-add is not used (the build
 * is strict about contraction). Thus every clone of a kernel gives the same bits. */
#ifndef VG_NN_KERNELS_KERNELS_H
#define VG_NN_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compiled for several instruction sets, chosen when the program starts. Not under sanitizers,
 * whose run-time is not up yet at that moment. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VG_KERNEL __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VG_KERNEL
#endif

/* y = max(0, x); NaN stays NaN. */
void vg_relu(const float *x, float *y, size_t n);
/* dx = dy where y > 0 (or not a number), else 0; dx may be dy. */
void vg_relu_backward(const float *y, const float *dy, float *dx, size_t n);
void vg_add_bias_row(float *y, const float *bias, size_t n, int relu);
double vg_sum(const float *x, size_t n);
double vg_sum_squares(const float *x, size_t n);
/* y = a + b, then ReLU if asked; y may be a. */
void vg_sum_of(const float *a, const float *b, float *y, size_t n, int relu);
/* y += x. */
void vg_add(float *y, const float *x, size_t n);
void vg_scale(float *x, size_t n, float a);
/* out = tree sum of the 8 arrays parts[0..7], `stride` apart. */
void vg_add_tree(const float *parts, size_t stride, size_t n, float *out);
double vg_add_tree_double(const double *parts, size_t stride);
/* to [columns][rows] = from [rows][columns] transposed. */
void vg_transpose(const float *from, size_t rows, size_t columns, float *to);

/* Maps of `pixels` times `c` channels, the channels of a pixel beside each other; a[c], b[c]. */
/* y = x + b (b may be NULL), then ReLU if asked; y may be x. */
void vg_channel_bias(const float *x, float *y, size_t pixels, size_t c, const float *b, int relu);
/* y = a x + b, then ReLU if asked; y may be x. */
void vg_channel_affine(const float *x, float *y, size_t pixels, size_t c, const float *a,
                       const float *b, int relu);
/* The same for n values (whole pixels) with coefficients that are laid out before: as often as fills
 * vg_channel_period(c) floats. */
size_t vg_channel_period(size_t c);
void vg_channel_lay_out(const float *from, size_t c, float *table);
void vg_channel_affine_wide(const float *x, float *y, size_t n, size_t period, const float *a,
                            const float *b, int relu);
/* dx = a dy + b x + d; dx may be dy. */
void vg_channel_affine2(const float *dy, const float *x, float *dx, size_t pixels, size_t c,
                        const float *a, const float *b, const float *d);
/* sum += x, product += x y, for each channel; y may be x. Up to 32 values are added in float, all
 * beyond in double. */
void vg_channel_sums(const float *x, const float *y, size_t pixels, size_t c, double *sum,
                     double *product);
/* The same two for what a ReLU stood behind: dy counts as 0 where fa x + fb is not above 0. */
void vg_channel_sums_behind(const float *dy, const float *x, size_t pixels, size_t c,
                            const float *fa, const float *fb, double *sum, double *product);
void vg_channel_affine2_behind(const float *dy, const float *x, float *dx, size_t pixels, size_t c,
                               const float *fa, const float *fb, const float *a, const float *b,
                               const float *d);
/* Gradient of a sum: dx = dy and other = dy (with `add`, += dy), 0 where y is given and not above 0.
 * dx may be dy or NULL, other may be NULL. */
void vg_sum_backward(const float *y, const float *dy, float *dx, float *other, bool add, size_t n);
/* mean[c] of each channel. */
void vg_channel_average(const float *x, size_t pixels, size_t c, float *mean);

/* kept[i] = 1 with probability 1 - threshold / 65536, else 0, for places [first, first + n) of the
 * endless row that `key` names: 128 places are 16 blocks of Philox4x32-10 side by side, 16 bits each.
 */
void vg_draw_kept(const uint32_t key[2], uint32_t threshold, size_t first, size_t n, uint8_t *kept);
/* y = x scale where kept, else 0; y may be x. */
void vg_keep(const float *x, float *y, size_t n, const uint8_t *kept, float scale);

/* Geometry of a convolution or pooling over one image [h][w][c]. */
typedef struct vg_window {
    int c, h, w; /* input */
    int kernel, stride, padding;
    int p, q;     /* output */
    int dilation; /* distance of the kernel's places; 0 counts as 1. Convolution only */
} vg_window;
/* A depthwise convolution of one image, weights and their gradient as [R][S][C]. y is overwritten;
 * dx and dw (each may be NULL) are added to. */
void vg_depthwise_forward(const vg_window *g, const float *x, const float *weight, float *y);
void vg_depthwise_backward(const vg_window *g, const float *x, const float *weight, const float *dy,
                           float *dx, double *dw);

/* Windows of this width and less have a place of one byte, which may be nowhere. */
enum { VG_POOL_NARROW = 15, VG_POOL_NOWHERE = 255 };
/* One image; outside of it there is nothing (maximum) or zeros (average). `chosen` gets the place in
 * the window, row by row; of windows above VG_POOL_NARROW the row, and P Q C bytes later the column; NULL:
 * nobody wants to know.
 * With relu (narrow windows only) what is not above zero comes from nowhere and is 0. dx is
 * overwritten. The versions agree to the bit. */
void vg_maxpool(const vg_window *g, const float *x, float *y, uint8_t *chosen, bool relu);
void vg_maxpool_backward(const vg_window *g, const uint8_t *chosen, const float *dy, float *dx);
/* One row of dx, where windows lie side by side and are narrow. */
void vg_maxpool_backward_row(const vg_window *g, const uint8_t *chosen, const float *dy, int row,
                             float *dx);
/* Adds, for each channel, what comes from somewhere. */
void vg_maxpool_sums(const uint8_t *chosen, const float *dy, size_t pixels, size_t c, double *sum);
void vg_maxpool_plain(const vg_window *g, const float *x, float *y, uint8_t *chosen, bool relu);
void vg_maxpool_backward_plain(const vg_window *g, const uint8_t *chosen, const float *dy,
                               float *dx);
void vg_avgpool(const vg_window *g, const float *x, float *y);
void vg_avgpool_backward(const vg_window *g, const float *dy, float *dx);

#endif
