/* JPEG of every kind, written with libjpeg-turbo for the tests. */
#ifndef VG_TEST_JPEG_RECIPE_H
#define VG_TEST_JPEG_RECIPE_H

#include "test.h"

#include "base/file.h"

#include <jpeglib.h>

/* How a test's JPEG is to be written. */
typedef struct recipe {
    J_COLOR_SPACE given, stored;
    int components;
    int sampling[4][2]; /* h, v; 0: the library's */
    int restart_rows;
    int quality; /* 0: 100 */
    bool arithmetic, progressive;
    bool separate; /* a scan for each component, not progressive */
} recipe;

static inline void jpeg_make(const recipe *how, const uint8_t *pixels, int width, int height,
                             vg_bytes *out)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    vg_error err = {0};
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &size);
    c.image_width = (JDIMENSION)width;
    c.image_height = (JDIMENSION)height;
    c.input_components = how->components;
    c.in_color_space = how->given;
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, how->stored);
    jpeg_set_quality(&c, how->quality ? how->quality : 100, TRUE);
    for (int i = 0; i < how->components; i++)
        if (how->sampling[i][0]) {
            c.comp_info[i].h_samp_factor = how->sampling[i][0];
            c.comp_info[i].v_samp_factor = how->sampling[i][1];
        }
    c.arith_code = how->arithmetic;
    c.restart_in_rows = how->restart_rows;
    if (how->progressive)
        jpeg_simple_progression(&c);
    static const jpeg_scan_info one_each[3] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    if (how->separate) {
        c.scan_info = one_each;
        c.num_scans = 3;
    }
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row =
            (JSAMPROW)pixels + (size_t)c.next_scanline * (size_t)(width * how->components);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    assert_ok(vg_bytes_reserve(out, size, &err));
    memcpy(out->data, data, size);
    out->size = size;
    free(data);
}

#endif
