/* Antialiased resize: separable, the filter widened by the reduction factor, first across, then down.
 * Equal bit for bit to Pillow's Image.resize in that order, which is what it does up to version 12;
 * version 13 goes down first for some shapes, with results within 1/255 for box and bilinear. */
#ifndef VG_IMAGE_RESIZE_H
#define VG_IMAGE_RESIZE_H

#include "image/image.h"

typedef enum vg_filter { VG_FILTER_BOX, VG_FILTER_BILINEAR, VG_FILTER_BICUBIC } vg_filter;

/* Scratch memory of one thread; zero-initialize, release with vg_resize_scratch_reset. Grows to the
 * largest picture seen and allocates nothing after that. */
typedef struct vg_resize_scratch {
    void *memory;
    size_t capacity;
} vg_resize_scratch;
void vg_resize_scratch_reset(vg_resize_scratch *scratch);

/* Resizes the rectangle (x, y, w, h) of `in`, in pixels and not necessarily whole ones, to
 * width x height in *out (storage reused; not what `in` looks at). NULL, or w = h = 0, means the
 * whole picture. VG_E_ARG for an empty picture, an output size below 1 or a rectangle that is empty
 * or reaches outside; VG_E_NOMEM. Thread-safe with a scratch for each thread. */
vg_status vg_view_resize(const vg_view *in, const double rectangle[4], int width, int height,
                         vg_filter filter, vg_resize_scratch *scratch, vg_image *out,
                         vg_error *err);
/* The same of a whole picture. */
vg_status vg_image_resize(const vg_image *in, const double rectangle[4], int width, int height,
                          vg_filter filter, vg_resize_scratch *scratch, vg_image *out,
                          vg_error *err);

#endif
