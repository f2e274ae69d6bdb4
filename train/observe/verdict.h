/* From measurements to a verdict, with the memory that a verdict needs. */
#ifndef VG_OBSERVE_VERDICT_H
#define VG_OBSERVE_VERDICT_H

#include "observe/diversity.h"

typedef enum vg_verdict {
    VG_VERDICT_UNDECIDED,
    VG_VERDICT_CONSTANT,  /* outputs do not depend on the input */
    VG_VERDICT_ONE_CLASS, /* they do, but one class is always named */
    VG_VERDICT_PARTIAL,   /* some classes are never named */
    VG_VERDICT_DIVERSE_BUT_WRONG,
    VG_VERDICT_HEALTHY
} vg_verdict;
/* "undecided", "constant", "one-class", "partial", "diverse-but-wrong", "healthy". */
const char *vg_verdict_name(vg_verdict verdict);

/* The rules applied to one measurement. `reason` (may be NULL) says in one line which rule decided.
 */
vg_verdict vg_verdict_of(const vg_diversity *diversity, char *reason, size_t capacity);

/* Follows a training: two equal measurements in a row and a fifth of the planned steps make a
 * verdict. */
typedef struct vg_monitor {
    uint64_t planned_steps;
    vg_verdict last;    /* of the newest measurement */
    vg_verdict settled; /* UNDECIDED until the rules allow more */
    uint64_t
        onset_step; /* first step of the bad run that stands now or stood last; UINT64_MAX: none */
    uint64_t recovery_step; /* step at which it became healthy again; UINT64_MAX: not */
    int measurements;
    bool never_moved; /* outputs as they were before the first step, at half of the planned steps or
                         later */
    bool not_finite;
    char reason[200]; /* behind `last` */
} vg_monitor;
void vg_monitor_init(vg_monitor *monitor, uint64_t planned_steps);
void vg_monitor_add(vg_monitor *monitor, uint64_t step, const vg_diversity *diversity);

#endif
