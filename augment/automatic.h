/* Policies that draw their operations from a fixed set: RandAugment (Cubuk et al.,
 * arXiv:1909.13719), TrivialAugment (Mueller and Hutter, arXiv:2103.10158), AugMix (Hendrycks et al.,
 * arXiv:1912.02781) and AutoAugment (arXiv:1805.09501), with torchvision's sets and magnitudes.
 *
 * Unlike there, the geometric operations of a chain do not resample one after the other: all of them
 * go into the plan's one matrix, and the others follow in the order in which they were drawn. */
#ifndef VG_AUGMENT_AUTOMATIC_H
#define VG_AUGMENT_AUTOMATIC_H

#include "operation.h"

typedef enum vg_auto_kind {
    VG_AUTO_NONE,
    VG_AUTO_RAND,
    VG_AUTO_TRIVIAL,
    VG_AUTO_AUGMIX,
    VG_AUTO_IMAGENET,
    VG_AUTO_CIFAR10,
    VG_AUTO_SVHN
} vg_auto_kind;

typedef struct vg_auto {
    vg_auto_kind kind;
    int operations; /* RandAugment: how many, 1 to 8 (2); AugMix: chains, 1 to 3 (3) */
    int magnitude;  /* RandAugment: of 31, 0 to 30 (9); AugMix: severity, 1 to 10 (3) */
} vg_auto;

/* The steps drawn for one sample. Without chains: one after the other. With chains (AugMix) the
 * result is original * picture + sum of weight[k] * chain k of the picture, and chain k consists of
 * step[end[k - 1]] to step[end[k] - 1]. */
enum { VG_STEPS = 24, VG_CHAINS = 3 };
typedef struct vg_steps {
    vg_step step[VG_STEPS];
    int count;
    int chains; /* 0: none */
    int end[VG_CHAINS];
    float weight[VG_CHAINS], original;
} vg_steps;

/* Appends what is drawn for this sample to `steps` from the stream (key, use); full steps take no
 * more. `width` is the network's input: TrivialAugment shifts by up to 32 of its pixels. */
void vg_auto_draw(const vg_auto *automatic, const vg_sample_key *key, uint32_t use, int width,
                  int height, vg_steps *steps);

/* Operation i of those that it draws from, i from 0; VG_OPERATIONS behind the last. */
vg_operation vg_auto_operation(const vg_auto *automatic, int i);
/* Operation i at strength 0 (the weakest magnitude that it is drawn with) to 1 (the strongest), to the
 * negative side where it has two; the rest is drawn. size: width and height of the input. */
vg_step vg_auto_step(const vg_auto *automatic, int i, double strength, bool negative,
                     const int size[2], vg_rng *rng);

/* "randaugment", "randaugment=2:9", "trivialaugment", "augmix", "augmix=3:3" (chains:severity),
 * "autoaugment=imagenet" (cifar10, svhn). `value` NULL: none was given. VG_E_ARG says what is
 * allowed. */
vg_status vg_auto_parse(const char *name, const char *value, vg_auto *automatic, vg_error *err);
/* Whether `name` is one of them. */
bool vg_auto_named(const char *name);
/* Their names, i from 0; NULL behind the last. */
const char *vg_auto_name(int i);
/* The word that reads back as this; "" for none. */
void vg_auto_print(const vg_auto *automatic, char *text, size_t capacity);

#endif
