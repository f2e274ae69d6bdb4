/* What MixUp and CutMix do to pairs of pictures: whether anything is mixed at all, and whether CutMix's
 * labels, which go by area, say what is seen. Pictures are mixed un-augmented: what the policy does to them is
 * said of the policy. */
#include "base/alloc.h"
#include "base/threads.h"
#include "check_internal.h"
#include "glance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mixed {
    bool drawn, pure, wrong;
    vg_error err;
} mixed;

typedef struct mixer {
    check_run *run;
    float **out; /* [threads] a view */
    mixed *draws;
    size_t count;
} mixer;

/* The share of a picture's edges that lie inside of the rectangle. */
static double edges_inside(const float *x, const vg_augment *a, const vg_mixture *mix)
{
    vg_glance g;
    double all = 0, inside = 0;
    vg_glance_make(x, a->channels, a->width, a->height, &g);
    for (int row = 0; row < g.height; row++)
        for (int column = 0; column < g.width; column++) {
            double edge = vg_glance_edge(&g, row * g.width + column);
            double u = (column + 0.5) * a->width / g.width, v = (row + 0.5) * a->height / g.height;
            all += edge;
            if (u >= mix->x && u < mix->x + mix->width && v >= mix->y && v < mix->y + mix->height)
                inside += edge;
        }
    return all > 0 ? inside / all : 0;
}

static double difference(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)(a[i] - b[i]));
    return sum / (double)n;
}

/* Less than this much of what a picture shows is in view. */
static const double HARDLY_SEEN = 0.25;

static void mix_one(void *context, int thread, size_t i)
{
    mixer *m = context;
    check_run *run = m->run;
    check_worker *w = &run->workers[thread];
    const vg_augment *a = run->augment;
    mixed *result = &m->draws[i];
    /* Far enough apart in the list, which is sorted by class, to be of two classes mostly. */
    size_t own = run->picture[i % run->pictures],
           partner = run->picture[(i + run->pictures / 2 + i / run->pictures) % run->pictures];
    const vg_mixture mix =
        vg_mix_draw(&run->options.mixing, run->options.seed, 0, i, a->height, a->width);
    const vg_image *image = check_picture(run, w, own, NULL, &result->err);
    if (mix.kind == VG_MIX_NONE || !image ||
        vg_augment_view(a, NULL, w->scratch, image, w->before, &result->err))
        return;
    image = check_picture(run, w, partner, NULL, &result->err);
    if (!image || vg_augment_view(a, NULL, w->scratch, image, w->after, &result->err))
        return;
    const int shape[3] = {a->channels, a->height, a->width};
    size_t n = (size_t)a->channels * (size_t)a->height * (size_t)a->width;
    float *out = m->out[thread];
    vg_mix_sample(&mix, w->before, w->after, shape, out);
    result->drawn = true;
    result->pure = difference(out, w->before, n) < 1 || difference(out, w->after, n) < 1;
    if (mix.kind == VG_MIX_CUT && !result->pure)
        result->wrong = mix.share >= 0.5 ? 1 - edges_inside(w->before, a, &mix) < HARDLY_SEEN
                                         : edges_inside(w->after, a, &mix) < HARDLY_SEEN;
}

vg_status check_mixing(check_run *run, vg_check *check, vg_error *err)
{
    enum { DRAWS = 512 };
    if (!vg_mixing_is_on(&run->options.mixing) || run->pictures < 2)
        return VG_OK;
    const vg_augment *a = run->augment;
    size_t size = (size_t)a->channels * (size_t)a->height * (size_t)a->width;
    size_t threads = (size_t)run->threads;
    mixer m = {.run = run, .count = 2 * run->pictures < DRAWS ? 2 * run->pictures : DRAWS};
    if (m.count > check_views(run))
        m.count = check_views(run);
    if (m.count == 0)
        return VG_OK;
    m.draws = vg_calloc(m.count, sizeof *m.draws);
    m.out = vg_calloc(threads, sizeof *m.out);
    bool room = m.draws && m.out;
    for (size_t t = 0; t < threads && room; t++)
        room = (m.out[t] = vg_alloc(size, sizeof *m.out[t])) != NULL;
    vg_status status = room ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for views");
    if (!status)
        vg_parallel_for(run->threads, m.count, mix_one, &m);
    for (size_t i = 0; i < m.count && !status; i++) {
        check->mix.draws += m.draws[i].drawn;
        check->mix.pure += m.draws[i].pure;
        check->mix.wrong += m.draws[i].wrong;
        if (m.draws[i].err.code == VG_E_NOMEM)
            status = vg_fail(err, VG_E_NOMEM, "%s", m.draws[i].err.message);
    }
    for (size_t t = 0; m.out && t < threads; t++)
        free(m.out[t]);
    free(m.out);
    free(m.draws);
    return status;
}
