/* Tone: curves, histograms and channels.
 *
 * What torchvision and PIL define on bytes (posterize, equalize) is done on the value rounded to a
 * byte, so that the numbers agree with theirs; everything else stays in floats. The power function
 * is our own, because the C library's differs from processor to processor. */
#include "ops/tone.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LEVELS = 256, MOST_TILES = 8 };

/* log2 of a normal positive float, absolute error below 2e-7. */
static inline float log2_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint32_t shifted = bits - 0x3f3504f3u; /* sqrt(1/2) */
    int32_t exponent = (int32_t)shifted >> 23;
    uint32_t mantissa = (shifted & 0x007fffffu) + 0x3f3504f3u;
    float m;
    memcpy(&m, &mantissa, sizeof m);
    float t = (m - 1) / (m + 1), s = t * t;
    /* 2 / ln 2 artanh(t) */
    float series =
        2.8853901f + s * (0.96179669f + s * (0.57707802f + s * (0.41219859f + s * 0.3206f)));
    return (float)exponent + t * series;
}

/* 2^v for v in (-126, 1], relative error below 3e-7. */
static inline float exp2_of(float v)
{
    int32_t whole = (int32_t)(v - 0.5f); /* v <= 1: towards zero is up for negatives */
    float f = (v - (float)whole) * 0.69314718f;
    float series =
        1 +
        f * (1 + f * (0.5f + f * (0.16666667f +
                                  f * (4.1666667e-2f + f * (8.3333333e-3f + f * 1.3888889e-3f)))));
    uint32_t bits = (uint32_t)(whole + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale * series;
}

void vg_tone_gamma(const vg_pixels *p, double gamma)
{
    if (gamma == 1)
        return;
    float g = (float)gamma;
    size_t n = vg_pixels_count(p);
    for (size_t i = 0; i < n; i++) {
        float v = p->x[i] * (1 / 255.0f);
        float power = g * log2_of(v > 1e-30f ? v : 1e-30f);
        p->x[i] = v > 1e-30f && power > -60 ? vg_pixels_clamp(255 * exp2_of(power)) : 0;
    }
}

void vg_tone_invert(const vg_pixels *p)
{
    size_t n = vg_pixels_count(p);
    for (size_t i = 0; i < n; i++)
        p->x[i] = 255 - p->x[i];
}

void vg_tone_solarize(const vg_pixels *p, double threshold)
{
    float t = (float)threshold;
    size_t n = vg_pixels_count(p);
    for (size_t i = 0; i < n; i++)
        p->x[i] = p->x[i] >= t ? 255 - p->x[i] : p->x[i];
}

static inline int level(float v)
{
    return (int)(v + 0.5f);
}

void vg_tone_posterize(const vg_pixels *p, int bits)
{
    if (bits >= 8)
        return;
    int mask = bits <= 0 ? 0 : 0xff & ~((1 << (8 - bits)) - 1);
    size_t n = vg_pixels_count(p);
    for (size_t i = 0; i < n; i++)
        p->x[i] = (float)(level(p->x[i]) & mask);
}

static void range_of(const float *x, size_t n, float *low, float *high)
{
    float least = x[0], most = x[0];
    for (size_t i = 1; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    *low = least;
    *high = most;
}

void vg_tone_autocontrast(const vg_pixels *p)
{
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n, low, high;
        range_of(x, n, &low, &high);
        if (!(high > low))
            continue;
        float scale = 255 / (high - low);
        for (size_t i = 0; i < n; i++)
            x[i] = vg_pixels_clamp((x[i] - low) * scale);
    }
}

static void count_levels(const float *x, size_t n, uint32_t counts[LEVELS])
{
    memset(counts, 0, LEVELS * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        counts[level(x[i])]++;
}

void vg_tone_equalize(const vg_pixels *p)
{
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n, table[LEVELS];
        uint32_t counts[LEVELS];
        count_levels(x, n, counts);
        int last = LEVELS - 1;
        while (counts[last] == 0)
            last--;
        size_t step = (n - counts[last]) / 255, sum = step / 2;
        if (step == 0)
            continue;
        for (int v = 0; v < LEVELS; v++) {
            size_t to = sum / step;
            table[v] = to > 255 ? 255 : (float)to;
            sum += counts[v];
        }
        for (size_t i = 0; i < n; i++)
            x[i] = table[level(x[i])];
    }
}

void vg_tone_grey(const vg_pixels *p)
{
    if (p->channels != 3)
        return;
    size_t n = vg_pixels_plane(p);
    float *red = p->x, *green = red + n, *blue = green + n;
    for (size_t i = 0; i < n; i++)
        red[i] = green[i] = blue[i] = vg_pixels_clamp(vg_pixels_luma(red[i], green[i], blue[i]));
}

void vg_tone_shift(const vg_pixels *p, double amount)
{
    float low, high, add = (float)amount;
    size_t n = vg_pixels_count(p);
    range_of(p->x, n, &low, &high);
    for (size_t i = 0; i < n; i++) {
        float v = p->x[i] + add;
        p->x[i] = v < low ? low : v > high ? high : v;
    }
}

void vg_tone_shift_channels(const vg_pixels *p, const double amount[3])
{
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n, add = (float)amount[c];
        for (size_t i = 0; i < n; i++)
            x[i] = vg_pixels_clamp(x[i] + add);
    }
}

void vg_tone_shuffle(const vg_pixels *p, const int order[3])
{
    if (p->channels != 3 || (order[0] == 0 && order[1] == 1))
        return;
    size_t n = vg_pixels_plane(p);
    memcpy(p->spare, p->x, 3 * n * sizeof *p->x);
    for (int c = 0; c < 3; c++)
        memcpy(p->x + (size_t)c * n, p->spare + (size_t)order[c] * n, n * sizeof *p->x);
}

/* ---- CLAHE */

typedef struct tiling {
    int across, down; /* tiles */
    int width,
        height; /* of one; the last ones reach over the edge, where the picture is mirrored */
    float table[MOST_TILES * MOST_TILES][LEVELS];
} tiling;

static int mirrored(int i, int n)
{
    if (n == 1)
        return 0;
    int period = 2 * (n - 1), at = i % period;
    return at < n ? at : period - at;
}

/* Cuts peaks of the histogram and spreads what was cut, as OpenCV does. */
static void limit(uint32_t counts[LEVELS], uint32_t most)
{
    uint32_t cut = 0;
    for (int v = 0; v < LEVELS; v++)
        if (counts[v] > most) {
            cut += counts[v] - most;
            counts[v] = most;
        }
    uint32_t each = cut / LEVELS, rest = cut % LEVELS;
    for (int v = 0; v < LEVELS; v++)
        counts[v] += each;
    if (rest == 0)
        return;
    uint32_t step = LEVELS / rest > 1 ? LEVELS / rest : 1;
    for (uint32_t v = 0; v < LEVELS && rest > 0; v += step, rest--)
        counts[v]++;
}

static void fill_table(const vg_pixels *p, const float *luma, double clip, int tx, int ty,
                       tiling *t)
{
    uint32_t counts[LEVELS] = {0}, area = (uint32_t)t->width * (uint32_t)t->height;
    for (int y = ty * t->height; y < (ty + 1) * t->height; y++) {
        const float *row = luma + (size_t)mirrored(y, p->height) * (size_t)p->width;
        for (int x = tx * t->width; x < (tx + 1) * t->width; x++)
            counts[level(row[mirrored(x, p->width)])]++;
    }
    if (clip > 0) {
        double most = clip * area / LEVELS;
        limit(counts, most < 1 ? 1 : most > 4e9 ? UINT32_MAX : (uint32_t)most);
    }
    float *table = t->table[ty * t->across + tx], scale = 255.0f / (float)area;
    uint32_t sum = 0;
    for (int v = 0; v < LEVELS; v++) {
        sum += counts[v];
        float to = (float)sum * scale;
        table[v] = to > 255 ? 255 : nearbyintf(to);
    }
}

/* The two tiles whose centres are on either side of pixel i, and the weight of the second. */
static void neighbours(int i, int size, int tiles, int *first, int *second, float *weight)
{
    float at = (float)i / (float)size - 0.5f;
    int low = (int)floorf(at);
    *weight = at - (float)low;
    *first = low < 0 ? 0 : low;
    *second = low + 1 > tiles - 1 ? tiles - 1 : low + 1;
}

void vg_tone_clahe(const vg_pixels *p, double clip, int tiles)
{
    tiling t;
    tiles = tiles < 1 ? 1 : tiles > MOST_TILES ? MOST_TILES : tiles;
    t.across = tiles < p->width ? tiles : p->width;
    t.down = tiles < p->height ? tiles : p->height;
    t.width = (p->width + t.across - 1) / t.across;
    t.height = (p->height + t.down - 1) / t.down;
    size_t n = vg_pixels_plane(p);
    float *luma = p->spare;
    for (size_t i = 0; i < n; i++)
        luma[i] = p->channels == 3
                      ? vg_pixels_clamp(vg_pixels_luma(p->x[i], p->x[n + i], p->x[2 * n + i]))
                      : p->x[i];
    for (int ty = 0; ty < t.down; ty++)
        for (int tx = 0; tx < t.across; tx++)
            fill_table(p, luma, clip, tx, ty, &t);
    for (int y = 0; y < p->height; y++) {
        int top, bottom;
        float fy;
        neighbours(y, t.height, t.down, &top, &bottom, &fy);
        for (int x = 0; x < p->width; x++) {
            int left, right;
            float fx;
            neighbours(x, t.width, t.across, &left, &right, &fx);
            size_t i = (size_t)y * (size_t)p->width + (size_t)x;
            int v = level(luma[i]);
            float above = t.table[top * t.across + left][v] * (1 - fx) +
                          t.table[top * t.across + right][v] * fx;
            float below = t.table[bottom * t.across + left][v] * (1 - fx) +
                          t.table[bottom * t.across + right][v] * fx;
            float change = above * (1 - fy) + below * fy - (float)v;
            for (int c = 0; c < p->channels; c++) {
                float *to = p->x + (size_t)c * n + i;
                *to = vg_pixels_clamp(*to + change);
            }
        }
    }
}
