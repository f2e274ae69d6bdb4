/* The index of a dataset: which samples there are, their names, labels and splits, and how to read
 * one.
 *
 * vg_dataset_open recognizes:
 *   - a folder of class folders: classes in byte order of their names, pictures at any depth below,
 *     with or without train/ val/ (validation/, valid/) test/ folders above them (a folder of such
 *     a name counts as one when it holds folders itself; classes are merged by name over the
 *     splits). A folder of pictures without folders is one class, named after the folder;
 *   - a manifest, any file: a table of path,label[,split], paths relative to it or absolute, RFC
 *     4180 quoting, separated by comma, TAB or semicolon as its first line tells (manifest_table.c
 *     has the rule). A header is optional (path, file, filename, image ...; label, class ...; split,
 *     set ...: then in any order among other columns). Or JSON lines (.jsonl, .ndjson, or the first
 *     byte is a brace): an object a line with keys of these names, labels strings or whole numbers.
 *     Classes in byte order, in the order of their values when all are integers. A path listed
 *     again with the same label and split counts once, with another one it is an error;
 *   - a folder with a metadata.jsonl or metadata.csv that names labels (Hugging Face's imagefolder),
 *     or with one in each of train/ validation/ test/: such a manifest;
 *   - a folder with MNIST-style IDX files (train-images-idx3-ubyte[.gz] and so on; t10k or test).
 *     Classes are the labels that occur, called by their numbers or by the lines of a classes.txt;
 *   - the binary version of CIFAR-10 (data_batch_1.bin to data_batch_5.bin, test_batch.bin) or
 *     CIFAR-100 (train.bin, test.bin), or the folder that holds its cifar-10-batches-bin or
 *     cifar-100-binary. Classes in the order of their labels, called by the lines of
 *     batches.meta.txt, fine_label_names.txt, coarse_label_names.txt, or without these by numbers.
 *     The files are read into memory once (184 MB each): no page of a file that is cut meanwhile
 *     can end the program, as with a mapped one.
 *   - a .tar or .zip file (by content, whatever its name) of the same class folders, read in place:
 *     the same names, labels, order and splits as the folder that it unpacks to. A folder around
 *     everything is passed over. Compressed tar files are refused;
 *   - WebDataset shards (.tar or .zip): one file, a folder of such files (also below train/ val/
 *     test/), or patterns: "data/train-{000000..000099}.tar::more/{a,b}.tar", wildcards. Pictures
 *     and labels are grouped by the path up to the first dot of the file name; labels come from .cls
 *     or .json, names of classes from a classes.txt beside the shards, splits from words in the names
 *     of the shards or of their folder. Several archives of class folders may be given likewise.
 *     A sample is then called by its shard and its member.
 * Hidden entries, empty class folders and files that are not pictures by name are ignored and
 * counted. Links are followed, circles refused. Samples are in byte order of their paths, or in the
 * order of the manifest.
 *
 * When the dataset brings no split, or nothing but training samples, each sample's split follows
 * from the hash of its name alone (the path below the root, without a train/ before it), so that
 * adding files moves no other file. Each class is split in the same shares only in expectation: a
 * class of n files has no test sample with probability 0.85^n, and no training sample with 0.3^n
 * (5 files: 44 % and 0.2 %). Small classes are not repaired, because then a new file would move
 * others; vg_dataset_counts shows them. When the dataset brings train and test but no val, that
 * stays so. With split_by group the hash is that of the series that the sample's name speaks of, so that
 * a series stays together and new files move no other series.
 *
 * An open dataset is read-only; all accessors and vg_dataset_read may be called from any thread at
 * once. Pointers returned live as long as the dataset. */
#ifndef VG_DATASET_DATASET_H
#define VG_DATASET_DATASET_H

#include "base/file.h"
#include "base/status.h"
#include "image/decode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vg_split { VG_SPLIT_TRAIN, VG_SPLIT_VAL, VG_SPLIT_TEST, VG_SPLIT_COUNT } vg_split;

/* What stays in one split where the data brings none. */
typedef enum vg_split_by {
    VG_SPLIT_BY_NAME, /* each sample for itself */
    VG_SPLIT_BY_GROUP /* samples of one series by their names (series.h): frames of a track, variants of
                         a picture */
} vg_split_by;
const char *vg_split_by_name(vg_split_by by); /* "name", "group" */

/* The shares are those of the hash split; what is left is the test split. */
typedef struct vg_dataset_options {
    double train_share; /* 0.70 */
    double val_share;   /* 0.15 */
    vg_split_by split_by;
    int background; /* behind transparent pixels of all its pictures, whoever reads them (black);
                           see image/background.h */
    int threads;    /* that list folders; the index does not depend on it. < 1: all CPUs (0) */
    bool coarse_labels; /* of CIFAR-100: its 20 superclasses instead of its 100 classes */
    bool counts_only;   /* of class folders keep the counts alone, the same ones: see
                         vg_dataset_is_counted (false) */
} vg_dataset_options;
vg_dataset_options vg_dataset_options_default(void);

typedef enum vg_dataset_kind {
    VG_DATASET_FOLDER,
    VG_DATASET_MANIFEST,
    VG_DATASET_ARCHIVE,    /* class folders in tar or zip archives */
    VG_DATASET_WEBDATASET, /* pictures and labels in tar or zip archives */
    VG_DATASET_IDX,
    VG_DATASET_CIFAR
} vg_dataset_kind;

/* What was met and left out while scanning. */
typedef struct vg_dataset_ignored {
    size_t hidden;     /* names that begin with a dot, and .ipynb_checkpoints and the like */
    size_t not_images; /* files without the extension of a picture */
    size_t
        other_formats; /* pictures by their extension that we do not read (.gif .bmp .tif .webp) */
    size_t empty_classes; /* class folders without a picture */
    size_t unreadable;    /* folders that could not be listed, or links that lead in a circle */
    size_t duplicates;    /* rows of a manifest, members of an archive that repeat another one */
    size_t loose;         /* pictures beside class folders: they belong to no class */
    size_t other_folders; /* folders beside train/ val/ test/ */
    size_t unusable;   /* members of an archive that are no files, or whose names lead out of it */
    size_t unlabelled; /* samples of WebDataset shards without one picture and one label */
} vg_dataset_ignored;

typedef struct vg_dataset vg_dataset;

/* Errors: VG_E_IO (no such path, unreadable), VG_E_FORMAT (nothing recognized: says what was looked
 * for and what was found; a bad manifest line by number; IDX files that do not fit each other),
 * VG_E_ARG (shares that make no sense; split_by group where the names put most of the samples into groups
 * that are half a class), VG_E_NOMEM. options may be NULL. */
vg_status vg_dataset_open(const char *path, const vg_dataset_options *options, vg_dataset **dataset,
                          vg_error *err);
void vg_dataset_close(vg_dataset *dataset);

size_t vg_dataset_count(const vg_dataset *dataset);
int vg_dataset_classes(const vg_dataset *dataset);
const char *vg_dataset_class_name(const vg_dataset *dataset, int label);
int vg_dataset_label(const vg_dataset *dataset, size_t index);
vg_split vg_dataset_split(const vg_dataset *dataset, size_t index);
/* The path below the dataset's root, or e.g. "train/00017" in IDX and CIFAR files. Unique in the dataset.
 * Copied into `name` (always terminated); returns the length it would need. */
size_t vg_dataset_name(const vg_dataset *dataset, size_t index, char *name, size_t capacity);
vg_dataset_kind vg_dataset_kind_of(const vg_dataset *dataset);
const char *vg_dataset_kind_name(vg_dataset_kind kind); /* "folder", "manifest", "idx", "cifar" */
const char *vg_dataset_path(const vg_dataset *dataset);
/* What the names of samples that are files of their own are relative to, if they do not begin with '/'; NULL: they are
 * no such files. */
const char *vg_dataset_root(const vg_dataset *dataset);
/* The archive, shards, or folder of IDX or CIFAR files that all samples lie in; NULL: they are files of their own. */
const char *vg_dataset_container(const vg_dataset *dataset);
/* Behind transparent pixels, 0xRRGGBB. */
int vg_dataset_background(const vg_dataset *dataset);
/* Whether train/val/test came with the data (false: they were made by hash). */
bool vg_dataset_brings_splits(const vg_dataset *dataset);
/* As it was opened. */
vg_dataset_options vg_dataset_options_of(const vg_dataset *dataset);
vg_dataset_ignored vg_dataset_ignored_of(const vg_dataset *dataset);
/* What was left out or looks odd, in words that name the file; one line each, UTF-8 not promised.
 * Returns the first *kept (at most 100) of *count. */
const char *const *vg_dataset_notes(const vg_dataset *dataset, size_t *kept, size_t *count);
const char *vg_split_name(vg_split split); /* "train", "val", "test" */
/* Whether there are counts and no samples, which takes little more than the system's own listing, and
 * hardly any memory: opened with counts_only, split by name, and a folder of class folders (everything
 * else is read as always). Then vg_dataset_count, _counts, _tally and what does not ask for a sample
 * work; nothing may ask for one. */
bool vg_dataset_is_counted(const vg_dataset *dataset);

/* Samples of one split: fills counts[classes]. */
void vg_dataset_counts(const vg_dataset *dataset, vg_split split, size_t *counts);
/* All splits in one pass: fills counts[VG_SPLIT_COUNT * classes], split by split. */
void vg_dataset_tally(const vg_dataset *dataset, size_t *counts);
/* A number that grows in the order in which the samples are stored: of members of archives by shard and offset
 * in it, of everything else the index itself. */
uint64_t vg_dataset_position(const vg_dataset *dataset, size_t index);

/* A narrower view made in place, before anything reads the dataset. */
typedef struct vg_selection {
    const char *const *classes; /* keep only these, labels renumbered in this order; NULL: all */
    int class_count;
    const char *const
        *limit_classes; /* at most limits[i] TRAINING samples of class limit_classes[i] */
    const size_t *limits;
    int limit_count;
    size_t train_total;    /* at most so many training samples, same share of each class and at
                              least one of each as far as that goes; 0: all */
    size_t held_out_total; /* the same for val and for test */
    uint64_t seed;         /* which ones stay: by a hash of (seed, name) */
} vg_selection;
/* Selections may follow each other. VG_E_STATE: there are counts only. VG_E_ARG names an unknown class and the nearest known one, one
 * that is selected twice, or one with a limit that is not selected; the dataset is unchanged then.
 * classes and limits name classes exactly (by bytes). */
vg_status vg_dataset_select(vg_dataset *dataset, const vg_selection *selection, vg_error *err);
/* Takes out every sample i with gone[i] ([vg_dataset_count]), before anything reads the dataset. Classes stay, also
 * those that are left without a sample. */
void vg_dataset_leave_out(vg_dataset *dataset, const bool *gone);

/* Reads and decodes one sample. `scratch` holds file bytes and decoder state of one thread. */
typedef struct vg_reader {
    vg_bytes bytes;
    vg_decoder *decoder;
    struct vg_unpacker *unpacker; /* of members of zip archives; made when first needed */
} vg_reader;
vg_status vg_reader_init(vg_reader *reader, vg_error *err);
void vg_reader_reset(vg_reader *reader);
/* Errors carry the sample's name. options (the default) and info may be NULL. Samples of IDX files
 * are grey, those of CIFAR RGB, unless the other is asked for; their info has format
 * VG_FORMAT_UNKNOWN. A background in the options goes before the dataset's. */
vg_status vg_dataset_read(const vg_dataset *dataset, size_t index, const vg_decode_options *options,
                          vg_reader *reader, vg_image *image, vg_decode_info *info, vg_error *err);
/* The two halves of vg_dataset_read. First the stored bytes of a sample, lent until the reader is
 * used again: a file of its own, a member of an archive, or for samples that are stored decoded
 * (IDX, CIFAR) their pixels. Errors VG_E_IO, VG_E_FORMAT (an archive's member is damaged),
 * VG_E_LIMIT, VG_E_NOMEM. */
typedef struct vg_span {
    const uint8_t *data;
    size_t size;
} vg_span;
vg_status vg_dataset_bytes(const vg_dataset *dataset, size_t index, vg_reader *reader,
                           vg_span *bytes, vg_error *err);
vg_status vg_dataset_decode(const vg_dataset *dataset, size_t index, vg_span bytes,
                            const vg_decode_options *options, vg_reader *reader, vg_image *image,
                            vg_decode_info *info, vg_error *err);
/* Whether samples are stored decoded and lie in memory: a cache has nothing to gain. */
bool vg_dataset_is_decoded(const vg_dataset *dataset);

/* What tells at little cost that stored bytes are still the same. VG_E_IO. */
typedef struct vg_stamp {
    uint64_t size;    /* of the file, or of the member */
    int64_t modified; /* nanoseconds since 1970, of the file or of the archive */
} vg_stamp;
vg_status vg_dataset_stamp(const vg_dataset *dataset, size_t index, vg_stamp *stamp, vg_error *err);

/* Size of the stored file, or of the member of an archive, in bytes; 0 for samples that are not files of their own. */
uint64_t vg_dataset_file_bytes(const vg_dataset *dataset, size_t index);

#endif
