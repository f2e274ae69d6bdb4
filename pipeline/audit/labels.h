/* What the labels alone tell about a dataset, no picture opened: how the classes lie in the splits,
 * whether the splits differ by more than chance, whether the data is stored class by class, and what
 * the held-out images can and cannot prove. How uneven the classes are is in balance.h.
 *
 * The measures are pure functions of counts and of the sequence of labels; vg_labels_of puts them
 * together for a dataset. The same input gives the same bits, whatever the number of threads. */
#ifndef VG_AUDIT_LABELS_H
#define VG_AUDIT_LABELS_H

#include "balance.h"
#include "base/status.h"
#include "dataset/dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- two splits: do they have the same shares of classes? */

typedef enum vg_drift_word {
    VG_DRIFT_NONE,  /* nothing that chance does not explain, or too little to matter */
    VG_DRIFT_EVEN,  /* they differ, and the second has its classes equal: made so on purpose */
    VG_DRIFT_SOME,  /* p <= 0.001 and a distance of 0.1 above chance */
    VG_DRIFT_GRAVE, /* p <= 0.001 and a distance of 0.2 above chance */
} vg_drift_word;

typedef struct vg_drift_class {
    int label;
    double share[2]; /* of each of the two splits */
    double z;        /* adjusted residual: the second has more (+) or fewer (-) than its share, in
                        standard deviations of chance */
} vg_drift_class;
enum { VG_DRIFT_CLASSES = 5 };

typedef struct vg_drift {
    vg_split split[2];
    size_t n[2];
    double chi_square; /* Pearson's, of the table 2 x classes that occur */
    int freedom;
    double p;            /* that splits drawn at random differ as much */
    size_t permutations; /* that p comes from; 0: from the chi-square distribution */
    double distance;  /* Jensen-Shannon distance, base 2: 0 the same shares, 1 no class in common */
    double by_chance; /* what splits of these sizes drawn at random show on average */
    vg_drift_word word;
    vg_drift_class worst[VG_DRIFT_CLASSES]; /* |z| beyond chance (1 %, Bonferroni), largest first */
    int worst_count;
} vg_drift;

/* a[classes], b[classes]: counts of the first and the second split, which are to be set in drift->split by
 * the caller. Where an expected count is below 1, or more than a fifth of them below 5 (Cochran 1954),
 * p comes from 999 to 4,999 random divisions of the same images ((1 + hits) / (1 + permutations); fewer
 * for large splits), else from the chi-square distribution. An empty split, or one class: p 1, distance 0.
 * `distance` is compared after taking away `by_chance` in squares. 0.1 is the distance from which
 * monitors of data speak of drift: two classes of 50 : 50 become 62 : 38. VG_E_NOMEM. */
vg_status vg_drift_measure(const size_t *a, const size_t *b, int classes, vg_drift *drift,
                           vg_error *err);

/* ---- the order in which the data is stored */

typedef struct vg_label_order {
    size_t count;         /* labels in the sequence; 0: nothing was looked at */
    int present;          /* classes in it */
    size_t runs;          /* maximal runs of one label */
    double expected_runs; /* in a random order */
    double z;             /* (runs - expected_runs) over the spread of a random order */
    size_t longest_run;
    int longest_label;
    size_t batch;            /* consecutive images that `batch_classes` speaks of */
    double batch_classes;    /* mean number of classes in so many */
    double shuffled_classes; /* the same in a random order */
    size_t tail;             /* images in the last fifth, which a split by position takes */
    int head_lacks;          /* classes that occur in the last fifth alone: never trained then */
    int tail_lacks;          /* classes that do not occur there: never tested then */
    bool sorted;    /* each class is one run, of two classes or more, some with two images */
    bool clustered; /* fewer than half of the expected runs, beyond chance (z < -5) */
} vg_label_order;

/* labels[n], each 0..classes - 1, in the order in which a reader meets them. Runs after Wald and
 * Wolfowitz for several classes (Barton and David, "Multiple runs", Biometrika 44, 1957). VG_E_NOMEM. */
vg_status vg_label_order_measure(const int32_t *labels, size_t n, int classes, size_t batch,
                                 vg_label_order *order, vg_error *err);

/* ---- what a held-out split can prove */

typedef struct vg_label_power {
    size_t count;    /* images in the split; 0: there is none and nothing else counts */
    int present;     /* classes in it */
    size_t needed;   /* images that a class needs in it, to be called missing when it is never named
                        (VG_MISSING_SHARE, upper Wilson 95 % bound); 0: the split is too small */
    int blind;       /* classes in it that have fewer: "never named" cannot be told from chance */
    size_t smallest; /* images of its smallest class that has any */
    size_t probe;    /* images that a training looks at, at most, taken evenly over the classes */
    int probe_blind; /* classes that have too few among these */
    size_t probe_wanted; /* a probe that would see the classes that the split can see; 0: none */
    double
        balanced_count; /* images of an even split whose mean recall is known as well: K^2 / sum 1/n_k
                              over the classes in it */
} vg_label_power;

/* counts[classes] of a split. `probe`: 0 for all. */
vg_label_power vg_label_power_measure(const size_t *counts, int classes, size_t probe);
/* Images that a class needs among n; 0: no number is enough. */
size_t vg_label_power_needed(size_t n);
/* The difference between the accuracies of two networks, both near `accuracy`, that n images tell from
 * nothing in 80 % of cases (two-sided, 5 %), 0..1. `alike`, 0..1: the part of their disagreement that
 * is lacking because both err on the same images; 0 is what independent errors give. Normal
 * approximation of McNemar's test (Connor, Biometrics 43, 1987), without its small term. */
double vg_label_power_difference(double n, double accuracy, double alike);

/* ---- together */

typedef struct vg_label_class {
    double share, share_low, share_high; /* of all images, 95 % Wilson */
    double effective;                    /* Cui's effective number with VG_EFFECTIVE_BETA */
    size_t tested;      /* images in the test split, or in val where there is no test */
    double perfect_low; /* exact 95 % lower bound of its accuracy if all of them are right */
    unsigned absent;    /* bit 1 << split: the split has images, none of this class */
    unsigned blind;     /* bit 1 << split: has images there, fewer than vg_label_power.needed */
} vg_label_class;

typedef struct vg_labels {
    int classes;
    size_t *counts; /* [VG_SPLIT_COUNT * classes], split by split */
    bool by_data;   /* train, val, test came with the data (else drawn by hash: drift is chance) */
    vg_balance all, split[VG_SPLIT_COUNT];
    vg_label_class *per_class;  /* [classes] */
    int absent[VG_SPLIT_COUNT]; /* classes that have no image in this split, which has some */
    vg_drift drift[VG_SPLIT_COUNT];
    int drift_count; /* pairs of splits that have images: train-val, train-test, val-test */
    vg_label_order order;
    vg_label_power power[VG_SPLIT_COUNT]; /* of val and test */
} vg_labels;

typedef struct vg_labels_options {
    size_t probe; /* images that the monitor of a training looks at (2000); 0: all */
    size_t batch; /* of consecutive images (32) */
} vg_labels_options;
vg_labels_options vg_labels_options_default(void);

/* Everything at once. The order is that of the stored data (rows of a manifest, IDX and CIFAR files,
 * members of WebDataset shards), of the training images where the data brings splits, else of all; folders and
 * archives of class folders have no order that anybody would train in. A dataset of counts alone is enough.
 * VG_E_NOMEM; *labels is empty then. */
vg_status vg_labels_of(const vg_dataset *dataset, const vg_labels_options *options,
                       vg_labels *labels, vg_error *err);
void vg_labels_reset(vg_labels *labels);
static inline const size_t *vg_labels_counts(const vg_labels *labels, vg_split split)
{
    return labels->counts + (size_t)split * (size_t)labels->classes;
}

#endif
