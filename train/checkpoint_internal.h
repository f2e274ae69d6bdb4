/* Shared by the writing and the reading half of checkpoints. */
#ifndef VG_TRAIN_CHECKPOINT_INTERNAL_H
#define VG_TRAIN_CHECKPOINT_INTERNAL_H

#include "checkpoint.h"

#include "export/safetensors.h"

#define VG_CHECKPOINT_FORMAT "variegate 1"
#define VG_STATISTICS_FORMAT "variegate statistics 1"
#define VG_CHECKPOINT_FILTER "bilinear-antialias"
enum { VG_CHECKPOINT_NAME = 128 };

enum { VG_PIXEL_TENSORS = 3 };
#define VG_PIXEL_TENSOR_PREFIX "normalizer."
/* Mean, scale and (if there is one) matrix as tensors of the file; how many. */
int vg_checkpoint_pixel_tensors(const vg_pixel_stats *pixels, vg_param tensors[VG_PIXEL_TENSORS]);
/* Of tensors that are about the run that wrote the file, not about the network. */
#define VG_RUN_TENSOR_PREFIX "run."
/* Name of a parameter's tensor in the file. */
void vg_checkpoint_tensor_name(char *name, const char *param, bool of_optimizer);

/* More than a checkpoint holds: tensors whose names begin with "run.", and metadata entries. */
typedef struct vg_checkpoint_extra {
    const vg_tensor *tensors; /* [count] */
    size_t count;
    const char *const *keys, *const *notes; /* [note_count] */
    size_t note_count;
} vg_checkpoint_extra;
vg_status vg_checkpoint_save_with(const char *path, const vg_checkpoint *about, vg_model *model,
                                  vg_optimizer *optimizer, const vg_checkpoint_extra *extra,
                                  vg_error *err);
/* Opens a checkpoint (`statistics`: or a file of statistics alone) with its checksum compared;
 * vg_safetensors_close. */
vg_status vg_checkpoint_open(const char *path, bool statistics, vg_safetensors *c, vg_error *err);
/* Fill a model, an optimizer that exist already. */
vg_status vg_checkpoint_read_model(const vg_safetensors *file, vg_model *model, vg_error *err);
vg_status vg_checkpoint_read_optimizer(const vg_safetensors *file, vg_optimizer *optimizer,
                                       vg_error *err);

#endif
