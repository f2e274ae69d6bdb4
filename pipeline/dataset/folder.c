/* Class folders to an index. The entries of every folder are sorted by their bytes, so that the same
 * files give the same order on every file system. Nothing is opened: what a file really holds is
 * judged when it is decoded; here its extension decides. Links are followed, but no folder is read
 * twice for the same class, which ends circles. Refuses to guess a label for pictures that lie
 * beside class folders: they are left out and counted. */
#include "dataset/index.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 200 };

struct place {
    dev_t device;
    ino_t inode;
};

struct scan {
    vg_dataset *dataset;
    vg_error *err;
    char *path; /* root, '/', and the name below it */
    size_t path_capacity;
    size_t root_length; /* where names below the root begin */
    struct place *seen; /* folders already read for the current class */
    size_t seen_count, seen_capacity;
    vg_finds finds;
};

struct listing {
    char **names;
    size_t count, capacity;
};

enum kind { KIND_FOLDER, KIND_FILE, KIND_NEITHER };

static vg_status no_memory(struct scan *scan)
{
    return vg_fail(scan->err, VG_E_NOMEM, "%s: out of memory while listing", scan->path);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *p = a, *const *q = b;
    return strcmp(*p, *q);
}

static void listing_reset(struct listing *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct listing){0};
}

/* The visible entries of the folder scan->path, sorted. A folder that cannot be listed is counted and
 * leaves an empty list. */
static vg_status list_folder(struct scan *scan, struct listing *list)
{
    *list = (struct listing){0};
    DIR *dir = opendir(scan->path);
    if (!dir) {
        if (errno == ENOMEM)
            return no_memory(scan);
        scan->dataset->ignored.unreadable++;
        return VG_OK;
    }
    scan->finds.folders++;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (vg_name_is_hidden(name, strlen(name))) {
            scan->dataset->ignored.hidden++;
            continue;
        }
        char *copy = vg_strdup(name);
        if (!copy || !vg_grow(&list->names, &list->capacity, list->count + 1, sizeof(char *))) {
            free(copy);
            closedir(dir);
            listing_reset(list);
            return no_memory(scan);
        }
        list->names[list->count++] = copy;
    }
    closedir(dir);
    if (list->count > 1)
        qsort(list->names, list->count, sizeof(char *), compare_names);
    return VG_OK;
}

/* Appends "/name" to scan->path, which was `length` long. */
static vg_status descend(struct scan *scan, size_t length, const char *name)
{
    size_t more = strlen(name), need = length + more + 2;
    if (!vg_grow(&scan->path, &scan->path_capacity, need, 1))
        return no_memory(scan);
    size_t at = length;
    if (at && scan->path[at - 1] != '/')
        scan->path[at++] = '/';
    memcpy(scan->path + at, name, more + 1);
    return VG_OK;
}

/* What stands at scan->path, links followed. A link that leads nowhere passes as a file: if it is
 * called like a picture, reading it will say what is wrong with it. */
static enum kind kind_of(const struct scan *scan, struct place *place)
{
    struct stat st;
    if (stat(scan->path, &st) != 0)
        return KIND_FILE;
    *place = (struct place){st.st_dev, st.st_ino};
    return S_ISDIR(st.st_mode) ? KIND_FOLDER : S_ISREG(st.st_mode) ? KIND_FILE : KIND_NEITHER;
}

/* Counts a file that is no sample and returns false, or returns true. */
static bool is_sample(struct scan *scan, const char *name)
{
    return vg_name_is_sample(name, &scan->dataset->ignored, &scan->finds);
}

static vg_status mark_seen(struct scan *scan, struct place place, bool *again)
{
    *again = false;
    for (size_t i = 0; i < scan->seen_count && !*again; i++)
        *again = scan->seen[i].inode == place.inode && scan->seen[i].device == place.device;
    if (*again)
        return VG_OK;
    if (!vg_grow(&scan->seen, &scan->seen_capacity, scan->seen_count + 1, sizeof place))
        return no_memory(scan);
    scan->seen[scan->seen_count++] = place;
    return VG_OK;
}

/* All pictures in and below scan->path (a folder) become samples of `label`. */
static vg_status scan_class(struct scan *scan, struct place here, int label, vg_split split,
                            int depth)
{
    bool again;
    vg_status status = mark_seen(scan, here, &again);
    if (status)
        return status;
    if (again || depth > DEEPEST) {
        scan->dataset->ignored.unreadable++;
        return VG_OK;
    }
    struct listing list;
    status = list_folder(scan, &list);
    size_t length = strlen(scan->path);
    for (size_t i = 0; !status && i < list.count; i++) {
        struct place place;
        status = descend(scan, length, list.names[i]);
        if (status)
            break;
        enum kind kind = kind_of(scan, &place);
        if (kind == KIND_FOLDER)
            status = scan_class(scan, place, label, split, depth + 1);
        else if (kind == KIND_NEITHER)
            scan->dataset->ignored.not_images++;
        else if (is_sample(scan, list.names[i]))
            status = vg_index_add(scan->dataset, scan->path + scan->root_length, label, split,
                                  scan->err);
        scan->path[length] = '\0';
    }
    listing_reset(&list);
    return status;
}

/* Every folder of `list`, the entries of scan->path, is a class. Pictures directly here have none. */
static vg_status scan_classes(struct scan *scan, const struct listing *list, vg_split split)
{
    vg_dataset *dataset = scan->dataset;
    size_t length = strlen(scan->path);
    vg_status status = VG_OK;
    for (size_t i = 0; !status && i < list->count; i++) {
        struct place place;
        int label;
        const char *name = list->names[i];
        status = descend(scan, length, name);
        if (status)
            break;
        enum kind kind = kind_of(scan, &place);
        if (kind == KIND_FOLDER) {
            scan->seen_count = 0;
            status = vg_index_class(dataset, name, strlen(name), &label, scan->err);
            if (!status)
                status = scan_class(scan, place, label, split, 0);
        } else if (kind == KIND_NEITHER) {
            dataset->ignored.not_images++;
        } else if (is_sample(scan, name)) {
            dataset->ignored.loose++;
        }
        scan->path[length] = '\0';
    }
    return status;
}

/* Whether the folder scan->path holds a folder: that is what tells train/ with classes in it from a
 * class of trains. */
static vg_status holds_folders(struct scan *scan, bool *holds)
{
    struct listing list;
    vg_dataset_ignored counted = scan->dataset->ignored;
    size_t folders = scan->finds.folders, length = strlen(scan->path);
    vg_status status = list_folder(scan, &list);
    scan->dataset->ignored = counted; /* it will be listed again */
    scan->finds.folders = folders;
    *holds = false;
    for (size_t i = 0; !status && i < list.count && !*holds; i++) {
        struct place place;
        status = descend(scan, length, list.names[i]);
        *holds = !status && kind_of(scan, &place) == KIND_FOLDER;
        scan->path[length] = '\0';
    }
    listing_reset(&list);
    return status;
}

/* Whether train/, val/ or test/ folders with class folders stand at the top. */
static vg_status find_splits(struct scan *scan, const struct listing *top)
{
    size_t length = strlen(scan->path);
    vg_status status = VG_OK;
    for (size_t i = 0; !status && i < top->count && !scan->dataset->split_folders; i++) {
        struct place place;
        vg_split split;
        if (!vg_split_of_word(top->names[i], &split))
            continue;
        status = descend(scan, length, top->names[i]);
        if (!status && kind_of(scan, &place) == KIND_FOLDER)
            status = holds_folders(scan, &scan->dataset->split_folders);
        scan->path[length] = '\0';
    }
    return status;
}

static vg_status scan_split_folders(struct scan *scan, const struct listing *top)
{
    size_t length = strlen(scan->path);
    vg_status status = VG_OK;
    for (int wanted = 0; !status && wanted < VG_SPLIT_COUNT; wanted++)
        for (size_t i = 0; !status && i < top->count; i++) {
            struct place place;
            vg_split split = VG_SPLIT_COUNT;
            bool named = vg_split_of_word(top->names[i], &split);
            if (named ? (int)split != wanted : wanted != 0)
                continue;
            status = descend(scan, length, top->names[i]);
            if (status)
                break;
            if (kind_of(scan, &place) != KIND_FOLDER) {
                if (is_sample(scan, top->names[i]))
                    scan->dataset->ignored.loose++;
            } else if (!named) {
                scan->dataset->ignored.other_folders++;
            } else {
                struct listing list;
                status = list_folder(scan, &list);
                if (!status)
                    status = scan_classes(scan, &list, split);
                listing_reset(&list);
            }
            scan->path[length] = '\0';
        }
    return status;
}

/* A folder of pictures without class folders: one class, named after the folder. */
static vg_status scan_flat(struct scan *scan, const struct listing *top)
{
    vg_dataset *dataset = scan->dataset;
    char *real = realpath(dataset->path, NULL);
    const char *name = real ? vg_path_base(real) : vg_path_base(dataset->path);
    int label;
    vg_status status =
        vg_index_class(dataset, *name ? name : "all", *name ? strlen(name) : 3, &label, scan->err);
    free(real);
    size_t length = strlen(scan->path);
    for (size_t i = 0; !status && i < top->count; i++) {
        struct place place;
        if (!vg_format_readable(vg_format_of_name(top->names[i])))
            continue;
        status = descend(scan, length, top->names[i]);
        if (!status && kind_of(scan, &place) == KIND_FILE)
            status = vg_index_add(dataset, top->names[i], label, VG_SPLIT_TRAIN, scan->err);
        scan->path[length] = '\0';
    }
    dataset->ignored.loose = 0;
    return status;
}

static vg_status scan_all(struct scan *scan)
{
    vg_dataset *dataset = scan->dataset;
    struct listing top;
    vg_status status = list_folder(scan, &top);
    if (status)
        return status;
    if (!scan->finds.folders)
        status = vg_fail(scan->err, VG_E_IO, "%s: folder cannot be listed: %s", dataset->path,
                         strerror(errno));
    if (!status)
        status = find_splits(scan, &top);
    if (!status)
        status = dataset->split_folders ? scan_split_folders(scan, &top)
                                        : scan_classes(scan, &top, VG_SPLIT_TRAIN);
    if (!status && dataset->count == 0 && !dataset->split_folders && dataset->ignored.loose)
        status = scan_flat(scan, &top);
    listing_reset(&top);
    if (!status && dataset->count == 0)
        status = vg_nothing_found(dataset, &scan->finds, scan->err);
    return status;
}

vg_status vg_folder_scan(vg_dataset *dataset, vg_error *err)
{
    struct scan scan = {.dataset = dataset, .err = err};
    dataset->kind = VG_DATASET_FOLDER;
    dataset->root = vg_strdup(dataset->path);
    size_t length = strlen(dataset->path);
    while (length > 1 && dataset->path[length - 1] == '/')
        length--;
    if (!dataset->root || !vg_grow(&scan.path, &scan.path_capacity, length + 1, 1))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    memcpy(scan.path, dataset->path, length);
    scan.path[length] = '\0';
    scan.root_length = length + (scan.path[length - 1] != '/');
    vg_status status = scan_all(&scan);
    free(scan.path);
    free(scan.seen);
    if (status)
        return status;
    return vg_index_finish(dataset, VG_CLASSES_BY_BYTES, &dataset->ignored.empty_classes, err);
}
