/* What model.c builds and execute.c runs. */
#ifndef VG_NN_MODEL_INTERNAL_H
#define VG_NN_MODEL_INTERNAL_H

#include "nn/layer.h"

struct vg_model {
    vg_model_options options;
    vg_layer *layers;    /* the spec's and the head */
    vg_layer_info input; /* what stands before the first */
    int count;
    void *arena;
    vg_param *params;
    int param_count;
    size_t parameters;
    vg_pass pass; /* the last forward */
};

#endif
