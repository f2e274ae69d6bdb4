/* The packed file, as it lies on the disk, and reading it. Internal to the cache.
 *
 *   header    what made the file: magic, version, byte order, the decode key, their checksum;
 *             a multiple of 4096 bytes
 *   records   one for each picture (cache_record.h), each from a multiple of 64 on
 *   index     an entry for each name; then two hash tables of 32-bit entry numbers (one more than
 *             the number, 0: free; open addressing), by name and by content
 *   footer    where the index is, its checksum, the file's length, a checksum of all that
 *
 * Numbers are in the machine's byte order; a file from another one is replaced, not converted. */
#ifndef VG_LOAD_CACHE_PACKED_H
#define VG_LOAD_CACHE_PACKED_H

#include "load/cache_record.h"

enum { VG_PACKED_VERSION = 1, VG_PACKED_KEY_MAX = 60000 };

typedef struct vg_hash128 {
    uint64_t low, high;
} vg_hash128;

typedef struct vg_packed_entry {
    vg_hash128 name;    /* XXH3-128 of the name, seeded with the dataset's place */
    vg_hash128 content; /* XXH3-128 of the stored bytes */
    vg_stamp stamp;     /* of the stored bytes; modified 0: not to be trusted */
    uint64_t offset;    /* of the record */
    uint64_t bytes;     /* of the record */
} vg_packed_entry;
_Static_assert(sizeof(vg_packed_entry) == 64, "the entry is laid out for files");

typedef struct vg_packed {
    int fd;
    const uint8_t *map;
    uint64_t bytes;      /* of the file */
    uint64_t begin, end; /* of the records */
    const vg_packed_entry *entries;
    const uint32_t *by_name, *by_content; /* [slots] */
    uint64_t count, slots;                /* slots: a power of two */
    uint64_t device, inode;
    struct vg_packed *older; /* what was used before; for the owner */
} vg_packed;

/* Maps the file and checks header, index and footer. *packed is NULL when there is no file (`why`
 * is empty then) or when it may be replaced (`why` says what is wrong). Errors: VG_E_IO (cannot be
 * read, not a regular file, or something else than a cache that must not be overwritten),
 * VG_E_NOMEM. */
vg_status vg_packed_open(const char *path, const char *key, vg_packed **packed, char why[200],
                         vg_error *err);
void vg_packed_close(vg_packed *packed);

/* Whether `path` is still the file that was opened; with NULL: whether there is none. */
bool vg_packed_current(const vg_packed *packed, const char *path);

/* Whether all of it is still there. What was cut off since it was opened would be a SIGBUS: to be
 * asked before records and index are looked at. */
bool vg_packed_whole(const vg_packed *packed);
const vg_packed_entry *vg_packed_by_name(const vg_packed *packed, vg_hash128 name);
/* The next entry with this content; *cursor begins as UINT64_MAX. */
const vg_packed_entry *vg_packed_by_content(const vg_packed *packed, vg_hash128 content,
                                            uint64_t *cursor);
/* The entry's picture after its checksum was looked at; NULL: damaged. */
const vg_record *vg_packed_record(const vg_packed *packed, const vg_packed_entry *entry);

/* What is written before and after the records, on the heap (free()). NULL: out of memory. */
uint8_t *vg_packed_header(const char *key, uint64_t *bytes);
/* Index and footer of a file whose records end at `end` (a multiple of 64). The header's checksum
 * is the last 8 bytes of `header`. */
uint8_t *vg_packed_index(const vg_packed_entry *entries, uint64_t count, uint64_t end,
                         uint64_t header_check, uint64_t *bytes);

#endif
