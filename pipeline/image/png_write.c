/* PNG writing through libpng's row interface.
 *
 * As in png.c libpng's errors come by a callback that must not return: all state lives in a struct
 * outside the function that calls setjmp, which has no locals of its own. */
#include "image/encode.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

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
