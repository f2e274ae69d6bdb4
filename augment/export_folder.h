/* What an export's folder looks like: names, the state it is in, its manifest. Private to export.c. */
#ifndef VG_AUGMENT_EXPORT_FOLDER_H
#define VG_AUGMENT_EXPORT_FOLDER_H

#include "base/file.h"
#include "export.h"

enum { VG_EXPORT_PATH = 1200, VG_EXPORT_TEXT = VG_POLICY_TEXT + 2048 };

/* What each class is called on disk, [classes], each and the list from the heap, also on errors what
 * there is of it. VG_E_ARG when two would be called the same. */
vg_status vg_export_name_classes(const vg_dataset *dataset, char ***folders, vg_error *err);
/* The file of a variant, below the export's folder. */
void vg_export_path(const vg_dataset *dataset, const vg_export_options *options,
                    char *const *folders, size_t index, uint64_t variant,
                    char path[VG_EXPORT_PATH]);
/* `resume`: also removes what a killed export left there under temporary names. */
vg_status vg_export_make_folders(const vg_dataset *dataset, const char *folder,
                                 char *const *folders, bool resume, vg_error *err);

/* Whether this export may be written to `folder`: VG_OK for a new folder (*resume false) or for a cut
 * off export of the same description (true); VG_E_STATE otherwise. */
vg_status vg_export_claim(const char *folder, const char *description, bool *resume, vg_error *err);
vg_status vg_export_state(const char *folder, const char *description, bool complete,
                          vg_error *err);

/* Appends a field and what ends it, as RFC 4180 wants it. */
vg_status vg_export_field(vg_bytes *to, const char *text, char end, vg_error *err);
/* manifest.csv from the journal `part`: its lines, each once and sorted, under their heading. */
vg_status vg_export_manifest(const char *folder, const char *part, vg_error *err);

#endif
