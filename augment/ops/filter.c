/* Filters over neighbourhoods, in two passes where they separate.
 *
 * The inner loops run along rows over contiguous floats with the edges handled apart, which the
 * compiler turns into vector code; sums are taken in a fixed order, so that every machine gives the
 * same bytes. */
#include "ops/filter.h"

#include "arithmetic.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static int mirrored(int i, int n)
{
    if (n == 1)
        return 0;
    int period = 2 * (n - 1);
    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : period - i;
}

/* weight[0 .. reach], the middle first; the whole kernel adds up to 1. Returns the reach. */
static int gaussian_weights(double sigma, float weight[VG_FILTER_REACH + 1])
{
    int reach = (int)ceil(3 * sigma);
    reach = reach > VG_FILTER_REACH ? VG_FILTER_REACH : reach;
    double value[VG_FILTER_REACH + 1] = {0}, sum = 0;
    for (int k = 0; k <= reach; k++) {
        value[k] = vg_exponential(-k * k / (2 * sigma * sigma));
        sum += k ? 2 * value[k] : value[k];
    }
    for (int k = 0; k <= reach; k++)
        weight[k] = (float)(value[k] / sum);
    return reach;
}

static void blur_row(const float *from, int n, const float *weight, int reach, float *to)
{
    for (int i = 0; i < n; i++)
        to[i] = weight[0] * from[i];
    for (int k = 1; k <= reach; k++) {
        int left = k < n ? k : n, right = n - k > left ? n - k : left;
        float w = weight[k];
        for (int i = 0; i < left; i++)
            to[i] += w * (from[mirrored(i - k, n)] + from[mirrored(i + k, n)]);
        for (int i = left; i < right; i++)
            to[i] += w * (from[i - k] + from[i + k]);
        for (int i = right; i < n; i++)
            to[i] += w * (from[mirrored(i - k, n)] + from[mirrored(i + k, n)]);
    }
}

void vg_filter_gaussian(const vg_pixels *p, double sigma)
{
    if (!(sigma > 0))
        return;
    float weight[VG_FILTER_REACH + 1] = {0};
    int reach = gaussian_weights(sigma, weight);
    size_t width = (size_t)p->width;
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * vg_pixels_plane(p), *rows = p->spare;
        for (int y = 0; y < p->height; y++)
            blur_row(x + (size_t)y * width, p->width, weight, reach, rows + (size_t)y * width);
        for (int y = 0; y < p->height; y++) {
            float *to = x + (size_t)y * width;
            const float *middle = rows + (size_t)y * width;
            for (size_t i = 0; i < width; i++)
                to[i] = weight[0] * middle[i];
            for (int k = 1; k <= reach; k++) {
                const float *above = rows + (size_t)mirrored(y - k, p->height) * width;
                const float *below = rows + (size_t)mirrored(y + k, p->height) * width;
                for (size_t i = 0; i < width; i++)
                    to[i] += weight[k] * (above[i] + below[i]);
            }
            for (size_t i = 0; i < width; i++)
                to[i] = vg_pixels_clamp(to[i]);
        }
    }
}

/* Adds weight times the plane moved by whole pixels (dx, dy) to `to`. */
static void add_moved(const float *from, int width, int height, int dx, int dy, float weight,
                      float *to)
{
    int left = -dx > 0 ? -dx : 0, right = dx > 0 ? width - dx : width;
    left = left > width ? width : left;
    right = right < left ? left : right;
    for (int y = 0; y < height; y++, to += width) {
        const float *row = from + (size_t)mirrored(y + dy, height) * (size_t)width;
        for (int i = 0; i < left; i++)
            to[i] += weight * row[mirrored(i + dx, width)];
        for (int i = left; i < right; i++)
            to[i] += weight * row[i + dx];
        for (int i = right; i < width; i++)
            to[i] += weight * row[mirrored(i + dx, width)];
    }
}

void vg_filter_motion(const vg_pixels *p, double length, double degrees)
{
    int taps = (int)floor(length + 0.5);
    taps = taps > 2 * VG_FILTER_REACH ? 2 * VG_FILTER_REACH : taps;
    if (taps <= 1)
        return;
    double sine, cosine;
    vg_sine_cosine(degrees, &sine, &cosine);
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n;
        memset(p->spare, 0, n * sizeof *p->spare);
        for (int k = 0; k < taps; k++) {
            double along = k - (taps - 1) / 2.0, dx = along * cosine, dy = -along * sine;
            int left = (int)floor(dx), top = (int)floor(dy);
            float fx = (float)(dx - left), fy = (float)(dy - top);
            for (int corner = 0; corner < 4; corner++) {
                float weight = (corner & 1 ? fx : 1 - fx) * (corner & 2 ? fy : 1 - fy);
                if (weight > 0)
                    add_moved(x, p->width, p->height, left + (corner & 1), top + (corner >> 1),
                              weight / (float)taps, p->spare);
            }
        }
        for (size_t i = 0; i < n; i++)
            x[i] = vg_pixels_clamp(p->spare[i]);
    }
}

static int clamped(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static void median_row(const float *plane, int width, int height, int y, int radius, float *to)
{
    /* A histogram that moves along the row: Huang, Yang, Tang, "A fast two-dimensional median
     * filtering algorithm", 1979. */
    uint16_t counts[256] = {0};
    const float *rows[7];
    int side = 2 * radius + 1, half = side * side / 2;
    for (int k = 0; k < side; k++)
        rows[k] = plane + (size_t)clamped(y + k - radius, height) * (size_t)width;
    for (int k = 0; k < side; k++)
        for (int i = -radius; i <= radius; i++)
            counts[(int)(rows[k][clamped(i, width)] + 0.5f)]++;
    int median = 0, below = 0; /* values below the median */
    for (int x = 0;; x++) {
        while (below > half)
            below -= counts[--median];
        while (below + counts[median] <= half)
            below += counts[median++];
        to[x] = (float)median;
        if (x + 1 == width)
            return;
        int leaves = clamped(x - radius, width), enters = clamped(x + 1 + radius, width);
        for (int k = 0; k < side; k++) {
            int out = (int)(rows[k][leaves] + 0.5f), in = (int)(rows[k][enters] + 0.5f);
            counts[out]--;
            counts[in]++;
            below += (in < median) - (out < median);
        }
    }
}

void vg_filter_median(const vg_pixels *p, int radius)
{
    if (radius < 1)
        return;
    radius = radius > 3 ? 3 : radius;
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        memcpy(p->spare, p->x + (size_t)c * n, n * sizeof *p->x);
        for (int y = 0; y < p->height; y++)
            median_row(p->spare, p->width, p->height, y, radius,
                       p->x + (size_t)c * n + (size_t)y * (size_t)p->width);
    }
}

void vg_filter_sharpness(const vg_pixels *p, double factor)
{
    if (factor == 1 || p->width < 3 || p->height < 3)
        return;
    float f = (float)factor, rest = (float)(1 - factor);
    size_t n = vg_pixels_plane(p), width = (size_t)p->width;
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n;
        memcpy(p->spare, x, n * sizeof *x);
        for (int y = 1; y + 1 < p->height; y++) {
            const float *b = p->spare + (size_t)y * width, *a = b - width, *d = b + width;
            float *to = x + (size_t)y * width;
            for (size_t i = 1; i + 1 < width; i++) {
                float ring =
                    a[i - 1] + a[i] + a[i + 1] + b[i - 1] + b[i + 1] + d[i - 1] + d[i] + d[i + 1];
                float smooth = (ring + 5 * b[i]) * (1 / 13.0f);
                to[i] = vg_pixels_clamp(f * b[i] + rest * smooth);
            }
        }
    }
}

/* The mean of from[start, start + extent) with fractional ends, of values `stride` apart. */
static float area_mean(const float *from, size_t stride, double start, double extent, int n)
{
    double sum = 0, end = start + extent;
    for (int i = (int)start; i < n && i < end; i++) {
        double low = i > start ? i : start, high = i + 1 < end ? i + 1 : end;
        sum += (high - low) * (double)from[(size_t)i * stride];
    }
    return (float)(sum / extent);
}

/* Where output i of n lies between inputs of m, centres aligned. */
static float between(int i, int n, int m, int *first, int *second)
{
    double at = (i + 0.5) * m / n - 0.5;
    int low = (int)floor(at);
    *first = clamped(low, m);
    *second = clamped(low + 1, m);
    return (float)(at - low);
}

void vg_filter_downscale(const vg_pixels *p, double scale)
{
    int width = (int)(p->width * scale + 0.5), height = (int)(p->height * scale + 0.5);
    width = width < 1 ? 1 : width;
    height = height < 1 ? 1 : height;
    if (scale >= 1 || (width >= p->width && height >= p->height))
        return;
    size_t n = vg_pixels_plane(p), stride = (size_t)p->width;
    double wide = (double)p->width / width, high = (double)p->height / height;
    for (int c = 0; c < p->channels; c++) {
        float *x = p->x + (size_t)c * n, *rows = p->spare;
        for (int y = 0; y < p->height; y++) /* across, in place of the first columns */
            for (int u = 0; u < width; u++)
                rows[(size_t)y * stride + (size_t)u] =
                    area_mean(x + (size_t)y * stride, 1, u * wide, wide, p->width);
        for (int v = 0; v < height; v++) /* down, into the first rows of the picture itself */
            for (int u = 0; u < width; u++)
                x[(size_t)v * stride + (size_t)u] =
                    area_mean(rows + u, stride, v * high, high, p->height);
        for (int v = 0; v < height; v++)
            memcpy(rows + (size_t)v * stride, x + (size_t)v * stride, (size_t)width * sizeof *x);
        for (int y = 0; y < p->height; y++) {
            int top, bottom;
            float fy = between(y, p->height, height, &top, &bottom);
            const float *a = rows + (size_t)top * stride, *b = rows + (size_t)bottom * stride;
            for (int i = 0; i < p->width; i++) {
                int left, right;
                float fx = between(i, p->width, width, &left, &right);
                float above = a[left] + fx * (a[right] - a[left]);
                float below = b[left] + fx * (b[right] - b[left]);
                x[(size_t)y * stride + (size_t)i] = vg_pixels_clamp(above + fy * (below - above));
            }
        }
    }
}
