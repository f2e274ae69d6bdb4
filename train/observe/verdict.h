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

/* The rules applied to one measurement, the first that fits:
 *   constant           upper 95 % bound of the input information below 0.02, or no finite output
 *   one-class          a class is named for 98 % or more and is not 90 % of the probe
 *   partial            a class is missing
 *   healthy            label information above permuted labels (p <= 0.01) and balanced accuracy
 *                      above chance by its lower 95 % bound; all outputs finite; input
 *                      information at least 0.04, because untrained networks reach 0.024
 *   diverse-but-wrong  input information above 0.1 in what is left
 *   undecided          the rest, and a probe of a single class
 * `reason` (may be NULL) says in one line which rule decided; classes are named by their number. */
vg_verdict vg_verdict_of(const vg_diversity *diversity, char *reason, size_t capacity);

/* Follows a training: two equal measurements in a row and a fifth of the planned steps make a
 * verdict ("constant" and "one-class" count as equal: every input gets one answer, the newer word
 * stands). Until the last planned step a bad verdict stays undecided while the loss stands at what
 * guessing gives (within 2 % of ln K or H(y)) and the network still moves: such a network may start
 * late. Moving is a tenth more input information than in the look before, a class that came back,
 * or a tenth of change in the mean spread of the inner layers. A network without a single finite
 * output does not come back and is constant at once. */
typedef struct vg_monitor {
    uint64_t planned_steps;
    vg_verdict last;    /* of the newest measurement */
    vg_verdict settled; /* UNDECIDED until the rules allow more */
    /* First step of the bad run that stands now or stood last; UINT64_MAX: none. A run counts when
     * it has settled: that a network is bad early on means nothing. */
    uint64_t onset_step;
    uint64_t recovery_step; /* step at which it became healthy again; UINT64_MAX: not */
    int measurements;
    bool never_moved;  /* output_change below 0.01 at half of the planned steps or later */
    bool not_finite;   /* outputs of the newest measurement, or the loss that ended the training */
    bool late_starter; /* held back as said above */
    char reason[200];  /* behind `last` */
    /* memory of the look before */
    uint64_t bad_since;
    double information, spread;
    int missing;
} vg_monitor;
/* planned_steps 0: nothing is planned, every look may be the last. */
void vg_monitor_init(vg_monitor *monitor, uint64_t planned_steps);
/* Looks in the order of their steps. A look at other samples than before (the final one) may follow
 * at the same step. */
void vg_monitor_add(vg_monitor *monitor, uint64_t step, const vg_diversity *diversity);
/* After the last look of a training that cannot go on because its loss is no finite number: there is
 * nothing to wait for, so a bad measurement settles by itself, also where some outputs for the
 * probe are still finite. */
void vg_monitor_break_off(vg_monitor *monitor, uint64_t step);

#endif
