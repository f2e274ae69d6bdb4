/* See conv_thin.h. A band of rows of one image at a time. */
#include "nn/kernels/conv_thin.h"

#include "nn/kernels/conv_geometry.h"

#include <string.h>

/* Floats of the larger of source and outputs held at a time; channels of the source beside each other at
 * most: more would be turned over for longer than they are worked on. */
enum { HELD_FLOATS = 12 * 1024, CHANNELS = 4 };

bool vg_conv_is_thin(const vg_conv *c)
{
    int vectors = vg_ceil(c->q, VG_LANES) * c->k; /* for a row; the other kernels need q */
    return c->k <= VG_THIN_OUTPUTS && c->c <= CHANNELS && c->kernel > 1 && c->stride == 1 &&
           c->dilation == 1 && c->y_pixel == (size_t)c->k && 3 * vectors <= 2 * c->q;
}

/* What is held, and where in the scratch. */
typedef struct band {
    size_t row, channel; /* floats of a row of the source, of a channel */
    size_t wide;         /* columns of an output row, in whole vectors */
    int rows;            /* of outputs */
    float *source, *outputs, *sums, *room;
} band;

static band band_of(const vg_conv *c, int multiple, float *scratch)
{
    band b = {.wide = (size_t)vg_ceil(c->q, VG_LANES) * VG_LANES};
    b.row = (b.wide + (size_t)c->kernel - 1 + VG_LANES - 1) / VG_LANES * VG_LANES;
    size_t each = (size_t)c->c * b.row, out = (size_t)c->k * b.wide;
    b.rows = (int)(HELD_FLOATS / (each > out ? each : out));
    if (multiple)
        b.rows = b.rows / multiple * multiple;
    int least = multiple ? multiple : 1;
    b.rows = b.rows < least ? least : b.rows;
    b.rows = b.rows < c->p ? b.rows : c->p;
    b.channel = (size_t)(b.rows + c->kernel - 1) * b.row;
    b.source = scratch;
    b.outputs = b.source + (size_t)c->c * b.channel;
    b.sums = b.outputs + (size_t)b.rows * out + VG_LANES;
    b.room = b.sums + (size_t)c->c * (size_t)(c->kernel * c->kernel * c->k) * VG_LANES;
    return b;
}

size_t vg_thin_scratch(const vg_conv *c, int multiple)
{
    static float origin[1];
    band b = band_of(c, multiple, origin);
    size_t x = (size_t)c->w * c->x_pixel, dy = (size_t)c->q * c->y_pixel;
    return (size_t)(b.room - origin) + (x > dy ? x : dy);
}

/* Rows are short: a call of the library would take longer than the copy. */
static inline void copy_short(float *to, const float *from, size_t n)
{
    for (; n >= VG_LANES; n -= VG_LANES, to += VG_LANES, from += VG_LANES)
        memcpy(to, from, VG_LANES * sizeof *to);
    for (; n >= 4; n -= 4, to += 4, from += 4)
        memcpy(to, from, 4 * sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* One row of the source, channel by channel, with its rim unless that is there. */
static void gather_row(const vg_conv *c, const band *b, const float *from, size_t pixel, bool rim,
                       float *to)
{
    size_t w = (size_t)c->w, before = (size_t)c->padding, fit = b->row - before;
    w = w < fit ? w : fit;
    for (int i = 0; i < c->c; i++, to += b->channel) {
        if (rim) {
            memset(to, 0, before * sizeof *to);
            memset(to + before + w, 0, (fit - w) * sizeof *to);
        }
        if (pixel == 1)
            copy_short(to + before, from, w);
        else
            for (size_t j = 0; j < w; j++)
                to[before + j] = from[j * pixel + (size_t)i];
    }
}

/* `rim`: false where the zeros around the image were put by the gathering of another one at this place. */
static void gather(const vg_conv *c, const band *b, const vg_rows *x, int image, int row, int rows,
                   bool rim)
{
    size_t line = (size_t)c->w * c->x_pixel;
    for (int i = 0; i < rows + c->kernel - 1; i++) {
        float *to = b->source + (size_t)i * b->row;
        int at = row + i - c->padding;
        if (at < 0 || at >= c->h) {
            for (int k = 0; rim && k < c->c; k++)
                memset(to + (size_t)k * b->channel, 0, b->row * sizeof *to);
            continue;
        }
        const float *from = x->row ? x->row(x->context, image, at, b->room)
                                   : x->base + ((size_t)image * (size_t)c->h + (size_t)at) * line;
        gather_row(c, b, from, x->row ? x->pixel : c->x_pixel, rim, to);
    }
}

void vg_thin_forward(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, int images,
                     const float *packed, const vg_sink *y, float *scratch)
{
    band b = band_of(c, y->take ? y->multiple : 0, scratch);
    size_t line = (size_t)c->q * (size_t)c->k;
    bool largest = y->take && y->largest;
    vg_thin_row r = {.x_channel = b.channel,
                     .x_row = b.row,
                     .channels = c->c,
                     .kernel = c->kernel,
                     .outputs = c->k,
                     .columns = c->q,
                     .w = packed,
                     .bias = packed + vg_conv_packed_gradient(c),
                     .relu = y->relu || (largest && y->rectified),
                     .largest = largest,
                     .y_pixel = (size_t)c->k};
    for (int n = 0; n < images; n++)
        for (int row = 0; row < c->p; row += b.rows) {
            int rows = b.rows < c->p - row ? b.rows : c->p - row;
            gather(c, &b, x, n, row, rows, n == 0 || b.rows < c->p);
            for (int i = 0; largest && i + 1 < rows; i += 2) {
                r.x = b.source + (size_t)i * b.row;
                r.y = y->largest(y->context, n, row + i);
                set->thin_row(&r);
            }
            if (largest)
                continue;
            float *to =
                y->take ? b.outputs : y->base + ((size_t)n * (size_t)c->p + (size_t)row) * line;
            for (int i = 0; i < rows; i++) {
                r.x = b.source + (size_t)i * b.row;
                r.y = to + (size_t)i * line;
                set->thin_row(&r);
            }
            if (y->take)
                y->take(y->context, n, row, rows, to);
        }
}

/* The 16 columns' sums in a tree, to where weights have them: dw[tap][channel][16]. */
static void add_columns(const vg_conv *c, const float *sums, float *dw)
{
    int taps = c->kernel * c->kernel;
    for (int i = 0; i < c->c; i++)
        for (int t = 0; t < taps; t++)
            for (int k = 0; k < c->k; k++, sums += VG_LANES) {
                float four[4], eight[8];
                for (int l = 0; l < 8; l++)
                    eight[l] = sums[l] + sums[l + 8];
                for (int l = 0; l < 4; l++)
                    four[l] = eight[l] + eight[l + 4];
                dw[(size_t)(t * c->c + i) * VG_LANES + (size_t)k] +=
                    (four[0] + four[2]) + (four[1] + four[3]);
            }
}

void vg_thin_weight(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, const vg_rows *dy,
                    int images, bool add, float *dw, float *scratch)
{
    band b = band_of(c, 0, scratch);
    size_t line = (size_t)c->q * (size_t)c->k, taps = (size_t)c->kernel * (size_t)c->k * VG_LANES;
    if (!add)
        memset(dw, 0, vg_conv_packed_gradient(c) * sizeof *dw);
    for (int n = 0; n < images; n++)
        for (int row = 0; row < c->p; row += b.rows) {
            int rows = b.rows < c->p - row ? b.rows : c->p - row;
            gather(c, &b, x, n, row, rows, n == 0 || b.rows < c->p);
            for (int i = 0; i < rows; i++) {
                const float *from =
                    dy->row ? dy->row(dy->context, n, row + i, b.room)
                            : dy->base + ((size_t)n * (size_t)c->p + (size_t)(row + i)) * line;
                set->thin_turn(from, c->q, c->k, b.outputs + (size_t)i * (size_t)c->k * b.wide,
                               b.wide);
            }
            vg_thin_sums t = {.x_row = b.row,
                              .dy = b.outputs,
                              .dy_output = b.wide,
                              .rows = rows,
                              .columns = c->q,
                              .kernel = c->kernel,
                              .outputs = c->k,
                              .sums = b.sums};
            for (int i = 0; i < c->c; i++)
                for (int r = 0; r < c->kernel; r++, t.sums += taps) {
                    t.x = b.source + (size_t)i * b.channel + (size_t)r * b.row;
                    set->thin_sums(&t);
                }
            add_columns(c, b.sums, dw);
        }
}
