/* Files: whole reads into a reusable buffer, and writes that are either complete or not there. */
#ifndef VG_BASE_FILE_H
#define VG_BASE_FILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A growing byte buffer; zero-initialize, release with vg_bytes_reset. */
typedef struct vg_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
} vg_bytes;

void vg_bytes_reset(vg_bytes *bytes);
/* Makes capacity >= need; contents kept. VG_E_NOMEM otherwise. */
vg_status vg_bytes_reserve(vg_bytes *bytes, size_t need, vg_error *err);

/* Reads the whole file at `path` into *out (its storage is reused). Errors: VG_E_IO (names the file
 * and the system's reason; a directory or special file is refused), VG_E_LIMIT if it is larger than
 * `limit` bytes (0: no limit). */
vg_status vg_file_read(const char *path, size_t limit, vg_bytes *out, vg_error *err);
/* The same, unpacking gzip content if the file is gzipped; `limit` counts unpacked bytes. */
vg_status vg_file_read_gz(const char *path, size_t limit, vg_bytes *out, vg_error *err);

/* An output file under a temporary name in the same folder. vg_atomic_commit flushes, syncs and
 * renames it over `path`; vg_atomic_abort removes it. Exactly one of the two must be called after a
 * successful open; both release everything. */
typedef struct vg_atomic_file {
    FILE *stream;
    char *path;
    char *temporary;
} vg_atomic_file;

vg_status vg_atomic_open(const char *path, vg_atomic_file *file, vg_error *err);
vg_status vg_atomic_commit(vg_atomic_file *file, vg_error *err);
void vg_atomic_abort(vg_atomic_file *file);
/* Open, write `size` bytes, commit. */
vg_status vg_file_write(const char *path, const void *data, size_t size, vg_error *err);

/* Creates a folder and its missing parents. An existing folder is fine. */
vg_status vg_make_folders(const char *path, vg_error *err);
/* "a/b" on the heap (free() it), NULL if memory ran out. A trailing '/' of `folder` is not doubled.
 */
char *vg_path_join(const char *folder, const char *name);
bool vg_path_is_folder(const char *path);
bool vg_path_is_file(const char *path); /* a regular one, links followed */
bool vg_path_exists(const char *path);
/* The part after the last '/', in place. */
const char *vg_path_base(const char *path);

#endif
