/* Whether samples look like another class than their own: features, nearest neighbours and the test of
 * pairs. Internal to the check. */
#ifndef VG_AUGMENT_CHECK_LABELS_H
#define VG_AUGMENT_CHECK_LABELS_H

#include "check.h"

enum {
    LABEL_GREY = 12, /* cells a side */
    LABEL_CELLS = 4,
    LABEL_ANGLES = 8, /* of edge orientations */
    LABEL_TINTS = 6,  /* bins of each of two colour axes */
    LABEL_GREYS = LABEL_GREY * LABEL_GREY,
    LABEL_EDGES = LABEL_CELLS * LABEL_CELLS * LABEL_ANGLES,
    LABEL_COLOURS = LABEL_TINTS * LABEL_TINTS,
    LABEL_SIZE = (LABEL_GREYS + LABEL_EDGES + LABEL_COLOURS + 7) / 8 * 8
};

/* Of a view (planar, 0..255), around the middle of its edges, so that a picture that only moved has the
 * same. Luma less its mean over its deviation; gradient lengths by cell and
 * unsigned orientation, and chroma (red-green, yellow-blue) by bin, both as square roots of shares,
 * so that the distance is Hellinger's. */
void label_features(const float *view, int channels, int width, int height,
                    float features[LABEL_SIZE]);

typedef struct label_space {
    float *reference; /* [count][LABEL_SIZE], owned by the caller */
    int *label;       /* [count]; -1: not there */
    size_t count;
    int classes;
    float weight[3]; /* of greys, edges and colours */
    float *typical;  /* [classes] a distance to the class that 95 % of its own pictures keep */
} label_space;

/* Weighs the three kinds of features by how far they tell classes apart and scales the references. */
void label_space_fit(label_space *space);
void label_space_scale(const label_space *space, float features[LABEL_SIZE]);

/* The class whose three nearest references are nearest in the mean (of classes with one reference or
 * two, these), `own` (SIZE_MAX: none) left out; *distances[classes] are filled. -1 without any. */
int label_nearest(const label_space *space, const float features[LABEL_SIZE], size_t own,
                  float *distances);

/* Sets typical[] from the distance of each reference to the rest of its own class. `own` is sorted.
 * Classes of fewer than three references: 0, nothing is typical of them. */
void label_space_typical(label_space *space, float *own);

/* A space that lives on after the check; owns what it points to. */
typedef struct vg_class_looks {
    label_space space;
} vg_class_looks;

/* What a sample was named: the nearest class, with LABEL_TYPICAL where it is as near to that class as 95 % of
 * the class's own pictures are to each other; LABEL_NO_DRAW where nothing was drawn. */
enum {
    LABEL_NO_DRAW = -1,
    LABEL_TYPICAL = 1 << 30,
    LABEL_CLASSES = 1000, /* at most, to be judged */
    LABEL_CANDIDATES = 6  /* of a part, at most */
};
typedef struct label_evidence {
    const int *before;     /* [references] the name of each without itself */
    const size_t *picture; /* [pictures] the reference that each augmented picture is */
    const int *named;      /* [pictures][draws] */
    size_t pictures;
    int draws;
    const bool *applies; /* [classes] the others are looked at for exchanges alone; NULL: to all */
} label_evidence;

/* The exchange of two classes: samples of each that became typical of the other. */
typedef struct label_exchange {
    int classes[2];
    double share[2], before[2]; /* of the draws of classes[i]; of its un-augmented pictures */
    double rise[2],
        error[2]; /* of the share over that, mean over pictures and its standard error */
} label_exchange;

/* Fills crossed and rise of a part, and lists pairs of classes that may be exchanged, the clearest first:
 * the rise is at least LABEL_LEAST, and its standard error, in both directions. VG_E_NOMEM. */
#define LABEL_LEAST 0.03
vg_status label_judge(const label_space *space, const label_evidence *evidence, vg_check_part *part,
                      label_exchange candidates[LABEL_CANDIDATES], int *count, vg_error *err);
/* The exchange of x->classes in other evidence, of pictures of these classes alone. */
void label_measure(const label_space *space, const label_evidence *e, label_exchange *x);
/* Whether both rises lie above LABEL_LEAST at a 95 % level for `tests` tests together; the intervals of
 * the shares, at that level, in pairs[2]. */
bool label_is_exchange(const label_exchange *exchange, int tests, vg_check_pair pairs[2]);
/* Puts a pair into the part's list by its share. */
void label_keep(vg_check_part *part, const vg_check_pair *pair);

#endif
