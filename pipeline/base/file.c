/* Whole-file reads and atomic writes. Nothing here knows what is in a file, gzip excepted. */
#include "base/file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

void vg_bytes_reset(vg_bytes *bytes)
{
    free(bytes->data);
    *bytes = (vg_bytes){0};
}

vg_status vg_bytes_reserve(vg_bytes *bytes, size_t need, vg_error *err)
{
    if (!vg_grow(&bytes->data, &bytes->capacity, need, 1))
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu bytes", need);
    return VG_OK;
}

static vg_status read_open(int fd, const char *path, size_t limit, vg_bytes *out, vg_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return vg_fail(err, VG_E_IO, "%s: not a regular file", path);
    if (limit && (uint64_t)st.st_size > limit)
        return vg_fail(err, VG_E_LIMIT, "%s: %lld bytes, the limit is %zu", path,
                       (long long)st.st_size, limit);
    vg_status status = vg_bytes_reserve(out, (size_t)st.st_size + 1, err);
    if (status)
        return status;
    out->size = 0;
    for (;;) {
        if (out->size == out->capacity) {
            status = vg_bytes_reserve(out, out->capacity + 1, err);
            if (status)
                return status;
        }
        ssize_t n = read(fd, out->data + out->size, out->capacity - out->size);
        if (n == 0)
            return VG_OK;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
        out->size += (size_t)n;
        if (limit && out->size > limit)
            return vg_fail(err, VG_E_LIMIT, "%s: more than %zu bytes", path, limit);
        if (st.st_size > 0 && out->size == (uint64_t)st.st_size)
            return VG_OK; /* not asked whether there is more: that costs a small file a tenth of its time */
    }
}

vg_status vg_file_read(const char *path, size_t limit, vg_bytes *out, vg_error *err)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe is refused, not waited for */
    if (fd < 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    vg_status status = read_open(fd, path, limit, out, err);
    close(fd);
    return status;
}

vg_status vg_file_read_gz(const char *path, size_t limit, vg_bytes *out, vg_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    gzFile file = regular ? gzdopen(fd, "rb") : NULL;
    if (!file) {
        close(fd);
        return regular ? vg_fail(err, VG_E_NOMEM, "%s: out of memory", path)
                       : vg_fail(err, VG_E_IO, "%s: not a regular file", path);
    }
    vg_status status = VG_OK;
    out->size = 0;
    for (;;) {
        status = vg_bytes_reserve(out, out->size + 65536, err);
        if (status)
            break;
        size_t room = out->capacity - out->size;
        int n = gzread(file, out->data + out->size, room > 1u << 30 ? 1u << 30 : (unsigned)room);
        if (n < 0) {
            int code;
            const char *reason = gzerror(file, &code);
            status = code == Z_ERRNO ? vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno))
                                     : vg_fail(err, VG_E_FORMAT, "%s: %s", path, reason);
            break;
        }
        if (n == 0) {
            int code;
            gzerror(file, &code);
            if (code == Z_BUF_ERROR)
                status = vg_fail(err, VG_E_FORMAT, "%s: gzip data ends too early", path);
            break;
        }
        out->size += (size_t)n;
        if (limit && out->size > limit) {
            status = vg_fail(err, VG_E_LIMIT, "%s: unpacks to more than %zu bytes", path, limit);
            break;
        }
    }
    gzclose(file);
    return status;
}

vg_status vg_atomic_open(const char *path, vg_atomic_file *file, vg_error *err)
{
    size_t n = strlen(path);
    *file = (vg_atomic_file){.path = vg_strdup(path), .temporary = vg_alloc(n + 16, 1)};
    if (!file->path || !file->temporary) {
        vg_atomic_abort(file);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    }
    snprintf(file->temporary, n + 16, "%s.tmp-XXXXXX", path);
    int fd = mkstemp(file->temporary);
    if (fd >= 0) {
        mode_t mask = umask(0);
        umask(mask);
        if (fchmod(fd, 0666 & ~mask) == 0)
            file->stream = fdopen(fd, "wb");
    }
    if (!file->stream) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
            unlink(file->temporary);
        }
        free(file->temporary);
        file->temporary = NULL;
        vg_atomic_abort(file);
        return vg_fail(err, VG_E_IO, "%s: cannot be written: %s", path, strerror(reason));
    }
    return VG_OK;
}

void vg_atomic_abort(vg_atomic_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (vg_atomic_file){0};
}

vg_status vg_atomic_commit(vg_atomic_file *file, vg_error *err)
{
    bool bad = ferror(file->stream) != 0;
    bad |= fflush(file->stream) != 0;
    bad |= fsync(fileno(file->stream)) != 0 && errno != EINVAL;
    bad |= fclose(file->stream) != 0;
    file->stream = NULL;
    if (bad || rename(file->temporary, file->path) != 0) {
        vg_status status = vg_fail(err, VG_E_IO, "%s: could not be written completely: %s",
                                   file->path, strerror(errno));
        vg_atomic_abort(file);
        return status;
    }
    free(file->temporary);
    file->temporary = NULL;
    vg_atomic_abort(file);
    return VG_OK;
}

vg_status vg_file_write(const char *path, const void *data, size_t size, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status)
        return status;
    fwrite(data, 1, size, file.stream);
    return vg_atomic_commit(&file, err);
}

vg_status vg_make_folders(const char *path, vg_error *err)
{
    char *copy = vg_strdup(path);
    if (!copy)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    for (char *p = copy + 1; *copy; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !vg_path_is_folder(copy)) {
            vg_status status =
                vg_fail(err, VG_E_IO, "%s: folder cannot be made: %s", copy, strerror(errno));
            free(copy);
            return status;
        }
        *p = end;
        if (!end)
            break;
    }
    free(copy);
    return VG_OK;
}

char *vg_path_join(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    while (a > 1 && folder[a - 1] == '/')
        a--;
    char *path = vg_alloc(a + b + 2, 1);
    if (!path)
        return NULL;
    memcpy(path, folder, a);
    size_t at = a;
    if (a && !(a == 1 && folder[0] == '/'))
        path[at++] = '/';
    memcpy(path + at, name, b + 1);
    return path;
}

bool vg_path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool vg_path_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool vg_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

const char *vg_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
