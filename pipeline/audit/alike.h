/* Classes whose names differ so little that they were probably meant to be one. */
#ifndef VG_AUDIT_ALIKE_H
#define VG_AUDIT_ALIKE_H

#include "base/status.h"
#include "dataset/dataset.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum vg_alike_by {
    VG_ALIKE_CASE,   /* of ASCII letters: "Cat", "cat" */
    VG_ALIKE_BLANKS, /* at the beginning or the end, or several in a row: "cat", "cat " */
    VG_ALIKE_SIGNS   /* blank, '-', '_' or none of them, besides: "big cat", "Big-Cat", "bigcat" */
} vg_alike_by;

typedef struct vg_alike {
    int first, second; /* labels; first < second. Of a group of n classes n - 1 pairs are listed */
    vg_alike_by by;    /* the least that must be overlooked to take one for the other */
} vg_alike;

/* Finds them among the classes of the dataset, sorted by labels; the list is the caller's (free).
 * Names of letters beyond ASCII are compared by their bytes. Time K log K. VG_E_NOMEM. */
vg_status vg_alike_find(const vg_dataset *dataset, vg_alike **list, size_t *count, vg_error *err);
/* "case", "blanks", "signs". */
const char *vg_alike_name(vg_alike_by by);

#endif
