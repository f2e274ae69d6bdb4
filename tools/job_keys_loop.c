/* Keys of a job with a language of their own, that say how the loop of a training goes: measures that are
 * watched, and when the state is kept. */
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
