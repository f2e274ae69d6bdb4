/* What ops/sample.c hands to the three samplers, a span of output pixels at a time. Private to them. */
#ifndef VG_AUGMENT_OPS_SPAN_H
#define VG_AUGMENT_OPS_SPAN_H

#include "ops/sample.h"

#include <stdbool.h>

/* Loops are over whole steps: two registers of 512 bits. (Loops of 16 or less are unrolled by GCC
 * before it would vectorize them.) */
enum { VG_STEP = 32, VG_PLACE_BITS = 14, VG_PLACE_ONE = 1 << VG_PLACE_BITS };

/* Where pixels fall: (x + fx / VG_PLACE_ONE, y + fy / VG_PLACE_ONE), 0 <= fx, fy < VG_PLACE_ONE. As many
 * as are asked for, rounded up to a whole step. */
typedef struct vg_places {
    int32_t x[VG_SAMPLE_SPAN], y[VG_SAMPLE_SPAN];
    int32_t fx[VG_SAMPLE_SPAN], fy[VG_SAMPLE_SPAN];
} vg_places;

/* The first `count` of `places` (which it may change), any of them inside or out; the constant is not
 * its matter. */
typedef void vg_sample_span(const vg_sample_job *job, vg_places *places, int count, size_t plane,
                            float *out);
vg_sample_span *vg_nearest_version(vg_simd simd);
vg_sample_span *vg_bilinear_version(vg_simd simd);
vg_sample_span *vg_bicubic_version(vg_simd simd);

/* i modulo n, for whole numbers that doubles hold exactly. */
static VG_INLINE int32_t vg_modulo(int32_t i, int32_t n)
{
    double q = (double)i / (double)n, w = (double)(int32_t)q;
    w -= q < w ? 1.0 : 0.0;
    return i - (int32_t)w * n;
}

/* Where coordinate i of an axis of n pixels is read. */
static VG_INLINE int32_t vg_fold(int32_t i, int32_t n, vg_fill fill)
{
    if (fill == VG_FILL_WRAP)
        return vg_modulo(i, n);
    if (fill == VG_FILL_REFLECT) {
        int32_t t = vg_modulo(i, 2 * n);
        return t < n ? t : 2 * n - 1 - t;
    }
    i = i > 0 ? i : 0;
    return i < n ? i : n - 1;
}

/* Whether places in the picture can be counted in 32 bits of bytes. */
static VG_INLINE bool vg_counts_in_32_bits(const vg_view *in)
{
    return in->stride <= (size_t)INT32_MAX / (size_t)in->height;
}

#endif
