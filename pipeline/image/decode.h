/* From the bytes of a file to a vg_image, whatever its format says; JPEG and PNG can be read,
 * and WebP where the build has libwebp.
 *
 * The format is told from the content, never from the file's name. Everything that was unusual but
 * could be read is told in vg_decode_info; what cannot be read is an error with the reason. */
#ifndef VG_IMAGE_DECODE_H
#define VG_IMAGE_DECODE_H

#include "image/background.h"
#include "image/image.h"

#include <stdbool.h>

typedef enum vg_image_format {
    VG_FORMAT_UNKNOWN,
    VG_FORMAT_JPEG,
    VG_FORMAT_PNG,
    VG_FORMAT_GIF, /* from here on: recognized so that it can be named, not read */
    VG_FORMAT_BMP,
    VG_FORMAT_TIFF,
    VG_FORMAT_WEBP, /* read if vg_format_readable says so */
    VG_FORMAT_HEIF, /* HEIC of telephones, and AVIF */
    VG_FORMAT_HTML  /* what a failed download leaves under a picture's name */
} vg_image_format;

/* Asked once the size of a picture is known: comes with the whole upright picture at shrink 1 and sets
 * what is wanted, shrink first and then the rectangle inside the picture at that shrink. Every
 * format is cut to exactly the rectangle. Only JPEG shrinks: of others the same part comes at
 * shrink 1, and vg_decode_info.region says so.
 *
 * A shrunk JPEG comes from the low frequencies of its blocks. Against the mean of the same pixels of
 * the whole decode (3,033 photos of about 300 x 200 and 1,000 of about 500 x 400) the root mean
 * square difference is 0.8 to 1.1 levels at 1/2, 0.8 to 0.9 at 1/4 and 0.7 to 0.8 at 1/8, 99 % of
 * the values are within 5 levels; single ones at hard edges differ by up to 100. Beside a right or
 * lower border that ends within a block of shrink x shrink pixels the last column or row may be far off
 * (with these root mean square 2.0 at 1/8). What it saves depends on the file: most of the time
 * goes into the entropy code, which must be read for any shrink. */
typedef void (*vg_decode_choose)(void *context, vg_region *region);

/* How a file stores its colours. Readers agree on the first ones. */
typedef enum vg_colour_type {
    VG_COLOUR_UNKNOWN, /* or stored decoded */
    VG_COLOUR_GREY,
    VG_COLOUR_RGB,
    VG_COLOUR_YCC, /* the usual JPEG; WebP */
    VG_COLOUR_GREY_ALPHA,
    VG_COLOUR_RGB_ALPHA,
    VG_COLOUR_PALETTE,
    VG_COLOUR_PALETTE_ALPHA,
    VG_COLOUR_CMYK,
    VG_COLOUR_YCCK /* CMYK of JPEG with its colours turned like those of YCC */
} vg_colour_type;

typedef struct vg_decode_options {
    int channels; /* 1, 3, or 0: as in the file (grey stays grey, everything else is RGB; grey over
                       a coloured background is RGB) */
    int background; /* 0xRRGGBB behind transparent pixels; VG_BACKGROUND_UNSET: of pictures of a
                       dataset what that was opened with, black otherwise */
    uint64_t max_pixels; /* refuse larger pictures before anything is allocated for them */
    int max_scans;       /* progressive JPEG with more scans is refused (a known bomb) */
    bool apply_exif;     /* turn the picture upright as its EXIF orientation says */
    bool allow_damaged; /* true: keep a picture that was decoded with data errors and set `damaged`;
                           false (default): VG_E_FORMAT. Harmless warnings never fail. */
    double min_intact;  /* of a damaged picture that is kept: VG_E_FORMAT if `intact` is below */
    vg_decode_choose choose; /* NULL (default): the whole picture at its full size */
    void *choose_context;
    bool verify; /* look for damage to the end of the file also when the part that is wanted ends
                    before it, so that no verdict depends on the part; true by default */
} vg_decode_options;

/* Channels as in the file, no background of its own, 100 megapixels, 500 scans, EXIF applied, damaged refused, verified. */
vg_decode_options vg_decode_options_default(void);

typedef struct vg_decode_info {
    vg_image_format format;
    int width, height;   /* as stored, before EXIF */
    int source_channels; /* components in the file: 1 grey, 2 grey+alpha, 3, 4 (CMYK, RGBA);
                            palette: 1 */
    int bit_depth;       /* 1, 2, 4, 8, 12, 16 */
    vg_colour_type colour;
    int quality; /* of a JPEG as the IJG's library counts it, 1..100, by its first quantization table; 0: another
                    format, or not known */
    bool has_exif;
    int orientation; /* EXIF 1..8, 0: none given */
    bool has_alpha; /* or tRNS; composited over the background (on the stored values) and dropped */
    bool progressive;       /* or Adam7-interlaced */
    bool damaged;           /* data errors: part of the picture is missing (black) or wrong */
    double intact;          /* 1, or the share that is before the damage: see below */
    uint64_t damage_offset; /* byte of the file where it was first noticed; valid when damaged */
    vg_region region;       /* what the image holds; full size and rectangle after EXIF */
    int warnings;           /* of the decoder, harmless ones included */
    char warning[160];      /* the first that means damage, or else the first; empty if none */
} vg_decode_info;
/* Intact is the share of the rows (whole rows of blocks in a JPEG) that came before anything was
 * missing or wrong. Of a picture in several passes (progressive JPEG, interlaced PNG) the coarsest
 * one counts: with that whole and later ones lost, the picture is coarse but all there, and intact
 * is 1. A JPEG that keeps its components apart and lost one for good has 0. A wrong PNG checksum
 * counts from where what it covers begins. Where restart markers let the decoder go on behind the
 * damage, more may be good. */

/* Decoder state and buffers for one thread, reused from file to file. */
typedef struct vg_decoder vg_decoder;
vg_status vg_decoder_new(vg_decoder **decoder, vg_error *err);
void vg_decoder_free(vg_decoder *decoder);

/* Decodes `size` bytes into *image (storage reused; undefined content on error). *info (may be
 * NULL) is filled as far as it became known, also on error.
 * 16 bits are scaled to 8 with rounding; CMYK is read as Adobe writes it (inverted); gamma and
 * colour profiles are ignored; of an animated PNG the default picture is read, an
 * animated WebP is refused.
 * Damaged is: a truncated file, picture data that does not decode, a wrong PNG checksum. A JPEG
 * whose end marker alone is missing is whole; an otherwise complete PNG without its end is not.
 * Errors: VG_E_FORMAT (reason, and for a foreign format its name), VG_E_LIMIT, VG_E_NOMEM, VG_E_ARG
 * for options that make no sense. The message does not name a file: use vg_fail_in. */
vg_status vg_decode(vg_decoder *decoder, const uint8_t *bytes, size_t size,
                    const vg_decode_options *options, vg_image *image, vg_decode_info *info,
                    vg_error *err);

/* The libraries that decode, with their versions: together with the options it says which pixels come
 * out. Static storage. */
const char *vg_decode_versions(void);

/* The format by the first bytes. */
vg_image_format vg_format_sniff(const uint8_t *bytes, size_t size);
/* "JPEG", "PNG", ..., "unknown". */
const char *vg_format_name(vg_image_format format);
const char *vg_colour_type_name(vg_colour_type type); /* "grey", "CMYK", ..., "unknown" */
/* Whether vg_decode of this build reads the format. */
bool vg_format_readable(vg_image_format format);
/* Their names, the last one behind `conjunction`: "JPEG, PNG and WebP". */
enum { VG_FORMAT_LIST = 40 };
const char *vg_format_list(const char *conjunction, char text[VG_FORMAT_LIST]);
/* The format that a file name's extension promises (.jpg .jpeg .jpe .jfif .png ...),
 * case-insensitive. */
vg_image_format vg_format_of_name(const char *name);

#endif
