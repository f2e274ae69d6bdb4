/* Parts of a small grey picture as short vectors that do not change when the picture is turned or
 * mirrored, nor with brightness and contrast. */
#ifndef VG_AUDIT_WINDOW_H
#define VG_AUDIT_WINDOW_H

#include "audit/fingerprint.h"

enum { VG_WAVES = 8, VG_VECTOR = 64 };

/* A rectangle of a picture, in shares of its sides. */
typedef struct vg_window_part {
    double x0, x1, y0, y1;
} vg_window_part;

/* The parts that are looked at: the whole, its four halves, and what crops to 9/10 and 8/10 of both
 * sides leave, at nine places each (smaller steps than a crop can be off and still be found). */
enum { VG_WINDOW_WHOLE, VG_WINDOW_HALF, VG_WINDOW_CROP = 5, VG_WINDOWS = VG_WINDOW_CROP + 18 };
vg_window_part vg_window_of(int part);

/* Turning and mirroring: bit 0 swaps x and y, then bit 1 mirrors x, bit 2 mirrors y. */
enum { VG_TURNS = 8, VG_TURN_SWAP = 1, VG_TURN_X = 2, VG_TURN_Y = 4 };

/* What a turn does to a picture, as a word: "upright", "mirrored", "half turn", ... */
const char *vg_turn_name(int turn);

/* Cosine coefficients of one part, and what is made of them. */
typedef struct vg_waves {
    float
        length; /* of the coefficients without the mean, in levels: root of the sum of squares over
                     16 x 16 cells. Small for a flat part */
    int8_t signed_waves[VG_WAVES * VG_WAVES]; /* [v][u], scaled to length 127 */
    int8_t vector[VG_VECTOR]; /* the same numbers, the same whatever turn was done to the picture */
} vg_waves;

/* Of the first parts_wanted parts (VG_WINDOWS: all). Pure function, the same bytes on every
 * machine. */
void vg_waves_make(const uint8_t *thumb, int parts_wanted, vg_waves *parts);
/* The correlation of `a` with `b` turned, for the best turn. */
float vg_waves_compare(const int8_t *a, const int8_t *b, int *turn);

#endif
