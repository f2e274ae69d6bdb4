/* Weights and everything that was fitted with them, in one file, written atomically.
 *
 * The file is in safetensors format (JSON header, little-endian float32); its metadata carry the
 * net in words, the class names, the input shape, how pictures come to it (framing, filter, shrink, background),
 * normalization and channel order, and an XXH64 of the data. A mismatch is refused, also a framing or
 * filter that this version does not know; files from before there was a choice are stretched. */
#ifndef VG_TRAIN_CHECKPOINT_H
#define VG_TRAIN_CHECKPOINT_H

#include "geometry.h"
#include "image/background.h"
#include "nn/model.h"
#include "normalize.h"
#include "optim/optimizer.h"

typedef struct vg_checkpoint {
    vg_net_spec net;
    int channels, height, width;
    int classes;
    char **class_names; /* [classes], owned */
    vg_framing framing;
    int background; /* behind transparent pixels, 0xRRGGBB */
    int max_shrink; /* of vg_augment */
    vg_normalizer normalizer;
    vg_pixel_stats
        *pixels; /* of the normalizer: owned after a load; a save takes normalizer.pixels */
    uint64_t seed, step;
    int epoch; /* epochs completed */
} vg_checkpoint;
void vg_checkpoint_reset(vg_checkpoint *checkpoint);

/* Writes model (and optimizer, may be NULL) with the description. */
vg_status vg_checkpoint_save(const char *path, const vg_checkpoint *about, vg_model *model,
                             vg_optimizer *optimizer, vg_error *err);
/* Reads the description, builds a model of `max_batch` and fills it. Errors: VG_E_IO, VG_E_FORMAT
 * (not such a file, cut off, checksum), VG_E_SHAPE. */
vg_status vg_checkpoint_load(const char *path, int max_batch, vg_checkpoint *about,
                             vg_model **model, vg_error *err);
/* Only what the normalization was fitted to, in the same format without weights: kind, factors, the
 * tensors of the kinds of pixels, the input's size, framing, background and channel order, and where it
 * comes from. Of `about` the net, the classes, seed, step and epoch are not used. */
vg_status vg_statistics_save(const char *path, const vg_checkpoint *about, const char *dataset,
                             vg_error *err);
/* Reads such a file, or a checkpoint, into channels, height, width, framing, background, max_shrink, normalizer
 * and pixels of `about` (vg_checkpoint_reset). Errors as of vg_checkpoint_load. */
vg_status vg_statistics_load(const char *path, vg_checkpoint *about, vg_error *err);
/* Fills the state and step count of an optimizer made for the loaded model with the options of the
 * run that wrote the file, to go on with that run. Errors: as above, VG_E_STATE when the file was
 * written without one, VG_E_SHAPE when it is another kind's. */
vg_status vg_checkpoint_load_optimizer(const char *path, vg_optimizer *optimizer, vg_error *err);

#endif
