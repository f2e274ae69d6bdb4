/* Antialiased resize: for every output position the weights of the input samples under the filter,
 * which is as wide as the reduction demands; first along the rows, then along the columns.
 *
 * Weights, their rounding to 22 fractional bits and the 8-bit rows between the two passes are those
 * of Pillow's Image.resize (src/libImaging/Resample.c describes them), so that a network sees the
 * same numbers whether its pictures come from here or from a Python pipeline: the results are equal
 * bit for bit.
 *
 * Only rows under the rectangle are touched. Refuses rectangles outside of the picture. */
#include "image/resize.h"

#include "base/alloc.h"
#include "image/resize_row.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef vg_weights weights;

static double filter_value(vg_filter filter, double x)
{
    const double a = -0.5; /* of the cubic convolution: Keys 1981 */
    double d = fabs(x);
    switch (filter) {
    case VG_FILTER_BOX:
        return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
    case VG_FILTER_BILINEAR:
        return d < 1.0 ? 1.0 - d : 0.0;
    case VG_FILTER_BICUBIC:
        if (d < 1.0)
            return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
        return d < 2.0 ? (((d - 5.0) * d + 8.0) * d - 4.0) * a : 0.0;
    }
    return 0.0;
}

static double filter_support(vg_filter filter)
{
    return filter == VG_FILTER_BOX ? 0.5 : filter == VG_FILTER_BILINEAR ? 1.0 : 2.0;
}

static int weights_most(double extent, int outputs, vg_filter filter)
{
    double scale = extent / outputs;
    return (int)ceil(filter_support(filter) * (scale < 1.0 ? 1.0 : scale)) * 2 + 1;
}

/* `row` is room for w->most doubles. */
static void weights_fill(weights *w, int inputs, double start, double extent, vg_filter filter,
                         double *row)
{
    double scale = extent / w->outputs;
    double stretch = scale < 1.0 ? 1.0 : scale;
    double support = filter_support(filter) * stretch;
    for (int i = 0; i < w->outputs; i++) {
        double centre = start + (i + 0.5) * scale, sum = 0.0;
        int first = (int)(centre - support + 0.5), last = (int)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > inputs ? inputs : last;
        if (first >= last) { /* a rectangle of no width to speak of, at the far edge */
            first = inputs - 1;
            last = inputs;
        }
        int count = last - first;
        for (int k = 0; k < count; k++) {
            row[k] = filter_value(filter, (k + first - centre + 0.5) * (1.0 / stretch));
            sum += row[k];
        }
        int32_t *value = w->value + (size_t)i * (size_t)w->most;
        for (int k = 0; k < count; k++) {
            double v = (sum != 0.0 ? row[k] / sum : 1.0 / count) * (1 << VG_FRACTION_BITS);
            value[k] = (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
        }
        w->first[i] = first;
        w->count[i] = count;
    }
}

/* The parts of one scratch block. */
typedef struct plan {
    weights across, down;
    double *row;     /* weights of one output before they are rounded */
    int32_t *sum;    /* one output row */
    int16_t *blocks; /* weights across for the fast version, NULL without it */
    uint8_t *rows;   /* the rows under the rectangle, resized across */
    int first_row;   /* of the input */
    int row_count;
} plan;

static bool add(size_t *total, size_t count, size_t size, size_t *offset)
{
    size_t bytes;
    if (!vg_mul_size(count, size, &bytes) || bytes > SIZE_MAX / 2 - *total)
        return false;
    *offset = *total;
    *total += (bytes + 15) / 16 * 16;
    return true;
}

static vg_status plan_make(plan *p, vg_resize_scratch *scratch, size_t out_stride, int in_rows,
                           bool fast, vg_error *err)
{
    weights *w[2] = {&p->across, &p->down};
    size_t total = 0, first[2], count[2], value[2], row, sum, blocks, rows;
    bool fits = true;
    for (int i = 0; i < 2; i++) {
        size_t n = (size_t)w[i]->outputs;
        fits = fits && add(&total, n, sizeof(int32_t), &first[i]) &&
               add(&total, n, sizeof(int32_t), &count[i]) &&
               add(&total, n * (size_t)w[i]->most, sizeof(int32_t), &value[i]);
    }
    int most = p->across.most > p->down.most ? p->across.most : p->down.most;
    fits = fits && add(&total, (size_t)most, sizeof(double), &row) &&
           add(&total, out_stride, sizeof(int32_t), &sum) &&
           add(&total, (size_t)p->across.outputs,
               fast ? (size_t)vg_row_blocks(&p->across) * VG_ROW_BLOCK * sizeof(int16_t) : 0,
               &blocks) &&
           add(&total, out_stride, (size_t)in_rows, &rows);
    if (!fits)
        return vg_fail(err, VG_E_NOMEM, "a resize to %d x %d pixels does not fit in memory",
                       p->across.outputs, p->down.outputs);
    if (total > scratch->capacity) {
        void *memory = vg_alloc(total, 1);
        if (!memory)
            return vg_fail(err, VG_E_NOMEM, "no memory for a resize to %d x %d pixels",
                           p->across.outputs, p->down.outputs);
        free(scratch->memory);
        scratch->memory = memory;
        scratch->capacity = total;
    }
    char *base = scratch->memory;
    for (int i = 0; i < 2; i++) {
        w[i]->first = (int32_t *)(void *)(base + first[i]);
        w[i]->count = (int32_t *)(void *)(base + count[i]);
        w[i]->value = (int32_t *)(void *)(base + value[i]);
    }
    p->row = (double *)(void *)(base + row);
    p->sum = (int32_t *)(void *)(base + sum);
    p->blocks = fast ? (int16_t *)(void *)(base + blocks) : NULL;
    p->rows = (uint8_t *)(base + rows);
    return VG_OK;
}

static vg_status check_rectangle(const vg_view *in, const double rectangle[4], double r[4],
                                 vg_error *err)
{
    const double slack = 1e-6; /* of rectangles that come out of floating-point arithmetic */
    double whole[4] = {0, 0, in->width, in->height};
    bool all = !rectangle || (rectangle[2] == 0 && rectangle[3] == 0);
    memcpy(r, all ? whole : rectangle, sizeof whole);
    for (int i = 0; i < 2; i++) {
        /* written so that NaN fails */
        if (!(r[i] >= -slack && r[i + 2] > 0 && r[i] + r[i + 2] <= whole[i + 2] + slack))
            return vg_fail(err, VG_E_ARG,
                           "rectangle %g x %g at (%g, %g) is not inside a picture of %d x %d", r[2],
                           r[3], r[0], r[1], in->width, in->height);
        if (r[i] < 0)
            r[i] = 0;
        if (r[i] + r[i + 2] > whole[i + 2])
            r[i + 2] = whole[i + 2] - r[i];
    }
    return VG_OK;
}

static void run(const vg_view *in, plan *p, bool across, bool down, vg_image *out)
{
    size_t in_stride = in->stride;
    size_t out_stride = (size_t)out->width * (size_t)out->channels;
    const uint8_t *rows = in->data + (size_t)p->first_row * in_stride;
    if (across) {
        uint8_t *to = down ? p->rows : out->data;
        int y = 0;
        if (in->channels == 3 && p->blocks && vg_resize_rows4_is_fast())
            for (; y + 4 <= p->row_count; y += 4)
                vg_resize_rows4_rgb(rows + (size_t)y * in_stride, in_stride, in->width, &p->across,
                                    p->blocks, to + (size_t)y * out_stride, out_stride);
        for (; y < p->row_count; y++) {
            const uint8_t *from = rows + (size_t)y * in_stride;
            if (in->channels == 1 && p->blocks)
                vg_resize_row_grey_fast(from, in->width, &p->across, p->blocks,
                                        to + (size_t)y * out_stride);
            else if (in->channels == 1)
                vg_resize_row_grey(from, &p->across, to + (size_t)y * out_stride);
            else if (p->blocks)
                vg_resize_row_rgb_fast(from, in->width, &p->across, p->blocks,
                                       to + (size_t)y * out_stride);
            else
                vg_resize_row_rgb(from, &p->across, to + (size_t)y * out_stride);
        }
        rows = to;
    }
    if (!down)
        return;
    const bool fast = vg_resize_row_is_fast();
    const vg_simd simd = vg_simd_best();
    const size_t stride = across ? out_stride : in_stride;
    for (int y = 0; y < out->height; y++) {
        const uint8_t *from = rows + (size_t)(p->down.first[y] - p->first_row) * stride;
        const int32_t *value = p->down.value + (size_t)y * (size_t)p->down.most;
        uint8_t *to = out->data + (size_t)y * out_stride;
        if (fast)
            vg_resize_down_fast(simd, from, stride, out_stride, value, p->down.count[y], p->sum,
                                to);
        else
            vg_resize_down(from, stride, out_stride, value, p->down.count[y], p->sum, to);
    }
}

static void copy(const vg_view *in, vg_image *out)
{
    size_t row = (size_t)in->width * (size_t)in->channels;
    for (int y = 0; y < in->height; y++)
        memcpy(out->data + (size_t)y * row, in->data + (size_t)y * in->stride, row);
}

vg_status vg_view_resize(const vg_view *in, const double rectangle[4], int width, int height,
                         vg_filter filter, vg_resize_scratch *scratch, vg_image *out, vg_error *err)
{
    if (!in->data || (in->data >= out->data && in->data < out->data + out->capacity))
        return vg_fail(err, VG_E_ARG, "resize of %s",
                       in->data ? "a picture into itself" : "an empty picture");
    double r[4];
    vg_status status = check_rectangle(in, rectangle, r, err);
    if (status == VG_OK)
        status = vg_image_shape(out, width, height, in->channels, err);
    if (status != VG_OK)
        return status;
    /* A direction without change is left out, as its weights would be 1 and 0. */
    bool across = r[0] != 0 || r[2] != in->width || width != in->width;
    bool down = r[1] != 0 || r[3] != in->height || height != in->height;
    if (!across && !down) {
        copy(in, out);
        return VG_OK;
    }
    plan p = {.across = {.outputs = width, .most = weights_most(r[2], width, filter)},
              .down = {.outputs = height, .most = weights_most(r[3], height, filter)}};
    size_t stride = (size_t)width * (size_t)in->channels;
    int room = (int)fmin(in->height, r[3] + 2.0 * p.down.most); /* rows that can be needed */
    bool fast = across && vg_resize_row_is_fast();
    status = plan_make(&p, scratch, stride, room, fast, err);
    if (status != VG_OK)
        return status;
    if (across)
        weights_fill(&p.across, in->width, r[0], r[2], filter, p.row);
    if (fast && in->channels == 1)
        vg_grey_blocks_fill(&p.across, p.blocks);
    else if (fast)
        vg_row_blocks_fill(&p.across, p.blocks);
    p.row_count = in->height;
    if (down) {
        weights_fill(&p.down, in->height, r[1], r[3], filter, p.row);
        int last = height - 1;
        p.first_row = p.down.first[0];
        p.row_count = p.down.first[last] + p.down.count[last] - p.first_row;
    }
    run(in, &p, across, down, out);
    return VG_OK;
}

vg_status vg_image_resize(const vg_image *in, const double rectangle[4], int width, int height,
                          vg_filter filter, vg_resize_scratch *scratch, vg_image *out,
                          vg_error *err)
{
    vg_view view = vg_image_view(in);
    return vg_view_resize(&view, rectangle, width, height, filter, scratch, out, err);
}

void vg_resize_scratch_reset(vg_resize_scratch *scratch)
{
    free(scratch->memory);
    *scratch = (vg_resize_scratch){0};
}
