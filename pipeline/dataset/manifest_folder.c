/* Folders that bring their own manifest, as the "imagefolder" of Hugging Face's datasets has it: a
 * metadata.jsonl or metadata.csv with a column file_name beside the pictures, or one in each of the
 * folders train/, validation/, test/. It is taken for the dataset only when it also names a label;
 * one that holds captions or boxes leaves the classes to the folders. */
#include "dataset/manifest.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_BYTES = 1 << 16 };

/* The manifest in the folder, on the heap; NULL if there is none that names labels. */
static char *find_metadata(const char *folder)
{
    static const char *const names[] = {"metadata.jsonl", "metadata.csv"};
    char *text = vg_alloc(PROBE_BYTES + 1, 1), *found = NULL;
    for (int i = 0; text && !found && i < 2; i++) {
        char *path = vg_path_join(folder, names[i]);
        FILE *file = path && vg_path_is_file(path) ? fopen(path, "rbe") : NULL;
        size_t size = file ? fread(text, 1, PROBE_BYTES, file) : 0;
        if (file)
            fclose(file);
        text[size] = '\0';
        bool labels = i == 0 ? vg_manifest_json_names_label(text, size)
                             : vg_manifest_table_names_label(text, size);
        if (labels)
            found = path;
        else
            free(path);
    }
    free(text);
    return found;
}

/* Calls `visit` for every folder of a split in `folder`, in the order of their names; stops when it
 * returns anything but VG_OK. */
static vg_status each_split(const char *folder,
                            vg_status (*visit)(void *context, const char *name, const char *path,
                                               vg_split split),
                            void *context)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    vg_status status = VG_OK;
    for (int i = 0; i < count; i++) {
        vg_split split;
        char *path = vg_split_of_word(entries[i]->d_name, &split)
                         ? vg_path_join(folder, entries[i]->d_name)
                         : NULL;
        if (!status && path && vg_path_is_folder(path))
            status = visit(context, entries[i]->d_name, path, split);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static vg_status look_for_one(void *context, const char *name, const char *path, vg_split split)
{
    (void)context;
    (void)name;
    (void)split;
    char *found = find_metadata(path);
    free(found);
    return found ? VG_END : VG_OK;
}

bool vg_metadata_found(const char *folder)
{
    char *found = find_metadata(folder);
    free(found);
    return found || each_split(folder, look_for_one, NULL) == VG_END;
}

static vg_status read_split(void *context, const char *name, const char *path, vg_split split)
{
    vg_manifest *manifest = context;
    char *file = find_metadata(path), *prefix = vg_path_join(name, "");
    vg_status status = VG_OK;
    if (!prefix)
        status = vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", path);
    else if (!file)
        vg_index_note(manifest->dataset, "%s: holds no metadata.jsonl or metadata.csv with labels",
                      path);
    if (!status && file) {
        manifest->path = file;
        manifest->prefix = prefix;
        manifest->split = split;
        status = vg_manifest_file(manifest);
        manifest->path = manifest->dataset->path;
    }
    free(file);
    free(prefix);
    return status;
}

vg_status vg_metadata_read(vg_dataset *dataset, vg_error *err)
{
    vg_manifest manifest = {.dataset = dataset, .err = err, .path = dataset->path, .prefix = ""};
    dataset->kind = VG_DATASET_MANIFEST;
    dataset->root = vg_strdup(dataset->path);
    vg_status status =
        dataset->root ? VG_OK : vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    char *file = status ? NULL : find_metadata(dataset->path);
    if (file) {
        manifest.path = file;
        status = vg_manifest_file(&manifest);
    } else if (!status) {
        manifest.forced = dataset->split_folders = true;
        status = each_split(dataset->path, read_split, &manifest);
    }
    status = vg_manifest_finish(&manifest, status);
    free(file);
    return status;
}
