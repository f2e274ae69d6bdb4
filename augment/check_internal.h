/* What the parts of the check hand to each other. Internal to it. */
#ifndef VG_AUGMENT_CHECK_INTERNAL_H
#define VG_AUGMENT_CHECK_INTERNAL_H

#include "check_draw.h"
#include "check_labels.h"

/* Of a picture as it is: of one colour, with transparent pixels. */
enum { CHECK_FLAT = 1, CHECK_CLEAR = 2 };

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
    vg_augment shrunk; /* the same, with how far pictures may be shrunk while they are decoded */
    vg_check_options options;
    check_draw *draws; /* [parts] */
    bool *applies;     /* [parts][policies]: the general one and those of classes */
    int parts, policies, threads;
    check_worker *workers; /* [threads] */
    /* The references, by class; those that are augmented come first in their class. */
    size_t *index;    /* [space.count] in the dataset */
    bool *augmented;  /* [space.count] */
    vg_image *kept;   /* [space.count] decoded, while there is room */
    size_t room[2];   /* bytes for each picture, each augmented one */
    vg_error *errors; /* [space.count] why one could not be read or drawn */
    label_space space;
    int *before;     /* [space.count] what each is named without itself */
    float *near;     /* [space.count] distance to the class of that name */
    float *own;      /* [space.count] distance to the others of its class */
    uint8_t *looks;  /* [space.count] CHECK_FLAT, CHECK_CLEAR */
    size_t *picture; /* [pictures] augmented references */
    size_t pictures;
    bool labels;           /* are judged */
    check_record *records; /* [parts][pictures][draws] */
    int *named;            /* the same */
} check_run;

struct check_worker {
    void *scratch;
    vg_reader reader;
    vg_image image;
    float *before, *after; /* a view each */
    float *distances;      /* [classes] */
};
/* Chooses the pictures, makes room for what is said of each, readable or not.
 * VG_E_STATE without training samples, VG_E_NOMEM. */
vg_status check_choose(check_run *run, vg_error *err);
/* How many views may be drawn in one pass over pictures. */
size_t check_views(const check_run *run);
/* Reads and decodes sample `index` of the dataset, shrunk as far as the check may. */
vg_status check_read(check_run *run, vg_reader *reader, size_t index, vg_image *image,
                     vg_decode_info *info, vg_error *err);
/* The decoded picture of reference i: kept, or read once more; NULL on errors. */
const vg_image *check_picture(check_run *run, check_worker *w, size_t i, vg_decode_info *info,
                              vg_error *err);
/* One draw of a part on a reference whose un-augmented view is w->before; the view in w->after. */
vg_status check_draw_one(check_run *run, check_worker *w, const check_draw *draw,
                         const vg_image *image, size_t reference, int number, check_record *record,
                         vg_error *err);
/* What the view in w->after is named. */
int check_name(check_run *run, check_worker *w, size_t reference);

/* Looks again, at fresh draws on all references of both classes, at pairs of classes that may be exchanged,
 * and lists those that are in check->parts. candidates[parts][LABEL_CANDIDATES], counts[parts],
 * which become smaller where less is tested. VG_E_NOMEM. */
vg_status check_confirm(check_run *run, vg_check *check, label_exchange *candidates, int *counts,
                        vg_error *err);

/* Whether a part belongs to the policy of a class, and that policy's whole. -1: it does nothing. */
bool check_applies(const check_run *run, int part, int label);
int check_whole_of(const check_run *run, int label);
/* Takes the general policy and those of classes apart into run->draws. VG_E_NOMEM. */
vg_status check_parts(check_run *run, vg_error *err);

/* Fills check->mix. VG_E_NOMEM. */
vg_status check_mixing(check_run *run, vg_check *check, vg_error *err);

/* The share of draws that destroy the picture, on every third of the pictures; -1 when it could not be
 * measured. */
double check_destroyed(check_run *run, const check_draw *draw);

/* Words and remedies out of the parts' figures, in order. VG_E_NOMEM. */
vg_status check_find(check_run *run, vg_check *check, vg_error *err);

#endif
