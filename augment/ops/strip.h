/* The inner loop of ops/warp.c: sums of bytes under a tent, eight columns at a time. Private to ops/.
 *
 * Weights are rounded to 15 bits and summed as integers, so that the order of the sums does not
 * matter: the vector code and the plain code give the same numbers, on every machine. */
#ifndef VG_AUGMENT_OPS_STRIP_H
#define VG_AUGMENT_OPS_STRIP_H

#include <stddef.h>
#include <stdint.h>

#define VG_STRIP_COLUMNS 8
#define VG_STRIP_ROWS 32 /* so few that no sum leaves 32 bits */
/* The weight at the tip of the tent. */
#define VG_STRIP_ONE 32767.0f

/* Planar bytes and the slopes of the tent max(0, 1 - |a|) max(0, 1 - |b|): what does not change from
 * one output pixel to the next. */
typedef struct vg_strip {
    const uint8_t *planes; /* `channels` planes, `plane` bytes apart, rows `stride` bytes apart */
    size_t plane, stride;
    int channels;         /* 1 or 3 */
    float ax, ay, bx, by; /* change of a and b from one column (x), one row (y) to the next */
} vg_strip;

/* sum[c] = sum of weight * byte of plane c, sum[3] = sum of weights (other sum[c] are 0), over
 * VG_STRIP_COLUMNS columns from byte `column` of each row rows[0 .. count - 1], count at most
 * VG_STRIP_ROWS; (a, b) is the tent's place of the first byte. Reads all these bytes, also those of
 * weight 0. Pure. */
void vg_strip_sum(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                  float b, int32_t sum[4]);
/* The same in plain C: what machines without SSE2 run, and what tests compare with. */
void vg_strip_sum_plain(const vg_strip *strip, size_t column, const int *rows, int count, float a,
                        float b, int32_t sum[4]);

#endif
