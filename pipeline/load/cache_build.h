/* Writing a packed file: FILE.building, locked, appended to by many threads, renamed to FILE.
 * Internal to the cache. */
#ifndef VG_LOAD_CACHE_BUILD_H
#define VG_LOAD_CACHE_BUILD_H

#include "load/cache_packed.h"

#include <stdatomic.h>

typedef struct vg_build {
    char *path, *temporary;
    int fd; /* locked as long as it is open */
    const uint8_t *map;
    uint64_t begin, limit; /* of the records; what is mapped is [0, limit) */
    uint64_t file_limit;   /* of the whole file, by the system */
    _Atomic uint64_t end;
    uint64_t header_check;
    _Atomic bool failed;    /* nothing more is taken after the first write that failed */
    struct vg_build *older; /* what was committed before and is still lent; for the owner */
} vg_build;

/* Begins a file of at most about `budget` bytes of records. *build is NULL with VG_OK when another
 * process is at it. Errors: VG_E_IO names the file, VG_E_NOMEM. */
vg_status vg_build_open(const char *path, const char *key, uint64_t budget, vg_build **build,
                        vg_error *err);

/* Appends a sealed record: head[length] and the pixels. Any thread. Returns where it can be read
 * until vg_build_close, and its entry's offset. NULL: full (VG_OK) or VG_E_IO. */
const vg_record *vg_build_append(vg_build *build, const uint8_t *head, size_t length,
                                 const uint8_t *pixels, uint64_t *offset, vg_status *status,
                                 vg_error *err);

/* Copies the records of entries[count], sorted by offset, over from `from` and sets their offsets
 * to the new ones. One thread. */
vg_status vg_build_copy(vg_build *build, const vg_packed *from, vg_packed_entry *entries,
                        uint64_t count, vg_error *err);
/* Index, footer, sync, rename; the records stay readable. One thread; on an error the file that was
 * there is untouched, and this one is to be dropped. */
vg_status vg_build_commit(vg_build *build, const vg_packed_entry *entries, uint64_t count,
                          vg_error *err);
/* Removes the temporary file if it was not committed; the records stay readable. */
void vg_build_drop(vg_build *build);
void vg_build_close(vg_build *build);

/* Removes what a killed process left; nothing when one is at work. */
void vg_build_clean(const char *path);

#endif
