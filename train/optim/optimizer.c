/* SGD with momentum, RMSprop, Adagrad, Adam (Kingma, Ba, ICLR 2015), AdamW (Loshchilov, Hutter, ICLR 2019), in the
 * conventions of PyTorch. Work is cut into fixed pieces, so that neither the update nor the gradient
 * norm depends on the number of threads. Decay never touches biases and batch-norm parameters. */
#include "optim/optimizer.h"

#include "base/alloc.h"
#include "nn/kernels/kernels.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16384, STATES = 2, STATE_NAME = 96 };

typedef struct piece {
    int param; /* in the model's list */
    size_t from, count;
} piece;

struct vg_optimizer {
    vg_optimizer_options options;
    vg_param *params;
    int param_count;
    piece *pieces;
    double *norms; /* [piece_count] */
    size_t piece_count;
    float *memory;         /* state of all trainable values, STATES times */
    float **state[STATES]; /* [param_count], NULL where nothing is trained */
    vg_param *list;        /* for the checkpoint */
    char (*names)[STATE_NAME];
    int list_count;
    uint64_t steps;
};

vg_optimizer_options vg_optimizer_options_default(void)
{
    return (vg_optimizer_options){.kind = VG_OPTIMIZER_SGD,
                                  .momentum = 0.9,
                                  .beta1 = 0.9,
                                  .beta2 = 0.999,
                                  .epsilon = 1e-8,
                                  .weight_decay = 5e-4};
}

double vg_optimizer_default_rate(vg_optimizer_kind kind)
{
    return kind == VG_OPTIMIZER_SGD ? 0.05 : kind == VG_OPTIMIZER_ADAGRAD ? 0.01 : 0.001;
}

static vg_status check(const vg_optimizer_options *o, vg_error *err)
{
    if ((unsigned)o->kind >= VG_OPTIMIZERS)
        return vg_fail(err, VG_E_ARG, "unknown kind of optimizer (%d)", (int)o->kind);
    if (!(o->momentum >= 0 && o->momentum < 1))
        return vg_fail(err, VG_E_ARG, "momentum %g is not in [0, 1)", o->momentum);
    if (o->nesterov && o->kind == VG_OPTIMIZER_SGD && o->momentum <= 0)
        return vg_fail(err, VG_E_ARG, "nesterov needs a momentum above 0");
    if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1))
        return vg_fail(err, VG_E_ARG, "beta1 %g and beta2 %g must be in [0, 1)", o->beta1,
                       o->beta2);
    if (!(o->epsilon >= 0) || !(o->weight_decay >= 0) || !(o->clip_norm >= 0) ||
        !(o->clip_value >= 0))
        return vg_fail(err, VG_E_ARG,
                       "epsilon, weight_decay, clip_norm and clip_value must not be negative");
    return VG_OK;
}

static int states_of(const vg_optimizer_options *o)
{
    switch (o->kind) {
    case VG_OPTIMIZER_SGD:
        return o->momentum > 0;
    case VG_OPTIMIZER_RMSPROP:
        return 1 + (o->momentum > 0);
    case VG_OPTIMIZER_ADAGRAD:
        return 1;
    default:
        return 2;
    }
}

/* As PyTorch calls them. */
static const char *state_name(const vg_optimizer_options *o, int state)
{
    switch (o->kind) {
    case VG_OPTIMIZER_SGD:
        return "momentum";
    case VG_OPTIMIZER_RMSPROP:
        return state ? "momentum" : "square_avg";
    case VG_OPTIMIZER_ADAGRAD:
        return "sum";
    default:
        return state ? "exp_avg_sq" : "exp_avg";
    }
}

/* Cuts the parameters and hands out state memory. */
static bool lay_out(vg_optimizer *o)
{
    size_t values = 0;
    for (int i = 0; i < o->param_count; i++)
        if (o->params[i].trainable) {
            values += (o->params[i].count + 15) / 16 * 16;
            o->piece_count += (o->params[i].count + PIECE - 1) / PIECE;
        }
    int states = states_of(&o->options);
    size_t entries = (size_t)o->param_count * STATES;
    o->pieces = vg_calloc(o->piece_count, sizeof *o->pieces);
    o->norms = vg_calloc(o->piece_count, sizeof *o->norms);
    o->memory = vg_alloc_aligned(values * (size_t)states, sizeof(float));
    o->list = vg_calloc(entries, sizeof *o->list);
    o->names = vg_calloc(entries, sizeof *o->names);
    o->state[0] = vg_calloc(entries, sizeof *o->state[0]);
    if (!o->pieces || !o->norms || !o->memory || !o->list || !o->names || !o->state[0])
        return false;
    o->state[1] = o->state[0] + o->param_count;
    size_t at = 0;
    float *next = o->memory;
    for (int i = 0; i < o->param_count; i++) {
        const vg_param *p = &o->params[i];
        if (!p->trainable)
            continue;
        for (size_t from = 0; from < p->count; from += PIECE)
            o->pieces[at++] = (piece){i, from, p->count - from < PIECE ? p->count - from : PIECE};
        for (int s = 0; s < states; s++) {
            o->state[s][i] = next;
            next += (p->count + 15) / 16 * 16;
            vg_param *entry = &o->list[o->list_count];
            *entry = *p;
            entry->value = o->state[s][i];
            entry->grad = NULL;
            entry->trainable = entry->decay = false;
            snprintf(o->names[o->list_count], STATE_NAME, "%s.%s", state_name(&o->options, s),
                     p->name);
            entry->name = o->names[o->list_count++];
        }
    }
    return true;
}

vg_status vg_optimizer_new(vg_model *model, const vg_optimizer_options *options,
                           vg_optimizer **optimizer, vg_error *err)
{
    *optimizer = NULL;
    vg_status status = check(options, err);
    if (status)
        return status;
    vg_optimizer *o = vg_calloc(1, sizeof *o);
    if (o) {
        o->options = *options;
        o->params = vg_model_params(model, &o->param_count);
    }
    if (!o || !lay_out(o)) {
        vg_optimizer_free(o);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the optimizer's state");
    }
    *optimizer = o;
    return VG_OK;
}

void vg_optimizer_free(vg_optimizer *optimizer)
{
    if (!optimizer)
        return;
    free(optimizer->pieces);
    free(optimizer->norms);
    free(optimizer->memory);
    free(optimizer->list);
    free(optimizer->names);
    free(optimizer->state[0]);
    free(optimizer);
}

/* The coefficients of one step; floats because the arrays are. */
typedef struct coefficients {
    float clip, most, decay, rate, momentum, beta1, beta2, rest1, rest2, epsilon, step, root;
} coefficients;

/* A value of the gradient after both ways of clipping; most is infinite without the second. */
static inline float clipped(float g, coefficients c)
{
    float d = g * c.clip;
    return d > c.most ? c.most : d < -c.most ? -c.most : d; /* NaN stays */
}

VG_KERNEL static void sgd(float *restrict w, const float *restrict g, float *restrict m, size_t n,
                          coefficients c, int nesterov)
{
    for (size_t i = 0; i < n; i++) {
        float d = clipped(g[i], c) + c.decay * w[i];
        float v = c.momentum * m[i] + d;
        m[i] = v;
        w[i] -= c.rate * (nesterov ? d + c.momentum * v : v);
    }
}

VG_KERNEL static void sgd_plain(float *restrict w, const float *restrict g, size_t n,
                                coefficients c)
{
    for (size_t i = 0; i < n; i++)
        w[i] -= c.rate * (clipped(g[i], c) + c.decay * w[i]);
}

VG_KERNEL static void adam(float *restrict w, const float *restrict g, float *restrict m,
                           float *restrict v, size_t n, coefficients c, int decoupled)
{
    for (size_t i = 0; i < n; i++) {
        float old = w[i], d = clipped(g[i], c);
        if (decoupled)
            old -= c.rate * c.decay * old;
        else
            d += c.decay * old;
        m[i] = c.beta1 * m[i] + c.rest1 * d;
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        w[i] = old - c.step * m[i] / (sqrtf(v[i]) * c.root + c.epsilon);
    }
}

VG_KERNEL static void rmsprop(float *restrict w, const float *restrict g, float *restrict v,
                              size_t n, coefficients c)
{
    for (size_t i = 0; i < n; i++) {
        float d = clipped(g[i], c) + c.decay * w[i];
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        w[i] -= c.rate * (d / (sqrtf(v[i]) + c.epsilon));
    }
}

VG_KERNEL static void rmsprop_momentum(float *restrict w, const float *restrict g,
                                       float *restrict v, float *restrict m, size_t n,
                                       coefficients c)
{
    for (size_t i = 0; i < n; i++) {
        float d = clipped(g[i], c) + c.decay * w[i];
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        m[i] = c.momentum * m[i] + d / (sqrtf(v[i]) + c.epsilon);
        w[i] -= c.rate * m[i];
    }
}

VG_KERNEL static void adagrad(float *restrict w, const float *restrict g, float *restrict sum,
                              size_t n, coefficients c)
{
    for (size_t i = 0; i < n; i++) {
        float d = clipped(g[i], c) + c.decay * w[i];
        sum[i] += d * d;
        w[i] -= c.rate * (d / (sqrtf(sum[i]) + c.epsilon));
    }
}

static void update_piece(vg_optimizer *o, const piece *p, coefficients c)
{
    vg_param *param = &o->params[p->param];
    float *w = param->value + p->from;
    const float *g = param->grad + p->from;
    float *m = o->state[0][p->param], *v = o->state[1][p->param];
    if (!param->decay)
        c.decay = 0;
    size_t at = p->from, n = p->count;
    switch (o->options.kind) {
    case VG_OPTIMIZER_ADAM:
    case VG_OPTIMIZER_ADAMW:
        adam(w, g, m + at, v + at, n, c, o->options.kind == VG_OPTIMIZER_ADAMW);
        break;
    case VG_OPTIMIZER_RMSPROP:
        if (v)
            rmsprop_momentum(w, g, m + at, v + at, n, c);
        else
            rmsprop(w, g, m + at, n, c);
        break;
    case VG_OPTIMIZER_ADAGRAD:
        adagrad(w, g, m + at, n, c);
        break;
    default:
        if (m)
            sgd(w, g, m + at, n, c, o->options.nesterov);
        else
            sgd_plain(w, g, n, c);
    }
}

double vg_optimizer_step(vg_optimizer *o, double learning_rate)
{
    const vg_optimizer_options *s = &o->options;
    long pieces = (long)o->piece_count;
    double squares = 0;
    o->steps++;
#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces; i++) {
        const piece *p = &o->pieces[i];
        o->norms[i] = vg_sum_squares(o->params[p->param].grad + p->from, p->count);
    }
    for (long i = 0; i < pieces; i++)
        squares += o->norms[i];
    double norm = sqrt(squares), clip = 1, steps = (double)o->steps;
    if (s->clip_norm > 0 && norm > s->clip_norm)
        clip = s->clip_norm / (norm + 1e-6);
    coefficients c = {.clip = (float)clip,
                      .most = s->clip_value > 0 ? (float)s->clip_value : INFINITY,
                      .decay = (float)s->weight_decay,
                      .rate = (float)learning_rate,
                      .momentum = (float)s->momentum,
                      .beta1 = (float)s->beta1,
                      .beta2 = (float)s->beta2,
                      .rest1 = (float)(1 - s->beta1),
                      .rest2 = (float)(1 - s->beta2),
                      .epsilon = (float)s->epsilon,
                      .step = (float)(learning_rate / (1 - pow(s->beta1, steps))),
                      .root = (float)(1 / sqrt(1 - pow(s->beta2, steps)))};
#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces; i++)
        update_piece(o, &o->pieces[i], c);
    return norm;
}

vg_param *vg_optimizer_state(vg_optimizer *optimizer, int *count)
{
    *count = optimizer->list_count;
    return optimizer->list;
}

uint64_t vg_optimizer_steps(const vg_optimizer *optimizer)
{
    return optimizer->steps;
}

void vg_optimizer_set_steps(vg_optimizer *optimizer, uint64_t steps)
{
    optimizer->steps = steps;
}

static const char *const kind_names[] = {"sgd", "adam", "adamw", "rmsprop", "adagrad"};
enum { KIND_NAMES = sizeof kind_names / sizeof *kind_names };
_Static_assert((int)KIND_NAMES == (int)VG_OPTIMIZERS, "an optimizer without a name");

vg_status vg_optimizer_parse(const char *word, vg_optimizer_kind *kind, vg_error *err)
{
    for (int i = 0; i < KIND_NAMES; i++)
        if (strcmp(word, kind_names[i]) == 0) {
            *kind = (vg_optimizer_kind)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG,
                   "unknown optimizer \"%s\"; there are: sgd, adam, adamw, rmsprop, adagrad", word);
}

const char *vg_optimizer_name(vg_optimizer_kind kind)
{
    return (unsigned)kind < KIND_NAMES ? kind_names[kind] : "unknown";
}
