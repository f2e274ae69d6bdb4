/* Decoded pictures kept between epochs: in memory, or in one packed file that later runs share.
 *
 * A picture is found by its sample and by what decided its pixels: the stored bytes (XXH3-128) and
 * the decode options (the key given at open). A cached picture is the whole picture, 8 bits, at the
 * shrink that the transform's rule gave, so that it serves every key of every epoch; what a batch
 * holds is the same with and without a cache.
 *
 * Memory: 8 bytes for each sample of the dataset, with a file 80; while a file is written about
 * 160 more for each picture in it; the pictures themselves count against max_bytes (RAM) or lie
 * in the page cache (file). In the file a picture takes its pixels rounded up to 64 bytes and about
 * 150 bytes more.
 *
 * The file belongs to one decode key and to any number of datasets. A sample is looked up by the
 * dataset's place and its name; when its stamp (size, time of change) is the one that the file
 * remembers, the picture is taken. When it differs or the name is unknown (a dataset was copied,
 * moved, extracted anew), the stored bytes are hashed, once a run, and a picture made from the same
 * bytes is taken wherever it came from; else the sample is decoded anew and replaces what was
 * there. A change that leaves size and time to the nanosecond as they were goes unseen.
 * New pictures are written to FILE.building, which one process at a time may do; others read FILE
 * as it is. FILE itself is only ever replaced as a whole (rename). A file that is damaged, cut off,
 * of another version, byte order or key is not used and replaced; a picture that is damaged (its
 * checksum is looked at when a process first touches it) is decoded anew. FILE must not be
 * overwritten or shortened by other programs while it is in use: as with every mapped file that is
 * a SIGBUS. Removing or renaming it is harmless.
 *
 * vg_cache_find and vg_cache_put may be called from any thread at once, beside vg_cache_commit and
 * vg_cache_stats_of too. The dataset must outlive the cache and must not be narrowed meanwhile. */
#ifndef VG_LOAD_CACHE_H
#define VG_LOAD_CACHE_H

#include "base/status.h"
#include "dataset/dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vg_cache vg_cache;

typedef enum vg_cache_kind { VG_CACHE_NONE, VG_CACHE_RAM, VG_CACHE_FILE } vg_cache_kind;

typedef struct vg_cache_options {
    vg_cache_kind kind;
    uint64_t max_bytes; /* of pictures; 0: half of the memory that is free now (RAM), no limit
                           (file). A file always leaves a tenth of what the disk has free, or 1 GiB
                           if that is less */
    char path[4096];    /* of VG_CACHE_FILE */
} vg_cache_options;

/* Reads "none", "ram", "ram:SIZE", "FILE" or "FILE:SIZE" (a size is a number with K, M, G or T,
 * powers of 1024; a file that is called like a word is written "./ram"). VG_E_ARG says what is
 * wrong with the word. */
vg_status vg_cache_parse(const char *word, vg_cache_options *options, vg_error *err);

/* `decode_key`: everything that decides pixels besides the stored bytes, as text of at most 60,000
 * bytes (channels, EXIF, shrink rule, damage policy, library versions). An existing file that is
 * not used is told in vg_cache_stats.replaced; when another process writes the same file, this one
 * reads what is there.
 * Errors: VG_E_IO names the path (no such folder, not writable, a folder or device); VG_E_ARG (kind
 * VG_CACHE_NONE, key too long), VG_E_NOMEM. */
vg_status vg_cache_open(const vg_cache_options *options, const vg_dataset *dataset,
                        const char *decode_key, vg_cache **cache, vg_error *err);

/* A picture in the cache; pointers live until vg_cache_close. */
typedef struct vg_cached {
    vg_view view;           /* 64-byte aligned, rows without padding */
    vg_region region;       /* of a whole picture: full size and shrink */
    vg_image_format format; /* of the stored bytes */
    bool damaged;           /* it was decoded with data errors and kept (vg_decode_info) */
    double intact;
    uint64_t damage_offset;
    const char *warning; /* of the decoder; "" if there was none */
    bool replaceable;    /* an earlier run made it: vg_cache_put would put another in its place */
} vg_cached;

/* Lends the picture of a sample; false: it is not there, decode it. No lock, after the first touch
 * one look at an array. The first touch of a sample in a file asks for its stamp, if need be reads
 * its stored bytes through `reader`, and checks the picture's checksum. */
bool vg_cache_find(vg_cache *cache, size_t index, vg_reader *reader, vg_cached *picture);

/* Whether a put would be of use: false when the cache is full or cannot be written now. One or two
 * atomic loads. */
bool vg_cache_takes(const vg_cache *cache);

/* Keeps a copy of a whole decoded picture. `stored` are the bytes that it came from, `info` what
 * the decoder said of it. A picture that an earlier run left in the file and that the caller found
 * to be of no use to it (another shrink) is replaced; one that this run has put stays, so that two
 * users with different wishes do not fill the cache in turn. VG_OK also when it is not kept: the
 * cache is full, another thread is just doing it, the file cannot be written (vg_cache_stats says
 * so). VG_E_ARG when the picture is only a part. */
vg_status vg_cache_put(vg_cache *cache, size_t index, vg_span stored, const vg_image *image,
                       const vg_decode_info *info, vg_error *err);

/* Writes the packed file for this run's successors; nothing to do for RAM. To be called after each
 * epoch, with `last` false: the file is written when what is new is worth a copy of what is there
 * (at least an eighth of it), and a file that another process has written meanwhile is taken up.
 * With `last` everything new is written. VG_E_IO: it could not be, FILE is as it was; this run can
 * go on. */
vg_status vg_cache_commit(vg_cache *cache, bool last, vg_error *err);

/* Commits (last) and frees. */
void vg_cache_close(vg_cache *cache);

/* All counted since this cache was opened. */
typedef struct vg_cache_stats {
    uint64_t hits, misses; /* calls of vg_cache_find */
    uint64_t pictures;     /* put in by this run, and the bytes of them */
    uint64_t bytes;
    uint64_t max_bytes;     /* what it may take */
    uint64_t refused_full;  /* pictures that were not kept because it was full */
    uint64_t stale;         /* samples whose picture in the file was made from other bytes */
    uint64_t damaged;       /* samples whose picture in the file failed its check */
    uint64_t hashed;        /* samples whose stored bytes had to be read to know */
    uint64_t file_pictures; /* in the file, as it was opened or last written; other datasets' too */
    bool other_writer;      /* another process writes the file: this one adds nothing */
    char replaced[200]; /* why a file that was there is not used; empty: none was, or it is used */
    vg_error trouble;   /* the last error of writing */
} vg_cache_stats;
vg_cache_stats vg_cache_stats_of(vg_cache *cache);

#endif
