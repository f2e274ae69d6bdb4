/* JPEG reading and writing through libjpeg-turbo's classic interface; the only file that knows it.
 *
 * libjpeg reports errors by a callback that must not return, so setjmp is needed. To keep it
 * harmless all state lives in a struct outside the function that calls setjmp, and that function
 * has no locals of its own: nothing can be clobbered, and everything can be released afterwards.
 *
 * A decompressor is made afresh for every file. Reusing one would keep the quantization and Huffman
 * tables of the last file, and a damaged file without tables would then decode to something that
 * depends on its predecessor.
 *
 * What counts as damage: missing or undecodable picture data. What does not: bytes between
 * segments that belong to nothing, wrong but unused header fields, and a missing end marker when
 * all picture data is there, which is seen in otherwise healthy photo collections.
 *
 * Refuses: 12-bit, lossless and hierarchical JPEG (the library does not read them), pictures of 2
 * or more than 4 components (their colours mean nothing without a profile). */
#include "image/jpeg.h"
#include "image/encode.h"
#include "image/exif.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it and does not include it */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

typedef struct reader {
    struct jpeg_decompress_struct c; /* c.client_data points back here */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const vg_decode_job *job;
    vg_status status;  /* of the failure that jumped */
    bool ended;        /* the library wanted more bytes than there are */
    bool header_read;  /* size and kind are known */
    bool rows_started; /* output rows are being produced */
} reader;

static void stop(reader *r)
{
    longjmp(r->jump, 1);
}

/* Writes "truncated ..." as exactly as it can be known. */
static void describe_truncation(const reader *r, char *text, size_t capacity)
{
    if (r->rows_started)
        snprintf(text, capacity, "truncated after %zu bytes, at row %u of %u", r->job->size,
                 r->c.output_scanline, r->c.output_height);
    else if (r->header_read)
        snprintf(text, capacity, "truncated after %zu bytes, in scan %d", r->job->size,
                 r->c.input_scan_number);
    else
        snprintf(text, capacity, "truncated after %zu bytes, in the header", r->job->size);
}

/* Picture data is missing or wrong: remember it, and give up unless the caller wants it anyway. */
static void damage(reader *r, const char *what)
{
    vg_decode_info *info = r->job->info;
    if (!info->damaged) /* what is wrong beats what is merely odd */
        vg_codec_clean(what, info->warning, sizeof info->warning);
    info->damaged = true;
    if (!r->job->options->allow_damaged) {
        char text[JMSG_LENGTH_MAX];
        vg_codec_clean(what, text, sizeof text);
        r->status = vg_fail(r->job->err, VG_E_FORMAT, r->ended ? "%s" : "damaged JPEG: %s", text);
        stop(r);
    }
}

static void on_error(j_common_ptr c)
{
    reader *r = c->client_data;
    char raw[JMSG_LENGTH_MAX], text[JMSG_LENGTH_MAX], where[100];
    c->err->format_message(c, raw);
    vg_codec_clean(raw, text, sizeof text);
    switch (c->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        r->status = vg_fail(r->job->err, VG_E_NOMEM, "no memory to decode the JPEG");
        break;
    case JERR_NO_BACKING_STORE:
        r->status = vg_fail(r->job->err, VG_E_LIMIT,
                            "decoding needs more memory than a picture within the limit should");
        break;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        r->status = vg_fail(r->job->err, VG_E_LIMIT, "%s", text);
        break;
    case JERR_BAD_PRECISION:
        r->job->info->bit_depth = r->c.data_precision;
        r->status = vg_fail(r->job->err, VG_E_FORMAT, "JPEG of %d bits a sample; only 8 are read",
                            r->c.data_precision);
        break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
        r->status =
            vg_fail(r->job->err, VG_E_FORMAT, "a kind of JPEG that cannot be read: %s", text);
        break;
    default:
        if (r->ended) {
            describe_truncation(r, where, sizeof where);
            r->status = vg_fail(r->job->err, VG_E_FORMAT, "%s (%s)", where, text);
        } else {
            r->status = vg_fail(r->job->err, VG_E_FORMAT, "damaged JPEG: %s", text);
        }
    }
    stop(r);
}

/* Does this warning leave the pixels as they were meant? */
static bool is_harmless(j_common_ptr c)
{
    switch (c->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
        /* Before a restart marker they are picture data that could not be used. */
        return c->err->msg_parm.i[1] < 0xd0 || c->err->msg_parm.i[1] > 0xd7;
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_BOGUS_ICC:
    case JWRN_NOT_SEQUENTIAL: /* fields that baseline decoding does not use */
        return true;
    default:
        return false;
    }
}

static void on_message(j_common_ptr c, int level)
{
    if (level >= 0) /* a trace, not a warning */
        return;
    reader *r = c->client_data;
    c->err->num_warnings++;
    bool harmless = is_harmless(c);
    if (harmless && r->job->info->warnings > 0) { /* may come by the ten thousand: only count */
        r->job->info->warnings++;
        return;
    }
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    if (!harmless && r->ended)
        describe_truncation(r, text, sizeof text);
    vg_codec_warn(r->job->info, text);
    if (!harmless)
        damage(r, text);
}

static void on_output(j_common_ptr c)
{
    (void)c; /* the library must not print */
}

static void source_open(j_decompress_ptr c)
{
    (void)c;
}

/* All bytes were given at the start; whoever asks for more gets an end marker. One Huffman-coded
 * scan that runs dry before its last pixel warns by itself (and a missing end marker alone is
 * harmless); arithmetic decoding invents zeros and a multi-scan file just lacks its refinements. */
static boolean source_fill(j_decompress_ptr c)
{
    static const JOCTET end_marker[2] = {0xff, JPEG_EOI};
    reader *r = c->client_data;
    c->src->next_input_byte = end_marker;
    c->src->bytes_in_buffer = sizeof end_marker;
    if (!r->ended) {
        char text[100];
        r->ended = true;
        if (r->header_read && (c->arith_code || jpeg_has_multiple_scans(c))) {
            describe_truncation(r, text, sizeof text);
            vg_codec_warn(r->job->info, text);
            damage(r, text);
        } else if (r->header_read) {
            vg_codec_warn(r->job->info, "no end marker");
        }
    }
    return TRUE;
}

static void source_skip(j_decompress_ptr c, long count)
{
    struct jpeg_source_mgr *source = c->src;
    if (count <= 0)
        return;
    if ((unsigned long)count > source->bytes_in_buffer) {
        source_fill(c);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static void source_close(j_decompress_ptr c)
{
    (void)c;
}

/* Called for every row of blocks: a file of many empty scans costs time out of all proportion. */
static void on_progress(j_common_ptr c)
{
    reader *r = c->client_data;
    if (r->c.input_scan_number > r->job->options->max_scans) {
        r->status = vg_fail(r->job->err, VG_E_LIMIT, "more than %d scans in a progressive JPEG",
                            r->job->options->max_scans);
        stop(r);
    }
}

static void reader_open(reader *r)
{
    r->c.client_data = r;
    r->c.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    jpeg_create_decompress(&r->c);
    r->source = (struct jpeg_source_mgr){
        .next_input_byte = r->job->bytes,
        .bytes_in_buffer = r->job->size,
        .init_source = source_open,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_close,
    };
    r->c.src = &r->source;
    r->progress.progress_monitor = on_progress;
    r->c.progress = &r->progress;
}

/* Coefficients of a progressive picture: 2 bytes for each sample of up to 4 components, and blocks
 * that stick out of small pictures. */
static long memory_limit(uint64_t max_pixels)
{
    uint64_t bytes = 64u << 20;
    uint64_t most = (uint64_t)(~0ul >> 1);
    return max_pixels > (most - bytes) / 10 ? (long)most : (long)(bytes + 10 * max_pixels);
}

static vg_status read_header(reader *r)
{
    vg_decode_info *info = r->job->info;
    info->orientation = vg_exif_orientation_of_jpeg(r->job->bytes, r->job->size);
    jpeg_read_header(&r->c, TRUE);
    r->header_read = true;
    info->width = (int)r->c.image_width;
    info->height = (int)r->c.image_height;
    info->source_channels = r->c.num_components;
    info->bit_depth = r->c.data_precision;
    info->progressive = r->c.progressive_mode;
    vg_status status = vg_codec_check_size(r->job, r->c.image_width, r->c.image_height);
    if (status != VG_OK)
        return status;
    int n = r->c.num_components;
    if (n != 1 && n != 3 && n != 4)
        return vg_fail(r->job->err, VG_E_FORMAT,
                       "JPEG of %d components; 1 (grey), 3 (colour) or 4 (CMYK) are read", n);
    r->c.mem->max_memory_to_use = memory_limit(r->job->options->max_pixels);
    return VG_OK;
}

/* The library converts to what we want, except for CMYK. */
static vg_status read_rows(reader *r)
{
    enum { ROWS = 16 };
    const vg_decode_job *job = r->job;
    bool cmyk = r->c.num_components == 4;
    int channels = vg_codec_channels(job, r->c.num_components == 1);
    r->c.out_color_space = cmyk ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&r->c);
    r->rows_started = true;
    int width = (int)r->c.output_width, height = (int)r->c.output_height;
    vg_status status = vg_codec_shape(job, width, height, channels);
    if (status == VG_OK && cmyk)
        status = vg_bytes_reserve(job->scratch, (size_t)width * 4, job->err);
    if (status != VG_OK)
        return status;
    size_t stride = (size_t)width * (size_t)channels;
    while (r->c.output_scanline < r->c.output_height) {
        size_t y = r->c.output_scanline;
        JSAMPROW rows[ROWS];
        if (cmyk) {
            rows[0] = job->scratch->data;
            jpeg_read_scanlines(&r->c, rows, 1);
            vg_codec_row_cmyk(rows[0], job->image->data + y * stride, channels, width);
            continue;
        }
        unsigned n = 0;
        for (; n < ROWS && y + n < (size_t)height; n++)
            rows[n] = job->image->data + (y + n) * stride;
        jpeg_read_scanlines(&r->c, rows, n);
    }
    return VG_OK;
}

static vg_status read_all(reader *r)
{
    reader_open(r);
    vg_status status = read_header(r);
    if (status == VG_OK)
        status = read_rows(r);
    if (status == VG_OK)
        jpeg_finish_decompress(&r->c);
    return status;
}

/* No locals: see the head of this file. */
static vg_status read_guarded(reader *r)
{
    if (setjmp(r->jump))
        return r->status;
    return read_all(r);
}

vg_status vg_jpeg_read(const vg_decode_job *job)
{
    reader r = {.job = job};
    vg_status status = read_guarded(&r);
    /* An error in the middle of the rows: what came before it can be kept. */
    if (status == VG_E_FORMAT && job->options->allow_damaged && r.rows_started &&
        r.c.output_scanline > 0) {
        char text[sizeof job->info->warning];
        vg_codec_clean(job->err ? job->err->message : "unreadable from here on", text, sizeof text);
        vg_codec_warn(job->info, text);
        job->info->damaged = true;
        status = VG_OK;
        if (job->err)
            *job->err = (vg_error){0};
    }
    jpeg_destroy_decompress(&r.c);
    return status;
}

/* ---- writing ---- */

typedef struct writer {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf jump;
    const vg_image *image;
    int quality;
    vg_bytes *out;
    vg_error *err;
    vg_status status;
} writer;

static void write_error(j_common_ptr c)
{
    writer *w = c->client_data;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    if (w->status == VG_OK)
        w->status = vg_fail(w->err, c->err->msg_code == JERR_OUT_OF_MEMORY ? VG_E_NOMEM : VG_E_ARG,
                            "writing a JPEG: %s", text);
    longjmp(w->jump, 1);
}

static void make_room(writer *w)
{
    size_t old = w->out->size;
    size_t more = old < 16384 ? 16384 : old;
    w->status = vg_bytes_reserve(w->out, old + more, w->err);
    if (w->status != VG_OK)
        longjmp(w->jump, 1);
    w->destination.next_output_byte = w->out->data + old;
    w->destination.free_in_buffer = w->out->capacity - old;
}

static void destination_open(j_compress_ptr c)
{
    make_room(c->client_data);
}

/* By the library's contract the whole buffer is full now, whatever free_in_buffer says. */
static boolean destination_full(j_compress_ptr c)
{
    writer *w = c->client_data;
    w->out->size = w->out->capacity;
    make_room(w);
    return TRUE;
}

static void destination_close(j_compress_ptr c)
{
    writer *w = c->client_data;
    w->out->size = w->out->capacity - c->dest->free_in_buffer;
}

static void write_all(writer *w)
{
    const vg_image *image = w->image;
    w->c.client_data = w;
    w->c.err = jpeg_std_error(&w->errors);
    w->errors.error_exit = write_error;
    w->errors.output_message = on_output;
    jpeg_create_compress(&w->c);
    w->destination.init_destination = destination_open;
    w->destination.empty_output_buffer = destination_full;
    w->destination.term_destination = destination_close;
    w->c.dest = &w->destination;
    w->c.image_width = (JDIMENSION)image->width;
    w->c.image_height = (JDIMENSION)image->height;
    w->c.input_components = image->channels;
    w->c.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&w->c);
    jpeg_set_quality(&w->c, w->quality, TRUE);
    if (image->channels == 3 && w->quality >= 90) {
        w->c.comp_info[0].h_samp_factor = 1;
        w->c.comp_info[0].v_samp_factor = 1;
    }
    jpeg_start_compress(&w->c, TRUE);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    while (w->c.next_scanline < w->c.image_height) {
        JSAMPROW row = image->data + (size_t)w->c.next_scanline * stride;
        jpeg_write_scanlines(&w->c, &row, 1);
    }
    jpeg_finish_compress(&w->c);
}

static vg_status write_guarded(writer *w)
{
    if (setjmp(w->jump))
        return w->status;
    write_all(w);
    return VG_OK;
}

vg_status vg_jpeg_encode(const vg_image *image, int quality, vg_bytes *out, vg_error *err)
{
    if (!image->data || quality < 1 || quality > 100)
        return vg_fail(err, VG_E_ARG, "writing a JPEG: %s",
                       image->data ? "the quality must be 1 to 100" : "the picture is empty");
    writer w = {.image = image, .quality = quality, .out = out, .err = err};
    out->size = 0;
    vg_status status = write_guarded(&w);
    jpeg_destroy_compress(&w.c);
    if (status != VG_OK)
        out->size = 0;
    return status;
}
