/* The growing index: names in one arena, classes found through a small hash table that is thrown away
 * when the scan ends. Offsets instead of pointers, because the arena moves while it grows. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static vg_status no_memory(const vg_dataset *dataset, vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the index after %zu samples",
                   dataset->path, dataset->count);
}

static vg_status add_name(vg_dataset *dataset, const char *name, size_t length, size_t *offset,
                          vg_error *err)
{
    size_t need = dataset->names_size + length + 1;
    if (need >> VG_PLACE_BITS)
        return vg_fail(err, VG_E_LIMIT, "%s: names of more than 1 TiB", dataset->path);
    if (!vg_grow(&dataset->names, &dataset->names_capacity, need, 1))
        return no_memory(dataset, err);
    *offset = dataset->names_size;
    memcpy(dataset->names + *offset, name, length);
    dataset->names[*offset + length] = '\0';
    dataset->names_size = need;
    return VG_OK;
}

/* How many folders begin before `place`: the last of them is its folder. */
static size_t folders_before(const vg_dataset *dataset, uint64_t place)
{
    size_t low = 0, high = dataset->folder_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dataset->folders[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *vg_index_folder(const vg_dataset *dataset, uint64_t place)
{
    size_t before = folders_before(dataset, place);
    return before ? dataset->names + dataset->folders[before - 1] : "";
}

static size_t copy_part(char *name, size_t capacity, size_t at, const char *part)
{
    size_t length = strlen(part);
    if (at < capacity) {
        size_t room = capacity - at - 1, fits = length < room ? length : room;
        memcpy(name + at, part, fits);
        name[at + fits] = '\0';
    }
    return at + length;
}

size_t vg_index_name(const vg_dataset *dataset, size_t index, char *name, size_t capacity)
{
    uint64_t place = vg_sample_place(dataset->samples[index]);
    size_t length = copy_part(name, capacity, 0, vg_index_folder(dataset, place));
    return copy_part(name, capacity, length, vg_index_file(dataset, place));
}

size_t vg_namer_get(vg_namer *namer, const vg_dataset *dataset, size_t index)
{
    const size_t capacity = sizeof namer->name;
    size_t length;
    if (vg_is_packed(dataset) || dataset->archives) {
        length = vg_dataset_name(dataset, index, namer->name, capacity);
    } else {
        uint64_t place = vg_sample_place(dataset->samples[index]);
        if (place < namer->first || place >= namer->end) {
            size_t next = folders_before(dataset, place);
            const char *folder = next ? dataset->names + dataset->folders[next - 1] : "";
            namer->first = next ? dataset->folders[next - 1] : 0;
            namer->end =
                next < dataset->folder_count ? dataset->folders[next] : dataset->names_size;
            namer->folder = copy_part(namer->name, capacity, 0, folder);
        }
        length = copy_part(namer->name, capacity, namer->folder, vg_index_file(dataset, place));
    }
    return length < capacity ? length : capacity - 1;
}

static size_t bucket_of(const vg_dataset *dataset, const char *name, size_t length)
{
    size_t mask = dataset->bucket_count - 1;
    size_t at = (size_t)vg_hash(name, length, 0) & mask;
    while (dataset->buckets[at]) {
        const char *other = vg_index_class_name(dataset, (int)dataset->buckets[at] - 1);
        if (strlen(other) == length && memcmp(other, name, length) == 0)
            break;
        at = (at + 1) & mask;
    }
    return at;
}

static bool grow_buckets(vg_dataset *dataset)
{
    size_t wanted = dataset->bucket_count ? dataset->bucket_count * 2 : 64;
    uint32_t *fresh = vg_calloc(wanted, sizeof *fresh);
    if (!fresh)
        return false;
    free(dataset->buckets);
    dataset->buckets = fresh;
    dataset->bucket_count = wanted;
    for (int k = 0; k < dataset->class_count; k++) {
        const char *name = vg_index_class_name(dataset, k);
        fresh[bucket_of(dataset, name, strlen(name))] = (uint32_t)k + 1;
    }
    return true;
}

vg_status vg_index_class(vg_dataset *dataset, const char *name, size_t length, int *label,
                         vg_error *err)
{
    if ((size_t)dataset->class_count * 2 >= dataset->bucket_count && !grow_buckets(dataset))
        return no_memory(dataset, err);
    size_t at = bucket_of(dataset, name, length);
    if (dataset->buckets[at]) {
        *label = (int)dataset->buckets[at] - 1;
        return VG_OK;
    }
    if (dataset->class_count == 1 << VG_LABEL_BITS)
        return vg_fail(err, VG_E_LIMIT, "%s: more than %d classes", dataset->path,
                       1 << VG_LABEL_BITS);
    size_t count = (size_t)dataset->class_count, offset = 0;
    if (!vg_grow(&dataset->classes, &dataset->class_capacity, count + 1, sizeof(size_t)))
        return no_memory(dataset, err);
    vg_status status = add_name(dataset, name, length, &offset, err);
    if (status)
        return status;
    dataset->classes[count] = offset;
    dataset->buckets[at] = (uint32_t)count + 1;
    *label = dataset->class_count++;
    return VG_OK;
}

vg_status vg_index_add_place(vg_dataset *dataset, uint64_t place, int label, vg_split split,
                             vg_error *err)
{
    if (!vg_grow(&dataset->samples, &dataset->sample_capacity, dataset->count + 1,
                 sizeof(vg_sample)))
        return no_memory(dataset, err);
    dataset->samples[dataset->count++] = vg_sample_pack(place, label, split);
    return VG_OK;
}

vg_status vg_index_add(vg_dataset *dataset, const char *name, int label, vg_split split,
                       vg_error *err)
{
    size_t offset = 0;
    vg_status status = add_name(dataset, name, strlen(name), &offset, err);
    return status ? status : vg_index_add_place(dataset, offset, label, split, err);
}

/* For sorting classes: the name, its value if numbers are compared, and the label it had. */
struct rank {
    const char *name;
    long long number;
    size_t offset;
    int label;
};

static int by_bytes(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    return strcmp(p->name, q->name);
}

static int by_number(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    if (p->number != q->number)
        return p->number < q->number ? -1 : 1;
    return strcmp(p->name, q->name);
}

static bool parse_integer(const char *text, long long *number)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!*digits || digits[strspn(digits, "0123456789")])
        return false;
    errno = 0;
    *number = strtoll(text, NULL, 10);
    return errno == 0;
}

static int collect_classes(vg_dataset *dataset, const size_t *counts, struct rank *ranks,
                           bool *numbers)
{
    int kept = 0;
    *numbers = true;
    for (int k = 0; k < dataset->class_count; k++) {
        if (!counts[k])
            continue;
        struct rank *rank = &ranks[kept++];
        *rank = (struct rank){vg_index_class_name(dataset, k), 0, dataset->classes[k], k};
        *numbers &= parse_integer(rank->name, &rank->number);
    }
    return kept;
}

static int by_letters(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    int order = strcasecmp(p->name, q->name);
    return order ? order : strcmp(p->name, q->name);
}

/* "Cat" beside "cat" is one class twice more often than two classes. Sorts ranks anew. */
static void note_twins(vg_dataset *dataset, struct rank *ranks, int count)
{
    if (count > 1)
        qsort(ranks, (size_t)count, sizeof *ranks, by_letters);
    for (int k = 1; k < count; k++)
        if (strcasecmp(ranks[k - 1].name, ranks[k].name) == 0)
            vg_index_note(dataset, "classes \"%s\" and \"%s\" differ in nothing but capitals",
                          ranks[k - 1].name, ranks[k].name);
}

static void shrink(void *array, size_t *capacity, size_t count, size_t size)
{
    void *old;
    memcpy(&old, array, sizeof old);
    void *fit = count ? vg_realloc(old, count, size) : NULL;
    if (!fit)
        return; /* the larger block serves as well */
    memcpy(array, &fit, sizeof fit);
    *capacity = count;
}

/* counts[class_count], zero before: samples of each. */
static void count_classes(const vg_dataset *dataset, size_t *counts)
{
    for (int k = 0; dataset->tally && k < dataset->class_count; k++)
        for (int s = 0; s < VG_SPLIT_COUNT; s++)
            counts[k] += dataset->tally[k].of[s];
    for (size_t i = 0; !dataset->tally && i < dataset->count; i++)
        counts[vg_sample_label(dataset->samples[i])]++;
}

vg_status vg_index_finish(vg_dataset *dataset, vg_class_order order, size_t *empty, vg_error *err)
{
    size_t classes = (size_t)dataset->class_count;
    size_t *counts = vg_calloc(classes, sizeof *counts);
    struct rank *ranks = vg_alloc(classes, sizeof *ranks);
    int *renumbered = vg_alloc(classes, sizeof *renumbered);
    vg_tally *tally = dataset->tally ? vg_alloc(classes, sizeof *tally) : NULL;
    if (!counts || !ranks || !renumbered || (dataset->tally && !tally)) {
        free(counts);
        free(ranks);
        free(renumbered);
        free(tally);
        return no_memory(dataset, err);
    }
    count_classes(dataset, counts);
    bool numbers;
    int kept = collect_classes(dataset, counts, ranks, &numbers);
    bool by_value = order == VG_CLASSES_BY_NUMBER_IF_ALL && numbers;
    if (order != VG_CLASSES_AS_ADDED && kept > 1)
        qsort(ranks, (size_t)kept, sizeof *ranks, by_value ? by_number : by_bytes);
    for (int k = 0; k < kept; k++) {
        dataset->classes[k] = ranks[k].offset;
        renumbered[ranks[k].label] = k;
        if (tally)
            tally[k] = dataset->tally[ranks[k].label];
    }
    if (tally) {
        free(dataset->tally);
        dataset->tally = tally;
    }
    note_twins(dataset, ranks, kept);
    for (size_t i = 0; !tally && i < dataset->count; i++) {
        vg_sample s = dataset->samples[i];
        dataset->samples[i] =
            vg_sample_pack(vg_sample_place(s), renumbered[vg_sample_label(s)], vg_sample_split(s));
    }
    if (empty)
        *empty = classes - (size_t)kept;
    dataset->class_count = kept;
    free(counts);
    free(ranks);
    free(renumbered);
    free(dataset->buckets);
    dataset->buckets = NULL;
    dataset->bucket_count = 0;
    shrink(&dataset->names, &dataset->names_capacity, dataset->names_size, 1);
    shrink(&dataset->samples, &dataset->sample_capacity, tally ? 0 : dataset->count,
           sizeof(vg_sample));
    return VG_OK;
}
