/* What the operations on pixels work on: planar floats at the size of the network's input.
 *
 * Every operation changes its picture in place, keeps all values in 0..255 without rounding unless
 * it says otherwise, allocates nothing, and gives the same bytes on every machine. One plane is a
 * grey picture, three are RGB. Sizes from 1 x 1 on are allowed everywhere. */
#ifndef VG_AUGMENT_OPS_PIXELS_H
#define VG_AUGMENT_OPS_PIXELS_H

#include <stddef.h>

typedef struct vg_pixels {
    float *x; /* channels planes of height * width values, 0..255 */
    int channels, height, width;
    float *spare; /* room for as many floats; its content is lost */
} vg_pixels;

static inline size_t vg_pixels_plane(const vg_pixels *p)
{
    return (size_t)p->height * (size_t)p->width;
}

static inline size_t vg_pixels_count(const vg_pixels *p)
{
    return (size_t)p->channels * vg_pixels_plane(p);
}

static inline float vg_pixels_clamp(float v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* torchvision's weights, as in ops/colour.c. */
static inline float vg_pixels_luma(float r, float g, float b)
{
    return 0.2989f * r + 0.587f * g + 0.114f * b;
}

#endif
