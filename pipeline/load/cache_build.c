/* The file under construction.
 *
 * Its name is fixed and its lock (flock) says that somebody lives: whoever finds it unlocked may
 * clear it away, so that a killed process leaves nothing that the next run does not remove. After
 * locking it is looked at again, because the file may have been renamed to its final name between
 * opening and locking.
 *
 * Records are written (pwritev), not stored through the mapping: a full disk is an error code then
 * and not a SIGBUS. They are read through one mapping that is as long as the file may become;
 * beyond the end of the file it costs address space only, and nothing there is ever touched. */
#define _GNU_SOURCE /* copy_file_range */
#include "load/cache_build.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char *temporary_of(const char *path)
{
    size_t bytes = strlen(path) + sizeof ".building";
    char *name = vg_alloc(bytes, 1);
    if (name)
        snprintf(name, bytes, "%s.building", path);
    return name;
}

/* The file of that name, locked; -1 with errno 0 when another process holds it. */
static int open_locked(const char *name, int flags)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        int fd = open(name, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
            return -1;
        struct stat mine, there;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int reason = errno;
            close(fd);
            errno = reason == EWOULDBLOCK ? 0 : reason;
            return -1;
        }
        if (fstat(fd, &mine) == 0 && lstat(name, &there) == 0 && mine.st_dev == there.st_dev &&
            mine.st_ino == there.st_ino)
            return fd;
        close(fd); /* was renamed or removed between open and lock */
    }
    errno = 0;
    return -1;
}

void vg_build_clean(const char *path)
{
    char *name = temporary_of(path);
    int fd = name ? open_locked(name, 0) : -1;
    if (fd >= 0) {
        unlink(name); /* first the name, then the lock */
        close(fd);
    }
    free(name);
}

static vg_status write_fully(const vg_build *b, struct iovec *part, int parts, uint64_t at,
                             vg_error *err)
{
    uint64_t bytes = 0;
    for (int i = 0; i < parts; i++)
        bytes += part[i].iov_len;
    /* beyond this limit the system sends a signal that kills */
    if (at > b->file_limit || bytes > b->file_limit - at)
        return vg_fail(err, VG_E_IO, "%s: %s", b->temporary, strerror(EFBIG));
    while (parts) {
        ssize_t n = pwritev(b->fd, part, parts, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return vg_fail(err, VG_E_IO, "%s: cannot be written: %s", b->temporary,
                           strerror(n ? errno : ENOSPC));
        at += (uint64_t)n;
        size_t done = (size_t)n;
        for (; parts && done >= part->iov_len; part++, parts--)
            done -= part->iov_len;
        if (parts) {
            part->iov_base = (uint8_t *)part->iov_base + done;
            part->iov_len -= done;
        }
    }
    return VG_OK;
}

static vg_status write_block(const vg_build *b, const void *data, uint64_t bytes, uint64_t at,
                             vg_error *err)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = bytes};
    return write_fully(b, &part, 1, at, err);
}

/* A mapping of [0, limit), shorter when address space is scarce. */
static bool map_ahead(vg_build *b, uint64_t limit)
{
    const uint64_t most = (uint64_t)1 << (sizeof(size_t) > 4 ? 44 : 29);
    for (uint64_t length = limit < most ? limit : most; length > b->begin; length /= 2) {
        void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, b->fd, 0);
        if (map != MAP_FAILED) {
            b->map = map;
            b->limit = length;
            return true;
        }
    }
    return false;
}

static vg_status start(vg_build *b, const char *key, uint64_t budget, vg_error *err)
{
    struct rlimit allowed;
    b->file_limit = INT64_MAX;
    if (getrlimit(RLIMIT_FSIZE, &allowed) == 0 && allowed.rlim_cur < (uint64_t)INT64_MAX)
        b->file_limit = allowed.rlim_cur;
    uint8_t *header = vg_packed_header(key, &b->begin);
    if (!header)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", b->path);
    vg_status status = VG_OK;
    if (ftruncate(b->fd, 0) != 0)
        status = vg_fail(err, VG_E_IO, "%s: %s", b->temporary, strerror(errno));
    if (!status)
        status = write_block(b, header, b->begin, 0, err);
    memcpy(&b->header_check, header + b->begin - sizeof b->header_check, sizeof b->header_check);
    free(header);
    b->end = b->begin;
    uint64_t limit = budget > INT64_MAX - b->begin ? INT64_MAX : b->begin + budget;
    if (!status && !map_ahead(b, limit < b->file_limit ? limit : b->file_limit))
        status = vg_fail(err, VG_E_IO, "%s: cannot be mapped: %s", b->temporary, strerror(errno));
    return status;
}

vg_status vg_build_open(const char *path, const char *key, uint64_t budget, vg_build **build,
                        vg_error *err)
{
    *build = NULL;
    vg_build *b = vg_calloc(1, sizeof *b);
    if (b) {
        b->fd = -1;
        b->path = vg_strdup(path);
        b->temporary = temporary_of(path);
    }
    if (!b || !b->path || !b->temporary) {
        vg_build_close(b);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    }
    b->fd = open_locked(b->temporary, O_CREAT);
    if (b->fd < 0) {
        vg_status status = VG_OK;
        if (errno)
            status =
                vg_fail(err, VG_E_IO, "%s: cannot be written: %s", b->temporary, strerror(errno));
        vg_build_close(b);
        return status;
    }
    vg_status status = start(b, key, budget, err);
    if (status)
        vg_build_close(b);
    else
        *build = b;
    return status;
}

const vg_record *vg_build_append(vg_build *b, const uint8_t *head, size_t length,
                                 const uint8_t *pixels, uint64_t *offset, vg_status *status,
                                 vg_error *err)
{
    static const uint8_t ZEROS[VG_RECORD_ALIGN] = {0};
    vg_record record;
    memcpy(&record, head, sizeof record);
    *status = VG_OK;
    uint64_t end = atomic_load(&b->end);
    do {
        if (atomic_load(&b->failed) || end > b->limit || record.bytes > b->limit - end)
            return NULL;
    } while (!atomic_compare_exchange_weak(&b->end, &end, end + record.bytes));
    size_t of_pixels = vg_record_pixel_bytes(&record);
    struct iovec parts[] = {{(void *)head, length},
                            {(void *)pixels, of_pixels},
                            {(void *)ZEROS, record.bytes - length - of_pixels}};
    *status = write_fully(b, parts, 3, end, err);
    if (*status) {
        atomic_store(&b->failed, true);
        return NULL;
    }
    *offset = end;
    return (const vg_record *)(b->map + end);
}

/* From `from` at `source` to the end of the build. The kernel copies, or shares blocks, if it can.
 */
static vg_status copy_run(vg_build *b, const vg_packed *from, uint64_t source, uint64_t bytes,
                          vg_error *err)
{
    uint64_t target = b->end;
#ifdef __linux__
    loff_t in = (loff_t)source, out = (loff_t)target;
    while (bytes && target + bytes <= b->file_limit) {
        ssize_t n = copy_file_range(from->fd, &in, b->fd, &out, bytes, 0);
        if (n <= 0)
            break; /* across file systems, or an error that writing will name */
        bytes -= (uint64_t)n;
    }
    source = (uint64_t)in;
    target = (uint64_t)out;
#endif
    enum { BLOCK = 1 << 20 };
    uint8_t *block = bytes ? vg_alloc(BLOCK, 1) : NULL;
    vg_status status = VG_OK;
    if (bytes && !block)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory", b->path);
    while (!status && bytes) {
        /* read, not mapped: a disk error is an error then */
        ssize_t n = pread(from->fd, block, bytes < BLOCK ? bytes : BLOCK, (off_t)source);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status = vg_fail(err, VG_E_IO, "%s: cannot be read: %s", b->path,
                             n ? strerror(errno) : "it ends too early");
            break;
        }
        status = write_block(b, block, (uint64_t)n, target, err);
        bytes -= (uint64_t)n;
        source += (uint64_t)n;
        target += (uint64_t)n;
    }
    free(block);
    b->end = target;
    return status;
}

vg_status vg_build_copy(vg_build *b, const vg_packed *from, vg_packed_entry *entries,
                        uint64_t count, vg_error *err)
{
    vg_status status = VG_OK;
    for (uint64_t i = 0, next; !status && i < count; i = next) {
        uint64_t begin = entries[i].offset, end = begin, target = b->end;
        /* entries of one picture overlap, those of neighbours touch */
        for (next = i; next < count && entries[next].offset <= end; next++) {
            uint64_t its_end = entries[next].offset + entries[next].bytes;
            end = its_end > end ? its_end : end;
            entries[next].offset = target + (entries[next].offset - begin);
        }
        status = copy_run(b, from, begin, end - begin, err);
    }
    return status;
}

/* So that the new name is on the disk, too. Not every system can; the content is safe then. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    char *folder = vg_alloc(length + 2, 1);
    if (!folder)
        return;
    memcpy(folder, path, length);
    memcpy(folder + length, length ? "" : ".", length ? 1 : 2);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

vg_status vg_build_commit(vg_build *b, const vg_packed_entry *entries, uint64_t count,
                          vg_error *err)
{
    uint64_t bytes = 0, end = b->end;
    uint8_t *index = vg_packed_index(entries, count, end, b->header_check, &bytes);
    if (!index)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for its index", b->path);
    vg_status status = write_block(b, index, bytes, end, err);
    free(index);
    /* a write that failed may have left bytes behind the footer's place */
    if (!status && (ftruncate(b->fd, (off_t)(end + bytes)) != 0 ||
                    (fsync(b->fd) != 0 && errno != EINVAL) || rename(b->temporary, b->path) != 0))
        status = vg_fail(err, VG_E_IO, "%s: cannot be written: %s", b->path, strerror(errno));
    if (status)
        return status;
    free(b->temporary);
    b->temporary = NULL;
    sync_folder(b->path);
    close(b->fd);
    b->fd = -1;
    return VG_OK;
}

void vg_build_drop(vg_build *b)
{
    if (b->fd < 0)
        return;
    unlink(b->temporary);
    close(b->fd);
    b->fd = -1;
}

void vg_build_close(vg_build *b)
{
    if (!b)
        return;
    vg_build_drop(b);
    if (b->map)
        munmap((void *)b->map, b->limit);
    free(b->temporary);
    free(b->path);
    free(b);
}
