/* What each data change did: paired trainings.
 *
 * The arms are a ladder: "without changes" (no augmentation, pixels in 0..1 as they come, no
 * rebalancing), then one change after the other is added until the job is complete; K changes need
 * K + 1 arms. Every arm is trained once per seed with the same initial weights, order of samples
 * and probe. For each step of the ladder and each measure: mean difference over the seeds, 95 %
 * confidence interval, exact two-sided sign-flip p, Holm-corrected over the changes (the control
 * claims nothing and takes no part in the correction). Values are those of the final look on all
 * held-out samples; a measure that does not exist (the effective rank of two classes) stays NaN and
 * is not tested.
 *
 * Words, the first that fits ("significant": corrected p <= 0.05):
 *   this cures it   bad before and healthy after in more than half of the seeds, and input
 *                   information, effective classes or balanced accuracy significantly better
 *   helps, harms    balanced accuracy significantly better, worse
 *   mixed (...)     one other measure significantly better and another worse
 *   more (less) diverse, accuracy undecided (unchanged)
 *                   another measure significantly better (worse); unchanged: interval within +-0.02
 *                   (input information that falls alone is not called worse, effective rank is
 *                   neither good nor bad)
 *   no effect seen  interval of balanced accuracy within +-0.02
 *   undecided (needs about N seeds)  the rest; N for balanced accuracy, power 0.8 */
#ifndef VG_STUDY_COMPARE_H
#define VG_STUDY_COMPARE_H

#include "run.h"
#include "study/statistics.h"

typedef enum vg_change {
    VG_CHANGE_NORMALIZE,
    VG_CHANGE_REBALANCE, /* sampling and loss weights */
    VG_CHANGE_AUGMENT,   /* policy, those of classes, mixing of batches */
    VG_CHANGE_NOTHING, /* control: the same job again with another order of samples, which the arms
                          after it keep */
    VG_CHANGES         /* as the change of an effect: none of these, see its name */
} vg_change;
const char *vg_change_name(vg_change change);
vg_status vg_change_parse(const char *word, vg_change *change, vg_error *err);

enum { VG_MEASURES = 6 };
/* "input_information", "effective_classes", "missing_classes", "label_information",
 * "effective_rank", "balanced_accuracy". */
const char *vg_measure_name(int measure);
double vg_measure_value(const vg_diversity *diversity, int measure);

typedef struct vg_compare_options {
    vg_change changes[VG_CHANGES]; /* in this order */
    int change_count;
    int seeds; /* 7: the fewest with which a difference can be significant after the correction for
                  three changes (6 for one change, 7 for two and three) */
    uint64_t first_seed; /* 1; replaces the seed of the job */
    /* A folder in which finished trainings and the one under way are kept, so that a later call goes on from
     * there; the job's `identity` says whose they are. It is not emptied here. Borrowed; NULL: none */
    const char *keep;
} vg_compare_options;
vg_compare_options vg_compare_options_default(void); /* normalize, rebalance, augment; 7 seeds */

typedef struct vg_arm {
    char name[64];         /* "without changes", "+ normalize", ... */
    double *values;        /* [seeds][VG_MEASURES] */
    vg_verdict *verdicts;  /* [seeds] */
    vg_verdict verdict;    /* the most frequent one; ties: the worse */
    double seconds;        /* mean of a training */
    vg_run_result example; /* the training with the first seed */
} vg_arm;

typedef struct vg_change_effect {
    vg_change change;
    char name[64]; /* the change's, or what a study of another kind calls it */
    vg_paired measures[VG_MEASURES];
    double before[VG_MEASURES], after[VG_MEASURES]; /* means of the two arms */
    double seconds; /* mean cost in time of a training, difference */
    char word[96]; /* "this cures it", "helps", "harms", "no effect seen", "undecided (needs about N
                      seeds)" */
} vg_change_effect;

typedef struct vg_comparison {
    vg_arm *arms; /* [change_count + 1] */
    int arm_count;
    vg_change_effect *effects; /* [change_count] */
    int change_count;
    int seeds;
    double seconds; /* of all trainings together */
} vg_comparison;
void vg_comparison_reset(vg_comparison *comparison);

/* Told before every training: arm and seed index of how many. May stop the study by returning true.
 */
typedef struct vg_compare_events {
    void *context;
    bool (*training)(void *context, int done, int total, const char *arm, int seed);
    vg_run_events run;
} vg_compare_events;

/* A change that the job does not contain is left out of the ladder: normalize when pixels stay in
 * 0..255 or 0..1, rebalance when every sample comes once and weighs the same, augment when
 * neither the policy nor one of a class does anything and no batch is mixed. A change that is not asked about stays as the job has it in all arms.
 * The job's checkpoint and best weights are written by one training only: the first seed of the
 * last arm, which is the job itself. *result is zero-initialized or an earlier result; on failure
 * it is empty. VG_E_ARG: seeds outside 1..1000, a change twice, or none of them in the job;
 * VG_E_STOPPED: an event said so; else what vg_run returned, with arm and seed before the message.
 */
vg_status vg_compare(const vg_dataset *dataset, const vg_run_options *job,
                     const vg_compare_options *options, const vg_compare_events *events,
                     vg_comparison *result, vg_error *err);

#endif
