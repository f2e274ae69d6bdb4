/* Nothing is estimated: quotas are the sampler's, weights are those of the loss for these quotas. */
#include "audit/ways.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Largest to smallest class: from here on rebalancing is worth its while ... */
static const double uneven = 1.5;
/* ... and from here on equal classes would repeat the same few pictures too often. */
static const double extreme = 20;

static const struct {
    vg_sampling sampling;
    vg_weighting weighting;
} known[VG_WAYS] = {
    {VG_SAMPLING_SHUFFLE, VG_WEIGHTING_NONE},  {VG_SAMPLING_SHUFFLE, VG_WEIGHTING_INVERSE},
    {VG_SAMPLING_SHUFFLE, VG_WEIGHTING_SQRT},  {VG_SAMPLING_SHUFFLE, VG_WEIGHTING_EFFECTIVE},
    {VG_SAMPLING_OVER, VG_WEIGHTING_NONE},     {VG_SAMPLING_UNDER, VG_WEIGHTING_NONE},
    {VG_SAMPLING_BALANCED, VG_WEIGHTING_NONE}, {VG_SAMPLING_SQRT, VG_WEIGHTING_NONE},
};

vg_sampling vg_ways_sampling(double imbalance_ratio)
{
    if (imbalance_ratio < uneven)
        return VG_SAMPLING_SHUFFLE;
    return imbalance_ratio > extreme ? VG_SAMPLING_SQRT : VG_SAMPLING_BALANCED;
}

/* Buffers of one call. */
typedef struct room {
    uint64_t *quotas;
    size_t *seen;
    float *weights;
} room;

static vg_status ask(const size_t *counts, int classes, double beta, const room *r, vg_way *way,
                     vg_error *err)
{
    vg_status status = vg_sampling_quotas(counts, classes, way->sampling, r->quotas, err);
    if (status)
        return status;
    for (int k = 0; k < classes; k++)
        r->seen[k] = (size_t)r->quotas[k];
    vg_balance_weights(r->seen, classes, way->weighting, beta, r->weights);
    double whole = 0;
    for (int k = 0; k < classes; k++) {
        vg_way_class *class = &way->per_class[k];
        class->seen = r->quotas[k];
        class->images = class->seen < counts[k] ? class->seen : counts[k];
        class->weight = (double)r->weights[k];
        class->share = (double)class->seen * class->weight;
        whole += class->share;
        way->length += class->seen;
    }
    for (int k = 0; k < classes && whole > 0; k++)
        way->per_class[k].share /= whole;
    return VG_OK;
}

vg_status vg_ways_make(const size_t *counts, int classes, double beta, vg_ways *ways, vg_error *err)
{
    size_t n = (size_t)classes;
    room r = {.quotas = vg_calloc(n, sizeof *r.quotas),
              .seen = vg_calloc(n, sizeof *r.seen),
              .weights = vg_calloc(n, sizeof *r.weights)};
    vg_status status = VG_OK;
    *ways = (vg_ways){.classes = classes};
    bool enough = r.quotas && r.seen && r.weights;
    for (int i = 0; enough && !status && i < VG_WAYS; i++) {
        vg_way *way = &ways->list[i];
        *way = (vg_way){.sampling = known[i].sampling,
                        .weighting = known[i].weighting,
                        .per_class = vg_calloc(n, sizeof *way->per_class)};
        enough = way->per_class != NULL;
        if (enough)
            status = ask(counts, classes, beta, &r, way, err);
    }
    free(r.quotas);
    free(r.seen);
    free(r.weights);
    if (!enough)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the plan of %d classes", classes);
    if (status) {
        vg_ways_reset(ways);
        return status;
    }
    vg_sampling sampling = vg_ways_sampling(vg_balance_measure(counts, classes).imbalance_ratio);
    for (int i = 0; i < VG_WAYS; i++)
        if (known[i].sampling == sampling && known[i].weighting == VG_WEIGHTING_NONE)
            ways->chosen = i;
    return VG_OK;
}

void vg_ways_reset(vg_ways *ways)
{
    for (int i = 0; i < VG_WAYS; i++)
        free(ways->list[i].per_class);
    *ways = (vg_ways){0};
}
