/* One row of the resize, across or down. Private to image/resize.c.
 *
 * All versions add the same integers, so that their bytes are equal. */
#ifndef VG_IMAGE_RESIZE_ROW_H
#define VG_IMAGE_RESIZE_ROW_H

#include "base/simd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VG_FRACTION_BITS = 22 };

/* The weights of one direction: for output i, input first[i] .. first[i] + count[i] - 1. */
typedef struct vg_weights {
    int outputs;
    int most; /* weights reserved for an output */
    int32_t *first;
    int32_t *count;
    int32_t *value; /* outputs * most, fixed point */
} vg_weights;

static inline uint8_t vg_narrow(int32_t sum)
{
    int32_t v = sum >> VG_FRACTION_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* `in`: one row of the input, `out`: outputs * channels bytes. Pure. */
void vg_resize_row_grey(const uint8_t *in, const vg_weights *w, uint8_t *out);
void vg_resize_row_rgb(const uint8_t *in, const vg_weights *w, uint8_t *out);

/* One output row of n bytes from `count` input rows that begin `stride` bytes apart; `sum`: room for
 * n numbers. */
void vg_resize_down(const uint8_t *restrict in, size_t stride, size_t n, const int32_t *value,
                    int count, int32_t *restrict sum, uint8_t *restrict out);

/* Whether this machine has the fast versions. */
bool vg_resize_row_is_fast(void);
/* The weights of the fast one across: blocks of VG_ROW_BLOCK numbers, vg_row_blocks(w) for each output. */
#define VG_ROW_BLOCK 32
int vg_row_blocks(const vg_weights *w);
void vg_row_blocks_fill(const vg_weights *w, int16_t *blocks);
/* The same of grey rows. */
#define VG_GREY_BLOCK 16
int vg_grey_blocks(const vg_weights *w);
void vg_grey_blocks_fill(const vg_weights *w, int16_t *blocks);
void vg_resize_row_grey_fast(const uint8_t *in, int width, const vg_weights *w,
                             const int16_t *blocks, uint8_t *out);
/* `width`: pixels of the input row, beyond which nothing is read. Only where it is fast. */
void vg_resize_row_rgb_fast(const uint8_t *in, int width, const vg_weights *w,
                            const int16_t *blocks, uint8_t *out);
/* Four rows at a time, which share their weights; rows begin `in_stride` and `out_stride` bytes apart.
 * Only where vg_resize_rows4_is_fast(). */
bool vg_resize_rows4_is_fast(void);
void vg_resize_rows4_rgb(const uint8_t *in, size_t in_stride, int width, const vg_weights *w,
                         const int16_t *blocks, uint8_t *out, size_t out_stride);
/* The same in a version that this machine must have, AVX2 or AVX-512. */
void vg_resize_down_fast(vg_simd simd, const uint8_t *restrict in, size_t stride, size_t n,
                         const int32_t *value, int count, int32_t *restrict sum,
                         uint8_t *restrict out);

#endif
