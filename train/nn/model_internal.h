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
    bool clocked;
    vg_layer_clock *clocks; /* [VG_MODEL_SHARDS threads][count] */
    vg_pass pass;   /* the last forward */
    const float *x; /* and its input, C H W */
    /* The input and its gradient H W C; NULL where that is the same. */
    float *own_x, *own_dx;
    float *dx; /* the caller's, NULL: unwanted; of the running backward pass */
};

/* Who reads whom (graph.c). Sets source, other and readers of all layers. */
vg_status vg_graph_connect(vg_model *model, const vg_net_spec *spec, vg_error *err);
/* May layer i write over its source's output? */
bool vg_graph_in_place(const vg_model *model, int i);
/* Does a later reader of the same output put its gradient there before layer i (or, `other`, its
 * second input) does? */
bool vg_graph_adds(const vg_model *model, int i, bool other);
/* Pointers of a pass: outputs in the forward, gradients in the backward direction. */
void vg_graph_point_forward(vg_model *model, const float *x);
void vg_graph_point_backward(vg_model *model, const float *dlogits, float *dx);

#endif
