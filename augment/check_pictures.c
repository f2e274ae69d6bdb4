/* Which pictures the check looks at: of every class alike, no more than the work allows that was asked for. The work is
 * counted in pixels, never in time, so that the same pictures are chosen everywhere. */
#include "base/alloc.h"
#include "base/rng.h"
#include "check_internal.h"

#include <stdlib.h>

enum {
    LEAST_OF_CLASS = 12,
    KEEP_AUGMENTED = 96 << 20, /* bytes of decoded pictures */
    KEEP_OTHERS = 64 << 20,
    LOOKED_AT = 6,         /* pictures, for the size of a picture */
    LEAST_REFERENCES = 32, /* that are looked at, whatever they cost */
    LEAST_PICTURES = 16    /* that are augmented */
};

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

typedef struct candidate {
    int label;
    uint64_t rank;
    size_t index;
} candidate;

static int by_class(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* ---- how many */

typedef struct limits {
    size_t pictures, references;
} limits;

size_t check_views(const check_run *run)
{
    const vg_augment *a = run->augment;
    const vg_check_options *o = &run->options;
    if (o->pixels == 0)
        return SIZE_MAX;
    return most_of(o->pixels / ((size_t)a->width * (size_t)a->height), o->decodes / 25);
}

/* Pixels of a picture as stored, the mean of a few; 1 where none can be read. */
static vg_status find_size(check_run *run, const candidate *all, size_t total, size_t *pixels,
                           vg_error *err)
{
    vg_reader reader;
    vg_image image = {0};
    size_t count = 0, sum = 0;
    vg_status status = vg_reader_init(&reader, err);
    for (size_t i = 0; i < LOOKED_AT && !status; i++) {
        vg_decode_info info = {0};
        vg_error why = {0};
        if (check_read(run, &reader, all[i * total / LOOKED_AT].index, &image, &info, &why) !=
            VG_OK)
            continue; /* said when it is looked at */
        bool known = info.width > 0 && info.height > 0;
        sum += (size_t)(known ? info.width : image.width) *
               (size_t)(known ? info.height : image.height);
        count++;
    }
    *pixels = count ? most_of(sum / count, 1) : 1;
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    return status;
}

static vg_status find_limits(check_run *run, const candidate *all, size_t total, limits *most,
                             vg_error *err)
{
    const vg_check_options *o = &run->options;
    *most = (limits){SIZE_MAX, SIZE_MAX};
    if (o->pixels == 0)
        return VG_OK;
    size_t pixels, draws = (size_t)(run->parts > 0 ? run->parts : 1) * (size_t)o->draws;
    vg_status status = find_size(run, all, total, &pixels, err);
    if (status != VG_OK)
        return status;
    most->references = most_of(most_of(o->pixels / pixels, o->decodes / 50), LEAST_REFERENCES);
    most->pictures = least_of(most_of(check_views(run) / draws, LEAST_PICTURES), most->references);
    return VG_OK;
}

/* ---- which */

/* The largest quota such that classes of counts[] give at most `total` together, at least 1. */
static size_t quota_of(const size_t *counts, int classes, size_t total)
{
    size_t quota = 1;
    for (size_t sum = 0; quota < total; quota++) {
        sum = 0;
        for (int k = 0; k < classes; k++)
            sum += counts[k] < quota + 1 ? counts[k] : quota + 1;
        if (sum > total || sum == 0)
            break;
    }
    return quota;
}

static vg_status choose(check_run *run, const size_t *counts, int classes, candidate *all,
                        size_t total, vg_error *err)
{
    size_t n = 0, pictures = run->options.pictures, present = 0;
    limits most;
    for (size_t i = 0; i < vg_dataset_count(run->dataset); i++)
        if (vg_dataset_split(run->dataset, i) == VG_SPLIT_TRAIN)
            all[n++] = (candidate){vg_dataset_label(run->dataset, i),
                                   vg_mix(vg_mix(run->options.seed, VG_RNG_PROBE), i), i};
    qsort(all, n, sizeof *all, by_class);
    for (int k = 0; k < classes; k++)
        present += counts[k] > 0;
    size_t wanted = present * LEAST_OF_CLASS;
    if (wanted > pictures)
        pictures = wanted < 4 * pictures ? wanted : 4 * pictures;
    vg_status status = find_limits(run, all, total, &most, err);
    if (status != VG_OK)
        return status;
    size_t references = run->options.references > pictures ? run->options.references : pictures;
    pictures = least_of(pictures, most.pictures);
    references = least_of(references, most.references);
    size_t each = quota_of(counts, classes, pictures), more = quota_of(counts, classes, references);
    size_t kept = 0, within = 0, chosen = 0;
    for (size_t i = 0; i < total; i++) {
        within = i && all[i].label == all[i - 1].label ? within + 1 : 0;
        if (within < more)
            all[kept++] = all[i];
    }
    if (kept > most.references) { /* more classes than that */
        for (size_t i = 0; i < most.references; i++)
            all[i] = all[i * kept / most.references];
        kept = most.references;
    }
    run->index = vg_calloc(kept, sizeof *run->index);
    run->augmented = vg_calloc(kept, sizeof *run->augmented);
    run->kept = vg_calloc(kept, sizeof *run->kept);
    run->errors = vg_calloc(kept, sizeof *run->errors);
    run->before = vg_calloc(kept, sizeof *run->before);
    run->picture = vg_calloc(kept, sizeof *run->picture);
    run->own = vg_calloc(kept, sizeof *run->own);
    run->near = vg_calloc(kept, sizeof *run->near);
    run->looks = vg_calloc(kept, sizeof *run->looks);
    run->space.typical = vg_calloc((size_t)classes, sizeof *run->space.typical);
    run->space.label = vg_calloc(kept, sizeof *run->space.label);
    run->space.reference = vg_calloc(kept, LABEL_SIZE * sizeof(float));
    if (!run->index || !run->augmented || !run->kept || !run->errors || !run->before ||
        !run->picture || !run->own || !run->near || !run->looks || !run->space.typical ||
        !run->space.label || !run->space.reference)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", kept);
    run->space.count = kept;
    run->space.classes = classes;
    for (size_t i = 0; i < kept; i++) {
        within = i && all[i].label == all[i - 1].label ? within + 1 : 0;
        run->index[i] = all[i].index;
        run->space.label[i] = all[i].label;
        run->augmented[i] = within < each;
        chosen += run->augmented[i];
    }
    for (size_t i = 0, at = 0; i < kept && chosen > most.pictures; i++)
        if (run->augmented[i]) { /* as many of them, evenly */
            run->augmented[i] = (at + 1) * most.pictures / chosen > at * most.pictures / chosen;
            at++;
        }
    chosen = least_of(chosen, most.pictures);
    run->room[1] = KEEP_AUGMENTED / most_of(chosen, 1);
    run->room[0] = kept > chosen ? KEEP_OTHERS / (kept - chosen) : 0;
    return VG_OK;
}

vg_status check_choose(check_run *run, vg_error *err)
{
    int classes = vg_dataset_classes(run->dataset);
    size_t *counts = vg_calloc((size_t)classes, sizeof *counts), total = 0;
    candidate *all = NULL;
    vg_status status = VG_OK;
    if (counts) {
        vg_dataset_counts(run->dataset, VG_SPLIT_TRAIN, counts);
        for (int k = 0; k < classes; k++)
            total += counts[k];
        all = vg_calloc(total, sizeof *all);
    }
    if (!counts || !all)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the samples");
    else if (total == 0)
        status = vg_fail(err, VG_E_STATE, "%s: no training samples to check",
                         vg_dataset_path(run->dataset));
    else
        status = choose(run, counts, classes, all, total, err);
    free(all);
    free(counts);
    return status;
}
