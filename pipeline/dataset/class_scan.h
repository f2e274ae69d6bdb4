/* Reading class folders on several threads. Private to dataset/. */
#ifndef VG_DATASET_CLASS_SCAN_H
#define VG_DATASET_CLASS_SCAN_H

#include "dataset/index.h"

enum { VG_SCAN_THREADS = 64 }; /* at most; more would wait for the same locks */

/* A folder whose pictures, at any depth, have one label. */
typedef struct vg_class_folder {
    size_t path; /* offset in paths: below the root, ends in '/' */
    int label;
    vg_split split;
    int worker; /* who read it, and where its samples are among the worker's */
    size_t first, count;
    vg_tally by_hash; /* where only counts are kept: of the splits that names give */
    bool incomplete;  /* something in it could not be listed */
} vg_class_folder;

typedef struct vg_class_folders {
    char *paths;
    size_t paths_size, paths_capacity;
    vg_class_folder *list;
    size_t count, capacity;
    const vg_dataset_options
        *counts; /* NULL: samples are kept; else counts alone, by these shares */
} vg_class_folders;

/* Reads all of them, below the descriptor `root`, on `threads` threads (>= 1) and adds the pictures to
 * the index in the order of the list, the same for any number of threads. What is passed over is
 * counted in dataset->ignored and *finds, folders that cannot be listed are noted. Memory beside the
 * index: for each thread 128 KiB, and 32 bytes and the name of each entry of the folder it is in and
 * those above; at the end, with several threads, 8 bytes a sample and half of the names again.
 * With counts alone entries are folders, and 128 KiB a thread are nearly all.
 * VG_E_NOMEM, VG_E_LIMIT, VG_E_IO (no more descriptors: what is missing then is not the dataset's
 * fault). */
vg_status vg_class_folders_read(vg_class_folders *folders, vg_dataset *dataset, int root,
                                int threads, vg_finds *finds, vg_error *err);
void vg_class_folders_reset(vg_class_folders *folders);

#endif
