/* What a finding about the data costs: paired trainings with the data as they are and with the finding repaired.
 *
 * All arms share seeds, initial weights and held-out samples; each remedy is an arm of its own, held against the
 * data as they are, so that findings do not hide behind each other. Measures, intervals, p-values (Holm over the
 * remedies) and words are those of compare.h. */
#ifndef VG_STUDY_CONSEQUENCE_H
#define VG_STUDY_CONSEQUENCE_H

#include "study/compare.h"

typedef struct vg_remedy {
    char name[64]; /* of the finding: "label-conflict" */
    const vg_dataset
        *dataset; /* the repaired one, with the same classes and held-out samples; NULL: the same */
    const vg_run_options
        *job; /* the repaired one; NULL: the same. Prepared, or what the plain job fitted holds */
} vg_remedy;

enum { VG_REMEDIES = 10 }; /* at most */

/* Fewest seeds with which `remedies` findings can be told from chance. */
int vg_consequence_seeds(int remedies);

/* Of `how` the seeds and `keep` count (compare.h). result->arms[0] is the data as they are, arms[i + 1] and effects[i]
 * belong to remedies[i]: a positive difference is what the repair wins. VG_E_ARG: no remedy or more than VG_REMEDIES,
 * a remedy that changes nothing, other classes or held-out samples; else as vg_compare. */
vg_status vg_consequence(const vg_dataset *dataset, const vg_run_options *job,
                         const vg_remedy *remedies, int count, const vg_compare_options *how,
                         const vg_compare_events *events, vg_comparison *result, vg_error *err);

#endif
