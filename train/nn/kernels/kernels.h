/* Inner loops of the layers: pure functions over arrays, no allocation, no threads.
 *
 * Sums are kept in a fixed number of lanes and added in a fixed order, so that the result does not
 * depend on the width of the vectors the compiler chose; fused multiply-add is not used (the build
 * is strict about contraction). Thus every clone of a kernel gives the same bits. */
#ifndef VG_NN_KERNELS_KERNELS_H
#define VG_NN_KERNELS_KERNELS_H

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

/* y[i] += bias, then ReLU if asked; NaN stays NaN. */
void vg_add_bias(float *y, size_t n, float bias, int relu);
void vg_add_bias_row(float *y, const float *bias, size_t n, int relu);
void vg_relu(const float *x, float *y, size_t n);
/* dx = dy where y > 0 (or not a number), else 0; dx may be dy. */
void vg_relu_backward(const float *y, const float *dy, float *dx, size_t n);
/* y = a x + b. */
void vg_affine(const float *x, float *y, size_t n, float a, float b, int relu);
/* dx = a dy + b x + c. */
void vg_affine2(const float *dy, const float *x, float *dx, size_t n, float a, float b, float c);
double vg_sum(const float *x, size_t n);
double vg_sum_squares(const float *x, size_t n);
/* sum x and sum x y at once. */
void vg_sum_and_product(const float *x, const float *y, size_t n, double *sum, double *product);
/* y = a + b, then ReLU if asked; y may be a. */
void vg_sum_of(const float *a, const float *b, float *y, size_t n, int relu);
/* y += x. */
void vg_add(float *y, const float *x, size_t n);
void vg_scale(float *x, size_t n, float a);
/* out = tree sum of the 8 arrays parts[0..7], `stride` apart. */
void vg_add_tree(const float *parts, size_t stride, size_t n, float *out);
double vg_add_tree_double(const double *parts, size_t stride);

/* Geometry of a convolution or pooling over one image. */
typedef struct vg_window {
    int c, h, w; /* input */
    int kernel, stride, padding;
    int p, q;     /* output */
    int dilation; /* distance of the kernel's places; 0 counts as 1. Convolution only */
} vg_window;
/* Columns of output pixels [first, first + count) of one image x [C][H][W] (row-major over P Q):
 * col[(c R + r) S + s][at + j], rows ld apart. */
void vg_im2col(const vg_window *g, const float *x, int first, int count, float *col, size_t ld);
/* The adjoint: adds the columns into dx. Values of col beyond the edges may be overwritten. */
void vg_col2im(const vg_window *g, float *col, size_t ld, int first, int count, float *dx);

/* A convolution without columns, for few channels in a group (depthwise): channels [0, g->c) of one
 * image with `outputs` kernels. y is overwritten; dx (may be NULL) and dw are added to. */
void vg_direct_forward(const vg_window *g, int outputs, const float *x, const float *weight,
                       const float *bias, int relu, float *y);
void vg_direct_backward(const vg_window *g, int outputs, const float *x, const float *weight,
                        const float *dy, float *dx, float *dw);

/* One channel plane each, outside of which there is nothing (maximum) or zeros (average). `chosen` gets the place in the window, row by row. */
void vg_maxpool_plane(const vg_window *g, const float *x, float *y, uint16_t *chosen);
void vg_maxpool_plane_backward(const vg_window *g, const uint16_t *chosen, const float *dy,
                               float *dx);
void vg_avgpool_plane(const vg_window *g, const float *x, float *y);
void vg_avgpool_plane_backward(const vg_window *g, const float *dy, float *dx);

/* Plain twins, for tests. */
void vg_conv_forward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                         const float *bias, float *y);
/* dw and db are added to; dx (may be NULL) is overwritten. */
void vg_conv_backward_ref(const vg_window *g, int outputs, const float *x, const float *weight,
                          const float *dy, float *dx, float *dw, float *db);

#endif
