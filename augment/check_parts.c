/* The parts of all policies of a check: those that the general policy and policies of classes have in common
 * are one part, so that `6,9=rotate=5` does not list everything else twice. */
#include "base/alloc.h"
#include "check_internal.h"

#include <stdlib.h>
#include <string.h>

static int policy_of(const check_run *run, int label)
{
    const vg_class_policies *table = run->augment->class_policies;
    if (!table || label < 0 || label >= table->classes)
        return 0;
    return table->of_class[label] + 1;
}

bool check_applies(const check_run *run, int part, int label)
{
    return run->applies[(size_t)part * (size_t)run->policies + (size_t)policy_of(run, label)];
}

int check_whole_of(const check_run *run, int label)
{
    for (int i = 0; i < run->parts; i++)
        if (run->draws[i].code < 0 && check_applies(run, i, label))
            return i;
    return -1;
}

/* A part that is already there and does the same, or -1. */
static int alike(const check_run *run, const check_draw *draw)
{
    char words[VG_POLICY_TEXT], known[VG_POLICY_TEXT];
    vg_policy_print(&draw->policy, words, sizeof words);
    for (int i = 0; i < run->parts; i++) {
        const check_draw *other = &run->draws[i];
        if (other->code != draw->code || other->part.set != draw->part.set ||
            other->chance != draw->chance)
            continue;
        vg_policy_print(&other->policy, known, sizeof known);
        if (strcmp(words, known) == 0)
            return i;
    }
    return -1;
}

vg_status check_parts(check_run *run, vg_error *err)
{
    const vg_class_policies *table = run->augment->class_policies;
    run->policies = 1 + (table ? table->count : 0);
    size_t most = (size_t)run->policies * CHECK_DRAWS;
    run->draws = vg_calloc(most, sizeof *run->draws);
    run->applies = vg_calloc(most, (size_t)run->policies * sizeof *run->applies);
    check_draw *own = vg_calloc(CHECK_DRAWS, sizeof *own);
    vg_status status = VG_OK;
    if (!run->draws || !run->applies || !own)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %d policies", run->policies);
    for (int p = 0; p < run->policies && !status; p++) {
        const vg_policy *policy = p ? &table->policies[p - 1] : &run->augment->policy;
        int count = check_draws(policy, own);
        for (int i = 0; i < count; i++) {
            own[i].owner = p;
            int at = alike(run, &own[i]);
            if (at < 0)
                run->draws[at = run->parts++] = own[i];
            else
                run->draws[at].shared = true;
            run->applies[(size_t)at * (size_t)run->policies + (size_t)p] = true;
        }
    }
    free(own);
    return status;
}
