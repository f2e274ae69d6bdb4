/* Which archives a dataset of several consists of: the patterns that WebDataset users write
 * ("data/train-{000000..000099}.tar::more/{a,b}.tar"), wildcards, or a folder of archives; and the
 * split that the name of an archive promises. Braces follow the shell (and the Python package
 * braceexpand): lists, ranges of numbers with zeros kept and with steps, ranges of letters, nesting;
 * what is neither stays as it is. Environment variables are not looked at, and nothing is fetched
 * from other machines. */
#include "dataset/archives.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATTERN_BYTES = 4096 };

static vg_status expand(vg_dataset *dataset, const char *pattern, size_t from, vg_error *err);

/* The end of the group that opens at `open` (its closing brace), or NULL; *commas counts those of
 * its own level. */
static const char *group_end(const char *open, size_t *commas)
{
    size_t depth = 0;
    *commas = 0;
    for (const char *p = open; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '{')
            depth++;
        else if (*p == ',' && depth == 1)
            ++*commas;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

/* pattern[0 .. open) + middle[length] + what follows `end`, expanded from behind the middle; the
 * middle is expanded too if it came out of a list. */
static vg_status expand_with(vg_dataset *dataset, const char *pattern, size_t open,
                             const char *middle, size_t length, const char *end, bool nested,
                             vg_error *err)
{
    size_t rest = strlen(end);
    if (open + length + rest >= PATTERN_BYTES)
        return vg_fail(err, VG_E_LIMIT, "%.200s...: a pattern of more than %d bytes", pattern,
                       PATTERN_BYTES - 1);
    char *copy = vg_alloc(open + length + rest + 1, 1);
    if (!copy)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    memcpy(copy, pattern, open);
    memcpy(copy + open, middle, length);
    memcpy(copy + open + length, end, rest + 1);
    vg_status status = expand(dataset, copy, nested ? open : open + length, err);
    free(copy);
    return status;
}

static vg_status expand_list(vg_dataset *dataset, const char *pattern, const char *open,
                             const char *close, vg_error *err)
{
    size_t depth = 0;
    const char *item = open + 1;
    vg_status status = VG_OK;
    for (const char *p = item; !status && p <= close; p++) {
        if (*p == '\\' && p < close) {
            p++;
            continue;
        }
        if (p == close || (*p == ',' && depth == 0)) {
            status = expand_with(dataset, pattern, (size_t)(open - pattern), item,
                                 (size_t)(p - item), close + 1, true, err);
            item = p + 1;
        }
        depth += *p == '{';
        depth -= *p == '}' && p < close;
    }
    return status;
}

/* "a..b" or "a..b..step" between the braces; letters are single bytes. */
struct range {
    long long from, to, step;
    int width; /* of numbers, filled up with zeros */
    bool letters;
};

static bool has_leading_zero(const char *text)
{
    text += *text == '-';
    return text[0] == '0' && isdigit((unsigned char)text[1]);
}

static bool parse_number(const char *text, const char *end, const char **stop, long long *number)
{
    char *after;
    errno = 0;
    *number = strtoll(text, &after, 10);
    *stop = after;
    return after > text && after <= end && !errno && !isspace((unsigned char)*text) &&
           *text != '+' && *number > -1000000000000 && *number < 1000000000000;
}

static bool parse_range(const char *open, const char *close, struct range *range)
{
    const char *text = open + 1, *stop, *second;
    *range = (struct range){.step = 1};
    if (isalpha((unsigned char)text[0]) && strncmp(text + 1, "..", 2) == 0 &&
        isalpha((unsigned char)text[3])) {
        range->letters = true;
        range->from = (unsigned char)text[0];
        range->to = (unsigned char)text[3];
        stop = text + 4;
    } else {
        if (!parse_number(text, close, &stop, &range->from) || strncmp(stop, "..", 2) != 0)
            return false;
        second = stop + 2;
        int first_width = (int)(stop - text);
        if (!parse_number(second, close, &stop, &range->to))
            return false;
        int second_width = (int)(stop - second);
        if (has_leading_zero(text) || has_leading_zero(second))
            range->width = first_width > second_width ? first_width : second_width;
    }
    if (stop < close && strncmp(stop, "..", 2) == 0 &&
        !parse_number(stop + 2, close, &stop, &range->step))
        return false;
    if (range->step < 0)
        range->step = -range->step;
    if (range->step == 0)
        range->step = 1;
    return stop == close;
}

static vg_status expand_range(vg_dataset *dataset, const char *pattern, const char *open,
                              const char *close, const struct range *range, vg_error *err)
{
    bool up = range->from <= range->to;
    vg_status status = VG_OK;
    for (long long i = range->from; !status && (up ? i <= range->to : i >= range->to);
         i += up ? range->step : -range->step) {
        char text[32];
        int length = range->letters ? snprintf(text, sizeof text, "%c", (int)i)
                                    : snprintf(text, sizeof text, "%0*lld", range->width, i);
        status = expand_with(dataset, pattern, (size_t)(open - pattern), text, (size_t)length,
                             close + 1, false, err);
    }
    return status;
}

/* A path without braces: as it is, or what its wildcards match, in byte order. */
static vg_status append_path(vg_dataset *dataset, const char *pattern, vg_error *err)
{
    char *path = vg_strdup(pattern);
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    size_t used = 0;
    for (const char *p = pattern; *p; p++) {
        p += *p == '\\' && strchr("{},\\", p[1]) && p[1];
        path[used++] = *p;
    }
    path[used] = '\0';
    if (!path[strcspn(path, "*?[")] || vg_path_exists(path))
        return vg_archives_append(dataset, path, err);
    glob_t matches;
    int code = glob(path, 0, NULL, &matches);
    vg_status status = VG_OK;
    if (code == GLOB_NOSPACE)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    else if (code != 0 || matches.gl_pathc == 0)
        status = vg_fail(err, VG_E_IO, "%s: no file is called like that", path);
    for (size_t i = 0; !status && i < matches.gl_pathc; i++)
        status = vg_archives_append(dataset, vg_strdup(matches.gl_pathv[i]), err);
    if (code == 0)
        globfree(&matches);
    free(path);
    return status;
}

/* Expands what begins at pattern + from; before it nothing is left to expand. */
static vg_status expand(vg_dataset *dataset, const char *pattern, size_t from, vg_error *err)
{
    for (const char *p = pattern + from; *p; p++) {
        size_t commas;
        struct range range;
        if (*p == '\\' && p[1]) {
            p++;
            continue;
        }
        const char *close = *p == '{' ? group_end(p, &commas) : NULL;
        if (close && commas)
            return expand_list(dataset, pattern, p, close, err);
        if (close && parse_range(p, close, &range))
            return expand_range(dataset, pattern, p, close, &range, err);
    }
    return append_path(dataset, pattern, err);
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *p = a, *const *q = b;
    return strcmp(*p, *q);
}

static vg_status refuse_doubles(const vg_dataset *dataset, vg_error *err)
{
    const vg_archives *archives = dataset->archives;
    const char **paths = vg_alloc(archives->count, sizeof *paths);
    if (!paths)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    vg_status status = VG_OK;
    for (size_t i = 0; i < archives->count; i++)
        paths[i] = archives->list[i].path;
    qsort(paths, archives->count, sizeof *paths, compare_texts);
    for (size_t i = 1; !status && i < archives->count; i++)
        if (strcmp(paths[i - 1], paths[i]) == 0)
            status =
                vg_fail(err, VG_E_FORMAT, "%s: \"%s\" is listed twice", dataset->path, paths[i]);
    free(paths);
    return status;
}

/* The split that words in the name of the file promise ("imagenet-train-000000.tar"), or the name of
 * its folder if there is no such word. Training if they contradict each other. */
static vg_split split_of(const char *path)
{
    const char *base = vg_path_base(path), *folder = base;
    vg_split split, found = VG_SPLIT_COUNT;
    for (const char *p = base; *p;) {
        char word[16];
        size_t length = 0;
        while (isalpha((unsigned char)p[length]))
            length++;
        if (length && length < sizeof word) {
            memcpy(word, p, length);
            word[length] = '\0';
            if (vg_split_of_word(word, &split)) {
                if (found != VG_SPLIT_COUNT && found != split)
                    return VG_SPLIT_TRAIN;
                found = split;
            }
        }
        p += length ? length : 1;
    }
    if (found != VG_SPLIT_COUNT)
        return found;
    while (folder > path && folder[-1] == '/')
        folder--;
    const char *end = folder;
    while (folder > path && folder[-1] != '/')
        folder--;
    char word[16];
    size_t length = (size_t)(end - folder);
    if (length >= sizeof word)
        return VG_SPLIT_TRAIN;
    memcpy(word, folder, length);
    word[length] = '\0';
    return vg_split_of_word(word, &split) ? split : VG_SPLIT_TRAIN;
}

/* Names every archive by its path below the folder that all have in common. */
static vg_status name_archives(vg_dataset *dataset, vg_error *err)
{
    vg_archives *archives = dataset->archives;
    const char *first = archives->list[0].path;
    size_t common = (size_t)(vg_path_base(first) - first);
    for (size_t i = 1; i < archives->count; i++) {
        const char *path = archives->list[i].path;
        size_t same = 0;
        while (same < common && path[same] == first[same])
            same++;
        while (same && first[same - 1] != '/')
            same--;
        common = same;
    }
    for (size_t i = 0; i < archives->count; i++) {
        vg_archive *archive = &archives->list[i];
        archive->name = archive->path + common;
        archive->split = split_of(archive->path);
    }
    return refuse_doubles(dataset, err);
}

bool vg_shards_are_named(const char *path)
{
    return path[strcspn(path, "{*?[")] || strstr(path, "::") || strstr(path, "://");
}

vg_status vg_shards_expand(vg_dataset *dataset, const char *pattern, vg_error *err)
{
    vg_status status = VG_OK;
    if (strstr(pattern, "://") || strncmp(pattern, "pipe:", 5) == 0)
        return vg_fail(err, VG_E_ARG,
                       "%s: only files on this machine are read; copy the archives here first",
                       pattern);
    for (const char *part = pattern; !status && part;) {
        const char *end = strstr(part, "::");
        size_t length = end ? (size_t)(end - part) : strlen(part);
        if (!length)
            return vg_fail(err, VG_E_ARG, "%s: nothing between two \"::\"", pattern);
        char text[PATTERN_BYTES];
        if (length >= sizeof text)
            return vg_fail(err, VG_E_LIMIT, "%.200s...: a pattern of more than %d bytes", part,
                           PATTERN_BYTES - 1);
        memcpy(text, part, length);
        text[length] = '\0';
        status = expand(dataset, text, 0, err);
        part = end ? end + 2 : NULL;
    }
    return status ? status : name_archives(dataset, err);
}

/* ---- a folder of archives */

/* What is in one folder: archives are appended to the dataset's list if there is one. Stops at the
 * first entry that says that the folder holds something else. */
struct look {
    vg_dataset *dataset; /* NULL: only look */
    size_t archives;
    bool other; /* pictures, or folders that are not called train, val, test */
};

static vg_status look_into(const char *folder, bool top, struct look *look, vg_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOMEM ? vg_fail(err, VG_E_NOMEM, "%s: out of memory", folder) : VG_OK;
    vg_status status = VG_OK;
    struct dirent *entry;
    while (!status && !look->other && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        vg_split split;
        if (vg_name_is_hidden(name, strlen(name)))
            continue;
        look->other |= vg_format_readable(vg_format_of_name(name));
        bool archive = vg_archive_is_named(name);
        if (look->other || (entry->d_type == DT_REG && !archive))
            continue;
        char *path = vg_path_join(folder, name);
        if (!path)
            status = vg_fail(err, VG_E_NOMEM, "%s: out of memory", folder);
        else if (!vg_path_is_folder(path))
            look->archives += archive;
        else if (top && vg_split_of_word(name, &split))
            status = look_into(path, false, look, err);
        else
            look->other = true;
        if (!status && archive && look->dataset && !vg_path_is_folder(path)) {
            status = vg_archives_append(look->dataset, path, err);
            path = NULL;
        }
        free(path);
    }
    closedir(dir);
    return status;
}

vg_status vg_shards_found(const char *folder, bool *found, vg_error *err)
{
    struct look look = {0};
    vg_status status = look_into(folder, true, &look, err);
    *found = !status && !look.other && look.archives > 0;
    return status;
}

static int compare_archives(const void *a, const void *b)
{
    const vg_archive *p = a, *q = b;
    return strcmp(p->path, q->path);
}

vg_status vg_shards_of_folder(vg_dataset *dataset, vg_error *err)
{
    struct look look = {.dataset = dataset};
    vg_archives *archives = dataset->archives;
    vg_status status = look_into(dataset->path, true, &look, err);
    if (!status && !archives->count)
        status = vg_fail(err, VG_E_IO, "%s: its archives are gone", dataset->path);
    if (status)
        return status;
    qsort(archives->list, archives->count, sizeof *archives->list, compare_archives);
    return name_archives(dataset, err);
}
