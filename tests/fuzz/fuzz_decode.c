/* Fuzz target: any bytes through vg_decode, with any options. Checks what it promises: a picture of the
 * region's size, or an error with a text; parts equal to the same part of the whole; PNG inflated at
 * once equal to PNG from the stream. */
#include "fuzz.h"

#include "image/codec.h"
#include "image/png_inflate.h"

#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

typedef struct draw {
    const uint8_t *data;
    size_t size;
    uint32_t k;
} draw;

static int below(draw *d, int limit)
{
    return (int)(fuzz_number(d->data, d->size < 64 ? d->size : 64, d->k++) % (uint32_t)limit);
}

static void choose(void *context, vg_region *region)
{
    draw d = *(draw *)context;
    d.k = 100;
    vg_region all = vg_region_whole(region->full_width, region->full_height, 1 << below(&d, 4));
    *region = all;
    region->x = below(&d, all.width);
    region->y = below(&d, all.height);
    region->width = 1 + below(&d, all.width - region->x);
    region->height = 1 + below(&d, all.height - region->y);
}

/* Whether `part` is what `whole` has there. */
static bool is_part(const vg_image *part, const vg_region *at, const vg_image *whole)
{
    size_t n = (size_t)part->width * (size_t)part->channels;
    for (int y = 0; y < part->height; y++) {
        size_t from = (size_t)(at->y + y) * (size_t)whole->width + (size_t)at->x;
        if (memcmp(part->data + (size_t)y * n, whole->data + from * (size_t)whole->channels, n) !=
            0)
            return false;
    }
    return true;
}

static void check_picture(const vg_image *image, const vg_decode_info *info)
{
    const vg_region *r = &info->region;
    fuzz_check(image->width == r->width && image->height == r->height, "not the region's size");
    fuzz_check(image->channels == 1 || image->channels == 3, "channels");
    fuzz_check(info->intact >= 0 && info->intact <= 1, "intact");
    fuzz_check(info->damaged || info->intact == 1, "not whole, and not damaged");
    uint32_t sum = 0; /* every byte is looked at: a sanitizer sees those that are not there */
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        sum += image->data[i];
    volatile uint32_t sink = sum;
    (void)sink;
}

static void check_paths(vg_decoder *stream, const uint8_t *data, size_t size,
                        const vg_decode_options *options, vg_status status, const vg_image *image)
{
    vg_error err = {0};
    vg_image other = {0};
    vg_status plain = vg_decode(stream, data, size, options, &other, NULL, &err);
    if (status == VG_OK && plain == VG_OK)
        fuzz_check(vg_image_bytes(image) == vg_image_bytes(&other) &&
                       memcmp(image->data, other.data, vg_image_bytes(image)) == 0,
                   "PNG from the stream gives another picture");
    else if (status != VG_OK) /* the other way round: see png_inflate.c */
        fuzz_check(plain == status, "PNG from the stream gives another status");
    vg_image_reset(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vg_decoder *decoder, *stream;
    vg_error err = {0};
    if (!decoder) {
        fuzz_check(!vg_decoder_new(&decoder, &err) && !vg_decoder_new(&stream, &err), "no decoder");
        vg_decoder_inflater(stream)->off = true;
    }
    draw d = {data, size, 0};
    vg_decode_options options = vg_decode_options_default();
    options.max_pixels = 1 << 20;
    options.max_scans = 20;
    options.channels = (int[]){0, 1, 3}[below(&d, 3)];
    options.apply_exif = below(&d, 2);
    options.allow_damaged = below(&d, 2);
    options.verify = below(&d, 2);
    vg_image part = {0}, whole = {0};
    vg_decode_info info, whole_info;
    vg_status whole_status = vg_decode(decoder, data, size, &options, &whole, &whole_info, &err);
    fuzz_status(whole_status, &err);
    if (whole_status == VG_OK)
        check_picture(&whole, &whole_info);
    if (whole_info.format == VG_FORMAT_PNG)
        check_paths(stream, data, size, &options, whole_status, &whole);
    options.choose = choose;
    options.choose_context = &d;
    vg_status status = vg_decode(decoder, data, size, &options, &part, &info, &err);
    fuzz_status(status, &err);
    if (status == VG_OK)
        check_picture(&part, &info);
    if (info.format == VG_FORMAT_PNG)
        check_paths(stream, data, size, &options, status, &part);
    if (status == VG_OK && whole_status == VG_OK && info.region.shrink == 1 && !whole_info.damaged)
        fuzz_check(is_part(&part, &info.region, &whole), "a part differs from the whole");
    vg_image_reset(&part);
    vg_image_reset(&whole);
    return 0;
}

/* Most mutations would end at a PNG's checksums: three of four times they are made right again. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, most);
    if (seed % 4 == 0 || size < 8 || memcmp(data, "\x89PNG", 4) != 0)
        return size;
    for (size_t at = 8, length; at + 12 <= size; at += 12 + length) {
        length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 |
                 data[at + 3];
        if (length > size - at - 12)
            break;
        uLong sum = crc32(0, data + at + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    return size;
}
