/* WebP reading through libwebp; the only file that knows it. Built without the library it only says
 * so.
 *
 * The picture is always decoded whole and cut afterwards: libwebp's own crop treats the edges of
 * what it decodes as edges of the picture when it spreads the colours. A damaged one that is to be
 * kept goes through the incremental decoder, which tells how many rows it has got.
 *
 * Refuses: animations. Which frame would be meant, and how the earlier ones shine through, is not ours
 * to guess. */
#include "image/webp.h"

#ifdef VG_HAVE_WEBP

#include "image/exif.h"

#include "base/alloc.h"

#include <string.h>

#include <webp/decode.h>

bool vg_webp_readable(void)
{
    return true;
}

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void find_exif(const vg_decode_job *job)
{
    enum { HEADER = 12 };
    const uint8_t *bytes = job->bytes;
    for (uint64_t at = HEADER; at + 8 <= job->size;) {
        uint64_t length = read32(bytes + at + 4);
        if (memcmp(bytes + at, "EXIF", 4) == 0 && length <= job->size - at - 8) {
            job->info->has_exif = true;
            job->info->orientation = vg_exif_orientation(bytes + at + 8, (size_t)length);
            return;
        }
        at += 8 + length + (length & 1);
    }
}

static const char *reason(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_BITSTREAM_ERROR:
        return "its data do not decode";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return "a kind that cannot be read";
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return "its data end early";
    default:
        return "it cannot be read";
    }
}

static vg_status refuse(const vg_decode_job *job, VP8StatusCode code)
{
    uint64_t promised = job->size >= 8 ? 8 + (uint64_t)read32(job->bytes + 4) : 12;
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return vg_fail(job->err, VG_E_NOMEM, "no memory to decode the WebP");
    if (promised > job->size)
        return vg_fail(job->err, VG_E_FORMAT, "truncated after %zu of at least %llu bytes",
                       job->size, (unsigned long long)promised);
    return vg_fail(job->err, VG_E_FORMAT, "damaged WebP: %s", reason(code));
}

static vg_status read_header(const vg_decode_job *job, WebPDecoderConfig *config)
{
    vg_decode_info *info = job->info;
    if (!WebPInitDecoderConfig(config))
        return vg_fail(job->err, VG_E_STATE, "libwebp is of another version than its header");
    VP8StatusCode code = WebPGetFeatures(job->bytes, job->size, &config->input);
    if (code != VP8_STATUS_OK)
        return refuse(job, code);
    info->width = config->input.width;
    info->height = config->input.height;
    info->has_alpha = config->input.has_alpha != 0;
    info->source_channels = info->has_alpha ? 4 : 3;
    info->bit_depth = 8;
    info->colour = info->has_alpha             ? VG_COLOUR_RGB_ALPHA
                   : config->input.format == 2 ? VG_COLOUR_RGB /* lossless */
                                               : VG_COLOUR_YCC;
    find_exif(job);
    if (config->input.has_animation)
        return vg_fail(job->err, VG_E_FORMAT, "an animated WebP; only still pictures are read");
    if (info->width < 1 || info->height < 1)
        return vg_fail(job->err, VG_E_FORMAT, "damaged WebP: an empty picture");
    return vg_codec_check_size(job, (uint64_t)info->width, (uint64_t)info->height);
}

/* The rows that come before the damage stay in the config's buffer. */
static int rows_of_damaged(const vg_decode_job *job, WebPDecoderConfig *config)
{
    int rows = 0;
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, config);
    if (!decoder)
        return 0;
    WebPIUpdate(decoder, job->bytes, job->size);
    if (!WebPIDecGetRGB(decoder, &rows, NULL, NULL, NULL))
        rows = 0;
    WebPIDelete(decoder);
    return rows;
}

/* Into the scratch, all rows. Sets how many there are. */
static vg_status decode(const vg_decode_job *job, WebPDecoderConfig *config, int *rows)
{
    vg_decode_info *info = job->info;
    VP8StatusCode code = WebPDecode(job->bytes, job->size, config);
    *rows = info->height;
    if (code == VP8_STATUS_OK)
        return VG_OK;
    vg_status status = refuse(job, code);
    info->damaged = true;
    info->damage_offset = job->size;
    *rows = status == VG_E_FORMAT && job->options->allow_damaged ? rows_of_damaged(job, config) : 0;
    info->intact = (double)*rows / info->height;
    if (*rows == 0)
        return status;
    vg_codec_warn(info, job->err ? job->err->message : reason(code));
    if (job->err)
        *job->err = (vg_error){0};
    return VG_OK;
}

vg_status vg_webp_read(const vg_decode_job *job)
{
    WebPDecoderConfig config;
    vg_window w;
    int rows;
    vg_status status = read_header(job, &config);
    if (status == VG_OK)
        status = vg_codec_choose(job, 1, &w);
    if (status != VG_OK)
        return status;
    int from = job->info->has_alpha ? 4 : 3, channels = vg_codec_channels(job, false);
    size_t row = (size_t)w.full_width * (size_t)from, need; /* at most 16383 x 16383 */
    if (!vg_mul_size(row, (size_t)w.full_height, &need))
        return vg_fail(job->err, VG_E_NOMEM, "no memory to decode the WebP");
    status = vg_bytes_reserve(job->scratch, need, job->err);
    if (status == VG_OK)
        status = vg_codec_shape(job, w.width, w.height, channels);
    if (status != VG_OK)
        return status;
    config.output.colorspace = from == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = job->scratch->data;
    config.output.u.RGBA.stride = (int)row;
    config.output.u.RGBA.size = need;
    status = decode(job, &config, &rows);
    WebPFreeDecBuffer(&config.output);
    size_t stride = (size_t)w.width * (size_t)channels;
    for (int y = 0; status == VG_OK && y < w.height && w.y + y < rows; y++)
        vg_codec_row(job->scratch->data + (size_t)(w.y + y) * row + (size_t)w.x * (size_t)from,
                     from, job->image->data + (size_t)y * stride, channels, w.width,
                     vg_codec_background(job));
    return status;
}

#else

bool vg_webp_readable(void)
{
    return false;
}

vg_status vg_webp_read(const vg_decode_job *job)
{
    return vg_fail(job->err, VG_E_FORMAT,
                   "content is WebP, which this build does not read (rebuild with -DVG_WEBP=ON)");
}

#endif
