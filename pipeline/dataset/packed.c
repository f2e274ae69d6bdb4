/* Pictures that are stored decoded, many in a file: what IDX and CIFAR have in common once their
 * files are read. The stored bytes are lent as they are; turning planes into pixels is the decode
 * step, so that whoever reads ahead moves no more bytes than there are. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <string.h>

/* The part that holds a place, and the place within it. */
static const vg_packed_part *find_part(const vg_dataset *dataset, uint64_t place, size_t *within)
{
    const vg_packed_part *part = dataset->parts;
    *within = (size_t)place;
    for (; *within >= part->count; part++)
        *within -= part->count;
    return part;
}

size_t vg_packed_name(const vg_dataset *dataset, uint64_t place, char *name, size_t capacity)
{
    size_t within;
    const vg_packed_part *part = find_part(dataset, place, &within);
    int length =
        snprintf(name, capacity, "%s/%05zu", vg_split_name(part->split), part->number + within);
    return length > 0 ? (size_t)length : 0;
}

vg_span vg_packed_bytes(const vg_dataset *dataset, uint64_t place)
{
    size_t within;
    const vg_packed_part *part = find_part(dataset, place, &within);
    size_t size = (size_t)dataset->packed_width * (size_t)dataset->packed_height *
                  (size_t)dataset->packed_channels;
    return (vg_span){part->bytes.data + part->first + within * part->stride, size};
}

static void put_grey(const uint8_t *grey, size_t pixels, vg_image *image)
{
    if (image->channels == 1)
        memcpy(image->data, grey, pixels);
    else
        for (size_t i = 0; i < pixels; i++)
            memset(image->data + 3 * i, grey[i], 3);
}

static void put_planes(const uint8_t *red, size_t pixels, vg_image *image)
{
    const uint8_t *green = red + pixels, *blue = green + pixels;
    uint8_t *to = image->data;
    if (image->channels == 1) {
        for (size_t i = 0; i < pixels; i++)
            to[i] = vg_luma(red[i], green[i], blue[i]);
        return;
    }
    for (size_t i = 0; i < pixels; i++, to += 3) {
        to[0] = red[i];
        to[1] = green[i];
        to[2] = blue[i];
    }
}

vg_status vg_packed_decode(const vg_dataset *dataset, vg_span bytes,
                           const vg_decode_options *options, vg_image *image, vg_decode_info *info,
                           vg_error *err)
{
    int width = dataset->packed_width, height = dataset->packed_height;
    int stored = dataset->packed_channels,
        channels = options->channels ? options->channels : stored;
    if (info)
        *info = (vg_decode_info){.width = width,
                                 .height = height,
                                 .source_channels = stored,
                                 .bit_depth = 8,
                                 .intact = 1,
                                 .region = vg_region_whole(width, height, 1)};
    vg_status status = vg_image_shape(image, width, height, channels, err);
    if (status)
        return status;
    size_t pixels = (size_t)width * (size_t)height;
    if (stored == 1)
        put_grey(bytes.data, pixels, image);
    else
        put_planes(bytes.data, pixels, image);
    return VG_OK;
}

vg_status vg_packed_class_names(const char *path, vg_bytes *text, char *names[VG_PACKED_LABELS],
                                int *count, vg_error *err)
{
    *count = 0;
    vg_status status = vg_file_read(path, 1 << 20, text, err);
    if (!status)
        status = vg_bytes_reserve(text, text->size + 1, err);
    if (status)
        return status;
    size_t size = text->size;
    while (size && (text->data[size - 1] == '\n' || text->data[size - 1] == '\r'))
        size--;
    text->data[size] = '\0';
    char *line = (char *)text->data, *end = line + size;
    while (line < end) {
        char *stop = line + strcspn(line, "\r\n");
        char *next = stop + (*stop == '\r' && stop[1] == '\n') + (stop < end);
        *stop = '\0';
        if (*count == VG_PACKED_LABELS)
            return vg_fail(err, VG_E_FORMAT, "%s: more than %d names", path, VG_PACKED_LABELS);
        if (!*line)
            return vg_fail(err, VG_E_FORMAT, "%s:%d: empty line; expected the name of label %d",
                           path, *count + 1, *count);
        for (int i = 0; i < *count; i++)
            if (strcmp(names[i], line) == 0)
                return vg_fail(err, VG_E_FORMAT, "%s:%d: \"%s\" is also the name of label %d", path,
                               *count + 1, line, i);
        names[(*count)++] = line;
        line = next;
    }
    return VG_OK;
}
