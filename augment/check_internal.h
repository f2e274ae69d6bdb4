/* What the parts of the check hand to each other. Internal to it. */
#ifndef VG_AUGMENT_CHECK_INTERNAL_H
#define VG_AUGMENT_CHECK_INTERNAL_H

#include "check_draw.h"
#include "check_labels.h"

/* One draw of one part of one picture. */
typedef struct check_record {
    bool drawn;
    vg_finding finding;
    float change;
    uint64_t plan, view; /* hashes, of the whole policy's only */
} check_record;

typedef struct check_worker check_worker;

typedef struct check_run {
    const vg_dataset *dataset;
    const vg_augment *augment;
    vg_check_options options;
    check_draw *draws; /* [parts] */
    int parts, threads;
    check_worker *workers; /* [threads] */
    /* The references, by class; those that are augmented come first in their class. */
    size_t *index;    /* [space.count] in the dataset */
    bool *augmented;  /* [space.count] */
    vg_image *kept;   /* [space.count] decoded, while there is room */
    size_t room;      /* bytes for each augmented picture */
    vg_error *errors; /* [space.count] why one could not be read or drawn */
    label_space space;
    int *before;     /* [space.count] */
    float *own;      /* [space.count] distance to the others of its class */
    size_t *picture; /* [pictures] augmented references */
    size_t pictures;
    bool labels;           /* are judged */
    check_record *records; /* [parts][pictures][draws] */
    int *named;            /* the same */
} check_run;

/* The share of draws that destroy the picture, on every third of the pictures; -1 when it could not be
 * measured. */
double check_destroyed(check_run *run, const check_draw *draw);

/* Words and remedies out of the parts' figures, in order. VG_E_NOMEM. */
vg_status check_find(check_run *run, vg_check *check, vg_error *err);

#endif
