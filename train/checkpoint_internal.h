/* Shared by the writing and the reading half of checkpoints. */
#ifndef VG_TRAIN_CHECKPOINT_INTERNAL_H
#define VG_TRAIN_CHECKPOINT_INTERNAL_H

#include "checkpoint.h"

#include <jansson.h>

#define VG_CHECKPOINT_FORMAT "variegate 1"
#define VG_CHECKPOINT_FILTER "bilinear-antialias"
enum { VG_CHECKPOINT_NAME = 128 };

/* Of the header without its checksum, keys sorted. */
uint64_t vg_checkpoint_header_hash(json_t *header);
/* Name of a parameter's tensor in the file. */
void vg_checkpoint_tensor_name(char *name, const char *param, bool of_optimizer);

#endif
