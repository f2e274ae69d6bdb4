/* The key of a job that says which settings are searched, and what may be searched at all. */
#include "job_values.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

const char *vg_key_word_search(int i)
{
    return vg_search_method_name((vg_search_method)i);
}

const char *vg_key_word_giving_up(int i)
{
    return vg_giving_up_name((vg_giving_up)i);
}

/* What changes the images that are measured, or nothing at all, cannot be compared by its outcome. */
static bool is_searchable(const char *name)
{
    static const char *const not [] = {
        "dataset", "classes",    "limit",     "train_total", "held_out_total",   "coarse_labels",
        "seed",    "order_seed", "threads",   "probe",       "on_error",         "min_intact",
        "max_bad", "max_pixels", "max_scans", "cache",       "checkpoint_every", "best",
        "out"};
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (strcmp(name, not [i]) == 0)
            return false;
    return strncmp(name, "split.", 6) != 0 && strncmp(name, "compare.", 8) != 0 &&
           strncmp(name, "sweep.", 6) != 0;
}

/* Adds a key with its words after trying them on a job of their own. */
static vg_status add_key(vg_search_space *space, const char *name, const char *words, vg_error *err)
{
    const vg_job_key *key = vg_job_key_find(name);
    if (!key)
        return vg_fail(err, VG_E_ARG, "unknown key \"%.60s\"", name);
    if (!is_searchable(name))
        return vg_fail(err, VG_E_ARG,
                       "\"%s\" cannot be searched: trials would not be measured alike", name);
    vg_status status = vg_search_space_add(space, name, words, err);
    if (status)
        return status;
    const vg_search_key *added = &space->keys[space->count - 1];
    int tries = added->kind == VG_SEARCH_WORD ? added->word_count : 3;
    for (int i = 0; i < tries && !status; i++) {
        char text[VG_SEARCH_TEXT], assignment[VG_SEARCH_TEXT + 80];
        /* of numbers the bounds and one between them, which shows where only whole ones are allowed */
        double between = added->low + 0.618 * (added->high - added->low);
        double at = added->kind == VG_SEARCH_WORD ? i
                    : i == 0                      ? added->low
                    : i == 1                      ? added->high
                                                  : between;
        vg_job job;
        vg_search_print(added, at, text, sizeof text);
        snprintf(assignment, sizeof assignment, "%s=%s", name, text);
        status = vg_job_init(&job, err);
        if (!status)
            status = vg_job_set(&job, assignment, "searched", err);
        vg_job_reset(&job);
    }
    return status;
}

/* "learning_rate=1e-4 .. 0.1 log; optimizer=sgd | adam" */
static vg_status add_line(vg_search_space *space, char *line, vg_error *err)
{
    vg_status status = VG_OK;
    while (line && !status) {
        char *end = strchr(line, ';'), *equals = strchr(line, '=');
        if (end)
            *end++ = '\0';
        line += strspn(line, " \t\r\n");
        if (*line && (!equals || (end && equals > end)))
            return vg_fail(err, VG_E_ARG, "found \"%.60s\", expected key=LOW .. HIGH or key=a | b",
                           line);
        if (*line && equals) {
            *equals = '\0';
            for (char *c = equals; c > line && c[-1] == ' '; c--)
                c[-1] = '\0';
            status = add_key(space, line, equals + 1, err);
        }
        line = end;
    }
    return status;
}

vg_status vg_key_set_sweep(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_search_space space = {0};
    vg_status status = VG_OK;
    if (value->kind == VG_JOB_LIST && value->count > 0)
        return vg_key_wrong(key, value, err);
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "none") != 0)
        status = add_line(&space, value->text, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        vg_job_item *item = &value->items[i];
        for (char *c = item->text; item->list && *c; c++)
            *c = *c == '\n' ? '|' : *c;
        value->blame = item;
        status = add_key(&space, item->key, item->text, err);
    }
    if (status) {
        vg_search_space_reset(&space);
        return status;
    }
    value->blame = NULL;
    vg_search_space_reset(&job->sweep.space);
    job->sweep.space = space;
    return VG_OK;
}

static void print_words(const vg_search_key *key, FILE *out)
{
    char text[64 + VG_SEARCH_WORDS * (VG_SEARCH_TEXT + 3)];
    size_t used = 0;
    if (key->kind == VG_SEARCH_NUMBER)
        snprintf(text, sizeof text, "%.15g .. %.15g%s%s", key->low, key->high,
                 key->logarithmic ? " log" : "", key->whole ? " whole" : "");
    for (int i = 0; i < key->word_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " | " : "",
                                 key->words[i]);
    vg_key_print_scalar(text, out);
}

void vg_key_print_sweep(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const vg_search_space *space = &job->sweep.space;
    (void)key;
    fputc('{', out);
    for (int i = 0; i < space->count; i++) {
        fprintf(out, "%s%s: ", i ? ", " : "", space->keys[i].name);
        print_words(&space->keys[i], out);
    }
    fputc('}', out);
}
