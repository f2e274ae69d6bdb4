/* Samples that come from one origin: frames of one track, shots of one burst, variants of one picture. A
 * random split that tears them apart tests on what was trained on. */
#ifndef VG_AUDIT_ORIGINS_H
#define VG_AUDIT_ORIGINS_H

#include "audit/fingerprint.h"
#include "audit/marks.h"
#include "dataset/dataset.h"

typedef enum vg_origin_kind {
    VG_ORIGIN_VARIANTS, /* "cat12_a", "cat12_crop": one stem */
    VG_ORIGIN_FRAMES,   /* "00012_00001", "00012_00002": the same but for numbers at the end */
    VG_ORIGIN_BURST,    /* numbered one after the other, and alike */
    VG_ORIGIN_FOLDER,   /* one folder of several within the class */
    VG_ORIGIN_KINDS
} vg_origin_kind;
const char *vg_origin_name(vg_origin_kind kind); /* "variants", "frames", ... */

typedef struct vg_origin_group {
    size_t begin, count; /* in members */
    vg_origin_kind kind; /* the widest of its links, in the order of the enumeration */
    bool torn;           /* members in several splits */
    bool leaks;          /* some in train, some held out */
    bool labels_differ;
} vg_origin_group;

/* Zero-initialized is empty. */
typedef struct vg_origins {
    size_t *members; /* indices; ascending within a group */
    size_t member_count;
    vg_origin_group *groups; /* by their first member */
    size_t group_count;
    size_t of_kind[VG_ORIGIN_KINDS]; /* groups */
    size_t torn, leaking;            /* groups */
    size_t leaked[VG_SPLIT_COUNT];   /* held-out samples with siblings in train */
    size_t compared; /* pairs of siblings whose pictures were compared; 0: names alone */
    double
        likeness;  /* their mean difference over that of other pictures of their class; 0 of none */
    bool by_names; /* opening with split_by group keeps exactly these together */
    double seconds;
} vg_origins;

/* prints[vg_dataset_count], NULL: nothing was read, so that variants alone can be told. What names propose
 * is held against the pictures (as 8 x 8 grey averages): neighbours of a series must differ less than pairs
 * of the same class drawn at random, in all of 99 draws, by 4 standard deviations and by a sixth; variants
 * by a tenth, and without a test where there are few. Of samples that are numbered throughout, neighbours
 * are joined whose likeness is rare among all pairs of their class (false discovery rate 1 %: Benjamini and
 * Hochberg, J. R. Stat. Soc. B 57, 1995). Numbering that starts anew in each folder, or one prefix for a
 * whole class, makes no series. Does not depend on the number of threads. Memory: 0.2 KiB a sample while it
 * runs. VG_E_NOMEM; then *found is empty. */
vg_status vg_origins_find(const vg_dataset *dataset, const vg_fingerprint *prints,
                          vg_origins *found, vg_error *err);
/* Marks what is held out and has siblings in train. */
void vg_origins_mark(const vg_dataset *dataset, const vg_origins *found, vg_marks *marks);
void vg_origins_reset(vg_origins *found);

#endif
