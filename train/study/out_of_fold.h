/* What networks that never saw a picture's label say about it: the pictures are dealt into folds, and each fold is judged by
 * a network trained on the others.
 *
 * Equal pictures fall into the same fold, so that a copy with the same wrong label cannot vouch for it. The loss is corrected
 * for label noise: after a third and two thirds of the epochs the transition matrix T is estimated from what the
 * networks say of their own folds (label_noise.h), and from then on the loss of a picture is -log sum_j p_j T[j][given],
 * so that the network learns the true class and not the noise with it (forward correction; Patrini et al., CVPR 2017). */
#ifndef VG_STUDY_OUT_OF_FOLD_H
#define VG_STUDY_OUT_OF_FOLD_H

#include "nn/spec.h"
#include "study/album.h"

typedef struct vg_out_of_fold_options {
    uint64_t seed;          /* of folds, weights and order */
    const vg_net_spec *net; /* borrowed */
    int folds;              /* 2 .. VG_FOLDS_MOST */
    int epochs, batch;
    double rate;      /* highest learning rate of SGD with Nesterov's momentum 0.9 */
    int shift;        /* pictures are shifted by up to so many pixels in training ... */
    bool mirror;      /* ... and mirrored half of the time */
    bool uncorrected; /* the plain loss throughout, for comparison */
    int threads;      /* < 1: all CPUs; the result is the same, bit for bit */
    /* Told after every step with the share that is done; true stops. May be NULL. */
    bool (*progress)(void *context, double share);
    void *context;
} vg_out_of_fold_options;
enum { VG_FOLDS_MOST = 16 };

/* labels [album->count], 0..classes - 1. logits [album->count][classes] are filled. VG_E_ARG: options out of range, fewer
 * pictures than folds; VG_E_NUMERIC: the training diverged; VG_E_STOPPED, VG_E_SHAPE, VG_E_NOMEM. */
vg_status vg_out_of_fold(const vg_album *album, const int32_t *labels, int classes,
                         const vg_out_of_fold_options *options, float *logits, vg_error *err);

#endif
