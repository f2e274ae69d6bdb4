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

/* Of a view (planar, 0..255). Luma less its mean over its deviation; gradient lengths by cell and
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
    float *typical;  /* [classes] a distance to the class that its own pictures usually keep */
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

/* What the draws of one part were named. A name is the nearest class, with LABEL_NEARER where the draw
 * is as near to that class as its own pictures and clearly nearer than it was un-augmented; LABEL_NO_DRAW where nothing was drawn. */
enum {
    LABEL_NO_DRAW = -1,
    LABEL_NEARER = 1 << 30,
    LABEL_CLASSES = 1000 /* at most, to be judged */
};
typedef struct label_evidence {
    const int *before;     /* [references] the class that each is nearest to without itself */
    const size_t *picture; /* [pictures] the reference that each augmented picture is */
    const int *named;      /* [pictures][draws] */
    size_t pictures;
    int draws;
} label_evidence;

/* Fills the label figures of a part. VG_E_NOMEM. */
vg_status label_judge(const label_space *space, const label_evidence *evidence, vg_check_part *part,
                      vg_error *err);

#endif
