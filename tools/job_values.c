/* Values of job keys by type: numbers, words, paths, and how text is printed as YAML and split. */
#include "job_values.h"

#include "base/alloc.h"
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *vg_key_field(const vg_job_key *key, vg_job *job)
{
    return (char *)job + key->offset;
}

const void *vg_key_field_const(const vg_job_key *key, const vg_job *job)
{
    return (const char *)job + key->offset;
}

void vg_job_value_reset(vg_job_value *value)
{
    for (size_t i = 0; i < value->count; i++) {
        free(value->items[i].key);
        free(value->items[i].text);
    }
    free(value->items);
    free(value->text);
    *value = (vg_job_value){0};
}

void vg_job_key_allowed(const vg_job_key *key, char *text, size_t capacity)
{
    if (key->allowed) {
        snprintf(text, capacity, "%s", key->allowed);
    } else if (key->words) {
        text[0] = '\0';
        for (int i = 0; i < key->words; i++) {
            size_t used = strlen(text);
            snprintf(text + used, capacity - used, "%s%s", i ? ", " : "", key->word(i));
        }
    } else if (key->set == vg_key_set_seed) {
        snprintf(text, capacity, "whole number from 0 to %" PRIu64, UINT64_MAX);
    } else if (key->set == vg_key_set_int) {
        snprintf(text, capacity, "whole number from %.0f to %.0f", key->low, key->high);
    } else if (key->high >= DBL_MAX || key->high >= (double)INT_MAX) {
        snprintf(text, capacity, "number from %g", key->low);
    } else {
        snprintf(text, capacity, "number from %g to %g", key->low, key->high);
    }
}

vg_status vg_key_wrong(const vg_job_key *key, const vg_job_value *value, vg_error *err)
{
    char allowed[256];
    vg_job_key_allowed(key, allowed, sizeof allowed);
    if (value->kind != VG_JOB_SCALAR)
        return vg_fail(err, VG_E_ARG, "found a %s, allowed: %s",
                       value->kind == VG_JOB_LIST ? "list" : "map", allowed);
    return vg_fail(err, VG_E_ARG, "found \"%s\", allowed: %s", value->text, allowed);
}

bool vg_key_parse_whole(const char *text, uint64_t *value)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool whole_of(const vg_job_key *key, const vg_job_value *value, uint64_t *number)
{
    return value->kind == VG_JOB_SCALAR && vg_key_parse_whole(value->text, number) &&
           (double)*number >= key->low && (double)*number <= key->high;
}

vg_status vg_key_set_int(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return vg_key_wrong(key, value, err);
    *(int *)vg_key_field(key, job) = (int)number;
    return VG_OK;
}

void vg_key_print_int(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%d", *(const int *)vg_key_field_const(key, job));
}

vg_status vg_key_set_count(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return vg_key_wrong(key, value, err);
    *(size_t *)vg_key_field(key, job) = (size_t)number;
    return VG_OK;
}

void vg_key_print_count(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%zu", *(const size_t *)vg_key_field_const(key, job));
}

vg_status vg_key_set_seed(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return vg_key_wrong(key, value, err);
    *(uint64_t *)vg_key_field(key, job) = number;
    if (key->offset == offsetof(vg_job, compare.first_seed))
        job->first_seed_given = true;
    return VG_OK;
}

void vg_key_print_seed(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%" PRIu64, *(const uint64_t *)vg_key_field_const(key, job));
}

vg_status vg_key_set_number(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return vg_key_wrong(key, value, err);
    char *end;
    double number = strtod(value->text, &end);
    if (end == value->text || *end || !isfinite(number) || number < key->low || number > key->high)
        return vg_key_wrong(key, value, err);
    *(double *)vg_key_field(key, job) = number;
    if (key->offset == offsetof(vg_job, run.schedule.base))
        job->learning_rate_given = true;
    if (key->offset == offsetof(vg_job, run.optimizer.momentum))
        job->momentum_given = true;
    if (key->offset == offsetof(vg_job, run.optimizer.clip_norm))
        job->clip_norm_given = true;
    return VG_OK;
}

/* The shortest decimal that reads back as the same double. */
void vg_key_print_number(const vg_job_key *key, const vg_job *job, FILE *out)
{
    double value = *(const double *)vg_key_field_const(key, job);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

vg_status vg_key_set_flag(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; value->kind == VG_JOB_SCALAR && i < sizeof words / sizeof *words; i++)
        if (strcmp(value->text, words[i]) == 0) {
            *(bool *)vg_key_field(key, job) = i % 2 == 1;
            if (key->offset == offsetof(vg_job, run.optimizer.nesterov))
                job->nesterov_given = true;
            return VG_OK;
        }
    return vg_key_wrong(key, value, err);
}

void vg_key_print_flag(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fputs(*(const bool *)vg_key_field_const(key, job) ? "true" : "false", out);
}

_Static_assert(sizeof(vg_sampling) == sizeof(int) && sizeof(vg_init) == sizeof(int),
               "words are stored as int");

vg_status vg_key_set_word(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < key->words; i++)
        if (strcmp(value->text, key->word(i)) == 0) {
            memcpy(vg_key_field(key, job), &i, sizeof i);
            return VG_OK;
        }
    return vg_key_wrong(key, value, err);
}

void vg_key_print_word(const vg_job_key *key, const vg_job *job, FILE *out)
{
    int i;
    memcpy(&i, vg_key_field_const(key, job), sizeof i);
    fputs(key->word(i), out);
}

/* A YAML scalar: as it is where that is safe everywhere (also inside [ ]), else in quotes. */
void vg_key_print_scalar(const char *text, FILE *out)
{
    bool plain = text[0] && (isalnum((unsigned char)text[0]) || strchr("/._", text[0]));
    for (const char *at = text; *at && plain; at++)
        plain = isalnum((unsigned char)*at) || strchr("/._-+=", *at) ||
                (unsigned char)*at >= 0x80 || (*at == ' ' && at[1] && at[1] != ' ');
    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7F)
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

vg_status vg_key_no_memory(vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "out of memory for the job");
}

/* A path relative to `folder`, or patterns of archives with "::" between them, each of which is. On the
 * heap; NULL: no memory. */
static char *path_in(const char *folder, const char *text)
{
    char *path = vg_strdup("");
    for (const char *part = text; path && part;) {
        const char *end = strstr(part, "::");
        size_t length = end ? (size_t)(end - part) : strlen(part), used = strlen(path);
        size_t before = *part == '/' ? 0 : strlen(folder) + 1;
        char *longer = vg_realloc(path, used + before + length + 3, 1);
        if (!longer) {
            free(path);
            return NULL;
        }
        path = longer;
        if (before) {
            memcpy(path + used, folder, before - 1);
            path[used + before - 1] = '/';
        }
        memcpy(path + used + before, part, length);
        memcpy(path + used + before + length, end ? "::" : "", end ? 3 : 1);
        part = end ? end + 2 : NULL;
    }
    return path;
}

vg_status vg_key_set_path(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR || !value->text[0])
        return vg_key_wrong(key, value, err);
    char *path = value->folder ? path_in(value->folder, value->text) : vg_strdup(value->text);
    if (!path)
        return vg_key_no_memory(err);
    char **slot = vg_key_field(key, job);
    free(*slot);
    *slot = path;
    return VG_OK;
}

void vg_key_print_path(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const char *path = *(char *const *)vg_key_field_const(key, job);
    char *absolute = path ? realpath(path, NULL) : NULL;
    if (path && !absolute) { /* a pattern, or not there (any more) */
        char *here = realpath(".", NULL);
        absolute = here ? path_in(here, path) : NULL;
        free(here);
    }
    vg_key_print_scalar(absolute ? absolute : path ? path : "", out);
    free(absolute);
}

/* Turns a scalar "a,b,c" into a list, in place; with `map`, "a:1,b:2" into a map. */
vg_status vg_key_split_scalar(vg_job_value *value, bool map, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return VG_OK;
    size_t capacity = 0;
    for (char *at = value->text; *at;) {
        size_t length = strcspn(at, ",");
        char *end = at + length, *next = *end ? end + 1 : end;
        while (at < end && isspace((unsigned char)*at))
            at++;
        while (end > at && isspace((unsigned char)end[-1]))
            end--;
        if (!vg_grow(&value->items, &capacity, value->count + 1, sizeof *value->items))
            return vg_key_no_memory(err);
        vg_job_item *item = &value->items[value->count];
        *item = (vg_job_item){0};
        char *colon = NULL;
        for (char *c = at; c < end && map; c++)
            if (*c == ':')
                colon = c; /* the last one: names may hold colons */
        if (colon)
            item->key = strndup(at, (size_t)(colon - at));
        char *start = colon ? colon + 1 : at;
        while (start < end && isspace((unsigned char)*start))
            start++;
        item->text = strndup(start, (size_t)(end - start));
        value->count++;
        if (!item->text || (colon && !item->key))
            return vg_key_no_memory(err);
        if (map && !colon) {
            value->blame = item;
            return vg_fail(err, VG_E_ARG, "found \"%s\", expected name:number", item->text);
        }
        at = next;
    }
    value->kind = map ? VG_JOB_MAP : VG_JOB_LIST;
    return VG_OK;
}
