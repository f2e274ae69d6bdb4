/* What the files of one training share: everything it holds while it goes. Not for users: see run.h. */
#ifndef VG_TRAIN_RUN_INTERNAL_H
#define VG_TRAIN_RUN_INTERNAL_H

#include "checkpoint.h"
#include "probe.h"
#include "run.h"

/* Seconds that the parts of all steps took together. */
typedef struct vg_phases {
    double prepare, forward, loss, backward, update;
} vg_phases;

typedef struct vg_training {
    const vg_dataset *dataset;
    const vg_run_options *options;
    const vg_run_events *events;
    vg_run_result *result;
    vg_augment augment;
    vg_class_policies class_policies;
    vg_sampler *sampler;
    vg_loader *loader;
    vg_model *model;
    vg_optimizer *optimizer;
    vg_probe *probe;
    vg_loss *loss;
    float *weights;    /* of its classes, [classes]; NULL: none */
    float *dlogits;    /* [batch][classes] */
    float *mixed;      /* a batch's pictures after mixing; NULL: never mixed */
    int32_t *partners; /* [batch] and their second labels */
    uint64_t order;    /* the seed of order, augmentation and mixing */
    float *whitened;   /* [batch] inputs; NULL: the normalization needs none */
    size_t *held_out, held_out_count;
    int classes, batch;
    uint64_t step, steps, batches; /* of one batch each; batches: in an epoch */
    /* Steps of the optimizer: as many as there are groups of options->accumulate batches. */
    uint64_t update, updates;
    float *sums;         /* gradients of the group so far, [of all parameters]; NULL: no groups */
    double group_weight; /* of the samples in it */
    int grouped, lent;   /* batches in it, and those that were to be */
    /* Where the run stands, between two batches: the epoch under way, its next batch, how many were lent. */
    int epoch;
    uint64_t next, done;
    vg_plateau plateau;
    vg_param_rules freeze; /* of the options, with names that this model has */
    vg_patience patience;
    /* From before the run was resumed. */
    vg_bad_sample *earlier_bad;
    size_t earlier_bad_count;
    uint64_t earlier_counts[VG_BAD_SUSPICIOUS + 1];
    vg_loader_times earlier_times;
    double earlier_seconds, opened;
    char machines[128]; /* by whose instructions it was trained, "avx512 SkylakeX, avx2 Haswell" */
    double saved;       /* when the state was written last, and at which step */
    uint64_t saved_step;
    /* of the epoch under way */
    double loss_sum, seconds;
    vg_loader_times before; /* the loader's at its beginning */
    size_t correct, seen;
    double gradient_norm, rate;
    bool not_finite;
    vg_phases spent; /* set to zero by whoever wants to know */
} vg_training;

/* run_setup.c: checks the options and makes everything above. vg_training_close undoes it, also half done. */
vg_status vg_training_open(vg_training *r, vg_error *err);
void vg_training_close(vg_training *r);
/* Freezes or thaws parameters as the epoch under way wants it. */
void vg_training_freeze(vg_training *r);
vg_probe_options vg_training_probe_options(const vg_training *r, const vg_loader_options *load);

/* run_step.c: one batch through the network and, unless the loss is not finite, its gradient to the optimizer: at once, or
 * when the group is complete or the epoch at its end. `started`: when the running part of the epoch
 * began. Returns whether an event asked to stop. */
bool vg_training_step(vg_training *r, const vg_batch *batch, double started);
/* The learning rate of the next step of the optimizer. */
double vg_training_rate(const vg_training *r);
/* What the trainer spent waiting in the epoch so far, and what it waited for. */
double vg_training_load_share(vg_training *r, double seconds, vg_stage *limit);

/* run_loss.c: makes `loss` for the model and the sampler; the loss of a batch, with the class weights if it is time
 * for them. */
vg_status vg_training_make_loss(vg_training *r, vg_error *err);
vg_loss_result vg_training_loss(vg_training *r, const float *outputs, const vg_label_pairs *labels,
                                int n);

/* run_epoch.c */
void vg_training_begin_epoch(vg_training *r);
/* Looks at the probe; at an epoch's end (and before the first step) the look is recorded. */
vg_status vg_training_look(vg_training *r, int epoch, bool record, vg_error *err);
vg_status vg_training_epoch(vg_training *r, vg_error *err);
/* Whether the step under way uses the class weights. */
bool vg_training_weighs(const vg_training *r);
/* Writes the weights; `extra` (checkpoint_internal.h) goes with the optimizer's state into a run's state. */
struct vg_checkpoint_extra;
vg_status vg_training_save_weights(vg_training *r, const char *path,
                                   const struct vg_checkpoint_extra *extra, vg_error *err);
/* The list of bad samples of the training so far into the result: those from before a resume, and the loader's. */
vg_status vg_training_collect_bad(vg_training *r, vg_error *err);
vg_loader_times vg_training_times(vg_training *r);

/* run_state.c: everything that the rest of the run follows from, to a file and back. */
vg_status vg_training_save_state(vg_training *r, vg_error *err);
/* Takes it up; only the model, the optimizer, the probe and the loader have to be there. */
vg_status vg_training_restore(vg_training *r, vg_error *err);

#endif
