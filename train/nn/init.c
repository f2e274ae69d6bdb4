/* Initial weights: He (He et al., ICCV 2015), Glorot/Xavier (Glorot, Bengio, AISTATS 2010), LeCun
 * (LeCun et al. 1998), orthogonal (Saxe et al., ICLR 2014), identity (Zagoruyko, Komodakis 2017), what
 * PyTorch's layers have by themselves, and the deliberately bad ones that studies of collapse need. Each layer has a random stream of its own,
 * named by seed and place, so that the same layer gets the same weights in any program. */
#include "base/rng.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {
    "he",    "he_uniform",    "xavier", "xavier_uniform", "uniform", "constant", "zero",
    "lecun", "lecun_uniform", "normal", "orthogonal",     "dirac",   "pytorch"};
enum { NAMES = sizeof names / sizeof *names };
_Static_assert((int)NAMES == (int)VG_INITS, "an initialization without a name");

vg_status vg_init_parse(const char *word, vg_init *init, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *init = (vg_init)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG,
                   "unknown initialization \"%s\"; there are: he, he_uniform, xavier, "
                   "xavier_uniform, uniform, constant, zero, lecun, lecun_uniform, normal, "
                   "orthogonal, dirac, pytorch",
                   word);
}

const char *vg_init_name(vg_init init)
{
    return (unsigned)init < NAMES ? names[init] : "unknown";
}

static void fill_normal(vg_param *p, vg_rng *rng, double deviation)
{
    for (size_t i = 0; i < p->count; i++)
        p->value[i] = (float)(deviation * vg_rng_normal(rng));
}

static void fill_uniform(vg_param *p, vg_rng *rng, double limit)
{
    for (size_t i = 0; i < p->count; i++)
        p->value[i] = (float)vg_rng_uniform(rng, -limit, limit);
}

static void fill_constant(vg_param *p, double value)
{
    for (size_t i = 0; i < p->count; i++)
        p->value[i] = (float)value;
}

/* Gram-Schmidt with a second round, in place: nothing is allocated, and a matrix of normal numbers is
 * far from singular. A vector has `length` values `step` apart. */
static void make_orthogonal(vg_param *p)
{
    size_t rows = (size_t)p->shape[0], columns = p->count / rows;
    bool by_row = rows <= columns;
    size_t vectors = by_row ? rows : columns, length = by_row ? columns : rows;
    size_t step = by_row ? 1 : columns, next = by_row ? columns : 1;
    for (size_t i = 0; i < vectors; i++) {
        float *v = p->value + i * next;
        for (int round = 0; round < 2; round++) {
            for (size_t k = 0; k < i; k++) {
                const float *u = p->value + k * next;
                double dot = 0;
                for (size_t j = 0; j < length; j++)
                    dot += (double)u[j * step] * (double)v[j * step];
                for (size_t j = 0; j < length; j++)
                    v[j * step] = (float)((double)v[j * step] - dot * (double)u[j * step]);
            }
            double squares = 0;
            for (size_t j = 0; j < length; j++)
                squares += (double)v[j * step] * (double)v[j * step];
            for (size_t j = 0; j < length; j++)
                v[j * step] = (float)((double)v[j * step] / sqrt(squares));
        }
    }
}

/* Output k of a group begins as the group's input k, as far as there are so many. */
static void hand_on(vg_param *p, int groups)
{
    size_t outputs = (size_t)p->shape[0] / (size_t)groups, inputs = (size_t)p->shape[1];
    size_t r = (size_t)p->shape[2], s = (size_t)p->shape[3], kernel = inputs * r * s;
    for (size_t k = 0; k < (size_t)p->shape[0]; k++) {
        float *w = p->value + k * kernel;
        if (k % outputs >= inputs)
            continue;
        memset(w, 0, kernel * sizeof *w);
        w[(k % outputs * r + r / 2) * s + s / 2] = 1;
    }
}

static double taps_of(const vg_param *weight)
{
    return weight->dims == 4 ? (double)(weight->shape[2] * weight->shape[3]) : 1;
}

static void fill_weights(vg_param *p, vg_rng *rng, vg_init init, double scale, int groups)
{
    double taps = taps_of(p);
    double fan_in = (double)p->shape[1] * taps, fan_out = (double)p->shape[0] * taps;
    switch (init) {
    case VG_INIT_HE_NORMAL:
        fill_normal(p, rng, sqrt(2 / fan_in));
        break;
    case VG_INIT_HE_UNIFORM:
        fill_uniform(p, rng, sqrt(6 / fan_in));
        break;
    case VG_INIT_XAVIER_NORMAL:
        fill_normal(p, rng, sqrt(2 / (fan_in + fan_out)));
        break;
    case VG_INIT_XAVIER_UNIFORM:
        fill_uniform(p, rng, sqrt(6 / (fan_in + fan_out)));
        break;
    case VG_INIT_UNIFORM:
        fill_uniform(p, rng, scale);
        break;
    case VG_INIT_CONSTANT:
        fill_constant(p, scale);
        break;
    case VG_INIT_LECUN_NORMAL:
        fill_normal(p, rng, sqrt(1 / fan_in));
        break;
    case VG_INIT_LECUN_UNIFORM:
        fill_uniform(p, rng, sqrt(3 / fan_in));
        break;
    case VG_INIT_NORMAL:
        fill_normal(p, rng, scale);
        break;
    case VG_INIT_ORTHOGONAL:
        fill_normal(p, rng, 1);
        make_orthogonal(p);
        break;
    case VG_INIT_DIRAC:
        fill_uniform(p, rng, sqrt(1 / fan_in));
        if (p->dims == 4)
            hand_on(p, groups);
        break;
    case VG_INIT_PYTORCH:
        fill_uniform(p, rng, sqrt(1 / fan_in));
        break;
    case VG_INIT_ZERO:
    case VG_INITS:
        fill_constant(p, 0);
        break;
    }
}

void vg_layer_initialize(vg_layer *layer, vg_init init, double scale, uint64_t seed)
{
    vg_rng rng = vg_rng_make(seed, (uint32_t)layer->index, 0, VG_RNG_INIT);
    bool norm = layer->spec.kind == VG_LAYER_BATCHNORM || layer->spec.kind == VG_LAYER_GROUPNORM ||
                layer->spec.kind == VG_LAYER_LAYERNORM;
    for (int k = 0; k < layer->param_count; k++) {
        vg_param *p = &layer->params[k];
        if (norm) /* weight 1, bias 0, running mean 0, running variance 1 */
            fill_constant(p, k == 0 || k == 3 ? 1 : 0);
        else if (layer->spec.kind == VG_LAYER_PRELU)
            fill_constant(p, 0.25); /* as its authors */
        else if (p->dims > 1)
            fill_weights(p, &rng, init, scale, layer->spec.groups > 1 ? layer->spec.groups : 1);
        else if (init == VG_INIT_PYTORCH && k > 0 && p[-1].dims > 1)
            fill_uniform(p, &rng, sqrt(1 / ((double)p[-1].shape[1] * taps_of(&p[-1]))));
        else
            fill_constant(p, 0);
        if (p->grad)
            memset(p->grad, 0, p->count * sizeof *p->grad);
    }
}
