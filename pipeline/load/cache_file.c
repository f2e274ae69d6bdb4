/* Which sample is found where in a packed file, and when a new one is written.
 *
 * The quick question is the stamp: a sample of the same name in the same place whose size and time
 * are as the file remembers has the same bytes. Only when that fails are the stored bytes read and
 * hashed; then any picture made from the same bytes serves. What was learned that way is kept with
 * the next file that is written, so that a copied dataset is hashed once and not in every run.
 *
 * As in git's index, a stamp is worth nothing while the file is as young as the clock is coarse: it
 * could change again without the stamp changing. Such a sample is stored without a stamp.
 *
 * Workers never wait here for a file being written: the gate is tried, and whoever finds it shut
 * goes on as if the cache were full. */
#include "load/cache_file.h"

#include "base/alloc.h"
#include "load/cache_build.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <xxhash.h>

/* What this run knows of a sample and the packed file does not. */
typedef struct pending {
    vg_packed_entry entry; /* bytes 0: only the stamp was taken so far */
    const vg_packed *from; /* whose record it is; NULL: the build's */
} pending;

struct vg_cache_file {
    const vg_dataset *dataset;
    size_t count;
    char *path, *key;
    uint64_t place; /* of the dataset, hashed */
    uint64_t max_bytes;
    _Atomic(vg_packed *) packed; /* with all older ones, whose records are lent */
    _Atomic(vg_build *) build;
    vg_build *built;   /* committed or given up, but lent */
    pending *pendings; /* [count] */

    pthread_rwlock_t gate; /* read: writing one pending, appending; write: committing */
    _Atomic bool shut;     /* a commit waits for the gate: let it in */
    pthread_mutex_t mutex; /* beginning a build, and the words below */
    _Atomic bool resting;  /* no build before the next commit */
    _Atomic bool full;     /* of this build */
    bool broken;           /* none at all */
    bool other_writer;
    char replaced[200];
    vg_error trouble;
    _Atomic uint64_t limit; /* for the statistics */

    _Atomic uint64_t added, added_bytes; /* to the build */
    _Atomic uint64_t relearned;          /* samples found by content, worth noting */
    _Atomic uint64_t pictures, bytes, refused, stale, damaged, hashed;
};

static void note_trouble(vg_cache_file *f, const vg_error *why)
{
    pthread_mutex_lock(&f->mutex);
    f->trouble = *why;
    pthread_mutex_unlock(&f->mutex);
}

/* Takes up the file as it is now, whatever was there before; *taken false: nothing usable. */
static vg_status take_up(vg_cache_file *f, bool *taken, vg_error *err)
{
    vg_packed *packed;
    char why[200];
    *taken = false;
    vg_status status = vg_packed_open(f->path, f->key, &packed, why, err);
    if (!status && packed) {
        packed->older = atomic_load(&f->packed);
        atomic_store(&f->packed, packed);
        *taken = true;
    } else if (why[0]) {
        snprintf(f->replaced, sizeof f->replaced, "%s", why);
    }
    return status;
}

/* The packed file, unless somebody has cut it off since. */
static const vg_packed *whole(const vg_cache_file *f)
{
    const vg_packed *packed = atomic_load(&f->packed);
    return packed && vg_packed_whole(packed) ? packed : NULL;
}

/* How many bytes of records a new file may get, beside those it takes over. */
static uint64_t room_for(const vg_cache_file *f)
{
    const vg_packed *packed = atomic_load(&f->packed);
    uint64_t there = packed ? packed->end - packed->begin : 0;
    uint64_t room = UINT64_MAX, most = f->max_bytes ? f->max_bytes : UINT64_MAX;
    char *folder = vg_strdup(f->path);
    if (folder) {
        char *slash = strrchr(folder, '/');
        if (slash)
            slash[1] = '\0';
        struct statvfs disk;
        if (statvfs(slash ? folder : ".", &disk) == 0) {
            const uint64_t most_spared = (uint64_t)1 << 30;
            room = (uint64_t)disk.f_bavail * disk.f_frsize;
            uint64_t spared = room / 10 < most_spared ? room / 10 : most_spared;
            room -= spared; /* for the index, and for others who write there */
            room = room > there ? room - there : 0; /* the copy of the old one is paid first */
        }
        free(folder);
    }
    most = most > there ? most - there : 0;
    return room < most ? room : most;
}

/* Sees to it that there is a build, if there can be one. The mutex is held. */
static vg_status begin(vg_cache_file *f, vg_error *err)
{
    if (atomic_load(&f->build) || atomic_load(&f->resting) || f->broken)
        return VG_OK;
    vg_build *build = NULL;
    uint64_t room = room_for(f);
    bool full = room < VG_RECORD_ALIGN;
    vg_status status = full ? VG_OK : vg_build_open(f->path, f->key, room, &build, err);
    f->other_writer = !build && !status && !full;
    if (!build) {
        atomic_store(&f->resting, true);
        return status;
    }
    /* another process may have finished the file between our reading and our lock */
    if (!vg_packed_current(atomic_load(&f->packed), f->path)) {
        bool taken;
        status = take_up(f, &taken, err);
    }
    if (status) {
        vg_build_close(build);
        atomic_store(&f->resting, true);
        return status;
    }
    const vg_packed *packed = atomic_load(&f->packed);
    atomic_store(&f->limit,
                 build->limit - build->begin + (packed ? packed->end - packed->begin : 0));
    atomic_store(&f->added, 0);
    atomic_store(&f->added_bytes, 0);
    atomic_store(&f->full, false);
    atomic_store(&f->build, build);
    return VG_OK;
}

static vg_status begin_locked(vg_cache_file *f, vg_error *err)
{
    pthread_mutex_lock(&f->mutex);
    vg_status status = begin(f, err);
    if (status && err)
        f->trouble = *err;
    pthread_mutex_unlock(&f->mutex);
    return status;
}

static vg_status start(vg_cache_file *f, const vg_cache_options *options, const char *key,
                       vg_error *err)
{
    f->path = vg_strdup(options->path);
    f->key = vg_strdup(key);
    f->pendings = vg_calloc(f->count, sizeof *f->pendings);
    if (!f->path || !f->key || !f->pendings)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for %zu samples", options->path,
                       f->count);
    const char *given = vg_dataset_path(f->dataset);
    char *place = realpath(given, NULL);
    f->place = XXH3_64bits(place ? place : given, strlen(place ? place : given));
    free(place);
    f->max_bytes = options->max_bytes;
    bool taken;
    vg_status status = take_up(f, &taken, err);
    if (status)
        return status;
    if (!taken)
        return begin(f, err); /* a path that cannot be written is said at once */
    vg_build_clean(f->path);
    atomic_store(&f->limit, room_for(f));
    return VG_OK;
}

vg_status vg_cache_file_open(const vg_cache_options *options, const vg_dataset *dataset,
                             const char *decode_key, vg_cache_file **file, vg_error *err)
{
    *file = NULL;
    if (strlen(decode_key) > VG_PACKED_KEY_MAX)
        return vg_fail(err, VG_E_ARG, "cache: a decode key of %zu bytes, at most %d",
                       strlen(decode_key), VG_PACKED_KEY_MAX);
    vg_cache_file *f = vg_calloc(1, sizeof *f);
    if (!f)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", options->path);
    f->dataset = dataset;
    f->count = vg_dataset_count(dataset);
    pthread_rwlock_init(&f->gate, NULL);
    pthread_mutex_init(&f->mutex, NULL);
    vg_status status = start(f, options, decode_key, err);
    if (status)
        vg_cache_file_close(f);
    else
        *file = f;
    return status;
}

static void free_all(vg_cache_file *f)
{
    vg_build_close(atomic_load(&f->build));
    for (vg_build *b = f->built, *older; b; b = older) {
        older = b->older;
        vg_build_close(b);
    }
    for (vg_packed *p = atomic_load(&f->packed), *older; p; p = older) {
        older = p->older;
        vg_packed_close(p);
    }
    pthread_rwlock_destroy(&f->gate);
    pthread_mutex_destroy(&f->mutex);
    free(f->pendings);
    free(f->path);
    free(f->key);
    free(f);
}

void vg_cache_file_close(vg_cache_file *f)
{
    if (!f)
        return;
    bool adopted;
    if (f->path && f->key && f->pendings)
        (void)vg_cache_file_commit(f, true, &adopted, NULL);
    free_all(f);
}

/* ---- one sample ---- */

static bool name_hash(const vg_cache_file *f, size_t index, vg_hash128 *hash)
{
    char room[1024], *name = room;
    size_t length = vg_dataset_name(f->dataset, index, room, sizeof room);
    if (length >= sizeof room) {
        name = vg_alloc(length + 1, 1);
        if (!name)
            return false;
        vg_dataset_name(f->dataset, index, name, length + 1);
    }
    XXH128_hash_t made = XXH3_128bits_withSeed(name, length, f->place);
    *hash = (vg_hash128){made.low64, made.high64};
    if (name != room)
        free(name);
    return true;
}

static vg_hash128 content_hash(vg_span stored)
{
    XXH128_hash_t made = XXH3_128bits(stored.data, stored.size);
    return (vg_hash128){made.low64, made.high64};
}

/* A stamp that says nothing becomes one that is never believed. */
static void distrust_young(vg_stamp *stamp)
{
    const int64_t second = 1000000000, coarsest = 2 * second; /* of FAT */
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        stamp->modified > (int64_t)now.tv_sec * second + now.tv_nsec - coarsest)
        stamp->modified = 0;
}

static bool enter(vg_cache_file *f)
{
    return !atomic_load(&f->shut) && pthread_rwlock_tryrdlock(&f->gate) == 0;
}

static void note(vg_cache_file *f, size_t index, const vg_packed_entry *entry,
                 const vg_packed *from)
{
    if (!enter(f))
        return;
    f->pendings[index] = (pending){.entry = *entry, .from = from};
    if (entry->bytes && entry->stamp.modified)
        atomic_fetch_add(&f->relearned, 1);
    pthread_rwlock_unlock(&f->gate);
}

static const vg_record *checked(vg_cache_file *f, const vg_packed *packed,
                                const vg_packed_entry *entry, bool first)
{
    const vg_record *record = vg_packed_record(packed, entry);
    if (!record && first)
        atomic_fetch_add(&f->damaged, 1);
    return record;
}

/* The picture of a sample whose stamp did not tell, by its stored bytes. */
static const vg_record *find_by_content(vg_cache_file *f, size_t index, vg_reader *reader,
                                        const vg_packed *packed, bool first, vg_packed_entry *mine)
{
    vg_span stored;
    if (vg_dataset_bytes(f->dataset, index, reader, &stored, NULL))
        return NULL;
    if (first)
        atomic_fetch_add(&f->hashed, 1);
    vg_hash128 content = content_hash(stored);
    uint64_t cursor = UINT64_MAX;
    const vg_packed_entry *entry;
    while ((entry = vg_packed_by_content(packed, content, &cursor))) {
        const vg_record *record = checked(f, packed, entry, first);
        if (!record)
            continue;
        mine->content = content;
        mine->offset = entry->offset;
        mine->bytes = entry->bytes;
        return record;
    }
    return NULL;
}

const vg_record *vg_cache_file_find(vg_cache_file *f, size_t index, vg_reader *reader, bool first)
{
    const vg_packed *packed = whole(f);
    vg_packed_entry mine = {{0}, {0}, {0}, 0, 0};
    if (!name_hash(f, index, &mine.name) || vg_dataset_stamp(f->dataset, index, &mine.stamp, NULL))
        return NULL;
    const vg_packed_entry *entry = packed ? vg_packed_by_name(packed, mine.name) : NULL;
    if (entry && mine.stamp.modified && entry->stamp.modified == mine.stamp.modified &&
        entry->stamp.size == mine.stamp.size) {
        if (first)
            note(f, index, &mine, NULL); /* in case it is damaged, or of no use to the caller */
        return checked(f, packed, entry, first);
    }
    distrust_young(&mine.stamp); /* before the bytes are read: they may change after it */
    const vg_record *record = NULL;
    if (packed && packed->count)
        record = find_by_content(f, index, reader, packed, first, &mine);
    if (!first)
        return record;
    if (!record && entry)
        atomic_fetch_add(&f->stale, 1);
    note(f, index, &mine, record ? packed : NULL);
    return record;
}

/* With the gate held. */
static const vg_record *append(vg_cache_file *f, size_t index, vg_span stored,
                               const vg_image *image, const vg_decode_info *info, vg_error *err)
{
    vg_build *build = atomic_load(&f->build);
    if (!build && !atomic_load(&f->resting)) {
        begin_locked(f, err);
        build = atomic_load(&f->build);
    }
    if (!build || atomic_load(&build->failed))
        return NULL;
    _Alignas(vg_record) uint8_t head[VG_RECORD_HEAD_MAX];
    vg_packed_entry *entry = &f->pendings[index].entry;
    entry->content = content_hash(stored);
    if (!name_hash(f, index, &entry->name))
        return NULL;
    size_t length = vg_record_make(image, info, entry->content.low, head);
    vg_record_seal(head, image->data);
    vg_status status;
    const vg_record *record =
        vg_build_append(build, head, length, image->data, &entry->offset, &status, err);
    if (status)
        note_trouble(f, err);
    if (!record) {
        atomic_store(&f->full, true);
        return NULL;
    }
    f->pendings[index].from = NULL;
    distrust_young(&entry->stamp);
    entry->bytes = record->bytes;
    atomic_fetch_add(&f->added, 1);
    atomic_fetch_add(&f->added_bytes, record->bytes);
    atomic_fetch_add(&f->pictures, 1);
    atomic_fetch_add(&f->bytes, record->bytes);
    return record;
}

const vg_record *vg_cache_file_put(vg_cache_file *f, size_t index, vg_span stored,
                                   const vg_image *image, const vg_decode_info *info)
{
    vg_error err = {0};
    const vg_record *record = NULL;
    if (enter(f)) {
        record = append(f, index, stored, image, info, &err);
        pthread_rwlock_unlock(&f->gate);
    }
    if (!record)
        atomic_fetch_add(&f->refused, 1);
    return record;
}

bool vg_cache_file_takes(const vg_cache_file *f)
{
    return !atomic_load_explicit(&f->resting, memory_order_relaxed) &&
           !atomic_load_explicit(&f->full, memory_order_relaxed);
}

/* ---- writing the file ---- */

static int by_name(const void *a, const void *b)
{
    const vg_hash128 *x = &((const vg_packed_entry *)a)->name,
                     *y = &((const vg_packed_entry *)b)->name;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return (x->high > y->high) - (x->high < y->high);
}

static int by_offset(const void *a, const void *b)
{
    uint64_t x = ((const vg_packed_entry *)a)->offset, y = ((const vg_packed_entry *)b)->offset;
    return (x > y) - (x < y);
}

/* Fills `all` (room for all pendings and all old entries): what the build holds first, then what
 * must be copied from the packed file, in the order of its offsets. */
static uint64_t gather(const vg_cache_file *f, const vg_packed *packed, vg_packed_entry *all,
                       uint64_t *from_build)
{
    uint64_t fresh = 0, count;
    for (size_t i = 0; i < f->count; i++) {
        const pending *p = &f->pendings[i];
        if (p->entry.bytes && !p->from)
            all[fresh++] = p->entry;
    }
    count = *from_build = fresh;
    for (size_t i = 0; i < f->count; i++) {
        const pending *p = &f->pendings[i];
        if (p->entry.bytes && p->from && p->from == packed)
            all[count++] = p->entry;
    }
    uint64_t known = count;
    qsort(all, fresh, sizeof *all, by_name);
    qsort(all + fresh, count - fresh, sizeof *all, by_name);
    for (uint64_t i = 0; packed && i < packed->count; i++) {
        const vg_packed_entry *old = &packed->entries[i];
        if (!bsearch(old, all, fresh, sizeof *all, by_name) &&
            !bsearch(old, all + fresh, known - fresh, sizeof *all, by_name))
            all[count++] = *old;
    }
    qsort(all + fresh, count - fresh, sizeof *all, by_offset);
    return count;
}

static vg_status write_file(vg_cache_file *f, vg_build *build, vg_error *err)
{
    const vg_packed *packed = whole(f);
    uint64_t most = f->count + (packed ? packed->count : 0), fresh;
    vg_packed_entry *all = vg_alloc(most, sizeof *all);
    if (!all)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for %llu entries", f->path,
                       (unsigned long long)most);
    uint64_t count = gather(f, packed, all, &fresh);
    vg_status status = VG_OK;
    if (count >= UINT32_MAX)
        status = vg_fail(err, VG_E_LIMIT, "%s: more than 4294967294 pictures", f->path);
    if (!status && packed)
        status = vg_build_copy(build, packed, all + fresh, count - fresh, err);
    if (!status)
        status = vg_build_commit(build, all, count, err);
    free(all);
    return status;
}

/* The build is over, its records stay lent, and nothing is pending any more. */
static void put_away(vg_cache_file *f)
{
    vg_build *build = atomic_load(&f->build);
    vg_build_drop(build);
    build->older = f->built;
    f->built = build;
    atomic_store(&f->build, NULL);
    for (size_t i = 0; i < f->count; i++)
        f->pendings[i].entry.bytes = 0;
    atomic_store(&f->added, 0);
    atomic_store(&f->added_bytes, 0);
    atomic_store(&f->relearned, 0);
}

static bool worth_writing(const vg_cache_file *f, bool last)
{
    const vg_packed *packed = atomic_load(&f->packed);
    uint64_t there = packed ? packed->end - packed->begin : 0;
    uint64_t added = atomic_load(&f->added), bytes = atomic_load(&f->added_bytes);
    if (last) /* reading every sample again next time costs more than one copy now */
        return added || atomic_load(&f->relearned) > f->count / 2;
    return added && bytes >= there / 8;
}

static vg_status commit(vg_cache_file *f, bool last, vg_error *err)
{
    vg_status status = VG_OK;
    if (worth_writing(f, last)) {
        if (!atomic_load(&f->build))
            status = begin(f, err);
        vg_build *build = atomic_load(&f->build);
        if (!status && build) {
            status = write_file(f, build, err);
            f->broken = status || atomic_load(&build->failed);
            put_away(f);
        }
    } else if (last && atomic_load(&f->build)) {
        put_away(f);
    }
    if (status && err)
        f->trouble = *err;
    return status;
}

vg_status vg_cache_file_commit(vg_cache_file *f, bool last, bool *adopted, vg_error *err)
{
    vg_error mine = {0};
    *adopted = false;
    atomic_store(&f->shut, true);
    pthread_rwlock_wrlock(&f->gate);
    pthread_mutex_lock(&f->mutex);
    const vg_build *before = f->built;
    vg_status status = commit(f, last, &mine);
    bool ours = f->built != before;
    if (!atomic_load(&f->build)) {
        vg_error ignored; /* what cannot be read now is not needed either */
        bool taken = false;
        atomic_store(&f->resting, f->broken);
        atomic_store(&f->full, false);
        if (!vg_packed_current(atomic_load(&f->packed), f->path))
            (void)take_up(f, &taken, &ignored);
        *adopted = taken && !ours;
    }
    pthread_mutex_unlock(&f->mutex);
    pthread_rwlock_unlock(&f->gate);
    atomic_store(&f->shut, false);
    return status ? vg_fail(err, status, "%s", mine.message) : VG_OK;
}

void vg_cache_file_stats(vg_cache_file *f, vg_cache_stats *stats)
{
    const vg_packed *packed = atomic_load(&f->packed);
    stats->pictures = atomic_load(&f->pictures);
    stats->bytes = atomic_load(&f->bytes);
    stats->max_bytes = atomic_load(&f->limit);
    stats->refused_full = atomic_load(&f->refused);
    stats->stale = atomic_load(&f->stale);
    stats->damaged = atomic_load(&f->damaged);
    stats->hashed = atomic_load(&f->hashed);
    stats->file_pictures = packed ? packed->count : 0;
    pthread_mutex_lock(&f->mutex);
    stats->other_writer = f->other_writer;
    memcpy(stats->replaced, f->replaced, sizeof stats->replaced);
    stats->trouble = f->trouble;
    pthread_mutex_unlock(&f->mutex);
}
