/* Optimizers over the parameters of a model, and learning-rate schedules. */
#ifndef VG_OPTIM_OPTIMIZER_H
#define VG_OPTIM_OPTIMIZER_H

#include "nn/model.h"

typedef enum vg_optimizer_kind {
    VG_OPTIMIZER_SGD,
    VG_OPTIMIZER_ADAM,
    VG_OPTIMIZER_ADAMW,
    VG_OPTIMIZER_RMSPROP, /* Tieleman, Hinton 2012, with beta2 and, if above 0, momentum */
    VG_OPTIMIZER_ADAGRAD, /* Duchi, Hazan, Singer, JMLR 2011 */
    VG_OPTIMIZERS
} vg_optimizer_kind;

typedef struct vg_optimizer_options {
    vg_optimizer_kind kind;
    double momentum; /* sgd, rmsprop: 0.9 */
    bool nesterov;
    double beta1, beta2, epsilon; /* adam: 0.9, 0.999, 1e-8; rmsprop: beta2 */
    double weight_decay; /* added to the gradient (L2), with adamw decoupled. Weights only */
    double clip_norm;    /* limit of the global gradient norm, 0: none */
    double clip_value;   /* limit of every value of the gradient, after clip_norm; 0: none */
} vg_optimizer_options;
vg_optimizer_options vg_optimizer_options_default(void);
/* The rate to begin with when none is asked for: sgd 0.05 (with its momentum of 0.9), adagrad
 * 0.01, rmsprop, adam and adamw 0.001 (Kingma, Ba, ICLR 2015): with the rate of the other neither learns anything. */
double vg_optimizer_default_rate(vg_optimizer_kind kind);

typedef struct vg_optimizer vg_optimizer;
/* Keeps a pointer to the model. */
vg_status vg_optimizer_new(vg_model *model, const vg_optimizer_options *options,
                           vg_optimizer **optimizer, vg_error *err);
void vg_optimizer_free(vg_optimizer *optimizer);
/* One step with the gradients that the model holds; returns the gradient norm before clipping. */
double vg_optimizer_step(vg_optimizer *optimizer, double learning_rate);
/* State arrays (momentum, moments, step count) for the checkpoint; same order on every run. */
vg_param *vg_optimizer_state(vg_optimizer *optimizer, int *count);
uint64_t vg_optimizer_steps(const vg_optimizer *optimizer);
void vg_optimizer_set_steps(vg_optimizer *optimizer, uint64_t steps);

vg_status vg_optimizer_parse(const char *word, vg_optimizer_kind *kind, vg_error *err);
const char *vg_optimizer_name(vg_optimizer_kind kind);

#endif
