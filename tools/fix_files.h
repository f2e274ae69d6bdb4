/* What balance-report --fix DIR writes: DIR/manifest.csv, which opens like any dataset, and DIR/fixed.json, which says of
 * every sample that was left out or moved why. */
#ifndef VG_TOOLS_FIX_FILES_H
#define VG_TOOLS_FIX_FILES_H

#include "audit/fix.h"
#include "dataset/dataset.h"

/* Whether DIR may be written: new, empty, or holding what was written before, and not the dataset itself. VG_E_ARG says
 * what is in the way, VG_E_IO. */
vg_status vg_fix_check_folder(const char *folder, const char *dataset, vg_error *err);

/* Writes both files, each complete or not at all, the manifest last. Paths are relative to DIR, or absolute if the
 * dataset was given so; the same for the container of samples in archives, IDX and CIFAR files. Errors VG_E_IO,
 * VG_E_NOMEM. */
vg_status vg_fix_write(const char *folder, const vg_dataset *dataset, const vg_fix_choice *choice,
                       const vg_fix *fix, vg_error *err);

/* "3,033 of 3,076 images kept; left out: 2 broken, 41 near-copy; ..." */
void vg_fix_words(const vg_fix *fix, char *text, size_t capacity);

#endif
