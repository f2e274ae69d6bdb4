/* What the JPEG and the PNG reader share.
 *
 * Pixel conversion is done a row at a time between the library's row and the picture, so that
 * neither reader needs a second whole picture. Refuses nothing by itself but pictures beyond the
 * caller's pixel limit. */
#include "image/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void vg_codec_clean(const char *text, char *out, size_t capacity)
{
    size_t n = 0;
    for (; text[n] && n + 1 < capacity; n++)
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    out[n] = '\0';
}

void vg_codec_warn(vg_decode_info *info, const char *text)
{
    if (info->warnings++ == 0)
        vg_codec_clean(text, info->warning, sizeof info->warning);
}

vg_status vg_codec_check_size(const vg_decode_job *job, uint64_t width, uint64_t height)
{
    uint64_t limit = job->options->max_pixels;
    if (height && width > limit / height)
        return vg_fail(job->err, VG_E_LIMIT,
                       "%" PRIu64 " x %" PRIu64 " pixels are more than the limit of %" PRIu64,
                       width, height, limit);
    return VG_OK;
}

int vg_codec_channels(const vg_decode_job *job, bool grey)
{
    if (job->options->channels)
        return job->options->channels;
    return grey ? 1 : 3;
}

vg_status vg_codec_shape(const vg_decode_job *job, int width, int height, int channels)
{
    vg_status status = vg_image_shape(job->image, width, height, channels, job->err);
    if (status == VG_OK && job->options->allow_damaged)
        memset(job->image->data, 0, vg_image_bytes(job->image));
    return status;
}

/* a * b / 255, rounded. */
static inline unsigned scale(unsigned a, unsigned b)
{
    unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static void store(uint8_t *to, int channels, unsigned r, unsigned g, unsigned b)
{
    if (channels == 1) {
        to[0] = vg_luma(r, g, b);
    } else {
        to[0] = (uint8_t)r;
        to[1] = (uint8_t)g;
        to[2] = (uint8_t)b;
    }
}

void vg_codec_row(const uint8_t *from, int from_channels, uint8_t *to, int channels, int width)
{
    if (from_channels == channels) {
        memcpy(to, from, (size_t)width * (size_t)channels);
        return;
    }
    bool alpha = from_channels == 2 || from_channels == 4;
    for (int x = 0; x < width; x++, from += from_channels, to += channels) {
        unsigned a = alpha ? from[from_channels - 1] : 255;
        if (from_channels <= 2) {
            uint8_t grey = (uint8_t)scale(from[0], a);
            for (int c = 0; c < channels; c++)
                to[c] = grey;
        } else {
            store(to, channels, scale(from[0], a), scale(from[1], a), scale(from[2], a));
        }
    }
}

void vg_codec_row_cmyk(const uint8_t *from, uint8_t *to, int channels, int width)
{
    for (int x = 0; x < width; x++, from += 4, to += channels)
        store(to, channels, scale(from[0], from[3]), scale(from[1], from[3]),
              scale(from[2], from[3]));
}
