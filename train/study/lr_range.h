/* The range test of learning rates: Smith, "Cyclical learning rates for training neural networks", WACV 2017. The first
 * steps of a training with a rate that grows by the same factor each step, until the loss runs away; the weights are
 * thrown away, nothing else of the training is changed. */
#ifndef VG_STUDY_LR_RANGE_H
#define VG_STUDY_LR_RANGE_H

#include "run.h"

typedef struct vg_lr_range_options {
    double low, high; /* (1e-6, 10) */
    int steps;        /* between them (200) */
} vg_lr_range_options;
vg_lr_range_options vg_lr_range_options_default(void);

typedef struct vg_lr_point {
    double rate, loss; /* of one batch */
    double
        smooth; /* running mean of the losses, each counting 0.95 of the next, without the bias of its beginning */
} vg_lr_point;

typedef struct vg_lr_range {
    vg_lr_point *points; /* [count] */
    int count;
    bool
        ran_away; /* it ended because the smoothed loss was four times its lowest value, or no number */
    double lowest;    /* rate at which the smoothed loss was lowest */
    double steepest;  /* rate at which it fell fastest, per factor of the rate */
    double suggested; /* a tenth of `lowest`; NaN: the loss did not fall by 2 % of where it began */
} vg_lr_range;
void vg_lr_range_reset(vg_lr_range *range);

/* The smoothed losses and what follows from them, out of rates and losses: a pure function. */
void vg_lr_range_conclude(vg_lr_range *range);
/* Whether the point that was added last ran away. Sets its smoothed loss. */
bool vg_lr_range_ran_away(vg_lr_range *range);

/* VG_E_ARG: bounds or steps that make no sense; else as vg_run. VG_E_STOPPED when events->batch says so. */
vg_status vg_lr_range_measure(const vg_dataset *dataset, const vg_run_options *options,
                              const vg_lr_range_options *how, const vg_run_events *events,
                              vg_lr_range *range, vg_error *err);

#endif
