/* A network with its memory: parameters, activations, gradients; forward and backward over a batch.
 *
 * The input and its gradient are float N C H W, as the parameters' shapes are those of PyTorch; all
 * activations inside are N H W C. A batch is cut into a fixed number of shards that does not depend
 * on threads; layers run shard-parallel on the OpenMP team and partial gradients are added in a
 * fixed tree, so that the same seed gives the same bits for any number of threads. Nothing is
 * allocated after vg_model_new. One thread at a time may use a model; the work inside is parallel.
 */
#ifndef VG_NN_MODEL_H
#define VG_NN_MODEL_H

#include "base/status.h"
#include "nn/spec.h"

#include <stdint.h>

enum { VG_MODEL_SHARDS = 8 };

typedef enum vg_init {
    VG_INIT_HE_NORMAL,
    VG_INIT_HE_UNIFORM,
    VG_INIT_XAVIER_NORMAL,
    VG_INIT_XAVIER_UNIFORM,
    VG_INIT_UNIFORM,  /* U(-a, a), a = init_scale */
    VG_INIT_CONSTANT, /* init_scale */
    VG_INIT_ZERO,
    VG_INIT_LECUN_NORMAL, /* variance 1 / fan in */
    VG_INIT_LECUN_UNIFORM,
    VG_INIT_NORMAL,     /* deviation init_scale */
    VG_INIT_ORTHOGONAL, /* rows (or columns, if they are fewer) orthogonal and of length 1 */
    VG_INIT_DIRAC,      /* U(-a, a) with a = 1 / sqrt(fan in), as PyTorch's default, but a
                           convolution's first kernels hand their inputs on */
    VG_INIT_PYTORCH,    /* the same U(-a, a) for weights and biases of any conv and dense layer */
    VG_INITS
} vg_init;
vg_status vg_init_parse(const char *word, vg_init *init, vg_error *err);
const char *vg_init_name(vg_init init);

/* Which convolutions of 3 x 3 kernels may go by Winograd's algorithm, where that pays: a few times fewer
 * multiplications for an error of about 1e-6 of the outputs' deviation (auto), or 3e-7 (2x2, half as
 * much gain), instead of 2e-7. Decided by a layer's shape, never by timing. */
typedef enum vg_winograd_use {
    VG_WINOGRAD_AUTO,
    VG_WINOGRAD_SMALL, /* "2x2": tiles of 2 x 2 outputs only */
    VG_WINOGRAD_OFF,
    VG_WINOGRADS
} vg_winograd_use;
const char *vg_winograd_use_name(vg_winograd_use use);

typedef struct vg_model_options {
    int channels, height, width; /* input */
    int classes;
    int max_batch;
    vg_init init;
    double init_scale;
    uint64_t seed; /* of the initial weights */
    vg_winograd_use winograd;
} vg_model_options;

typedef struct vg_model vg_model;

/* A trainable array or a stored statistic (running mean and variance: trainable false, grad NULL).
 */
typedef struct vg_param {
    const char *name; /* "0.conv.weight", "1.bn.running_mean" ... */
    float *value, *grad;
    int64_t shape[4]; /* conv weight K C R S, dense weight K C, else [K] */
    int dims;
    size_t count;
    bool trainable;
    bool decay;  /* a weight of conv or dense: weight decay applies unless told otherwise */
    double rate; /* factor of the learning rate (1); 0: frozen. May change between steps */
} vg_param;

typedef struct vg_layer_info {
    char name[32]; /* "3.conv" */
    vg_layer_kind kind;
    int channels, height, width; /* of its output, per sample */
    size_t parameters;
    uint64_t macs; /* multiply-adds of the forward pass, per sample */
    int winograd; /* convolution: outputs to a side of the tiles of Winograd's algorithm; 0: not by it */
} vg_layer_info;

/* VG_E_SHAPE names the layer whose input does not fit it, VG_E_ARG the one that nobody reads. */
vg_status vg_model_new(const vg_net_spec *spec, const vg_model_options *options, vg_model **model,
                       vg_error *err);
void vg_model_free(vg_model *model);
/* Initial weights anew, from the options' seed. */
void vg_model_initialize(vg_model *model);

int vg_model_layers(const vg_model *model);
/* -1: the input, of which name, channels, height and width count. */
const vg_layer_info *vg_model_layer(const vg_model *model, int layer);
/* The dense or cosine layer with an output for each class: the last one, unless softmax, sigmoid or linear come
 * behind it. */
int vg_model_head(const vg_model *model);
/* Parameters in the order of the layers; valid as long as the model. */
vg_param *vg_model_params(vg_model *model, int *count);
size_t vg_model_parameter_count(const vg_model *model); /* trainable values */
int vg_model_classes(const vg_model *model);

/* x: n C H W, n <= max_batch; kept by pointer until the backward pass. Returns the logits
 * [n][classes] inside the model, valid until the next call. training: batch statistics and dropout, whose masks are drawn from (seed, step). */
const float *vg_model_forward(vg_model *model, const float *x, int n, bool training, uint64_t step);
/* The same logits, within rounding, as an evaluation, by a shorter way: batch norms with fixed numbers become part
 * of the convolutions before them, as do sums, ReLUs and pools; nothing but the logits can be looked at afterwards.
 * The weights and statistics that count are those of the last vg_model_prepare, which is done here where a
 * model has not been prepared since it was made, initialized, or went through a training pass. Whoever writes them in
 * another way (loads, averages) calls vg_model_prepare. */
const float *vg_model_infer(vg_model *model, const float *x, int n);
void vg_model_prepare(vg_model *model);
/* After a training forward: gradient of the loss with respect to the logits [n][classes] -> grad of
 * all parameters (overwritten, not added), but for those whose rate is 0: what is not trained costs nothing, nor do
 * layers before the first that is, and what stands in its grad says nothing. dx (n C H W) may be NULL. */
void vg_model_backward(vg_model *model, const float *dlogits, float *dx);
/* How many products as large as that of the forward pass the last backward pass made of a convolution or
 * dense layer: 2 for the gradients of weights and input, 1 or 0 where one or both had nobody to want it. */
int vg_model_backward_products(const vg_model *model, int layer);
/* Whether a batch norm keeps to its running statistics in training as well, and leaves them as they are: how frozen
 * ones are meant to be. Other layers do not care. May change between passes. */
void vg_model_hold_statistics(vg_model *model, int layer, bool held);
/* What a layer cost since the clocks were set going: seconds of all threads of the team together. */
typedef struct vg_layer_clock {
    double forward, backward;
} vg_layer_clock;
/* Sets the clocks of all layers to zero and going, or stops them. Off at first. */
void vg_model_clock(vg_model *model, bool on);
vg_layer_clock vg_model_clock_of(const vg_model *model, int layer);

/* Output of layer i of the last forward, [n][H W C] (behind a flatten C H W in a row); i = -1 is the
 * input as it was given, [n][C H W]. NULL behind a training pass where its backward pass does not
 * need it, and behind vg_model_infer; an evaluation keeps all. A layer before a ReLU,
 * dropout, flatten or add may share its buffer and then shows what that layer has made of it. */
const float *vg_model_activation(const vg_model *model, int layer);
/* Layer whose output feeds the head (-1: the input does). */
int vg_model_feature_layer(const vg_model *model);

#endif
