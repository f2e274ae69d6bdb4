/* What the readers of archives share: the members of one archive while it is listed, and the open
 * archives of a dataset. Private to dataset/.
 *
 * Of a sample in an archive the index keeps, beside the 8 bytes that every sample has, a record of 12
 * bytes (20 in a zip) and its name with the closing zero: "airplane/00001.jpg" in a tar is 39 bytes
 * together. The name of the archive, where several make one dataset, is kept once. */
#ifndef VG_DATASET_ARCHIVES_H
#define VG_DATASET_ARCHIVES_H

#include "dataset/index.h"

/* How the bytes of a member are stored, or why they cannot be read. A member that cannot be read
 * stays a sample: reading it says why, so that it is told like every other broken file. */
typedef enum vg_method {
    VG_MEMBER_TAR,      /* as they are, at the offset */
    VG_MEMBER_STORED,   /* the same behind a zip's local header, which is at the offset */
    VG_MEMBER_DEFLATED, /* there, deflated */
    VG_MEMBER_ENCRYPTED,
    VG_MEMBER_OTHER_METHOD, /* its number is in `crc` */
    VG_MEMBER_SPARSE,
    VG_MEMBER_TOO_LARGE,
    VG_MEMBER_OUTSIDE, /* of the archive */
    VG_MEMBER_OVERLAPS /* another member */
} vg_method;
#define VG_MEMBER_LIMIT (UINT32_C(256) << 20) /* unpacked bytes of one member */

typedef struct vg_member {
    uint64_t offset;
    size_t name; /* in the listing's names */
    size_t link; /* name of the member that it is another name of, 0: none */
    uint32_t size, packed, crc;
    uint16_t header; /* bytes between offset and data, at least */
    uint8_t method;  /* vg_method */
    bool folder;
} vg_member;

/* The members of one archive. Names are normalized: no "./" and "//", no '/' at either end; members
 * whose names lead out of the archive are left out with a note. */
typedef struct vg_listing {
    vg_dataset *dataset; /* which counts and notes what is left out */
    const char *path;    /* of the archive */
    uint64_t bytes;      /* of the archive */
    int fd;
    vg_member *members;
    size_t count, capacity;
    char *names; /* begins with a zero, so that 0 is no name */
    size_t names_size, names_capacity;
} vg_listing;

void vg_listing_reset(vg_listing *listing);
static inline const char *vg_listing_name(const vg_listing *listing, const vg_member *member)
{
    return listing->names + member->name;
}
/* Adds a member under the name raw[length]; `link` is a raw name or NULL. */
vg_status vg_listing_add(vg_listing *listing, const char *raw, size_t length, const char *link,
                         const vg_member *member, vg_error *err);
/* Sorts by names, folders before what is in them ('/' comes before every other byte, the order in
 * which folders are scanned), resolves links, drops hidden members and all but the last of one name,
 * as unpacking would. */
vg_status vg_listing_finish(vg_listing *listing, vg_error *err);

/* Fill a listing (fd, path and bytes are set). */
vg_status vg_tar_list(vg_listing *listing, vg_error *err);
vg_status vg_zip_list(vg_listing *listing, vg_error *err);

typedef struct vg_archive {
    char *path;
    const char *name; /* in path; unique in the dataset */
    int fd;           /* -1: opened for each read, because there are many archives */
    uint64_t bytes;
    int64_t modified;
    vg_split split; /* of its samples unless folders in it say otherwise */
} vg_archive;

struct vg_archives {
    vg_archive *list;
    size_t count, capacity;
    bool prefixed; /* samples are called by archive and member */
    uint8_t *records;
    size_t records_size, records_capacity;
};
#define VG_MOST_ARCHIVES 65536

/* All bytes of a member, lent until the reader is used again. `name` is for messages. */
vg_status vg_member_read(const vg_archive *archive, const vg_member *member, const char *name,
                         vg_reader *reader, vg_span *bytes, vg_error *err);
/* The same for a zip member whose archive is open as `fd`. */
vg_status vg_zip_read(const vg_archive *archive, int fd, const vg_member *member, const char *name,
                      vg_reader *reader, vg_span *bytes, vg_error *err);
/* Reads `size` bytes at `offset`; VG_E_FORMAT if the file ends before. */
vg_status vg_archive_pread(const char *path, int fd, void *to, size_t size, uint64_t offset,
                           vg_error *err);

/* Adds a member as a sample under the name `name` (a part of its name) in archive number `archive`. */
vg_status vg_archives_add(vg_dataset *dataset, size_t archive, const vg_member *member,
                          const char *name, int label, vg_split split, vg_error *err);

/* Members of a finished listing to samples: class folders by the rules of folder.c ... */
vg_status vg_tree_add(vg_dataset *dataset, size_t archive, const vg_listing *listing,
                      vg_finds *finds, vg_error *err);
/* ... or groups of a picture and its label. */
bool vg_webdataset_found(const vg_listing *listing);
vg_status vg_webdataset_add(vg_dataset *dataset, size_t archive, const vg_listing *listing,
                            bool named, vg_error *err);
/* Reads the classes.txt beside the first archive, if there is one; *named says so. */
vg_status vg_webdataset_class_names(vg_dataset *dataset, bool *named, vg_error *err);

/* Lists of archives (shards.c): expands braces and "::", or lists a folder. Appends to the dataset's
 * archives. */
vg_status vg_shards_expand(vg_dataset *dataset, const char *pattern, vg_error *err);
vg_status vg_shards_of_folder(vg_dataset *dataset, vg_error *err);
/* Appends one archive; takes `path`, and NULL is no memory. */
vg_status vg_archives_append(vg_dataset *dataset, char *path, vg_error *err);

#endif
