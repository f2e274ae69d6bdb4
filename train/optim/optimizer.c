/* An optimizer: which parameter moves how, its memory, and the order of a step.
 *
 * Work is cut into fixed pieces, so that neither the update nor the gradient norm depends on the
 * number of threads. What is done to a piece is in update.c; Muon's matrices are in muon.c, averages
 * of the weights in average.c. */
#include "optim/optimizer_internal.h"

#include "base/alloc.h"
#include "nn/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16384 };

vg_optimizer_options vg_optimizer_options_default(void)
{
    return (vg_optimizer_options){.kind = VG_OPTIMIZER_SGD,
                                  .momentum = 0.9,
                                  .beta1 = 0.9,
                                  .beta2 = 0.999,
                                  .epsilon = 1e-8,
                                  .weight_decay = 5e-4,
                                  .lookahead_alpha = 0.5,
                                  .muon_steps = 5,
                                  .muon_others = VG_MUON_ADAMW,
                                  .muon_others_rate = 0.05};
}

double vg_optimizer_default_rate(vg_optimizer_kind kind)
{
    switch (kind) {
    case VG_OPTIMIZER_SGD:
        return 0.05;
    case VG_OPTIMIZER_ADAGRAD:
        return 0.01;
    case VG_OPTIMIZER_MUON:
        return 0.02;
    default:
        return 0.001;
    }
}

/* A net without batch norm overshoots in its first steps under 0.05 with momentum, and what has died by
 * then stays dead: book on 28 classes of 48 x 48 photos and small-cifar on 2,000 images of CIFAR-10 ended
 * constant in 3 of 4 short runs. Lower rates do not help (book at 0.02 and 0.01: constant or partial in 4
 * of 4), limits of 1 and 2 do (healthy in 8 of 8), and nets with batch norm learn no worse. Of rates of
 * 0.1 with 2 and 0.2 with 1 book died again. */
double vg_optimizer_default_clip(vg_optimizer_kind kind)
{
    return kind == VG_OPTIMIZER_SGD ? 2 : 0;
}

static vg_status check_around(const vg_optimizer_options *o, vg_error *err)
{
    if (o->lookahead < 0)
        return vg_fail(err, VG_E_ARG, "lookahead %d must not be negative", o->lookahead);
    if (o->lookahead > 0 && (!(o->lookahead_alpha > 0 && o->lookahead_alpha <= 1) ||
                             !(o->lookahead_ramp >= 0) || !isfinite(o->lookahead_ramp)))
        return vg_fail(err, VG_E_ARG,
                       "lookahead_alpha %g must be in (0, 1], lookahead_ramp %g 0 or more",
                       o->lookahead_alpha, o->lookahead_ramp);
    if (!(o->ema >= 0 && o->ema < 1))
        return vg_fail(err, VG_E_ARG, "ema %g is not in [0, 1)", o->ema);
    if (o->kind != VG_OPTIMIZER_MUON)
        return VG_OK;
    if (o->muon_steps < 1 || o->muon_steps > 100 || (unsigned)o->muon_scale >= VG_MUON_SCALES ||
        (unsigned)o->muon_others >= VG_MUON_OTHERS || !(o->muon_others_rate >= 0) ||
        !isfinite(o->muon_others_rate))
        return vg_fail(err, VG_E_ARG,
                       "muon_steps %d must be 1 to 100, muon_others_rate %g 0 or more",
                       o->muon_steps, o->muon_others_rate);
    return VG_OK;
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
    if (!(o->epsilon >= 0) || !(o->weight_decay >= 0) || !(o->l1 >= 0) || !(o->clip_norm >= 0) ||
        !(o->clip_value >= 0))
        return vg_fail(err, VG_E_ARG,
                       "epsilon, weight_decay, l1, clip_norm and clip_value must not be negative");
    return check_around(o, err);
}

static int states_of(const vg_optimizer_options *o, vg_optimizer_kind kind)
{
    switch (kind) {
    case VG_OPTIMIZER_SGD:
        return o->momentum > 0;
    case VG_OPTIMIZER_RMSPROP:
        return 1 + (o->momentum > 0);
    case VG_OPTIMIZER_ADAGRAD:
    case VG_OPTIMIZER_MUON:
        return 1;
    default:
        return 2;
    }
}

/* As PyTorch calls them. */
static const char *state_name(vg_optimizer_kind kind, int state)
{
    switch (kind) {
    case VG_OPTIMIZER_SGD:
    case VG_OPTIMIZER_MUON:
        return "momentum";
    case VG_OPTIMIZER_RMSPROP:
        return state ? "momentum" : "square_avg";
    case VG_OPTIMIZER_ADAGRAD:
        return "sum";
    default:
        return state ? "exp_avg_sq" : "exp_avg";
    }
}

static bool decoupled(const vg_optimizer_options *o, vg_optimizer_kind kind)
{
    return o->decoupled || kind == VG_OPTIMIZER_ADAMW || kind == VG_OPTIMIZER_MUON;
}

/* Which parameter moves how. */
static void choose(vg_optimizer *o)
{
    const vg_optimizer_options *s = &o->options;
    int head = -1; /* Muon leaves the last weight to the others, as its author does */
    for (int i = 0; i < o->param_count; i++)
        if (o->params[i].trainable && o->params[i].decay)
            head = i;
    for (int i = 0; i < o->param_count; i++) {
        vg_param *p = &o->params[i];
        vg_slot *slot = &o->slots[i];
        bool other = s->kind == VG_OPTIMIZER_MUON && (!p->decay || p->dims < 2 || i == head);
        slot->kind = !other                          ? s->kind
                     : s->muon_others == VG_MUON_SGD ? VG_OPTIMIZER_SGD
                                                     : VG_OPTIMIZER_ADAMW;
        slot->rate = other ? s->muon_others_rate : 1;
        slot->decay = vg_param_rules_factor(&s->decays, p->name, p->decay ? 1 : 0);
        p->rate = vg_param_rules_factor(&s->rates, p->name, p->rate);
    }
}

static size_t padded(const vg_param *p)
{
    return (p->count + 15) / 16 * 16;
}

/* Floats that a parameter needs. */
static size_t values_of(const vg_optimizer *o, int i)
{
    const vg_optimizer_options *s = &o->options;
    int arrays = (s->lookahead > 0) + (s->ema > 0);
    if (o->params[i].trainable)
        arrays += states_of(s, o->slots[i].kind) + (o->slots[i].kind == VG_OPTIMIZER_MUON);
    return (size_t)arrays * padded(&o->params[i]);
}

/* One array from the memory, into the checkpoint if it has a name. */
static float *hand_out(vg_optimizer *o, int i, float **next, const char *name)
{
    float *at = *next;
    *next += padded(&o->params[i]);
    if (!name)
        return at;
    vg_param *entry = &o->list[o->list_count];
    *entry = o->params[i];
    entry->value = at;
    entry->grad = NULL;
    entry->trainable = entry->decay = false;
    snprintf(o->names[o->list_count], VG_STATE_NAME, "%s.%s", name, o->params[i].name);
    entry->name = o->names[o->list_count++];
    return at;
}

static void hand_out_all(vg_optimizer *o, int i, float **next)
{
    vg_slot *slot = &o->slots[i];
    if (o->params[i].trainable) {
        for (int s = 0; s < states_of(&o->options, slot->kind); s++)
            slot->state[s] = hand_out(o, i, next, state_name(slot->kind, s));
        if (slot->kind == VG_OPTIMIZER_MUON)
            slot->direction = hand_out(o, i, next, NULL);
    }
    if (o->options.lookahead > 0)
        slot->slow = hand_out(o, i, next, "slow");
    if (o->options.ema > 0)
        slot->ema = hand_out(o, i, next, "ema");
}

/* Cuts the parameters and hands out state memory. */
static bool lay_out(vg_optimizer *o)
{
    size_t values = 0, entries = (size_t)o->param_count * (VG_OPTIMIZER_STATES + 2);
    for (int i = 0; i < o->param_count; i++) {
        values += values_of(o, i);
        if (o->params[i].trainable)
            o->piece_count += (o->params[i].count + PIECE - 1) / PIECE;
    }
    o->pieces = vg_calloc(o->piece_count, sizeof *o->pieces);
    o->norms = vg_calloc(o->piece_count, sizeof *o->norms);
    o->memory = vg_alloc_aligned(values, sizeof(float));
    o->list = vg_calloc(entries, sizeof *o->list);
    o->names = vg_calloc(entries, sizeof *o->names);
    if (!o->pieces || !o->norms || !o->memory || !o->list || !o->names)
        return false;
    size_t at = 0;
    float *next = o->memory;
    for (int i = 0; i < o->param_count; i++) {
        const vg_param *p = &o->params[i];
        hand_out_all(o, i, &next);
        for (size_t from = 0; p->trainable && from < p->count; from += PIECE)
            o->pieces[at++] =
                (vg_piece){i, from, p->count - from < PIECE ? p->count - from : PIECE};
    }
    if (o->options.kind == VG_OPTIMIZER_MUON)
        o->muon = vg_muon_new(o);
    return o->options.kind != VG_OPTIMIZER_MUON || o->muon;
}

vg_status vg_optimizer_new(vg_model *model, const vg_optimizer_options *options,
                           vg_optimizer **optimizer, vg_error *err)
{
    *optimizer = NULL;
    vg_status status = check(options, err);
    if (!status)
        status = vg_param_rules_check(&options->rates, model, "rate", err);
    if (!status)
        status = vg_param_rules_check(&options->decays, model, "decay", err);
    if (status)
        return status;
    vg_optimizer *o = vg_calloc(1, sizeof *o);
    if (o) {
        o->options = *options;
        o->params = vg_model_params(model, &o->param_count);
        o->slots = vg_calloc((size_t)o->param_count, sizeof *o->slots);
    }
    if (o && o->slots)
        choose(o);
    if (!o || !o->slots || !lay_out(o)) {
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
    vg_muon_free(optimizer->muon);
    free(optimizer->slots);
    free(optimizer->pieces);
    free(optimizer->norms);
    free(optimizer->memory);
    free(optimizer->list);
    free(optimizer->names);
    free(optimizer);
}

void vg_optimizer_plan(vg_optimizer *optimizer, uint64_t total_steps)
{
    optimizer->total = total_steps;
}

/* Squares of a piece's gradient, none of what is frozen. */
static void measure_piece(vg_optimizer *o, long i)
{
    const vg_piece *p = &o->pieces[i];
    const vg_param *param = &o->params[p->param];
    o->norms[i] = param->rate > 0 ? vg_sum_squares(param->grad + p->from, p->count) : 0;
}

static double gradient_norm(const vg_optimizer *o)
{
    double squares = 0;
    for (size_t i = 0; i < o->piece_count; i++)
        squares += o->norms[i];
    return sqrt(squares);
}

/* What all parameters have in common in this step. */
static vg_update common_update(const vg_optimizer *o, double norm)
{
    const vg_optimizer_options *s = &o->options;
    double clip = s->clip_norm > 0 && norm > s->clip_norm ? s->clip_norm / (norm + 1e-6) : 1;
    return (vg_update){.clip = (float)clip,
                       .most = s->clip_value > 0 ? (float)s->clip_value : INFINITY,
                       .momentum = (float)s->momentum,
                       .beta1 = (float)s->beta1,
                       .beta2 = (float)s->beta2,
                       .rest1 = (float)(1 - s->beta1),
                       .rest2 = (float)(1 - s->beta2),
                       .epsilon = (float)s->epsilon,
                       .root = (float)(1 / sqrt(1 - pow(s->beta2, (double)o->steps))),
                       .nesterov = s->nesterov};
}

static void update_piece(const vg_optimizer *o, const vg_piece *piece, vg_update c,
                         double learning_rate)
{
    const vg_optimizer_options *s = &o->options;
    const vg_param *param = &o->params[piece->param];
    const vg_slot *slot = &o->slots[piece->param];
    double rate = learning_rate * param->rate * slot->rate, decay = s->weight_decay * slot->decay;
    bool apart = decoupled(s, slot->kind);
    if (!(param->rate > 0))
        return;
    c.rate = (float)rate;
    c.step = (float)(rate / (1 - pow(s->beta1, (double)o->steps)));
    c.decay = apart ? 0 : (float)decay;
    c.shrink = apart ? (float)(1 - rate * decay) : 1;
    c.l1 = (float)(s->l1 * slot->decay);
    vg_update_piece(slot, param, piece, &c);
}

double vg_optimizer_step(vg_optimizer *o, double learning_rate)
{
    if (o->steps == 0)
        vg_average_begin(o);
    o->steps++;
    /* only clipping must know the norm before the update; else both find a piece in the cache */
    bool first = o->options.clip_norm > 0;
    long pieces = (long)o->piece_count;
    if (first) {
#pragma omp parallel for schedule(static)
        for (long i = 0; i < pieces; i++)
            measure_piece(o, i);
    }
    const vg_update common = common_update(o, first ? gradient_norm(o) : 0);
#pragma omp parallel for schedule(static)
    for (long i = 0; i < pieces; i++) {
        if (!first)
            measure_piece(o, i);
        update_piece(o, &o->pieces[i], common, learning_rate);
    }
    double norm = gradient_norm(o);
    if (o->muon)
        vg_muon_step(o->muon, o, learning_rate);
    vg_average_step(o);
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

static const char *const kind_names[] = {"sgd", "adam", "adamw", "rmsprop", "adagrad", "muon"};
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
                   "unknown optimizer \"%s\"; there are: sgd, adam, adamw, rmsprop, adagrad, muon",
                   word);
}

const char *vg_optimizer_name(vg_optimizer_kind kind)
{
    return (unsigned)kind < KIND_NAMES ? kind_names[kind] : "unknown";
}

const char *vg_muon_scale_name(vg_muon_scale scale)
{
    static const char *const names[] = {"shape", "rms", "sphere"};
    _Static_assert(sizeof names / sizeof *names == VG_MUON_SCALES, "a scale without a name");
    return (unsigned)scale < VG_MUON_SCALES ? names[scale] : "unknown";
}

const char *vg_muon_others_name(vg_muon_others others)
{
    return others == VG_MUON_SGD ? "sgd" : others == VG_MUON_ADAMW ? "adamw" : "unknown";
}
