/* Whitening convolutions ("conv 24 k2 p0 whiten"): the first layer of a network takes the patches of
 * the picture apart into directions that vary independently, each scaled to the same strength and
 * present with both signs, and is not trained.
 *
 * Page, "How to train your ResNet 8" (myrtle.ai, 2019); Jordan, "94% on CIFAR-10 in 3.29 seconds",
 * arXiv:2404.00498, section 3.2. */
#ifndef VG_TRAIN_PATCHES_H
#define VG_TRAIN_PATCHES_H

#include "fit.h"
#include "nn/model.h"
#include "optim/param_rules.h"

enum {
    VG_PATCHES_PICTURES = 5000, /* are looked at, at most */
    VG_PATCHES_LARGEST = 1024   /* values in a patch: the matrix has as many rows and columns */
};

/* Sets the weights of all whitening convolutions of `model`, [2 V][C][R][S] with V = C R S values in
 * a patch, from the second moments of all patches of the training images as evaluation sees them
 * (resized and normalized as `augment` says, not varied): row k is the eigenvector of the k-th largest
 * eigenvalue e over sqrt(e + epsilon), row V + k the same with the other sign; of the two the one whose
 * largest value is positive comes first. The same bits for any number of threads. Nothing happens when
 * there is no such layer. VG_E_NOMEM; VG_E_NUMERIC when the eigenvectors are not found; else as
 * vg_views_each. */
vg_status vg_patches_fit(vg_model *model, const vg_net_spec *net, const vg_dataset *dataset,
                         const vg_augment *augment, int threads, vg_error *err);

/* The same from pictures in memory, [count] C H W planar and normalized, for one layer. */
vg_status vg_patches_whiten(const float *pictures, size_t count, int channels, int height,
                            int width, int kernel, double epsilon, float *weight, vg_error *err);

/* The weights of these layers are not trained, unless a rule of `rates` gives them a factor; with `bias`
 * their biases are not either. */
void vg_patches_rest(vg_model *model, const vg_net_spec *net, const vg_param_rules *rates,
                     bool bias);

#endif
