/* What the name of a sample says about where it comes from: "00001_00012_00029" is a frame of
 * "00001_00012", "cat12_crop" a variant of "cat12". Names alone are a hint: "image_0001" to
 * "image_0800" are numbers, not a series; audit/origins.h asks the pictures. */
#ifndef VG_DATASET_SERIES_H
#define VG_DATASET_SERIES_H

#include "dataset/dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VG_SERIES_LEVELS = 3 };

/* Hashes (XXH64) of parts of a name, so that samples can be grouped without keeping strings. A
 * "number" is a run of digits. The stem is the file's name without its extension and without words of
 * variants at its end: "(2)", "-copy", "_aug3", "_flip", "_crop", "_left"; "_a" behind a digit. */
typedef struct vg_series {
    uint64_t folder; /* the folders that it lies in, without shards ("x.tar/") */
    uint64_t place;  /* the same without folders of splits ("train/") */
    uint64_t last;   /* the innermost folder alone */
    uint64_t stem;
    uint64_t
        key[VG_SERIES_LEVELS]; /* the stem with its last 1, 2, 3 numbers replaced by a star: what
                                       frames of one series have in common. 0: not so many numbers,
                                       or nothing but them */
    uint64_t
        skeleton;    /* the stem with every number and every word replaced: samples that were named
                          the same way */
    uint64_t number; /* the last number */
    int numbers;     /* in the stem */
    bool variant;    /* a word of a variant was there */
} vg_series;

/* Reads a name as vg_dataset_name gives it. Pure function. */
void vg_series_read(const char *name, vg_series *series);

/* The group that a name alone puts a sample into (split_by of vg_dataset_options): of the place and
 * the stem, without the last of its numbers if it has two or more. Adding samples changes the group
 * of no other. */
uint64_t vg_series_group(const vg_series *series);
/* The split that a hash falls into, by the shares of train and val. */
vg_split vg_split_of_hash(uint64_t hash, double train_share, double val_share);

#endif
