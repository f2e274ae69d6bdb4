/* Names that every file system takes, a folder that is claimed before anything is written to it, and
 * a manifest that does not depend on the order of work. */
#include "export_folder.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEM = 60 };

/* A class name as the name of a folder: what a path or a shell would trip over becomes '_'. */
static char *folder_name(const char *class_name)
{
    char *name = vg_strdup(*class_name ? class_name : "_");
    for (char *c = name; c && *c; c++)
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 32 || *c == 127)
            *c = '_';
    if (name && name[0] == '.') /* hidden, or a way out */
        name[0] = '_';
    return name;
}

typedef struct named {
    const char *folder;
    size_t class;
} named;

static int by_folder(const void *a, const void *b)
{
    return strcmp(((const named *)a)->folder, ((const named *)b)->folder);
}

/* Two classes in one folder could not be told apart any more. */
static vg_status check_folders(const vg_dataset *dataset, char *const *folders, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset);
    named *list = vg_alloc(classes, sizeof *list);
    if (!list)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++)
        list[k] = (named){folders[k], k};
    qsort(list, classes, sizeof *list, by_folder);
    vg_status status = VG_OK;
    for (size_t k = 1; k < classes && !status; k++)
        if (strcmp(list[k].folder, list[k - 1].folder) == 0)
            status = vg_fail(err, VG_E_ARG,
                             "classes \"%s\" and \"%s\" would share the folder \"%s\"; rename one",
                             vg_dataset_class_name(dataset, (int)list[k - 1].class),
                             vg_dataset_class_name(dataset, (int)list[k].class), list[k].folder);
    free(list);
    return status;
}

vg_status vg_export_name_classes(const vg_dataset *dataset, char ***folders, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset);
    *folders = vg_calloc(classes, sizeof **folders);
    if (!*folders)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++) {
        (*folders)[k] = folder_name(vg_dataset_class_name(dataset, (int)k));
        if (!(*folders)[k])
            return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    }
    return check_folders(dataset, *folders, err);
}

/* The end of a source's name without its extension, in letters that every system takes. */
static void stem_of(const char *source, char stem[STEM])
{
    const char *base = vg_path_base(source), *dot = strrchr(base, '.');
    size_t length = dot && dot != base ? (size_t)(dot - base) : strlen(base), used = 0;
    for (size_t i = length > STEM - 1 ? length - (STEM - 1) : 0; i < length; i++) {
        unsigned char c = (unsigned char)base[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.';
        stem[used++] = plain ? (char)c : '_';
    }
    stem[used] = '\0';
}

static const char *extension(const vg_export_options *o)
{
    return o->format == VG_FORMAT_PNG ? "png" : "jpg";
}

/* Below the export's folder. */
void vg_export_path(const vg_dataset *dataset, const vg_export_options *options,
                    char *const *folders, size_t index, uint64_t variant, char path[VG_EXPORT_PATH])
{
    char source[VG_EXPORT_PATH], stem[STEM];
    vg_dataset_name(dataset, index, source, sizeof source);
    stem_of(source, stem);
    snprintf(path, VG_EXPORT_PATH, "%s/%s/%07zu_%02llu_%s.%s",
             vg_split_name(vg_dataset_split(dataset, index)),
             folders[vg_dataset_label(dataset, index)], index, (unsigned long long)variant, stem,
             extension(options));
}

static void with_state(const char *description, bool complete, char text[VG_EXPORT_TEXT])
{
    snprintf(text, VG_EXPORT_TEXT, "state: %s\n%s", complete ? "complete" : "unfinished",
             description);
}

vg_status vg_export_state(const char *folder, const char *description, bool complete, vg_error *err)
{
    char text[VG_EXPORT_TEXT], *path = vg_path_join(folder, "export.txt");
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    with_state(description, complete, text);
    vg_status status = vg_file_write(path, text, strlen(text), err);
    free(path);
    return status;
}

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    bool empty = true;
    if (!dir)
        return false;
    for (struct dirent *e; empty && (e = readdir(dir));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

vg_status vg_export_claim(const char *folder, const char *description, bool *resume, vg_error *err)
{
    *resume = false;
    if (vg_path_exists(folder) && !vg_path_is_folder(folder))
        return vg_fail(err, VG_E_STATE, "%s: is not a folder; name a new one", folder);
    if (!vg_path_exists(folder) || is_empty(folder))
        return VG_OK;
    char *path = vg_path_join(folder, "export.txt");
    char part[VG_EXPORT_TEXT], complete[VG_EXPORT_TEXT];
    vg_bytes old = {0};
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    with_state(description, false, part);
    with_state(description, true, complete);
    vg_status status = vg_file_read(path, 2L * VG_EXPORT_TEXT, &old, NULL);
    if (status)
        status =
            vg_fail(err, VG_E_STATE,
                    "%s: holds files already and no export to continue; name a new folder", folder);
    else if (old.size == strlen(complete) && memcmp(old.data, complete, old.size) == 0)
        status = vg_fail(err, VG_E_STATE, "%s: holds this export already, complete", folder);
    else if (old.size != strlen(part) || memcmp(old.data, part, old.size) != 0)
        status =
            vg_fail(err, VG_E_STATE,
                    "%s: holds an export of other data or settings (see %s); name a new folder",
                    folder, path);
    else
        *resume = true;
    vg_bytes_reset(&old);
    free(path);
    return status;
}

/* Files that vg_atomic_open had begun when the export was killed: NAME.tmp-XXXXXX. */
static void remove_leftovers(const char *folder)
{
    static const char mark[] = ".tmp-";
    const size_t end = sizeof mark - 1 + 6;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length > end && memcmp(entry->d_name + length - end, mark, sizeof mark - 1) == 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory)
        closedir(directory);
}

vg_status vg_export_make_folders(const vg_dataset *dataset, const char *folder,
                                 char *const *folders, bool resume, vg_error *err)
{
    vg_status status = VG_OK;
    if (resume)
        remove_leftovers(folder);
    for (int split = 0; split < VG_SPLIT_COUNT && !status; split++) {
        size_t classes = (size_t)vg_dataset_classes(dataset);
        size_t *counts = vg_alloc(classes, sizeof *counts);
        if (!counts)
            return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
        vg_dataset_counts(dataset, (vg_split)split, counts);
        for (size_t k = 0; k < classes && !status; k++) {
            char path[VG_EXPORT_PATH];
            if (!counts[k])
                continue;
            int length = snprintf(path, sizeof path, "%s/%s/%s", folder,
                                  vg_split_name((vg_split)split), folders[k]);
            status = length < VG_EXPORT_PATH
                         ? vg_make_folders(path, err)
                         : vg_fail(err, VG_E_LIMIT, "%.200s...: too long a path", path);
            if (!status && resume)
                remove_leftovers(path);
        }
        free(counts);
    }
    return status;
}

static vg_status append(vg_bytes *to, const char *text, size_t size, vg_error *err)
{
    vg_status status = vg_bytes_reserve(to, to->size + size, err);
    if (!status) {
        memcpy(to->data + to->size, text, size);
        to->size += size;
    }
    return status;
}

vg_status vg_export_field(vg_bytes *to, const char *text, char end, vg_error *err)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    vg_status status = quoted ? append(to, "\"", 1, err) : VG_OK;
    for (; *text && !status; text++)
        status = *text == '"' ? append(to, "\"\"", 2, err) : append(to, text, 1, err);
    if (!status && quoted)
        status = append(to, "\"", 1, err);
    return status ? status : append(to, &end, 1, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

vg_status vg_export_manifest(const char *folder, const char *part, vg_error *err)
{
    vg_bytes all = {0};
    vg_atomic_file file;
    char **lines = NULL;
    size_t count = 0, used = 0;
    char *path = vg_path_join(folder, "manifest.csv");
    vg_status status = path ? vg_file_read(part, 0, &all, err)
                            : vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    for (size_t i = 0; !status && i < all.size; i++)
        count += all.data[i] == '\n';
    if (!status && !(lines = vg_alloc(count, sizeof *lines)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the manifest");
    for (size_t at = 0; !status && used < count;) {
        char *end = memchr(all.data + at, '\n', all.size - at);
        lines[used++] = (char *)all.data + at;
        *end = '\0';
        at = (size_t)(end - (char *)all.data) + 1;
    }
    if (!status)
        status = vg_atomic_open(path, &file, err);
    if (!status) {
        qsort(lines, used, sizeof *lines, by_text);
        fputs("path,label,split,source,plan\n", file.stream);
        for (size_t i = 0; i < used; i++)
            if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
                fprintf(file.stream, "%s\n", lines[i]);
        status = vg_atomic_commit(&file, err);
    }
    free(lines);
    free(path);
    vg_bytes_reset(&all);
    return status;
}
