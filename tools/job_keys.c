/* THE table of job keys: name, how it is read and printed, what it allows, what it means.
 *
 * A key is added here and nowhere else: the YAML reader, --set, the stored effective job and the
 * documentation all walk this table. */
#include "job_keys.h"

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
#include <unistd.h>

static void *field(const vg_job_key *key, vg_job *job)
{
    return (char *)job + key->offset;
}

static const void *field_const(const vg_job_key *key, const vg_job *job)
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

static vg_status set_int(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
static vg_status set_seed(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);

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
    } else if (key->set == set_seed) {
        snprintf(text, capacity, "whole number from 0 to %" PRIu64, UINT64_MAX);
    } else if (key->set == set_int) {
        snprintf(text, capacity, "whole number from %.0f to %.0f", key->low, key->high);
    } else if (key->high >= DBL_MAX || key->high >= (double)INT_MAX) {
        snprintf(text, capacity, "number from %g", key->low);
    } else {
        snprintf(text, capacity, "number from %g to %g", key->low, key->high);
    }
}

static vg_status wrong(const vg_job_key *key, const vg_job_value *value, vg_error *err)
{
    char allowed[256];
    vg_job_key_allowed(key, allowed, sizeof allowed);
    if (value->kind != VG_JOB_SCALAR)
        return vg_fail(err, VG_E_ARG, "found a %s, allowed: %s",
                       value->kind == VG_JOB_LIST ? "list" : "map", allowed);
    return vg_fail(err, VG_E_ARG, "found \"%s\", allowed: %s", value->text, allowed);
}

/* ---- numbers */

static bool parse_whole(const char *text, uint64_t *value)
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
    return value->kind == VG_JOB_SCALAR && parse_whole(value->text, number) &&
           (double)*number >= key->low && (double)*number <= key->high;
}

static vg_status set_int(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return wrong(key, value, err);
    *(int *)field(key, job) = (int)number;
    return VG_OK;
}

static void print_int(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%d", *(const int *)field_const(key, job));
}

static vg_status set_count(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return wrong(key, value, err);
    *(size_t *)field(key, job) = (size_t)number;
    return VG_OK;
}

static void print_count(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%zu", *(const size_t *)field_const(key, job));
}

static vg_status set_seed(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    uint64_t number;
    if (!whole_of(key, value, &number))
        return wrong(key, value, err);
    *(uint64_t *)field(key, job) = number;
    if (key->offset == offsetof(vg_job, compare.first_seed))
        job->first_seed_given = true;
    return VG_OK;
}

static void print_seed(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fprintf(out, "%" PRIu64, *(const uint64_t *)field_const(key, job));
}

static vg_status set_number(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return wrong(key, value, err);
    char *end;
    double number = strtod(value->text, &end);
    if (end == value->text || *end || !isfinite(number) || number < key->low || number > key->high)
        return wrong(key, value, err);
    *(double *)field(key, job) = number;
    if (key->offset == offsetof(vg_job, run.schedule.base))
        job->learning_rate_given = true;
    return VG_OK;
}

/* The shortest decimal that reads back as the same double. */
static void print_number(const vg_job_key *key, const vg_job *job, FILE *out)
{
    double value = *(const double *)field_const(key, job);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

static vg_status set_flag(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; value->kind == VG_JOB_SCALAR && i < sizeof words / sizeof *words; i++)
        if (strcmp(value->text, words[i]) == 0) {
            *(bool *)field(key, job) = i % 2 == 1;
            return VG_OK;
        }
    return wrong(key, value, err);
}

static void print_flag(const vg_job_key *key, const vg_job *job, FILE *out)
{
    fputs(*(const bool *)field_const(key, job) ? "true" : "false", out);
}

/* ---- words: enumerations, all of which are as large as an int here */

_Static_assert(sizeof(vg_sampling) == sizeof(int) && sizeof(vg_init) == sizeof(int),
               "words are stored as int");

static vg_status set_word(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < key->words; i++)
        if (strcmp(value->text, key->word(i)) == 0) {
            memcpy(field(key, job), &i, sizeof i);
            return VG_OK;
        }
    return wrong(key, value, err);
}

static void print_word(const vg_job_key *key, const vg_job *job, FILE *out)
{
    int i;
    memcpy(&i, field_const(key, job), sizeof i);
    fputs(key->word(i), out);
}

static const char *word_normalize(int i)
{
    return vg_normalization_name((vg_normalization)i);
}

/* In the words of a job no rebalancing is "none"; the sampler calls it by what it does. */
static const char *word_sampling(int i)
{
    return i == VG_SAMPLING_SHUFFLE ? "none" : vg_sampling_name((vg_sampling)i);
}

static const char *word_weights(int i)
{
    return vg_weighting_name((vg_weighting)i);
}

static const char *word_init(int i)
{
    return vg_init_name((vg_init)i);
}

static const char *word_optimizer(int i)
{
    return vg_optimizer_name((vg_optimizer_kind)i);
}

static const char *word_schedule(int i)
{
    return vg_schedule_name((vg_schedule_kind)i);
}

static const char *word_on_error(int i)
{
    return i == VG_ON_ERROR_FAIL ? "fail" : i == VG_ON_ERROR_REPAIR ? "repair" : "skip";
}

/* ---- text */

/* A YAML scalar: as it is where that is safe everywhere (also inside [ ]), else in quotes. */
static void print_scalar(const char *text, FILE *out)
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

static vg_status no_memory(vg_error *err)
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

static vg_status set_path(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR || !value->text[0])
        return wrong(key, value, err);
    char *path = value->folder ? path_in(value->folder, value->text) : vg_strdup(value->text);
    if (!path)
        return no_memory(err);
    char **slot = field(key, job);
    free(*slot);
    *slot = path;
    return VG_OK;
}

static void print_path(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const char *path = *(char *const *)field_const(key, job);
    char *absolute = path ? realpath(path, NULL) : NULL;
    if (path && !absolute) { /* a pattern, or not there (any more) */
        char *here = realpath(".", NULL);
        absolute = here ? path_in(here, path) : NULL;
        free(here);
    }
    print_scalar(absolute ? absolute : path ? path : "", out);
    free(absolute);
}

/* none, ram, ram:SIZE, FILE or FILE:SIZE. */
static vg_status set_cache(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR || !value->text[0])
        return wrong(key, value, err);
    vg_cache_options found;
    vg_status status = vg_cache_parse(value->text, &found, err);
    if (!status && found.kind == VG_CACHE_FILE && found.path[0] != '/' && value->folder) {
        char *path = vg_path_join(value->folder, found.path);
        if (!path)
            return no_memory(err);
        int length = snprintf(found.path, sizeof found.path, "%s", path);
        free(path);
        if (length < 0 || (size_t)length >= sizeof found.path)
            return vg_fail(err, VG_E_ARG, "a path of %d bytes is too long", length);
    }
    if (!status)
        job->cache = found;
    return status;
}

static void print_cache(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    const vg_cache_options *cache = &job->cache;
    char here[4096] = "", text[2 * sizeof here + 32], size[32] = "";
    if (cache->max_bytes)
        snprintf(size, sizeof size, ":%" PRIu64, cache->max_bytes);
    if (cache->kind != VG_CACHE_FILE) {
        snprintf(text, sizeof text, "%s%s", cache->kind == VG_CACHE_RAM ? "ram" : "none", size);
    } else {
        bool absolute = cache->path[0] == '/' || !getcwd(here, sizeof here);
        snprintf(text, sizeof text, "%s%s%s%s", absolute ? "" : here, absolute ? "" : "/",
                 cache->path, size);
    }
    print_scalar(text, out);
}

/* Turns a scalar "a,b,c" into a list, in place; with `map`, "a:1,b:2" into a map. */
static vg_status split_scalar(vg_job_value *value, bool map, vg_error *err)
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
            return no_memory(err);
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
            return no_memory(err);
        if (map && !colon) {
            value->blame = item;
            return vg_fail(err, VG_E_ARG, "found \"%s\", expected name:number", item->text);
        }
        at = next;
    }
    value->kind = map ? VG_JOB_MAP : VG_JOB_LIST;
    return VG_OK;
}

static void clear_classes(vg_job *job)
{
    for (size_t i = 0; i < job->class_count; i++)
        free(job->classes[i]);
    free(job->classes);
    job->classes = NULL;
    job->class_count = 0;
}

static vg_status set_classes(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_status status = split_scalar(value, false, err);
    if (status)
        return status;
    if (value->kind != VG_JOB_LIST)
        return wrong(key, value, err);
    if (value->count == 1) {
        value->blame = &value->items[0];
        return vg_fail(err, VG_E_ARG, "found only \"%s\", allowed: two or more, or [] for all",
                       value->items[0].text);
    }
    clear_classes(job);
    job->classes = vg_calloc(value->count, sizeof *job->classes);
    if (!job->classes)
        return no_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        job->classes[i] = vg_strdup(value->items[i].text);
        if (!job->classes[i])
            return no_memory(err);
        job->class_count++;
    }
    return VG_OK;
}

static void print_classes(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('[', out);
    for (size_t i = 0; i < job->class_count; i++) {
        fputs(i ? ", " : "", out);
        print_scalar(job->classes[i], out);
    }
    fputc(']', out);
}

static void clear_limits(vg_job *job)
{
    for (size_t i = 0; i < job->limit_count; i++)
        free(job->limit_classes[i]);
    free(job->limit_classes);
    free(job->limits);
    job->limit_classes = NULL;
    job->limits = NULL;
    job->limit_count = 0;
}

static vg_status set_limit(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_status status = split_scalar(value, true, err);
    if (status)
        return status;
    if (value->kind == VG_JOB_LIST && value->count > 0)
        return wrong(key, value, err);
    clear_limits(job);
    job->limit_classes = vg_calloc(value->count, sizeof *job->limit_classes);
    job->limits = vg_calloc(value->count, sizeof *job->limits);
    if (!job->limit_classes || !job->limits)
        return no_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        uint64_t number;
        if (!parse_whole(value->items[i].text, &number) || number > SIZE_MAX) {
            value->blame = &value->items[i];
            return vg_fail(err, VG_E_ARG,
                           "found \"%s\" for class \"%s\", allowed: whole number from 0",
                           value->items[i].text, value->items[i].key);
        }
        job->limit_classes[i] = vg_strdup(value->items[i].key);
        if (!job->limit_classes[i])
            return no_memory(err);
        job->limits[i] = (size_t)number;
        job->limit_count++;
    }
    return VG_OK;
}

static void print_limit(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('{', out);
    for (size_t i = 0; i < job->limit_count; i++) {
        fputs(i ? ", " : "", out);
        print_scalar(job->limit_classes[i], out);
        fprintf(out, ": %zu", job->limits[i]);
    }
    fputc('}', out);
}

/* ---- values with a language of their own */

static vg_status set_size(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return wrong(key, value, err);
    if (strcmp(value->text, "auto") == 0) {
        job->run.height = job->run.width = 0;
        return VG_OK;
    }
    char *end = value->text;
    long height = isdigit((unsigned char)value->text[0]) ? strtol(value->text, &end, 10) : 0;
    long width = height;
    if (height > 0 && *end == 'x' && isdigit((unsigned char)end[1]))
        width = strtol(end + 1, &end, 10);
    double smaller = (double)(height < width ? height : width);
    double larger = (double)(height < width ? width : height);
    if (smaller < key->low || larger > key->high || *end)
        return wrong(key, value, err);
    job->run.height = (int)height;
    job->run.width = (int)width;
    return VG_OK;
}

static void print_size(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    if (job->run.height == 0)
        fputs("auto", out);
    else
        fprintf(out, "%dx%d", job->run.height, job->run.width);
}

static vg_status set_shrink(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    static const char *const words[] = {"1", "2", "4", "8"};
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < 4; i++)
        if (strcmp(value->text, words[i]) == 0) {
            job->run.max_shrink = 1 << i;
            return VG_OK;
        }
    return wrong(key, value, err);
}

static void print_shrink(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fprintf(out, "%d", job->run.max_shrink);
}

static vg_status set_channels(const vg_job_key *key, vg_job *job, vg_job_value *value,
                              vg_error *err)
{
    static const char *const words[] = {"auto", "1", "2", "3"};
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < 4; i++)
        if (i != 2 && strcmp(value->text, words[i]) == 0) {
            job->run.channels = i;
            return VG_OK;
        }
    return wrong(key, value, err);
}

static void print_channels(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    if (job->run.channels == 0)
        fputs("auto", out);
    else
        fprintf(out, "%d", job->run.channels);
}

static vg_status set_framing(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return wrong(key, value, err);
    return vg_framing_parse(value->text, &job->run.framing, err);
}

static void print_framing(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[40];
    vg_framing_print(&job->run.framing, text, sizeof text);
    print_scalar(text, out);
}

static vg_status set_policy(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return wrong(key, value, err);
    return vg_policy_parse(value->text, &job->run.policy, err);
}

static void print_policy(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[VG_POLICY_TEXT];
    vg_policy_print(&job->run.policy, text, sizeof text);
    print_scalar(text, out);
}

static vg_status set_net(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind == VG_JOB_MAP)
        return wrong(key, value, err);
    vg_net_spec net = {0};
    vg_status status = VG_OK;
    if (value->kind == VG_JOB_SCALAR && !strpbrk(value->text, ", ")) {
        status = vg_net_spec_preset(value->text, &net, err);
    } else {
        status = split_scalar(value, false, err);
        for (size_t i = 0; i < value->count && !status; i++) {
            status = vg_net_spec_add(&net, value->items[i].text, err);
            if (status)
                value->blame = &value->items[i];
        }
        if (!status && net.count == 0)
            status = vg_fail(err, VG_E_ARG, "found an empty list, allowed: %s", key->allowed);
        snprintf(net.name, sizeof net.name, "custom");
    }
    if (status) {
        vg_net_spec_reset(&net);
        return status;
    }
    vg_net_spec_reset(&job->run.net);
    job->run.net = net;
    return VG_OK;
}

static void print_net(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    const vg_net_spec *net = &job->run.net;
    if (strcmp(net->name, "custom") != 0) {
        print_scalar(net->name, out);
        return;
    }
    fputc('[', out);
    for (int i = 0; i < net->count; i++) {
        char words[96];
        vg_layer_print(&net->layers[i], words, sizeof words);
        fputs(i ? ", " : "", out);
        print_scalar(words, out);
    }
    fputc(']', out);
}

static vg_status set_changes(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind == VG_JOB_MAP)
        return wrong(key, value, err);
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "all") == 0) {
        vg_compare_options all = vg_compare_options_default();
        memcpy(job->compare.changes, all.changes, sizeof all.changes);
        job->compare.change_count = all.change_count;
        return VG_OK;
    }
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "none") == 0) {
        job->compare.change_count = 0;
        return VG_OK;
    }
    vg_change changes[VG_CHANGES];
    int count = 0;
    vg_status status = split_scalar(value, false, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        vg_change change;
        value->blame = &value->items[i];
        status = vg_change_parse(value->items[i].text, &change, err);
        for (int k = 0; k < count && !status; k++)
            if (changes[k] == change)
                status = vg_fail(err, VG_E_ARG, "\"%s\" stands there twice", value->items[i].text);
        if (!status)
            changes[count++] = change;
    }
    if (status)
        return status;
    memcpy(job->compare.changes, changes, (size_t)count * sizeof *changes);
    job->compare.change_count = count;
    return VG_OK;
}

static void print_changes(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('[', out);
    for (int i = 0; i < job->compare.change_count; i++)
        fprintf(out, "%s%s", i ? ", " : "", vg_change_name(job->compare.changes[i]));
    fputc(']', out);
}

/* ---- the table */

#define INT(name, member, low, high, help)                                                         \
    {                                                                                              \
        name, set_int, print_int, offsetof(vg_job, member), low, high, NULL, 0, NULL, help         \
    }
#define COUNT(name, member, help)                                                                  \
    {                                                                                              \
        name, set_count, print_count, offsetof(vg_job, member), 0, 1e15, NULL, 0,                  \
            "whole number from 0", help                                                            \
    }
#define SEED(name, member, help)                                                                   \
    {                                                                                              \
        name, set_seed, print_seed, offsetof(vg_job, member), 0, DBL_MAX, NULL, 0, NULL, help      \
    }
#define NUMBER(name, member, low, high, help)                                                      \
    {                                                                                              \
        name, set_number, print_number, offsetof(vg_job, member), low, high, NULL, 0, NULL, help   \
    }
#define FLAG(name, member, help)                                                                   \
    {                                                                                              \
        name, set_flag, print_flag, offsetof(vg_job, member), 0, 0, NULL, 0, "true, false", help   \
    }
#define WORD(name, member, words, count, help)                                                     \
    {                                                                                              \
        name, set_word, print_word, offsetof(vg_job, member), 0, 0, words, count, NULL, help       \
    }
#define OWN(name, kind, low, high, allowed, help)                                                  \
    {                                                                                              \
        name, set_##kind, print_##kind, 0, low, high, NULL, 0, allowed, help                       \
    }
#define PATH(name, member, allowed, help)                                                          \
    {                                                                                              \
        name, set_path, print_path, offsetof(vg_job, member), 0, 0, NULL, 0, allowed, help         \
    }

/* clang-format off */
static const vg_job_key keys[] = {
    PATH("dataset", dataset, "path", "folder of class folders, manifest (CSV, TSV, JSON lines), folder of IDX or CIFAR files"),
    OWN("classes", classes, 0, 0, "list of class names", "use only these, in this order; []: all"),
    OWN("limit", limit, 0, 0, "map of class name to number", "at most so many training images of a class"),
    COUNT("train_total", train_total, "at most so many training images, same share of each class; 0: all"),
    COUNT("held_out_total", held_out_total, "the same for validation and for test"),
    NUMBER("split.train", split.train_share, 0, 1, "share of training images when the dataset brings no split"),
    NUMBER("split.val", split.val_share, 0, 1, "share of validation images; the rest is the test split"),
    FLAG("coarse_labels", split.coarse_labels, "of CIFAR-100: its 20 superclasses instead of its 100 classes"),
    OWN("input.size", size, 4, 2048, "auto, N or HxW (4 to 2048)", "pixels of the network's input"),
    OWN("input.resize", framing, 0, 0, "stretch, crop, crop:SHARE, pad", "how images come to that size: all stretched; the middle of the input's shape, crop:0.875 as 256 -> 224; all with black bars"),
    OWN("input.max_shrink", shrink, 0, 0, "1, 2, 4, 8", "JPEGs much larger than the input may be decoded at 1/2, 1/4, 1/8: faster, about half a grey level off; 1: exact"),
    OWN("input.channels", channels, 0, 0, "auto, 1, 3", "1: grey, 3: RGB; auto: grey if all images are"),
    OWN("augment", policy, 0, 0, "a preset or key=value words", "what may be done to training images; none: nothing"),
    WORD("normalize", run.normalization, word_normalize, 11, "none: 0..255, unit: 0..1; minmax, zscore, robust (1st to 99th percentile): per channel, fitted on the training images; imagenet: its mean and deviation; image-*: each by itself; pixel-mean, pixel-zscore, zca (whitening): per pixel of the input, fitted"),
    NUMBER("zca_epsilon", run.zca_epsilon, 0, 1e6, "zca: added to the standard deviation (of 0..1 pixels) of each direction before dividing by it; less amplifies what hardly varies"),
    WORD("balance.sampling", run.sampling, word_sampling, 6, "how often classes are seen; none: as often as they are there"),
    WORD("balance.weights", run.weighting, word_weights, 4, "loss weights of the classes"),
    OWN("net", net, 0, 0, "a preset or a list of layers", "the network; its head is added by itself"),
    WORD("init", run.init, word_init, 7, "initial weights"),
    NUMBER("init_scale", run.init_scale, 0, 1e6, "of init uniform and constant"),
    WORD("optimizer", run.optimizer.kind, word_optimizer, 3, "how weights follow gradients"),
    NUMBER("learning_rate", run.schedule.base, 1e-12, 1e6, "before the schedule; when not given 0.05 with sgd, 0.001 with adam and adamw"),
    NUMBER("momentum", run.optimizer.momentum, 0, 1, "of sgd"),
    FLAG("nesterov", run.optimizer.nesterov, "Nesterov's momentum, of sgd"),
    NUMBER("beta1", run.optimizer.beta1, 0, 1, "of adam and adamw"),
    NUMBER("beta2", run.optimizer.beta2, 0, 1, "of adam and adamw"),
    NUMBER("epsilon", run.optimizer.epsilon, 0, 1, "of adam and adamw"),
    NUMBER("weight_decay", run.optimizer.weight_decay, 0, 1e6, "on weights of conv and dense layers"),
    NUMBER("clip_norm", run.optimizer.clip_norm, 0, DBL_MAX, "limit of the gradient's norm; 0: none"),
    WORD("schedule", run.schedule.kind, word_schedule, 3, "of the learning rate"),
    NUMBER("warmup", run.schedule.warmup_share, 0, 1, "share of all steps in which the rate rises from 0"),
    NUMBER("step_share", run.schedule.step_share, 1e-6, 1, "schedule step: every so large a share of all steps ..."),
    NUMBER("step_factor", run.schedule.step_factor, 0, 1, "... the rate is multiplied by this"),
    NUMBER("final_factor", run.schedule.final_factor, 0, 1, "schedule cosine: ends at learning_rate times this"),
    INT("epochs", run.epochs, 1, 1000000, "passes over the training images"),
    INT("batch", run.batch, 1, 65536, "images in a step"),
    SEED("seed", run.seed, "of weights, order, augmentation and selection"),
    SEED("order_seed", run.order_seed, "another order and augmentation with the same initial weights; 0: none"),
    INT("threads", run.threads, 0, 1024, "0: all CPUs; results do not depend on it"),
    COUNT("probe", run.probe, "held-out images that are measured after every epoch, at most"),
    WORD("on_error", run.on_error, word_on_error, 3, "a file that cannot be decoded: skip it (another of its class stands in), fail, or repair: use what is whole of it"),
    NUMBER("min_intact", run.min_intact, 0, 1, "on_error repair: share of a damaged image that must be whole, else it is skipped"),
    NUMBER("max_bad", run.max_bad_share, 0, 1, "share of the images, rounded up, that may be skipped; more end the run"),
    { "max_pixels", set_count, print_count, offsetof(vg_job, run.max_pixels), 1, 1e15, NULL, 0, "whole number from 1", "a larger image is not decoded (it counts as bad)" },
    INT("max_scans", run.max_scans, 1, 1000000, "nor a progressive JPEG of more scans (a known way to stall a decoder)"),
    OWN("cache", cache, 0, 0, "none, ram, ram:SIZE, FILE or FILE:SIZE", "keeps decoded images: in memory, or in a file that later runs use too; results do not depend on it"),
    OWN("compare.changes", changes, 0, 0, "list of normalize, rebalance, augment, nothing; or all, none", "data changes to judge by paired trainings"),
    INT("compare.seeds", compare.seeds, 1, 1000, "pairs of trainings per change"),
    SEED("compare.first_seed", compare.first_seed, "the others follow it; as seed when not given"),
    PATH("out", out, "path", "run folder; a new one below runs/ when not given"),
};
/* clang-format on */

const vg_job_key *vg_job_keys(size_t *count)
{
    *count = sizeof keys / sizeof *keys;
    return keys;
}

const vg_job_key *vg_job_key_find(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}
