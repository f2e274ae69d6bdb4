/* Parts of a comparison that the files of this room and its tests share. Not for users: see
 * compare.h. */
#ifndef VG_STUDY_COMPARE_INTERNAL_H
#define VG_STUDY_COMPARE_INTERNAL_H

#include "study/compare.h"

/* The jobs of the arms, from bare to complete. They borrow everything that `job` owns. */
typedef struct vg_ladder {
    int arm_count;
    vg_run_options arms[VG_CHANGES + 1];
    char names[VG_CHANGES + 1][64];
    vg_change changes[VG_CHANGES]; /* [arm_count - 1] */
} vg_ladder;
/* VG_E_ARG: a change named twice, or none of them in the job. */
vg_status vg_ladder_make(const vg_run_options *job, const vg_compare_options *options,
                         vg_ladder *ladder, vg_error *err);

/* Fills result->effects from the values and verdicts of the arms. */
vg_status vg_effects_measure(const vg_ladder *ladder, vg_comparison *result, vg_error *err);
/* The most frequent of `verdicts`, of equally frequent ones the worst. */
vg_verdict vg_verdict_of_most(const vg_verdict *verdicts, int count);
/* Fewest pairs with which a sign-flip p can be at most 0.05 after correction for `tests`. */
int vg_seeds_least(int tests);

/* vg_compare with another way to train. */
typedef vg_status (*vg_compare_run)(const vg_dataset *dataset, const vg_run_options *options,
                                    const vg_run_events *events, vg_run_result *result,
                                    vg_error *err);
vg_status vg_compare_with(vg_compare_run run, const vg_dataset *dataset, const vg_run_options *job,
                          const vg_compare_options *options, const vg_compare_events *events,
                          vg_comparison *result, vg_error *err);

#endif
