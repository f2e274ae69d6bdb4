/* What model.c builds and execute.c runs. */
#ifndef VG_NN_MODEL_INTERNAL_H
#define VG_NN_MODEL_INTERNAL_H

#include "nn/layer.h"

/* A run of layers that shards go through in parts of up to `part` samples: from, then downwards in
 * the backward pass, up to but without `to`. */
typedef struct vg_segment {
    int from, to, part;
} vg_segment;

/* What stands between two barriers: segments, by shards; then a layer that is combined by one thread
 * or whose tiles are shared out. -1: none. */
typedef struct vg_stage {
    int first, count; /* segments */
    int finish; /* the tiles of this layer came before: it is finished with the first segment */
    int extra;  /* this layer's statistics, or its prepare, come with the last segment */
    int combine, tiles;
    bool edge; /* the model's input is turned over here, or its gradient back */
} vg_stage;

/* Where a layer works: the segment and the time (two per stage: its shards, its tiles) of its main
 * work and of its statistics, prepare or finish; -1: none. */
typedef struct vg_turn {
    int segment, time, extra_segment, extra_time;
} vg_turn;

typedef enum vg_pass_kind {
    VG_PASS_TRAINING,
    VG_PASS_EVALUATION, /* keeps all outputs */
    VG_PASS_INFERENCE,  /* keeps the last */
    VG_PASS_BACKWARD
} vg_pass_kind;

typedef struct vg_program {
    vg_pass_kind pass;
    vg_stage *stages;
    vg_segment *segments;
    vg_turn *turns; /* of each layer */
    int stage_count, segment_count;
    size_t stage_capacity, segment_capacity;
} vg_program;

/* From the first use to the last, and whether all of them are in one segment. */
typedef struct vg_life {
    int birth, death, segment;
    bool used, scattered;
} vg_life;
/* One more use (segment -1: of the whole batch), or those of a layer, `offset` later. Nothing where the
 * layer has no turn. (layout.c) */
void vg_life_use(vg_life *a, int segment, int time);
void vg_life_use_turn(vg_life *a, const vg_program *p, int layer, int offset);

/* Buffers that share an arena, each from its birth to its death. */
typedef struct vg_want {
    float **where;
    size_t bytes, at, order;
    int birth, death;
} vg_want;
typedef struct vg_layout {
    vg_want *wants;
    size_t count, capacity, bytes;
} vg_layout;

/* *where gets so many floats. false: out of memory, or too much. */
bool vg_layout_want(vg_layout *a, float **where, size_t count, vg_life when);
bool vg_layout_place(vg_layout *a);
void vg_layout_grant(const vg_layout *a, char *arena);

struct vg_model {
    vg_model_options options;
    vg_layer *layers;    /* the spec's and the head */
    vg_layer_info input; /* what stands before the first */
    int count;
    int head;    /* the dense layer to the logits */
    void *arena; /* parameters, statistics, scratch */
    void *maps;  /* outputs, gradients */
    void *ready; /* weights in the form for inference */
    size_t ready_bytes;
    bool is_ready; /* and they are those of now, as far as the model can know */
    vg_program training, evaluation, inference, backward; /* the three forward passes, and back */
    vg_layout layout, inference_layout;
    size_t evaluation_bytes, scratch_bytes;
    bool own_x_wanted;
    vg_param *params;
    int param_count;
    size_t parameters;
    bool clocked;
    vg_layer_clock *clocks; /* [VG_MODEL_SHARDS threads][count] */
    vg_pass pass;           /* the last forward */
    const float *x;         /* and its input, C H W */
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
/* Stages of all passes, and the places of all maps (program.c). false: out of memory, or sizes
 * beyond reason. The layers must have declared their parameters. */
bool vg_program_build(vg_model *model);
bool vg_program_lay_out(vg_model *model);
void vg_program_grant(vg_model *model, char *arena);
void vg_program_free(vg_program *program);
/* Room for a map: a whole batch of samples of `size` values, or, within one segment, a part for each slot. */
bool vg_program_want_map(const vg_model *model, vg_layout *layout, const vg_program *program,
                         vg_life when, size_t size, float **where, int *part);

/* What convolutions do along with their work, before the programs are built; places, as above; memory for
 * the weights, whose places `grant` tells, and pointers of a pass (inference.c). */
void vg_inference_find(vg_model *model);
bool vg_inference_lay_out(vg_model *model);
void vg_inference_grant(vg_model *model);
void vg_inference_point(vg_model *model, const float *x);
/* Pointers of a pass: outputs in the forward, gradients in the backward direction, and which of them
 * anybody wants. */
void vg_graph_point_forward(vg_model *model, const float *x);
void vg_graph_point_backward(vg_model *model, const float *dlogits, float *dx);

#endif
