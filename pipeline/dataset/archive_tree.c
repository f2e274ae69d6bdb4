/* Class folders in an archive to samples, by the rules of folder.c, so that an archive and the folder
 * that it unpacks to are the same dataset: same names, labels, order and splits. One folder around
 * everything is passed over, as one opens what was unpacked; there may be several around each other.
 * It is not passed over when it is train/, val/ or test/ with class folders in it, or when it holds
 * no folder (then it is the only class). */
#include "dataset/archives.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct tree {
    vg_dataset *dataset;
    size_t archive;
    const vg_listing *listing;
    vg_finds *finds;
    vg_error *err;
    size_t base; /* bytes of each name that are passed over */
    bool splits; /* train/ val/ test/ stand at the top */
};

/* The first part of `path`: its length. *rest is what follows the '/' or NULL. */
static size_t first_part(const char *path, const char **rest)
{
    const char *slash = strchr(path, '/');
    *rest = slash ? slash + 1 : NULL;
    return slash ? (size_t)(slash - path) : strlen(path);
}

static bool is_split(const char *part, size_t length, vg_split *split)
{
    char word[16];
    if (length >= sizeof word)
        return false;
    memcpy(word, part, length);
    word[length] = '\0';
    return vg_split_of_word(word, split);
}

/* Whether a member shows that the folder its name begins with holds a folder. `rest` is its path in
 * that folder. */
static bool shows_folder(const vg_member *member, const char *rest)
{
    return rest && (member->folder || strchr(rest, '/'));
}

/* Members behind the folders that are passed over; NULL for these themselves. */
static const char *path_of(const struct tree *tree, const vg_member *member)
{
    const char *name = vg_listing_name(tree->listing, member);
    return strlen(name) > tree->base ? name + tree->base : NULL;
}

/* If everything lies in one folder that may be passed over, adds its length to base. */
static bool pass_top(struct tree *tree)
{
    const vg_listing *listing = tree->listing;
    size_t first = 0; /* behind the folders passed over, which sort first */
    while (first < listing->count && !path_of(tree, &listing->members[first]))
        first++;
    if (first == listing->count)
        return false;
    const char *top = path_of(tree, &listing->members[first]), *rest;
    size_t length = first_part(top, &rest);
    bool holds_folder = false;
    vg_split split;
    for (size_t i = first; i < listing->count; i++) {
        const vg_member *member = &listing->members[i];
        const char *name = path_of(tree, member);
        if (strncmp(name, top, length) != 0 || (name[length] && name[length] != '/') ||
            (!name[length] && !member->folder))
            return false;
        holds_folder |= shows_folder(member, name[length] ? name + length + 1 : NULL);
    }
    if (!holds_folder || is_split(top, length, &split))
        return false;
    tree->base += length + 1;
    return true;
}

static void find_splits(struct tree *tree)
{
    for (size_t i = 0; i < tree->listing->count && !tree->splits; i++) {
        const vg_member *member = &tree->listing->members[i];
        const char *path = path_of(tree, member), *rest;
        vg_split split;
        if (path && is_split(path, first_part(path, &rest), &split))
            tree->splits = shows_folder(member, rest);
    }
}

static bool is_sample(const struct tree *tree, const char *path)
{
    return vg_name_is_sample(vg_path_base(path), &tree->dataset->ignored, tree->finds);
}

/* `path` is below the folder of class folders: a class folder, a file in one, or a loose file. */
static vg_status add_member(struct tree *tree, const vg_member *member, const char *name,
                            const char *path, vg_split split)
{
    vg_dataset *dataset = tree->dataset;
    const char *rest;
    size_t length = first_part(path, &rest);
    int label;
    if (!rest && !member->folder) {
        dataset->ignored.loose += is_sample(tree, path);
        return VG_OK;
    }
    vg_status status = vg_index_class(dataset, path, length, &label, tree->err);
    if (status)
        return status;
    if (member->folder || !is_sample(tree, path))
        return VG_OK;
    return vg_archives_add(dataset, tree->archive, member, name, label, split, tree->err);
}

static vg_status add_classes(struct tree *tree)
{
    vg_status status = VG_OK;
    vg_split split = tree->dataset->archives->list[tree->archive].split;
    for (size_t i = 0; !status && i < tree->listing->count; i++) {
        const vg_member *member = &tree->listing->members[i];
        const char *path = path_of(tree, member);
        if (path)
            status = add_member(tree, member, path, path, split);
    }
    return status;
}

/* What stands beside train/ val/ test/: pictures are loose, folders are counted once each. */
static void count_other(struct tree *tree, const vg_member *member, const char *path,
                        const char **last)
{
    const char *rest;
    size_t length = first_part(path, &rest);
    if (!rest && !member->folder)
        tree->dataset->ignored.loose += is_sample(tree, path);
    else if (!*last || strncmp(*last, path, length) != 0 || (*last)[length] != '/') {
        tree->dataset->ignored.other_folders++;
        *last = path;
    }
}

static vg_status add_splits(struct tree *tree)
{
    vg_status status = VG_OK;
    const char *last = NULL;
    for (int wanted = 0; wanted < VG_SPLIT_COUNT; wanted++)
        for (size_t i = 0; !status && i < tree->listing->count; i++) {
            const vg_member *member = &tree->listing->members[i];
            const char *path = path_of(tree, member), *rest;
            vg_split split = VG_SPLIT_COUNT;
            if (!path)
                continue;
            bool named = is_split(path, first_part(path, &rest), &split);
            if (named && (rest || member->folder)) {
                if ((int)split == wanted && rest)
                    status = add_member(tree, member, path, rest, split);
            } else if (wanted == 0) {
                count_other(tree, member, path, &last);
            }
        }
    return status;
}

/* Pictures without any folder: one class, named after the archive. */
static vg_status add_flat(struct tree *tree, size_t loose)
{
    vg_dataset *dataset = tree->dataset;
    const char *name = vg_path_base(tree->listing->path);
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    int label;
    vg_status status = vg_index_class(dataset, name, length, &label, tree->err);
    vg_split split = dataset->archives->list[tree->archive].split;
    for (size_t i = 0; !status && i < tree->listing->count; i++) {
        const vg_member *member = &tree->listing->members[i];
        const char *path = path_of(tree, member);
        if (path && !member->folder && !strchr(path, '/') &&
            vg_format_readable(vg_format_of_name(path)))
            status = vg_archives_add(dataset, tree->archive, member, path, label, split, tree->err);
    }
    dataset->ignored.loose = loose;
    return status;
}

/* How many folders were looked into, for the message when nothing was found. */
static size_t count_folders(const vg_listing *listing)
{
    size_t folders = 1, last_length = 0;
    const char *last = "";
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = vg_listing_name(listing, &listing->members[i]);
        const char *slash = strrchr(name, '/');
        size_t length = slash ? (size_t)(slash - name) : 0;
        folders += length && (length != last_length || memcmp(name, last, length) != 0);
        last = name;
        last_length = length;
    }
    return folders;
}

vg_status vg_tree_add(vg_dataset *dataset, size_t archive, const vg_listing *listing,
                      vg_finds *finds, vg_error *err)
{
    struct tree tree = {
        .dataset = dataset, .archive = archive, .listing = listing, .finds = finds, .err = err};
    size_t before = dataset->count, loose = dataset->ignored.loose;
    finds->folders += count_folders(listing);
    if (!listing->count)
        return VG_OK;
    while (pass_top(&tree))
        ;
    find_splits(&tree);
    vg_status status = tree.splits ? add_splits(&tree) : add_classes(&tree);
    if (!status && !tree.splits && dataset->count == before && dataset->ignored.loose > loose)
        status = add_flat(&tree, loose);
    dataset->split_folders |= tree.splits && !dataset->archives->prefixed;
    return status;
}
