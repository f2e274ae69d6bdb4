/* The small picture is an exact area average in fixed point: rows are added up with weights of 1/256
 * into one row of sums, which is then cut into cells. Rows first, because that loop runs over
 * neighbouring pixels. Aspect is left out on purpose: copies that were turned or stretched still fit. */
#include "audit/fingerprint.h"

#include "base/alloc.h"
#include "base/simd.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ONE = 256 }; /* the weight of a whole row */

void vg_fingerprint_room_reset(vg_fingerprint_room *room)
{
    free(room->columns);
    *room = (vg_fingerprint_room){0};
}

static VG_INLINE void add_row(const uint8_t *restrict p, int width, int channels, uint32_t weight,
                              uint32_t *restrict sums)
{
    if (channels == 1) {
        for (int x = 0; x < width; x++)
            sums[x] += weight * p[x];
        return;
    }
    for (size_t x = 0; x < (size_t)width; x++) {
        uint32_t r = p[3 * x], g = p[3 * x + 1], b = p[3 * x + 2];
        sums[x] += weight * ((19595U * r + 38470U * g + 7471U * b + 32768U) >> 16);
    }
}

/* Cell i of n covers [length i / n, length (i + 1) / n), in units of 1 / (ONE n) here. */
typedef struct span {
    int first, last;            /* pixels it touches */
    uint32_t head, tail, inner; /* weights of the first, the last and all others, sum = total */
} span;

static VG_INLINE span span_of(int length, int n, int i)
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

static VG_INLINE uint32_t weight_of(const span *s, int at)
{
    return at == s->first ? s->head : at == s->last ? s->tail : s->inner;
}

/* One row of cells out of a row of sums. */
static VG_INLINE void cut(const uint32_t *sums, const span *cells, int size, uint64_t rows,
                          uint8_t *out)
{
    for (int i = 0; i < size; i++) {
        span s = cells[i];
        uint64_t sum = 0, all = s.head;
        for (int x = s.first + 1; x < s.last; x++)
            sum += sums[x];
        sum = sum * ONE + (uint64_t)s.head * sums[s.first];
        if (s.last > s.first) {
            sum += (uint64_t)s.tail * sums[s.last];
            all += s.tail + (uint64_t)(s.last - s.first - 1) * ONE;
        }
        all *= rows; /* a cell is never empty */
        out[i] = (uint8_t)(all ? (sum + all / 2) / all : 0);
    }
}

static VG_INLINE void square(const vg_image *image, int size, uint32_t *columns, uint8_t *out)
{
    size_t width = (size_t)image->width, stride = width * (size_t)image->channels;
    span cells[VG_MIDDLE];
    for (int i = 0; i < size; i++)
        cells[i] = span_of(image->width, size, i);
    for (int i = 0; i < size; i++) {
        span s = span_of(image->height, size, i);
        uint64_t rows = 0;
        memset(columns, 0, width * sizeof *columns);
        for (int y = s.first; y <= s.last; y++) {
            uint32_t w = weight_of(&s, y);
            add_row(image->data + (size_t)y * stride, image->width, image->channels, w, columns);
            rows += w;
        }
        cut(columns, cells, size, rows, out + (size_t)i * (size_t)size);
    }
}

typedef void squarer(const vg_image *image, int size, uint32_t *columns, uint8_t *out);

static void square_plain(const vg_image *image, int size, uint32_t *columns, uint8_t *out)
{
    square(image, size, columns, out);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void square_avx2(const vg_image *image, int size, uint32_t *columns,
                                    uint8_t *out)
{
    square(image, size, columns, out);
}

VG_FOR_AVX512 static void square_avx512(const vg_image *image, int size, uint32_t *columns,
                                        uint8_t *out)
{
    square(image, size, columns, out);
}
#endif

vg_status vg_grey_square(const vg_image *image, int size, vg_fingerprint_room *room, uint8_t *out,
                         vg_error *err)
{
    static squarer *const versions[VG_SIMD_COUNT] = {
        square_plain,
#if VG_SIMD_X86
        square_avx2,
        square_avx512,
#endif
    };
    if (!vg_grow(&room->columns, &room->capacity, (size_t)image->width, sizeof *room->columns))
        return vg_fail(err, VG_E_NOMEM, "out of memory for a row of %d pixels", image->width);
    versions[vg_simd_best()](image, size, room->columns, out);
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
