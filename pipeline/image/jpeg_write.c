/* JPEG writing through libjpeg-turbo's classic interface.
 *
 * As in jpeg.c the library's errors come by a callback that must not return: all state lives in a
 * struct outside the function that calls setjmp, which has no locals of its own. */
#include "image/encode.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it and does not include it */

#include <jerror.h>
#include <jpeglib.h>

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

static void on_output(j_common_ptr c)
{
    (void)c; /* the library must not print */
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
