/* What the parts of an optimizer share; for train/optim only. */
#ifndef VG_OPTIM_OPTIMIZER_INTERNAL_H
#define VG_OPTIM_OPTIMIZER_INTERNAL_H

#include "optim/optimizer.h"

enum { VG_OPTIMIZER_STATES = 2, VG_STATE_NAME = 96 };

/* A cut of a parameter: what one thread does at a time. */
typedef struct vg_piece {
    int param; /* in the model's list */
    size_t from, count;
} vg_piece;

/* Of one parameter. */
typedef struct vg_slot {
    vg_optimizer_kind kind;            /* what moves it */
    double decay;                      /* factor of weight_decay and l1 */
    double rate;                       /* factor of the learning rate beside vg_param.rate */
    float *state[VG_OPTIMIZER_STATES]; /* [count] each; NULL: none */
    float *direction;                  /* muon: scratch [count] */
    float *slow, *ema;                 /* averages; NULL: none */
} vg_slot;

typedef struct vg_muon vg_muon;

struct vg_optimizer {
    vg_optimizer_options options;
    vg_param *params; /* the model's */
    int param_count;
    vg_slot *slots; /* [param_count] */
    vg_piece *pieces;
    double *norms; /* [piece_count] */
    size_t piece_count;
    float *memory;  /* of all slots */
    vg_muon *muon;  /* NULL: not muon */
    vg_param *list; /* for the checkpoint */
    char (*names)[VG_STATE_NAME];
    int list_count;
    uint64_t steps, total;
    bool averaged; /* the model holds the averages */
};

/* Of one step and one parameter; floats because the arrays are. */
typedef struct vg_update {
    float clip, most; /* both ways of clipping; most is infinite without the second */
    float decay, l1;  /* added to the gradient */
    float shrink;     /* factor of the weight before the step: decoupled decay */
    float rate, momentum, beta1, beta2, rest1, rest2, epsilon, step, root;
    bool nesterov;
} vg_update;

/* One piece of a parameter (update.c). For muon the direction only, into slot->direction. */
void vg_update_piece(const vg_slot *slot, const vg_param *param, const vg_piece *piece,
                     const vg_update *update);

/* Averages of the weights (average.c): begins them before the first step, follows a step. */
void vg_average_begin(vg_optimizer *optimizer);
void vg_average_step(vg_optimizer *optimizer);

/* Muon's matrices (muon.c): which parameters they are is said by slot->kind. NULL: out of memory. */
vg_muon *vg_muon_new(const vg_optimizer *optimizer);
void vg_muon_free(vg_muon *muon);
/* Orthogonalizes the directions and moves the weights. */
void vg_muon_step(vg_muon *muon, vg_optimizer *optimizer, double learning_rate);

#endif
