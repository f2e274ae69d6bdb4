/* Pictures are read, made small and written as JPEG one by one: a page of thousands needs the memory of one. */
#include "report/thumbs.h"

#include "base64.h"
#include "image/encode.h"
#include "report/escape.h"

void vg_thumbs_reset(vg_thumbs *thumbs)
{
    if (thumbs->ready)
        vg_reader_reset(&thumbs->reader);
    vg_image_reset(&thumbs->image);
    vg_image_reset(&thumbs->small);
    vg_resize_scratch_reset(&thumbs->scratch);
    vg_bytes_reset(&thumbs->bytes);
    *thumbs = (vg_thumbs){0};
}

vg_status vg_thumb_put(FILE *out, vg_thumbs *thumbs, const vg_dataset *dataset, size_t index,
                       vg_error *err)
{
    vg_decode_options options = vg_decode_options_default();
    vg_error ignored;
    if (!thumbs->ready) {
        vg_status ready = vg_reader_init(&thumbs->reader, err);
        if (ready)
            return ready;
        thumbs->ready = true;
    }
    if (vg_dataset_read(dataset, index, &options, &thumbs->reader, &thumbs->image, NULL,
                        &ignored) != VG_OK)
        return VG_OK;
    int width = thumbs->image.width, height = thumbs->image.height,
        longest = width > height ? width : height;
    const vg_image *picture = &thumbs->image;
    if (longest > VG_THUMB_PIXELS) {
        width = (width * VG_THUMB_PIXELS + longest / 2) / longest;
        height = (height * VG_THUMB_PIXELS + longest / 2) / longest;
        width = width > 0 ? width : 1;
        height = height > 0 ? height : 1;
        const double whole[4] = {0, 0, 0, 0};
        vg_status status = vg_image_resize(&thumbs->image, whole, width, height, VG_FILTER_BILINEAR,
                                           &thumbs->scratch, &thumbs->small, err);
        if (status)
            return status;
        picture = &thumbs->small;
    }
    vg_status status = vg_jpeg_encode(picture, 82, &thumbs->bytes, err);
    if (status)
        return status;
    int enlarge = longest * 2 <= VG_THUMB_PIXELS ? VG_THUMB_PIXELS / longest : 1;
    char name[4096];
    vg_dataset_name(dataset, index, name, sizeof name);
    fprintf(
        out,
        "<img width=\"%d\" height=\"%d\" style=\"image-rendering:%s;margin:0 6px 0 0\" title=\"",
        width * enlarge, height * enlarge, enlarge > 1 ? "pixelated" : "auto");
    vg_escape_html(out, name);
    fputs("\" alt=\"", out);
    vg_escape_html(out, name);
    fputs("\" src=\"data:image/jpeg;base64,", out);
    vg_base64_write(out, thumbs->bytes.data, thumbs->bytes.size);
    fputs("\">", out);
    return VG_OK;
}
