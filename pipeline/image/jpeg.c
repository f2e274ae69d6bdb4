/* JPEG reading through libjpeg-turbo's classic interface; with jpeg_events.c the only file that
 * knows it.
 *
 * libjpeg reports errors by a callback that must not return, so setjmp is needed. To keep it
 * harmless all state lives in a struct outside the function that calls setjmp, and that function
 * has no locals of its own: nothing can be clobbered, and everything can be released afterwards.
 *
 * One decompressor serves file after file, because making one costs as much as a small picture.
 * What it would keep from one file to the next are the quantization and Huffman tables, and a
 * damaged file without tables would then decode to something that depends on its predecessor: they
 * are dropped with everything else of the file.
 *
 * Of a part of a picture only the columns and rows around it go through the inverse transform; all
 * bits before it must be decoded, those behind it only to see whether they are whole. Columns are
 * decoded with a margin, because the library takes the edge of what it decodes for the edge of the
 * picture when it spreads the colours. A damaged file that is to be kept is decoded as a whole: the
 * library then smooths and fills in by what it finds around.
 *
 * Refuses: 12-bit, lossless and hierarchical JPEG (the library does not read them), pictures of 2
 * or more than 4 components (their colours mean nothing without a profile). */
#include "image/jpeg.h"
#include "image/exif.h"
#include "image/jpeg_reader.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { MARGIN = 2 }; /* columns: one of colour at half resolution */

vg_status vg_jpeg_new(vg_jpeg_reader **reader, vg_error *err)
{
    *reader = vg_calloc(1, sizeof **reader);
    return *reader ? VG_OK : vg_fail(err, VG_E_NOMEM, "no memory for a JPEG decoder");
}

void vg_jpeg_free(vg_jpeg_reader *reader)
{
    if (reader)
        jpeg_destroy_decompress(&reader->c);
    free(reader);
}

/* Coefficients of a progressive picture: 2 bytes for each sample of up to 4 components, and blocks
 * that stick out of small pictures. */
static long memory_limit(uint64_t max_pixels)
{
    uint64_t bytes = 64u << 20;
    uint64_t most = (uint64_t)(~0ul >> 1);
    return max_pixels > (most - bytes) / 10 ? (long)most : (long)(bytes + 10 * max_pixels);
}

static void begin(vg_jpeg_reader *r, const vg_decode_job *job)
{
    r->job = job;
    r->status = VG_OK;
    r->ended = r->header_read = r->rows_started = r->partial = r->again = false;
    r->c.input_iMCU_row = 0;
}

/* Frees what belongs to the file, at whatever point reading stopped. */
static void end(vg_jpeg_reader *r)
{
    if (!r->created) {
        jpeg_destroy_decompress(&r->c);
        return;
    }
    jpeg_abort_decompress(&r->c);
    for (int i = 0; i < NUM_QUANT_TBLS; i++)
        r->c.quant_tbl_ptrs[i] = NULL;
    for (int i = 0; i < NUM_HUFF_TBLS; i++)
        r->c.dc_huff_tbl_ptrs[i] = r->c.ac_huff_tbl_ptrs[i] = NULL;
}

static vg_colour_type colour_type(J_COLOR_SPACE space)
{
    switch (space) {
    case JCS_GRAYSCALE:
        return VG_COLOUR_GREY;
    case JCS_RGB:
        return VG_COLOUR_RGB;
    case JCS_YCbCr:
        return VG_COLOUR_YCC;
    case JCS_CMYK:
        return VG_COLOUR_CMYK;
    case JCS_YCCK:
        return VG_COLOUR_YCCK;
    default:
        return VG_COLOUR_UNKNOWN;
    }
}

/* The quality for which the IJG's scaling of the standard's table K.1 (ITU-T T.81) comes nearest. Cameras have
 * tables of their own: then it is the quality of about that size. */
static int quality_of(const vg_jpeg_reader *r)
{
    enum { SUM = 3688 }; /* of table K.1 */
    const JQUANT_TBL *table =
        r->c.num_components > 0 ? r->c.quant_tbl_ptrs[r->c.comp_info[0].quant_tbl_no & 3] : NULL;
    if (!table)
        return 0;
    unsigned sum = 0;
    for (int i = 0; i < DCTSIZE2; i++)
        sum += table->quantval[i];
    double percent = sum <= DCTSIZE2 ? 0 : 100.0 * sum / SUM;
    int quality = (int)((percent <= 100 ? 100 - percent / 2 : 5000 / percent) + 0.5);
    return quality < 1 ? 1 : quality;
}

static vg_status read_header(vg_jpeg_reader *r, bool choose)
{
    vg_decode_info *info = r->job->info;
    size_t length;
    const uint8_t *exif = vg_exif_in_jpeg(r->job->bytes, r->job->size, &length);
    info->has_exif = exif != NULL;
    info->orientation = exif ? vg_exif_orientation(exif, length) : 0;
    jpeg_read_header(&r->c, TRUE);
    info->colour = colour_type(r->c.jpeg_color_space);
    info->quality = quality_of(r);
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
    return choose ? vg_codec_choose(r->job, 8, &r->window) : VG_OK;
}

/* A progressive picture with refinements missing is smoothed over its neighbourhood. */
static bool is_smoothed(const vg_jpeg_reader *r)
{
    for (int i = 0; r->c.coef_bits && i < r->c.num_components; i++)
        for (int k = 1; k < 10; k++)
            if (r->c.coef_bits[i][k] != 0)
                return true;
    return false;
}

/* jpeg_crop_scanline (2.1.5) takes a component that is decoded at a larger scale than the others for
 * narrower than it is; that does no harm only where it needs no spreading at all. */
static bool can_crop(const vg_jpeg_reader *r)
{
    const struct jpeg_decompress_struct *c = &r->c;
    for (int i = 0; i < c->num_components; i++) {
        const jpeg_component_info *part = &c->comp_info[i];
        unsigned h = (unsigned)part->h_samp_factor, most = (unsigned)c->max_h_samp_factor;
        bool full = part->downsampled_width == c->output_width &&
                    part->downsampled_height == c->output_height;
        if (!full && part->downsampled_width != (c->output_width * h + most - 1) / most)
            return false;
    }
    return !is_smoothed(r);
}

/* Makes the library's rows as short as they may be. Returns where in them the window begins. */
static size_t crop_columns(vg_jpeg_reader *r)
{
    enum { LEAST = 32 }; /* columns: narrower ones are spread in another way */
    const vg_window *w = &r->window;
    if (w->width == w->full_width || !can_crop(r))
        return (size_t)w->x;
    int from = w->x > MARGIN ? w->x - MARGIN : 0;
    int to = w->x + w->width + MARGIN;
    to = to < from + LEAST ? from + LEAST : to;
    to = to < w->full_width ? to : w->full_width;
    from = to - from < LEAST ? (to > LEAST ? to - LEAST : 0) : from;
    JDIMENSION x = (JDIMENSION)from, width = (JDIMENSION)(to - from);
    jpeg_crop_scanline(&r->c, &x, &width);
    return (size_t)w->x - x;
}

/* The library converts to what we want, except for CMYK. */
static void read_whole(vg_jpeg_reader *r)
{
    enum { ROWS = 16 };
    const vg_image *image = r->job->image;
    size_t stride = (size_t)image->width * (size_t)image->channels;
    while (r->c.output_scanline < r->c.output_height) {
        size_t y = r->c.output_scanline;
        JSAMPROW rows[ROWS];
        unsigned n = 0;
        for (; n < ROWS && y + n < r->c.output_height; n++)
            rows[n] = image->data + (y + n) * stride;
        jpeg_read_scanlines(&r->c, rows, n);
    }
}

/* Passes over rows. jpeg_skip_scanlines (2.1.5) believes that the next row of blocks is not decoded
 * before the last but one of its rows, which is wrong where a block of colour is three or four high.
 */
static void skip_rows(vg_jpeg_reader *r, JDIMENSION count)
{
    JSAMPROW row = r->job->scratch->data;
    if (r->c.max_v_samp_factor <= 2 && count)
        jpeg_skip_scanlines(&r->c, count);
    else
        while (count--)
            jpeg_read_scanlines(&r->c, &row, 1);
}

/* Through a row of the library's, of which the window keeps `width` pixels from `left` on. */
static void read_part(vg_jpeg_reader *r, size_t left)
{
    const vg_window *w = &r->window;
    const vg_image *image = r->job->image;
    JSAMPROW row = r->job->scratch->data;
    size_t stride = (size_t)image->width * (size_t)image->channels;
    size_t from = left * (size_t)r->c.output_components;
    uint8_t *to = image->data;
    skip_rows(r, (JDIMENSION)w->y);
    for (int y = 0; y < w->height; y++, to += stride) {
        jpeg_read_scanlines(&r->c, &row, 1);
        if (r->c.num_components == 4)
            vg_codec_row_cmyk(row + from, to, image->channels, w->width);
        else
            memcpy(to, row + from, stride);
    }
}

/* Decodes the bits behind the window, to find damage. Skipping to the very end would not read them,
 * so the last row is read. */
static void read_rest(vg_jpeg_reader *r)
{
    JDIMENSION left = r->c.output_height - r->c.output_scanline;
    JSAMPROW row = r->job->scratch->data;
    if (left == 0)
        return;
    skip_rows(r, left - 1);
    jpeg_read_scanlines(&r->c, &row, 1);
}

static vg_status read_rows(vg_jpeg_reader *r)
{
    const vg_decode_job *job = r->job;
    const vg_window *w = &r->window;
    bool cmyk = r->c.num_components == 4;
    int channels = vg_codec_channels(job, r->c.num_components == 1);
    r->partial = w->width < w->full_width || w->height < w->full_height;
    r->c.out_color_space = cmyk ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    r->c.scale_num = 1;
    r->c.scale_denom = (unsigned)w->shrink;
    jpeg_start_decompress(&r->c);
    r->rows_started = true;
    size_t left = crop_columns(r);
    vg_status status = vg_codec_shape(job, w->width, w->height, channels);
    if (status == VG_OK && (cmyk || r->partial))
        status = vg_bytes_reserve(
            job->scratch, (size_t)r->c.output_width * (size_t)r->c.output_components, job->err);
    if (status != VG_OK)
        return status;
    if (cmyk || r->partial)
        read_part(r, left);
    else
        read_whole(r);
    bool whole = w->y + w->height == w->full_height;
    if (!whole && (!job->options->verify || jpeg_has_multiple_scans(&r->c)))
        return VG_OK; /* all scans were read before the first row */
    read_rest(r);
    jpeg_finish_decompress(&r->c);
    return VG_OK;
}

static vg_status read_all(vg_jpeg_reader *r, bool choose)
{
    if (!r->created)
        vg_jpeg_create(r);
    r->source.next_input_byte = r->job->bytes;
    r->source.bytes_in_buffer = r->job->size;
    vg_status status = read_header(r, choose);
    return status == VG_OK ? read_rows(r) : status;
}

/* No locals: see the head of this file. */
static vg_status read_guarded(vg_jpeg_reader *r, bool choose)
{
    if (setjmp(r->jump))
        return r->status;
    return read_all(r, choose);
}

/* Decodes the whole picture at the shrink that was chosen. */
static vg_status read_again(vg_jpeg_reader *r, const vg_decode_job *job)
{
    vg_decode_info *info = job->info;
    *info = (vg_decode_info){.format = info->format, .intact = 1, .region = info->region};
    if (job->err)
        *job->err = (vg_error){0};
    end(r);
    begin(r, job);
    r->window.x = r->window.y = 0;
    r->window.width = r->window.full_width;
    r->window.height = r->window.full_height;
    return read_guarded(r, false);
}

vg_status vg_jpeg_read(const vg_decode_job *job)
{
    vg_jpeg_reader *r = job->jpeg;
    begin(r, job);
    vg_status status = read_guarded(r, true);
    vg_window wanted = r->window;
    bool again = r->again;
    if (again)
        status = read_again(r, job);
    /* An error in the middle of the rows: what came before it can be kept. */
    if (status == VG_E_FORMAT && job->options->allow_damaged && r->rows_started &&
        r->c.output_scanline > 0) {
        vg_codec_warn(job->info, job->err ? job->err->message : "unreadable from here on");
        job->info->damaged = true;
        status = VG_OK;
        if (job->err)
            *job->err = (vg_error){0};
    }
    end(r);
    if (status == VG_OK && again)
        vg_codec_cut(job->image, &wanted);
    return status;
}
