/* Fuzz target: any text as a policy, a YAML job and a word for the cache. A policy that is taken must
 * print as a line that reads back as the same. */
#include "fuzz.h"

#include "job.h"
#include "load/cache.h"
#include "policy.h"

static void read_policy(const char *text)
{
    static char line[VG_POLICY_TEXT], again[VG_POLICY_TEXT];
    vg_error err = {0};
    vg_policy policy, back;
    vg_status status = vg_policy_parse(text, &policy, &err);
    fuzz_status(status, &err);
    if (status != VG_OK)
        return;
    vg_policy_print(&policy, line, sizeof line);
    fuzz_check(vg_policy_parse(line, &back, &err) == VG_OK, "a printed policy is refused");
    vg_policy_print(&back, again, sizeof again);
    fuzz_check(strcmp(line, again) == 0, "a printed policy reads back as another");
}

static void read_job(const char *text, size_t size)
{
    vg_error err = {0};
    vg_job job;
    fuzz_check(vg_job_init(&job, &err) == VG_OK, "no job");
    vg_status status = vg_job_read(&job, text, size, "it.yaml", NULL, &err);
    fuzz_status(status, &err);
    if (status == VG_OK)
        fuzz_status(vg_job_finish(&job, &err), &err);
    vg_job_reset(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vg_error err = {0};
    vg_cache_options cache = {0};
    char *text = malloc(size + 1);
    fuzz_check(text != NULL, "no memory");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    read_policy(text);
    read_job(text, size);
    fuzz_status(vg_cache_parse(text, &cache, &err), &err);
    free(text);
    return 0;
}
