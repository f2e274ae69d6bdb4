/* From bytes to a picture: which format, which reader, and what is done with every picture alike
 * (options checked, EXIF applied).
 *
 * The format comes from the content, because file names lie: in photo collections PNG, GIF and web
 * pages are found under .jpg. What cannot be read is named, so that the user knows what to
 * convert. */
#include "image/decode.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/exif.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "image/png_inflate.h"
#include "image/webp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct vg_decoder {
    vg_bytes scratch;
    vg_jpeg_reader *jpeg;
    vg_png_inflater inflater;
    vg_image spare; /* exchanged with the caller's picture when one is turned */
};

/* What is kept from file to file; a single giant must not hold memory for the rest of a run. */
enum { KEEP_BYTES = 64 << 20 };

vg_decode_options vg_decode_options_default(void)
{
    return (vg_decode_options){
        .channels = 0,
        .background = VG_BACKGROUND_UNSET,
        .max_pixels = 100000000,
        .max_scans = 500,
        .apply_exif = true,
        .allow_damaged = false,
        .verify = true,
    };
}

vg_status vg_decoder_new(vg_decoder **decoder, vg_error *err)
{
    *decoder = vg_calloc(1, sizeof **decoder);
    if (!*decoder)
        return vg_fail(err, VG_E_NOMEM, "no memory for a decoder");
    vg_status status = vg_jpeg_new(&(*decoder)->jpeg, err);
    if (status != VG_OK) {
        free(*decoder);
        *decoder = NULL;
    }
    return status;
}

void vg_decoder_free(vg_decoder *decoder)
{
    if (!decoder)
        return;
    vg_bytes_reset(&decoder->scratch);
    vg_image_reset(&decoder->spare);
    vg_png_inflater_reset(&decoder->inflater);
    vg_jpeg_free(decoder->jpeg);
    free(decoder);
}

vg_png_inflater *vg_decoder_inflater(vg_decoder *decoder)
{
    return &decoder->inflater;
}

static bool starts_with(const uint8_t *bytes, size_t size, const char *text, size_t length)
{
    return size >= length && memcmp(bytes, text, length) == 0;
}

static bool is_html(const uint8_t *bytes, size_t size)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<body"};
    size_t at = starts_with(bytes, size, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < size && strchr(" \t\r\n", bytes[at]) && bytes[at])
        at++;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t length = strlen(starts[i]);
        if (size - at >= length && strncasecmp((const char *)bytes + at, starts[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_heif(const uint8_t *bytes, size_t size)
{
    static const char brands[][5] = {"heic", "heix", "heim", "heis", "hevc",
                                     "hevx", "mif1", "msf1", "avif", "avis"};
    if (size < 12 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return false;
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (memcmp(bytes + 8, brands[i], 4) == 0)
            return true;
    return false;
}

vg_image_format vg_format_sniff(const uint8_t *bytes, size_t size)
{
    if (starts_with(bytes, size, "\xff\xd8", 2))
        return VG_FORMAT_JPEG;
    if (starts_with(bytes, size, "\x89PNG", 4)) /* the rest of the signature may be damaged */
        return VG_FORMAT_PNG;
    if (starts_with(bytes, size, "GIF8", 4))
        return VG_FORMAT_GIF;
    if (starts_with(bytes, size, "BM", 2) && size >= 26)
        return VG_FORMAT_BMP;
    if (starts_with(bytes, size, "II*\0", 4) || starts_with(bytes, size, "MM\0*", 4) ||
        starts_with(bytes, size, "II+\0", 4) || starts_with(bytes, size, "MM\0+", 4))
        return VG_FORMAT_TIFF;
    if (starts_with(bytes, size, "RIFF", 4) && size >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return VG_FORMAT_WEBP;
    if (is_heif(bytes, size))
        return VG_FORMAT_HEIF;
    return is_html(bytes, size) ? VG_FORMAT_HTML : VG_FORMAT_UNKNOWN;
}

const char *vg_format_name(vg_image_format format)
{
    switch (format) {
    case VG_FORMAT_JPEG:
        return "JPEG";
    case VG_FORMAT_PNG:
        return "PNG";
    case VG_FORMAT_GIF:
        return "GIF";
    case VG_FORMAT_BMP:
        return "BMP";
    case VG_FORMAT_TIFF:
        return "TIFF";
    case VG_FORMAT_WEBP:
        return "WebP";
    case VG_FORMAT_HEIF:
        return "HEIF";
    case VG_FORMAT_HTML:
        return "HTML";
    case VG_FORMAT_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *vg_colour_type_name(vg_colour_type type)
{
    static const char *const names[] = {
        [VG_COLOUR_UNKNOWN] = "unknown",
        [VG_COLOUR_GREY] = "grey",
        [VG_COLOUR_RGB] = "RGB",
        [VG_COLOUR_YCC] = "YCbCr",
        [VG_COLOUR_GREY_ALPHA] = "grey with transparency",
        [VG_COLOUR_RGB_ALPHA] = "RGB with transparency",
        [VG_COLOUR_PALETTE] = "palette",
        [VG_COLOUR_PALETTE_ALPHA] = "palette with transparency",
        [VG_COLOUR_CMYK] = "CMYK",
        [VG_COLOUR_YCCK] = "YCCK",
    };
    return names[type];
}

bool vg_format_readable(vg_image_format format)
{
    return format == VG_FORMAT_JPEG || format == VG_FORMAT_PNG ||
           (format == VG_FORMAT_WEBP && vg_webp_readable());
}

const char *vg_format_list(const char *conjunction, char text[VG_FORMAT_LIST])
{
    const char *names[VG_FORMAT_HTML] = {NULL};
    int count = 0;
    size_t used = 0;
    for (int i = 0; i < VG_FORMAT_HTML; i++)
        if (vg_format_readable((vg_image_format)i))
            names[count++] = vg_format_name((vg_image_format)i);
    for (int i = 0; i < count && used < VG_FORMAT_LIST; i++) {
        const char *before = i == 0 ? "" : i < count - 1 ? ", " : " ";
        bool last = i > 0 && i == count - 1;
        used += (size_t)snprintf(text + used, VG_FORMAT_LIST - used, "%s%s%s%s", before,
                                 last ? conjunction : "", last ? " " : "", names[i]);
    }
    return text;
}

vg_image_format vg_format_of_name(const char *name)
{
    static const struct {
        const char *extension;
        vg_image_format format;
    } known[] = {
        {"jpg", VG_FORMAT_JPEG},  {"jpeg", VG_FORMAT_JPEG}, {"jpe", VG_FORMAT_JPEG},
        {"jfif", VG_FORMAT_JPEG}, {"png", VG_FORMAT_PNG},   {"apng", VG_FORMAT_PNG},
        {"gif", VG_FORMAT_GIF},   {"bmp", VG_FORMAT_BMP},   {"dib", VG_FORMAT_BMP},
        {"tif", VG_FORMAT_TIFF},  {"tiff", VG_FORMAT_TIFF}, {"webp", VG_FORMAT_WEBP},
        {"heic", VG_FORMAT_HEIF}, {"heif", VG_FORMAT_HEIF}, {"avif", VG_FORMAT_HEIF},
    };
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    if (!dot || dot == base) /* ".png" is a hidden file without an extension */
        return VG_FORMAT_UNKNOWN;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(dot + 1, known[i].extension) == 0)
            return known[i].format;
    return VG_FORMAT_UNKNOWN;
}

static vg_status read_picture(const vg_decode_job *job)
{
    char list[VG_FORMAT_LIST];
    switch (job->info->format) {
    case VG_FORMAT_JPEG:
        return vg_jpeg_read(job);
    case VG_FORMAT_PNG:
        return vg_png_read(job);
    case VG_FORMAT_WEBP:
        return vg_webp_read(job);
    case VG_FORMAT_UNKNOWN:
        if (job->size == 0)
            return vg_fail(job->err, VG_E_FORMAT, "the file is empty");
        return vg_fail(job->err, VG_E_FORMAT, "content is not %s", vg_format_list("or", list));
    case VG_FORMAT_HTML:
        return vg_fail(job->err, VG_E_FORMAT, "content is HTML, not %s (a failed download?)",
                       vg_format_list("or", list));
    default:
        return vg_fail(job->err, VG_E_FORMAT, "content is %s, not %s",
                       vg_format_name(job->info->format), vg_format_list("or", list));
    }
}

static void trim(vg_decoder *decoder)
{
    if (decoder->scratch.capacity > KEEP_BYTES)
        vg_bytes_reset(&decoder->scratch);
    if (decoder->spare.capacity > KEEP_BYTES)
        vg_image_reset(&decoder->spare);
}

vg_status vg_decode(vg_decoder *decoder, const uint8_t *bytes, size_t size,
                    const vg_decode_options *options, vg_image *image, vg_decode_info *info,
                    vg_error *err)
{
    vg_decode_info own;
    if (!info)
        info = &own;
    *info = (vg_decode_info){.intact = 1};
    if (options->channels != 0 && options->channels != 1 && options->channels != 3)
        return vg_fail(err, VG_E_ARG,
                       "pictures are decoded to 1 or 3 channels (0: as stored), not %d",
                       options->channels);
    info->format = size ? vg_format_sniff(bytes, size) : VG_FORMAT_UNKNOWN;
    vg_decode_job job = {
        bytes, size, options, image, info, &decoder->scratch, decoder->jpeg, &decoder->inflater,
        err};
    vg_status status = read_picture(&job);
    if (status == VG_OK && info->damaged && info->intact < options->min_intact)
        status =
            vg_fail(err, VG_E_FORMAT, "only %.0f %% of the picture is intact (%.0f %% asked): %s",
                    100 * info->intact, 100 * options->min_intact, info->warning);
    if (status == VG_OK && options->apply_exif)
        status = vg_exif_apply(image, info->orientation, &decoder->spare, err);
    trim(decoder);
    return status;
}
