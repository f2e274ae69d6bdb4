/* Which labels the pictures carry that a network takes for one class: one row of the transition matrix of label_noise.h.
 * Private to study/. */
#ifndef VG_STUDY_NOISE_ROW_H
#define VG_STUDY_NOISE_ROW_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct vg_seen {
    float margin; /* largest output minus the second */
    int32_t taken_for, label;
} vg_seen;

/* What all pictures say together: where a row begins, and what it leans on when it has few pictures. */
typedef struct vg_noise_prior {
    double scale;         /* margins are divided by it */
    double slope, offset; /* of the network's errors */
    double wrong;         /* share of wrong labels, of the largest likelihood ... */
    double low, high;     /* ... and its 95 % interval, widened by how badly the curve fits */
} vg_noise_prior;

typedef struct vg_noise_row {
    double *
        transition; /* [classes], the caller's: to every other class; that of the class itself is left at 0 */
    double slope, offset;
    double natural; /* share of these pictures on which the network errs by itself */
    double
        worth; /* so many of them tell about wrong labels; of the others a label that disagrees is more
                       likely the network's error */
} vg_noise_row;

/* VG_E_NOMEM. seen: in any order. */
vg_status vg_noise_row_pool(const vg_seen *seen, size_t count, vg_noise_prior *prior,
                            vg_error *err);
/* The pictures taken for class `own`, the surest first. VG_E_NOMEM. */
vg_status vg_noise_row_fit(const vg_seen *seen, size_t count, int own, int classes,
                           const vg_noise_prior *prior, vg_noise_row *row, vg_error *err);

#endif
