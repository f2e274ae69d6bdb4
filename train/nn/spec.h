/* A network as data: a list of layers in words, from a preset or a job file.
 *
 *   conv 32 k3 s1 p1 d1 g1 [nobias]  outputs, kernel, stride, zero padding (without p: "same"),
 *                               dilation, groups (as many as inputs: depthwise)
 *   conv 24 k2 p0 whiten [e5e-4]  a first layer that whitens patches: fitted to the training images,
 *                               not trained; outputs: twice the values of a patch, 0 stands for
 *                               them (patches.h)
 *   dense 128 [nobias]          with "flatten" before it implied; "dense classes": the head
 *   bn [m0.1] [e1e-5] [noscale] batch normalization: momentum, epsilon, weight fixed at 1
 *   groupnorm 8 [e1e-5]         over groups of channels of each picture
 *   layernorm [e1e-5]           over a whole picture, a weight and bias for each place
 *   maxpool 2 [s2] [p0]         and avgpool (padding counts as zeros); without s: the window
 *   globalpool                  average over the whole map; globalmax: its maximum
 *   dropout 0.25                single values; spatialdropout 0.25: whole channels
 *   relu, leaky [0.01], prelu [channels], elu [1], selu, gelu [tanh], silu, sigmoid, tanh, exp
 *   softmax                     over the channels of each place
 *   linear [0.125]              nothing but a factor
 *   cosine 16                   of the angle between a vector and each weight; "cosine classes"
 *   flatten
 *   add x, concat x             the input plus, or followed by, the output called x
 *
 * Behind any layer "as x" names its output, for the layers after it; "from x" lets it begin there
 * instead of at the layer before. The picture itself is called "input". A name given twice means
 * the latest. So a residual block with a projection is
 *
 *   relu as x, conv 32 k3 s2 nobias, bn, relu, conv 32 k3 nobias, bn as y,
 *   conv 32 k1 s2 nobias from x, bn, add y, relu
 *
 * The head, a dense layer to the logits, is added by itself: write the list without it. Or write it, as
 * "dense classes" or "cosine classes", where something comes after it: softmax, sigmoid or linear. */
#ifndef VG_NN_SPEC_H
#define VG_NN_SPEC_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum vg_layer_kind {
    VG_LAYER_CONV,
    VG_LAYER_BATCHNORM,
    VG_LAYER_RELU,
    VG_LAYER_MAXPOOL,
    VG_LAYER_AVGPOOL,
    VG_LAYER_GLOBALPOOL, /* average over the whole map */
    VG_LAYER_DROPOUT,
    VG_LAYER_DENSE,
    VG_LAYER_FLATTEN,
    VG_LAYER_GLOBALMAX,
    VG_LAYER_SPATIALDROPOUT,
    VG_LAYER_GROUPNORM,
    VG_LAYER_LAYERNORM,
    VG_LAYER_ADD,
    VG_LAYER_CONCAT,
    VG_LAYER_LEAKY,
    VG_LAYER_PRELU,
    VG_LAYER_ELU,
    VG_LAYER_SELU,
    VG_LAYER_GELU,
    VG_LAYER_SILU,
    VG_LAYER_SIGMOID,
    VG_LAYER_TANH,
    VG_LAYER_EXP,
    VG_LAYER_SOFTMAX,
    VG_LAYER_LINEAR,
    VG_LAYER_COSINE,
    VG_LAYER_KINDS
} vg_layer_kind;

enum { VG_LAYER_LABEL = 16 /* of a name, with its end */ };

typedef struct vg_layer_spec {
    vg_layer_kind kind;
    int outputs; /* conv, dense; 0 for dense and cosine: as many as classes */
    int kernel, stride, padding;
    int dilation; /* conv; 0 counts as 1 */
    int groups;   /* conv (0 counts as 1), groupnorm */
    bool bias;
    bool option;               /* bn: noscale; prelu: channels; gelu: tanh; conv: whiten */
    double rate;               /* dropout; leaky and elu: slope; linear: factor; bn: momentum */
    double epsilon;            /* norms; conv: of whitening */
    char as[VG_LAYER_LABEL];   /* name of the output, "" for none */
    char from[VG_LAYER_LABEL]; /* where it begins, "": at the layer before */
    char with[VG_LAYER_LABEL]; /* add, concat: the other one */
} vg_layer_spec;

typedef struct vg_net_spec {
    char name[48];         /* of the preset, or "custom" */
    vg_layer_spec *layers; /* owned */
    int count;
} vg_net_spec;

/* Adds one layer in words. VG_E_ARG says which word is wrong and what is allowed, or which name no
 * layer before it has. */
vg_status vg_net_spec_add(vg_net_spec *spec, const char *words, vg_error *err);
/* Presets: see vg_net_presets. VG_E_ARG names the nearest one. */
vg_status vg_net_spec_preset(const char *name, vg_net_spec *spec, vg_error *err);
void vg_net_spec_reset(vg_net_spec *spec);
vg_status vg_net_spec_copy(const vg_net_spec *from, vg_net_spec *to, vg_error *err);
/* The words of a layer, as vg_net_spec_add takes them. */
void vg_layer_print(const vg_layer_spec *layer, char *text, size_t capacity);
/* A dense or cosine layer with an output for each class. */
bool vg_layer_is_head(const vg_layer_spec *layer);
const char *vg_layer_kind_name(vg_layer_kind kind); /* "conv", "bn", ... */
/* The latest of the first `count` layers whose output is called so; -1: the input; -2: none. */
int vg_net_spec_find(const vg_net_spec *spec, int count, const char *name);

typedef struct vg_net_preset {
    const char *name;
    const char *what;          /* one line for --help and docs */
    const char *const *layers; /* in words, NULL-terminated */
} vg_net_preset;
/* All presets, the first is the default; *count of them. Static. */
const vg_net_preset *vg_net_presets(int *count);

#endif
