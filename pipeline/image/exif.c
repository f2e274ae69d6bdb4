/* The EXIF orientation, and nothing else of EXIF.
 *
 * Own code, because one tag of one directory does not need a metadata library, and because the
 * rule here is to be forgiving: damaged metadata must not cost a picture, so whatever does not
 * make sense means "no orientation". Every read is bounds-checked. */
#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_BYTE = 1, TYPE_SHORT = 3, TYPE_LONG = 4 };

static unsigned read16(const uint8_t *p, bool big)
{
    return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t read32(const uint8_t *p, bool big)
{
    uint32_t first = read16(p, big), second = read16(p + 2, big);
    return big ? first << 16 | second : second << 16 | first;
}

int vg_exif_orientation(const uint8_t *bytes, size_t size)
{
    /* Writers of PNG's eXIf now and then keep the prefix that only JPEG needs. */
    if (size >= 6 && memcmp(bytes, "Exif\0", 5) == 0) {
        bytes += 6;
        size -= 6;
    }
    if (size < 8)
        return 0;
    bool big = memcmp(bytes, "MM\0*", 4) == 0;
    if (!big && memcmp(bytes, "II*\0", 4) != 0)
        return 0;
    size_t at = read32(bytes + 4, big);
    if (at > size - 2)
        return 0;
    unsigned count = read16(bytes + at, big);
    at += 2;
    for (unsigned i = 0; i < count && size - at >= 12; i++, at += 12) {
        const uint8_t *entry = bytes + at;
        if (read16(entry, big) != TAG_ORIENTATION || read32(entry + 4, big) != 1)
            continue;
        uint32_t value = 0;
        switch (read16(entry + 2, big)) {
        case TYPE_BYTE:
            value = entry[8];
            break;
        case TYPE_SHORT:
            value = read16(entry + 8, big);
            break;
        case TYPE_LONG:
            value = read32(entry + 8, big);
            break;
        default:
            break;
        }
        return value >= 1 && value <= 8 ? (int)value : 0;
    }
    return 0;
}

const uint8_t *vg_exif_in_jpeg(const uint8_t *bytes, size_t size, size_t *found)
{
    size_t at = 2; /* after SOI */
    *found = 0;
    while (size >= 4 && at <= size - 4) {
        if (bytes[at] != 0xff || bytes[at + 1] == 0xff || bytes[at + 1] == 0) {
            at++; /* garbage or padding between segments: go on to the next marker */
            continue;
        }
        unsigned marker = bytes[at + 1];
        if (marker == 0xda || marker == 0xd9) /* start of scan, end of image */
            return NULL;
        at += 2;
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) /* no length follows */
            continue;
        size_t length = read16(bytes + at, true);
        if (length < 2 || length > size - at)
            return NULL;
        if (marker == 0xe1 && length >= 8 && memcmp(bytes + at + 2, "Exif\0", 5) == 0) {
            *found = length - 2;
            return bytes + at + 2;
        }
        at += length;
    }
    return NULL;
}

int vg_exif_orientation_of_jpeg(const uint8_t *bytes, size_t size)
{
    size_t length;
    const uint8_t *exif = vg_exif_in_jpeg(bytes, size, &length);
    return exif ? vg_exif_orientation(exif, length) : 0;
}

static void swap_pixels(uint8_t *a, uint8_t *b, int channels)
{
    for (int c = 0; c < channels; c++) {
        uint8_t t = a[c];
        a[c] = b[c];
        b[c] = t;
    }
}

static void mirror_rows(vg_image *image)
{
    size_t stride = (size_t)image->width * (size_t)image->channels;
    for (int y = 0; y < image->height; y++) {
        uint8_t *left = image->data + (size_t)y * stride;
        uint8_t *right = left + stride - image->channels;
        for (; left < right; left += image->channels, right -= image->channels)
            swap_pixels(left, right, image->channels);
    }
}

static void flip_rows(vg_image *image)
{
    size_t stride = (size_t)image->width * (size_t)image->channels;
    uint8_t *top = image->data, *bottom = image->data + (size_t)(image->height - 1) * stride;
    for (; top < bottom; top += stride, bottom -= stride) {
        for (size_t i = 0; i < stride; i++) {
            uint8_t t = top[i];
            top[i] = bottom[i];
            bottom[i] = t;
        }
    }
}

/* to[y][x] = from[x or its mirror][y or its mirror], in tiles so that both sides stay in cache. */
static void transpose(const vg_image *from, vg_image *to, bool mirror_x, bool mirror_y)
{
    enum { TILE = 32 };
    size_t in = (size_t)from->width * (size_t)from->channels;
    size_t out = (size_t)to->width * (size_t)to->channels;
    int n = from->channels;
    for (int y0 = 0; y0 < to->height; y0 += TILE) {
        int y1 = y0 + TILE < to->height ? y0 + TILE : to->height;
        for (int x0 = 0; x0 < to->width; x0 += TILE) {
            int x1 = x0 + TILE < to->width ? x0 + TILE : to->width;
            for (int y = y0; y < y1; y++) {
                int column = mirror_y ? from->width - 1 - y : y;
                for (int x = x0; x < x1; x++) {
                    int row = mirror_x ? from->height - 1 - x : x;
                    memcpy(to->data + (size_t)y * out + (size_t)x * (size_t)n,
                           from->data + (size_t)row * in + (size_t)column * (size_t)n, (size_t)n);
                }
            }
        }
    }
}

vg_status vg_exif_apply(vg_image *image, int orientation, vg_image *spare, vg_error *err)
{
    if (orientation >= 5 && orientation <= 8) {
        vg_status status = vg_image_shape(spare, image->height, image->width, image->channels, err);
        if (status != VG_OK)
            return status;
        transpose(image, spare, orientation == 6 || orientation == 7,
                  orientation == 7 || orientation == 8);
        vg_image old = *image;
        *image = *spare;
        *spare = old;
        return VG_OK;
    }
    if (orientation == 2 || orientation == 3)
        mirror_rows(image);
    if (orientation == 3 || orientation == 4)
        flip_rows(image);
    return VG_OK;
}
