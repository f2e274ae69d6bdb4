/* Initial weights: He (He et al., ICCV 2015), Glorot/Xavier (Glorot, Bengio, AISTATS 2010), and the
 * deliberately bad ones that studies of collapse need. Each layer has a random stream of its own,
 * named by seed and place, so that the same layer gets the same weights in any program. */
#include "base/rng.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"he",      "he_uniform", "xavier", "xavier_uniform",
                                    "uniform", "constant",   "zero"};
enum { NAMES = sizeof names / sizeof *names };

vg_status vg_init_parse(const char *word, vg_init *init, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *init = (vg_init)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG,
                   "unknown initialization \"%s\"; there are: he, he_uniform, xavier, "
                   "xavier_uniform, uniform, constant, zero",
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

static void fill_weights(vg_param *p, vg_rng *rng, vg_init init, double scale)
{
    double taps = p->dims == 4 ? (double)(p->shape[2] * p->shape[3]) : 1;
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
        fill_uniform(p, rng, scale > 0 ? scale : 0.05);
        break;
    case VG_INIT_CONSTANT:
        fill_constant(p, scale);
        break;
    case VG_INIT_ZERO:
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
            fill_weights(p, &rng, init, scale);
        else
            fill_constant(p, 0);
        if (p->grad)
            memset(p->grad, 0, p->count * sizeof *p->grad);
    }
}
