/* One folder's entries as the system gives them, and their order. Private to dataset/. */
#ifndef VG_DATASET_LISTING_H
#define VG_DATASET_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum vg_entry_kind { VG_ENTRY_FILE, VG_ENTRY_FOLDER, VG_ENTRY_NEITHER } vg_entry_kind;

/* A folder that is being read. */
typedef struct vg_listing {
    int fd;
    void *stream; /* DIR where getdents64 is not at hand */
    char *buffer; /* lent by the caller for the life of the listing */
    size_t at, got;
    int error; /* errno that ended it early, or 0 */
    dev_t device;
    ino_t inode;
} vg_listing;
enum { VG_LISTING_BUFFER = 128 * 1024 };

/* Opens `path`, relative to the folder `base` (a descriptor). False with errno set. */
bool vg_listing_open(vg_listing *list, int base, const char *path, char *buffer);
/* The next entry but for "." and ".."; false at the end (then list->error says whether it is the
 * true one). `name` is valid until the next call. Links are followed; a link that leads nowhere
 * passes as a file: if it is called like a picture, reading it will say what is wrong with it. */
bool vg_listing_next(vg_listing *list, const char **name, size_t *length, vg_entry_kind *kind);
void vg_listing_close(vg_listing *list);

/* An entry to be sorted. Names live in two places, chosen by the top bit of `at`. */
typedef struct vg_entry {
    uint64_t key;
    uint64_t at;
} vg_entry;
#define VG_ENTRY_IS_FOLDER (UINT64_C(1) << 63)

static inline const char *vg_entry_name(const vg_entry *entry, const char *files,
                                        const char *folders)
{
    return (entry->at & VG_ENTRY_IS_FOLDER) ? folders + (entry->at & ~VG_ENTRY_IS_FOLDER)
                                            : files + entry->at;
}

/* Sorts entries[n] by the bytes of their names, which all begin with the same `skip` bytes.
 * `spare` has room for n. */
void vg_entries_sort(vg_entry *entries, vg_entry *spare, size_t n, const char *files,
                     const char *folders, size_t skip);

#endif
