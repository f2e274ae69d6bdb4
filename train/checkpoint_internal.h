/* Shared by the writing and the reading half of checkpoints. */
#ifndef VG_TRAIN_CHECKPOINT_INTERNAL_H
#define VG_TRAIN_CHECKPOINT_INTERNAL_H

#include "checkpoint.h"

#include <jansson.h>

#define VG_CHECKPOINT_FORMAT "variegate 1"
#define VG_STATISTICS_FORMAT "variegate statistics 1"
#define VG_CHECKPOINT_FILTER "bilinear-antialias"
enum { VG_CHECKPOINT_NAME = 128 };

/* Of the header without its checksum, keys sorted. */
uint64_t vg_checkpoint_header_hash(json_t *header);
enum { VG_PIXEL_TENSORS = 3 };
#define VG_PIXEL_TENSOR_PREFIX "normalizer."
/* Mean, scale and (if there is one) matrix as tensors of the file; how many. */
int vg_checkpoint_pixel_tensors(const vg_pixel_stats *pixels, vg_param tensors[VG_PIXEL_TENSORS]);
/* Name of a parameter's tensor in the file. */
void vg_checkpoint_tensor_name(char *name, const char *param, bool of_optimizer);

#endif
