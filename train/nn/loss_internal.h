/* What the files of the losses share. */
#ifndef VG_NN_LOSS_INTERNAL_H
#define VG_NN_LOSS_INTERNAL_H

#include "nn/loss.h"

struct vg_loss {
    vg_loss_options options; /* from_logits decided */
    int classes, max_batch;
    const float *weights; /* [classes]; NULL: none */
    float *own;           /* room for them */
    double *adjust;       /* [classes] added to the logits; NULL: nothing */
    double *margin;       /* [classes] taken off the label's; NULL: nothing */
    double *rows;         /* [max_batch] */
    double all;           /* sum of the class weights */
};

/* One label of one sample. */
typedef struct vg_loss_target {
    int label;
    double share;  /* over the sum of the batch's weights */
    double weight; /* share times the weight of the label's class */
    bool add;      /* the gradient is added to what is there */
} vg_loss_target;

/* The loss of a row of outputs; its gradient into d unless that is NULL (loss_rows.c). */
double vg_loss_row(const vg_loss *loss, const float *z, const vg_loss_target *target, float *d);

/* log p and log p - log(1 - p), finite for any p. */
double vg_log_probability(float p);
double vg_logit_probability(float p);

#endif
