/* What a run has recorded as bytes, to be kept in a file and taken up again: one walk over the fields serves both
 * directions, so that what is written and what is read cannot differ. The bytes belong to this version of
 * the program (VG_RECORD_VERSION) and to no other. */
#ifndef VG_TRAIN_RECORD_H
#define VG_TRAIN_RECORD_H

#include "base/file.h"
#include "run.h"

/* Raised whenever the order or kind of a field changes. */
enum { VG_RECORD_VERSION = 1 };

/* Walking over fields, writing them to or reading them from `bytes`. */
typedef struct vg_record {
    vg_bytes bytes;
    size_t at; /* reading: the next byte */
    bool writing;
    bool failed; /* memory ran out, or the bytes end too early or hold what cannot be */
} vg_record;

void vg_record_raw(vg_record *record, void *field, size_t size);
#define vg_record_field(record, field) vg_record_raw(record, &(field), sizeof(field))
/* An array of *count elements: when reading, *array is made (free() it) unless there are none. */
void vg_record_array(vg_record *record, void *array, size_t *count, size_t size);

/* When reading, *diversity is empty before and vg_diversity_reset frees it, also after a failure. */
void vg_record_diversity(vg_record *record, vg_diversity *diversity);
void vg_record_monitor(vg_record *record, vg_monitor *monitor);
void vg_record_epoch(vg_record *record, vg_epoch_record *epoch);
/* The result of a run: epochs, monitor, final look, counts and the list of bad samples. When reading, *result
 * is empty before; vg_run_result_reset frees it. */
void vg_record_result(vg_record *record, vg_run_result *result);

/* One result in a file, with a line of text per fact that says whose it is, and a checksum. Loading: VG_E_STATE when
 * `identity` is another text, VG_E_FORMAT when the file is damaged; *result is zero-initialized before. */
vg_status vg_record_save(const char *path, const char *identity, vg_run_result *result,
                         vg_error *err);
vg_status vg_record_load(const char *path, const char *identity, vg_run_result *result,
                         vg_error *err);
/* VG_OK when the texts are equal, else VG_E_STATE with the first line that differs. */
vg_status vg_record_compare(const char *path, const char *then, const char *now, vg_error *err);

#endif
