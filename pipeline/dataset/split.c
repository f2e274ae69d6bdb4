/* Which of train, val and test a sample belongs to when the data does not say.
 *
 * Only the hash of the sample's name decides: XXH64 of its path below the dataset's root, without a
 * train/ folder before it. So adding, removing or re-encoding files moves no other file, the answer
 * is the same on every machine, and each class is split in the same shares in expectation. Split by
 * group, the hash is that of the group which the name speaks of. What this refuses to do is to repair small classes by hand, because then one new file could move
 * another. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/threads.h"
#include "dataset/series.h"

#include <stdlib.h>
#include <string.h>

const char *vg_split_name(vg_split split)
{
    switch (split) {
    case VG_SPLIT_TRAIN:
        return "train";
    case VG_SPLIT_VAL:
        return "val";
    case VG_SPLIT_TEST:
        return "test";
    case VG_SPLIT_COUNT:
        break;
    }
    return "unknown";
}

bool vg_split_of_word(const char *word, vg_split *split)
{
    static const struct {
        const char *word;
        vg_split split;
    } words[] = {
        {"train", VG_SPLIT_TRAIN},    {"training", VG_SPLIT_TRAIN}, {"val", VG_SPLIT_VAL},
        {"validation", VG_SPLIT_VAL}, {"valid", VG_SPLIT_VAL},      {"dev", VG_SPLIT_VAL},
        {"test", VG_SPLIT_TEST},      {"testing", VG_SPLIT_TEST},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (vg_text_equal_fold(word, words[i].word)) {
            *split = words[i].split;
            return true;
        }
    return false;
}

vg_dataset_options vg_dataset_options_default(void)
{
    return (vg_dataset_options){.train_share = 0.70, .val_share = 0.15};
}

const char *vg_split_by_name(vg_split_by by)
{
    return by == VG_SPLIT_BY_GROUP ? "group" : "name";
}

vg_split vg_split_of_hash(uint64_t hash, double train_share, double val_share)
{
    double u = (double)(hash >> 11) * 0x1p-53;
    return u < train_share               ? VG_SPLIT_TRAIN
           : u < train_share + val_share ? VG_SPLIT_VAL
                                         : VG_SPLIT_TEST;
}

struct assignment {
    vg_dataset *dataset;
    const vg_dataset_options *options;
    struct group_of *groups; /* NULL: by name */
};

/* For counting. */
struct group_of {
    int label;
    uint64_t group;
};

/* The key need not end with a zero. */
static uint64_t hash_of_key(const char *key, size_t length, const vg_dataset_options *options)
{
    char name[4096];
    if (options->split_by == VG_SPLIT_BY_NAME)
        return vg_hash(key, length, 0);
    length = length < sizeof name ? length : sizeof name - 1;
    memcpy(name, key, length);
    name[length] = '\0';
    vg_series series;
    vg_series_read(name, &series);
    return vg_series_group(&series);
}

vg_split vg_split_of_key(const char *key, size_t length, const vg_dataset_options *options)
{
    return vg_split_of_hash(hash_of_key(key, length, options), options->train_share,
                            options->val_share);
}

enum { TOGETHER = 16384 }; /* samples that a thread takes at a time */

static void assign(void *context, int thread, size_t item)
{
    (void)thread;
    const struct assignment *a = context;
    vg_dataset *dataset = a->dataset;
    vg_namer namer = {0};
    size_t first = item * TOGETHER, left = dataset->count - first;
    size_t end = first + (left < TOGETHER ? left : TOGETHER);
    for (size_t i = first; i < end; i++) {
        size_t length = vg_namer_get(&namer, dataset, i);
        const char *key = namer.name;
        if (dataset->split_folders) {
            const char *slash = memchr(key, '/', length);
            key = slash ? slash + 1 : key;
        }
        uint64_t hash = hash_of_key(key, length - (size_t)(key - namer.name), a->options);
        vg_sample s = dataset->samples[i];
        if (a->groups)
            a->groups[i] = (struct group_of){vg_sample_label(s), hash};
        vg_split split = vg_split_of_hash(hash, a->options->train_share, a->options->val_share);
        dataset->samples[i] = vg_sample_pack(vg_sample_place(s), vg_sample_label(s), split);
    }
}

static int by_label_group(const void *a, const void *b)
{
    const struct group_of *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

/* Names that only count ("n01440764_10026" of a whole class) would put whole classes into one split. Sorts
 * groups. */
static vg_status refuse_counters(const vg_dataset *dataset, struct group_of *groups, vg_error *err)
{
    enum { FEWEST = 20 }; /* of a class that can be judged */
    size_t eligible = 0, held = 0, largest = 0, of = 0;
    int label = 0;
    qsort(groups, dataset->count, sizeof *groups, by_label_group);
    for (size_t i = 0, end; i < dataset->count; i = end) {
        size_t most = 0, other;
        for (end = i; end < dataset->count && groups[end].label == groups[i].label; end = other) {
            for (other = end;
                 other < dataset->count && by_label_group(&groups[other], &groups[end]) == 0;)
                other++;
            most = other - end > most ? other - end : most;
        }
        if (end - i < FEWEST)
            continue;
        eligible += end - i;
        held += 2 * most > end - i ? end - i : 0;
        if (2 * most > end - i && most > largest) {
            largest = most;
            of = end - i;
            label = groups[i].label;
        }
    }
    if (2 * held <= eligible || !held)
        return VG_OK;
    return vg_fail(err, VG_E_ARG,
                   "%s: cannot be split by group: by their names %zu of the %zu samples of \"%s\" "
                   "would be one group; expected names like TRACK_FRAME. Split by name, or give "
                   "the splits in a manifest",
                   dataset->path, largest, of, vg_index_class_name(dataset, label));
}

vg_status vg_split_assign(vg_dataset *dataset, const vg_dataset_options *options, vg_error *err)
{
    double train = options->train_share, val = options->val_share;
    if (!(train >= 0 && val >= 0 && train + val <= 1 + 1e-9))
        return vg_fail(
            err, VG_E_ARG,
            "shares of train %g and val %g: expected numbers from 0 to 1 whose sum is at "
            "most 1 (the rest is test)",
            train, val);
    if (dataset->tally)
        return VG_OK;
    for (size_t i = 0; i < dataset->count; i++)
        if (vg_sample_split(dataset->samples[i]) != VG_SPLIT_TRAIN) {
            dataset->brings_splits = true;
            return VG_OK;
        }
    struct assignment assignment = {dataset, options, NULL};
    if (options->split_by == VG_SPLIT_BY_GROUP) {
        if (vg_is_packed(dataset))
            return vg_fail(err, VG_E_ARG, "%s: cannot be split by group: its samples have no names",
                           dataset->path);
        assignment.groups = vg_alloc(dataset->count, sizeof *assignment.groups);
        if (!assignment.groups)
            return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the groups of %zu samples",
                           dataset->path, dataset->count);
    }
    int threads = options->threads > 0 ? options->threads : vg_threads_available();
    vg_parallel_for(threads, (dataset->count + TOGETHER - 1) / TOGETHER, assign, &assignment);
    vg_status status = VG_OK;
    if (assignment.groups)
        status = refuse_counters(dataset, assignment.groups, err);
    free(assignment.groups);
    return status;
}
