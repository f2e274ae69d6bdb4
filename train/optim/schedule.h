/* The learning rate as a pure function of the step. An exponential that ends at 0 cannot be; there a
 * final_factor of 0 counts as 0.01. */
#ifndef VG_OPTIM_SCHEDULE_H
#define VG_OPTIM_SCHEDULE_H

#include "base/status.h"

#include <stdint.h>

typedef enum vg_schedule_kind {
    VG_SCHEDULE_CONSTANT,
    VG_SCHEDULE_STEP,
    VG_SCHEDULE_COSINE,
    VG_SCHEDULE_EXPONENTIAL, /* falls by the same factor every step, to base * final_factor */
    VG_SCHEDULE_POLYNOMIAL,  /* (1 - t)^power, to base * final_factor; power 1: a straight line */
    VG_SCHEDULE_CYCLICAL,    /* triangles between base * final_factor and base (Smith, WACV 2017) */
    VG_SCHEDULE_ONE_CYCLE,   /* one rise and one fall by cosines (Smith, Topin 2018, as PyTorch) */
    VG_SCHEDULE_TRIANGLE,    /* the same in straight lines */
    VG_SCHEDULE_PLATEAU,     /* base, until vg_plateau_step (optim/plateau.h) lowers it */
    VG_SCHEDULE_RESTARTS,    /* the cosine anew in each of `cycles` equal parts (SGDR, ICLR 2017) */
    VG_SCHEDULES
} vg_schedule_kind;

typedef struct vg_schedule {
    vg_schedule_kind kind;
    double base;         /* learning rate */
    double warmup_share; /* of all steps, linear from 0; 0: none */
    double step_share;   /* step: every so large a share of all steps ... (1/3) */
    double step_factor;  /* ... the rate is multiplied by this (0.1) */
    double final_factor; /* where the rate ends (cyclical: its lowest), as a factor of base (0) */
    double power;        /* polynomial (0 counts as 1) */
    double cycles;       /* cyclical: triangles in a training (0 counts as 1) */
    double
        rise_share; /* one-cycle, triangle: share of the steps that rises (0 counts as 0.3) ... */
    double start_factor; /* ... from base * this (0 counts as 0.04) */
} vg_schedule;

double vg_schedule_at(const vg_schedule *schedule, uint64_t step, uint64_t steps);
vg_status vg_schedule_parse(const char *word, vg_schedule_kind *kind, vg_error *err);
const char *vg_schedule_name(vg_schedule_kind kind);

#endif
