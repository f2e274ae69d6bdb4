/* The inner loop of ops/warp.c: sums of bytes under a tent, eight columns at a time. Private to ops/.
 *
 * Weights are rounded to 15 bits and summed as integers, so that the order of the sums does not
 * matter, and the few float operations are the same in each lane of each version: all versions give
 * the same numbers. */
#ifndef VG_AUGMENT_OPS_STRIP_H
#define VG_AUGMENT_OPS_STRIP_H

#include <stddef.h>
#include <stdint.h>

#define VG_STRIP_COLUMNS 8
#define VG_STRIP_ROWS 32 /* so few that no sum leaves 32 bits */
/* The weight at the tip of the tent. */
#define VG_STRIP_ONE 32767.0f

/* Planar bytes and the slopes of the tent max(0, 1 - |a|) max(0, ONE - |b|): what does not change
 * from one output pixel to the next. b is scaled by VG_STRIP_ONE. */
typedef struct vg_strip {
    const uint8_t *planes; /* `channels` planes, `plane` bytes apart, rows `stride` bytes apart */
    size_t plane, stride;
    int channels;         /* 1 or 3 */
    float ax, ay, bx, by; /* change of a and b from one column (x), one row (y) to the next */
} vg_strip;

/* sum[c] = sum of weight * byte of plane c, sum[3] = sum of weights, over VG_STRIP_COLUMNS columns
 * from byte `column` of each row rows[0 .. count - 1], count at most VG_STRIP_ROWS; (a, b) is the
 * tent's place of the first byte. sum[1] and sum[2] are 0 for one channel. Reads all these bytes,
 * also those of weight 0. Pure. */
typedef void (*vg_strip_sum)(const vg_strip *strip, size_t column, const int *rows, int count,
                             float a, float b, int32_t sum[4]);

enum { VG_STRIP_PLAIN, VG_STRIP_SSE2, VG_STRIP_AVX2, VG_STRIP_VERSIONS };
/* That version, or NULL where this machine cannot run it; the plain one runs everywhere. */
vg_strip_sum vg_strip_version(int version);
/* The fastest that this machine can run. */
vg_strip_sum vg_strip_best(void);

/* Interleaved RGB of n pixels to three planes that begin `plane` bytes apart. */
void vg_strip_split(const uint8_t *restrict rgb, size_t n, uint8_t *restrict planes, size_t plane);

#endif
