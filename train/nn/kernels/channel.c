/* Loops over maps in which every channel has coefficients or sums of its own.
 *
 * Few channels would leave most of a vector empty. So several pixels are taken as one wide row: the
 * coefficients are laid out as often as they fit, and sums are kept for each place of the row and
 * folded at the end. The layout is a function of the number of channels and pixels alone. */
#include "nn/kernels/kernels.h"

#include <string.h>

enum {
    VECTOR = 16,
    STRIP = 64,
    HALF = 32,
    ROWS = 32, /* values added in float before they are added in double */
    WIDE = 64, /* from so many channels on a pixel is a row of its own */
    LEAST = 2 * WIDE,
    TABLE = 16 * 64, /* values of the widest row of several pixels */
    ENOUGH = 4       /* rows that make it worthwhile */
};

/* Pixels of a row: so that it is made of whole vectors, and wide enough to be worth a loop. */
static size_t pixels_of_row(size_t c, size_t pixels)
{
    if (c >= WIDE)
        return 1;
    size_t odd = VECTOR;
    for (size_t rest = c; rest % 2 == 0 && odd > 1; rest /= 2)
        odd /= 2;
    size_t n = odd;
    while (n * c < LEAST && (n + odd) * c <= TABLE)
        n += odd;
    return pixels >= ENOUGH * n ? n : 1;
}

static const float *lay_out(const float *from, size_t c, size_t times, float *table)
{
    if (times == 1)
        return from;
    memcpy(table, from, c * sizeof *table);
    for (size_t i = 1; i < times; i++)
        memcpy(table + i * c, from, c * sizeof *table);
    return table;
}

size_t vg_channel_period(size_t c)
{
    return c * pixels_of_row(c, SIZE_MAX);
}

void vg_channel_lay_out(const float *from, size_t c, float *table)
{
    for (size_t at = 0; at < vg_channel_period(c); at += c)
        memcpy(table + at, from, c * sizeof *table);
}

VG_KERNEL static void bias_rows(const float *x, float *y, size_t rows, size_t width,
                                const float *restrict b, int relu)
{
    for (size_t r = 0; r < rows; r++, x += width, y += width)
        if (relu)
            for (size_t j = 0; j < width; j++) {
                float v = x[j] + b[j];
                y[j] = v < 0 ? 0 : v;
            }
        else
            for (size_t j = 0; j < width; j++)
                y[j] = x[j] + b[j];
}

void vg_channel_bias(const float *x, float *y, size_t pixels, size_t c, const float *b, int relu)
{
    if (!b) {
        if (relu)
            vg_relu(x, y, pixels * c);
        else if (x != y)
            memcpy(y, x, pixels * c * sizeof *y);
        return;
    }
    float table[TABLE];
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    bias_rows(x, y, rows, times * c, lay_out(b, c, times, table), relu);
    bias_rows(x + done, y + done, pixels - rows * times, c, b, relu);
}

VG_KERNEL static void affine_rows(const float *x, float *y, size_t rows, size_t width,
                                  const float *restrict a, const float *restrict b, int relu)
{
    for (size_t r = 0; r < rows; r++, x += width, y += width)
        if (relu)
            for (size_t j = 0; j < width; j++) {
                float v = a[j] * x[j] + b[j];
                y[j] = v < 0 ? 0 : v;
            }
        else
            for (size_t j = 0; j < width; j++)
                y[j] = a[j] * x[j] + b[j];
}

void vg_channel_affine(const float *x, float *y, size_t pixels, size_t c, const float *a,
                       const float *b, int relu)
{
    float at[TABLE], bt[TABLE];
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    affine_rows(x, y, rows, times * c, lay_out(a, c, times, at), lay_out(b, c, times, bt), relu);
    affine_rows(x + done, y + done, pixels - rows * times, c, a, b, relu);
}

void vg_channel_affine_wide(const float *x, float *y, size_t n, size_t period, const float *a,
                            const float *b, int relu)
{
    size_t done = n / period * period;
    affine_rows(x, y, n / period, period, a, b, relu);
    affine_rows(x + done, y + done, 1, n - done, a, b, relu);
}

VG_KERNEL static void affine2_rows(const float *dy, const float *x, float *dx, size_t rows,
                                   size_t width, const float *restrict a, const float *restrict b,
                                   const float *restrict d)
{
    for (size_t r = 0; r < rows; r++, dy += width, x += width, dx += width)
        for (size_t j = 0; j < width; j++)
            dx[j] = a[j] * dy[j] + b[j] * x[j] + d[j];
}

void vg_channel_affine2(const float *dy, const float *x, float *dx, size_t pixels, size_t c,
                        const float *a, const float *b, const float *d)
{
    float at[TABLE], bt[TABLE], dt[TABLE];
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    affine2_rows(dy, x, dx, rows, times * c, lay_out(a, c, times, at), lay_out(b, c, times, bt),
                 lay_out(d, c, times, dt));
    affine2_rows(dy + done, x + done, dx + done, pixels - rows * times, c, a, b, d);
}

/* Columns [0, width), width a constant where it is called, of rows `stride` apart. */
static inline __attribute__((always_inline)) void
sum_strip(const float *restrict x, const float *restrict y, size_t rows, size_t stride,
          size_t width, double *restrict sum, double *restrict product)
{
    for (size_t r = 0; r < rows;) {
        float a[STRIP] = {0}, b[STRIP] = {0};
        size_t end = r + ROWS < rows ? r + ROWS : rows;
        for (; r < end; r++, x += stride, y += stride)
            for (size_t j = 0; j < width; j++) {
                a[j] += x[j];
                b[j] += x[j] * y[j];
            }
        for (size_t j = 0; j < width; j++) {
            sum[j] += (double)a[j];
            product[j] += (double)b[j];
        }
    }
}

VG_KERNEL static void sum_rows(const float *x, const float *y, size_t rows, size_t width,
                               double *sum, double *product)
{
    size_t j = 0;
    for (; j + STRIP <= width; j += STRIP)
        sum_strip(x + j, y + j, rows, width, STRIP, sum + j, product + j);
    for (; j + VECTOR <= width; j += VECTOR)
        sum_strip(x + j, y + j, rows, width, VECTOR, sum + j, product + j);
    for (; j < width; j++)
        sum_strip(x + j, y + j, rows, width, 1, sum + j, product + j);
}

/* Folds the sums of `times` pixels side by side. */
static void fold(const double *wide, size_t times, size_t c, double *sum)
{
    for (size_t i = 0; i < times; i++)
        for (size_t k = 0; k < c; k++)
            sum[k] += wide[i * c + k];
}

void vg_channel_sums(const float *x, const float *y, size_t pixels, size_t c, double *sum,
                     double *product)
{
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    if (times == 1) {
        sum_rows(x, y, pixels, c, sum, product);
        return;
    }
    double s[TABLE], p[TABLE];
    memset(s, 0, times * c * sizeof *s);
    memset(p, 0, times * c * sizeof *p);
    sum_rows(x, y, rows, times * c, s, p);
    fold(s, times, c, sum);
    fold(p, times, c, product);
    sum_rows(x + done, y + done, pixels - rows * times, c, sum, product);
}

VG_KERNEL static void affine2_rows_behind(const float *dy, const float *x, float *dx, size_t rows,
                                          size_t width, const float *restrict fa,
                                          const float *restrict fb, const float *restrict a,
                                          const float *restrict b, const float *restrict d)
{
    for (size_t r = 0; r < rows; r++, dy += width, x += width, dx += width)
        for (size_t j = 0; j < width; j++) {
            float v = dy[j];
            v = fa[j] * x[j] + fb[j] <= 0 ? 0 : v;
            dx[j] = a[j] * v + b[j] * x[j] + d[j];
        }
}

void vg_channel_affine2_behind(const float *dy, const float *x, float *dx, size_t pixels, size_t c,
                               const float *fa, const float *fb, const float *a, const float *b,
                               const float *d)
{
    float fat[TABLE], fbt[TABLE], at[TABLE], bt[TABLE], dt[TABLE];
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    affine2_rows_behind(dy, x, dx, rows, times * c, lay_out(fa, c, times, fat),
                        lay_out(fb, c, times, fbt), lay_out(a, c, times, at),
                        lay_out(b, c, times, bt), lay_out(d, c, times, dt));
    affine2_rows_behind(dy + done, x + done, dx + done, pixels - rows * times, c, fa, fb, a, b, d);
}

/* As sum_strip. */
static inline __attribute__((always_inline)) void
sum_strip_behind(const float *restrict dy, const float *restrict x, size_t rows, size_t stride,
                 size_t width, const float *restrict fa, const float *restrict fb,
                 double *restrict sum, double *restrict product)
{
    for (size_t r = 0; r < rows;) {
        float a[STRIP] = {0}, b[STRIP] = {0};
        size_t end = r + ROWS < rows ? r + ROWS : rows;
        for (; r < end; r++, x += stride, dy += stride)
            for (size_t j = 0; j < width; j++) {
                float v = dy[j];
                v = fa[j] * x[j] + fb[j] <= 0 ? 0 : v;
                a[j] += v;
                b[j] += v * x[j];
            }
        for (size_t j = 0; j < width; j++) {
            sum[j] += (double)a[j];
            product[j] += (double)b[j];
        }
    }
}

VG_KERNEL static void sum_rows_behind(const float *dy, const float *x, size_t rows, size_t width,
                                      const float *fa, const float *fb, double *sum,
                                      double *product)
{
    size_t j = 0;
    for (; j + HALF <= width; j += HALF)
        sum_strip_behind(dy + j, x + j, rows, width, HALF, fa + j, fb + j, sum + j, product + j);
    for (; j + VECTOR <= width; j += VECTOR)
        sum_strip_behind(dy + j, x + j, rows, width, VECTOR, fa + j, fb + j, sum + j, product + j);
    for (; j < width; j++)
        sum_strip_behind(dy + j, x + j, rows, width, 1, fa + j, fb + j, sum + j, product + j);
}

void vg_channel_sums_behind(const float *dy, const float *x, size_t pixels, size_t c,
                            const float *fa, const float *fb, double *sum, double *product)
{
    size_t times = pixels_of_row(c, pixels), rows = pixels / times, done = rows * times * c;
    if (times == 1) {
        sum_rows_behind(dy, x, pixels, c, fa, fb, sum, product);
        return;
    }
    float fat[TABLE], fbt[TABLE];
    double s[TABLE], p[TABLE];
    memset(s, 0, times * c * sizeof *s);
    memset(p, 0, times * c * sizeof *p);
    sum_rows_behind(dy, x, rows, times * c, lay_out(fa, c, times, fat), lay_out(fb, c, times, fbt),
                    s, p);
    fold(s, times, c, sum);
    fold(p, times, c, product);
    sum_rows_behind(dy + done, x + done, pixels - rows * times, c, fa, fb, sum, product);
}

VG_KERNEL void vg_channel_average(const float *x, size_t pixels, size_t c, float *mean)
{
    for (size_t k0 = 0; k0 < c; k0 += STRIP) {
        size_t width = c - k0 < STRIP ? c - k0 : STRIP;
        double sum[STRIP] = {0};
        for (size_t i = 0; i < pixels; i++)
            for (size_t k = 0; k < width; k++)
                sum[k] += (double)x[i * c + k0 + k];
        for (size_t k = 0; k < width; k++)
            mean[k0 + k] = (float)(sum[k] / (double)pixels);
    }
}
