/* Mixing the pictures of a batch with each other: MixUp (Zhang et al., arXiv:1710.09412) and CutMix (Yun
 * et al., arXiv:1905.04899), with torchvision v2's semantics: one draw for a whole batch, the partner
 * of a sample is the one before it in the batch (of the first, the last).
 *
 * Not part of a policy, which is about single samples: a batch is mixed as the network would get it,
 * after normalization, and its loss has two labels for each sample. Pure functions, for any thread. */
#ifndef VG_AUGMENT_MIX_H
#define VG_AUGMENT_MIX_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

/* lambda, the share of a sample's own picture, is drawn from Beta(alpha, alpha). */
typedef struct vg_mixing {
    double mixup,
        cutmix; /* alpha up to VG_MIXING_MOST, 0: off; with both one of them, alike, for each batch */
    double chance; /* share of the batches that are mixed */
} vg_mixing;
#define VG_MIXING_MOST 100.0
/* Whether it ever mixes anything. */
bool vg_mixing_is_on(const vg_mixing *mixing);

typedef enum vg_mix_kind { VG_MIX_NONE, VG_MIX_UP, VG_MIX_CUT } vg_mix_kind;

/* What is done to one batch. */
typedef struct vg_mixture {
    vg_mix_kind kind;
    double share; /* of a sample's own label: lambda, or the area that is left of its picture */
    int x, y, width, height; /* CutMix: the rectangle that shows the partner */
} vg_mixture;
/* Depends on its arguments alone, and on no machine's library: `batch` is the place of the batch in the
 * epoch. With ranks every rank draws the same, and partners are those of its own share of the batch. */
vg_mixture vg_mix_draw(const vg_mixing *mixing, uint64_t seed, uint32_t epoch, uint64_t batch,
                       int height, int width);
/* CutMix's rectangle about (x, y) for a drawn lambda; what the edge cuts off is the sample's own again. */
vg_mixture vg_mix_cut(double lambda, int x, int y, int height, int width);
/* U(0, 1) to the power that Beta(alpha, alpha) has, 0 < alpha <= VG_MIXING_MOST. */
double vg_mix_beta(vg_rng *rng, double alpha);

/* The sample of the batch that sample `i` of `n` is mixed with. */
static inline int vg_mix_partner(int i, int n)
{
    return i ? i - 1 : n - 1;
}
/* One sample, channels x height x width floats each; `out` overlaps neither. */
void vg_mix_sample(const vg_mixture *mix, const float *own, const float *partner,
                   const int shape[3], float *out);

#endif
