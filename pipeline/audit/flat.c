/* Flat pictures: how many of them only are for what was put behind their transparent pixels is found by
 * putting something else there, not guessed from the presence of alpha. */
#include "audit/flat.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double deviation(const vg_image *image)
{
    size_t channels = (size_t)image->channels, n = (size_t)image->width * (size_t)image->height;
    double most = 0;
    for (size_t c = 0; c < channels; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t v = image->data[i * channels + c];
            sum += v;
            squares += v * v;
        }
        double mean = (double)sum / (double)n;
        most = fmax(most, (double)squares / (double)n - mean * mean);
    }
    return sqrt(fmax(0, most));
}

bool vg_image_is_flat(const vg_image *image)
{
    return deviation(image) < 1;
}

static int luma(int colour)
{
    return (299 * (colour >> 16 & 255) + 587 * (colour >> 8 & 255) + 114 * (colour & 255)) / 1000;
}

vg_status vg_flat_try(const vg_dataset *dataset, const size_t *indices, size_t count,
                      vg_flat_trial *trial, vg_error *err)
{
    static const int colours[] = {VG_BACKGROUND_BLACK, VG_BACKGROUND_GREY, VG_BACKGROUND_WHITE};
    size_t tried = count < VG_FLAT_TRIED ? count : VG_FLAT_TRIED;
    *trial = (vg_flat_trial){.best = VG_BACKGROUND_UNSET};
    vg_decode_options decode = vg_decode_options_default();
    vg_reader reader;
    vg_image image = {0};
    vg_status status = vg_reader_init(&reader, err);
    for (size_t i = 0; i < tried && !status; i++) {
        size_t index = indices[i * count / tried];
        vg_error why = {0};
        vg_status read = VG_OK;
        for (int c = 0; c < VG_FLAT_COLOURS && !read; c++) {
            decode.background = colours[c];
            read = vg_dataset_read(dataset, index, &decode, &reader, &image, NULL, &why);
            if (read)
                break;
            double spread = deviation(&image);
            trial->flat[c] += spread < 1;
            trial->contrast[c] += spread / (double)tried;
        }
        trial->pictures += read == VG_OK;
        if (read == VG_E_NOMEM)
            status = vg_fail(err, read, "%s", why.message);
    }
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    /* The dataset's own is one of the three, or near one of them. */
    int own = luma(vg_dataset_background(dataset)),
        at = own < 64    ? 0
             : own < 192 ? 1
                         : 2,
        best = at;
    for (int c = 0; c < VG_FLAT_COLOURS; c++)
        if (trial->flat[c] < trial->flat[best] ||
            (best != at && trial->flat[c] == trial->flat[best] &&
             trial->contrast[c] > trial->contrast[best]))
            best = c;
    if (best != at)
        trial->best = colours[best];
    return status;
}

bool vg_flat_is_bad(const vg_flat *flat)
{
    return flat->flat > 1 && flat->flat * 20 >= flat->pictures;
}

void vg_flat_words(const vg_flat *flat, const vg_dataset *dataset, char *text, size_t capacity)
{
    char colour[VG_BACKGROUND_TEXT], name[200];
    vg_line line = vg_line_begin(text, capacity);
    if (!flat->flat)
        return;
    double share = 100 * (double)flat->flat / (double)flat->pictures;
    vg_background_print(vg_dataset_background(dataset), colour);
    vg_dataset_name(dataset, flat->example, name, sizeof name);
    vg_line_put(&line, "%.*f %% of the images are one flat colour as they are (%zu of %zu; \"%s\")",
                share < 1 ? 1 : 0, share, flat->flat, flat->pictures, name);
    if (flat->hidden && flat->better < 0)
        vg_line_put(&line, ", also over black, grey or white");
    if (!flat->hidden || flat->better < 0)
        return;
    if (flat->hidden == flat->flat)
        vg_line_put(&line, ": their transparent pixels are shown over %s", colour);
    else
        vg_line_put(&line, ": the transparent pixels of %zu are shown over %s", flat->hidden,
                    colour);
    vg_line_put(&line, ", which hides what is drawn in that colour");
}
