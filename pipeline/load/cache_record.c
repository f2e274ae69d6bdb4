/* Pictures in a cache: their heads are written and read here and nowhere else. The checksum covers
 * everything but the padding, so that a flipped bit anywhere that matters is found; sizes are
 * checked all the same before they are used, because a checksum is no proof against a made-up file.
 */
#include "load/cache_record.h"

#include <string.h>
#include <xxhash.h>

static const uint32_t MAGIC = 0x52504756; /* "VGPR" */

static size_t round_up(size_t bytes)
{
    return (bytes + VG_RECORD_ALIGN - 1) / VG_RECORD_ALIGN * VG_RECORD_ALIGN;
}

static size_t head_bytes(const vg_record *record)
{
    return round_up(sizeof *record + record->note);
}

size_t vg_record_pixel_bytes(const vg_record *record)
{
    return (size_t)record->width * (size_t)record->height * record->channels;
}

size_t vg_record_make(const vg_image *image, const vg_decode_info *info, uint64_t content,
                      uint8_t head[VG_RECORD_HEAD_MAX])
{
    vg_record record = {.content = content,
                        .damage_offset = info->damaged ? info->damage_offset : 0,
                        .intact = info->damaged ? info->intact : 1,
                        .width = image->width,
                        .height = image->height,
                        .full_width = info->region.full_width,
                        .full_height = info->region.full_height,
                        .channels = (uint8_t)image->channels,
                        .shrink = (uint8_t)info->region.shrink,
                        .format = (uint8_t)(2 * info->format + info->damaged),
                        .magic = MAGIC};
    size_t length = strnlen(info->warning, VG_RECORD_NOTE - 1);
    record.note = length ? (uint8_t)(length + 1) : 0;
    size_t bytes = head_bytes(&record);
    record.bytes = bytes + round_up(vg_record_pixel_bytes(&record));
    memset(head, 0, bytes);
    memcpy(head, &record, sizeof record);
    memcpy(head + sizeof record, info->warning, length);
    return bytes;
}

static uint64_t check_of(const uint8_t *head, const uint8_t *pixels)
{
    vg_record record;
    memcpy(&record, head, sizeof record);
    size_t skip = sizeof record.check;
    uint64_t seed = XXH3_64bits(head + skip, head_bytes(&record) - skip);
    return XXH3_64bits_withSeed(pixels, vg_record_pixel_bytes(&record), seed);
}

void vg_record_seal(uint8_t *head, const uint8_t *pixels)
{
    uint64_t check = check_of(head, pixels);
    memcpy(head, &check, sizeof check);
}

bool vg_record_valid(const vg_record *record, uint64_t room)
{
    if (room < sizeof *record || record->magic != MAGIC || record->bytes > room)
        return false;
    bool sane = record->width >= 1 && record->height >= 1 &&
                (record->channels == 1 || record->channels == 3) && record->note <= VG_RECORD_NOTE;
    sane = sane && (record->shrink == 1 || record->shrink == 2 || record->shrink == 4 ||
                    record->shrink == 8);
    if (!sane)
        return false;
    /* both sides are below 2^31, so that three channels of them fit in 64 bits */
    uint64_t pixels = (uint64_t)record->width * (uint64_t)record->height * record->channels;
    uint64_t head = head_bytes(record);
    if (record->bytes < head || record->bytes - head < pixels)
        return false;
    const uint8_t *bytes = (const uint8_t *)record;
    if (record->note && bytes[sizeof *record + record->note - 1] != '\0')
        return false;
    return record->check == check_of(bytes, bytes + head);
}

void vg_record_open(const vg_record *record, vg_cached *picture)
{
    const uint8_t *bytes = (const uint8_t *)record;
    picture->view = (vg_view){.data = bytes + head_bytes(record),
                              .width = record->width,
                              .height = record->height,
                              .channels = record->channels,
                              .stride = (size_t)record->width * record->channels};
    picture->region = (vg_region){.full_width = record->full_width,
                                  .full_height = record->full_height,
                                  .shrink = record->shrink,
                                  .width = record->width,
                                  .height = record->height};
    picture->format = (vg_image_format)(record->format / 2);
    picture->damaged = record->format & 1;
    picture->intact = record->intact;
    picture->damage_offset = record->damage_offset;
    picture->warning = record->note ? (const char *)(bytes + sizeof *record) : "";
}
