/* Keys of a job with a language of their own, that say how the loop of a training goes: what it begins with, what
 * is frozen, measures that are watched, and when the state is kept. */
#include "job_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *vg_key_word_watch(int i)
{
    return vg_watch_name((vg_watch)i);
}

/* "none", "200 steps", "5 minutes". */
vg_status vg_key_set_every(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return vg_key_wrong(key, value, err);
    if (strcmp(value->text, "none") == 0) {
        job->run.state_steps = 0;
        job->run.state_minutes = 0;
        return VG_OK;
    }
    char *unit = NULL;
    double number = isdigit((unsigned char)value->text[0]) || value->text[0] == '.'
                        ? strtod(value->text, &unit)
                        : 0;
    if (!(number > 0 && number <= 1e9))
        return vg_key_wrong(key, value, err);
    unit += strspn(unit, " ");
    bool steps = strcmp(unit, "steps") == 0 || strcmp(unit, "step") == 0;
    bool minutes = strcmp(unit, "minutes") == 0 || strcmp(unit, "minute") == 0;
    if ((!steps && !minutes) || (steps && (double)(uint64_t)number != number))
        return vg_key_wrong(key, value, err);
    job->run.state_steps = steps ? (uint64_t)number : 0;
    job->run.state_minutes = minutes ? number : 0;
    return VG_OK;
}

void vg_key_print_every(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[64] = "none";
    if (job->run.state_steps)
        snprintf(text, sizeof text, "%llu steps", (unsigned long long)job->run.state_steps);
    else if (job->run.state_minutes > 0)
        snprintf(text, sizeof text, "%.9g minutes", job->run.state_minutes);
    vg_key_print_scalar(text, out);
}

vg_status vg_key_set_init_from(const vg_job_key *key, vg_job *job, vg_job_value *value,
                               vg_error *err)
{
    const vg_job_key at = {
        .name = key->name, .allowed = key->allowed, .offset = offsetof(vg_job, init_from)};
    if (value->kind != VG_JOB_SCALAR || strcmp(value->text, "none") != 0)
        return vg_key_set_path(&at, job, value, err);
    free(job->init_from);
    job->init_from = NULL;
    return VG_OK;
}

void vg_key_print_init_from(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const vg_job_key at = {.name = key->name, .offset = offsetof(vg_job, init_from)};
    if (job->init_from)
        vg_key_print_path(&at, job, out);
    else
        fputs("none", out);
}

vg_status vg_key_set_freeze(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_param_rules rules = {0};
    if (value->kind == VG_JOB_MAP)
        return vg_key_wrong(key, value, err);
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "none") == 0) {
        job->run.freeze = rules;
        return VG_OK;
    }
    vg_status status = vg_key_split_scalar(value, false, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        value->blame = &value->items[i];
        status = vg_param_rules_add(&rules, value->items[i].text, 0, err);
    }
    if (status)
        return status;
    value->blame = NULL;
    job->run.freeze = rules;
    return VG_OK;
}

void vg_key_print_freeze(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const vg_param_rules *rules = &job->run.freeze;
    (void)key;
    fputc('[', out);
    for (int i = 0; i < rules->count; i++) {
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(rules->rule[i].pattern, out);
    }
    fputc(']', out);
}
