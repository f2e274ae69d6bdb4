/* The cache in a file: the packed file that is there, the one being built, and which sample is
 * found in which. Internal to the cache; cache.c asks once for each sample. */
#ifndef VG_LOAD_CACHE_FILE_H
#define VG_LOAD_CACHE_FILE_H

#include "load/cache_record.h"

typedef struct vg_cache_file vg_cache_file;

/* As vg_cache_open. */
vg_status vg_cache_file_open(const vg_cache_options *options, const vg_dataset *dataset,
                             const char *decode_key, vg_cache_file **file, vg_error *err);
/* Commits (last) and frees. */
void vg_cache_file_close(vg_cache_file *file);

/* These two: any thread, but one at a time for the same index; beside it others may find it, too,
 * who are not the `first`: they count and note nothing. Records live until the close; NULL: not
 * there, not kept. */
const vg_record *vg_cache_file_find(vg_cache_file *file, size_t index, vg_reader *reader,
                                    bool first);
const vg_record *vg_cache_file_put(vg_cache_file *file, size_t index, vg_span stored,
                                   const vg_image *image, const vg_decode_info *info);

bool vg_cache_file_takes(const vg_cache_file *file);

/* As vg_cache_commit. *adopted: another process has written the file, samples that were missing may
 * be there now. */
vg_status vg_cache_file_commit(vg_cache_file *file, bool last, bool *adopted, vg_error *err);

/* Everything but hits and misses. */
void vg_cache_file_stats(vg_cache_file *file, vg_cache_stats *stats);

#endif
