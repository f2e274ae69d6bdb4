/* One training, from a dataset to weights and a diversity record: what `train-pipeline` does once
 * and what the studies do many times. */
#ifndef VG_TRAIN_RUN_H
#define VG_TRAIN_RUN_H

#include "balance.h"
#include "class_policy.h"
#include "geometry.h"
#include "load/loader.h"
#include "mix.h"
#include "nn/loss.h"
#include "nn/spec.h"
#include "normalize.h"
#include "observe/verdict.h"
#include "optim/optimizer.h"
#include "optim/plateau.h"
#include "optim/schedule.h"
#include "policy.h"
#include "views.h"
#include "watch.h"

/* Everything that decides the result of a training (with the dataset). */
typedef struct vg_run_options {
    uint64_t seed;
    int epochs, batch;
    int channels;       /* 1, 3; 0: grey if all of the first samples are */
    int height, width;  /* 0: chosen from the data (see vg_run_prepare) */
    vg_framing framing; /* how pictures come to that size */
    int max_shrink;     /* how far large ones may be shrunk while they are decoded (1) */
    vg_policy policy;
    vg_class_rules class_rules; /* changes to it for single classes; owned by the options */
    vg_mixing mixing;           /* of batches; the probe is never mixed */
    vg_normalization normalization;
    double zca_epsilon; /* of VG_NORMALIZE_ZCA, see vg_pixel_stats_whiten (0.1) */
    size_t fit_images;  /* it is fitted on so many training images at most, chosen by the hash of
                               their names; 0: all (20,000) */
    const char *statistics; /* file of vg_statistics_save or a checkpoint: what was fitted there is
                               taken, its kind too, and nothing is fitted; borrowed, NULL: none */
    vg_sampling sampling;
    vg_weighting weighting;
    double weights_beta; /* of VG_WEIGHTING_EFFECTIVE (0.999) */
    double
        weights_from; /* share of the steps before the class weights begin (0); Cao et al.'s deferred re-weighting: 0.8 */
    vg_loss_options loss;
    vg_net_spec net;        /* owned by the options */
    int whiten_bias_epochs; /* the bias of a whitening layer is trained for so many (0: all) */
    vg_init init;
    bool init_partial; /* init_from need not fit as a whole */
    double init_scale;
    const char *init_from; /* weights to begin with, see vg_import; borrowed, NULL: none */
    vg_param_rules
        freeze; /* ("body": all but the head) parameters whose rate is 0 and batch norms that keep their statistics ... */
    int freeze_epochs; /* ... for so many epochs, 0: for all */
    int accumulate;    /* batches whose gradients make one step of the optimizer (1) */
    vg_winograd_use winograd;
    vg_optimizer_options optimizer;
    vg_schedule schedule;
    vg_plateau_options plateau; /* of VG_SCHEDULE_PLATEAU ... */
    vg_watch plateau_by;        /* ... and what it watches (loss) */
    vg_watch best_by;           /* what makes an epoch the best one (balanced accuracy) */
    double stop_min_delta;      /* early stopping: no epoch better by more than this ... */
    vg_watch stop_by;           /* ... by this measure (loss) ... */
    int stop_patience;          /* ... for so many epochs ends the training (0: never) */
    size_t probe;               /* held-out samples that are measured, at most (2000) */
    vg_test_views test_views;   /* of each held-out sample in the measurement at the end (one) */
    int threads;                /* 0: all CPUs */
    vg_on_error on_error;
    double min_intact;    /* on_error repair; see vg_loader_options */
    double max_bad_share; /* of training samples, and of held-out ones */
    size_t max_pixels;    /* larger pictures are bad, and progressive ones with more scans */
    int max_scans;
    bool prepared;    /* by vg_run_prepare, which sets the next three */
    bool fit_on_some; /* set with them: there are more training images than fit_images */
    bool resume;      /* go on from `state` where it exists. VG_E_STATE: it is another run's */
    vg_channel_stats stats;
    vg_normalizer normalizer;
    vg_pixel_stats *pixels; /* of the normalizer, held */
    vg_cache *cache;        /* borrowed; NULL: none */
    uint64_t order_seed;    /* added to the seed of order and augmentation only (0); weights stay */
    /* Files; borrowed, NULL: not written. */
    const char *checkpoint; /* the weights at the end of each epoch */
    const char *best;       /* those of the best epoch so far */
    const char *state; /* everything that a later vg_run needs to go on: after each epoch, when an
                               event stops the run, and ... */
    uint64_t state_steps; /* ... within an epoch every so many batches (0: not) ... */
    double state_minutes; /* ... or minutes (0: not) */
    /* What decides the result beside the dataset, as lines "name: value", for messages about a state that
     * does not fit; NULL: only seeds, epochs, batch, net and data are compared. */
    const char *identity;
} vg_run_options;
vg_run_options vg_run_options_default(void); /* net left empty: set it with vg_net_spec_preset */
/* How a loader for them reads samples: threads, lockstep, cache and what is done about bad files. */
vg_loader_options vg_run_loading(const vg_run_options *options);
/* What samples are normalized by: the fitted normalizer where the options still ask for that kind
 * (an arm of a study may not). After vg_run_prepare; borrows from the options. */
vg_normalizer vg_run_normalizer(const vg_run_options *options);
/* Writes what vg_run_prepare fitted to `dataset` as a file for `statistics`; the dataset's path and background
 * are named in it. VG_E_ARG for a normalization that needs no statistics. */
vg_status vg_run_statistics_save(const vg_run_options *options, const vg_dataset *dataset,
                                 const char *path, vg_error *err);
/* What is suspicious about the loss of these options: see vg_loss_warning, or one that follows class
 * counts where sampling makes them equal. NULL: nothing. Static. */
const char *vg_run_warning(const vg_run_options *options);
void vg_run_options_reset(vg_run_options *options);
vg_status vg_run_options_copy(const vg_run_options *from, vg_run_options *to, vg_error *err);

typedef struct vg_epoch_record {
    int epoch; /* 0: before the first step */
    uint64_t step;
    double train_loss, train_accuracy;   /* over the epoch, as trained; NaN for epoch 0 */
    double learning_rate, gradient_norm; /* at its last step; NaN for epoch 0 */
    double seconds, images_per_s;
    double load_share;  /* share of the time in which the trainer waited for data */
    vg_stage limit;     /* what kept the epoch from being faster */
    vg_verdict verdict; /* of this measurement alone */
    vg_diversity diversity;
} vg_epoch_record;

/* After VG_E_STOPPED it holds what was recorded until then; after VG_E_LIMIT (too many bad samples) the list of
 * these; after other errors it is empty. */
typedef struct vg_run_result {
    vg_epoch_record *epochs; /* [epoch_count], the first is before training */
    int epoch_count;
    vg_monitor monitor;
    vg_diversity final; /* on ALL held-out samples, layers included */
    vg_split held_out;  /* which split that is: val if there is one, else test */
    size_t train_samples, held_out_samples, probe_samples, bad_samples;
    size_t parameters;
    uint64_t macs; /* forward, per image */
    int channels, height, width;
    vg_normalizer normalizer; /* without its pixels, which the options hold */
    double seconds;
    vg_bad_sample *bad; /* [bad_samples] skipped, repaired and suspicious ones */
    uint64_t bad_counts[VG_BAD_SUSPICIOUS + 1]; /* of each kind; more than are listed, if many are
                                                   suspicious */
    vg_loader_times loading;                    /* of the training samples */
    vg_stage limit;                             /* over all epochs */
    int best;              /* the best epoch by vg_run_options.best_by, 0: none */
    bool ended;            /* by early stopping, before the last epoch */
    uint64_t resumed_step; /* step from which this call went on, UINT64_MAX: from the start */
    bool other_machine;    /* went on with other vector instructions than it began with: its last
                              bits are not those of a run that stayed on one kind of machine */
} vg_run_result;
void vg_run_result_reset(vg_run_result *result);

/* Told during a run; any callback may be NULL. `batch` returning true stops the run: VG_E_STOPPED.
 */
typedef struct vg_run_moment {
    int epoch;
    uint64_t step, steps;            /* of the whole training */
    double loss;                     /* of this batch */
    double images_per_s, load_share; /* of the epoch so far */
    vg_stage limit;
} vg_run_moment;

typedef struct vg_run_events {
    void *context;
    bool (*batch)(void *context, const vg_run_moment *moment);
    void (*epoch)(void *context, const vg_epoch_record *record);
} vg_run_events;

/* Chooses from the data what the options leave open, and fits the normalization statistics on the training split.
 * channels: grey when every one of up to 256 training pictures is; size: their median width and height, the longer
 * side at most 96 (then both are multiples of 8). vg_run does this itself; a study does it once for all its
 * trainings. Nothing happens when the options are prepared already. */
vg_status vg_run_prepare(const vg_dataset *dataset, vg_run_options *options, vg_error *err);

/* How often a run shows one picture of the class with the fewest, over all epochs. VG_E_STATE without training
 * samples. */
vg_status vg_run_shows(const vg_dataset *dataset, const vg_run_options *options, double *shows,
                       vg_error *err);

/* Trains. Killed at any moment, or stopped by an event, a second call with `resume` ends in the same bits: weights,
 * optimizer and all measures; only times differ. It is told the epochs of before once more. */
vg_status vg_run(const vg_dataset *dataset, const vg_run_options *options,
                 const vg_run_events *events, vg_run_result *result, vg_error *err);
/* Whether the state at `path` was written by a run of this identity: VG_OK, VG_E_STATE with the first line that
 * differs, or what is wrong with the file. */
vg_status vg_run_state_fits(const char *path, const char *identity, vg_error *err);

typedef struct vg_evaluate_options {
    vg_split split;
    const vg_loader_options *load; /* how samples are read and on how many threads (vg_run_loading);
                                      NULL: the default */
    vg_test_views views;
    int *
        background; /* set to what transparent pixels were over: the weights', whatever the dataset was opened
                        with; may be NULL */
} vg_evaluate_options;
/* Reads a checkpoint back and measures it: the same figures as the run's own. Refuses a dataset whose
 * classes are not those of the checkpoint. */
vg_status vg_evaluate(const vg_dataset *dataset, const char *checkpoint,
                      const vg_evaluate_options *how, vg_diversity *result, vg_error *err);

#endif
