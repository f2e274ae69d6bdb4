/* The arms of a study of findings: a star around the data as they are. A ladder would add repairs up and leave the
 * price of each to the order in which they come. */
#include "study/consequence.h"

#include "study/compare_internal.h"

#include <stdio.h>

_Static_assert((int)VG_REMEDIES < (int)VG_ARMS, "each remedy is an arm beside the plain one");

int vg_consequence_seeds(int remedies)
{
    return vg_seeds_least(remedies > 0 ? remedies : 1);
}

static vg_status check(const vg_dataset *dataset, const vg_remedy *remedy, vg_error *err)
{
    const vg_dataset *other = remedy->dataset;
    if (!other && !remedy->job)
        return vg_fail(err, VG_E_ARG, "the remedy \"%s\" changes nothing", remedy->name);
    if (!other)
        return VG_OK;
    bool same = vg_dataset_classes(dataset) == vg_dataset_classes(other);
    size_t held[2] = {0}, of = vg_dataset_count(dataset), in = vg_dataset_count(other);
    for (size_t i = 0; i < of; i++)
        held[0] += vg_dataset_split(dataset, i) != VG_SPLIT_TRAIN;
    for (size_t i = 0; i < in; i++)
        held[1] += vg_dataset_split(other, i) != VG_SPLIT_TRAIN;
    if (same && held[0] == held[1])
        return VG_OK;
    return vg_fail(
        err, VG_E_ARG,
        "the remedy \"%s\" has %d classes and %zu held-out samples, the data as they are "
        "%d and %zu: they cannot be compared",
        remedy->name, vg_dataset_classes(other), held[1], vg_dataset_classes(dataset), held[0]);
}

vg_status vg_consequence_with(vg_compare_run run, const vg_dataset *dataset,
                              const vg_run_options *job, const vg_remedy *remedies, int count,
                              const vg_compare_options *how, const vg_compare_events *events,
                              vg_comparison *result, vg_error *err)
{
    vg_comparison_reset(result);
    if (count < 1 || count > VG_REMEDIES)
        return vg_fail(err, VG_E_ARG, "%d findings to measure; 1 to %d are possible", count,
                       VG_REMEDIES);
    vg_arms arms = {.count = count + 1, .pair_count = count, .whole = -1};
    arms.jobs[0] = *job;
    arms.jobs[0].checkpoint = arms.jobs[0].best = arms.jobs[0].state = NULL;
    snprintf(arms.names[0], sizeof arms.names[0], "as it is");
    for (int i = 0; i < count; i++) {
        vg_status status = check(dataset, &remedies[i], err);
        if (status)
            return status;
        vg_run_options *arm = &arms.jobs[i + 1];
        *arm = remedies[i].job ? *remedies[i].job : *job;
        arm->checkpoint = arm->best = arm->state = NULL;
        arms.data[i + 1] = remedies[i].dataset;
        snprintf(arms.names[i + 1], sizeof arms.names[i + 1], "without %.50s", remedies[i].name);
        snprintf(arms.pairs[i].name, sizeof arms.pairs[i].name, "%s", remedies[i].name);
        arms.pairs[i].after = i + 1;
        arms.pairs[i].change = VG_CHANGES;
    }
    return vg_arms_run(run, dataset, &arms, how, events, NULL, result, err);
}

vg_status vg_consequence(const vg_dataset *dataset, const vg_run_options *job,
                         const vg_remedy *remedies, int count, const vg_compare_options *how,
                         const vg_compare_events *events, vg_comparison *result, vg_error *err)
{
    return vg_consequence_with(vg_run, dataset, job, remedies, count, how, events, result, err);
}
