/* PNG reading and writing through libpng's row interface; the only file that knows it.
 *
 * libpng reports errors by a callback that must not return, so setjmp is needed. As in jpeg.c all
 * state lives in a struct outside the function that calls setjmp, which has no locals of its own.
 *
 * Chunks that do not change the pixels as we define them (profiles, gamma, text, times, animation
 * frames) are skipped unread: they can neither cost memory (a compressed text of gigabytes) nor
 * complain. The header is looked at before libpng sees it, so that a limit is reported as a limit.
 *
 * Refuses: any error in a critical chunk (checksum, order, compressed data), files that end before
 * their IEND chunk, and pictures wider or higher than a million pixels. */
#include "image/png.h"
#include "image/encode.h"
#include "image/exif.h"

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
    bool ended;             /* libpng wanted more bytes than there are */
    unsigned rows_done;     /* of the last pass */
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
        r->status = vg_fail(r->job->err, VG_E_FORMAT, "damaged PNG: %s", text);
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
    r->job->info->damaged = true;
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
    if (count > r->job->size - r->at) {
        r->ended = true;
        png_error(png, "unexpected end of file");
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
    uint32_t width = read32(p + 8), height = read32(p + 12);
    unsigned depth = p[16], type = p[17];
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX || type > 6)
        return VG_OK; /* libpng will say so */
    job->info->width = (int)width;
    job->info->height = (int)height;
    job->info->bit_depth = (int)depth;
    job->info->source_channels = samples[type];
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

/* An interlaced picture is gathered whole, in the image itself if its pixels have the right form
 * already; any other goes row by row. */
static vg_status read_rows(reader *r, int passes)
{
    const vg_decode_job *job = r->job;
    int width = (int)png_get_image_width(r->png, r->info);
    int height = (int)png_get_image_height(r->png, r->info);
    int from = set_transforms(r);
    int channels = vg_codec_channels(job, from <= 2);
    vg_status status = vg_codec_shape(job, width, height, channels);
    if (status != VG_OK)
        return status;
    bool direct = from == channels;
    size_t in = png_get_rowbytes(r->png, r->info);
    size_t out = (size_t)width * (size_t)channels;
    size_t gathered = passes > 1 ? (size_t)height : 1, need;
    if (!vg_mul_size(in, gathered, &need))
        return vg_fail(job->err, VG_E_NOMEM, "no memory to decode the PNG");
    if (!direct) {
        status = vg_bytes_reserve(job->scratch, need, job->err);
        if (status != VG_OK)
            return status;
        if (passes > 1)
            memset(job->scratch->data, 0, need);
    }
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < height; y++) {
            uint8_t *to = job->image->data + (size_t)y * out;
            uint8_t *row = direct       ? to
                           : passes > 1 ? job->scratch->data + (size_t)y * in
                                        : job->scratch->data;
            png_read_row(r->png, row, NULL);
            if (!direct && pass == passes - 1)
                vg_codec_row(row, from, to, channels, width);
            r->rows_done = pass == passes - 1 ? (unsigned)y + 1 : 0;
        }
    }
    return VG_OK;
}

static vg_status read_all(reader *r)
{
    reader_open(r);
    png_read_info(r->png, r->info);
    bool interlaced = png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_ADAM7;
    vg_status status = read_rows(r, interlaced ? 7 : 1);
    if (status != VG_OK)
        return status;
    png_read_end(r->png, r->info); /* eXIf may stand behind the picture data */
    png_uint_32 size = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(r->png, r->info, &size, &exif) && exif)
        r->job->info->orientation = vg_exif_orientation(exif, size);
    if (r->job->info->damaged && !r->job->options->allow_damaged)
        return vg_fail(r->job->err, VG_E_FORMAT, "damaged PNG: %s", r->damage);
    return VG_OK;
}

/* No locals: see the head of this file. */
static vg_status read_guarded(reader *r)
{
    if (setjmp(r->jump))
        return r->status;
    return read_all(r);
}

vg_status vg_png_read(const vg_decode_job *job)
{
    vg_status status = check_header(job);
    if (status != VG_OK)
        return status;
    reader r = {.job = job};
    status = read_guarded(&r);
    if (status == VG_E_FORMAT && job->options->allow_damaged && r.rows_done > 0) {
        vg_codec_warn(job->info, job->err ? job->err->message : "unreadable from here on");
        job->info->damaged = true;
        status = VG_OK;
        if (job->err)
            *job->err = (vg_error){0};
    }
    png_destroy_read_struct(&r.png, &r.info, NULL);
    vg_window window;
    if (status == VG_OK)
        status = vg_codec_choose(job, 1, &window);
    if (status == VG_OK)
        vg_codec_cut(job->image, &window);
    return status;
}

/* ---- writing ---- */

typedef struct writer {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    const vg_image *image;
    int level;
    vg_bytes *out;
    vg_error *err;
    vg_status status;
} writer;

static void write_error(png_structp png, png_const_charp message)
{
    writer *w = png_get_error_ptr(png);
    if (w->status == VG_OK)
        w->status = vg_fail(w->err, VG_E_NOMEM, "writing a PNG: %s", message);
    longjmp(w->jump, 1);
}

static void write_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep from, size_t count)
{
    writer *w = png_get_io_ptr(png);
    w->status = vg_bytes_reserve(w->out, w->out->size + count, w->err);
    if (w->status != VG_OK)
        longjmp(w->jump, 1);
    memcpy(w->out->data + w->out->size, from, count);
    w->out->size += count;
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void write_all(writer *w)
{
    const vg_image *image = w->image;
    w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, write_error, write_warning);
    w->info = w->png ? png_create_info_struct(w->png) : NULL;
    if (!w->info) {
        w->status = vg_fail(w->err, VG_E_NOMEM, "no memory to write a PNG");
        longjmp(w->jump, 1);
    }
    png_set_write_fn(w->png, w, on_write, on_flush);
    png_set_user_limits(w->png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(w->png, w->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(w->png, w->level);
    png_write_info(w->png, w->info);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    for (int y = 0; y < image->height; y++)
        png_write_row(w->png, image->data + (size_t)y * stride);
    png_write_end(w->png, NULL);
}

static vg_status write_guarded(writer *w)
{
    if (setjmp(w->jump))
        return w->status;
    write_all(w);
    return VG_OK;
}

vg_status vg_png_encode(const vg_image *image, int level, vg_bytes *out, vg_error *err)
{
    if (!image->data || level < 0 || level > 9)
        return vg_fail(err, VG_E_ARG, "writing a PNG: %s",
                       image->data ? "the level must be 0 to 9" : "the picture is empty");
    writer w = {.image = image, .level = level, .out = out, .err = err};
    out->size = 0;
    vg_status status = write_guarded(&w);
    png_destroy_write_struct(&w.png, &w.info);
    if (status != VG_OK)
        out->size = 0;
    return status;
}
