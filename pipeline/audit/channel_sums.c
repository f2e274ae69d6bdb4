/* Three channels lie interleaved, so 48 bytes, which vectors of 16 divide and pixels of 3 too, are added up side by
 * side, each place for itself, and the places of a channel come together at the end. Sums of 256 bytes and single
 * squares fit into 16 bits: twice the lanes. */
#include "audit/channel_sums.h"

enum { PLACES = 48, BLOCKS = 256 }; /* 256 * 255 < 2^16, 256 * 255^2 < 2^32 */

static void add_up(const uint64_t *sum, const uint64_t *squares, int channels,
                   vg_channel_sums *sums)
{
    for (int j = 0; j < PLACES; j++) {
        sums->sum[j % channels] += sum[j];
        sums->squares[j % channels] += squares[j];
    }
    for (int c = channels; c < 3; c++) {
        sums->sum[c] = sums->sum[0];
        sums->squares[c] = sums->squares[0];
    }
}

vg_channel_sums vg_channel_sums_of(const vg_image *image)
{
    size_t bytes = vg_image_bytes(image), blocks = bytes / PLACES;
    const uint8_t *p = image->data;
    uint64_t all[PLACES] = {0}, all_squares[PLACES] = {0};
    while (blocks) {
        size_t now = blocks < BLOCKS ? blocks : BLOCKS;
        uint16_t sum[PLACES] = {0};
        uint32_t squares[PLACES] = {0};
        for (size_t i = 0; i < now; i++, p += PLACES)
            for (int j = 0; j < PLACES; j++) {
                uint16_t square = (uint16_t)(p[j] * p[j]);
                sum[j] = (uint16_t)(sum[j] + p[j]);
                squares[j] += square;
            }
        for (int j = 0; j < PLACES; j++) {
            all[j] += sum[j];
            all_squares[j] += squares[j];
        }
        blocks -= now;
    }
    for (size_t j = 0; j < bytes % PLACES; j++) { /* 48 is whole pixels: places go on as before */
        all[j] += p[j];
        all_squares[j] += (uint64_t)p[j] * p[j];
    }
    vg_channel_sums sums = {0};
    add_up(all, all_squares, image->channels, &sums);
    return sums;
}
