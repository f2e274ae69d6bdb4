/* Manifests to an index: which reader a file needs, and what is true of rows in all of them. Whether
 * the listed files exist is found out when they are read: a manifest of a million rows opens without
 * a million stats. A path that is listed twice with the same label and split counts once; listed
 * with two labels it is refused, because either of them would be a guess. Refuses an unknown split,
 * and splits in some rows only. */
#include "dataset/manifest.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

vg_status vg_manifest_fail(vg_manifest *manifest, size_t line, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vg_fail(manifest->err, VG_E_FORMAT, "%s:%zu: %s", manifest->path, line, text);
}

enum { MOST_WORDS = 12 };
static const char *const WORDS[VG_ROLE_COUNT][MOST_WORDS] = {
    {"path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img",
     "img_path", "image_file"},
    {"label", "class", "class_name", "classname", "category", "target", "labels"},
    {"split", "set", "subset", "partition"},
    {"container"},
};

bool vg_manifest_plays(const char *word, vg_role role)
{
    for (int i = 0; i < MOST_WORDS && WORDS[role][i]; i++)
        if (vg_text_equal_fold(word, WORDS[role][i]))
            return true;
    return false;
}

const char *vg_manifest_nearest(const char *word, vg_role *role)
{
    const char *known[VG_ROLE_COUNT * MOST_WORDS];
    vg_role roles[VG_ROLE_COUNT * MOST_WORDS];
    size_t count = 0;
    for (int r = 0; r < VG_ROLE_COUNT; r++)
        for (int i = 0; i < MOST_WORDS && WORDS[r][i]; i++) {
            roles[count] = (vg_role)r;
            known[count++] = WORDS[r][i];
        }
    const char *nearest = vg_nearest(word, known, count);
    for (size_t i = 0; nearest && i < count; i++)
        if (known[i] == nearest)
            *role = roles[i];
    return nearest;
}

static vg_status take_split(vg_manifest *manifest, size_t line, const char *word, vg_split *split)
{
    *split = manifest->split;
    bool given = word && *word;
    if (given && !vg_split_of_word(word, split))
        return vg_manifest_fail(manifest, line, "unknown split \"%s\"; expected train, val or test",
                                word);
    if (manifest->forced)
        return VG_OK;
    size_t *first = given ? &manifest->with_split : &manifest->without_split;
    if (!*first)
        *first = line;
    if (manifest->with_split && manifest->without_split)
        return vg_manifest_fail(manifest, manifest->without_split,
                                "no split given, but line %zu gives one", manifest->with_split);
    return VG_OK;
}

/* A path without "./" in front, so that it is the name a scan of the folder would give. */
static const char *without_dot(const char *path)
{
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
        path += strspn(path, "/");
    }
    return path;
}

/* The name of a sample, below the root of the dataset; on the heap. */
static char *name_of(const vg_manifest *manifest, const char *path)
{
    if (path[0] == '/' || !manifest->prefix[0])
        return vg_strdup(path);
    size_t before = strlen(manifest->prefix), length = strlen(path);
    char *name = vg_alloc(before + length + 1, 1);
    if (name) {
        memcpy(name, manifest->prefix, before);
        memcpy(name + before, path, length + 1);
    }
    return name;
}

vg_status vg_manifest_row(vg_manifest *manifest, size_t line, const char *path, const char *label,
                          const char *split)
{
    vg_dataset *dataset = manifest->dataset;
    path = without_dot(path);
    if (!*path)
        return vg_manifest_fail(manifest, line, "the path is empty");
    if (!*label)
        return vg_manifest_fail(manifest, line, "\"%s\" has no label", path);
    vg_split taken;
    int number;
    vg_status status = take_split(manifest, line, split, &taken);
    if (!status)
        status = vg_index_class(dataset, label, strlen(label), &number, manifest->err);
    if (status)
        return status;
    char *name = name_of(manifest, path);
    bool room = name && vg_grow(&manifest->lines, &manifest->line_capacity, dataset->count + 1,
                                sizeof(size_t));
    if (!room)
        status = vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", manifest->path);
    if (!status)
        status = vg_index_add(dataset, name, number, taken, manifest->err);
    if (!status)
        manifest->lines[dataset->count - 1] = line;
    free(name);
    return status;
}

/* ---- paths that are listed more than once */

static const char *name_at(const vg_dataset *dataset, size_t sample)
{
    return dataset->names + vg_sample_place(dataset->samples[sample]);
}

/* Says how two rows about one path differ. */
static vg_status refuse_conflict(vg_manifest *manifest, size_t first, size_t again, size_t more)
{
    const vg_dataset *dataset = manifest->dataset;
    vg_sample a = dataset->samples[first], b = dataset->samples[again];
    char also[64] = "";
    if (more)
        snprintf(also, sizeof also, " (and %zu more such row%s)", more, more == 1 ? "" : "s");
    if (vg_sample_label(a) != vg_sample_label(b))
        return vg_manifest_fail(
            manifest, manifest->lines[again],
            "\"%.150s\" is \"%.60s\" here and \"%.60s\" in line %zu%s; expected "
            "one label for a picture",
            name_at(dataset, again), vg_index_class_name(dataset, vg_sample_label(b)),
            vg_index_class_name(dataset, vg_sample_label(a)), manifest->lines[first], also);
    return vg_manifest_fail(manifest, manifest->lines[again],
                            "\"%.200s\" is in %s here and in %s in line %zu%s; expected one split "
                            "for a picture",
                            name_at(dataset, again), vg_split_name(vg_sample_split(b)),
                            vg_split_name(vg_sample_split(a)), manifest->lines[first], also);
}

/* Finds the samples that are listed again: exact repeats are taken out and counted. */
static vg_status take_out_repeats(vg_manifest *manifest)
{
    vg_dataset *dataset = manifest->dataset;
    size_t buckets = 64, kept = 0, conflicts = 0, first = 0, again = 0, repeated = 0;
    while (buckets < dataset->count * 2)
        buckets *= 2;
    uint32_t *table = dataset->count < UINT32_MAX ? vg_calloc(buckets, sizeof *table) : NULL;
    if (!table)
        return vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", manifest->path);
    for (size_t i = 0; i < dataset->count; i++) { /* in the table: sample + 1, 0 is free */
        const char *name = name_at(dataset, i);
        size_t at = (size_t)vg_hash(name, strlen(name), 0) & (buckets - 1), other;
        while (table[at] && strcmp(name_at(dataset, table[at] - 1), name) != 0)
            at = (at + 1) & (buckets - 1);
        other = table[at] ? table[at] - 1 : i;
        vg_sample a = dataset->samples[other], b = dataset->samples[i];
        bool same = other != i && vg_sample_label(a) == vg_sample_label(b) &&
                    vg_sample_split(a) == vg_sample_split(b);
        if (same) {
            if (!repeated++)
                vg_index_note(dataset, "%s:%zu: \"%s\" is listed a second time, first in line %zu",
                              manifest->path, manifest->lines[i], name, manifest->lines[other]);
            continue;
        }
        if (other != i && !conflicts++) { /* told at the end: both rows must stay where they are */
            first = other;
            again = kept;
        }
        if (other == i)
            table[at] = (uint32_t)kept + 1;
        dataset->samples[kept] = b;
        manifest->lines[kept++] = manifest->lines[i];
    }
    free(table);
    dataset->ignored.duplicates += repeated;
    dataset->count = kept;
    return conflicts ? refuse_conflict(manifest, first, again, conflicts - 1) : VG_OK;
}

/* ---- which file it is */

static vg_status refuse_binary(const char *path, const vg_bytes *bytes, vg_error *err)
{
    vg_image_format format = vg_format_sniff(bytes->data, bytes->size);
    if (format != VG_FORMAT_UNKNOWN)
        return vg_fail(
            err, VG_E_FORMAT,
            "%s: is one %s picture; expected a folder of class folders, a manifest (CSV, "
            "TSV, JSON lines) or a folder of IDX or CIFAR files",
            path, vg_format_name(format));
    if (bytes->size && memchr(bytes->data, 0, bytes->size))
        return vg_fail(err, VG_E_FORMAT,
                       "%s: holds zero bytes, so it is no manifest in UTF-8 (a text in UTF-16 must "
                       "be saved as UTF-8)",
                       path);
    return VG_OK;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && vg_text_equal_fold(name + length - tail, end);
}

/* Where the text begins, behind a byte order mark, and whether its lines are JSON. */
static char *find_text(const char *path, vg_bytes *bytes, bool *json)
{
    char *text = (char *)bytes->data;
    if (bytes->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    char first = text[strspn(text, " \t\r\n")];
    *json = ends_with(path, ".jsonl") || ends_with(path, ".ndjson") || first == '{' || first == '[';
    return text;
}

/* Reads the whole file, with a zero behind it. */
static vg_status load(const char *path, vg_bytes *bytes, vg_error *err)
{
    vg_status status = vg_file_read(path, 0, bytes, err);
    if (!status)
        status = refuse_binary(path, bytes, err);
    if (!status)
        status = vg_bytes_reserve(bytes, bytes->size + 1, err);
    if (!status)
        bytes->data[bytes->size] = '\0';
    return status;
}

vg_status vg_manifest_file(vg_manifest *manifest)
{
    vg_bytes bytes = {0};
    size_t before = manifest->dataset->count;
    manifest->with_split = manifest->without_split = 0;
    vg_status status = load(manifest->path, &bytes, manifest->err);
    if (!status) {
        bool json;
        char *text = find_text(manifest->path, &bytes, &json);
        size_t size = bytes.size - (size_t)(text - (char *)bytes.data);
        status = json ? vg_manifest_json_lines(manifest, text, size)
                      : vg_manifest_table(manifest, text, size);
    }
    if (!status && manifest->dataset->count == before)
        status = vg_fail(manifest->err, VG_E_FORMAT, "%s: a header and no rows", manifest->path);
    vg_bytes_reset(&bytes);
    return status;
}

static vg_status find_root(vg_dataset *dataset, vg_error *err)
{
    const char *base = vg_path_base(dataset->path);
    dataset->root = vg_strdup(base == dataset->path ? "." : dataset->path);
    if (!dataset->root)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    if (base != dataset->path)
        dataset->root[base - dataset->path] = '\0';
    return VG_OK;
}

vg_status vg_manifest_finish(vg_manifest *manifest, vg_status status)
{
    if (!status)
        status = take_out_repeats(manifest);
    if (!status)
        status = vg_manifest_resolve(manifest);
    free(manifest->lines);
    free(manifest->container);
    size_t empty; /* none: a class comes with a row */
    return status ? status
                  : vg_index_finish(manifest->dataset, VG_CLASSES_BY_NUMBER_IF_ALL, &empty,
                                    manifest->err);
}

vg_status vg_manifest_read(vg_dataset *dataset, vg_error *err)
{
    vg_manifest manifest = {.dataset = dataset, .err = err, .path = dataset->path, .prefix = ""};
    dataset->kind = VG_DATASET_MANIFEST;
    vg_status status = find_root(dataset, err);
    return vg_manifest_finish(&manifest, status ? status : vg_manifest_file(&manifest));
}
