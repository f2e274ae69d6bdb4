/* The front of the cache: one slot for each sample, holding where its picture is.
 *
 * A slot is a pointer and nothing else, so that a find is one atomic load and costs the same for a
 * thousand samples and for a million. Whoever wants to fill a slot claims it by compare-and-swap;
 * who comes second with a picture goes on without, and who comes second with a question asks the
 * file himself and leaves no trace: either is cheaper than any waiting.
 *
 * In memory, pictures are laid one after the other into one reservation of address space, which
 * takes real memory only as far as it is filled. Nothing is ever taken out: pictures are lent
 * without a count, and an epoch uses all of them equally, so that throwing one out for another
 * gains nothing. What a file holds is cache_file.c's; it is asked once for each sample. */
#include "load/cache_internal.h"

#include "base/alloc.h"
#include "load/cache_file.h"
#include "load/cache_record.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a slot says when it is not a pointer. Records are aligned: the lowest bits are free, and one
 * of them says that this run has put the picture there. */
enum { UNKNOWN = 0, MISSING = 1, PUTTING = 2, LOOKING = 3, OWN = 4, STRIPES = 16 };

/* One cache line each, so that counting does not make threads wait for each other. */
typedef struct stripe {
    _Alignas(VG_ALIGNMENT) _Atomic uint64_t hits;
    _Atomic uint64_t misses;
} stripe;

struct vg_cache {
    stripe stripes[STRIPES];
    size_t count;
    _Atomic uintptr_t *slots; /* [count] */
    vg_cache_file *file;      /* NULL: in memory */
    uint8_t *arena;           /* of `limit` bytes, `used` of them taken */
    uint64_t limit;
    _Atomic uint64_t used, pictures, refused_full;
    _Atomic bool full;
};

/* Reserves up to `bytes` (0: as vg_cache_options says), less when address space is limited. */
static vg_status reserve(vg_cache *c, uint64_t bytes, vg_error *err)
{
    const uint64_t least = (uint64_t)1 << 20;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    if (!bytes)
        bytes = vg_cache_memory_available() / 2;
    if (!bytes) /* nobody knows */
        bytes = (uint64_t)1 << 30;
    if (bytes > SIZE_MAX / 2)
        bytes = SIZE_MAX / 2;
    for (uint64_t size = bytes; size; size /= 2) {
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (at != MAP_FAILED) {
            c->arena = at;
            c->limit = size;
#ifdef MADV_HUGEPAGE
            (void)madvise(at, size, MADV_HUGEPAGE); /* fewer address look-ups; no harm if refused */
#endif
            return VG_OK;
        }
        if (size < least)
            break;
    }
    return vg_fail(err, VG_E_NOMEM, "cache: no address space for %llu bytes",
                   (unsigned long long)bytes);
}

vg_status vg_cache_open(const vg_cache_options *options, const vg_dataset *dataset,
                        const char *decode_key, vg_cache **cache, vg_error *err)
{
    *cache = NULL;
    if (options->kind != VG_CACHE_RAM && options->kind != VG_CACHE_FILE)
        return vg_fail(err, VG_E_ARG, "cache: opened without a kind");
    vg_cache *c = vg_alloc_aligned(1, sizeof *c);
    if (!c)
        return vg_fail(err, VG_E_NOMEM, "cache: out of memory");
    c->count = vg_dataset_count(dataset);
    c->slots = vg_calloc(c->count, sizeof *c->slots);
    vg_status status = VG_OK;
    if (!c->slots)
        status = vg_fail(err, VG_E_NOMEM, "cache: out of memory for %zu samples", c->count);
    else if (options->kind == VG_CACHE_RAM) /* memory dies with the process: no key is needed */
        status = reserve(c, options->max_bytes, err);
    else
        status = vg_cache_file_open(options, dataset, decode_key, &c->file, err);
    if (status) {
        vg_cache_close(c);
        return status;
    }
    *cache = c;
    return VG_OK;
}

/* The first touch of a sample. Two may come at once (one for the sample itself, one for a broken one
 * that it stands in for): both must find what is there, or an epoch would decode by chance. */
static uintptr_t look_up(vg_cache *c, size_t index, vg_reader *reader)
{
    uintptr_t slot = UNKNOWN;
    bool first = atomic_compare_exchange_strong(&c->slots[index], &slot, LOOKING);
    if (!first && slot != LOOKING)
        return slot;
    const vg_record *record = vg_cache_file_find(c->file, index, reader, first);
    slot = record ? (uintptr_t)record : MISSING;
    if (first)
        atomic_store_explicit(&c->slots[index], slot, memory_order_release);
    return slot;
}

bool vg_cache_find(vg_cache *c, size_t index, vg_reader *reader, vg_cached *picture)
{
    if (index >= c->count)
        return false;
    stripe *count = &c->stripes[index % STRIPES];
    uintptr_t slot = atomic_load_explicit(&c->slots[index], memory_order_acquire);
    if ((slot == UNKNOWN || slot == LOOKING) && c->file)
        slot = look_up(c, index, reader);
    if (slot <= LOOKING) {
        atomic_fetch_add_explicit(&count->misses, 1, memory_order_relaxed);
        return false;
    }
    atomic_fetch_add_explicit(&count->hits, 1, memory_order_relaxed);
    vg_record_open((const vg_record *)(slot & ~(uintptr_t)OWN), picture);
    picture->replaceable = !(slot & OWN);
    return true;
}

/* Room for `bytes` in the arena, NULL when there is none; smaller ones may still fit then. */
static uint8_t *claim(vg_cache *c, uint64_t bytes)
{
    uint64_t used = atomic_load_explicit(&c->used, memory_order_relaxed);
    do {
        if (bytes > c->limit - used)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&c->used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return c->arena + used;
}

static const vg_record *keep(vg_cache *c, const vg_image *image, const vg_decode_info *info)
{
    _Alignas(vg_record) uint8_t head[VG_RECORD_HEAD_MAX];
    size_t length = vg_record_make(image, info, 0, head);
    const vg_record *record = (const vg_record *)head;
    uint8_t *at = claim(c, record->bytes);
    if (!at) {
        atomic_store_explicit(&c->full, true, memory_order_relaxed);
        atomic_fetch_add_explicit(&c->refused_full, 1, memory_order_relaxed);
        return NULL;
    }
    memcpy(at, head, length);
    memcpy(at + length, image->data, vg_record_pixel_bytes(record));
    atomic_fetch_add_explicit(&c->pictures, 1, memory_order_relaxed);
    return (const vg_record *)at;
}

bool vg_cache_takes(const vg_cache *c)
{
    return c->file ? vg_cache_file_takes(c->file)
                   : !atomic_load_explicit(&c->full, memory_order_relaxed);
}

vg_status vg_cache_put(vg_cache *c, size_t index, vg_span stored, const vg_image *image,
                       const vg_decode_info *info, vg_error *err)
{
    const vg_region *region = &info->region;
    if (index >= c->count)
        return vg_fail(err, VG_E_ARG, "cache: sample %zu of %zu", index, c->count);
    vg_region whole = vg_region_whole(region->full_width, region->full_height, region->shrink);
    if (region->x || region->y || region->width != whole.width || region->height != whole.height ||
        image->width != whole.width || image->height != whole.height)
        return vg_fail(err, VG_E_ARG,
                       "cache: a part of %dx%d pixels of sample %zu, a whole picture of %dx%d "
                       "wanted",
                       image->width, image->height, index, whole.width, whole.height);
    uintptr_t slot = atomic_load_explicit(&c->slots[index], memory_order_relaxed);
    bool replaceable = slot > LOOKING && !(slot & OWN);
    if ((slot > MISSING && !replaceable) ||
        !atomic_compare_exchange_strong(&c->slots[index], &slot, PUTTING))
        return VG_OK;
    uintptr_t before = replaceable ? slot : MISSING;
    const vg_record *record =
        c->file ? vg_cache_file_put(c->file, index, stored, image, info) : keep(c, image, info);
    slot = record ? (uintptr_t)record | OWN : before;
    atomic_store_explicit(&c->slots[index], slot, memory_order_release);
    return VG_OK;
}

vg_status vg_cache_commit(vg_cache *c, bool last, vg_error *err)
{
    if (!c->file)
        return VG_OK;
    bool adopted;
    vg_status status = vg_cache_file_commit(c->file, last, &adopted, err);
    for (size_t i = 0; adopted && i < c->count; i++) {
        uintptr_t missing = MISSING; /* asked once more: it may be in the other process's file */
        atomic_compare_exchange_strong(&c->slots[i], &missing, UNKNOWN);
    }
    return status;
}

void vg_cache_close(vg_cache *c)
{
    if (!c)
        return;
    vg_cache_file_close(c->file);
    if (c->arena)
        munmap(c->arena, c->limit);
    free(c->slots);
    free(c);
}

vg_cache_stats vg_cache_stats_of(vg_cache *c)
{
    vg_cache_stats stats = {.pictures = atomic_load(&c->pictures),
                            .bytes = atomic_load(&c->used),
                            .max_bytes = c->limit,
                            .refused_full = atomic_load(&c->refused_full)};
    if (c->file)
        vg_cache_file_stats(c->file, &stats);
    for (int i = 0; i < STRIPES; i++) {
        stats.hits += atomic_load(&c->stripes[i].hits);
        stats.misses += atomic_load(&c->stripes[i].misses);
    }
    return stats;
}
