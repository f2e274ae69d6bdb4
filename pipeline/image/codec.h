/* What the readers of the formats share: the job they are given, limits, warnings, pixel rows.
 * Internal to pipeline/image; everybody else includes decode.h. */
#ifndef VG_IMAGE_CODEC_H
#define VG_IMAGE_CODEC_H

#include "base/file.h"
#include "image/background.h"
#include "image/decode.h"

typedef struct vg_jpeg_reader vg_jpeg_reader;
typedef struct vg_png_inflater vg_png_inflater;

/* One call of vg_decode as a reader sees it. Everything is borrowed, nothing is NULL but err. */
typedef struct vg_decode_job {
    const uint8_t *bytes;
    size_t size;
    const vg_decode_options *options;
    vg_image *image;
    vg_decode_info *info;
    vg_bytes *scratch; /* rows that are not yet in their final form */
    vg_jpeg_reader *jpeg;
    vg_png_inflater *inflater;
    vg_error *err;
} vg_decode_job;

/* The decoder's, for tests: whether PNG is inflated at once, and how often it was. */
vg_png_inflater *vg_decoder_inflater(vg_decoder *decoder);

/* What is to be decoded: at 1 / shrink of the size, in the picture as stored (before EXIF). */
typedef struct vg_window {
    int shrink;
    int full_width, full_height; /* of the whole picture at this shrink */
    int x, y, width, height;
} vg_window;

/* Copies a decoder's message, cut to `capacity` - 1 bytes, with everything but printable ASCII
 * replaced: it may quote bytes of the file. */
void vg_codec_clean(const char *text, char *out, size_t capacity);
/* Counts a warning and keeps the text of the first. */
void vg_codec_warn(vg_decode_info *info, const char *text);
/* VG_E_LIMIT when width * height is beyond options->max_pixels. */
vg_status vg_codec_check_size(const vg_decode_job *job, uint64_t width, uint64_t height);
/* Asks options->choose, now that info->width, height and orientation are known, and sets *window and
 * info->region. A shrink beyond `most_shrink` is not served: the window is then the same part at
 * shrink 1. VG_E_ARG for an answer that does not lie in the picture. */
vg_status vg_codec_choose(const vg_decode_job *job, int most_shrink, vg_window *window);
/* Cuts the whole picture at the window's shrink to the window, in place. */
void vg_codec_cut(vg_image *image, const vg_window *window);
/* The channels of the result for a file whose colours are grey or not; info->has_alpha is known. */
int vg_codec_channels(const vg_decode_job *job, bool grey);
/* Shapes the image; all black if damage is allowed, because rows may then never be written. */
vg_status vg_codec_shape(const vg_decode_job *job, int width, int height, int channels);

/* One row of `width` pixels to 1 or 3 channels. From: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA; alpha is
 * composited over `background` (0xRRGGBB), on the stored (not linear) values. */
void vg_codec_row(const uint8_t *from, int from_channels, uint8_t *to, int channels, int width,
                  int background);
/* What the options say, black where they say nothing. */
int vg_codec_background(const vg_decode_job *job);
/* The same from CMYK as Adobe stores it in JPEG, inverted (255 is no ink): R = C K / 255. */
void vg_codec_row_cmyk(const uint8_t *from, uint8_t *to, int channels, int width);
/* ITU-R BT.601 luma, rounded; the integer weights are those of libjpeg and Pillow. */
static inline uint8_t vg_luma(unsigned r, unsigned g, unsigned b)
{
    return (uint8_t)((19595u * r + 38470u * g + 7471u * b + 32768u) >> 16);
}

#endif
