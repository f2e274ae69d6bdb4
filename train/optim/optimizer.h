/* Optimizers over the parameters of a model. */
#ifndef VG_OPTIM_OPTIMIZER_H
#define VG_OPTIM_OPTIMIZER_H

#include "nn/model.h"
#include "optim/param_rules.h"

typedef enum vg_optimizer_kind {
    VG_OPTIMIZER_SGD,
    VG_OPTIMIZER_ADAM,
    VG_OPTIMIZER_ADAMW,   /* adam with decoupled decay */
    VG_OPTIMIZER_RMSPROP, /* Tieleman, Hinton 2012, with beta2 and, if above 0, momentum */
    VG_OPTIMIZER_ADAGRAD, /* Duchi, Hazan, Singer, JMLR 2011 */
    VG_OPTIMIZER_MUON,    /* Jordan et al. 2024 (kellerjordan.github.io/posts/muon): weights of conv
                             (as K x CRS) and dense layers but the head's; the rest by muon_others */
    VG_OPTIMIZERS
} vg_optimizer_kind;

/* How long a Muon step is; the orthogonalized direction has singular values near 1. */
typedef enum vg_muon_scale {
    VG_MUON_SHAPE,  /* times sqrt(max(1, rows / columns)): the original */
    VG_MUON_RMS,    /* times 0.2 sqrt(max(rows, columns)): as long as AdamW's (Liu et al.,
                       arXiv:2502.16982) */
    VG_MUON_SPHERE, /* as it is, after scaling the weight to the norm sqrt(rows): the speedrun's */
    VG_MUON_SCALES
} vg_muon_scale;

/* What moves the parameters that Muon does not. */
typedef enum vg_muon_others { VG_MUON_SGD, VG_MUON_ADAMW, VG_MUON_OTHERS } vg_muon_others;

typedef struct vg_optimizer_options {
    vg_optimizer_kind kind;
    double momentum;              /* sgd, rmsprop, muon: 0.9 */
    bool nesterov;                /* sgd, muon */
    double beta1, beta2, epsilon; /* adam: 0.9, 0.999, 1e-8; rmsprop: beta2 */
    double weight_decay;    /* added to the gradient (L2) or decoupled; of weights, see `decays` */
    bool decoupled;         /* w shrinks by rate x weight_decay beside the step (Loshchilov, Hutter,
                            ICLR 2019: SGDW, AdamW); adamw and muon always */
    double l1;              /* l1 x sign(w) is added to the gradient of what decays */
    double clip_norm;       /* limit of the global gradient norm, 0: none */
    double clip_value;      /* limit of every value of the gradient, after clip_norm; 0: none */
    vg_param_rules rates;   /* factors of the learning rate, set in the model's vg_param */
    vg_param_rules decays;  /* factors of weight_decay and l1; without a rule 1 for vg_param.decay,
                              else 0 */
    int lookahead;          /* every so many steps (0: never) slow weights go a part of the way to
                                the fast ones, which go on from there (Zhang et al., NeurIPS 2019) */
    double lookahead_alpha; /* that part: 0.5 */
    double lookahead_ramp;  /* above 0 the part falls from 1 to alpha during the training:
                                1 - (1 - alpha) (step / steps)^ramp; 3 in the CIFAR speedrun */
    double ema;             /* decay of a running mean of the weights, 0: none; its first steps
                                count for more: min(ema, (1 + t) / (10 + t)) */
    int muon_steps;         /* of Newton-Schulz: 5 */
    vg_muon_scale muon_scale;
    vg_muon_others muon_others; /* adamw */
    double muon_others_rate;    /* factor of the learning rate for these: 0.05 */
} vg_optimizer_options;
vg_optimizer_options vg_optimizer_options_default(void);
/* The rate to begin with when none is asked for: sgd 0.05 (with its momentum of 0.9), adagrad 0.01,
 * muon 0.02, rmsprop, adam and adamw 0.001 (Kingma, Ba, ICLR 2015): with the rate of the other
 * neither learns anything. */
double vg_optimizer_default_rate(vg_optimizer_kind kind);
/* The limit of the gradient's norm when none is asked for: sgd 2, the others 0 (they divide the scale of
 * the gradient out again). */
double vg_optimizer_default_clip(vg_optimizer_kind kind);

typedef struct vg_optimizer vg_optimizer;
/* Keeps a pointer to the model and sets the rates of its parameters that `rates` names. VG_E_ARG: a
 * value out of its range, a rule that fits no parameter. */
vg_status vg_optimizer_new(vg_model *model, const vg_optimizer_options *options,
                           vg_optimizer **optimizer, vg_error *err);
void vg_optimizer_free(vg_optimizer *optimizer);
/* How many steps the training will have; only lookahead_ramp asks. */
void vg_optimizer_plan(vg_optimizer *optimizer, uint64_t total_steps);
/* One step with the gradients that the model holds; returns the norm, before clipping, of those that
 * are not frozen. Lookahead and the running mean begin with the weights before the first step. */
double vg_optimizer_step(vg_optimizer *optimizer, double learning_rate);

/* Whether the model holds the averaged weights (ema, or Lookahead's slow ones; running statistics
 * too), as it should when it is measured or stored. Nothing happens when it does already, or when
 * nothing is averaged. Must be `false` again before a step. While it is `true` the state below
 * holds the weights to train on with in the place of the averaged ones. */
void vg_optimizer_average(vg_optimizer *optimizer, bool averaged);

/* State arrays (momentum, moments, averages, step count) for the checkpoint; same order on every
 * run. A checkpoint written while the model holds the averaged weights is read into one that does:
 * vg_optimizer_average(optimizer, true), read, vg_optimizer_average(optimizer, false). */
vg_param *vg_optimizer_state(vg_optimizer *optimizer, int *count);
uint64_t vg_optimizer_steps(const vg_optimizer *optimizer);
void vg_optimizer_set_steps(vg_optimizer *optimizer, uint64_t steps);

vg_status vg_optimizer_parse(const char *word, vg_optimizer_kind *kind, vg_error *err);
const char *vg_optimizer_name(vg_optimizer_kind kind);
const char *vg_muon_scale_name(vg_muon_scale scale);    /* shape, rms, sphere */
const char *vg_muon_others_name(vg_muon_others others); /* sgd, adamw */

#endif
