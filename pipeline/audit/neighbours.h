/* Pairs of pictures that may be copies of each other, found without looking at every pair. */
#ifndef VG_AUDIT_NEIGHBOURS_H
#define VG_AUDIT_NEIGHBOURS_H

#include "audit/window.h"
#include "base/status.h"

#include <stddef.h>

typedef struct vg_candidate {
    size_t a, b;      /* indices, a part of `a` looks like `b` as a whole */
    uint8_t part;     /* of a: VG_WINDOW_WHOLE or a crop; see window.h */
    uint8_t turn;     /* what has to be done to b */
    float similarity; /* correlation of their coarse cosine coefficients, up to 1 */
} vg_candidate;

/* Looks at prints[0..count) that are `ready` and not to be skipped (skip[count]; NULL: none). *list is on the heap, each pair of pictures once for
 * every part that fits, the most similar first (then by a, b, part); the same for any number of
 * threads. *dropped counts comparisons that were not made because too many pictures look alike
 * there: of one picture the 24 most similar are looked at by its whole, by halves and by crops (0 on
 * real photographs). VG_E_NOMEM. About 0.4 KiB of memory a picture. */
vg_status vg_neighbours_find(const vg_fingerprint *prints, const uint8_t *skip, size_t count,
                             int threads, vg_candidate **list, size_t *candidates, size_t *dropped,
                             vg_error *err);

#endif
