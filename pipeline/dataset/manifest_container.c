/* Manifests about samples that are no files of their own: a column "container" names the archive, the shards
 * or the folder of IDX or CIFAR files, and paths are the samples' names in it, as reports print them. Rows choose
 * among its samples and give them labels and splits; its own are not looked at. Refuses two containers in one
 * manifest, and containers of files, whose paths can be listed. */
#include "dataset/manifest.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

vg_status vg_manifest_container(vg_manifest *manifest, size_t line, const char *container)
{
    bool given = container && *container;
    size_t *first = given ? &manifest->with_container : &manifest->without_container;
    if (!*first)
        *first = line;
    if (manifest->with_container && manifest->without_container)
        return vg_manifest_fail(manifest, manifest->without_container,
                                "no container given, but line %zu gives one",
                                manifest->with_container);
    if (!given)
        return VG_OK;
    if (manifest->dataset->contained)
        return vg_manifest_fail(manifest, line, "a container in a container");
    if (!manifest->container && !(manifest->container = vg_strdup(container)))
        return vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", manifest->path);
    if (strcmp(manifest->container, container) != 0)
        return vg_manifest_fail(
            manifest, line,
            "container \"%.150s\" here and \"%.150s\" in line %zu; expected one "
            "in a manifest",
            container, manifest->container, manifest->with_container);
    return VG_OK;
}

/* Names to samples: sample + 1 by the hash of its name, 0 is free. */
struct names {
    const vg_dataset *dataset;
    uint32_t *table;
    size_t buckets;
};

/* The bucket of a name: of its sample, or the free one where it would be. */
static size_t bucket_of(const struct names *names, const char *name)
{
    char other[4096];
    size_t at = (size_t)vg_hash(name, strlen(name), 0) & (names->buckets - 1);
    for (; names->table[at]; at = (at + 1) & (names->buckets - 1)) {
        vg_dataset_name(names->dataset, names->table[at] - 1, other, sizeof other);
        if (strcmp(name, other) == 0)
            break;
    }
    return at;
}

static vg_status make_names(const vg_dataset *inner, struct names *names, vg_error *err)
{
    *names = (struct names){.dataset = inner, .buckets = 64};
    while (names->buckets < inner->count * 2)
        names->buckets *= 2;
    names->table =
        inner->count < UINT32_MAX ? vg_calloc(names->buckets, sizeof *names->table) : NULL;
    if (!names->table)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", inner->path);
    for (size_t i = 0; i < inner->count; i++) {
        char name[4096];
        vg_dataset_name(inner, i, name, sizeof name);
        names->table[bucket_of(names, name)] = (uint32_t)i + 1;
    }
    return VG_OK;
}

/* Points every row at its sample. */
static vg_status find_samples(vg_manifest *manifest, const vg_dataset *inner)
{
    vg_dataset *dataset = manifest->dataset;
    struct names names;
    vg_status status = make_names(inner, &names, manifest->err);
    for (size_t i = 0; !status && i < dataset->count; i++) {
        vg_sample s = dataset->samples[i];
        const char *name = dataset->names + vg_sample_place(s);
        size_t at = bucket_of(&names, name);
        if (!names.table[at]) {
            status = vg_manifest_fail(manifest, manifest->lines[i],
                                      "%.200s holds no sample \"%.150s\"", inner->path, name);
        } else {
            vg_sample found = inner->samples[names.table[at] - 1];
            dataset->samples[i] =
                vg_sample_pack(vg_sample_place(found), vg_sample_label(s), vg_sample_split(s));
        }
    }
    free(names.table);
    return status;
}

static void take_over(vg_dataset *dataset, vg_dataset *inner)
{
    dataset->kind = inner->kind;
    dataset->container = inner->path;
    inner->path = NULL;
    dataset->archives = inner->archives;
    inner->archives = NULL;
    memcpy(dataset->parts, inner->parts, sizeof dataset->parts);
    memset(inner->parts, 0, sizeof inner->parts);
    dataset->part_count = inner->part_count;
    dataset->packed_width = inner->packed_width;
    dataset->packed_height = inner->packed_height;
    dataset->packed_channels = inner->packed_channels;
}

vg_status vg_manifest_resolve(vg_manifest *manifest)
{
    vg_dataset *dataset = manifest->dataset;
    const char *given = manifest->container;
    if (!given)
        return VG_OK;
    bool as_it_is = given[0] == '/' || strstr(given, "::");
    char *path = as_it_is ? vg_strdup(given) : vg_path_join(dataset->root, given);
    vg_dataset *inner = NULL;
    vg_status status = path
                           ? vg_dataset_index(path, &dataset->options, &inner, manifest->err)
                           : vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    if (!status && !inner->archives && !vg_is_packed(inner))
        status = vg_manifest_fail(manifest, manifest->with_container,
                                  "the samples of container \"%.200s\" are files: list their paths",
                                  given);
    if (!status)
        status = find_samples(manifest, inner);
    if (!status)
        take_over(dataset, inner);
    vg_dataset_close(inner);
    free(path);
    return status;
}
