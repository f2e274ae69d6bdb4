/* What a user says about the cache, and how much memory there is for it. */
#include "load/cache_internal.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "512", "1.5G", "100MiB"; false if it is not a size. */
static bool read_size(const char *text, uint64_t *size)
{
    static const char *const UNITS = "KMGT";
    if (*text < '0' || *text > '9' || strspn(text, "0123456789.") == 0)
        return false;
    char *end;
    double value = strtod(text, &end);
    if (strspn(text, "0123456789.") != (size_t)(end - text)) /* an exponent, a hexadecimal number */
        return false;
    for (const char *unit = UNITS; *unit; unit++) {
        if (*end != *unit && *end != *unit + ('a' - 'A'))
            continue;
        value *= (double)((uint64_t)1 << (10 * (unit - UNITS + 1)));
        end++;
        if (*end == 'i')
            end++;
        break;
    }
    if (*end == 'B' || *end == 'b')
        end++;
    if (*end || !(value < 9e18))
        return false;
    *size = (uint64_t)value;
    return true;
}

vg_status vg_cache_parse(const char *word, vg_cache_options *options, vg_error *err)
{
    *options = (vg_cache_options){.kind = VG_CACHE_NONE};
    if (strcmp(word, "none") == 0)
        return VG_OK;
    size_t length = strlen(word);
    const char *colon = strrchr(word, ':');
    bool ram = strcmp(word, "ram") == 0 || strncmp(word, "ram:", 4) == 0;
    if (colon && read_size(colon + 1, &options->max_bytes)) {
        length = (size_t)(colon - word);
        if (options->max_bytes == 0)
            return vg_fail(err, VG_E_ARG, "cache \"%s\": a size of 0 holds nothing", word);
    } else if (ram && word[3]) {
        return vg_fail(err, VG_E_ARG,
                       "cache \"%s\": \"%s\" is not a size such as 4G or 500M (a file called so is "
                       "written \"./%s\")",
                       word, word + 4, word);
    }
    if (ram) {
        options->kind = VG_CACHE_RAM;
        return VG_OK;
    }
    if (length == 0)
        return vg_fail(err, VG_E_ARG, "cache \"%s\": none, ram, ram:SIZE, FILE or FILE:SIZE wanted",
                       word);
    if (length >= sizeof options->path)
        return vg_fail(err, VG_E_ARG, "cache \"%.40s...\": a path of %zu bytes, at most %zu", word,
                       length, sizeof options->path - 1);
    if (!strchr(word, '/') && (vg_text_equal_fold(word, "ram") || vg_text_equal_fold(word, "none")))
        return vg_fail(err, VG_E_ARG,
                       "cache \"%s\": did you mean \"%s\"? A file is written \"./%s\"", word,
                       vg_text_equal_fold(word, "ram") ? "ram" : "none", word);
    options->kind = VG_CACHE_FILE;
    memcpy(options->path, word, length);
    options->path[length] = '\0';
    return VG_OK;
}

/* The number in a file of one number; UINT64_MAX for "max" and when there is none. */
static uint64_t number_in(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT64_MAX;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return read && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* What is left below the limit of this process's control group (version 2), if it has one. */
static uint64_t group_available(void)
{
    char line[PATH_MAX] = "", path[PATH_MAX + 64];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "0::/", 4) == 0;
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = '\0';
    /* in a container the group's own files lie at the root of what is mounted */
    const char *const groups[] = {found ? line + 3 : "", ""};
    uint64_t available = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", groups[i]);
        uint64_t limit = number_in(path);
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", groups[i]);
        uint64_t used = number_in(path);
        if (limit == UINT64_MAX || used == UINT64_MAX)
            continue;
        uint64_t left = limit > used ? limit - used : 0;
        available = left < available ? left : available;
    }
    return available;
}

uint64_t vg_cache_memory_available(void)
{
    uint64_t available = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && !available && fgets(line, sizeof line, file)) {
        if (strncmp(line, "MemAvailable:", 13) == 0)
            available = strtoull(line + 13, NULL, 10) * 1024;
    }
    if (file)
        fclose(file);
    if (!available) {
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        available = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    }
    uint64_t group = group_available();
    return group < available ? group : available;
}
