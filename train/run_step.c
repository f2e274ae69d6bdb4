/* One step of a training: a batch is mixed and whitened, goes through the network and comes back as a gradient. */
#include "run_internal.h"

#include "base/clock.h"
#include "whiten.h"

#include <math.h>

/* What the trainer spent waiting in the epoch so far, and what it waited for. */
double vg_training_load_share(vg_training *r, double seconds, vg_stage *limit)
{
    vg_loader_times times = vg_loader_times_of(r->loader);
    *limit = vg_loader_limit(&r->before, &times, seconds);
    return (times.waited_by_caller - r->before.waited_by_caller) / fmax(seconds, 1e-9);
}

/* The pictures that the network gets, and the labels of their shares. */
static const float *mix_batch(vg_training *r, const vg_batch *batch, vg_label_pairs *labels)
{
    const vg_run_options *o = r->options;
    const int shape[3] = {o->channels, o->height, o->width}, n = batch->count;
    const size_t picture = (size_t)shape[0] * (size_t)shape[1] * (size_t)shape[2];
    *labels = (vg_label_pairs){batch->y, batch->y, 1};
    vg_mixture mix = vg_mix_draw(&o->mixing, r->order, batch->epoch,
                                 batch->first / (uint64_t)r->batch, o->height, o->width);
    if (mix.kind == VG_MIX_NONE || n < 2)
        return batch->x;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        int partner = vg_mix_partner(i, n);
        r->partners[i] = batch->y[partner];
        vg_mix_sample(&mix, batch->x + (size_t)i * picture, batch->x + (size_t)partner * picture,
                      shape, r->mixed + (size_t)i * picture);
    }
    *labels = (vg_label_pairs){batch->y, r->partners, mix.share};
    return r->mixed;
}

/* Adds what passed since *clock. */
static void lap(double *clock, double *spent)
{
    double now = vg_clock();
    *spent += now - *clock;
    *clock = now;
}

double vg_training_rate(const vg_training *r)
{
    const vg_schedule *s = &r->options->schedule;
    double rate = vg_schedule_at(s, r->update, r->updates);
    return s->kind == VG_SCHEDULE_PLATEAU ? rate * (r->plateau.rate / s->base) : rate;
}

/* What the mean over a batch divides by: its samples, each with the weight of its class. */
static double weight_of(const vg_training *r, const vg_label_pairs *labels, int n)
{
    double sum = 0;
    bool weighs = vg_training_weighs(r);
    for (int i = 0; i < n && weighs; i++)
        sum += labels->share * (double)r->weights[labels->first[i]] +
               (1 - labels->share) * (double)r->weights[labels->second[i]];
    return weighs ? sum : n;
}

/* Adds the gradients of one batch to those of its group, or (weight 0) puts the group's mean in their place. */
static void group_gradients(vg_training *r, double weight)
{
    int count;
    vg_param *params = vg_model_params(r->model, &count);
    float *sum = r->sums;
    const float own = (float)weight, whole = (float)(1 / r->group_weight);
    for (int i = 0; i < count; i++) {
        vg_param *p = &params[i];
        if (!p->grad)
            continue;
        long n = (long)p->count;
        float *g = p->grad;
        if (p->rate == 0) { /* nobody has made it */
            sum += n;
            continue;
        }
        if (weight <= 0) {
#pragma omp parallel for schedule(static)
            for (long k = 0; k < n; k++)
                g[k] = sum[k] * whole;
        } else if (r->grouped == 0) {
#pragma omp parallel for schedule(static)
            for (long k = 0; k < n; k++)
                sum[k] = own * g[k];
        } else {
#pragma omp parallel for schedule(static)
            for (long k = 0; k < n; k++)
                sum[k] += own * g[k];
        }
        sum += n;
    }
}

/* The gradient of a batch is there: a step of the optimizer when its group is complete. */
static void use_gradient(vg_training *r, double weight, bool last)
{
    if (r->sums) {
        if (weight > 0) { /* else all of its classes weigh nothing, and so does its gradient */
            group_gradients(r, weight);
            r->group_weight += weight;
            r->grouped++;
        }
        r->lent++;
        if (r->lent < r->options->accumulate && !last)
            return;
        r->lent = 0;
        if (r->grouped == 0)
            return;
        group_gradients(r, 0);
        r->group_weight = 0;
        r->grouped = 0;
    }
    r->gradient_norm = vg_optimizer_step(r->optimizer, r->rate);
    r->update++;
}

bool vg_training_step(vg_training *r, const vg_batch *batch, double started)
{
    vg_label_pairs labels;
    double clock = vg_clock();
    const float *x = vg_whiten_batch(&r->augment.normalizer, mix_batch(r, batch, &labels),
                                     batch->count, r->whitened);
    lap(&clock, &r->spent.prepare);
    const float *outputs = vg_model_forward(r->model, x, batch->count, true, r->step);
    lap(&clock, &r->spent.forward);
    vg_loss_result loss = vg_training_loss(r, outputs, &labels, batch->count);
    lap(&clock, &r->spent.loss);
    double weight = r->sums ? weight_of(r, &labels, batch->count) : 1;
    r->rate = vg_training_rate(r);
    r->step++;
    r->next = batch->first / (uint64_t)r->batch + 1;
    r->loss_sum += loss.loss * batch->count;
    r->correct += (size_t)loss.correct;
    r->seen += (size_t)batch->count;
    r->not_finite = !isfinite(loss.loss);
    if (!r->not_finite) {
        clock = vg_clock();
        vg_model_backward(r->model, r->dlogits, NULL);
        lap(&clock, &r->spent.backward);
        use_gradient(r, weight, r->next == r->batches);
        lap(&clock, &r->spent.update);
    }
    if (!r->events || !r->events->batch)
        return false;
    double seconds = r->seconds + vg_clock() - started;
    vg_run_moment moment = {.epoch = r->epoch,
                            .step = r->step,
                            .steps = r->steps,
                            .loss = loss.loss,
                            .images_per_s = (double)r->seen / fmax(seconds, 1e-9)};
    moment.load_share = vg_training_load_share(r, seconds, &moment.limit);
    return r->events->batch(r->events->context, &moment);
}
