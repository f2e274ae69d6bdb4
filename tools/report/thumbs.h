/* Small pictures of a dataset inside a page, as JPEG in base64: the page can be mailed, nothing is fetched. */
#ifndef VG_REPORT_THUMBS_H
#define VG_REPORT_THUMBS_H

#include "dataset/dataset.h"
#include "image/resize.h"

#include <stdio.h>

/* Scratch; zero-initialized is empty. One thread at a time. */
typedef struct vg_thumbs {
    vg_reader reader;
    bool ready;
    vg_image image, small;
    vg_resize_scratch scratch;
    vg_bytes bytes;
} vg_thumbs;
void vg_thumbs_reset(vg_thumbs *thumbs);

enum { VG_THUMB_PIXELS = 84 };

/* Sample `index` as <img>, its longer side at most VG_THUMB_PIXELS, tiny ones enlarged by whole factors, its name as
 * title; nothing for one that cannot be decoded. VG_E_NOMEM. */
vg_status vg_thumb_put(FILE *out, vg_thumbs *thumbs, const vg_dataset *dataset, size_t index,
                       vg_error *err);

#endif
