/* Which labels of a dataset are probably wrong, about how many, and of what kind the mistakes are.
 *
 * Every picture of every split is judged by a small network that was trained without it (out_of_fold.h); what labels and
 * judgements together say is label_noise.h's. A label that is listed is one to look at: of those with a doubt of 0.8 about one
 * in five is right. */
#ifndef VG_STUDY_LABEL_ERRORS_H
#define VG_STUDY_LABEL_ERRORS_H

#include "dataset/dataset.h"
#include "study/label_noise.h"

#include <stdbool.h>

typedef struct vg_label_error_options {
    uint64_t seed;   /* 1 */
    const char *net; /* preset of nn/spec.h; NULL: by the pictures. Borrowed */
    int side;        /* longest side at which pictures are looked at; 0: theirs, at most 48 */
    int folds;       /* 0: 2, with fewer than 20,000 pictures 4 */
    int epochs;      /* 0: as many as show 360,000 pictures, 6 to 40 */
    bool mirror;     /* pictures are mirrored in training (false: digits and signs may not be) */
    size_t least;    /* images that a class must have to be judged (20) */
    size_t most;     /* images that are judged, chosen by the hash of their names (200,000) */
    int threads;     /* < 1: all CPUs; the result does not depend on it */
    /* Told from the caller's thread: which part is under way ("reading", "training") and the share of all the work that is done. True
     * stops. May be NULL. */
    bool (*progress)(void *context, const char *part, double share);
    void *context;
} vg_label_error_options;
vg_label_error_options vg_label_error_options_default(void);

typedef struct vg_judged_label {
    size_t index; /* in the dataset */
    int given, suggested;
    float doubt; /* probability that `given` is wrong */
} vg_judged_label;

typedef struct vg_label_errors {
    vg_judged_label *labels; /* [judged], most doubtful first */
    size_t judged;
    size_t suspicious; /* the first so many have a doubt of one half or more */
    size_t unreadable; /* pictures that could not be read and were not judged */
    size_t not_asked;  /* pictures beyond `most` */
    int *left_out;     /* [left_out_count] classes with too few images, not judged */
    int left_out_count;
    vg_label_noise noise; /* of the judged images; classes are numbered as in `classes` */
    int *classes;         /* [noise.classes] labels of the dataset; pairs hold these already */
    double agreement;     /* share of the labels that the networks would have given */
    char net[32];
    int channels, height, width, folds, epochs;
    double seconds;
} vg_label_errors;
void vg_label_errors_reset(vg_label_errors *errors);

/* VG_E_FORMAT: fewer than two classes have enough images, or none can be read: says so with figures. VG_E_ARG: options
 * out of range, an unknown net. VG_E_STOPPED; what reading and training return. On failure *errors is
 * empty. */
vg_status vg_label_errors_find(const vg_dataset *dataset, const vg_label_error_options *options,
                               vg_label_errors *errors, vg_error *err);

#endif
