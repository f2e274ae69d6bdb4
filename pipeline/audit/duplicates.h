/* Pictures that are in a dataset more than once: as the same pixels, saved again, turned, cropped,
 * brightened or with something written on them. */
#ifndef VG_AUDIT_DUPLICATES_H
#define VG_AUDIT_DUPLICATES_H

#include "audit/same_picture.h"
#include "dataset/dataset.h"

/* In this order: a group is named by the weakest link that holds it together. */
typedef enum vg_copy_kind {
    VG_COPY_EXACT,   /* the same size and pixels */
    VG_COPY_RESAVED, /* the same but for compression, size or brightness */
    VG_COPY_TURNED,  /* turned or mirrored */
    VG_COPY_CROPPED,
    VG_COPY_EDITED, /* a part of it differs */
    VG_COPY_KINDS
} vg_copy_kind;
const char *vg_copy_name(vg_copy_kind kind); /* "exact", "resaved", ... */

/* One link: `second` is a copy of a window of `first`. */
typedef struct vg_copy {
    size_t first, second;
    vg_copy_kind kind;
    int turn; /* what has to be done to second, see window.h; 0 for exact */
    vg_window_part window;
    double agreeing; /* share of the area that is equal */
} vg_copy;

typedef struct vg_copy_group {
    size_t begin, count;  /* in members */
    vg_copy_kind weakest; /* of its links */
    bool labels_differ;   /* members of several classes: a label conflict */
    bool splits_differ;   /* members in several splits */
    bool leaks;           /* one of them in train, one held out */
    size_t stays;         /* the member that the others are copies of, see vg_copies_judge */
} vg_copy_group;

typedef struct vg_duplicates {
    vg_copy *links; /* by first, second; a group of n members has n - 1 */
    size_t link_count;
    size_t *members;       /* indices, ascending within a group */
    vg_copy_group *groups; /* by their first member */
    size_t group_count;
    size_t extra;       /* pictures that could go: members - groups */
    size_t exact_extra; /* of them as exact copies of one that stays */
    size_t conflicts;   /* groups of such */
    /* What vg_copies_judge (copies.h) adds, and `stays` and `leaks` of each group: */
    size_t leaks;                  /* groups of such */
    size_t leaked[VG_SPLIT_COUNT]; /* held-out pictures with a copy in train ... */
    size_t bought
        [VG_SPLIT_COUNT]; /* ... of the same label: known by heart, they count as recognized */
    size_t compared, confirmed; /* pairs that were looked at on the pixels, and were the same */
    size_t dropped;             /* see vg_neighbours_find */
    double seconds;
} vg_duplicates;

/* prints[vg_dataset_count]. Every pair that is reported was compared on its pixels, which are read
 * again for it. The result does not depend on the number of threads. Memory: 0.4 KiB a picture and
 * up to 64 MiB. VG_E_NOMEM. */
vg_status vg_duplicates_find(const vg_dataset *dataset, const vg_fingerprint *prints, int threads,
                             vg_duplicates *found, vg_error *err);
void vg_duplicates_reset(vg_duplicates *found);

#endif
