/* PNG reading through libpng's row interface; the only file that knows it.
 *
 * libpng reports errors by a callback that must not return, so setjmp is needed. As in jpeg.c all
 * state lives in a struct outside the function that calls setjmp, which has no locals of its own.
 *
 * Chunks that do not change the pixels as we define them (profiles, gamma, text, times, animation
 * frames) are skipped unread: they can neither cost memory (a compressed text of gigabytes) nor
 * complain. The header is looked at before libpng sees it, so that a limit is reported as a limit.
 *
 * Sound picture data are inflated in one go by png_inflate.c. When anything goes wrong with those the file
 * is read once more as it is, so that the damage is told in one way only.
 *
 * Of a part of a picture all rows before it must be unpacked too; those behind it only to see
 * whether they are whole. An interlaced picture is gathered whole, its coarse passes spread over
 * the pixels that finer ones may not bring.
 *
 * Refuses: any error in a critical chunk (checksum, order, compressed data), files that end before
 * their IEND chunk, and pictures wider or higher than a million pixels. */
#include "image/png.h"
#include "image/exif.h"
#include "image/png_inflate.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

enum {
    SIGNATURE = 8,
    HEADER_END = SIGNATURE + 4 + 4 + 13 + 4, /* length, "IHDR", its 13 bytes, checksum */
    MAX_SIDE = 1000000,
    MAX_CHUNK_BYTES = 8 << 20, /* of a chunk that is kept; palette, tRNS and eXIf are far below */
    STEP_BYTES = 1024,         /* fed to inflate at once: so much of a cut file may be lost */
    STORED_STEP_BYTES = 16384, /* the same of data that are known to be whole */
    MAX_BLOCK_BYTES = 32 << 20 /* of one allocation; a row of MAX_SIDE pixels needs 8 MB */
};

typedef struct reader {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    const vg_decode_job *job;
    size_t at; /* bytes read so far */
    vg_status status;
    bool no_memory;
    bool ended;         /* libpng wanted more bytes than there are */
    bool chosen;        /* the window is known */
    bool plain;         /* the file is to be read as it is */
    bool stored;        /* picture data come from png_inflate.c, */
    bool giving;        /* right now */
    vg_window window;   /* what the image is to hold */
    bool interlaced;    /* the rows are gathered whole, */
    bool in_scratch;    /* there if not in the image itself */
    int from, channels; /* of libpng's rows, of the image */
    int pass, rows_done;
    size_t next_chunk;      /* where the header of the next chunk stands */
    double intact_at_chunk; /* share of the picture before the chunk that is being read */
    char last_warning[160]; /* libpng warns with the reason and then fails with a general phrase */
    char damage[160];       /* the first warning that means wrong pixels */
} reader;

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The number of bytes that the file must at least have, by the chunk that sticks out of it. */
static uint64_t bytes_promised(const uint8_t *bytes, size_t size)
{
    uint64_t at = SIGNATURE;
    while (at + 8 <= size)
        at += 12 + (uint64_t)read32(bytes + at);
    return at > size ? at : at + 12;
}

/* Share of the picture that is there; of an interlaced one its coarsest pass. */
static double intact(const reader *r)
{
    if (r->interlaced && r->pass > 0)
        return 1;
    return r->rows_done ? (double)r->rows_done / r->job->info->height : 0;
}

/* A wrong checksum says that something is wrong in what it covers, not where: of a chunk all of it,
 * of the compressed data everything. */
static void note_damage(reader *r, const char *what)
{
    vg_decode_info *info = r->job->info;
    double share = strstr(what, "CRC error")              ? r->intact_at_chunk
                   : strstr(what, "incorrect data check") ? 0
                                                          : intact(r);
    if (!info->damaged)
        info->damage_offset = r->at;
    if (!info->damaged || share < info->intact)
        info->intact = share;
    info->damaged = true;
}

static void on_error(png_structp png, png_const_charp message)
{
    reader *r = png_get_error_ptr(png);
    char text[200];
    vg_codec_clean(message, text, sizeof text);
    if (r->no_memory)
        r->status = vg_fail(r->job->err, VG_E_NOMEM, "no memory to decode the PNG");
    else if (r->ended)
        r->status =
            vg_fail(r->job->err, VG_E_FORMAT, "truncated after %zu of at least %llu bytes",
                    r->job->size, (unsigned long long)bytes_promised(r->job->bytes, r->job->size));
    else if (r->last_warning[0] && strstr(text, "IHDR"))
        r->status =
            vg_fail(r->job->err, VG_E_FORMAT, "damaged PNG: %s (%s)", text, r->last_warning);
    else
        r->status = vg_fail(r->job->err, VG_E_FORMAT, "damaged PNG: %s, at byte %zu", text, r->at);
    if (r->status == VG_E_FORMAT)
        note_damage(r, text);
    longjmp(r->jump, 1);
}

/* Complaints about the compressed picture data mean wrong pixels, unless they only say that there
 * is more of it than needed. */
static void on_warning(png_structp png, png_const_charp message)
{
    reader *r = png_get_error_ptr(png);
    vg_codec_clean(message, r->last_warning, sizeof r->last_warning);
    vg_codec_warn(r->job->info, message);
    if (strncmp(message, "IDAT:", 5) != 0 || strstr(message, "xtra") || strstr(message, "oo much"))
        return;
    note_damage(r, message);
    if (!r->damage[0])
        vg_codec_clean(message, r->damage, sizeof r->damage);
}

/* libpng 1.6 asks for as much as an eXIf chunk claims to have, its own chunk limit notwithstanding.
 * Refused, it goes on without the chunk. */
static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
    if (size > MAX_BLOCK_BYTES)
        return NULL;
    void *memory = vg_alloc(size, 1);
    if (!memory)
        ((reader *)png_get_mem_ptr(png))->no_memory = true;
    return memory;
}

static void on_free(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
    reader *r = png_get_io_ptr(png);
    if (r->giving) {
        if (!vg_png_inflate_give(r->job->inflater, to, count))
            png_error(png, "more data asked for than there are");
        r->giving = !vg_png_inflate_done(r->job->inflater);
        return;
    }
    if (count > r->job->size - r->at) {
        r->ended = true;
        r->at = r->job->size;
        png_error(png, "unexpected end of file");
    }
    if (r->at == r->next_chunk && count == 8) {
        r->intact_at_chunk = intact(r);
        r->next_chunk += 12 + (size_t)read32(r->job->bytes + r->at);
    }
    memcpy(to, r->job->bytes + r->at, count);
    r->at += count;
}

/* Looks at the header without libpng. One with a wrong checksum is left to libpng's message. */
static vg_status check_header(const vg_decode_job *job)
{
    const uint8_t *p = job->bytes + SIGNATURE;
    if (job->size < HEADER_END || memcmp(p, "\0\0\0\x0dIHDR", 8) != 0 ||
        crc32(0, p + 4, 17) != read32(p + 21))
        return VG_OK;
    static const int samples[] = {1, 0, 3, 1, 2, 0, 4}; /* by colour type */
    static const vg_colour_type colours[] = {
        VG_COLOUR_GREY,       VG_COLOUR_UNKNOWN, VG_COLOUR_RGB,      VG_COLOUR_PALETTE,
        VG_COLOUR_GREY_ALPHA, VG_COLOUR_UNKNOWN, VG_COLOUR_RGB_ALPHA};
    uint32_t width = read32(p + 8), height = read32(p + 12);
    unsigned depth = p[16], type = p[17];
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX || type > 6)
        return VG_OK; /* libpng will say so */
    job->info->width = (int)width;
    job->info->height = (int)height;
    job->info->bit_depth = (int)depth;
    job->info->source_channels = samples[type];
    job->info->colour = colours[type];
    job->info->has_alpha = type == PNG_COLOR_TYPE_GRAY_ALPHA || type == PNG_COLOR_TYPE_RGB_ALPHA;
    job->info->progressive = p[20] != 0;
    if (width > MAX_SIDE || height > MAX_SIDE)
        return vg_fail(job->err, VG_E_LIMIT, "%u x %u pixels: a side is longer than %d", width,
                       height, MAX_SIDE);
    return vg_codec_check_size(job, width, height);
}

static void reader_open(reader *r)
{
    static const png_byte skipped[] = "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0"
                                      "sCAL\0sPLT\0sTER\0sRGB\0tEXt\0tIME\0zTXt";
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, r, on_malloc,
                                      on_free);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    if (!r->info) {
        r->status = vg_fail(r->job->err, VG_E_NOMEM, "no memory to decode the PNG");
        longjmp(r->jump, 1);
    }
    png_set_read_fn(r->png, r, on_read);
    r->next_chunk = SIGNATURE;
    png_set_compression_buffer_size(r->png, STEP_BYTES);
    png_set_user_limits(r->png, MAX_SIDE, MAX_SIDE);
    png_set_chunk_malloc_max(r->png, MAX_CHUNK_BYTES);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof skipped / 5);
}

/* Everything to 8 bits of grey or RGB, with alpha if there is any. Returns the channels. */
static int set_transforms(reader *r)
{
    int type = png_get_color_type(r->png, r->info);
    bool transparent = png_get_valid(r->png, r->info, PNG_INFO_tRNS) != 0;
    if (transparent) {
        png_set_tRNS_to_alpha(r->png);
        r->job->info->has_alpha = true;
        r->job->info->colour = type == PNG_COLOR_TYPE_PALETTE ? VG_COLOUR_PALETTE_ALPHA
                               : type == PNG_COLOR_TYPE_GRAY  ? VG_COLOUR_GREY_ALPHA
                                                              : VG_COLOUR_RGB_ALPHA;
    }
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(r->png);
    else if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(r->png, r->info) < 8)
        png_set_expand_gray_1_2_4_to_8(r->png);
    if (png_get_bit_depth(r->png, r->info) == 16)
        png_set_scale_16(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    return png_get_channels(r->png, r->info);
}

/* Whether the orientation may stand behind the picture data. */
static bool has_late_exif(const vg_decode_job *job)
{
    bool data = false;
    for (uint64_t at = SIGNATURE; at + 8 <= job->size; at += 12 + read32(job->bytes + at)) {
        data = data || memcmp(job->bytes + at + 4, "IDAT", 4) == 0;
        if (data && memcmp(job->bytes + at + 4, "eXIf", 4) == 0)
            return true;
    }
    return false;
}

static void read_exif(reader *r)
{
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    if (!png_get_eXIf_1(r->png, r->info, &size, &exif) || !exif)
        return;
    r->job->info->has_exif = true;
    r->job->info->orientation = vg_exif_orientation(exif, size);
}

/* Of the rows: with fewer the stream costs less than inflating all (measured with pictures of 32 x 32 to
 * 500 x 400). */
#define LEAST_SHARE 0.5

/* Whether inflating at once is quicker. Without a look at the rest the stream would stop behind the
 * window's last row. */
static bool is_worth_it(const reader *r)
{
    const vg_window *w = &r->window;
    bool all = r->interlaced || r->job->options->verify;
    return !r->plain && (all || w->y + w->height >= w->full_height * LEAST_SHARE);
}

/* libpng has read the header of the first chunk of picture data and nothing behind it. */
static void inflate_at_once(reader *r)
{
    vg_png_inflater *inflater = r->job->inflater;
    if (!is_worth_it(r) || !vg_png_inflate(inflater, r->job->bytes, r->job->size, r->at - 8))
        return;
    r->stored = r->giving = true;
    r->at = r->next_chunk = inflater->rest;
    png_set_compression_buffer_size(r->png, STORED_STEP_BYTES);
    png_set_crc_action(r->png, PNG_CRC_QUIET_USE, PNG_CRC_DEFAULT); /* checked already */
    png_set_option(r->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
}

/* Room for the window in the image, and in the scratch for what does not go there at once. */
static vg_status make_room(reader *r)
{
    const vg_decode_job *job = r->job;
    const vg_window *w = &r->window;
    size_t need, row = png_get_rowbytes(r->png, r->info);
    bool whole = w->width == w->full_width && (w->height == w->full_height || !r->interlaced);
    r->in_scratch = r->from != r->channels || !whole;
    vg_status status = vg_codec_shape(job, w->width, w->height, r->channels);
    if (status != VG_OK)
        return status;
    if (!vg_mul_size(row, r->interlaced ? (size_t)w->full_height : 1, &need))
        return vg_fail(job->err, VG_E_NOMEM, "no memory to decode the PNG");
    status = vg_bytes_reserve(job->scratch, need, job->err);
    if (status == VG_OK && r->interlaced)
        memset(job->scratch->data, 0, need);
    return status;
}

/* Row `y` of the picture to its place in the image, if it belongs there. */
static void keep_row(const reader *r, int y, const uint8_t *row)
{
    const vg_window *w = &r->window;
    size_t stride = (size_t)w->width * (size_t)r->channels;
    if (y >= w->y && y < w->y + w->height)
        vg_codec_row(row + (size_t)w->x * (size_t)r->from, r->from,
                     r->job->image->data + (size_t)(y - w->y) * stride, r->channels, w->width,
                     vg_codec_background(r->job));
}

static void read_rows(reader *r)
{
    const vg_window *w = &r->window;
    uint8_t *scratch = r->job->scratch->data, *image = r->job->image->data;
    size_t stride = (size_t)w->width * (size_t)r->channels;
    int end = r->job->options->verify ? w->full_height : w->y + w->height;
    for (int y = 0; y < end; y++) {
        bool direct = !r->in_scratch && y >= w->y && y < w->y + w->height;
        uint8_t *row = direct ? image + (size_t)(y - w->y) * stride : scratch;
        png_read_row(r->png, row, NULL);
        if (!direct)
            keep_row(r, y, row);
        r->rows_done = y + 1;
    }
}

static void read_interlaced(reader *r)
{
    size_t row = png_get_rowbytes(r->png, r->info);
    uint8_t *to = r->in_scratch ? r->job->scratch->data : r->job->image->data;
    for (r->pass = 0; r->pass < 7; r->pass++)
        for (int y = 0; y < r->window.full_height; y++) {
            png_read_row(r->png, NULL, to + (size_t)y * row);
            r->rows_done = y + 1;
        }
}

static vg_status read_all(reader *r)
{
    const vg_decode_job *job = r->job;
    reader_open(r);
    png_read_info(r->png, r->info);
    job->info->width = (int)png_get_image_width(r->png, r->info);
    job->info->height = (int)png_get_image_height(r->png, r->info);
    r->interlaced = png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_ADAM7;
    read_exif(r);
    vg_status status = VG_OK;
    if (r->chosen) { /* when the file was read for the first time */
    } else if (!has_late_exif(job)) {
        status = vg_codec_choose(job, 1, &r->window);
        r->chosen = true;
    } else {
        r->window = (vg_window){.shrink = 1,
                                .full_width = job->info->width,
                                .full_height = job->info->height,
                                .width = job->info->width,
                                .height = job->info->height};
    }
    if (status != VG_OK)
        return status;
    inflate_at_once(r);
    r->from = set_transforms(r);
    r->channels = vg_codec_channels(job, r->from <= 2);
    status = make_room(r);
    if (status != VG_OK)
        return status;
    if (r->interlaced)
        read_interlaced(r);
    else
        read_rows(r);
    if (r->rows_done < job->info->height)
        return VG_OK; /* the rest was not asked for */
    png_read_end(r->png, r->info);
    read_exif(r);
    if (job->info->damaged && !job->options->allow_damaged)
        return vg_fail(job->err, VG_E_FORMAT, "damaged PNG: %s, at byte %llu", r->damage,
                       (unsigned long long)job->info->damage_offset);
    return VG_OK;
}

/* No locals: see the head of this file. */
static vg_status read_guarded(reader *r)
{
    if (setjmp(r->jump))
        return r->status;
    return read_all(r);
}

/* The gathered rows of an interlaced picture to the image; a part of it if it could be chosen only
 * now. */
static vg_status finish(reader *r)
{
    const vg_decode_job *job = r->job;
    size_t row = (size_t)r->window.full_width * (size_t)r->from;
    for (int y = 0; r->interlaced && r->in_scratch && y < r->window.full_height; y++)
        keep_row(r, y, job->scratch->data + (size_t)y * row);
    if (r->chosen)
        return VG_OK;
    vg_status status = vg_codec_choose(job, 1, &r->window);
    if (status == VG_OK)
        vg_codec_cut(job->image, &r->window);
    return status;
}

/* Something is wrong with data that looked sound: as if they had never been touched. */
static vg_status read_again(reader *r)
{
    const vg_decode_job *job = r->job;
    png_destroy_read_struct(&r->png, &r->info, NULL);
    *job->info =
        (vg_decode_info){.format = job->info->format, .intact = 1, .region = job->info->region};
    if (job->err)
        *job->err = (vg_error){0};
    check_header(job);
    *r = (reader){.job = job, .plain = true, .chosen = r->chosen, .window = r->window};
    return read_guarded(r);
}

vg_status vg_png_read(const vg_decode_job *job)
{
    vg_status status = check_header(job);
    if (status != VG_OK)
        return status;
    reader r = {.job = job};
    status = read_guarded(&r);
    if (r.stored && (status == VG_E_FORMAT || job->info->damaged))
        status = read_again(&r);
    if (status == VG_E_FORMAT && job->options->allow_damaged && (r.pass > 0 || r.rows_done > 0)) {
        vg_codec_warn(job->info, job->err ? job->err->message : "unreadable from here on");
        status = VG_OK;
        if (job->err)
            *job->err = (vg_error){0};
    }
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return status == VG_OK ? finish(&r) : status;
}
