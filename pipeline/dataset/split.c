/* Which of train, val and test a sample belongs to when the data does not say.
 *
 * Only the hash of the sample's name decides: XXH64 of its path below the dataset's root, without a
 * train/ folder before it. So adding, removing or re-encoding files moves no other file, the answer
 * is the same on every machine, and each class is split in the same shares in expectation. What
 * this refuses to do is to repair small classes by hand, because then one new file could move
 * another. */
#include "dataset/index.h"

#include "base/rng.h"
#include "base/text.h"
#include "base/threads.h"

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

struct assignment {
    vg_dataset *dataset;
    const vg_dataset_options *options;
};

vg_split vg_split_of_key(const char *key, size_t length, const vg_dataset_options *options)
{
    double u = (double)(vg_hash(key, length, 0) >> 11) * 0x1p-53;
    return u < options->train_share                        ? VG_SPLIT_TRAIN
           : u < options->train_share + options->val_share ? VG_SPLIT_VAL
                                                           : VG_SPLIT_TEST;
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
        vg_split split = vg_split_of_key(key, length - (size_t)(key - namer.name), a->options);
        vg_sample s = dataset->samples[i];
        dataset->samples[i] = vg_sample_pack(vg_sample_place(s), vg_sample_label(s), split);
    }
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
    struct assignment assignment = {dataset, options};
    int threads = options->threads > 0 ? options->threads : vg_threads_available();
    vg_parallel_for(threads, (dataset->count + TOGETHER - 1) / TOGETHER, assign, &assignment);
    return VG_OK;
}
