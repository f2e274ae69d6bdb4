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

/* The upright rectangle in the picture as it is stored; vg_exif_apply turns it back. */
static void to_stored(const vg_region *upright, int orientation, vg_window *w)
{
    bool exchanged = orientation >= 5 && orientation <= 8;
    int full_width = (upright->full_width - 1) / upright->shrink + 1;
    int full_height = (upright->full_height - 1) / upright->shrink + 1;
    bool mirror = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    bool flip = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    int x = mirror ? full_width - upright->x - upright->width : upright->x;
    int y = flip ? full_height - upright->y - upright->height : upright->y;
    *w = (vg_window){
        .shrink = upright->shrink,
        .full_width = exchanged ? full_height : full_width,
        .full_height = exchanged ? full_width : full_height,
        .x = exchanged ? y : x,
        .y = exchanged ? x : y,
        .width = exchanged ? upright->height : upright->width,
        .height = exchanged ? upright->width : upright->height,
    };
}

static bool fits(const vg_region *part)
{
    int shrink = part->shrink;
    if (shrink != 1 && shrink != 2 && shrink != 4 && shrink != 8)
        return false;
    vg_region all = vg_region_whole(part->full_width, part->full_height, shrink);
    return part->x >= 0 && part->y >= 0 && part->width >= 1 && part->height >= 1 &&
           part->width <= all.width && part->x <= all.width - part->width &&
           part->height <= all.height && part->y <= all.height - part->height;
}

/* The same part in pixels of the picture at its full size. */
static void unshrink(vg_region *part)
{
    int shrink = part->shrink;
    part->shrink = 1;
    part->x *= shrink;
    part->y *= shrink;
    part->width = part->width > (part->full_width - part->x) / shrink ? part->full_width - part->x
                                                                      : part->width * shrink;
    part->height = part->height > (part->full_height - part->y) / shrink
                       ? part->full_height - part->y
                       : part->height * shrink;
}

vg_status vg_codec_choose(const vg_decode_job *job, int most_shrink, vg_window *window)
{
    vg_decode_info *info = job->info;
    int orientation = job->options->apply_exif ? info->orientation : 1;
    bool exchanged = orientation >= 5 && orientation <= 8;
    int width = exchanged ? info->height : info->width;
    int height = exchanged ? info->width : info->height;
    vg_region *region = &info->region;
    *region = vg_region_whole(width, height, 1);
    if (job->options->choose) {
        job->options->choose(job->options->choose_context, region);
        region->full_width = width;
        region->full_height = height;
        if (!fits(region))
            return vg_fail(
                job->err, VG_E_ARG,
                "the part %d x %d at %d, %d of 1/%d does not lie in a picture of %d x %d",
                region->width, region->height, region->x, region->y, region->shrink, width, height);
        if (region->shrink > most_shrink)
            unshrink(region);
    }
    to_stored(region, orientation, window);
    return VG_OK;
}

void vg_codec_cut(vg_image *image, const vg_window *window)
{
    size_t in = (size_t)image->width * (size_t)image->channels;
    size_t out = (size_t)window->width * (size_t)image->channels;
    const uint8_t *from =
        image->data + (size_t)window->y * in + (size_t)window->x * (size_t)image->channels;
    for (int y = 0; y < window->height;
         y++) /* forwards: no row is overwritten before it is moved */
        memmove(image->data + (size_t)y * out, from + (size_t)y * in, out);
    image->width = window->width;
    image->height = window->height;
}

int vg_codec_channels(const vg_decode_job *job, bool grey)
{
    if (job->options->channels)
        return job->options->channels;
    bool tinted = job->info->has_alpha && vg_background_is_coloured(job->options->background);
    return grey && !tinted ? 1 : 3;
}

vg_status vg_codec_shape(const vg_decode_job *job, int width, int height, int channels)
{
    vg_status status = vg_image_shape(job->image, width, height, channels, job->err);
    if (status == VG_OK && job->options->allow_damaged)
        memset(job->image->data, 0, vg_image_bytes(job->image));
    return status;
}

int vg_codec_background(const vg_decode_job *job)
{
    return job->options->background < 0 ? VG_BACKGROUND_BLACK : job->options->background;
}

/* (a * b + c * (255 - b)) / 255, rounded. */
static inline unsigned over(unsigned a, unsigned b, unsigned c)
{
    unsigned t = a * b + c * (255 - b) + 128;
    return (t + (t >> 8)) >> 8;
}

static inline unsigned scale(unsigned a, unsigned b)
{
    return over(a, b, 0);
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

void vg_codec_row(const uint8_t *from, int from_channels, uint8_t *to, int channels, int width,
                  int background)
{
    if (from_channels == channels) {
        memcpy(to, from, (size_t)width * (size_t)channels);
        return;
    }
    bool alpha = from_channels == 2 || from_channels == 4;
    unsigned colour = (unsigned)background;
    const unsigned back[3] = {colour >> 16 & 255, colour >> 8 & 255, colour & 255};
    unsigned back_luma = vg_luma(back[0], back[1], back[2]);
    for (int x = 0; x < width; x++, from += from_channels, to += channels) {
        unsigned a = alpha ? from[from_channels - 1] : 255;
        if (from_channels <= 2) {
            for (int c = 0; c < channels && c < 3; c++)
                to[c] = (uint8_t)over(from[0], a, channels == 1 ? back_luma : back[c]);
        } else {
            store(to, channels, over(from[0], a, back[0]), over(from[1], a, back[1]),
                  over(from[2], a, back[2]));
        }
    }
}

void vg_codec_row_cmyk(const uint8_t *from, uint8_t *to, int channels, int width)
{
    for (int x = 0; x < width; x++, from += 4, to += channels)
        store(to, channels, scale(from[0], from[3]), scale(from[1], from[3]),
              scale(from[2], from[3]));
}
