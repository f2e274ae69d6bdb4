/* Builds a network from its spec: shapes, one arena for everything, initial weights. How it runs is
 * in execute.c.
 *
 * Memory: a layer that may work in place shares its input's buffer, in both directions. One arena for
 * what lasts, one for the maps, laid out (program.c) before they are allocated. */
#include "nn/model_internal.h"

#include "base/alloc.h"
#include "nn/kernels/blas.h"
#include "nn/layers/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What is wanted so far: pointers to set and their places in the arena. */
struct vg_plan {
    struct wish {
        void *where;
        size_t offset;
    } * wishes;
    size_t count, capacity;
    size_t bytes;
    bool failed;
};

void vg_plan_bytes(vg_plan *plan, void *where, size_t count, size_t size)
{
    size_t bytes;
    if (plan->failed || !vg_mul_size(count, size, &bytes) ||
        bytes > SIZE_MAX / 2 - plan->bytes - VG_ALIGNMENT ||
        !vg_grow(&plan->wishes, &plan->capacity, plan->count + 1, sizeof *plan->wishes)) {
        plan->failed = true;
        return;
    }
    plan->wishes[plan->count++] = (struct wish){where, plan->bytes};
    plan->bytes += (bytes + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT;
}

void vg_plan_floats(vg_plan *plan, float **where, size_t count)
{
    vg_plan_bytes(plan, where, count, sizeof(float));
}

static vg_param *new_param(vg_layer *l, const char *what, const int64_t *shape, int dims)
{
    int at = l->param_count++;
    vg_param *p = &l->params[at];
    snprintf(l->names[at], sizeof l->names[at], "%s.%s", l->info.name, what);
    *p = (vg_param){.dims = dims, .count = 1, .rate = 1};
    for (int i = 0; i < dims; i++) {
        p->shape[i] = shape[i];
        p->count *= (size_t)shape[i];
    }
    return p;
}

vg_param *vg_layer_param(vg_layer *l, vg_plan *plan, const char *what, const int64_t *shape,
                         int dims, bool tree)
{
    vg_param *p = new_param(l, what, shape, dims);
    p->trainable = true;
    l->info.parameters += p->count;
    vg_plan_floats(plan, &p->value, p->count);
    vg_plan_floats(plan, &p->grad, p->count);
    l->tree[l->param_count - 1] = tree;
    return p;
}

vg_param *vg_layer_statistic(vg_layer *l, vg_plan *plan, const char *what, int64_t count)
{
    vg_param *p = new_param(l, what, &count, 1);
    vg_plan_floats(plan, &p->value, p->count);
    return p;
}

static const vg_layer_ops *const all_ops[VG_LAYER_KINDS] = {
    [VG_LAYER_CONV] = &vg_conv_ops,
    [VG_LAYER_BATCHNORM] = &vg_batchnorm_ops,
    [VG_LAYER_RELU] = &vg_relu_ops,
    [VG_LAYER_MAXPOOL] = &vg_maxpool_ops,
    [VG_LAYER_AVGPOOL] = &vg_avgpool_ops,
    [VG_LAYER_GLOBALPOOL] = &vg_globalpool_ops,
    [VG_LAYER_DROPOUT] = &vg_dropout_ops,
    [VG_LAYER_DENSE] = &vg_dense_ops,
    [VG_LAYER_FLATTEN] = &vg_flatten_ops,
    [VG_LAYER_GLOBALMAX] = &vg_globalmax_ops,
    [VG_LAYER_SPATIALDROPOUT] = &vg_dropout_ops,
    [VG_LAYER_GROUPNORM] = &vg_groupnorm_ops,
    [VG_LAYER_LAYERNORM] = &vg_groupnorm_ops,
    [VG_LAYER_ADD] = &vg_add_ops,
    [VG_LAYER_CONCAT] = &vg_concat_ops,
    [VG_LAYER_LEAKY] = &vg_activation_ops,
    [VG_LAYER_PRELU] = &vg_prelu_ops,
    [VG_LAYER_ELU] = &vg_activation_ops,
    [VG_LAYER_SELU] = &vg_activation_ops,
    [VG_LAYER_GELU] = &vg_activation_ops,
    [VG_LAYER_SILU] = &vg_activation_ops,
    [VG_LAYER_SIGMOID] = &vg_activation_ops,
    [VG_LAYER_TANH] = &vg_activation_ops,
    [VG_LAYER_EXP] = &vg_activation_ops,
    [VG_LAYER_SOFTMAX] = &vg_softmax_ops,
    [VG_LAYER_LINEAR] = &vg_activation_ops,
    [VG_LAYER_COSINE] = &vg_cosine_ops,
};

const char *vg_winograd_use_name(vg_winograd_use use)
{
    static const char *const names[VG_WINOGRADS] = {"auto", "2x2", "off"};
    return (unsigned)use < VG_WINOGRADS ? names[use] : "unknown";
}

static const vg_layer_ops *ops_of(vg_layer_kind kind)
{
    return (unsigned)kind < VG_LAYER_KINDS ? all_ops[kind] : NULL;
}

static vg_shape shape_of(const vg_model *m, int layer)
{
    return layer >= 0 ? m->layers[layer].out
                      : (vg_shape){m->options.channels, m->options.height, m->options.width};
}

/* Shapes from the input to the logits. */
static vg_status shape_layer(vg_model *m, int i, const vg_layer_spec *spec, vg_error *err)
{
    vg_layer *l = &m->layers[i];
    l->ops = ops_of(spec->kind);
    if (!l->ops)
        return vg_fail(err, VG_E_ARG, "layer %d has no known kind (%d)", i, (int)spec->kind);
    l->spec = *spec;
    if (vg_layer_is_head(&l->spec))
        l->spec.outputs = m->options.classes;
    l->index = i;
    l->winograd = m->options.winograd;
    l->reads_x = l->ops->reads_x;
    l->reads_y = l->ops->reads_y;
    l->in = shape_of(m, l->source);
    if (l->other != VG_LAYER_NOBODY)
        l->other_in = shape_of(m, l->other);
    l->info.kind = spec->kind;
    snprintf(l->info.name, sizeof l->info.name, "%d.%s", i, vg_layer_kind_name(spec->kind));
    vg_status status = l->ops->shape(l, err);
    if (status)
        return vg_fail_in(err, l->info.name, status);
    l->info.channels = l->out.c;
    l->info.height = l->out.h;
    l->info.width = l->out.w;
    size_t size;
    if (!vg_mul_size((size_t)l->out.c * (size_t)l->out.h, (size_t)l->out.w, &size) ||
        size > (size_t)1 << 31)
        return vg_fail(err, VG_E_SHAPE, "%s: an output of %d x %d x %d per sample is too large",
                       l->info.name, l->out.c, l->out.h, l->out.w);
    return VG_OK;
}

/* The mask of a ReLU in place, in the backward pass: by the layer before it, or better by the one and
 * only behind it. */
static void spare_relu(vg_model *m, int i)
{
    vg_layer *l = &m->layers[i], *before = l->source >= 0 ? &m->layers[l->source] : NULL;
    if (before && l->fused_away && before->ops->masks_relu) {
        before->masks = l->spared = true;
        before->reads_y = before->spec.kind == VG_LAYER_ADD;
        l->reads_y = false;
    }
    if (!before || before->spec.kind != VG_LAYER_RELU || !before->in_place ||
        before->readers != 1 || !l->ops->masks_before || !l->ops->masks_before(l))
        return;
    vg_layer *first = &m->layers[before->source];
    if (first->masks)
        first->masks = first->reads_y = false;
    l->masks = before->spared = true;
    before->reads_y = false;
}

static void plan_layer(vg_model *m, int i, vg_plan *plan)
{
    vg_layer *l = &m->layers[i], *before = l->source >= 0 ? &m->layers[l->source] : NULL;
    l->in_place = vg_graph_in_place(m, i);
    if (l->in_place && before && l->spec.kind == VG_LAYER_RELU && before->ops->fuse_relu) {
        before->fused_relu = true;
        l->fused_away = true;
    }
    spare_relu(m, i);
    vg_fold_find(m->layers, i);
    if (l->ops->plan)
        l->ops->plan(l, m->options.max_batch, plan);
    l->adds_other = l->other != VG_LAYER_NOBODY && vg_graph_adds(m, i, true);
}

/* C H W outside, H W C inside: with one channel or one pixel that is the same. */
static void plan_input(vg_model *m, vg_plan *plan)
{
    const vg_model_options *o = &m->options;
    size_t size = (size_t)o->channels * (size_t)o->height * (size_t)o->width;
    m->own_x_wanted = o->channels > 1 && o->height * o->width > 1;
    if (!m->own_x_wanted)
        return;
    vg_plan_bytes(plan, &m->own_x, (size_t)o->max_batch * size, sizeof *m->own_x);
    vg_plan_bytes(plan, &m->own_dx, (size_t)o->max_batch * size, sizeof *m->own_dx);
}

static vg_status check_options(const vg_net_spec *spec, const vg_model_options *o, vg_error *err)
{
    if (o->channels < 1 || o->height < 1 || o->width < 1 || o->channels > 1 << 12 ||
        o->height > 1 << 14 || o->width > 1 << 14)
        return vg_fail(err, VG_E_ARG, "an input of %d x %d x %d makes no sense", o->channels,
                       o->height, o->width);
    if (o->classes < 2 || o->classes > 1 << 20)
        return vg_fail(err, VG_E_ARG, "%d classes: a classifier needs at least 2", o->classes);
    if ((unsigned)o->winograd >= VG_WINOGRADS)
        return vg_fail(err, VG_E_ARG, "%d is no way to use Winograd's convolution",
                       (int)o->winograd);
    if (o->max_batch < 1 || o->max_batch > 1 << 20)
        return vg_fail(err, VG_E_ARG, "a batch of %d makes no sense", o->max_batch);
    if (spec->count < 0 || spec->count > 1000)
        return vg_fail(err, VG_E_LIMIT, "%d layers are more than 1000", spec->count);
    return VG_OK;
}

/* Large arrays in large pages, where the system has them: fewer misses of the address cache. */
static void *large_pages(size_t bytes)
{
    enum { PAGE = 1 << 21 };
    if (bytes > SIZE_MAX - PAGE)
        return NULL;
    bytes = bytes < PAGE ? bytes : (bytes + PAGE - 1) / PAGE * PAGE;
    void *p = aligned_alloc(bytes < PAGE ? VG_ALIGNMENT : PAGE, bytes);
#ifdef MADV_HUGEPAGE
    if (p && bytes >= PAGE)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish */
#endif
    return p;
}

/* Memory for all: what lasts, zeroed, and what each pass writes anew. */
static vg_status grant(vg_model *m, vg_plan *plan, vg_error *err)
{
    bool fits = !plan->failed && vg_program_build(m) && vg_program_lay_out(m);
    m->arena = fits ? large_pages(plan->bytes + VG_ALIGNMENT) : NULL;
    m->maps = fits ? large_pages(m->layout.bytes + VG_ALIGNMENT) : NULL;
    m->ready = fits ? large_pages(m->ready_bytes + VG_ALIGNMENT) : NULL;
    if (!m->arena || !m->maps || !m->ready)
        return vg_fail(err, VG_E_NOMEM, "a network of this size needs %.1f GB of memory%s",
                       (double)(plan->bytes + m->layout.bytes + m->ready_bytes) * 1e-9,
                       fits ? ": take a smaller batch or input" : " or more");
    memset(m->arena, 0, plan->bytes);
    for (size_t i = 0; i < plan->count; i++) {
        void *place = (char *)m->arena + plan->wishes[i].offset;
        memcpy(plan->wishes[i].where, &place, sizeof place);
    }
    vg_program_grant(m, m->maps);
    vg_inference_grant(m);
    return VG_OK;
}

/* The head that the list of layers brings, or the place behind it. */
static vg_status find_head(const vg_net_spec *spec, int *head, vg_error *err)
{
    *head = spec->count;
    for (int i = 0; i < spec->count; i++) {
        const vg_layer_spec *l = &spec->layers[i];
        vg_layer_kind kind = l->kind;
        bool after =
            kind == VG_LAYER_SOFTMAX || kind == VG_LAYER_SIGMOID || kind == VG_LAYER_LINEAR;
        if (*head < i && (!after || l->from[0]))
            return vg_fail(err, VG_E_ARG,
                           "layer %d (%s) stands behind the head; only softmax, sigmoid and "
                           "linear may",
                           i, vg_layer_kind_name(kind));
        if (vg_layer_is_head(l))
            *head = i;
    }
    return VG_OK;
}

/* One list of all parameters; the names' storage is in the layers. */
static vg_status collect_params(vg_model *m, vg_error *err)
{
    m->params = vg_calloc((size_t)m->count * VG_LAYER_PARAMS, sizeof *m->params);
    if (!m->params)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of parameters");
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        for (int k = 0; k < l->param_count; k++) {
            l->params[k].name = l->names[k];
            m->params[m->param_count++] = l->params[k];
        }
        m->parameters += l->info.parameters;
    }
    return VG_OK;
}

vg_status vg_model_new(const vg_net_spec *spec, const vg_model_options *options, vg_model **model,
                       vg_error *err)
{
    *model = NULL;
    vg_status status = check_options(spec, options, err);
    if (status)
        return status;
    vg_model *m = vg_calloc(1, sizeof *m);
    vg_layer *layers = vg_calloc((size_t)spec->count + 1, sizeof *layers);
    if (!m || !layers) {
        free(m);
        free(layers);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of layers");
    }
    m->layers = layers;
    m->options = *options;
    m->input = (vg_layer_info){.name = "input",
                               .channels = options->channels,
                               .height = options->height,
                               .width = options->width};
    const vg_layer_spec head = {.kind = VG_LAYER_DENSE, .bias = true};
    status = find_head(spec, &m->head, err);
    m->count = spec->count + (m->head == spec->count);
    if (!status)
        status = vg_graph_connect(m, spec, err);
    for (int i = 0; i < m->count && !status; i++)
        status = shape_layer(m, i, i < spec->count ? &spec->layers[i] : &head, err);
    if (!status) {
        vg_plan plan = {0};
        plan_input(m, &plan);
        for (int i = 0; i < m->count; i++)
            plan_layer(m, i, &plan);
        vg_inference_find(m);
        vg_plan_bytes(&plan, &m->clocks, VG_MODEL_SHARDS * (size_t)m->count, sizeof *m->clocks);
        status = grant(m, &plan, err);
        free(plan.wishes);
    }
    if (!status)
        status = collect_params(m, err);
    if (status) {
        vg_model_free(m);
        return status;
    }
    vg_blas_single();
    vg_model_initialize(m);
    *model = m;
    return VG_OK;
}

void vg_model_free(vg_model *model)
{
    if (!model)
        return;
    vg_program_free(&model->training);
    vg_program_free(&model->evaluation);
    vg_program_free(&model->inference);
    vg_program_free(&model->backward);
    free(model->layout.wants);
    free(model->inference_layout.wants);
    free(model->ready);
    free(model->arena);
    free(model->maps);
    free(model->params);
    free(model->layers);
    free(model);
}

void vg_model_initialize(vg_model *model)
{
    model->is_ready = false;
    for (int i = 0; i < model->count; i++)
        vg_layer_initialize(&model->layers[i], model->options.init, model->options.init_scale,
                            model->options.seed);
}

int vg_model_layers(const vg_model *model)
{
    return model->count;
}

const vg_layer_info *vg_model_layer(const vg_model *model, int layer)
{
    return layer < 0 ? &model->input : &model->layers[layer].info;
}

vg_param *vg_model_params(vg_model *model, int *count)
{
    *count = model->param_count;
    return model->params;
}

size_t vg_model_parameter_count(const vg_model *model)
{
    return model->parameters;
}

int vg_model_classes(const vg_model *model)
{
    return model->options.classes;
}

int vg_model_feature_layer(const vg_model *model)
{
    return model->layers[model->head].source;
}

int vg_model_head(const vg_model *model)
{
    return model->head;
}

const float *vg_model_activation(const vg_model *model, int layer)
{
    if (layer < 0)
        return model->x;
    const vg_layer *l = &model->layers[layer];
    if (model->pass.inference)
        return layer == model->count - 1 ? l->y : NULL;
    while (l->in_place)
        l = &model->layers[l->source];
    return model->pass.training && !l->kept ? NULL : l->y;
}

int vg_model_backward_products(const vg_model *model, int layer)
{
    const vg_layer *l = &model->layers[layer];
    return l->wanted ? (l->dx != NULL) + !l->frozen[0] : 0;
}

void vg_model_hold_statistics(vg_model *model, int layer, bool held)
{
    model->layers[layer].held = held;
}
