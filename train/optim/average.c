/* Averages of the weights around any optimizer: Lookahead's slow weights and a running mean.
 *
 * Both follow everything that the model keeps, running statistics too: batch normalization with the
 * statistics of other weights would be a network that was never trained. While the model holds an
 * average, the weights to train on with lie in the average's place; nothing is copied twice and a
 * checkpoint of that moment has both. */
#include "optim/optimizer_internal.h"

#include "nn/kernels/kernels.h"

#include <math.h>
#include <string.h>

static const size_t PIECE = 65536;

VG_KERNEL static void follow(float *restrict average, const float *restrict w, size_t n, float part)
{
    for (size_t i = 0; i < n; i++)
        average[i] += part * (w[i] - average[i]);
}

static void exchange(float *restrict a, float *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float old = a[i];
        a[i] = b[i];
        b[i] = old;
    }
}

void vg_average_begin(vg_optimizer *o)
{
    for (int i = 0; i < o->param_count; i++) {
        const vg_param *p = &o->params[i];
        if (o->slots[i].slow)
            memcpy(o->slots[i].slow, p->value, p->count * sizeof(float));
        if (o->slots[i].ema)
            memcpy(o->slots[i].ema, p->value, p->count * sizeof(float));
    }
}

static void follow_all(float *average, const float *w, size_t count, float part)
{
    long pieces = (long)((count + PIECE - 1) / PIECE);
#pragma omp parallel for schedule(static) if (pieces > 1)
    for (long k = 0; k < pieces; k++) {
        size_t from = (size_t)k * PIECE, n = count - from < PIECE ? count - from : PIECE;
        follow(average + from, w + from, n, part);
    }
}

/* How far the slow weights go. */
static double lookahead_part(const vg_optimizer *o)
{
    const vg_optimizer_options *s = &o->options;
    if (!(s->lookahead_ramp > 0) || o->total == 0)
        return s->lookahead_alpha;
    double progress = fmin((double)o->steps / (double)o->total, 1);
    return 1 - (1 - s->lookahead_alpha) * pow(progress, s->lookahead_ramp);
}

void vg_average_step(vg_optimizer *o)
{
    const vg_optimizer_options *s = &o->options;
    double t = (double)o->steps;
    float part = (float)(1 - fmin(s->ema, (1 + t) / (10 + t)));
    if (s->lookahead > 0 && o->steps % (uint64_t)s->lookahead == 0) {
        float slow = (float)lookahead_part(o);
        for (int i = 0; i < o->param_count; i++) {
            const vg_param *p = &o->params[i];
            follow_all(o->slots[i].slow, p->value, p->count, slow);
            memcpy(p->value, o->slots[i].slow, p->count * sizeof(float));
        }
    }
    for (int i = 0; s->ema > 0 && i < o->param_count; i++)
        follow_all(o->slots[i].ema, o->params[i].value, o->params[i].count, part);
}

void vg_optimizer_average(vg_optimizer *o, bool averaged)
{
    bool has = o->options.ema > 0 || o->options.lookahead > 0;
    if (!has || averaged == o->averaged)
        return;
    if (averaged && o->steps == 0) /* they begin with the first step */
        vg_average_begin(o);
    for (int i = 0; i < o->param_count; i++) {
        vg_slot *slot = &o->slots[i];
        exchange(o->params[i].value, slot->ema ? slot->ema : slot->slow, o->params[i].count);
    }
    o->averaged = averaged;
}
