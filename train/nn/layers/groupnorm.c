/* Group normalization (Wu, He: "Group normalization", ECCV 2018) and layer normalization (Ba, Kiros,
 * Hinton 2016): mean and variance of a part of one picture, so that neither the batch nor its size
 * matters and training and evaluation are the same. A layer norm is one group of all channels, with
 * a weight and a bias for every place instead of every channel, as in the frameworks. The mean and
 * the inverse deviation of each group are kept for the backward pass, sums are double. */
#include "nn/kernels/kernels.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

enum { GAMMA, BETA };

static bool by_place(const vg_layer *l)
{
    return l->spec.kind == VG_LAYER_LAYERNORM;
}

static size_t groups_of(const vg_layer *l)
{
    return by_place(l) ? 1 : (size_t)l->spec.groups;
}

static vg_status groupnorm_shape(vg_layer *l, vg_error *err)
{
    l->out = l->in;
    if (!by_place(l) && (l->spec.groups < 1 || l->in.c % l->spec.groups))
        return vg_fail(err, VG_E_SHAPE, "%d channels cannot be cut into %d groups", l->in.c,
                       l->spec.groups);
    return VG_OK;
}

static void groupnorm_plan(vg_layer *l, int max_batch, vg_plan *plan)
{
    const int64_t channels[1] = {l->in.c}, places[3] = {l->in.c, l->in.h, l->in.w};
    const int64_t *shape = by_place(l) ? places : channels;
    int dims = by_place(l) ? 3 : 1;
    vg_layer_param(l, plan, "weight", shape, dims, true);
    vg_layer_param(l, plan, "bias", shape, dims, true);
    vg_plan_floats(plan, &l->mean, (size_t)max_batch * groups_of(l));
    vg_plan_floats(plan, &l->inverse, (size_t)max_batch * groups_of(l));
    if (by_place(l)) { /* weight and bias, and a shard's gradients of them, in the order H W C */
        l->scratch_size = 2 * vg_shape_size(l->in);
        vg_plan_floats(plan, &l->affine, 2 * vg_shape_size(l->in));
    } else {
        l->scratch_size = 3 * (size_t)l->in.c; /* coefficients */
        vg_plan_bytes(plan, &l->sums, (size_t)VG_MODEL_SHARDS * 2 * (size_t)l->in.c,
                      sizeof(double));
    }
}

static void groupnorm_pack(vg_layer *l, const vg_pass *pass, int part)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), map = vg_layer_map(l->in);
    if (by_place(l) && part < 2)
        vg_transpose(l->params[part].value, size / map, map, l->affine + (size_t)part * size);
}

/* Mean and inverse deviation of a group, in two rounds: `width` channels of each pixel. */
static void measure(vg_layer *l, size_t at, const float *x, size_t pixels, size_t step,
                    size_t width)
{
    double mean = 0, squares = 0, n = (double)(pixels * width);
    for (size_t i = 0; i < pixels; i++)
        mean += vg_sum(x + i * step, width);
    mean /= n;
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < width; k++) {
            double d = (double)x[i * step + k] - mean;
            squares += d * d;
        }
    l->mean[at] = (float)mean;
    l->inverse[at] = (float)(1 / sqrt(squares / n + l->spec.epsilon));
}

static void groupnorm_forward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t groups = groups_of(l), size = vg_shape_size(l->in), c = (size_t)l->in.c;
    size_t map = vg_layer_map(l->in), width = c / groups;
    float *a = l->scratch + (size_t)shard.slot * l->scratch_size, *b = a + c;
    const float *x = vg_layer_x(l, shard);
    float *y = vg_layer_y(l, shard);
    for (size_t i = (size_t)shard.first; i < (size_t)shard.first + (size_t)shard.count; i++) {
        for (size_t g = 0; g < groups; g++)
            if (by_place(l))
                measure(l, i, x, 1, size, size);
            else
                measure(l, i * groups + g, x + g * width, map, c, width);
        if (by_place(l)) {
            float inverse = l->inverse[i], mean = l->mean[i];
            for (size_t k = 0; k < size; k++) {
                float v = (x[k] - mean) * inverse * l->affine[k] + l->affine[size + k];
                y[k] = l->fused_relu && v < 0 ? 0 : v;
            }
        } else {
            for (size_t k = 0; k < c; k++) {
                size_t at = i * groups + k / width;
                a[k] = l->params[GAMMA].value[k] * l->inverse[at];
                b[k] = l->params[BETA].value[k] - l->mean[at] * a[k];
            }
            vg_channel_affine(x, y, map, c, a, b, l->fused_relu);
        }
        x += size, y += size;
    }
}

/* With h = (x - mean) inverse: dx = inverse (dy gamma - mean(dy gamma) - h mean(dy gamma h)).
 * One sample of a group norm; sum and product are of the sample, per channel. */
static void backward_groups(const vg_layer *l, size_t sample, const double *sum,
                            const double *product, float *a, float *b, float *d)
{
    size_t groups = groups_of(l), c = (size_t)l->in.c, width = c / groups;
    double n = (double)(width * vg_layer_map(l->in));
    const float *gamma = l->params[GAMMA].value;
    for (size_t g = 0; g < groups; g++) {
        double mean = (double)l->mean[sample * groups + g];
        double inverse = (double)l->inverse[sample * groups + g], all = 0, cross = 0;
        for (size_t k = g * width; k < (g + 1) * width; k++) {
            all += (double)gamma[k] * sum[k];
            cross += (double)gamma[k] * (product[k] - mean * sum[k]) * inverse;
        }
        double slope = -cross / n * inverse * inverse;
        for (size_t k = g * width; k < (g + 1) * width; k++) {
            a[k] = (float)((double)gamma[k] * inverse);
            b[k] = (float)slope;
            d[k] = (float)(-all / n * inverse - slope * mean);
        }
    }
}

static void groupnorm_sample(const vg_layer *l, vg_shard shard, size_t sample, const float *x,
                             const float *dy, float *dx, float *dgamma, float *dbeta)
{
    size_t c = (size_t)l->in.c, map = vg_layer_map(l->in), width = c / groups_of(l);
    double *sum = l->sums + (size_t)shard.slot * 2 * c, *product = sum + c;
    float *a = l->scratch + (size_t)shard.slot * l->scratch_size, *b = a + c, *d = b + c;
    memset(sum, 0, 2 * c * sizeof *sum);
    vg_channel_sums(dy, x, map, c, sum, product);
    for (size_t k = 0; k < c; k++) {
        size_t at = sample * groups_of(l) + k / width;
        dgamma[k] += (float)((product[k] - (double)l->mean[at] * sum[k]) * (double)l->inverse[at]);
        dbeta[k] += (float)sum[k];
    }
    backward_groups(l, sample, sum, product, a, b, d);
    if (dx)
        vg_channel_affine2(dy, x, dx, map, c, a, b, d);
}

/* The same with a weight for each place; dgamma and dbeta are in the order of the map. */
static void layernorm_sample(const vg_layer *l, size_t sample, const float *x, const float *dy,
                             float *dx, float *dgamma, float *dbeta)
{
    size_t n = vg_shape_size(l->in);
    const float *gamma = l->affine;
    double mean = (double)l->mean[sample], inverse = (double)l->inverse[sample];
    double all = 0, cross = 0;
    for (size_t k = 0; k < n; k++) {
        double d = (double)dy[k], h = ((double)x[k] - mean) * inverse;
        dgamma[k] += (float)(d * h);
        dbeta[k] += dy[k];
        all += (double)gamma[k] * d;
        cross += (double)gamma[k] * d * h;
    }
    for (size_t k = 0; dx && k < n; k++) {
        double h = ((double)x[k] - mean) * inverse;
        dx[k] = (float)(inverse * ((double)gamma[k] * (double)dy[k] - all / (double)n -
                                   h * cross / (double)n));
    }
}

static void groupnorm_backward(vg_layer *l, const vg_pass *pass, vg_shard shard)
{
    (void)pass;
    size_t size = vg_shape_size(l->in), map = vg_layer_map(l->in), count = l->params[GAMMA].count;
    float *dgamma = vg_layer_partial(l, GAMMA, shard), *dbeta = vg_layer_partial(l, BETA, shard);
    float *turned = l->scratch + (size_t)shard.slot * l->scratch_size;
    if (shard.begins) {
        memset(dgamma, 0, count * sizeof *dgamma);
        memset(dbeta, 0, count * sizeof *dbeta);
    }
    if (by_place(l))
        memset(turned, 0, 2 * size * sizeof *turned);
    const float *x = vg_layer_x(l, shard), *dy = vg_layer_dy(l, shard);
    float *dx = vg_layer_dx(l, shard);
    for (size_t i = 0; i < (size_t)shard.count; i++) {
        size_t sample = (size_t)shard.first + i;
        float *to = dx ? dx + i * size : NULL;
        if (by_place(l))
            layernorm_sample(l, sample, x + i * size, dy + i * size, to, turned, turned + size);
        else
            groupnorm_sample(l, shard, sample, x + i * size, dy + i * size, to, dgamma, dbeta);
    }
    for (size_t at = 0; by_place(l) && at < map; at++)
        for (size_t k = 0; k < size / map; k++) {
            dgamma[k * map + at] += turned[at * (size / map) + k];
            dbeta[k * map + at] += turned[size + at * (size / map) + k];
        }
}

const vg_layer_ops vg_groupnorm_ops = {.shape = groupnorm_shape,
                                       .plan = groupnorm_plan,
                                       .pack = groupnorm_pack,
                                       .forward = groupnorm_forward,
                                       .backward = groupnorm_backward,
                                       .fuse_relu = true,
                                       .reads_x = true};
