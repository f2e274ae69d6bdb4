/* Class folders to an index. First the folders that are classes are found, then class_scan.c reads
 * them on all threads. The entries of every folder are sorted by their bytes, so that the same files
 * give the same order on every file system and for any number of threads. Nothing is opened: what a
 * file really holds is judged when it is decoded; here its extension decides. Refuses to guess a
 * label for pictures that lie beside class folders: they are left out and counted. */
#include "base/alloc.h"
#include "base/threads.h"
#include "dataset/class_scan.h"
#include "dataset/index.h"
#include "dataset/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The visible entries of a folder, sorted. Before each name stands a byte with its kind. */
struct entries {
    char *names;
    size_t names_size, names_capacity;
    vg_entry *list;
    size_t count, capacity;
    size_t hidden;
    int error; /* errno if the folder could not be listed to its end */
};

struct scan {
    vg_dataset *dataset;
    vg_error *err;
    int root;     /* descriptor */
    char *buffer; /* [VG_LISTING_BUFFER] */
    vg_finds finds;
    vg_class_folders classes;
};

static vg_status no_memory(const struct scan *scan)
{
    return vg_fail(scan->err, VG_E_NOMEM, "%s: out of memory while listing", scan->dataset->path);
}

static void entries_reset(struct entries *entries)
{
    free(entries->names);
    free(entries->list);
    *entries = (struct entries){0};
}

static const char *entry_name(const struct entries *entries, size_t i)
{
    return entries->names + entries->list[i].at;
}

static vg_entry_kind entry_kind(const struct entries *entries, size_t i)
{
    return (vg_entry_kind)entries->names[entries->list[i].at - 1];
}

static bool entries_add(struct entries *entries, const char *name, size_t length,
                        vg_entry_kind kind)
{
    size_t at = entries->names_size + 1, need = at + length + 1;
    if (!vg_grow(&entries->names, &entries->names_capacity, need, 1) ||
        !vg_grow(&entries->list, &entries->capacity, entries->count + 1, sizeof(vg_entry)))
        return false;
    entries->names[at - 1] = (char)kind;
    memcpy(entries->names + at, name, length + 1);
    entries->list[entries->count++] = (vg_entry){.at = at};
    entries->names_size = need;
    return true;
}

/* Lists the folder `path` below the root. One that cannot be listed leaves `entries` empty, with its
 * error. */
static vg_status list_folder(struct scan *scan, const char *path, struct entries *entries)
{
    vg_listing list;
    const char *name;
    size_t length;
    vg_entry_kind kind;
    bool enough = true;
    *entries = (struct entries){0};
    if (!vg_listing_open(&list, scan->root, path, scan->buffer)) {
        entries->error = errno;
        return errno == ENOMEM ? no_memory(scan) : VG_OK;
    }
    while (enough && vg_listing_next(&list, &name, &length, &kind))
        if (vg_name_is_hidden(name, length))
            entries->hidden++;
        else
            enough = entries_add(entries, name, length, kind);
    entries->error = list.error;
    vg_listing_close(&list);
    size_t n = entries->count;
    vg_entry *spare = enough && n > 1 ? vg_alloc(n, sizeof *spare) : NULL;
    if (!enough || (n > 1 && !spare)) {
        entries_reset(entries);
        return no_memory(scan);
    }
    if (n > 1)
        vg_entries_sort(entries->list, spare, n, entries->names, NULL, 0);
    free(spare);
    return VG_OK;
}

/* Counts a file that is no sample and returns false, or returns true. */
static bool is_sample(struct scan *scan, const char *name)
{
    return vg_name_is_sample(name, &scan->dataset->ignored, &scan->finds);
}

/* A listing that is used counts, with what it hid and what it lacks. */
static void count_listing(struct scan *scan, const char *path, const struct entries *entries)
{
    scan->dataset->ignored.hidden += entries->hidden;
    if (entries->error) {
        scan->dataset->ignored.unreadable++;
        vg_index_note(scan->dataset, "%s: %s", path, strerror(entries->error));
    }
    if (!entries->error || entries->count)
        scan->finds.folders++;
}

/* Puts prefix + name + "/" on the list of class folders. */
static vg_status add_class(struct scan *scan, const char *prefix, const char *name, vg_split split)
{
    vg_class_folders *classes = &scan->classes;
    size_t before = strlen(prefix), length = strlen(name), at = classes->paths_size;
    int label;
    vg_status status = vg_index_class(scan->dataset, name, length, &label, scan->err);
    if (status)
        return status;
    if (!vg_grow(&classes->paths, &classes->paths_capacity, at + before + length + 2, 1) ||
        !vg_grow(&classes->list, &classes->capacity, classes->count + 1, sizeof *classes->list))
        return no_memory(scan);
    memcpy(classes->paths + at, prefix, before);
    memcpy(classes->paths + at + before, name, length);
    memcpy(classes->paths + at + before + length, "/", 2);
    classes->paths_size = at + before + length + 2;
    classes->list[classes->count++] = (vg_class_folder){.path = at, .label = label, .split = split};
    return VG_OK;
}

/* Every folder among the entries of `prefix` is a class. Pictures directly here have none. */
static vg_status find_classes(struct scan *scan, const char *prefix, const struct entries *entries,
                              vg_split split)
{
    vg_status status = VG_OK;
    count_listing(scan, *prefix ? prefix : ".", entries);
    for (size_t i = 0; !status && i < entries->count; i++) {
        const char *name = entry_name(entries, i);
        switch (entry_kind(entries, i)) {
        case VG_ENTRY_FOLDER:
            status = add_class(scan, prefix, name, split);
            break;
        case VG_ENTRY_FILE:
            scan->dataset->ignored.loose += is_sample(scan, name);
            break;
        case VG_ENTRY_NEITHER:
            scan->dataset->ignored.not_images++;
            break;
        }
    }
    return status;
}

/* Whether train/, val/ or test/ folders with folders in them stand at the top: that is what tells
 * train/ with classes in it from a class of trains. */
static vg_status find_splits(struct scan *scan, const struct entries *top)
{
    vg_status status = VG_OK;
    bool *found = &scan->dataset->split_folders;
    for (size_t i = 0; !status && i < top->count && !*found; i++) {
        vg_split split;
        struct entries inner;
        if (entry_kind(top, i) != VG_ENTRY_FOLDER || !vg_split_of_word(entry_name(top, i), &split))
            continue;
        status = list_folder(scan, entry_name(top, i), &inner);
        for (size_t k = 0; !status && k < inner.count && !*found; k++)
            *found = entry_kind(&inner, k) == VG_ENTRY_FOLDER;
        entries_reset(&inner);
    }
    return status;
}

static vg_status find_classes_of_split(struct scan *scan, const char *name, vg_split split)
{
    struct entries inner;
    size_t length = strlen(name);
    char *prefix = vg_alloc(length + 2, 1);
    if (!prefix)
        return no_memory(scan);
    memcpy(prefix, name, length);
    memcpy(prefix + length, "/", 2);
    vg_status status = list_folder(scan, prefix, &inner);
    if (!status)
        status = find_classes(scan, prefix, &inner, split);
    entries_reset(&inner);
    free(prefix);
    return status;
}

/* Training samples come first, then val, then test. */
static vg_status find_classes_of_splits(struct scan *scan, const struct entries *top)
{
    vg_dataset_ignored *ignored = &scan->dataset->ignored;
    vg_status status = VG_OK;
    count_listing(scan, ".", top);
    for (int wanted = 0; !status && wanted < VG_SPLIT_COUNT; wanted++)
        for (size_t i = 0; !status && i < top->count; i++) {
            vg_split split;
            const char *name = entry_name(top, i);
            vg_entry_kind kind = entry_kind(top, i);
            bool named = kind == VG_ENTRY_FOLDER && vg_split_of_word(name, &split);
            if (named && (int)split == wanted)
                status = find_classes_of_split(scan, name, split);
            else if (wanted != 0 || named)
                continue;
            else if (kind == VG_ENTRY_FOLDER)
                ignored->other_folders++;
            else if (kind == VG_ENTRY_NEITHER)
                ignored->not_images++;
            else
                ignored->loose += is_sample(scan, name);
        }
    return status;
}

/* A folder of pictures without class folders: one class, named after the folder. */
static vg_status add_flat(struct scan *scan, const struct entries *top)
{
    vg_dataset *dataset = scan->dataset;
    char *real = realpath(dataset->path, NULL);
    const char *name = real ? vg_path_base(real) : vg_path_base(dataset->path);
    int label;
    vg_status status =
        vg_index_class(dataset, *name ? name : "all", *name ? strlen(name) : 3, &label, scan->err);
    free(real);
    for (size_t i = 0; !status && i < top->count; i++) {
        const char *file = entry_name(top, i);
        if (entry_kind(top, i) == VG_ENTRY_FILE && vg_format_readable(vg_format_of_name(file)))
            status = vg_index_add(dataset, file, label, VG_SPLIT_TRAIN, scan->err);
    }
    dataset->ignored.loose = 0;
    return status;
}

/* Classes without a picture, unless that is because they could not be listed. */
static vg_status count_empty(struct scan *scan)
{
    size_t classes = (size_t)scan->dataset->class_count;
    bool *settled = vg_calloc(classes, sizeof *settled);
    if (!settled)
        return no_memory(scan);
    for (size_t i = 0; i < scan->classes.count; i++) {
        const vg_class_folder *folder = &scan->classes.list[i];
        settled[folder->label] |= folder->count || folder->incomplete;
    }
    for (size_t k = 0; k < classes; k++)
        scan->dataset->ignored.empty_classes += !settled[k];
    free(settled);
    return VG_OK;
}

static vg_status scan_all(struct scan *scan, const struct entries *top,
                          const vg_dataset_options *options)
{
    vg_dataset *dataset = scan->dataset;
    int threads = options->threads > 0 ? options->threads : vg_threads_available();
    /* whether a split by group makes sense is judged by all names */
    bool counts = options->counts_only && options->split_by == VG_SPLIT_BY_NAME;
    scan->classes.counts = counts ? options : NULL;
    vg_status status = find_splits(scan, top);
    if (!status)
        status = dataset->split_folders ? find_classes_of_splits(scan, top)
                                        : find_classes(scan, "", top, VG_SPLIT_TRAIN);
    if (!status)
        status = vg_class_folders_read(&scan->classes, dataset, scan->root, threads, &scan->finds,
                                       scan->err);
    if (!status)
        status = count_empty(scan);
    if (!status && dataset->count == 0 && !dataset->split_folders && dataset->ignored.loose) {
        free(dataset->tally); /* one folder of pictures is read as always */
        dataset->tally = NULL;
        status = add_flat(scan, top);
    }
    if (!status && dataset->count == 0)
        status = vg_nothing_found(dataset, &scan->finds, scan->err);
    return status;
}

vg_status vg_folder_scan(vg_dataset *dataset, const vg_dataset_options *options, vg_error *err)
{
    struct scan scan = {.dataset = dataset, .err = err, .root = -1};
    struct entries top = {0};
    dataset->kind = VG_DATASET_FOLDER;
    dataset->root = vg_strdup(dataset->path);
    scan.buffer = vg_alloc(VG_LISTING_BUFFER, 1);
    vg_status status = VG_OK;
    if (!dataset->root || !scan.buffer)
        status = no_memory(&scan);
    if (!status && (scan.root = open(dataset->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        status = vg_fail(err, VG_E_IO, "%s: folder cannot be listed: %s", dataset->path,
                         strerror(errno));
    if (!status)
        status = list_folder(&scan, ".", &top);
    if (!status && top.error && !top.count)
        status = vg_fail(err, VG_E_IO, "%s: folder cannot be listed: %s", dataset->path,
                         strerror(top.error));
    if (!status)
        status = scan_all(&scan, &top, options);
    if (scan.root >= 0)
        close(scan.root);
    free(scan.buffer);
    entries_reset(&top);
    vg_class_folders_reset(&scan.classes);
    return status ? status : vg_index_finish(dataset, VG_CLASSES_BY_BYTES, NULL, err);
}
