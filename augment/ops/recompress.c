/* Real artefacts need a real encoder: the picture goes through libjpeg-turbo and back. */
#include "ops/recompress.h"

#include "image/encode.h"

void vg_recompress_reset(vg_recompress_scratch *scratch)
{
    vg_image_reset(&scratch->picture);
    vg_bytes_reset(&scratch->bytes);
    vg_decoder_free(scratch->decoder);
    scratch->decoder = NULL;
}

vg_status vg_recompress(const vg_pixels *p, int quality, vg_recompress_scratch *scratch,
                        vg_error *err)
{
    size_t n = vg_pixels_plane(p), channels = (size_t)p->channels;
    vg_image *picture = &scratch->picture;
    vg_status status = scratch->decoder ? VG_OK : vg_decoder_new(&scratch->decoder, err);
    if (!status)
        status = vg_image_shape(picture, p->width, p->height, p->channels, err);
    if (status)
        return status;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            picture->data[i * channels + c] = (uint8_t)(p->x[c * n + i] + 0.5f);
    vg_decode_options options = vg_decode_options_default();
    options.channels = p->channels;
    status = vg_jpeg_encode(picture, quality, &scratch->bytes, err);
    if (!status)
        status = vg_decode(scratch->decoder, scratch->bytes.data, scratch->bytes.size, &options,
                           picture, NULL, err);
    if (status)
        return status;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            p->x[c * n + i] = picture->data[i * channels + c];
    return VG_OK;
}
