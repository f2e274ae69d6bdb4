/* A PNG's picture data inflated by libdeflate in one go, which takes half the time of zlib's stream.
 *
 * libpng has no door for inflated data, but deflate has blocks that are stored as they are: libpng gets
 * those and does all the rest (filters, interlacing, depths). It has read the length of the first
 * chunk by then, so that one keeps its length and a second brings what does not fit.
 *
 * Only what is beyond doubt goes this way: the chunks whole, one behind the other and with right
 * checksums, nothing but whole chunks up to the end of the file's last, the inflated data exactly as
 * long as the header's size demands (nothing longer is ever asked for) and with the right checksum.
 * Everything else is zlib's to judge, so that what is refused, and with which words, does not
 * depend on this file. One thing libdeflate takes that zlib refuses: tables of codes that have holes or too
 * many entries, in data whose length and checksums are right all the same. No compressor writes that.
 *
 * Refuses: pictures of which the inflated data would be a burden to every thread. */
#include "image/png_inflate.h"

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

enum {
    HEADER_AT = 16,        /* width, height, depth, colour type, methods, interlacing */
    CHUNK = 12,            /* length, name and checksum of a chunk */
    MOST_BYTES = 64 << 20, /* held for a picture: 20 megapixels of RGB */
    MOST_RATIO = 1032,     /* deflate never does better */
    BLOCK = 65535,         /* bytes of a stored block at most */
    BLOCK_HEAD = 5,        /* before each: whether it is the last, its length, the same inverted */
    ZLIB_HEAD = 2,
    ZLIB_TAIL = 4,
    BETWEEN = 4 + 8 /* checksum of the first chunk, length and name of the second */
};

void vg_png_inflater_reset(vg_png_inflater *inflater)
{
    if (inflater->library)
        libdeflate_free_decompressor(inflater->library);
    vg_bytes_reset(&inflater->joined);
    vg_bytes_reset(&inflater->inflated);
    *inflater = (vg_png_inflater){0};
}

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write32(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Bytes of `width` x `height` pixels with the byte before each row that names its filter. */
static uint64_t pass_bytes(uint64_t width, uint64_t height, unsigned bits)
{
    return width && height ? height * (1 + (width * bits + 7) / 8) : 0;
}

/* Of the whole picture; 0 for a header that is not one. */
static uint64_t inflated_bytes(const uint8_t *header)
{
    static const uint8_t samples[] = {1, 0, 3, 1, 2, 0, 4}; /* by colour type */
    static const uint8_t x0[] = {0, 4, 0, 2, 0, 1, 0}, dx[] = {8, 8, 4, 4, 2, 2, 1};
    static const uint8_t y0[] = {0, 0, 4, 0, 2, 0, 1}, dy[] = {8, 8, 8, 4, 4, 2, 2};
    uint64_t width = read32(header), height = read32(header + 4), sum = 0;
    unsigned depth = header[8], type = header[9];
    if (width > INT32_MAX || height > INT32_MAX || type > 6 || depth > 16)
        return 0;
    unsigned bits = depth * samples[type];
    if (header[12] == 0)
        return pass_bytes(width, height, bits);
    for (int i = 0; i < 7; i++)
        sum += pass_bytes((width - x0[i] + dx[i] - 1) / dx[i], (height - y0[i] + dy[i] - 1) / dy[i],
                          bits);
    return sum;
}

/* Whether a chunk with this name stands whole at `at`. */
static bool is_chunk(const uint8_t *bytes, size_t size, size_t at, const char *name)
{
    return at + CHUNK <= size && memcmp(bytes + at + 4, name, 4) == 0 &&
           read32(bytes + at) <= size - at - CHUNK;
}

static bool is_sound(const uint8_t *chunk)
{
    size_t length = read32(chunk);
    return libdeflate_crc32(0, chunk + 4, length + 4) == read32(chunk + 8 + length);
}

/* Whether whole chunks follow up to the end chunk, and no more picture data among them. */
static bool ends_well(const uint8_t *bytes, size_t size, size_t at)
{
    while (at + CHUNK <= size && read32(bytes + at) <= size - at - CHUNK) {
        if (is_chunk(bytes, size, at, "IDAT"))
            return false;
        if (is_chunk(bytes, size, at, "IEND"))
            return read32(bytes + at) == 0 && is_sound(bytes + at);
        at += CHUNK + read32(bytes + at);
    }
    return false;
}

/* The compressed data in one piece: in the file if they are one chunk. NULL without memory, or if there
 * is anything about the chunks that libpng should see. */
static const uint8_t *join(vg_png_inflater *inflater, const uint8_t *bytes, size_t size, size_t at,
                           size_t *total)
{
    vg_error err;
    size_t first = at, chunks = 0;
    *total = 0;
    for (; is_chunk(bytes, size, at, "IDAT"); at += CHUNK + read32(bytes + at), chunks++) {
        if (!is_sound(bytes + at))
            return NULL;
        *total += read32(bytes + at);
    }
    inflater->rest = at;
    if (*total < ZLIB_HEAD + ZLIB_TAIL || *total > MOST_BYTES || !ends_well(bytes, size, at))
        return NULL;
    if (chunks == 1)
        return bytes + first + 8;
    if (vg_bytes_reserve(&inflater->joined, *total, &err) != VG_OK)
        return NULL;
    uint8_t *to = inflater->joined.data;
    for (at = first; at < inflater->rest; at += CHUNK + read32(bytes + at)) {
        memcpy(to, bytes + at + 8, read32(bytes + at));
        to += read32(bytes + at);
    }
    return inflater->joined.data;
}

/* Whether no reference can reach further back than the stream promises, which libdeflate does not
 * look at. */
static bool window_covers(const uint8_t *stream, uint64_t bytes)
{
    unsigned exponent = 8 + (stream[0] >> 4);
    return exponent <= 15 && (exponent == 15 || bytes <= (uint64_t)1 << exponent);
}

bool vg_png_inflate(vg_png_inflater *inflater, const uint8_t *bytes, size_t size, size_t at)
{
    vg_error err;
    size_t compressed, used;
    uint64_t need;
    if (inflater->off || memcmp(bytes + HEADER_AT - 8, "\0\0\0\x0dIHDR", 8) != 0)
        return false;
    need = inflated_bytes(bytes + HEADER_AT);
    if (need == 0 || need > MOST_BYTES || !is_chunk(bytes, size, at, "IDAT"))
        return false;
    inflater->first = read32(bytes + at);
    inflater->total =
        ZLIB_HEAD + (size_t)need + BLOCK_HEAD * (size_t)((need - 1) / BLOCK + 1) + ZLIB_TAIL;
    const uint8_t *stream = join(inflater, bytes, size, at, &compressed);
    if (!stream || inflater->first > inflater->total || need > (uint64_t)MOST_RATIO * compressed ||
        !window_covers(stream, need) ||
        vg_bytes_reserve(&inflater->inflated, (size_t)need, &err) != VG_OK)
        return false;
    if (!inflater->library)
        inflater->library = libdeflate_alloc_decompressor();
    if (!inflater->library ||
        libdeflate_zlib_decompress_ex(inflater->library, stream, compressed,
                                      inflater->inflated.data, (size_t)need, &used,
                                      NULL) != LIBDEFLATE_SUCCESS ||
        used != compressed)
        return false;
    inflater->inflated.size = (size_t)need;
    inflater->given = 0;
    inflater->pictures++;
    return true;
}

static void write_block_head(uint8_t head[BLOCK_HEAD], bool last, size_t length)
{
    head[0] = last;
    head[1] = (uint8_t)length;
    head[2] = (uint8_t)(length >> 8);
    head[3] = (uint8_t)~head[1];
    head[4] = (uint8_t)~head[2];
}

/* Bytes of the stored stream from `at` on, as many as lie together, at most `count`. */
static size_t give_stored(const vg_png_inflater *inflater, size_t at, uint8_t *to, size_t count)
{
    size_t all = inflater->inflated.size, length, skip;
    uint8_t head[BLOCK_HEAD] = {0x08,
                                0x1d}; /* the smallest window: zlib keeps that much of each row */
    const uint8_t *from = head;
    if (at < ZLIB_HEAD) {
        skip = at;
        length = ZLIB_HEAD;
    } else if (at >= inflater->total - ZLIB_TAIL) { /* of no consequence */
        skip = at - (inflater->total - ZLIB_TAIL);
        length = ZLIB_TAIL;
    } else {
        size_t block = (at - ZLIB_HEAD) / (BLOCK + BLOCK_HEAD) * BLOCK;
        skip = (at - ZLIB_HEAD) % (BLOCK + BLOCK_HEAD);
        length = all - block < BLOCK ? all - block : BLOCK;
        if (skip < BLOCK_HEAD) {
            write_block_head(head, block + length == all, length);
            length = BLOCK_HEAD;
        } else {
            from = inflater->inflated.data + block;
            skip -= BLOCK_HEAD;
        }
    }
    count = count < length - skip ? count : length - skip;
    memcpy(to, from + skip, count);
    return count;
}

bool vg_png_inflate_done(const vg_png_inflater *inflater)
{
    return inflater->given == inflater->total + BETWEEN + 4;
}

bool vg_png_inflate_give(vg_png_inflater *inflater, uint8_t *to, size_t count)
{
    size_t first = inflater->first, end = inflater->total + BETWEEN;
    uint8_t between[BETWEEN] = {0};
    write32(between + 4, inflater->total - first);
    memcpy(between + 8, "IDAT", 4);
    while (count) {
        size_t at = inflater->given, n;
        if (at < first) {
            n = give_stored(inflater, at, to, count < first - at ? count : first - at);
        } else if (at < first + BETWEEN) {
            n = first + BETWEEN - at;
            n = count < n ? count : n;
            memcpy(to, between + (at - first), n);
        } else if (at < end) {
            n = give_stored(inflater, at - BETWEEN, to, count < end - at ? count : end - at);
        } else {
            n = end + 4 - at;
            n = count < n ? count : n;
            if (n == 0)
                return false;
            memset(to, 0, n); /* the checksum of the second chunk */
        }
        to += n;
        count -= n;
        inflater->given += n;
    }
    return true;
}
