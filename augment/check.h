/* What a policy does to a dataset, measured before anything is trained: which of its operations change
 * nothing, which destroy pictures and from what strength on, which turn one class into another, and
 * whether it has enough views to give. Every operation is drawn by itself, then all of them together,
 * on pictures of the training split.
 *
 * Labels: a class is what its pictures look like to cheap features (luma on 12 x 12 cells and edge
 * orientations about the middle of the edges, colour; check_labels.h). An augmented sample has become another
 * class when that class's three nearest pictures are the nearest ones (its own original left out), and as near
 * as 95 % of the class's own pictures are to each other (a conformal test). A pair of classes is named where
 * that happens in both directions - what turns 6 into 9 turns 9 into 6 - more often than to the un-augmented
 * pictures, each without itself: by more than 3 points at a 95 % level for all pairs together, on draws and
 * pictures other than those that made the pair suspicious. Where the features do not tell the classes apart,
 * nothing is judged. What makes two classes alike without exchanging them (grey of red and blue) is not
 * found. docs/check.md has what was measured. A finding says what was seen on these pictures; whether people
 * would still call it the same, it cannot know.
 */
#ifndef VG_AUGMENT_CHECK_H
#define VG_AUGMENT_CHECK_H

#include "audit/flat.h"
#include "dataset/dataset.h"
#include "inspect.h"
#include "mix.h"
#include "parts.h"
#include "transform.h"

typedef struct vg_check_options {
    size_t
        pictures; /* that are augmented, every class alike (256; at least 12 of each class if that
                          stays below four times as many) */
    size_t references; /* that they are compared with (1024); fewer than pictures: as many */
    int draws;         /* of each operation and of the policy, of each picture, 1 to 64 (4) */
    int again; /* pictures of each class that an exchange is confirmed on, at most, up to 64 (64) */
    uint64_t seed;    /* chooses pictures and draws (1) */
    int threads;      /* 0: all CPUs; the result does not depend on it */
    vg_mixing mixing; /* of the batches; off */
    /* Bounds of the work. At most so many pixels are decoded, and as many drawn in a pass over the pictures, as long as
     * 32 pictures are looked at and 16 augmented; 0: as many as it takes (0). */
    size_t pixels;
    /* What the training will decode: a fiftieth of that may be looked at, and a twenty-fifth drawn, whatever
     * `pixels` says (0). */
    size_t decodes;
    int max_shrink; /* as in vg_augment: labels and faults are judged on pictures that were shrunk so
                       far while they were decoded (0: not) */
    double shows;   /* how often a training shows one picture of the rarest class; 0: not said */
} vg_check_options;
vg_check_options vg_check_options_default(void);
/* The quick check of a training that will decode `decodes` pictures: 2 draws of 32 pictures (up to 128 where there are
 * many classes), against a fiftieth of them, 256 to 768, fewer where pictures or the input are large: a second, or a
 * fiftieth of the training. */
vg_check_options vg_check_options_quick(size_t decodes);

/* A pair of classes, the second of which samples of the first are taken for. */
typedef struct vg_check_pair {
    int from, to;
    double share;     /* of the draws that changed something, of class `from` */
    double before;    /* the same of its un-augmented pictures */
    double low, high; /* 95 % interval of the share, family-wise over all pairs */
} vg_check_pair;

/* One operation alone; then the policy as a whole, and the same of policies of
 * classes as far as they differ. */
enum { VG_CHECK_PAIRS = 8 };
typedef struct vg_check_part {
    char words[160]; /* "zoom=0.3:1", "randaugment=2:9: solarize"; "policy"; "rotate=5 for 6, 9" */
    bool whole;
    int code;     /* vg_part_code; -1: the whole */
    size_t draws; /* in which it did anything at all: a flip does nothing to half of the samples */
    size_t findings[VG_FINDING_COUNT];
    double change;              /* mean over draws of the mean absolute change, 8-bit steps */
    double crossed, rise;       /* share of draws nearer to another class; less that without */
    double rise_low, rise_high; /* 95 % interval, over pictures */
    vg_check_pair pairs[VG_CHECK_PAIRS]; /* that are significant, strongest first */
    int pair_count;                      /* may be more than are listed */
} vg_check_part;

typedef enum vg_check_kind {
    VG_CHECK_FLAT,      /* pictures are of one colour before anything is drawn */
    VG_CHECK_DESTROYS,  /* more than a twentieth of the draws, of an operation or of the policy */
    VG_CHECK_LABELS,    /* turns classes into each other */
    VG_CHECK_MIXING,    /* MixUp or CutMix: labels that do not say what is seen, or nothing mixed */
    VG_CHECK_REPEATS,   /* fewer different views than a training will show */
    VG_CHECK_SAME,      /* many samples have the same plan though the policy is random */
    VG_CHECK_NO_EFFECT, /* more than nine of ten draws change nothing that can be seen */
    VG_CHECK_NOTE       /* no fault: an operation that means nothing for these pictures, or
                           something that was not judged */
} vg_check_kind;
const char *vg_check_kind_name(vg_check_kind kind); /* "destroys", "labels", ... */

typedef struct vg_check_finding {
    vg_check_kind kind;
    int part;         /* whose; -1: of no operation */
    double share;     /* of the draws, or as the text says */
    char text[512];   /* a sentence with its numbers; names of classes as they are in the dataset */
    char remedy[200]; /* what to write instead; may be empty */
} vg_check_finding;

/* What mixing does to pairs of pictures. */
typedef struct vg_check_mix {
    size_t draws; /* that were mixed; 0: mixing is off */
    size_t pure;  /* one picture, and nothing of the other that can be seen */
    size_t
        wrong; /* CutMix: of the picture with the larger share of the label less than a quarter of
                     the edges is in view */
} vg_check_mix;

typedef struct vg_check {
    vg_check_part *parts; /* [part_count] */
    int part_count;
    vg_check_finding *findings; /* [finding_count], the most important first, notes last */
    int finding_count, warning_count;
    size_t pictures, references; /* that were drawn for, and that they were compared with */
    vg_flat flat;                /* of the references; these are not drawn for */
    vg_check_mix mix;
    double crossed_before; /* share of un-augmented pictures nearer to another class */
    bool labels_judged;
    double plans; /* of the policy: different ones, as a share of the draws */
    double views; /* of one picture: different ones among its draws, as a share, mean of pictures */
    double seconds;
    struct vg_class_looks *looks; /* for vg_check_looks_like; NULL where labels were not
                                    judged, or a quarter of the pictures as they are look like others */
} vg_check;

/* VG_E_ARG for options out of range, VG_E_STATE when the training split is empty, the first error when
 * no picture could be read. Pictures that cannot be read are left out. After an error *check is empty. */
vg_status vg_check_run(const vg_dataset *dataset, const vg_augment *augment,
                       const vg_check_options *options, vg_check *check, vg_error *err);
void vg_check_reset(vg_check *check);
/* The class that a view (planar, 0..255, of the size that was checked) of a picture of class `label` looks like:
 * another one, as near to it as that class's own pictures are to each other; -1: its own, or none. Any
 * thread. */
int vg_check_looks_like(const vg_check *check, const float *view, int channels, int width,
                        int height, int label);

#endif
