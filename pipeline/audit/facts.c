/* What the pixels of one picture tell. Integer sums of BT.601 luma (libjpeg's weights in 16 bits), so that the
 * result is the same everywhere. The picture is walked in tiles that fit into the first cache; the loops over a tile's
 * rows are plain, and compiled for wider vectors where the machine has them. */
#include "audit/facts.h"

#include "audit/border.h"
#include "audit/channel_sums.h"
#include "audit/flat.h"
#include "base/simd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    BAND = 8,       /* rows of a tile */
    TILE = 512,     /* columns */
    PART = 16384,   /* pixels that are measured of any picture that has them */
    COUNTED = 8192, /* of these go into the histogram at least */
    COLOURED = 12,  /* levels between channels */
    DEAD = 2        /* second differences below are rounding */
};

/* Below this a picture may be of one colour, and is worth the look at each channel. */
static const float perhaps_flat = 2.0F / 255;

struct sums {
    uint64_t pixels, sum, squares, coloured;
    uint64_t first[2], second[2]; /* squared differences along rows, along columns */
    uint64_t counted;
    uint32_t histogram[4][256];
};

/* A row of pixels to luma. */
static VG_INLINE void row_of_rgb(const uint8_t *restrict p, int n, int16_t *restrict luma,
                                 uint32_t *sum, uint32_t *squares, uint32_t *coloured)
{
    uint32_t s = 0, q = 0, c = 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        int r = p[3 * i], g = p[3 * i + 1], b = p[3 * i + 2];
        uint32_t y =
            (19595U * (uint32_t)r + 38470U * (uint32_t)g + 7471U * (uint32_t)b + 32768U) >> 16;
        int high = r > g ? r : g, low = r < g ? r : g;
        high = high > b ? high : b;
        low = low < b ? low : b;
        c += high - low > COLOURED;
        s += y;
        q += y * y;
        luma[i] = (int16_t)y;
    }
    *sum += s;
    *squares += q;
    *coloured += c;
}

static VG_INLINE void row_of_grey(const uint8_t *restrict p, int n, int16_t *restrict luma,
                                  uint32_t *sum, uint32_t *squares)
{
    uint32_t s = 0, q = 0;
    for (int i = 0; i < n; i++) {
        uint32_t y = p[i];
        s += y;
        q += y * y;
        luma[i] = (int16_t)y;
    }
    *sum += s;
    *squares += q;
}

/* Squared first and second differences of n values that lie `step` apart from the next. */
static VG_INLINE void differences(const int16_t *restrict x, int n, int step, uint32_t *first,
                                  uint32_t *second)
{
    int32_t a = 0, b = 0;
    for (int i = 0; i < n; i++) {
        int16_t d = (int16_t)(x[i + step] - x[i]);
        int16_t e = (int16_t)(x[i + 2 * step] - 2 * x[i + step] + x[i]);
        int16_t size = (int16_t)(e < 0 ? -e : e);
        e = size < DEAD ? 0 : e;
        a += d * d;
        b += e * e;
    }
    *first += (uint32_t)a;
    *second += (uint32_t)b;
}

/* `rows` of at most BAND rows, `n` of at most TILE pixels: no sum leaves 32 bits. */
static VG_INLINE void tile(const uint8_t *p, size_t stride, int channels, int n, int rows,
                           int16_t (*luma)[TILE], struct sums *sums)
{
    uint32_t sum = 0, squares = 0, coloured = 0, first[2] = {0}, second[2] = {0};
    for (int y = 0; y < rows; y++, p += stride)
        if (channels == 3)
            row_of_rgb(p, n, luma[y], &sum, &squares, &coloured);
        else
            row_of_grey(p, n, luma[y], &sum, &squares);
    for (int y = 0; y < rows; y++) {
        differences(luma[y], n - 2, 1, &first[0], &second[0]);
        if (y + 2 < rows)
            differences(luma[y], n, TILE, &first[1], &second[1]);
    }
    sums->pixels += (uint64_t)n * (uint64_t)rows;
    sums->sum += sum;
    sums->squares += squares;
    sums->coloured += coloured;
    for (int k = 0; k < 2; k++) {
        sums->first[k] += first[k];
        sums->second[k] += second[k];
    }
}

typedef void tile_function(const uint8_t *p, size_t stride, int channels, int n, int rows,
                           int16_t (*luma)[TILE], struct sums *sums);

static void tile_plain(const uint8_t *p, size_t stride, int channels, int n, int rows,
                       int16_t (*luma)[TILE], struct sums *sums)
{
    tile(p, stride, channels, n, rows, luma, sums);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void tile_avx2(const uint8_t *p, size_t stride, int channels, int n, int rows,
                                  int16_t (*luma)[TILE], struct sums *sums)
{
    tile(p, stride, channels, n, rows, luma, sums);
}

VG_FOR_AVX512 static void tile_avx512(const uint8_t *p, size_t stride, int channels, int n,
                                      int rows, int16_t (*luma)[TILE], struct sums *sums)
{
    tile(p, stride, channels, n, rows, luma, sums);
}
#endif

static tile_function *choose_tile(void)
{
#if VG_SIMD_X86
    if (vg_simd_best() >= VG_SIMD_AVX512)
        return tile_avx512;
    if (vg_simd_best() >= VG_SIMD_AVX2)
        return tile_avx2;
#endif
    return tile_plain;
}

/* Four tables in turn: equal neighbours would wait for each other's counter. */
static void count_row(const int16_t *luma, int n, struct sums *sums)
{
    int i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sums->histogram[k][luma[i + k]]++;
    for (; i < n; i++)
        sums->histogram[0][luma[i]]++;
    sums->counted += (uint64_t)n;
}

static void walk(const vg_image *image, struct sums *sums)
{
    tile_function *measure = choose_tile();
    int16_t luma[BAND][TILE];
    size_t channels = (size_t)image->channels, stride = (size_t)image->width * channels;
    uint64_t pixels = (uint64_t)image->width * (uint64_t)image->height;
    uint64_t wanted = pixels / 8 > PART ? pixels / 8 : PART;
    uint64_t bands = ((uint64_t)image->height + BAND - 1) / BAND;
    uint64_t taken = pixels > wanted ? (bands * wanted + pixels - 1) / pixels : bands;
    /* every second or fourth row of what is measured is enough for shares */
    uint64_t kept = taken * BAND * (uint64_t)image->width;
    int each = kept / COUNTED >= 4 ? 4 : kept / COUNTED >= 2 ? 2 : 1;
    for (uint64_t k = 0; k < taken; k++) {
        int top = (int)((2 * k + 1) * bands / (2 * taken)) * BAND; /* the middle of its share */
        int rows = image->height - top < BAND ? image->height - top : BAND;
        for (int left = 0; left < image->width; left += TILE) {
            int n = image->width - left < TILE ? image->width - left : TILE;
            measure(image->data + (size_t)top * stride + (size_t)left * channels, stride,
                    image->channels, n, rows, luma, sums);
            for (int y = 0; y < rows; y += each)
                count_row(luma[y], n, sums);
        }
    }
}

/* The logarithm to base 2 of a whole number: exact for powers of two and in its differences by them, within 0.0002
 * else. The library's takes ten times as long, and 256 of them as long as decoding a small picture. */
static inline float log2_of(uint32_t n)
{
    float x = (float)n;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 23) - 127;
    bits = (bits & 0x7fffff) | 0x3f800000;
    memcpy(&x, &bits, sizeof x); /* 1..2 */
    /* least squares of log2 over 1..2 that is exact at both ends */
    float t = x - 1;
    return (float)exponent + t * (1.438073F + t * (-0.674767F + t * (0.317001F - t * 0.080307F)));
}

static void describe_shares(const struct sums *sums, vg_facts *facts)
{
    const struct {
        double share;
        uint8_t *to;
    } wanted[] = {{0.01, &facts->p1}, {0.05, &facts->p5}, {0.95, &facts->p95}, {0.99, &facts->p99}};
    double n = (double)sums->counted, bits = 0;
    uint64_t below = 0;
    size_t next = 0;
    for (int v = 0; v < 256; v++) {
        uint32_t count = 0;
        for (int k = 0; k < 4; k++)
            count += sums->histogram[k][v];
        if (count == 0)
            continue;
        below += count;
        bits += (double)count * (double)log2_of(count);
        while (next < sizeof wanted / sizeof *wanted && (double)below >= wanted[next].share * n)
            *wanted[next++].to = (uint8_t)v;
    }
    bits = (double)log2_of((uint32_t)sums->counted) - bits / n;
    facts->entropy = (uint16_t)lround(fmax(bits, 0) * VG_ENTROPY_STEPS);
}

static uint16_t edge_width(const struct sums *sums)
{
    double widest = 0;
    for (int k = 0; k < 2; k++) {
        double a = (double)sums->first[k], b = (double)sums->second[k];
        if (sums->first[k] > sums->pixels / 4) /* less is no edge at all */
            widest = fmax(widest, b > 0 ? sqrt(2 * a / b) : 255);
    }
    return (uint16_t)lround(fmin(widest, 255) * VG_EDGE_STEPS);
}

/* Bytes of pixels beside those of the next channel: a difference anywhere is colour. Stops at the first. */
static bool is_grey(const vg_image *image)
{
    enum { PIXELS = 64 };
    size_t pixels = (size_t)image->width * (size_t)image->height;
    const uint8_t *p = image->data;
    if (image->channels == 1)
        return true;
    for (size_t i = 0; i < pixels;) {
        size_t n = pixels - i < PIXELS ? pixels - i : PIXELS;
        unsigned colour = 0;
        for (size_t k = 0; k < n; k++, p += 3)
            colour |= (unsigned)(p[0] ^ p[1]) | (unsigned)(p[1] ^ p[2]);
        if (colour)
            return false;
        i += n;
    }
    return true;
}

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
    struct sums sums;
    memset(&sums, 0, sizeof sums);
    walk(image, &sums);
    double mean = (double)sums.sum / (double)sums.pixels;
    double variance = (double)sums.squares / (double)sums.pixels - mean * mean;
    facts->brightness = (float)(mean / 255);
    facts->contrast = (float)(sqrt(fmax(variance, 0)) / 255);
    measure_channels(image, facts);
    facts->width = image->width;
    facts->height = image->height;
    facts->coloured = (uint16_t)ceil((double)sums.coloured / (double)sums.pixels * VG_WHOLE);
    facts->edge = edge_width(&sums);
    describe_shares(&sums, facts);
    if (is_grey(image))
        facts->flags |= VG_FACT_GREY;
    if (facts->contrast < perhaps_flat && vg_image_is_flat(image))
        facts->flags |= VG_FACT_FLAT; /* where luma is flat, colours may not be */
    if (!(facts->flags & VG_FACT_FLAT))
        vg_border_find(image, facts->border);
}
