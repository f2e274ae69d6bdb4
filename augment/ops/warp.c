/* The affine resampler: bilinear (ops/bilinear.c) where the picture is not reduced, a mapped tent
 * where it is.
 *
 * The tent reads the input through two tables, one for columns and one for rows, that already hold the
 * fill mode's answer for every coordinate the map can reach, so that no kernel knows of the border;
 * where the tent's columns all lie in the picture, which is nearly everywhere, they need no table.
 * It refuses maps that reach further than MAX_REACH pixels, because the tables would. The naive
 * twins live in tests/test_warp.c. */
#include "ops/warp.h"

#include "base/alloc.h"
#include "ops/bilinear.h"
#include "ops/strip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REACH = 1 << 22 };
static const double BILINEAR_LIMIT = 1.25; /* reductions up to here alias too little to see */
static const double EDGE = 1e-6;           /* rounding of the matrix, in pixels */

/* One axis of the input: where coordinate low + i is to be read. */
typedef struct axis {
    const int *index;
    int low;
} axis;

/* The inverse of the tent's matrix: pixel offset -> tent coordinates. */
typedef struct tent {
    double ax, ay, bx, by;
    double half_width, half_height; /* of its bounding box, input pixels */
} tent;

typedef struct job {
    vg_view in;
    double m[6];
    int width, height;
    axis x, y;
    bool constant;
    double x0, x1, y0, y1; /* constant fill outside of these */
    float value;
    vg_strip strip;
    vg_strip_sum sum;
} job;

void vg_warp_scratch_reset(vg_warp_scratch *scratch)
{
    free(scratch->table);
    free(scratch->planes);
    vg_image_reset(&scratch->reduced);
    vg_resize_scratch_reset(&scratch->resize);
    scratch->table = NULL;
    scratch->capacity = 0;
    scratch->planes = NULL;
    scratch->planes_capacity = 0;
}

/* Where coordinate i of an axis of n pixels is read. */
static int place(long i, int n, vg_fill fill)
{
    if (i >= 0 && i < n)
        return (int)i;
    if (fill == VG_FILL_WRAP || fill == VG_FILL_REFLECT) {
        long period = fill == VG_FILL_WRAP ? n : 2L * n;
        i %= period;
        if (i < 0)
            i += period;
        return (int)(i < n ? i : period - 1 - i);
    }
    return i < 0 ? 0 : n - 1;
}

/* The singular values of the linear part, larger first. */
static void singular_values(const double m[6], double *large, double *small)
{
    double a = m[0], b = m[1], c = m[3], d = m[4];
    double sum = a * a + b * b + c * c + d * d, det = fabs(a * d - b * c);
    double root = sqrt(fmax(0, sum * sum / 4 - det * det));
    *large = sqrt(sum / 2 + root);
    *small = *large > 0 ? det / *large : 0;
}

/* The tent of the map, no direction of it narrower than one input pixel: A = U S V' with S raised
 * to at least 1. */
static tent make_tent(const double m[6])
{
    double a = m[0], b = m[1], c = m[3], d = m[4], large, small;
    singular_values(m, &large, &small);
    if (small < 1) {
        /* Left singular vectors: the axes of A A'. */
        double p = a * a + b * b, q = a * c + b * d, r = c * c + d * d;
        double half = (p - r) / 2, length = sqrt(half * half + q * q);
        double turn = length > 0 ? half / length : 1; /* cosine of twice the axis' angle */
        double ux = sqrt((1 + turn) / 2), uy = copysign(sqrt(fmax(0, 1 - turn) / 2), q);
        double first = fmax(large, 1) / large, second = small > 0 ? 1 / small : 0;
        /* A' = U diag(first, second) U' A */
        double k00 = first * ux * ux + second * uy * uy, k01 = (first - second) * ux * uy;
        double k11 = first * uy * uy + second * ux * ux;
        double a2 = k00 * a + k01 * c, b2 = k00 * b + k01 * d;
        c = k01 * m[0] + k11 * m[3];
        d = k01 * m[1] + k11 * m[4];
        a = a2;
        b = b2;
    }
    double det = a * d - b * c;
    tent t = {.ax = d / det, .ay = -b / det, .bx = -c / det, .by = a / det};
    t.half_width = fabs(a) + fabs(b);
    t.half_height = fabs(c) + fabs(d);
    return t;
}

/* floor(), without a call: coordinates are far below MAX_REACH. */
static inline int whole(double v)
{
    int i = (int)v;
    return i - (v < i);
}

static void fill_pixel(const job *j, float *out, size_t plane, int channels)
{
    for (int c = 0; c < channels; c++)
        out[(size_t)c * plane] = j->value;
}

static inline bool outside(const job *j, double x, double y)
{
    return x < j->x0 || x > j->x1 || y < j->y0 || y > j->y1;
}

/* Narrows [*low, *high] to where |start + slope * t| <= bound. */
static void clip(double start, double slope, double bound, double *low, double *high)
{
    if (fabs(slope) < 1e-12)
        return;
    double centre = -start / slope, reach = bound / fabs(slope);
    *low = fmax(*low, centre - reach);
    *high = fmin(*high, centre + reach);
}

/* Adds one strip: columns from `column`, `count` rows from `row`, in the picture or not. */
static inline void add_strip(const job *j, const tent *t, double x, double y, int column, int row,
                             int count, int64_t sum[4])
{
    float a = (float)(t->ax * (column - x) + t->ay * (row - y));
    float b = (float)((t->bx * (column - x) + t->by * (row - y)) * VG_STRIP_ONE);
    const int *rows = j->y.index + (row - j->y.low);
    int32_t part[4];
    if (column >= 0 && column + VG_STRIP_COLUMNS <= j->in.width) {
        j->sum(&j->strip, (size_t)column, rows, count, a, b, part);
    } else { /* collected through the table into a small picture */
        enum { PLANE = VG_STRIP_ROWS * VG_STRIP_COLUMNS };
        uint8_t bytes[3 * PLANE];
        int places[VG_STRIP_ROWS];
        vg_strip small = j->strip;
        small.plane = PLANE;
        small.stride = VG_STRIP_COLUMNS;
        const int *columns = j->x.index + (column - j->x.low);
        for (int k = 0; k < count; k++) {
            const uint8_t *line = j->strip.planes + (size_t)rows[k] * j->strip.stride;
            places[k] = k;
            for (int c = 0; c < small.channels; c++, line += j->strip.plane)
                for (int i = 0; i < VG_STRIP_COLUMNS; i++)
                    bytes[c * PLANE + k * VG_STRIP_COLUMNS + i] = line[columns[i]];
        }
        small.planes = bytes;
        j->sum(&small, 0, places, count, a, b, part);
    }
    for (int c = 0; c < 4; c++)
        sum[c] += part[c];
}

/* The weighted mean under the tent at (x, y): strips over its bounding box, whose corners have
 * weight 0. */
static inline void gather(const job *j, const tent *t, double x, double y, float mean[3])
{
    int left = -whole(t->half_width - x), right = whole(x + t->half_width);
    int top = -whole(t->half_height - y), bottom = whole(y + t->half_height);
    int spare = j->in.width - VG_STRIP_COLUMNS;
    if (left > spare && spare >= 0 && right < j->in.width)
        left = spare; /* the last strip that needs no table */
    int64_t sum[4] = {0};
    for (int column = left; column <= right; column += VG_STRIP_COLUMNS) {
        int first = top, last = bottom;
        if (right - left >= VG_STRIP_COLUMNS) { /* long tents fill little of their box */
            const double half = (VG_STRIP_COLUMNS - 1) / 2.0;
            double middle = column + half - x, low = top - y, high = bottom - y;
            clip(t->ax * middle, t->ay, 1 + fabs(t->ax) * half, &low, &high);
            clip(t->bx * middle, t->by, 1 + fabs(t->bx) * half, &low, &high);
            first = -whole(-(y + low));
            last = whole(y + high);
        }
        for (int row = first; row <= last; row += VG_STRIP_ROWS) {
            int count = last - row + 1;
            add_strip(j, t, x, y, column, row, count < VG_STRIP_ROWS ? count : VG_STRIP_ROWS, sum);
        }
    }
    for (int c = 0; c < 3; c++)
        mean[c] = (float)sum[c] / (float)sum[3]; /* the tent holds a circle of radius 1: > 0 */
}

static void tented(const job *j, const tent *t, int channels, float *out)
{
    size_t plane = (size_t)j->width * (size_t)j->height;
    for (int v = 0; v < j->height; v++) {
        for (int u = 0; u < j->width; u++, out++) {
            double x = j->m[0] * u + j->m[1] * v + j->m[2];
            double y = j->m[3] * u + j->m[4] * v + j->m[5];
            if (j->constant && outside(j, x, y)) {
                fill_pixel(j, out, plane, channels);
                continue;
            }
            float mean[3] = {0};
            gather(j, t, x, y, mean);
            for (int c = 0; c < channels; c++)
                out[(size_t)c * plane] = mean[c];
        }
    }
}

/* What the strips read: the picture as planes. */
static vg_status make_strip(job *j, const tent *t, vg_warp_scratch *scratch, vg_error *err)
{
    const vg_view *in = &j->in;
    size_t width = (size_t)in->width, n = width * (size_t)in->height;
    j->strip = (vg_strip){.planes = in->data,
                          .plane = n,
                          .stride = in->channels == 1 ? in->stride : width,
                          .channels = in->channels,
                          .ax = (float)t->ax,
                          .ay = (float)t->ay,
                          .bx = (float)(t->bx * VG_STRIP_ONE),
                          .by = (float)(t->by * VG_STRIP_ONE)};
    j->sum = vg_strip_best();
    if (in->channels == 1)
        return VG_OK;
    if (!vg_grow(&scratch->planes, &scratch->planes_capacity, 3 * n, 1))
        return vg_fail(err, VG_E_NOMEM, "out of memory for the planes of a warp");
    for (size_t y = 0; y < (size_t)in->height; y++)
        vg_strip_split(in->data + y * in->stride, width, scratch->planes + y * width, n);
    j->strip.planes = scratch->planes;
    return VG_OK;
}

/* The least and the largest coordinate, x and y, at which output pixels fall. */
static vg_status reach(const job *j, double low[2], double high[2], vg_error *err)
{
    for (int k = 0; k < 2; k++) {
        const double *m = j->m + 3L * k;
        double p = m[0] * (j->width - 1), q = m[1] * (j->height - 1);
        low[k] = m[2] + fmin(p, 0) + fmin(q, 0);
        high[k] = m[2] + fmax(p, 0) + fmax(q, 0);
        if (!(fabs(low[k]) < MAX_REACH && fabs(high[k]) < MAX_REACH))
            return vg_fail(err, VG_E_ARG,
                           "the geometry reaches further than %d pixels from the picture",
                           MAX_REACH);
    }
    return VG_OK;
}

/* The tables of both axes, over every coordinate that taps can have. */
static vg_status make_tables(job *j, const double least[2], const double most[2], vg_fill fill,
                             vg_warp_scratch *scratch, vg_error *err)
{
    long low[2], count[2];
    for (int k = 0; k < 2; k++) {
        low[k] = (long)floor(least[k]) - 2;
        count[k] = (long)ceil(most[k]) + 3 - low[k];
    }
    size_t need = (size_t)(count[0] + count[1]);
    if (!vg_grow(&scratch->table, &scratch->capacity, need, sizeof *scratch->table))
        return vg_fail(err, VG_E_NOMEM, "out of memory for the tables of a warp");
    int *xs = scratch->table, *ys = xs + count[0];
    for (long i = 0; i < count[0]; i++)
        xs[i] = place(low[0] + i, j->in.width, fill);
    for (long i = 0; i < count[1]; i++)
        ys[i] = place(low[1] + i, j->in.height, fill);
    j->x = (axis){xs, (int)low[0]};
    j->y = (axis){ys, (int)low[1]};
    return VG_OK;
}

/* Averages cells of whole pixels where the tent is at least 8 pixels wide, and adapts the job. */
static vg_status reduce(job *j, const tent *t, vg_warp_scratch *scratch, vg_error *err)
{
    /* Half the width of the tent along the input's axes, through its centre. */
    double wide = 1 / fmax(fabs(t->ax), fabs(t->bx)), high = 1 / fmax(fabs(t->ay), fabs(t->by));
    /* Even cells, because they cancel the finest stripes and checks altogether. */
    int kx = (int)(wide / 4) * 2, ky = (int)(high / 4) * 2;
    kx = kx < 2 ? 1 : kx > j->in.width ? j->in.width : kx;
    ky = ky < 2 ? 1 : ky > j->in.height ? j->in.height : ky;
    if (kx == 1 && ky == 1)
        return VG_OK;
    int width = (j->in.width + kx - 1) / kx, height = (j->in.height + ky - 1) / ky;
    vg_status status = vg_view_resize(&j->in, NULL, width, height, VG_FILTER_BOX, &scratch->resize,
                                      &scratch->reduced, err);
    if (status != VG_OK)
        return status;
    double fx = (double)width / j->in.width, fy = (double)height / j->in.height;
    for (int i = 0; i < 3; i++) {
        j->m[i] *= fx;
        j->m[3 + i] *= fy;
    }
    j->m[2] += (fx - 1) / 2; /* x' + 1/2 = (x + 1/2) fx */
    j->m[5] += (fy - 1) / 2;
    j->x0 = (j->x0 + 0.5) * fx - 0.5;
    j->x1 = (j->x1 + 0.5) * fx - 0.5;
    j->y0 = (j->y0 + 0.5) * fy - 0.5;
    j->y1 = (j->y1 + 0.5) * fy - 0.5;
    j->in = vg_image_view(&scratch->reduced);
    return VG_OK;
}

static job make_job(const vg_warp *warp, const vg_view *in)
{
    job j = {.in = *in,
             .width = warp->width,
             .height = warp->height,
             .constant = warp->fill == VG_FILL_CONSTANT,
             .x0 = warp->inset[0] - 0.5 - EDGE,
             .y0 = warp->inset[1] - 0.5 - EDGE,
             .value = (float)warp->fill_value};
    j.x1 = in->width - 1 - j.x0;
    j.y1 = in->height - 1 - j.y0;
    for (int i = 0; i < 6; i++)
        j.m[i] = warp->m[i];
    return j;
}

static void bilinear(const job *j, vg_fill fill, float *out)
{
    vg_bilinear b = {.in = j->in,
                     .width = j->width,
                     .height = j->height,
                     .fill = fill,
                     .x0 = j->x0,
                     .x1 = j->x1,
                     .y0 = j->y0,
                     .y1 = j->y1,
                     .value = j->value};
    memcpy(b.m, j->m, sizeof b.m);
    vg_bilinear_run(&b, vg_simd_best(), out);
}

vg_status vg_warp_run(const vg_warp *warp, const vg_view *in, vg_warp_scratch *scratch, float *out,
                      vg_error *err)
{
    job j = make_job(warp, in);
    double large, small;
    singular_values(j.m, &large, &small);
    if (!(small > 1e-9 && large < MAX_REACH))
        return vg_fail(err, VG_E_ARG, "the geometry flattens the picture (scales %g and %g)", large,
                       small);
    tent t = make_tent(j.m);
    bool reducing = large > BILINEAR_LIMIT;
    if (reducing) {
        vg_status status = reduce(&j, &t, scratch, err);
        if (status != VG_OK)
            return status;
        if (j.in.data != in->data)
            t = make_tent(j.m);
    }
    double low[2], high[2];
    vg_status status = reach(&j, low, high, err);
    if (status != VG_OK)
        return status;
    if (!reducing) {
        bilinear(&j, warp->fill, out);
        return VG_OK;
    }
    low[0] -= t.half_width + VG_STRIP_COLUMNS;
    high[0] += t.half_width + VG_STRIP_COLUMNS;
    low[1] -= t.half_height;
    high[1] += t.half_height;
    status = make_tables(&j, low, high, warp->fill, scratch, err);
    if (status == VG_OK)
        status = make_strip(&j, &t, scratch, err);
    if (status == VG_OK)
        tented(&j, &t, in->channels, out);
    return status;
}

double vg_warp_outside(const vg_warp *warp, int in_width, int in_height)
{
    size_t count = 0;
    for (int v = 0; v < warp->height; v++)
        for (int u = 0; u < warp->width; u++) {
            double x = warp->m[0] * u + warp->m[1] * v + warp->m[2];
            double y = warp->m[3] * u + warp->m[4] * v + warp->m[5];
            count += x < -0.5 || y < -0.5 || x > in_width - 0.5 || y > in_height - 0.5;
        }
    return (double)count / ((double)warp->width * warp->height);
}
