/* Parts of a comparison that the files of this room and its tests share. Not for users: see
 * compare.h. */
#ifndef VG_STUDY_COMPARE_INTERNAL_H
#define VG_STUDY_COMPARE_INTERNAL_H

#include "study/compare.h"
#include "study/consequence.h"

/* What is trained, and which arms are held against each other. The jobs borrow everything that the study's own
 * owns. */
enum { VG_ARMS = 12 };
typedef struct vg_arms {
    int count;
    vg_run_options jobs[VG_ARMS];
    const vg_dataset *data[VG_ARMS]; /* NULL: the study's */
    char names[VG_ARMS][64];
    int pair_count;
    struct {
        int before, after;
        vg_change change; /* VG_CHANGE_NOTHING: a control, which claims nothing */
        char name[64];
    } pairs[VG_ARMS];
    int whole; /* the arm whose first training writes checkpoint and best weights; -1: none */
} vg_arms;
/* The ladder of compare.h, from bare to complete. VG_E_ARG: a change named twice, or none of them in the job. */
vg_status vg_ladder_make(const vg_run_options *job, const vg_compare_options *options,
                         vg_arms *ladder, vg_error *err);

/* Fills result->effects from the values and verdicts of the arms. */
vg_status vg_effects_measure(const vg_arms *arms, vg_comparison *result, vg_error *err);
/* The most frequent of `verdicts`, of equally frequent ones the worst. */
vg_verdict vg_verdict_of_most(const vg_verdict *verdicts, int count);
/* Fewest pairs with which a sign-flip p can be at most 0.05 after correction for `tests`. */
int vg_seeds_least(int tests);

/* A way to train: vg_run, or a stand-in for it. */
typedef vg_status (*vg_compare_run)(const vg_dataset *dataset, const vg_run_options *options,
                                    const vg_run_events *events, vg_run_result *result,
                                    vg_error *err);
/* Trains all arms with each seed and measures the pairs. Of the options only the seeds and `keep` count;
 * `whole` (may be NULL) names checkpoint and best weights. *result is empty on failure. VG_E_ARG: seeds outside
 * 1..1000. */
vg_status vg_arms_run(vg_compare_run run, const vg_dataset *dataset, const vg_arms *arms,
                      const vg_compare_options *options, const vg_compare_events *events,
                      const vg_run_options *whole, vg_comparison *result, vg_error *err);
/* vg_compare with another way to train. */
vg_status vg_compare_with(vg_compare_run run, const vg_dataset *dataset, const vg_run_options *job,
                          const vg_compare_options *options, const vg_compare_events *events,
                          vg_comparison *result, vg_error *err);
/* vg_consequence with another way to train. */
vg_status vg_consequence_with(vg_compare_run run, const vg_dataset *dataset,
                              const vg_run_options *job, const vg_remedy *remedies, int count,
                              const vg_compare_options *how, const vg_compare_events *events,
                              vg_comparison *result, vg_error *err);

#endif
