/* What the readers of manifests share: a row is a row, whether it stood in a table or in a JSON
 * object. Private to dataset/. */
#ifndef VG_DATASET_MANIFEST_H
#define VG_DATASET_MANIFEST_H

#include "dataset/index.h"

typedef enum vg_role {
    VG_ROLE_PATH,
    VG_ROLE_LABEL,
    VG_ROLE_SPLIT,
    VG_ROLE_CONTAINER,
    VG_ROLE_COUNT
} vg_role;

typedef struct vg_manifest {
    vg_dataset *dataset;
    vg_error *err;
    const char *path;                 /* of the manifest, for messages */
    const char *prefix;               /* put before every relative path: "" or "train/" */
    vg_split split;                   /* of rows that name none */
    bool forced;                      /* the folder says the split */
    size_t with_split, without_split; /* first lines that have one and have none; 0: no such line */
    char *container;                  /* of all rows, NULL: they are files */
    size_t with_container, without_container;
    size_t *lines; /* of each sample */
    size_t line_capacity;
} vg_manifest;

/* "path:line: message" as VG_E_FORMAT. */
vg_status vg_manifest_fail(vg_manifest *manifest, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether a column or key of that name plays the role; the case of letters does not matter. */
bool vg_manifest_plays(const char *word, vg_role role);
/* The known word that `word` was probably meant to be, NULL if none is near; its role in *role. */
const char *vg_manifest_nearest(const char *word, vg_role *role);
/* Takes a row; split NULL or empty: none given. */
vg_status vg_manifest_row(vg_manifest *manifest, size_t line, const char *path, const char *label,
                          const char *split);
/* Takes the container of a row, before the row; NULL or empty: none given. */
vg_status vg_manifest_container(vg_manifest *manifest, size_t line, const char *container);
/* After all rows: finds the samples in the container, if there is one. */
vg_status vg_manifest_resolve(vg_manifest *manifest);

/* The readers, of a text of `size` bytes with a zero behind it; a table is parsed in place. */
vg_status vg_manifest_table(vg_manifest *manifest, char *text, size_t size);
vg_status vg_manifest_json_lines(vg_manifest *manifest, const char *text, size_t size);
/* Whether the text's first line is a header, or an object, that names a path and a label. */
bool vg_manifest_table_names_label(const char *text, size_t size);
bool vg_manifest_json_names_label(const char *text, size_t size);

/* Reads the file manifest->path with the reader that it needs; samples are added. */
vg_status vg_manifest_file(vg_manifest *manifest);
/* After all files: takes out repeats, finishes the index unless `status` is an error, and frees what
 * the manifest holds. Returns the error, or its own. */
vg_status vg_manifest_finish(vg_manifest *manifest, vg_status status);

#endif
