/* What libjpeg-turbo calls while it reads: errors, warnings, bytes, progress.
 *
 * What counts as damage: missing or undecodable picture data. What does not: bytes between
 * segments that belong to nothing, wrong but unused header fields, and a missing end marker when
 * all picture data is there, which is seen in otherwise healthy photo collections.
 *
 * Where damage is told (byte, row, share) it comes from the state of the input side, which is the
 * same whatever part of the picture is put out: the verdict on a file, and its wording, must not
 * depend on the part that was asked for. */
#include "image/jpeg_reader.h"

#include <string.h>

#include <jerror.h>

void vg_jpeg_stop(vg_jpeg_reader *r)
{
    longjmp(r->jump, 1);
}

size_t vg_jpeg_offset(const vg_jpeg_reader *r)
{
    return r->ended ? r->job->size : r->job->size - r->source.bytes_in_buffer;
}

/* Not the library's own number once it is known: a second header in the file changes that before it is
 * refused. */
static unsigned height(const vg_jpeg_reader *r)
{
    return r->header_read ? (unsigned)r->job->info->height : r->c.image_height;
}

/* Rows of the picture before the row of blocks that is being read. */
static unsigned rows_read(const vg_jpeg_reader *r)
{
    uint64_t rows = (uint64_t)r->c.input_iMCU_row * (unsigned)r->c.max_v_samp_factor * DCTSIZE;
    return rows < height(r) ? (unsigned)rows : height(r);
}

/* Of several scans each gives something to all rows. Once every component has come (in a
 * progressive file: its coarse part) the picture is there as a whole; until then as far as the
 * current scan has come, and nothing of it when a component will never come. */
double vg_jpeg_intact(const vg_jpeg_reader *r)
{
    const struct jpeg_decompress_struct *c = &r->c;
    if (!r->header_read)
        return 0;
    for (int i = 0; i < r->job->info->source_channels && r->ended; i++)
        if (!c->comp_info[i].quant_table) /* set when the first scan of the component starts */
            return 0;
    bool coarse_scan = !r->job->info->progressive || (c->Ss == 0 && c->Ah == 0);
    return coarse_scan ? (double)rows_read(r) / height(r) : 1;
}

/* Writes "truncated ..." as exactly as it can be known. */
static void describe_truncation(const vg_jpeg_reader *r, char *text, size_t capacity)
{
    const struct jpeg_decompress_struct *c = &r->c;
    if (!r->header_read)
        snprintf(text, capacity, "truncated after %zu bytes, in the header", r->job->size);
    else if (jpeg_has_multiple_scans((j_decompress_ptr)c))
        snprintf(text, capacity, "truncated after %zu bytes, in scan %d", r->job->size,
                 c->input_scan_number);
    else
        snprintf(text, capacity, "truncated after %zu bytes, at row %u of %u", r->job->size,
                 rows_read(r), height(r));
}

/* Keeps where the damage is: the first place, the smallest share. */
static void note_damage(vg_jpeg_reader *r)
{
    vg_decode_info *info = r->job->info;
    double intact = vg_jpeg_intact(r);
    if (!info->damaged)
        info->damage_offset = vg_jpeg_offset(r);
    if (!info->damaged || intact < info->intact)
        info->intact = intact;
    info->damaged = true;
}

/* Picture data is missing or wrong: remember it, and give up unless the caller wants it anyway. */
static void damage(vg_jpeg_reader *r, const char *what)
{
    vg_decode_info *info = r->job->info;
    if (!info->damaged) /* what is wrong beats what is merely odd */
        vg_codec_clean(what, info->warning, sizeof info->warning);
    note_damage(r);
    if (!r->job->options->allow_damaged) {
        char text[JMSG_LENGTH_MAX];
        vg_codec_clean(what, text, sizeof text);
        r->status = r->ended ? vg_fail(r->job->err, VG_E_FORMAT, "%s", text)
                             : vg_fail(r->job->err, VG_E_FORMAT,
                                       "damaged JPEG: %s, at byte %zu, row %u of %u", text,
                                       vg_jpeg_offset(r), rows_read(r), height(r));
        vg_jpeg_stop(r);
    }
    if (r->partial) {
        r->again = true;
        vg_jpeg_stop(r);
    }
}

static void fail_damaged(vg_jpeg_reader *r, const char *text)
{
    char where[100];
    if (r->ended) {
        describe_truncation(r, where, sizeof where);
        r->status = vg_fail(r->job->err, VG_E_FORMAT, "%s (%s)", where, text);
    } else {
        r->status = vg_fail(r->job->err, VG_E_FORMAT, "damaged JPEG: %s, at byte %zu", text,
                            vg_jpeg_offset(r));
    }
    note_damage(r);
    r->again = r->partial && r->job->options->allow_damaged;
}

static void on_error(j_common_ptr c)
{
    vg_jpeg_reader *r = c->client_data;
    char raw[JMSG_LENGTH_MAX], text[JMSG_LENGTH_MAX];
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
        fail_damaged(r, text);
    }
    vg_jpeg_stop(r);
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
    vg_jpeg_reader *r = c->client_data;
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
    vg_jpeg_reader *r = c->client_data;
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
    vg_jpeg_reader *r = c->client_data;
    if (r->c.input_scan_number > r->job->options->max_scans) {
        r->status = vg_fail(r->job->err, VG_E_LIMIT, "more than %d scans in a progressive JPEG",
                            r->job->options->max_scans);
        vg_jpeg_stop(r);
    }
}

/* Tables are the only things that the library would keep from one file to the next. They go where
 * everything else of a file goes, so that releasing a file releases them. */
static void *alloc_for_one_file(j_common_ptr c, int pool, size_t size)
{
    const vg_jpeg_reader *r = c->client_data;
    return r->alloc_small(c, pool == JPOOL_PERMANENT ? JPOOL_IMAGE : pool, size);
}

void vg_jpeg_create(vg_jpeg_reader *r)
{
    r->c.client_data = r;
    r->c.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    jpeg_create_decompress(&r->c);
    r->created = true;
    r->alloc_small = r->c.mem->alloc_small;
    r->c.mem->alloc_small = alloc_for_one_file;
    r->source = (struct jpeg_source_mgr){
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
