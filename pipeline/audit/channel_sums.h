/* Sums over the channels of a picture: what its mean and standard deviation come from. Private to audit/. */
#ifndef VG_AUDIT_CHANNEL_SUMS_H
#define VG_AUDIT_CHANNEL_SUMS_H

#include "image/image.h"

typedef struct vg_channel_sums {
    uint64_t sum[3], squares[3]; /* of a grey picture three times the same */
} vg_channel_sums;

/* Exact. Pure function of the picture. */
vg_channel_sums vg_channel_sums_of(const vg_image *image);

#endif
