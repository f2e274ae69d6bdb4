/* What the readers of dataset/ share: the compact index that folder.c, manifest.c, idx.c and cifar.c fill and
 * dataset.c serves. Private to dataset/.
 *
 * A sample costs 8 bytes (place of its name, label, split) plus its stored name with the closing zero,
 * all names in one arena. Names of a folder are stored without the folder, whose path stands once
 * before them: "train/airplane/00001.jpg" is 8 + 10 bytes, and the folder 8 + 16. Samples of packed
 * files (IDX, CIFAR) have no stored name, so 8 bytes and their pixels. While a manifest is read its
 * text is held too, and 16 to 24 bytes a row for lines and for finding paths listed twice. */
#ifndef VG_DATASET_INDEX_H
#define VG_DATASET_INDEX_H

#include "dataset/dataset.h"

/* Bits 0-39: offset of the name in the arena, or place in the packed files; 40-61: label; 62-63: split.
 */
typedef uint64_t vg_sample;
#define VG_PLACE_BITS 40
#define VG_LABEL_BITS 22

static inline uint64_t vg_sample_place(vg_sample sample)
{
    return sample & ((UINT64_C(1) << VG_PLACE_BITS) - 1);
}
static inline int vg_sample_label(vg_sample sample)
{
    return (int)(sample >> VG_PLACE_BITS & ((UINT64_C(1) << VG_LABEL_BITS) - 1));
}
static inline vg_split vg_sample_split(vg_sample sample)
{
    return (vg_split)(sample >> (VG_PLACE_BITS + VG_LABEL_BITS));
}
static inline vg_sample vg_sample_pack(uint64_t place, int label, vg_split split)
{
    return place | (uint64_t)label << VG_PLACE_BITS |
           (uint64_t)split << (VG_PLACE_BITS + VG_LABEL_BITS);
}

/* A file of pictures of one size that are stored decoded (IDX, CIFAR), held in memory. */
typedef struct vg_packed_part {
    vg_bytes bytes;
    vg_bytes labels; /* a labels file beside it, until the index is made */
    size_t first;    /* byte of the first pixel */
    size_t stride;   /* bytes from one picture to the next */
    size_t count;    /* pictures */
    size_t number;   /* of its first picture: a split counts on from file to file */
    vg_split split;
} vg_packed_part;
enum { VG_PACKED_PARTS = 16, VG_PACKED_LABELS = 256 };

enum { VG_NOTES_KEPT = 100 };

/* Samples of a class. */
typedef struct vg_tally {
    size_t of[VG_SPLIT_COUNT];
} vg_tally;

typedef struct vg_archives vg_archives; /* archives.h */

struct vg_dataset {
    char *path; /* as given */
    char *root; /* what names are relative to */
    vg_dataset_kind kind;
    bool brings_splits;
    vg_dataset_options options; /* as it was opened */
    int background;             /* behind transparent pixels */
    bool split_folders;         /* names begin with the folder of their split */
    vg_dataset_ignored ignored;

    char *names; /* arena of zero-terminated names, of samples, their folders and classes */
    size_t names_size, names_capacity;
    uint64_t *folders; /* ascending offsets of folders' paths below the root, each ending in '/':
                          the names stored from there to the next one lie in that folder */
    size_t folder_count, folder_capacity;
    vg_sample *samples;
    size_t count, sample_capacity;
    vg_tally
        *tally; /* [class_count] in place of the samples when only counts are kept, else NULL */
    size_t *classes; /* [class_count] offsets of their names */
    int class_count;
    size_t class_capacity;
    uint32_t *buckets; /* hash table over classes while the index grows: label + 1, 0: free */
    size_t bucket_count;

    char *notes[VG_NOTES_KEPT]; /* what vg_index_note was told first */
    size_t notes_kept, note_count;

    vg_archives *archives; /* where samples lie, if not in files of their own */
    char *container; /* path of archives or packed files that a manifest is about; NULL: none */
    bool contained;  /* opened for a manifest */

    vg_packed_part parts[VG_PACKED_PARTS];
    int part_count;
    int packed_width, packed_height, packed_channels; /* 3 channels: one plane after the other */
};

/* The name of a class, in the arena. */
static inline const char *vg_index_class_name(const vg_dataset *dataset, int label)
{
    return dataset->names + dataset->classes[label];
}

/* A stored name in its two parts: "train/airplane/" or "", and "00001.jpg". */
const char *vg_index_folder(const vg_dataset *dataset, uint64_t place);
static inline const char *vg_index_file(const vg_dataset *dataset, uint64_t place)
{
    return dataset->names + place;
}
/* Both together, copied as vg_dataset_name does; not for packed files. */
size_t vg_index_name(const vg_dataset *dataset, size_t index, char *name, size_t capacity);

/* Names one after the other; zero at first. */
typedef struct vg_namer {
    uint64_t first, end; /* places of the folder whose path stands in name[] */
    size_t folder;       /* length of that path */
    char name[4096];     /* longer than any path that the system opens */
} vg_namer;
/* The name of a sample, cut at its bound, in namer->name. Returns its length. Fastest for samples
 * that come in order. */
size_t vg_namer_get(vg_namer *namer, const vg_dataset *dataset, size_t index);

/* The label of class `name` (of `length` bytes), added if it is new. Until vg_index_finish labels
 * count in order of appearance. */
vg_status vg_index_class(vg_dataset *dataset, const char *name, size_t length, int *label,
                         vg_error *err);
/* Adds a sample with a name of its own. */
vg_status vg_index_add(vg_dataset *dataset, const char *name, int label, vg_split split,
                       vg_error *err);
/* Adds a sample that is found by its place in packed files. */
vg_status vg_index_add_place(vg_dataset *dataset, uint64_t place, int label, vg_split split,
                             vg_error *err);

typedef enum vg_class_order {
    VG_CLASSES_BY_BYTES,
    VG_CLASSES_BY_NUMBER_IF_ALL, /* by value when every name is an integer, else by bytes */
    VG_CLASSES_AS_ADDED
} vg_class_order;
/* Takes out classes without samples (their number in *empty, which may be NULL), puts the others into their order,
 * renumbers the labels, and gives back what was reserved in vain. */
vg_status vg_index_finish(vg_dataset *dataset, vg_class_order order, size_t *empty, vg_error *err);

/* Names of entries, the same rules for folders and archives (naming.c). */
enum { VG_OTHER_FORMATS = 12 };
typedef struct vg_finds {
    size_t folders;                 /* looked into */
    size_t other[VG_OTHER_FORMATS]; /* files with the extensions of pictures that are not read */
} vg_finds;
/* An entry of a folder that is passed over without looking: .git, __MACOSX and the like. */
bool vg_name_is_hidden(const char *name, size_t length);
/* Whether a file is a sample by its extension; counts it where it is not. */
bool vg_name_is_sample(const char *name, vg_dataset_ignored *ignored, vg_finds *finds);
/* The error for a dataset without samples: what was looked for and what was found. */
vg_status vg_nothing_found(const vg_dataset *dataset, const vg_finds *finds, vg_error *err);
/* Keeps one line about something that was left out or looks odd, for vg_dataset_notes. */
void vg_index_note(vg_dataset *dataset, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A dataset as it is, without splits of our making, for a manifest about it. */
vg_status vg_dataset_index(const char *path, const vg_dataset_options *options,
                           vg_dataset **dataset, vg_error *err);

/* The kinds. `dataset` is zero but for path; what they leave behind on an error is released by
 * vg_dataset_close. */
vg_status vg_folder_scan(vg_dataset *dataset, const vg_dataset_options *options, vg_error *err);
vg_status vg_manifest_read(vg_dataset *dataset, vg_error *err);
/* Whether the folder, or its train/, val/ or test/, holds a metadata.jsonl or metadata.csv that
 * names labels. */
bool vg_metadata_found(const char *folder);
vg_status vg_metadata_read(vg_dataset *dataset, vg_error *err);
/* Whether the folder holds MNIST-style files. */
bool vg_idx_found(const char *folder);
vg_status vg_idx_read_files(vg_dataset *dataset, vg_error *err);
/* Whether the folder, or the folder in it that the archive of CIFAR unpacks to, holds its files. */
bool vg_cifar_found(const char *folder);
vg_status vg_cifar_read_files(vg_dataset *dataset, bool coarse, vg_error *err);

/* Samples that are stored decoded (packed.c). Whether the dataset's samples are: */
static inline bool vg_is_packed(const vg_dataset *dataset)
{
    return dataset->part_count > 0;
}
size_t vg_packed_name(const vg_dataset *dataset, uint64_t place, char *name, size_t capacity);
/* The pixels as they are stored: grey, or a plane each of red, green and blue. */
vg_span vg_packed_bytes(const vg_dataset *dataset, uint64_t place);
vg_status vg_packed_decode(const vg_dataset *dataset, vg_span bytes,
                           const vg_decode_options *options, vg_image *image, vg_decode_info *info,
                           vg_error *err);
/* Reads names of classes, one a line, line i for label i; empty lines at the end count for nothing.
 * names[] point into *text, which is the caller's. Refuses empty lines between and doubles. */
vg_status vg_packed_class_names(const char *path, vg_bytes *text, char *names[VG_PACKED_LABELS],
                                int *count, vg_error *err);

/* Samples in archives (archives.c). Whether a file is one, by its content; a compressed one is an
 * error. */
vg_status vg_archive_found(const char *path, bool *found, vg_error *err);
bool vg_archive_is_named(const char *path); /* .tar or .zip */
vg_status vg_archive_read(vg_dataset *dataset, vg_error *err);
/* Whether a path is a pattern of archives, or a folder is one of archives; and reading either. */
bool vg_shards_are_named(const char *path);
vg_status vg_shards_found(const char *folder, bool *found, vg_error *err);
vg_status vg_shards_read(vg_dataset *dataset, vg_error *err);
void vg_archives_free(vg_archives *archives);
size_t vg_archives_name(const vg_dataset *dataset, uint64_t place, char *name, size_t capacity);
vg_status vg_archives_bytes(const vg_dataset *dataset, uint64_t place, vg_reader *reader,
                            vg_span *bytes, vg_error *err);
uint64_t vg_archives_position(const vg_dataset *dataset, uint64_t place);
void vg_archives_stamp(const vg_dataset *dataset, uint64_t place, vg_stamp *stamp);
void vg_unpacker_free(struct vg_unpacker *unpacker);

/* "train", "Validation", "test", ... to a split; false if it is none of them. */
bool vg_split_of_word(const char *word, vg_split *split);
/* The split that the hash of a name, or of its group, gives: of the path below the root without the folder of a
 * split. */
vg_split vg_split_of_key(const char *key, size_t length, const vg_dataset_options *options);
/* Sets every sample's split from the hash of its name, and brings_splits, unless val or test
 * samples came with the data. Where only counts are kept the scan has done that. */
vg_status vg_split_assign(vg_dataset *dataset, const vg_dataset_options *options, vg_error *err);

#endif
