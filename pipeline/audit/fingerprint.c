/* The small picture is an exact area average in fixed point: rows are added up with weights of 1/256
 * into one row of sums, which is then cut into cells. Rows first, because that loop runs over
 * neighbouring pixels. Aspect is left out on purpose: copies that were turned or stretched still fit. */
#include "audit/fingerprint.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ONE = 256 }; /* the weight of a whole row */

void vg_fingerprint_room_reset(vg_fingerprint_room *room)
{
    free(room->columns);
    *room = (vg_fingerprint_room){0};
}

static void add_row(const uint8_t *p, int width, int channels, uint32_t weight, uint32_t *sums)
{
    if (channels == 1) {
        for (int x = 0; x < width; x++)
            sums[x] += weight * p[x];
        return;
    }
    for (int x = 0; x < width; x++, p += 3) {
        uint32_t luma = (19595U * p[0] + 38470U * p[1] + 7471U * p[2] + 32768U) >> 16;
        sums[x] += weight * luma;
    }
}

/* Cell i of n covers [length i / n, length (i + 1) / n), in units of 1 / (ONE n) here. */
typedef struct span {
    int first, last;            /* pixels it touches */
    uint32_t head, tail, inner; /* weights of the first, the last and all others, sum = total */
} span;

static span span_of(int length, int n, int i)
{
    /* ends in 1/256 pixels, rounded the same way for both neighbours */
    int64_t from = ((int64_t)length * i * ONE + n / 2) / n;
    int64_t to = ((int64_t)length * (i + 1) * ONE + n / 2) / n;
    if (to == from)
        to = from + 1;
    span s = {.first = (int)(from / ONE), .last = (int)((to - 1) / ONE), .inner = ONE};
    s.head = s.first == s.last ? (uint32_t)(to - from) : (uint32_t)(ONE - from % ONE);
    s.tail = (uint32_t)(to - (int64_t)s.last * ONE);
    return s;
}

static uint32_t weight_of(const span *s, int at)
{
    return at == s->first ? s->head : at == s->last ? s->tail : s->inner;
}

/* One row of cells out of a row of sums. */
static void cut(const uint32_t *sums, int width, int size, uint64_t rows, uint8_t *out)
{
    for (int i = 0; i < size; i++) {
        span s = span_of(width, size, i);
        uint64_t sum = 0, all = 0;
        for (int x = s.first; x <= s.last; x++) {
            uint32_t w = weight_of(&s, x);
            sum += (uint64_t)w * sums[x];
            all += w;
        }
        all *= rows; /* a cell is never empty */
        out[i] = (uint8_t)(all ? (sum + all / 2) / all : 0);
    }
}

vg_status vg_grey_square(const vg_image *image, int size, vg_fingerprint_room *room, uint8_t *out,
                         vg_error *err)
{
    size_t width = (size_t)image->width, stride = width * (size_t)image->channels;
    if (!vg_grow(&room->columns, &room->capacity, width, sizeof *room->columns))
        return vg_fail(err, VG_E_NOMEM, "out of memory for a row of %d pixels", image->width);
    for (int i = 0; i < size; i++) {
        span s = span_of(image->height, size, i);
        uint64_t rows = 0;
        memset(room->columns, 0, width * sizeof *room->columns);
        for (int y = s.first; y <= s.last; y++) {
            uint32_t w = weight_of(&s, y);
            add_row(image->data + (size_t)y * stride, image->width, image->channels, w,
                    room->columns);
            rows += w;
        }
        cut(room->columns, image->width, size, rows, out + (size_t)i * (size_t)size);
    }
    return VG_OK;
}

vg_status vg_fingerprint_make(const vg_image *image, vg_fingerprint_room *room,
                              vg_fingerprint *print, vg_error *err)
{
    uint64_t shape =
        (uint64_t)image->width << 34 | (uint64_t)image->height << 4 | (uint64_t)image->channels;
    XXH128_hash_t hash = XXH3_128bits_withSeed(image->data, vg_image_bytes(image), shape);
    print->pixels[0] = hash.low64;
    print->pixels[1] = hash.high64;
    print->ready = 1;
    return vg_grey_square(image, VG_THUMB, room, print->thumb, err);
}
