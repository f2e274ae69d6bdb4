/* The comparison of a job's data changes: a ladder of arms, trained and tested by arms.c. */
#include "study/compare_internal.h"

#include <stdlib.h>

/* With six pairs the smallest p is 0.031, which no correction for a second change survives. */
enum { SEEDS_DEFAULT = 7 };

vg_compare_options vg_compare_options_default(void)
{
    return (vg_compare_options){
        .changes = {VG_CHANGE_NORMALIZE, VG_CHANGE_REBALANCE, VG_CHANGE_AUGMENT},
        .change_count = 3,
        .seeds = SEEDS_DEFAULT,
        .first_seed = 1};
}

void vg_comparison_reset(vg_comparison *comparison)
{
    for (int i = 0; comparison->arms && i < comparison->arm_count; i++) {
        free(comparison->arms[i].values);
        free(comparison->arms[i].verdicts);
        vg_run_result_reset(&comparison->arms[i].example);
    }
    free(comparison->arms);
    free(comparison->effects);
    *comparison = (vg_comparison){0};
}

vg_status vg_compare_with(vg_compare_run run, const vg_dataset *dataset, const vg_run_options *job,
                          const vg_compare_options *options, const vg_compare_events *events,
                          vg_comparison *result, vg_error *err)
{
    vg_arms ladder;
    vg_comparison_reset(result);
    vg_status status = vg_ladder_make(job, options, &ladder, err);
    return status ? status : vg_arms_run(run, dataset, &ladder, options, events, job, result, err);
}

vg_status vg_compare(const vg_dataset *dataset, const vg_run_options *job,
                     const vg_compare_options *options, const vg_compare_events *events,
                     vg_comparison *result, vg_error *err)
{
    return vg_compare_with(vg_run, dataset, job, options, events, result, err);
}
