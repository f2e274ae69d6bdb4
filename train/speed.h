/* Where the time of a training goes: a few steps of it, taken apart into waiting for images, layers
 * forward and backward, and the update, and held against what this machine can do at best. */
#ifndef VG_TRAIN_SPEED_H
#define VG_TRAIN_SPEED_H

#include "nn/kernels/peak.h"
#include "run.h"

typedef struct vg_speed_options {
    int warm_up;     /* steps that are not measured (2) */
    int least_steps; /* that are, whatever they take (3) */
    double seconds;  /* further ones until so much time is measured (3) */
} vg_speed_options;
vg_speed_options vg_speed_options_default(void);

/* Of one step, on the wall: what the threads of the team spent in the layer, divided by their number. */
typedef struct vg_layer_speed {
    vg_layer_info info;
    double forward_s, backward_s;
    double update_s; /* the share of the update that its weights have among all */
    /* Arithmetic of convolutions and dense layers: two for each multiply-add, forward and backward.
     * Half of a backward pass is the gradient of the input, which nobody computes for the picture. */
    double forward_flop, backward_flop;
} vg_layer_speed;

/* What keeps a step from being shorter: the largest part of it. */
typedef enum vg_speed_limit {
    VG_SPEED_LOADING,    /* it waits for images */
    VG_SPEED_ARITHMETIC, /* convolutions and dense layers, near what the machine can do */
    VG_SPEED_KERNELS,    /* the same, but far from it */
    VG_SPEED_MEMORY,     /* all other layers, which multiply little and move much */
    VG_SPEED_UPDATE,     /* the optimizer */
    VG_SPEED_OVERHEAD,   /* none of these: starting threads, waiting for each other, the loss */
    VG_SPEED_LIMITS
} vg_speed_limit;
const char *vg_speed_limit_name(vg_speed_limit limit); /* "loading", "arithmetic", ... */

typedef struct vg_speed {
    vg_peak peak;
    const char *blas_core, *better_core; /* see nn/kernels/blas.h */
    int threads, batch, steps;
    int channels, height, width; /* of the input */
    /* Seconds of one step, the parts of which are the next ones. Preparing is mixing and whitening;
     * the rest is what no part has: the callbacks, the book-keeping. */
    double seconds;
    double waited, prepared, forward, loss, backward, update, rest;
    vg_stage loading; /* what the loader spends most on; VG_STAGE_CALLER: it never loaded */
    /* Seconds of one worker for an image */
    double read_s, decode_s, transform_s;
    vg_layer_speed *layers; /* [layer_count], the head is the last */
    int layer_count;
    double flop;           /* of a step */
    double arithmetic_s;   /* in convolutions and dense layers */
    double other_layers_s; /* in all others */
    double others; /* share of the machine that other processes used meanwhile: near 0, or all of
                      this is too slow */
    vg_speed_limit limit;
    int slowest; /* the layer that takes most of a step, forward and backward; -1: none */
} vg_speed;

/* Runs the first steps of a training and keeps nothing of it. Errors as of vg_run; VG_E_NUMERIC when
 * the loss is not finite before enough is measured; VG_E_STOPPED when events->batch says so. */
vg_status vg_speed_measure(const vg_dataset *dataset, const vg_run_options *options,
                           const vg_speed_options *how, const vg_run_events *events,
                           vg_speed *speed, vg_error *err);
void vg_speed_reset(vg_speed *speed);

#endif
