/* Keys of a job with a language of their own, that say what is read: classes, limits, the input, the
 * cache. */
#include "job_values.h"

#include "base/alloc.h"
#include "base/file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *vg_key_word_split_by(int i)
{
    return vg_split_by_name((vg_split_by)i);
}

/* none, ram, ram:SIZE, FILE or FILE:SIZE. */
vg_status vg_key_set_cache(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR || !value->text[0])
        return vg_key_wrong(key, value, err);
    vg_cache_options found;
    vg_status status = vg_cache_parse(value->text, &found, err);
    if (!status && found.kind == VG_CACHE_FILE && found.path[0] != '/' && value->folder) {
        char *path = vg_path_join(value->folder, found.path);
        if (!path)
            return vg_key_no_memory(err);
        int length = snprintf(found.path, sizeof found.path, "%s", path);
        free(path);
        if (length < 0 || (size_t)length >= sizeof found.path)
            return vg_fail(err, VG_E_ARG, "a path of %d bytes is too long", length);
    }
    if (!status)
        job->cache = found;
    return status;
}

void vg_key_print_cache(const vg_job_key *key, const vg_job *job, FILE *out)
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
    vg_key_print_scalar(text, out);
}

static void clear_classes(vg_job *job)
{
    for (size_t i = 0; i < job->class_count; i++)
        free(job->classes[i]);
    free(job->classes);
    job->classes = NULL;
    job->class_count = 0;
}

vg_status vg_key_set_classes(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_status status = vg_key_split_scalar(value, false, err);
    if (status)
        return status;
    if (value->kind != VG_JOB_LIST)
        return vg_key_wrong(key, value, err);
    if (value->count == 1) {
        value->blame = &value->items[0];
        return vg_fail(err, VG_E_ARG, "found only \"%s\", allowed: two or more, or [] for all",
                       value->items[0].text);
    }
    clear_classes(job);
    job->classes = vg_calloc(value->count, sizeof *job->classes);
    if (!job->classes)
        return vg_key_no_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        job->classes[i] = vg_strdup(value->items[i].text);
        if (!job->classes[i])
            return vg_key_no_memory(err);
        job->class_count++;
    }
    return VG_OK;
}

void vg_key_print_classes(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('[', out);
    for (size_t i = 0; i < job->class_count; i++) {
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(job->classes[i], out);
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

vg_status vg_key_set_limit(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_status status = vg_key_split_scalar(value, true, err);
    if (status)
        return status;
    if (value->kind == VG_JOB_LIST && value->count > 0)
        return vg_key_wrong(key, value, err);
    clear_limits(job);
    job->limit_classes = vg_calloc(value->count, sizeof *job->limit_classes);
    job->limits = vg_calloc(value->count, sizeof *job->limits);
    if (!job->limit_classes || !job->limits)
        return vg_key_no_memory(err);
    for (size_t i = 0; i < value->count; i++) {
        uint64_t number;
        if (!vg_key_parse_whole(value->items[i].text, &number) || number > SIZE_MAX) {
            value->blame = &value->items[i];
            return vg_fail(err, VG_E_ARG,
                           "found \"%s\" for class \"%s\", allowed: whole number from 0",
                           value->items[i].text, value->items[i].key);
        }
        job->limit_classes[i] = vg_strdup(value->items[i].key);
        if (!job->limit_classes[i])
            return vg_key_no_memory(err);
        job->limits[i] = (size_t)number;
        job->limit_count++;
    }
    return VG_OK;
}

void vg_key_print_limit(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('{', out);
    for (size_t i = 0; i < job->limit_count; i++) {
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(job->limit_classes[i], out);
        fprintf(out, ": %zu", job->limits[i]);
    }
    fputc('}', out);
}

vg_status vg_key_set_size(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return vg_key_wrong(key, value, err);
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
        return vg_key_wrong(key, value, err);
    job->run.height = (int)height;
    job->run.width = (int)width;
    return VG_OK;
}

void vg_key_print_size(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    if (job->run.height == 0)
        fputs("auto", out);
    else
        fprintf(out, "%dx%d", job->run.height, job->run.width);
}

vg_status vg_key_set_shrink(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    static const char *const words[] = {"1", "2", "4", "8"};
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < 4; i++)
        if (strcmp(value->text, words[i]) == 0) {
            job->run.max_shrink = 1 << i;
            return VG_OK;
        }
    return vg_key_wrong(key, value, err);
}

void vg_key_print_shrink(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fprintf(out, "%d", job->run.max_shrink);
}

vg_status vg_key_set_background(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return vg_key_wrong(key, value, err);
    return vg_background_parse(value->text, &job->split.background, err);
}

void vg_key_print_background(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[VG_BACKGROUND_TEXT];
    vg_key_print_scalar(vg_background_print(job->split.background, text), out);
}

vg_status vg_key_set_channels(const vg_job_key *key, vg_job *job, vg_job_value *value,
                              vg_error *err)
{
    static const char *const words[] = {"auto", "1", "2", "3"};
    for (int i = 0; value->kind == VG_JOB_SCALAR && i < 4; i++)
        if (i != 2 && strcmp(value->text, words[i]) == 0) {
            job->run.channels = i;
            return VG_OK;
        }
    return vg_key_wrong(key, value, err);
}

void vg_key_print_channels(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    if (job->run.channels == 0)
        fputs("auto", out);
    else
        fprintf(out, "%d", job->run.channels);
}

vg_status vg_key_set_framing(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind != VG_JOB_SCALAR)
        return vg_key_wrong(key, value, err);
    return vg_framing_parse(value->text, &job->run.framing, err);
}

void vg_key_print_framing(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[40];
    vg_framing_print(&job->run.framing, text, sizeof text);
    vg_key_print_scalar(text, out);
}
