/* Naming the class from several numbers at once. Private to audit/. */
#ifndef VG_AUDIT_SHORTCUTS_JOIN_H
#define VG_AUDIT_SHORTCUTS_JOIN_H

#include "audit/audit.h"

/* Everything borrowed. */
typedef struct vg_join {
    size_t rows;          /* pictures */
    const int *labels;    /* [rows] 0..classes-1 */
    const uint8_t *folds; /* [rows] 0..fold_count-1 */
    int fold_count, classes, bins;
    uint8_t *const
        *values; /* [properties][rows], bins of each property; NULL: it is the same everywhere */
    int properties;
} vg_join;

/* Fills *result, whose accuracy stays 0 unless it is above all shuffles and gains a twentieth of what `best`
 * (the best property alone) leaves to certainty, and 0.02 at least. Pure function but for `threads`, which changes nothing. VG_E_NOMEM. */
vg_status vg_shortcuts_join(const vg_join *join, int threads, double best, vg_shortcut *result,
                            vg_error *err);

#endif
