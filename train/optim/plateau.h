/* Two that watch a measure from epoch to epoch: one lowers the learning rate where it no longer gets
 * better, one says when to stop. Pure state machines; the state is a few numbers that a checkpoint keeps. */
#ifndef VG_OPTIM_PLATEAU_H
#define VG_OPTIM_PLATEAU_H

#include "base/status.h"

#include <stdbool.h>

/* Reduce on plateau, with the semantics of PyTorch's ReduceLROnPlateau: a value counts as better when it passes the
 * best one by the threshold; after more than `patience` others the rate is multiplied by factor (not below lowest),
 * and for `cooldown` epochs nothing is counted. Values that are not finite are never better. */
typedef struct vg_plateau_options {
    double factor;    /* (0.1) */
    double threshold; /* (1e-4) */
    bool absolute;    /* the threshold is a difference, not a share of the best value */
    double lowest;    /* rate below which it does not go (0) */
    int patience;     /* (3; PyTorch's 10 is more than a short training has) */
    int cooldown;     /* (0) */
} vg_plateau_options;
vg_plateau_options vg_plateau_options_default(void);

typedef struct vg_plateau {
    double rate, best;
    int bad, cooling;
    bool any; /* best is set */
} vg_plateau;
/* One more epoch; higher: larger values are better. Returns whether the rate was lowered. A change of 1e-8 or less
 * is not made, as in PyTorch. */
bool vg_plateau_step(const vg_plateau_options *options, vg_plateau *plateau, bool higher,
                     double value);

/* Early stopping (Prechelt, "Early stopping - but when?", 1998, in its customary form): the best value so far, and for how
 * many epochs none has passed it by more than min_delta. */
typedef struct vg_patience {
    double best;
    int since;
    bool any;
} vg_patience;
/* True once `patience` epochs in a row were no better (patience 0: never). */
bool vg_patience_step(vg_patience *state, int patience, double min_delta, bool higher,
                      double value);

#endif
