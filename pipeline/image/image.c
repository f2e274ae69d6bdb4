/* The picture: shape, storage, copy, and conversion between grey and RGB.
 *
 * Storage only grows, so that a picture that is used for a whole dataset allocates a few times and
 * then never again. Knows no other layout than interleaved 8-bit samples. */
#include "image/image.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <stdlib.h>
#include <string.h>

vg_status vg_image_shape(vg_image *image, int width, int height, int channels, vg_error *err)
{
    if (width < 1 || height < 1 || (channels != 1 && channels != 3))
        return vg_fail(err, VG_E_ARG, "no picture can be %d x %d pixels with %d channels", width,
                       height, channels);
    size_t row, need;
    if (!vg_mul_size((size_t)width, (size_t)channels, &row) ||
        !vg_mul_size(row, (size_t)height, &need) || need > PTRDIFF_MAX)
        return vg_fail(err, VG_E_NOMEM, "a picture of %d x %d pixels does not fit in memory", width,
                       height);
    if (need > image->capacity) {
        uint8_t *data = vg_alloc(need, 1); /* not realloc: the old pixels need not be copied */
        if (!data)
            return vg_fail(err, VG_E_NOMEM, "no memory for a picture of %d x %d pixels", width,
                           height);
        free(image->data);
        image->data = data;
        image->capacity = need;
    }
    image->width = width;
    image->height = height;
    image->channels = channels;
    return VG_OK;
}

void vg_image_reset(vg_image *image)
{
    free(image->data);
    *image = (vg_image){0};
}

size_t vg_image_bytes(const vg_image *image)
{
    return (size_t)image->width * (size_t)image->height * (size_t)image->channels;
}

vg_status vg_image_copy(const vg_image *from, vg_image *to, vg_error *err)
{
    return vg_image_convert(from, from->channels, to, err);
}

vg_status vg_image_convert(const vg_image *from, int channels, vg_image *to, vg_error *err)
{
    if (!from->data || from == to)
        return vg_fail(err, VG_E_ARG, "conversion of %s",
                       from == to ? "a picture into itself" : "an empty picture");
    vg_status status = vg_image_shape(to, from->width, from->height, channels, err);
    if (status != VG_OK)
        return status;
    size_t in = (size_t)from->width * (size_t)from->channels;
    size_t out = (size_t)to->width * (size_t)to->channels;
    for (int y = 0; y < from->height; y++)
        vg_codec_row(from->data + (size_t)y * in, from->channels, to->data + (size_t)y * out,
                     channels, from->width, VG_BACKGROUND_BLACK);
    return VG_OK;
}

vg_view vg_image_view(const vg_image *image)
{
    return (vg_view){image->data, image->width, image->height, image->channels,
                     (size_t)image->width * (size_t)image->channels};
}

vg_view vg_view_part(const vg_view *view, int x, int y, int width, int height)
{
    vg_view part = *view;
    part.data += (size_t)y * view->stride + (size_t)x * (size_t)view->channels;
    part.width = width;
    part.height = height;
    return part;
}

vg_region vg_region_whole(int full_width, int full_height, int shrink)
{
    return (vg_region){.full_width = full_width,
                       .full_height = full_height,
                       .shrink = shrink,
                       .width = (full_width - 1) / shrink + 1,
                       .height = (full_height - 1) / shrink + 1};
}
