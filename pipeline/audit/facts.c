/* What the pixels of one picture tell. Integer sums of BT.601 luma (libjpeg's weights in 16 bits), so that the
 * result is the same everywhere. */
#include "audit/facts.h"

#include "audit/channel_sums.h"
#include "audit/flat.h"

#include <math.h>

/* Below this a picture may be of one colour, and is worth the look at each channel. */
static const float perhaps_flat = 2.0F / 255;

static void measure_channels(const vg_image *image, vg_facts *facts)
{
    vg_channel_sums sums = vg_channel_sums_of(image);
    double pixels = (double)image->width * (double)image->height;
    for (int c = 0; c < 3; c++) {
        double mean = (double)sums.sum[c] / pixels;
        double variance = (double)sums.squares[c] / pixels - mean * mean;
        facts->mean[c] = (float)mean;
        facts->std[c] = (float)sqrt(fmax(variance, 0));
    }
}

void vg_facts_measure(const vg_image *image, vg_facts *facts)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    uint64_t sum = 0, squares = 0;
    uint32_t colour = 0;
    const uint8_t *p = image->data;
    for (size_t i = 0; i < pixels; i++, p += image->channels) {
        uint32_t y = p[0];
        if (image->channels == 3) {
            y = (19595U * p[0] + 38470U * p[1] + 7471U * p[2] + 32768U) >> 16;
            colour |= (uint32_t)(p[0] ^ p[1]) | (uint32_t)(p[1] ^ p[2]);
        }
        sum += y;
        squares += (uint64_t)y * y;
    }
    double mean = (double)sum / (double)pixels;
    double variance = (double)squares / (double)pixels - mean * mean;
    facts->brightness = (float)(mean / 255);
    facts->contrast = (float)(sqrt(fmax(variance, 0)) / 255);
    measure_channels(image, facts);
    facts->width = image->width;
    facts->height = image->height;
    if (!colour)
        facts->flags |= VG_FACT_GREY;
    if (facts->contrast < perhaps_flat && vg_image_is_flat(image))
        facts->flags |= VG_FACT_FLAT; /* where luma is flat, colours may not be */
}
