/* The parts of a policy as policies of their own, which can be drawn, weakened and written down.
 * Internal to the check. */
#ifndef VG_AUGMENT_CHECK_DRAW_H
#define VG_AUGMENT_CHECK_DRAW_H

#include "check.h"

typedef struct check_draw {
    vg_policy policy; /* the part alone, applied to every sample at its full strength */
    int code;         /* vg_part_code; -1: the whole policy */
    vg_part part;     /* for sets */
    double chance;    /* the share of samples that the policy applies it to */
    int owner;   /* the first that it belongs to: 0 the general one, i + 1 the i-th of classes */
    bool shared; /* with others */
} check_draw;

enum { CHECK_DRAWS = VG_PARTS + 2 };
/* The whole policy, if it does anything, comes last. Returns how many. */
int check_draws(const vg_policy *policy, check_draw draws[CHECK_DRAWS]);
/* Draws for a key; alone, an operation that leaves the sample to chance (a flip) is drawn again until it
 * does something, up to eight times. *nothing: the plan does nothing. */
vg_plan check_draw_plan(const check_draw *draw, const vg_sample_key *key, const int size[2],
                        const int in_size[2], bool *nothing);
/* As it would be written in a policy. */
void check_draw_words(const check_draw *draw, char *text, size_t capacity);
/* Pulled towards doing nothing: 1 as it is, 0 not at all, in numbers of two digits. False where it has
 * no strength. */
bool check_draw_weaken(const check_draw *draw, double strength, check_draw *weaker);

#endif
