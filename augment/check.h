/* What a policy does to a dataset, measured before anything is trained: which of its operations change
 * nothing, which destroy pictures and from what strength on, which turn one class into another, and
 * whether it has enough views to give. Every operation is drawn by itself, then all of them together,
 * on pictures of the training split.
 *
 * Labels: a class is what its pictures look like to cheap features (luma on 12 x 12 cells, edge
 * orientations, colour; check_labels.h). An augmented sample crosses into another class when the three
 * nearest pictures of that class are nearer than those of its own (its own original left out), as near
 * as that class's pictures are to each other, and nearer than they were to the original. A pair of classes is
 * named where crossings rise above those of the un-augmented pictures by more than 3 points at a 95 %
 * level for all pairs together, and return: what mirrors left into right mirrors right into left. Where
 * the features do not tell the classes apart, nothing is judged.
 *
 * On the sets on which this rule was settled (it was chosen among several by what it said there, so expect more
 * false alarms elsewhere), flip=h over seeds 1 to 8: GTSRB's signs flagged 8 of 8 times, with true pairs
 * alone (keep left and keep right, turn left and turn right); 28 classes of Caltech-101 once, wrongly (a
 * wheelchair that faces the other way for an inline skate); Fashion-MNIST silent. Rotations of digits
 * through all angles are missed: too many draws look like neither class. A finding says
 * what was measured on these pictures; whether people would still call it the same, it cannot know. */
#ifndef VG_AUGMENT_CHECK_H
#define VG_AUGMENT_CHECK_H

#include "dataset/dataset.h"
#include "inspect.h"
#include "parts.h"
#include "transform.h"

typedef struct vg_check_options {
    size_t
        pictures; /* that are augmented, every class alike (256; at least 12 of each class if that
                          stays below four times as many) */
    size_t references; /* that they are compared with (1024); fewer than pictures: as many */
    int draws;         /* of each operation and of the policy, of each picture, 1 to 64 (4) */
    uint64_t seed;     /* chooses pictures and draws (1) */
    int threads;       /* 0: all CPUs; the result does not depend on it */
    double shows;      /* how often a training shows one picture of the rarest class; 0: not said */
} vg_check_options;
vg_check_options vg_check_options_default(void);
/* The quick check of a training: 64 pictures, 256 references, 2 draws; fewer where the training, which
 * will decode `decodes` pictures, would be slowed down by more than a hundredth. */
vg_check_options vg_check_options_quick(size_t decodes);

/* A pair of classes, the second of which samples of the first are taken for. */
typedef struct vg_check_pair {
    int from, to;
    double share;     /* of the draws that changed something, of class `from` */
    double before;    /* the same of its un-augmented pictures */
    double low, high; /* 95 % interval of the share, family-wise over all pairs */
} vg_check_pair;

/* One operation alone; the last one is the policy as a whole. */
enum { VG_CHECK_PAIRS = 8 };
typedef struct vg_check_part {
    char words[160]; /* "zoom=0.3:1", "randaugment=2:9: solarize"; "policy" */
    bool whole;
    size_t draws; /* in which it did anything at all: a flip does nothing to half of the samples */
    size_t findings[VG_FINDING_COUNT];
    double change;              /* mean over draws of the mean absolute change, 8-bit steps */
    double crossed, rise;       /* share of draws nearer to another class; less that without */
    double rise_low, rise_high; /* 95 % interval, over pictures */
    vg_check_pair pairs[VG_CHECK_PAIRS]; /* that are significant, strongest first */
    int pair_count;                      /* may be more than are listed */
} vg_check_part;

typedef enum vg_check_kind {
    VG_CHECK_DESTROYS,  /* more than a twentieth of the draws, of an operation or of the policy */
    VG_CHECK_LABELS,    /* turns classes into each other */
    VG_CHECK_REPEATS,   /* fewer different views than a training will show */
    VG_CHECK_SAME,      /* many samples have the same plan though the policy is random */
    VG_CHECK_NO_EFFECT, /* more than nine of ten draws change nothing that can be seen */
    VG_CHECK_NOTE       /* no fault: an operation that means nothing for these pictures, or
                           something that was not judged */
} vg_check_kind;
const char *vg_check_kind_name(vg_check_kind kind); /* "destroys", "labels", ... */

typedef struct vg_check_finding {
    vg_check_kind kind;
    int part;         /* whose */
    double share;     /* of the draws, or as the text says */
    char text[512];   /* a sentence with its numbers; names of classes as they are in the dataset */
    char remedy[200]; /* what to write instead; may be empty */
} vg_check_finding;

typedef struct vg_check {
    vg_check_part *parts; /* [part_count] */
    int part_count;
    vg_check_finding *findings; /* [finding_count], the most important first, notes last */
    int finding_count, warning_count;
    size_t pictures, references; /* that could be read */
    double crossed_before;       /* share of un-augmented pictures nearer to another class */
    bool labels_judged;
    double plans; /* of the policy: different ones, as a share of the draws */
    double views; /* of one picture: different ones among its draws, as a share, mean of pictures */
    double seconds;
} vg_check;

/* VG_E_ARG for options out of range, VG_E_STATE when the training split is empty, the first error when
 * no picture could be read. Pictures that cannot be read are left out. After an error *check is empty. */
vg_status vg_check_run(const vg_dataset *dataset, const vg_augment *augment,
                       const vg_check_options *options, vg_check *check, vg_error *err);
void vg_check_reset(vg_check *check);

#endif
