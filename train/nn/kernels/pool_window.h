/* What the versions of max pooling share. */
#ifndef VG_NN_KERNELS_POOL_WINDOW_H
#define VG_NN_KERNELS_POOL_WINDOW_H

#include "base/simd.h"
#include "nn/kernels/kernels.h"

/* Where a window begins, perhaps before the image, and which of its places lie inside. */
typedef struct vg_pool_reach {
    int y, x, r0, r1, s0, s1;
} vg_pool_reach;

static inline vg_pool_reach vg_pool_window(const vg_window *g, int p, int q)
{
    vg_pool_reach a = {.y = p * g->stride - g->padding, .x = q * g->stride - g->padding};
    a.r0 = a.y < 0 ? -a.y : 0;
    a.s0 = a.x < 0 ? -a.x : 0;
    a.r1 = g->h - a.y < g->kernel ? g->h - a.y : g->kernel;
    a.s1 = g->w - a.x < g->kernel ? g->w - a.x : g->kernel;
    return a;
}

#if VG_SIMD_X86
/* For windows of up to VG_POOL_NARROW. */
void vg_maxpool_avx512(const vg_window *g, const float *x, float *y, uint8_t *chosen, bool relu);
void vg_maxpool_values_avx512(const vg_window *g, const float *x, float *y, bool relu);
void vg_maxpool_backward_avx512(const vg_window *g, const uint8_t *chosen, const float *dy,
                                float *dx);
void vg_maxpool_backward_row_avx512(const vg_window *g, const uint8_t *chosen, const float *dy,
                                    int row, float *dx);
#endif

#endif
