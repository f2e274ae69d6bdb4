/* Activations and their derivatives over arrays: pure, no allocation, no threads. Values differ from the
 * exact ones by at most 6e-7 of them (of what is not below 1e-37; in the tails of both gelu by 6e-6), NaN
 * comes out as NaN, and every clone gives the same bits. */
#ifndef VG_NN_KERNELS_ACTIVATE_H
#define VG_NN_KERNELS_ACTIVATE_H

#include <stddef.h>

/* y = f(x) for n values; y is not x. */
typedef void vg_activate(const float *x, float *y, size_t n, float alpha);
/* dx = dy f'(x); dx is neither of the others. */
typedef void vg_activate_backward(const float *x, const float *dy, float *dx, size_t n,
                                  float alpha);

typedef struct vg_activation {
    vg_activate *forward;
    vg_activate_backward *backward;
} vg_activation;

/* alpha: the slope below zero of leaky, the bound of elu, the factor of scaled; else without meaning. selu: Klambauer et
 * al., NeurIPS 2017. gelu: Hendrycks, Gimpel 2016, x Phi(x), and its approximation by tanh. silu: Elfwing et al. 2018,
 * x sigmoid(x). */
extern const vg_activation vg_leaky, vg_elu, vg_selu, vg_gelu, vg_gelu_tanh, vg_silu, vg_sigmoid,
    vg_tanh, vg_exp, vg_scaled;

#endif
