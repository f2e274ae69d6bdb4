/* Class folders are handed out to threads one by one. Each thread appends to an index of its own,
 * with places of its own; in the end these are joined in the order of the folders. Names stay where
 * their thread put them: only the samples must be in order, not the arena behind them.
 *
 * Where only counts are wanted no name is kept and no file is sorted: each is hashed where it was
 * read, and forgotten. Folders are still read in their order, because that decides which of two ways
 * to the same folder counts.
 *
 * A thread keeps one descriptor open at a time and finds folders by their path below the root, so
 * that deep trees do not use descriptors up. Links are followed, but no folder is read twice for the
 * same class folder, which ends circles. Refuses folders more than 200 deep, and those whose path is
 * longer than the system opens. */
#include "dataset/class_scan.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "dataset/listing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 200, PATH_BYTES = 4096, NAME_BYTES = 256, EXTENSION_BYTES = 8 };

struct place {
    dev_t device;
    ino_t inode;
};

struct note {
    size_t item;
    char *text;
};

struct worker {
    struct job *job;
    char *names; /* of files, those of one folder together, its path before them */
    size_t names_size, names_capacity;
    uint64_t *folders; /* as in the index */
    size_t folder_count, folder_capacity;
    vg_sample *samples;
    size_t sample_count, sample_capacity;

    char *buffer;
    vg_entry *entries, *spare; /* of the folder being read and those above it, a stack */
    size_t entry_count, entry_capacity, spare_capacity;
    char *below; /* names of their folders, a stack */
    size_t below_size, below_capacity;
    struct place *seen; /* folders already read for this class folder */
    size_t seen_count, seen_capacity;
    char path[PATH_BYTES + NAME_BYTES]; /* of the folder being read, ends in '/' */
    size_t length;                      /* of that path */
    const char *key;                    /* where in it names begin for the hash */
    char extension[EXTENSION_BYTES];    /* the last one that made a sample, with its dot */
    size_t extension_length;

    vg_dataset_ignored ignored;
    vg_finds finds;
    struct note notes[VG_NOTES_KEPT];
    size_t note_count; /* counts on beyond what is kept */
    size_t item;       /* the class folder being read */
    vg_status status;
    vg_error err;
};

struct job {
    vg_class_folders *folders;
    int root;
    const char *dataset_path;
    bool split_folders;
    struct worker *workers;
    atomic_bool failed;
};

static vg_status no_memory(struct worker *w)
{
    return vg_fail(&w->err, VG_E_NOMEM, "%s/%s: out of memory while listing", w->job->dataset_path,
                   w->path);
}

/* A folder, or the rest of one, is left out. */
static void leave_out(struct worker *w, const char *why)
{
    w->ignored.unreadable++;
    if (w->note_count < VG_NOTES_KEPT) {
        size_t size = strlen(w->path) + strlen(why) + 3;
        char *text = vg_alloc(size, 1);
        if (text)
            snprintf(text, size, "%s: %s", w->path, why);
        w->notes[w->note_count] = (struct note){w->item, text};
    }
    w->note_count++;
}

/* Most files of a dataset have the same extension. */
static bool is_sample(struct worker *w, const char *name, size_t length)
{
    size_t known = w->extension_length;
    if (known && length > known && memcmp(name + length - known, w->extension, known) == 0)
        return true;
    if (!vg_name_is_sample(name, &w->ignored, &w->finds))
        return false;
    const char *dot = strrchr(name, '.');
    known = dot ? length - (size_t)(dot - name) : 0;
    if (known && known <= EXTENSION_BYTES) {
        memcpy(w->extension, dot, known);
        w->extension_length = known;
    }
    return true;
}

static bool keep_name(char **names, size_t *size, size_t *capacity, const char *name, size_t length)
{
    if (!vg_grow(names, capacity, *size + length + 1, 1))
        return false;
    memcpy(*names + *size, name, length);
    (*names)[*size + length] = '\0';
    *size += length + 1;
    return true;
}

/* How many bytes the two names have in common, up to `most`. */
static size_t common(const char *a, const char *b, size_t most)
{
    size_t n = 0;
    while (n < most && a[n] == b[n] && a[n])
        n++;
    return n;
}

/* Counts a picture in place of keeping it. What is hashed is what vg_namer_get would give for it. */
static void count_sample(struct worker *w, const char *name, size_t length)
{
    vg_class_folder *item = &w->job->folders->list[w->item];
    size_t end = w->length + length;
    if (length >= NAME_BYTES) /* no system that we know has such names */
        end = w->length + NAME_BYTES - 1;
    memcpy(w->path + w->length, name, end - w->length);
    if (end >= PATH_BYTES)
        end = PATH_BYTES - 1;
    vg_split split =
        vg_split_of_key(w->key, (size_t)(w->path + end - w->key), w->job->folders->counts);
    item->by_hash.of[split]++;
    item->count++;
}

/* Pushes the files and folders of `list` that count, sorted; the others are tallied. */
static vg_status take_entries(struct worker *w, vg_listing *list)
{
    const char *name;
    size_t length, base = w->entry_count, shared = SIZE_MAX;
    vg_entry_kind kind;
    while (vg_listing_next(list, &name, &length, &kind)) {
        bool kept = true;
        vg_entry entry = {0};
        if (vg_name_is_hidden(name, length)) {
            w->ignored.hidden++;
            continue;
        }
        if (kind == VG_ENTRY_FOLDER) {
            entry.at = w->below_size | VG_ENTRY_IS_FOLDER;
            kept = keep_name(&w->below, &w->below_size, &w->below_capacity, name, length);
        } else if (kind == VG_ENTRY_NEITHER) {
            w->ignored.not_images++;
            continue;
        } else if (!is_sample(w, name, length)) {
            continue;
        } else if (w->job->folders->counts) {
            count_sample(w, name, length);
            continue;
        } else {
            entry.at = w->names_size;
            kept = keep_name(&w->names, &w->names_size, &w->names_capacity, name, length);
        }
        if (!kept ||
            !vg_grow(&w->entries, &w->entry_capacity, w->entry_count + 1, sizeof *w->entries))
            return no_memory(w);
        w->entries[w->entry_count++] = entry;
        const char *first = vg_entry_name(&w->entries[base], w->names, w->below);
        if (shared == SIZE_MAX)
            shared = length;
        else if (length < shared || memcmp(first, name, shared) != 0)
            shared = common(first, name, shared);
    }
    size_t n = w->entry_count - base;
    if (n > 1 && !vg_grow(&w->spare, &w->spare_capacity, n, sizeof *w->spare))
        return no_memory(w);
    if (n > 1)
        vg_entries_sort(w->entries + base, w->spare, n, w->names, w->below, shared);
    return VG_OK;
}

static vg_status add_sample(struct worker *w, uint64_t place)
{
    const vg_class_folder *item = &w->job->folders->list[w->item];
    if (!vg_grow(&w->samples, &w->sample_capacity, w->sample_count + 1, sizeof *w->samples))
        return no_memory(w);
    w->samples[w->sample_count++] = vg_sample_pack(place, item->label, item->split);
    return VG_OK;
}

/* Whether the folder was read before for this class folder; remembers it. */
static vg_status mark_seen(struct worker *w, const vg_listing *list, bool *again)
{
    struct place place = {list->device, list->inode};
    *again = false;
    for (size_t i = 0; i < w->seen_count && !*again; i++)
        *again = w->seen[i].inode == place.inode && w->seen[i].device == place.device;
    if (*again)
        return VG_OK;
    if (!vg_grow(&w->seen, &w->seen_capacity, w->seen_count + 1, sizeof place))
        return no_memory(w);
    w->seen[w->seen_count++] = place;
    return VG_OK;
}

/* Lists the folder w->path: its entries are pushed, none if it is left out. */
static vg_status list_folder(struct worker *w)
{
    vg_class_folder *item = &w->job->folders->list[w->item];
    bool counting = w->job->folders->counts != NULL;
    vg_listing list;
    bool again;
    if (!vg_listing_open(&list, w->job->root, w->path, w->buffer)) {
        if (errno == ENOMEM)
            return no_memory(w);
        if (errno == EMFILE || errno == ENFILE)
            return vg_fail(&w->err, VG_E_IO, "%s/%s: %s", w->job->dataset_path, w->path,
                           strerror(errno));
        item->incomplete = true;
        leave_out(w, strerror(errno));
        return VG_OK;
    }
    vg_status status = mark_seen(w, &list, &again);
    if (!status && again) {
        leave_out(w, "a link in a circle, or to a folder that this class has already");
    } else if (!status) {
        w->finds.folders++;
        w->length = strlen(w->path);
        if (!counting &&
            (!keep_name(&w->names, &w->names_size, &w->names_capacity, w->path, w->length) ||
             !vg_grow(&w->folders, &w->folder_capacity, w->folder_count + 1, sizeof *w->folders)))
            status = no_memory(w);
        else if (!counting)
            w->folders[w->folder_count++] = w->names_size - w->length - 1;
        if (!status)
            status = take_entries(w, &list);
        w->path[w->length] = '\0'; /* behind it stood the name that was hashed last */
        if (!status && list.error) {
            item->incomplete = true;
            leave_out(w, strerror(list.error));
        }
    }
    vg_listing_close(&list);
    return status;
}

static vg_status read_folder(struct worker *w, int depth);

static vg_status read_below(struct worker *w, size_t length, const char *name, int depth)
{
    size_t more = strlen(name);
    vg_status status = VG_OK;
    if (depth > DEEPEST || length + more + 2 > PATH_BYTES) {
        leave_out(w, "folders too deep in each other");
        return VG_OK;
    }
    memcpy(w->path + length, name, more);
    memcpy(w->path + length + more, "/", 2);
    status = read_folder(w, depth);
    w->path[length] = '\0';
    return status;
}

/* All pictures in and below w->path, in order. */
static vg_status read_folder(struct worker *w, int depth)
{
    size_t base = w->entry_count, below = w->below_size, length = strlen(w->path);
    size_t names = w->names_size, folders = w->folder_count;
    vg_status status = list_folder(w);
    size_t end = w->entry_count;
    if (w->names_size <= names + length + 1) { /* no files: no need to keep its path */
        w->names_size = names;
        w->folder_count = folders;
    }
    for (size_t i = base; !status && i < end; i++) {
        uint64_t at = w->entries[i].at;
        if (at & VG_ENTRY_IS_FOLDER)
            status = read_below(w, length, w->below + (at & ~VG_ENTRY_IS_FOLDER), depth + 1);
        else
            status = add_sample(w, at);
    }
    w->entry_count = base;
    w->below_size = below;
    return status;
}

static void read_class(void *context, int thread, size_t number)
{
    struct job *job = context;
    struct worker *w = &job->workers[thread];
    vg_class_folder *item = &job->folders->list[number];
    if (atomic_load_explicit(&job->failed, memory_order_relaxed))
        return;
    const char *path = job->folders->paths + item->path;
    size_t length = strlen(path);
    w->item = number;
    w->seen_count = 0;
    item->worker = thread;
    item->first = w->sample_count;
    if (length < PATH_BYTES) {
        memcpy(w->path, path, length + 1);
        const char *slash = job->split_folders ? strchr(w->path, '/') : NULL;
        w->key = slash ? slash + 1 : w->path;
        if (!w->buffer && !(w->buffer = vg_alloc(VG_LISTING_BUFFER, 1)))
            w->status = no_memory(w);
        else
            w->status = read_folder(w, 0);
    }
    if (!job->folders->counts)
        item->count = w->sample_count - item->first;
    if (w->status)
        atomic_store(&job->failed, true);
}

/* Puts the samples of all class folders one after the other. Frees what the workers had of them, so
 * that samples and names are never both there twice. */
static bool join_samples(struct job *job, vg_dataset *dataset, int threads)
{
    const vg_class_folders *folders = job->folders;
    struct worker *workers = job->workers;
    uint64_t offsets[VG_SCAN_THREADS];
    size_t size = 0, total = 0;
    for (int t = 0; t < threads; t++) {
        offsets[t] = size; /* where join_names will put the worker's names */
        size += workers[t].names_size;
        total += workers[t].sample_count;
    }
    vg_sample *samples = workers[0].samples;
    if (threads > 1 && !(samples = vg_alloc(total, sizeof *samples)))
        return false;
    for (size_t i = 0; threads > 1 && i < folders->count; i++) {
        const vg_class_folder *item = &folders->list[i];
        const vg_sample *from = workers[item->worker].samples + item->first;
        for (size_t s = 0; s < item->count; s++) /* the place is in the low bits */
            samples[dataset->count++] = from[s] + offsets[item->worker];
    }
    dataset->samples = samples;
    dataset->sample_capacity = threads > 1 ? total : workers[0].sample_capacity;
    dataset->count = total;
    for (int t = 0; t < threads; t++) {
        if (threads > 1)
            free(workers[t].samples);
        workers[t].samples = NULL;
    }
    return true;
}

/* Appends the arenas of the other workers to that of the first, which is the index's. */
static bool join_names(vg_dataset *dataset, struct worker *workers, int threads)
{
    struct worker *first = &workers[0];
    for (int t = 1; t < threads; t++) {
        struct worker *w = &workers[t];
        size_t size = first->names_size + w->names_size;
        size_t count = first->folder_count + w->folder_count;
        if (!vg_grow(&first->names, &first->names_capacity, size, 1) ||
            !vg_grow(&first->folders, &first->folder_capacity, count, sizeof *first->folders))
            return false;
        for (size_t i = 0; i < w->folder_count; i++)
            first->folders[first->folder_count++] = w->folders[i] + first->names_size;
        if (w->names_size)
            memcpy(first->names + first->names_size, w->names, w->names_size);
        first->names_size = size;
        free(w->names);
        w->names = NULL;
    }
    dataset->names = first->names;
    dataset->names_size = first->names_size;
    dataset->names_capacity = first->names_capacity;
    dataset->folders = first->folders;
    dataset->folder_count = first->folder_count;
    dataset->folder_capacity = first->folder_capacity;
    first->names = NULL;
    first->folders = NULL;
    return true;
}

/* What stands for the samples where only counts are kept. Data that holds val or test samples brings
 * its splits. */
static bool join_counts(const vg_class_folders *folders, vg_dataset *dataset)
{
    if (!(dataset->tally = vg_calloc((size_t)dataset->class_count, sizeof *dataset->tally)))
        return false;
    for (size_t i = 0; i < folders->count; i++)
        dataset->brings_splits |=
            folders->list[i].count && folders->list[i].split != VG_SPLIT_TRAIN;
    for (size_t i = 0; i < folders->count; i++) {
        const vg_class_folder *item = &folders->list[i];
        vg_tally *tally = &dataset->tally[item->label];
        dataset->count += item->count;
        if (dataset->brings_splits)
            tally->of[item->split] += item->count;
        for (int s = 0; !dataset->brings_splits && s < VG_SPLIT_COUNT; s++)
            tally->of[s] += item->by_hash.of[s];
    }
    return true;
}

static vg_status join(struct job *job, vg_dataset *dataset, int threads, vg_error *err)
{
    if (job->folders->counts && !join_counts(job->folders, dataset))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the counts", dataset->path);
    if ((!job->folders->counts && !join_samples(job, dataset, threads)) ||
        !join_names(dataset, job->workers, threads))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the index", dataset->path);
    if (dataset->names_size >> VG_PLACE_BITS)
        return vg_fail(err, VG_E_LIMIT, "%s: names of more than 1 TiB", dataset->path);
    return VG_OK;
}

/* What the workers counted and noted, in the order of the class folders. */
static void add_up(struct job *job, vg_dataset *dataset, int threads, vg_finds *finds)
{
    size_t next[VG_SCAN_THREADS] = {0};
    for (int t = 0; t < threads; t++) {
        const struct worker *w = &job->workers[t];
        dataset->ignored.hidden += w->ignored.hidden;
        dataset->ignored.not_images += w->ignored.not_images;
        dataset->ignored.other_formats += w->ignored.other_formats;
        dataset->ignored.unreadable += w->ignored.unreadable;
        finds->folders += w->finds.folders;
        for (int i = 0; i < VG_OTHER_FORMATS; i++)
            finds->other[i] += w->finds.other[i];
    }
    for (;;) { /* each worker's notes are in order */
        int first = -1;
        for (int t = 0; t < threads; t++) {
            const struct worker *w = &job->workers[t];
            bool left = next[t] < w->note_count && next[t] < VG_NOTES_KEPT;
            if (left &&
                (first < 0 || w->notes[next[t]].item < job->workers[first].notes[next[first]].item))
                first = t;
        }
        if (first < 0)
            break;
        const char *text = job->workers[first].notes[next[first]++].text;
        vg_index_note(dataset, "%s", text ? text : "a folder that cannot be listed");
    }
    for (int t = 0; t < threads; t++)
        if (job->workers[t].note_count > VG_NOTES_KEPT)
            dataset->note_count += job->workers[t].note_count - VG_NOTES_KEPT;
}

static void worker_reset(struct worker *w)
{
    free(w->names);
    free(w->folders);
    free(w->samples);
    free(w->buffer);
    free(w->entries);
    free(w->spare);
    free(w->below);
    free(w->seen);
    for (size_t i = 0; i < w->note_count && i < VG_NOTES_KEPT; i++)
        free(w->notes[i].text);
}

vg_status vg_class_folders_read(vg_class_folders *folders, vg_dataset *dataset, int root,
                                int threads, vg_finds *finds, vg_error *err)
{
    struct job job = {.folders = folders,
                      .root = root,
                      .dataset_path = dataset->path,
                      .split_folders = dataset->split_folders};
    if (threads > VG_SCAN_THREADS)
        threads = VG_SCAN_THREADS;
    if ((size_t)threads > folders->count)
        threads = folders->count ? (int)folders->count : 1;
    job.workers = vg_calloc((size_t)threads, sizeof *job.workers);
    if (!job.workers)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    for (int t = 0; t < threads; t++)
        job.workers[t].job = &job;
    /* the first goes on where the index stands, with the names of the classes */
    job.workers[0].names = dataset->names;
    job.workers[0].names_size = dataset->names_size;
    job.workers[0].names_capacity = dataset->names_capacity;
    dataset->names = NULL;
    vg_parallel_for(threads, folders->count, read_class, &job);
    const struct worker *failed = NULL;
    for (int t = 0; t < threads; t++)
        if (job.workers[t].status && (!failed || job.workers[t].item < failed->item))
            failed = &job.workers[t];
    vg_status status = failed ? failed->status : join(&job, dataset, threads, err);
    if (failed && err)
        *err = failed->err;
    if (!status)
        add_up(&job, dataset, threads, finds);
    for (int t = 0; t < threads; t++)
        worker_reset(&job.workers[t]);
    free(job.workers);
    return status;
}

void vg_class_folders_reset(vg_class_folders *folders)
{
    free(folders->paths);
    free(folders->list);
    *folders = (vg_class_folders){0};
}
