/* The inner loops of the optimizers, in the conventions of PyTorch: SGD with momentum, RMSprop,
 * Adagrad, Adam (Kingma, Ba, ICLR 2015), AdamW (Loshchilov, Hutter, ICLR 2019), the momentum of Muon.
 * A value depends on nothing but its own state, so that any cut gives the same bits. */
#include "optim/optimizer_internal.h"

#include "nn/kernels/kernels.h"

#include <math.h>

/* A value of the gradient after both ways of clipping, with what the weight itself adds. */
static inline float gradient(float g, float w, vg_update c)
{
    float d = g * c.clip;
    d = d > c.most ? c.most : d < -c.most ? -c.most : d; /* NaN stays */
    return d + c.decay * w + (w > 0 ? c.l1 : w < 0 ? -c.l1 : 0);
}

VG_KERNEL static void sgd(float *restrict w, const float *restrict g, float *restrict m, size_t n,
                          vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        float v = c.momentum * m[i] + d;
        m[i] = v;
        w[i] = c.shrink * w[i] - c.rate * (c.nesterov ? d + c.momentum * v : v);
    }
}

VG_KERNEL static void sgd_plain(float *restrict w, const float *restrict g, size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++)
        w[i] = c.shrink * w[i] - c.rate * gradient(g[i], w[i], c);
}

VG_KERNEL static void adam(float *restrict w, const float *restrict g, float *restrict m,
                           float *restrict v, size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        m[i] = c.beta1 * m[i] + c.rest1 * d;
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        w[i] = c.shrink * w[i] - c.step * m[i] / (sqrtf(v[i]) * c.root + c.epsilon);
    }
}

VG_KERNEL static void rmsprop(float *restrict w, const float *restrict g, float *restrict v,
                              size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        w[i] = c.shrink * w[i] - c.rate * (d / (sqrtf(v[i]) + c.epsilon));
    }
}

VG_KERNEL static void rmsprop_momentum(float *restrict w, const float *restrict g,
                                       float *restrict v, float *restrict m, size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        v[i] = c.beta2 * v[i] + c.rest2 * d * d;
        m[i] = c.momentum * m[i] + d / (sqrtf(v[i]) + c.epsilon);
        w[i] = c.shrink * w[i] - c.rate * m[i];
    }
}

VG_KERNEL static void adagrad(float *restrict w, const float *restrict g, float *restrict sum,
                              size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        sum[i] += d * d;
        w[i] = c.shrink * w[i] - c.rate * (d / (sqrtf(sum[i]) + c.epsilon));
    }
}

/* A running mean instead of SGD's running sum: the direction is scaled anyway. */
VG_KERNEL static void muon(const float *restrict w, const float *restrict g, float *restrict m,
                           float *restrict direction, size_t n, vg_update c)
{
    for (size_t i = 0; i < n; i++) {
        float d = gradient(g[i], w[i], c);
        float v = m[i] + (1 - c.momentum) * (d - m[i]);
        m[i] = v;
        direction[i] = c.nesterov ? d + c.momentum * (v - d) : v;
    }
}

void vg_update_piece(const vg_slot *slot, const vg_param *param, const vg_piece *piece,
                     const vg_update *update)
{
    size_t at = piece->from, n = piece->count;
    float *w = param->value + at, *m = slot->state[0], *v = slot->state[1];
    const float *g = param->grad + at;
    switch (slot->kind) {
    case VG_OPTIMIZER_ADAM:
    case VG_OPTIMIZER_ADAMW:
        adam(w, g, m + at, v + at, n, *update);
        break;
    case VG_OPTIMIZER_RMSPROP:
        if (v)
            rmsprop_momentum(w, g, m + at, v + at, n, *update);
        else
            rmsprop(w, g, m + at, n, *update);
        break;
    case VG_OPTIMIZER_ADAGRAD:
        adagrad(w, g, m + at, n, *update);
        break;
    case VG_OPTIMIZER_MUON:
        muon(w, g, m + at, slot->direction + at, n, *update);
        break;
    default:
        if (m)
            sgd(w, g, m + at, n, *update);
        else
            sgd_plain(w, g, n, *update);
    }
}
