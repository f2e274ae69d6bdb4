/* Reading a folder and putting its names into order, as fast as the system allows, because datasets
 * of millions of files are listed at every start.
 *
 * Linux: getdents64 into a large buffer, and what is a folder from d_type, so that no entry costs a
 * call of its own; elsewhere readdir. Only links, and entries of file systems that do not say what
 * they are, are looked at one by one. Names come in the order of their hashes, and all names of a
 * folder tend to begin alike: they are sorted by the 8 bytes after what they share, as numbers. */
#include "dataset/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && !defined(VG_PLAIN_READDIR)
#include <sys/syscall.h>
#define HAS_GETDENTS 1
#endif

static bool is_dots(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

bool vg_listing_open(vg_listing *list, int base, const char *path, char *buffer)
{
    struct stat st;
    *list = (vg_listing){0};
    list->buffer = buffer;
    do
        list->fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (list->fd < 0 && errno == EINTR);
    if (list->fd < 0)
        return false;
    bool good = fstat(list->fd, &st) == 0;
#ifndef HAS_GETDENTS
    if (good)
        good = (list->stream = fdopendir(list->fd)) != NULL;
#endif
    if (!good) {
        int error = errno;
        close(list->fd);
        errno = error;
        return false;
    }
    list->device = st.st_dev;
    list->inode = st.st_ino;
    return true;
}

static vg_entry_kind look(const vg_listing *list, const char *name)
{
    struct stat st;
    if (fstatat(list->fd, name, &st, 0) != 0)
        return VG_ENTRY_FILE;
    return S_ISDIR(st.st_mode)   ? VG_ENTRY_FOLDER
           : S_ISREG(st.st_mode) ? VG_ENTRY_FILE
                                 : VG_ENTRY_NEITHER;
}

#if defined(HAS_GETDENTS) || defined(_DIRENT_HAVE_D_TYPE)
static vg_entry_kind kind_of(const vg_listing *list, const char *name, unsigned char type)
{
    switch (type) {
    case DT_REG:
        return VG_ENTRY_FILE;
    case DT_DIR:
        return VG_ENTRY_FOLDER;
    case DT_LNK:
    case DT_UNKNOWN:
        return look(list, name);
    default:
        return VG_ENTRY_NEITHER;
    }
}
#endif

#ifdef HAS_GETDENTS
/* The kernel's struct linux_dirent64, getdents64(2). */
struct record {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

bool vg_listing_next(vg_listing *list, const char **name, size_t *length, vg_entry_kind *kind)
{
    for (;;) {
        if (list->at == list->got) {
            long got;
            do
                got = syscall(SYS_getdents64, list->fd, list->buffer, VG_LISTING_BUFFER);
            while (got < 0 && errno == EINTR);
            if (got < 0)
                list->error = errno;
            if (got <= 0)
                return false;
            list->got = (size_t)got;
            list->at = 0;
        }
        const struct record *record = (const void *)(list->buffer + list->at);
        list->at += record->length;
        if (is_dots(record->name))
            continue;
        *name = record->name;
        *length = strlen(record->name);
        *kind = kind_of(list, record->name, record->type);
        return true;
    }
}

void vg_listing_close(vg_listing *list)
{
    close(list->fd);
}
#else
bool vg_listing_next(vg_listing *list, const char **name, size_t *length, vg_entry_kind *kind)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(list->stream);
        if (!entry) {
            list->error = errno;
            return false;
        }
    } while (is_dots(entry->d_name));
    *name = entry->d_name;
    *length = strlen(entry->d_name);
#ifdef _DIRENT_HAVE_D_TYPE
    *kind = kind_of(list, entry->d_name, entry->d_type);
#else
    *kind = look(list, entry->d_name);
#endif
    return true;
}

void vg_listing_close(vg_listing *list)
{
    closedir(list->stream);
}
#endif

/* Eight bytes of a name as a number that compares as they do; zeros after its end. */
static uint64_t key_of(const char *name)
{
    uint64_t key = 0;
    for (int i = 0; i < 8 && name[i]; i++)
        key |= (uint64_t)(unsigned char)name[i] << (56 - 8 * i);
    return key;
}

static void insertion_sort(vg_entry *entries, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        vg_entry entry = entries[i];
        size_t at = i;
        for (; at && entries[at - 1].key > entry.key; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* By key: least significant digit first, a byte at a time, those that vary. */
static void radix_sort(vg_entry *entries, vg_entry *spare, size_t n)
{
    uint64_t varies = 0;
    bool sorted = true;
    for (size_t i = 1; i < n; i++) {
        varies |= entries[i].key ^ entries[0].key;
        sorted &= entries[i - 1].key <= entries[i].key;
    }
    if (sorted)
        return;
    vg_entry *from = entries, *to = spare;
    for (int shift = 0; shift < 64; shift += 8) {
        size_t place[256] = {0}, sum = 0;
        if (!(varies >> shift & 255))
            continue;
        for (size_t i = 0; i < n; i++)
            place[from[i].key >> shift & 255]++;
        for (int digit = 0; digit < 256; digit++) {
            size_t count = place[digit];
            place[digit] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[place[from[i].key >> shift & 255]++] = from[i];
        vg_entry *other = from;
        from = to;
        to = other;
    }
    if (from != entries)
        memcpy(entries, from, n * sizeof *entries);
}

void vg_entries_sort(vg_entry *entries, vg_entry *spare, size_t n, const char *files,
                     const char *folders, size_t skip)
{
    enum { FEW = 24 };
    for (size_t i = 0; i < n; i++)
        entries[i].key = key_of(vg_entry_name(&entries[i], files, folders) + skip);
    if (n <= FEW)
        insertion_sort(entries, n);
    else
        radix_sort(entries, spare, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && entries[end].key == entries[i].key; end++)
            ;
        if (end > i + 1 && entries[i].key & 255) /* else they are one name, given twice */
            vg_entries_sort(entries + i, spare, end - i, files, folders, skip + 8);
    }
}
