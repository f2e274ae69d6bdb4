/* The weight gradient: outer products of input and output-gradient vectors, summed over pixels in
 * registers. Neighbouring taps of a row are neighbours in the scratch, so that the inputs of a tile are
 * one run of (tap, channel) places. Parts of the weights (channel blocks times output groups) are
 * independent of each other: where the weights are larger than the maps, threads share them out and
 * nobody keeps partial sums; where the maps are larger, each shard of the batch has its own sum. */
#include "nn/kernels/conv_geometry.h"
#include "nn/kernels/conv_thin.h"

#include <string.h>

/* Pixels of one visit: their gradients (up to 64 floats each) stay in the level-1 cache. */
enum { VISIT_PIXELS = 128, DY_FLOATS = 64 * 1024 };

typedef struct work {
    const vg_tile_set *set;
    const vg_conv *c;
    const vg_source *s;
    int32_t tap[VG_CONV_TAPS];
    int taps;
    int first_unit, end_unit;
    float *dw;
} work;

/* The run of `length` places from x and dw on, in parts that fit the registers. */
static void run_places(const work *k, vg_outer *o, int vectors, int length)
{
    int most = k->set->pixels[vectors - 1], parts = vg_ceil(length, most);
    int width = length / parts, wide = length % parts;
    for (int i = 0; i < parts; i++) {
        int places = width + (i < wide);
        k->set->outer[vectors - 1][places - 1](o);
        o->x += places;
        o->dw += (size_t)places * o->step;
    }
}

static void run_unit(const work *k, const vg_unit *u, const vg_outer *visit)
{
    const vg_conv *c = k->c;
    int vectors = vg_vectors(c->k), step = k->set->vectors < u->width ? k->set->vectors : u->width;
    const float *x = visit->x + (size_t)(u->block - k->s->channel / VG_LANES) * k->s->block;
    size_t places = (size_t)u->channels * (size_t)u->width * VG_LANES; /* of one tap, in dw */
    for (int v = 0; v < u->width; v += step)
        for (int t = 0, run; t < k->taps; t += run) {
            for (run = 1; u->channels == k->s->pitch && t + run < k->taps &&
                          k->tap[t + run] == k->tap[t + run - 1] + k->s->pitch;)
                run++;
            vg_outer o = *visit;
            o.x = x + k->tap[t];
            o.dy += (size_t)(u->first + v) * VG_LANES;
            o.dw = k->dw + u->at + (size_t)t * places + (size_t)v * VG_LANES;
            o.step = (size_t)u->width * VG_LANES;
            o.lanes = u->first + v + step < vectors ? VG_LANES : c->k - (vectors - 1) * VG_LANES;
            run_places(k, &o, step, run * u->channels);
        }
}

static void run_visit(const work *k, const vg_outer *visit)
{
    for (int u = k->first_unit; u < k->end_unit; u++) {
        vg_unit unit = vg_unit_at(k->c, u);
        run_unit(k, &unit, visit);
    }
}

/* What is held, a few rows or images at a time. */
static void run_band(const work *k, const vg_outer *band)
{
    int pixels = band->rows * band->columns;
    int images = pixels < VISIT_PIXELS ? VISIT_PIXELS / pixels : 1;
    int rows = pixels < VISIT_PIXELS ? band->rows : vg_ceil(VISIT_PIXELS, band->columns);
    rows = rows > band->rows ? band->rows : rows;
    vg_outer visit = *band;
    for (int n = 0; n < band->images; n += images)
        for (int r = 0; r < band->rows; r += rows) {
            visit.images = images < band->images - n ? images : band->images - n;
            visit.rows = rows < band->rows - r ? rows : band->rows - r;
            visit.x = band->x + (size_t)n * band->x_image + (size_t)r * band->x_row;
            visit.dy = band->dy + (size_t)n * band->dy_image + (size_t)r * band->dy_row;
            run_visit(k, &visit);
            visit.add = true;
        }
}

/* Output rows of dy held at a time where they are made. */
static int made_rows(const vg_conv *c)
{
    int rows = (int)(DY_FLOATS / ((size_t)c->q * (size_t)c->k));
    return rows < 1 ? 1 : rows;
}

/* dy of the band: where it lies, or made into `room`. */
static void point_at_dy(const vg_conv *c, const vg_rows *dy, int image, int images, int row,
                        int rows, float *room, vg_outer *band)
{
    if (!dy->row) {
        band->dy_pixel = c->y_pixel;
        band->dy_row = (size_t)c->q * c->y_pixel;
        band->dy_image = (size_t)c->p * band->dy_row;
        band->dy = dy->base + (size_t)image * band->dy_image + (size_t)row * band->dy_row;
        return;
    }
    band->dy_pixel = (size_t)c->k;
    band->dy_row = (size_t)c->q * (size_t)c->k;
    band->dy_image = (size_t)rows * band->dy_row;
    band->dy = room;
    float *made = room + (size_t)images * band->dy_image;
    for (int n = 0; n < images; n++)
        for (int r = 0; r < rows; r++, room += band->dy_row) {
            const float *from = dy->row(dy->context, image + n, row + r, made);
            for (int q = 0; q < c->q; q++)
                memcpy(room + (size_t)q * (size_t)c->k, from + (size_t)q * dy->pixel,
                       (size_t)c->k * sizeof *room);
        }
}

/* written through a struct. NOLINTBEGIN(readability-non-const-parameter) */
void vg_conv_backward_weight(const vg_tile_set *set, const vg_conv *c, const vg_rows *x,
                             const vg_rows *dy, int images, int part, int parts, bool add,
                             float *dw, float *scratch)
/* NOLINTEND(readability-non-const-parameter) */
{
    int units = vg_conv_gradient_parts(c);
    if (vg_conv_is_thin(c)) {
        vg_thin_weight(set, c, x, dy, images, add, dw, scratch);
        return;
    }
    work k = {.set = set,
              .c = c,
              .taps = c->kernel * c->kernel,
              .first_unit = units * part / parts,
              .end_unit = units * (part + 1) / parts,
              .dw = dw};
    if (k.first_unit == k.end_unit)
        return;
    for (int u = k.first_unit; images == 0 && !add && u < k.end_unit; u++) {
        vg_unit unit = vg_unit_at(c, u);
        memset(dw + unit.at, 0, unit.floats * sizeof *dw);
    }
    vg_unit first = vg_unit_at(c, k.first_unit), last = vg_unit_at(c, k.end_unit - 1);
    int channel = first.block * VG_LANES, end = last.block * VG_LANES + last.channels;
    vg_source s = vg_source_weights(c, x, channel, end - channel, dy->row ? made_rows(c) : 0);
    k.s = &s;
    vg_tap_order(c, k.tap);
    for (int t = 0; t < k.taps; t++)
        k.tap[t] = vg_source_offset(&s, k.tap[t] / c->kernel * c->dilation,
                                    k.tap[t] % c->kernel * c->dilation);
    float *made = scratch + vg_source_scratch(&s);
    vg_outer band = {.x = scratch,
                     .x_image = s.band,
                     .x_row = (size_t)s.stride * s.row,
                     .x_pixel = (size_t)s.pitch,
                     .columns = c->q,
                     .add = add};
    for (int n = 0; n < images; n += s.images_once)
        for (int row = 0; row < c->p; row += s.rows_once) {
            band.images = s.images_once < images - n ? s.images_once : images - n;
            band.rows = s.rows_once < c->p - row ? s.rows_once : c->p - row;
            vg_source_gather(set, &s, n, band.images, row, band.rows, scratch, made);
            point_at_dy(c, dy, n, band.images, row, band.rows, made, &band);
            run_band(&k, &band);
            band.add = true;
        }
}

/* Row room: the widest of a row of x and of dy. */
static size_t room_of(const vg_conv *c)
{
    size_t x = (size_t)c->w * c->x_pixel, y = (size_t)c->q * c->y_pixel;
    return x > y ? x : y;
}

size_t vg_conv_scratch(const vg_conv *c)
{
    vg_source x = vg_source_forward(c, NULL, 0, c->c, 0), dy = vg_source_backward(c, NULL);
    size_t forward = vg_source_scratch(&x), backward = vg_source_scratch(&dy);
    size_t most = forward > backward ? forward : backward;
    most = most > VG_BAND_FLOATS ? most : VG_BAND_FLOATS;
    size_t narrow = vg_conv_is_narrow(c) ? vg_narrow_scratch(c) : 0;
    most = most > narrow ? most : narrow;
    size_t made = (size_t)made_rows(c) * (size_t)c->q * (size_t)c->k;
    size_t image = (size_t)c->p * (size_t)c->q * (size_t)c->k;
    most += (made > image ? made : image) + room_of(c);
    size_t thin = vg_conv_is_thin(c) ? vg_thin_scratch(c, 0) : 0;
    return most > thin ? most : thin;
}
