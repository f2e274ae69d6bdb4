/* The learning rate as a pure function of the step. */
#ifndef VG_OPTIM_SCHEDULE_H
#define VG_OPTIM_SCHEDULE_H

#include "base/status.h"

#include <stdint.h>

typedef enum vg_schedule_kind {
    VG_SCHEDULE_CONSTANT,
    VG_SCHEDULE_STEP,
    VG_SCHEDULE_COSINE
} vg_schedule_kind;

typedef struct vg_schedule {
    vg_schedule_kind kind;
    double base;         /* learning rate */
    double warmup_share; /* of all steps, linear from 0; 0: none */
    double step_share;   /* step: every so large a share of all steps ... (1/3) */
    double step_factor;  /* ... the rate is multiplied by this (0.1) */
    double final_factor; /* cosine: ends at base * this (0) */
} vg_schedule;

double vg_schedule_at(const vg_schedule *schedule, uint64_t step, uint64_t steps);
vg_status vg_schedule_parse(const char *word, vg_schedule_kind *kind, vg_error *err);
const char *vg_schedule_name(vg_schedule_kind kind);

#endif
