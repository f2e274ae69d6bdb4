/* Trials of a search: jobs out of points, an order among them, a winner. */
#include "sweep.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *vg_trial_end_name(vg_trial_end end)
{
    return end == VG_TRIAL_DONE ? "done" : end == VG_TRIAL_GAVE_UP ? "gave up" : "failed";
}

void vg_sweep_reset(vg_sweep *sweep)
{
    for (size_t i = 0; i < sweep->count; i++)
        free(sweep->trials[i].curve);
    free(sweep->trials);
    free(sweep->order);
    *sweep = (vg_sweep){0};
}

vg_trial *vg_sweep_add(vg_sweep *sweep)
{
    if (!vg_grow(&sweep->trials, &sweep->capacity, sweep->count + 1, sizeof *sweep->trials))
        return NULL;
    vg_trial *t = &sweep->trials[sweep->count++];
    *t = (vg_trial){.value = NAN};
    return t;
}

static bool comes_before(const vg_trial *a, const vg_trial *b, bool higher)
{
    if (a->end != b->end)
        return a->end < b->end;
    if (isnan(a->value) || isnan(b->value))
        return !isnan(a->value) && isnan(b->value);
    return higher ? a->value > b->value : a->value < b->value;
}

vg_status vg_sweep_rank(vg_sweep *sweep, vg_error *err)
{
    bool higher = vg_watch_higher(sweep->job->sweep.objective);
    free(sweep->order);
    sweep->order = vg_alloc(sweep->count, sizeof *sweep->order);
    if (!sweep->order)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu trials", sweep->count);
    for (size_t i = 0; i < sweep->count; i++) {
        size_t at = i;
        for (; at > 0 &&
               comes_before(&sweep->trials[i], &sweep->trials[sweep->order[at - 1]], higher);
             at--)
            sweep->order[at] = sweep->order[at - 1];
        sweep->order[at] = i;
    }
    return VG_OK;
}

void vg_sweep_judge(vg_sweep *sweep)
{
    enum { MOST = 20 };
    double values[MOST * VG_SWEEP_SEEDS];
    const vg_sweep_options *o = &sweep->job->sweep;
    bool higher = vg_watch_higher(o->objective);
    int count = 0, seeds = sweep->confirmed ? o->seeds : 1;
    for (size_t i = 0; i < sweep->count && count < MOST; i++, count++) {
        const vg_trial *t = &sweep->trials[sweep->order[i]];
        if (sweep->confirmed ? count >= sweep->confirmed : t->end != VG_TRIAL_DONE)
            break;
        for (int k = 0; k < seeds; k++)
            values[count * seeds + k] = sweep->confirmed ? t->fresh[k] : t->value;
    }
    sweep->judgement = vg_search_judge(values, count, seeds, higher);
    sweep->any = sweep->judgement.winner >= 0;
    sweep->winner = sweep->any ? sweep->order[sweep->judgement.winner] : 0;
}

/* Whether the base's rate is one that was asked for. */
static bool rate_is_given(const vg_job *base)
{
    for (int i = 0; i < base->sweep.space.count; i++)
        if (strcmp(base->sweep.space.keys[i].name, "learning_rate") == 0)
            return true;
    return base->learning_rate_given;
}

vg_status vg_sweep_job(const vg_job *base, const vg_search_point *point, uint64_t seed, vg_job *job,
                       vg_error *err)
{
    char *text = NULL;
    size_t size = 0;
    vg_status status = vg_job_init(job, err);
    FILE *stream = status ? NULL : open_memstream(&text, &size);
    if (!status && !stream)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for a trial");
    if (stream) {
        vg_job_print(base, stream);
        if (fclose(stream) != 0)
            status = vg_fail(err, VG_E_NOMEM, "out of memory for a trial");
    }
    if (!status)
        status = vg_job_read(job, text, size, "job", NULL, err);
    free(text);
    vg_search_space_reset(&job->sweep.space);
    for (int i = 0; i < base->sweep.space.count && !status; i++) {
        const vg_search_key *key = &base->sweep.space.keys[i];
        char value[VG_SEARCH_TEXT], assignment[VG_SEARCH_TEXT + sizeof key->name + 2];
        vg_search_print(key, point->at[i], value, sizeof value);
        snprintf(assignment, sizeof assignment, "%s=%s", key->name, value);
        status = vg_job_set(job, assignment, "trial", err);
    }
    job->learning_rate_given = rate_is_given(base);
    job->run.seed = seed;
    return status ? status : vg_job_finish(job, err);
}
