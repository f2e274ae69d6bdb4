/* Who reads whom: sources by name, what may happen in place, and where gradients go.
 *
 * An output with several readers is never written over. Its gradient is the sum of what they give
 * back, added in the reverse order of the layers: the last reader writes, the others add, so that
 * the sum does not depend on threads. An output that nobody reads is an error of the description:
 * it would cost time and learn nothing. */
#include "nn/model_internal.h"

static vg_status find(const vg_model *m, const vg_net_spec *spec, int i, const char *name, int *at,
                      vg_error *err)
{
    *at = vg_net_spec_find(spec, i < spec->count ? i : spec->count, name);
    if (*at < -1)
        return vg_fail(err, VG_E_ARG, "layer %d of %d: no layer before it is named \"%s\"", i,
                       m->count, name);
    return VG_OK;
}

vg_status vg_graph_connect(vg_model *m, const vg_net_spec *spec, vg_error *err)
{
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        const vg_layer_spec *s = i < spec->count ? &spec->layers[i] : NULL;
        l->source = i - 1;
        l->other = VG_LAYER_NOBODY;
        vg_status status = VG_OK;
        if (s && s->from[0])
            status = find(m, spec, i, s->from, &l->source, err);
        if (!status && s && (s->kind == VG_LAYER_ADD || s->kind == VG_LAYER_CONCAT))
            status = find(m, spec, i, s->with, &l->other, err);
        if (status)
            return status;
        if (l->source >= 0)
            m->layers[l->source].readers++;
        if (l->other >= 0)
            m->layers[l->other].readers++;
    }
    for (int i = 0; i + 1 < m->count; i++)
        if (m->layers[i].readers == 0) {
            char words[128];
            vg_layer_print(&spec->layers[i], words, sizeof words);
            return vg_fail(err, VG_E_ARG,
                           "nobody reads the output of layer %d (\"%s\"): the next one begins "
                           "elsewhere, and no add or concat takes it",
                           i, words);
        }
    return VG_OK;
}

bool vg_graph_in_place(const vg_model *m, int i)
{
    const vg_layer *l = &m->layers[i];
    if (l->turns)
        return false; /* another order */
    if (!l->ops->in_place || l->source < 0 || m->layers[l->source].readers != 1)
        return false;
    /* the backward pass of a ReLU anywhere in the chain reads the sign of what stands here then */
    for (int k = l->source; k >= 0; k = m->layers[k].source) {
        if (m->layers[k].spec.kind == VG_LAYER_RELU && !l->ops->keeps_sign)
            return false;
        if (!m->layers[k].in_place)
            break;
    }
    return true;
}

bool vg_graph_adds(const vg_model *m, int i, bool other)
{
    int at = other ? m->layers[i].other : m->layers[i].source;
    for (int k = m->count - 1; k > i; k--)
        if (m->layers[k].source == at || m->layers[k].other == at)
            return true;
    /* "add x" right behind x: the main input gets its gradient first */
    return other && m->layers[i].source == at;
}

void vg_graph_point_forward(vg_model *m, const float *x)
{
    bool training = m->pass.training;
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        const vg_layer *from = l->source < 0 ? NULL : &m->layers[l->source];
        const vg_layer *other = l->other < 0 ? NULL : &m->layers[l->other];
        l->x = from ? from->y : x;
        l->x_part = from ? from->y_part : 0;
        l->other_x = l->other == VG_LAYER_NOBODY ? NULL : other ? other->y : x;
        l->other_x_part = other ? other->y_part : 0;
        bool shared = l->in_place && from;
        l->y = shared ? from->y : training ? l->train_y : l->evaluation_y;
        l->y_part = shared ? from->y_part : training ? l->train_part : 0;
    }
}

/* Where the gradient of a layer's output lies: with the owner of its buffer. */
static float *gradient_of(const vg_model *m, int i, float *dx, int *part)
{
    while (i >= 0 && m->layers[i].in_place)
        i = m->layers[i].source;
    *part = i < 0 ? 0 : m->layers[i].own_dy_part;
    return i < 0 ? dx : m->layers[i].own_dy;
}

static bool wants(const vg_model *m, int layer, bool dx)
{
    return layer < 0 ? dx : m->layers[layer].wanted;
}

/* The rates in the list of parameters are those that users set. */
static void want_gradients(vg_model *m, bool dx)
{
    const vg_param *p = m->params;
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        l->wanted =
            wants(m, l->source, dx) || (l->other != VG_LAYER_NOBODY && wants(m, l->other, dx));
        for (int k = 0; k < l->param_count; k++, p++) {
            l->frozen[k] = !p->trainable || p->rate == 0;
            l->wanted = l->wanted || !l->frozen[k];
        }
    }
}

void vg_graph_point_backward(vg_model *m, const float *dlogits, float *dx)
{
    want_gradients(m, dx != NULL);
    for (int i = 0; i < m->count; i++) {
        vg_layer *l = &m->layers[i];
        l->dy_part = l->other_dx_part = 0;
        l->dy = i + 1 < m->count ? gradient_of(m, i, NULL, &l->dy_part) : dlogits;
        l->dx = wants(m, l->source, dx != NULL) ? gradient_of(m, l->source, dx, &l->dx_part) : NULL;
        l->sum = l->own_dx && l->dx ? l->dx : NULL;
        l->sum_part = l->dx_part;
        if (l->sum) {
            l->dx = l->own_dx;
            l->dx_part = l->own_dx_part;
        }
        l->other_dx = l->other != VG_LAYER_NOBODY && wants(m, l->other, dx != NULL)
                          ? gradient_of(m, l->other, dx, &l->other_dx_part)
                          : NULL;
    }
}
