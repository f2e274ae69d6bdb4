/* A network as data: a list of layers in words, from a preset or a job file.
 *
 *   conv 32 k3 s1 p1 [nobias]   convolution: outputs, kernel, stride, zero padding (without p: "same")
 *   bn                          batch normalization
 *   relu
 *   maxpool 2 [s2]              and avgpool; without s the stride is the window
 *   globalpool                  average over the whole map
 *   dropout 0.25
 *   flatten                     implied before the first dense layer
 *   dense 128
 *
 * The head, a dense layer to the logits, is added by itself: write the list without it. */
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
    VG_LAYER_KINDS
} vg_layer_kind;

typedef struct vg_layer_spec {
    vg_layer_kind kind;
    int outputs; /* conv, dense; 0 for a dense layer: as many as classes */
    int kernel, stride, padding;
    bool bias;
    double rate; /* dropout */
} vg_layer_spec;

typedef struct vg_net_spec {
    char name[48];         /* of the preset, or "custom" */
    vg_layer_spec *layers; /* owned */
    int count;
} vg_net_spec;

/* Adds one layer in words. VG_E_ARG says which word is wrong and what is allowed. */
vg_status vg_net_spec_add(vg_net_spec *spec, const char *words, vg_error *err);
/* Presets: see vg_net_presets. VG_E_ARG names the nearest one. */
vg_status vg_net_spec_preset(const char *name, vg_net_spec *spec, vg_error *err);
void vg_net_spec_reset(vg_net_spec *spec);
vg_status vg_net_spec_copy(const vg_net_spec *from, vg_net_spec *to, vg_error *err);
/* The words of a layer, as vg_net_spec_add takes them. */
void vg_layer_print(const vg_layer_spec *layer, char *text, size_t capacity);
const char *vg_layer_kind_name(vg_layer_kind kind); /* "conv", "bn", ... */

typedef struct vg_net_preset {
    const char *name;
    const char *what;          /* one line for --help and docs */
    const char *const *layers; /* in words, NULL-terminated */
} vg_net_preset;
/* All presets, the first is the default; *count of them. Static. At least: small-cnn, lenet,
 * tiny-cnn, plain (net B of the collapse cases: conv5 8, pool, conv3 16, pool, dense 128), book
 * (the articles' net). */
const vg_net_preset *vg_net_presets(int *count);

#endif
