/* Winograd's convolution over batches of tiles: a band of rows (or some whole images) is copied with its
 * rim, every square of it transformed; then for each of the n x n values there is a plain matrix
 * product (tiles by channels by outputs) in the kernels of the direct convolution, and the results
 * are transformed back. The values of a batch stay in the level-2 cache; the weights, which are
 * 16 / 9 or 4 times as large as before, pass through it once a batch. */
#include "nn/kernels/winograd.h"

#include "nn/kernels/conv_geometry.h"

#include <string.h>

/* Much is written through structs. NOLINTBEGIN(readability-non-const-parameter) */
/* Values of a batch of tiles: inputs, and one group of outputs (or all gradients). */
enum { VALUE_FLOATS = 320 * 1024, LEAST_TILES = 56 };

/* The rounded-up map, and what is held of it at a time. */
typedef struct grid {
    int m, values; /* n n */
    int tile_rows, tile_columns;
    int rows, images; /* tile rows and images at a time */
    int tiles;        /* of a full batch */
    vg_conv rounded;
} grid;

static grid grid_of(const vg_conv *c, int m, int lanes_out)
{
    grid g = {.m = m,
              .values = (m + 2) * (m + 2),
              .tile_rows = vg_ceil(c->p, m),
              .tile_columns = vg_ceil(c->q, m),
              .images = 1,
              .rounded = *c};
    g.rounded.p = g.tile_rows * m;
    g.rounded.q = g.tile_columns * m;
    int channels = vg_vectors(c->c) * VG_LANES + lanes_out;
    int fit = VALUE_FLOATS / (g.values * channels);
    fit = fit < LEAST_TILES ? LEAST_TILES : fit;
    int image = g.tile_rows * g.tile_columns;
    if (image <= fit) {
        g.images = fit / image;
        g.rows = g.tile_rows;
    } else {
        int rows = fit / g.tile_columns;
        rows = rows < 1 ? 1 : rows;
        g.rows = vg_ceil(g.tile_rows, vg_ceil(g.tile_rows, rows)); /* equal bands */
    }
    g.tiles = g.images * g.rows * g.tile_columns;
    return g;
}

static vg_source source_of(const grid *g, const vg_rows *x)
{
    vg_source s = vg_source_forward(&g->rounded, x, 0, g->rounded.c, 0);
    vg_source_hold(&s, g->images, g->rows * g->m);
    return s;
}

/* dy as the source of a 1 x 1 convolution: itself, rounded up with zeros. */
static vg_source gradient_source(const grid *g, const vg_conv *c, const vg_rows *dy)
{
    vg_conv self = {.c = c->k,
                    .h = c->p,
                    .w = c->q,
                    .p = g->rounded.p,
                    .q = g->rounded.q,
                    .kernel = 1,
                    .stride = 1,
                    .dilation = 1,
                    .x_pixel = c->y_pixel};
    vg_source s = vg_source_forward(&self, dy, 0, c->k, 0);
    vg_source_hold(&s, g->images, g->rows * g->m);
    return s;
}

vg_conv vg_winograd_reverse(const vg_conv *c)
{
    vg_conv r = *c;
    r.c = c->k;
    r.k = c->c;
    r.h = c->p;
    r.w = c->q;
    r.p = c->h;
    r.q = c->w;
    r.padding = 2 - c->padding;
    r.x_pixel = c->y_pixel;
    r.y_pixel = c->x_pixel;
    return r;
}

/* From one of the n x n values to the next: an odd number of cache lines, or those of a tile would all
 * meet in the same few places of the caches. */
static size_t input_step(const grid *g, int channels)
{
    return ((size_t)vg_vectors(channels) * (size_t)g->tiles | 1) * VG_LANES;
}

static size_t output_step(const grid *g, size_t lanes)
{
    return (lanes / VG_LANES * (size_t)g->tiles | 1) * VG_LANES;
}

static const vg_winograd_set *transforms(const vg_tile_set *set, int m)
{
    return &set->winograd[m == 2 ? 0 : 1];
}

/* ---- weights: [group][value][channel][lane], then the bias */
size_t vg_winograd_packed(const vg_conv *c, int m)
{
    size_t n = (size_t)m + 2;
    return (size_t)vg_vectors(c->k) * VG_LANES * (n * n * (size_t)c->c + 1);
}

void vg_winograd_pack(const vg_tile_set *set, const vg_conv *c, int m, bool reversed,
                      const float *weight, const float *bias, int part, int parts, float *packed)
{
    int vectors = vg_vectors(c->k), values = (m + 2) * (m + 2);
    size_t out_step = reversed ? 9 : (size_t)c->c * 9, in_step = reversed ? (size_t)c->k * 9 : 9;
    for (int v = 0, first = 0, width = 0; v < vectors; v++) {
        if (v == first + width) {
            first = v;
            width = vg_group_width(vectors, first);
        }
        if (v < vectors * part / parts || v >= vectors * (part + 1) / parts)
            continue;
        size_t lanes = (size_t)width * VG_LANES;
        float *to = packed + (size_t)first * VG_LANES * (size_t)values * (size_t)c->c +
                    (size_t)(v - first) * VG_LANES;
        int real = c->k - v * VG_LANES < VG_LANES ? c->k - v * VG_LANES : VG_LANES;
        for (int i = 0; i < c->c; i++, to += lanes) {
            float taps[9][VG_LANES] = {{0}};
            const float *w = weight + (size_t)v * VG_LANES * out_step + (size_t)i * in_step;
            for (int l = 0; l < real; l++, w += out_step)
                for (int t = 0; t < 9; t++)
                    taps[reversed ? 8 - t : t][l] = w[t];
            vg_transform t = {.from = taps[0],
                              .from_row = (size_t)3 * VG_LANES,
                              .from_column = VG_LANES,
                              .to = to,
                              .to_value = (size_t)c->c * lanes,
                              .count = 1};
            transforms(set, m)->weight(&t);
        }
    }
    if (part > 0)
        return;
    float *end = packed + (size_t)vectors * VG_LANES * (size_t)values * (size_t)c->c;
    memset(end, 0, (size_t)vectors * VG_LANES * sizeof *end);
    if (bias)
        memcpy(end, bias, (size_t)c->k * sizeof *end);
}

/* ---- tiles */
/* Every square of what is held, channel block by block: v[value][block][tile][16]. */
static void transform_inputs(const vg_tile_set *set, const grid *g, const vg_source *s, int images,
                             int rows, const float *scratch, float *values)
{
    size_t blocks = (size_t)vg_ceil(s->c, VG_LANES), block = (size_t)g->tiles * VG_LANES;
    vg_transform t = {.from_row = s->row,
                      .from_column = VG_LANES,
                      .from_next = (size_t)g->m * VG_LANES,
                      .to_value = input_step(g, s->c),
                      .to_next = VG_LANES,
                      .count = g->tile_columns};
    for (int n = 0; n < images; n++)
        for (size_t b = 0; b < blocks; b++)
            for (int r = 0; r < rows; r++) {
                t.from = scratch + (size_t)n * s->band + b * s->block +
                         (size_t)r * (size_t)g->m * s->row;
                t.to = values + b * block + (size_t)((n * rows + r) * g->tile_columns) * VG_LANES;
                transforms(set, g->m)->input(&t);
            }
}

/* One value of a group: tiles by channels by outputs, to out[tile][lane]. */
static void multiply(const vg_tile_set *set, int tiles, int width, const vg_tile *start)
{
    int step = set->vectors < width ? set->vectors : width, most = set->pixels[step - 1];
    int parts = vg_ceil(tiles, most), narrow = tiles / parts, wide = tiles % parts;
    for (int v = 0; v < width; v += step) {
        vg_tile tile = *start;
        tile.w += (size_t)v * VG_LANES;
        tile.y += (size_t)v * VG_LANES;
        for (int i = 0; i < parts; i++) {
            int pixels = narrow + (i < wide);
            set->tile[0][step - 1][pixels - 1](&tile);
            tile.x += (size_t)pixels * VG_LANES;
            tile.y += (size_t)pixels * tile.y_pixel;
        }
    }
}

/* The products of one group, out[value][tile][lane]. */
static void multiply_values(const vg_tile_set *set, const vg_conv *c, const grid *g, int tiles,
                            int first, int width, const float *values, const float *packed,
                            float *out)
{
    static const float zeros[VG_TILE_VECTORS * VG_LANES] = {0};
    static const int32_t no_offset = 0;
    size_t lanes = (size_t)width * VG_LANES, block = (size_t)g->tiles * VG_LANES;
    size_t blocks = (size_t)vg_vectors(c->c);
    vg_tile tile = {.tap = &no_offset,
                    .taps = 1,
                    .blocks = (int)blocks,
                    .last = c->c - ((int)blocks - 1) * VG_LANES,
                    .x_block = block,
                    .w_step = lanes,
                    .y_pixel = lanes,
                    .lanes = VG_LANES,
                    .bias = zeros};
    const float *w = packed + (size_t)first * VG_LANES * (size_t)g->values * (size_t)c->c;
    for (int f = 0; f < g->values; f++) {
        tile.x = values + (size_t)f * input_step(g, c->c);
        tile.w = w + (size_t)f * (size_t)c->c * lanes;
        tile.y = out + (size_t)f * output_step(g, lanes);
        multiply(set, tiles, width, &tile);
    }
}

/* A group's products to outputs: y is where those of tile row `row` of the map begin, and that of the
 * next image `image` floats behind. */
static void transform_outputs(const vg_tile_set *set, const vg_conv *c, const grid *g, int images,
                              int row, int rows, int first, int width, const float *out,
                              vg_transform *t, float *y, size_t image)
{
    size_t lanes = (size_t)width * VG_LANES;
    t->from_column = output_step(g, lanes);
    t->from_next = lanes;
    t->count = g->tile_columns;
    t->columns = c->q;
    const float *bias = t->bias;
    for (int n = 0; n < images; n++)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < width; v++) {
                int at = (row + r) * g->m, vector = first + v;
                t->from =
                    out + (size_t)((n * rows + r) * g->tile_columns) * lanes + (size_t)v * VG_LANES;
                t->to = y + (size_t)n * image + (size_t)(r * g->m) * t->to_row +
                        (size_t)vector * VG_LANES;
                t->rows = c->p - at;
                int left = c->k - vector * VG_LANES;
                t->lanes = left < VG_LANES ? left : VG_LANES;
                t->bias = bias + (size_t)vector * VG_LANES;
                transforms(set, g->m)->output(t);
            }
    t->bias = bias;
}

/* Where things stand in the scratch. */
typedef struct room {
    float *values, *out, *copy, *row, *band;
} room;

static size_t input_floats(const grid *g, const vg_conv *c)
{
    return (size_t)g->values * input_step(g, c->c);
}

static size_t output_floats(const grid *g, int lanes)
{
    return (size_t)g->values * output_step(g, (size_t)lanes);
}

void vg_winograd_forward(const vg_tile_set *set, const vg_conv *c, int m, const vg_rows *x,
                         int images, const float *packed, const vg_sink *y, float *scratch)
{
    const int most = VG_TILE_VECTORS * VG_LANES;
    grid g = grid_of(c, m, most);
    vg_source s = source_of(&g, x);
    room r = {.values = scratch, .out = scratch + input_floats(&g, c)};
    r.copy = r.out + output_floats(&g, most);
    r.row = r.copy + vg_source_scratch(&s);
    r.band = r.row + (size_t)c->w * c->x_pixel;
    size_t pixel = y->take ? (size_t)c->k : c->y_pixel;
    vg_transform t = {.bias =
                          packed + vg_winograd_packed(c, m) - (size_t)vg_vectors(c->k) * VG_LANES,
                      .to_next = pixel,
                      .to_row = (size_t)c->q * pixel,
                      .add = y->add,
                      .relu = y->relu};
    int vectors = vg_vectors(c->k);
    for (int n = 0; n < images; n += g.images)
        for (int row = 0; row < g.tile_rows; row += g.rows) {
            int count = g.images < images - n ? g.images : images - n;
            int rows = g.rows < g.tile_rows - row ? g.rows : g.tile_rows - row;
            vg_source_gather(set, &s, n, count, row * m, rows * m, r.copy, r.row);
            transform_inputs(set, &g, &s, count, rows, r.copy, r.values);
            int real = rows * m < c->p - row * m ? rows * m : c->p - row * m;
            size_t image = (size_t)(y->take ? real : c->p) * t.to_row;
            float *to =
                y->take ? r.band : y->base + (size_t)n * image + (size_t)(row * m) * t.to_row;
            for (int first = 0, width; first < vectors; first += width) {
                width = vg_group_width(vectors, first);
                multiply_values(set, c, &g, count * rows * g.tile_columns, first, width, r.values,
                                packed, r.out);
                transform_outputs(set, c, &g, count, row, rows, first, width, r.out, &t, to, image);
            }
            for (int i = 0; y->take && i < count; i++)
                y->take(y->context, n + i, row * m, real, r.band + (size_t)i * image);
        }
}

/* ---- weight gradient */
/* dy's squares, group by group: values[value][group of outputs][tile][lane]. */
static void transform_gradients(const vg_tile_set *set, const grid *g, const vg_source *s,
                                int images, int rows, const float *scratch, float *values)
{
    int vectors = vg_vectors(s->c);
    vg_transform t = {.from_row = s->row,
                      .from_column = VG_LANES,
                      .from_next = (size_t)g->m * VG_LANES,
                      .to_value = input_step(g, s->c),
                      .count = g->tile_columns};
    for (int n = 0; n < images; n++)
        for (int v = 0, first = 0, width = 0; v < vectors; v++) {
            if (v == first + width) {
                first = v;
                width = vg_group_width(vectors, first);
            }
            t.to_next = (size_t)width * VG_LANES;
            float *group = values + (size_t)first * VG_LANES * (size_t)g->tiles +
                           (size_t)(v - first) * VG_LANES;
            for (int r = 0; r < rows; r++) {
                t.from = scratch + (size_t)n * s->band + (size_t)v * s->block +
                         (size_t)r * (size_t)g->m * s->row;
                t.to = group + (size_t)((n * rows + r) * g->tile_columns) * t.to_next;
                transforms(set, g->m)->gradient(&t);
            }
        }
}

/* One value of one unit: channels by outputs, summed over tiles. */
static void multiply_unit(const vg_tile_set *set, const vg_unit *u, vg_outer *o)
{
    int step = set->vectors < u->width ? set->vectors : u->width, most = set->pixels[step - 1];
    int parts = vg_ceil(u->channels, most), narrow = u->channels / parts,
        wide = u->channels % parts;
    const vg_outer start = *o;
    for (int v = 0; v < u->width; v += step) {
        *o = start;
        o->dy += (size_t)v * VG_LANES;
        o->dw += (size_t)v * VG_LANES;
        for (int i = 0; i < parts; i++) {
            int places = narrow + (i < wide);
            set->outer[step - 1][places - 1](o);
            o->x += places;
            o->dw += (size_t)places * o->step;
        }
    }
}

static void gradient_unit(const vg_tile_set *set, const vg_conv *c, const grid *g, int tiles,
                          const vg_unit *u, const float *inputs, const float *gradients, bool add,
                          float *sums, float *dw)
{
    size_t lanes = (size_t)u->width * VG_LANES, places = (size_t)u->channels * lanes;
    size_t block = (size_t)g->tiles * VG_LANES;
    for (int f = 0; f < g->values; f++) {
        vg_outer o = {.x = inputs + (size_t)f * input_step(g, c->c) + (size_t)u->block * block,
                      .dy = gradients + (size_t)f * input_step(g, c->k) + (size_t)u->first * block,
                      .x_pixel = VG_LANES,
                      .dy_pixel = lanes,
                      .images = 1,
                      .rows = 1,
                      .columns = tiles,
                      .lanes = VG_LANES,
                      .dw = sums + (size_t)f * places,
                      .step = lanes};
        multiply_unit(set, u, &o);
    }
    vg_transform t = {.from = sums,
                      .from_column = places,
                      .from_next = VG_LANES,
                      .to = dw + u->at,
                      .to_value = places,
                      .to_next = VG_LANES,
                      .count = u->channels * u->width,
                      .add = add};
    transforms(set, g->m)->weight_gradient(&t);
}

void vg_winograd_backward_weight(const vg_tile_set *set, const vg_conv *c, int m, const vg_rows *x,
                                 const vg_rows *dy, int images, bool add, float *dw, float *scratch)
{
    grid g = grid_of(c, m, vg_vectors(c->k) * VG_LANES);
    vg_source from_x = source_of(&g, x), from_dy = gradient_source(&g, c, dy);
    room r = {.values = scratch, .out = scratch + input_floats(&g, c)};
    float *sums = r.out + output_floats(&g, vg_vectors(c->k) * VG_LANES);
    r.copy = sums + (size_t)g.values * VG_LANES * VG_TILE_VECTORS * VG_LANES;
    size_t one = vg_source_scratch(&from_x), other = vg_source_scratch(&from_dy);
    r.row = r.copy + (one > other ? one : other);
    if (images == 0 && !add)
        memset(dw, 0, vg_conv_packed_gradient(c) * sizeof *dw);
    for (int n = 0; n < images; n += g.images)
        for (int row = 0; row < g.tile_rows; row += g.rows) {
            int count = g.images < images - n ? g.images : images - n;
            int rows = g.rows < g.tile_rows - row ? g.rows : g.tile_rows - row;
            vg_source_gather(set, &from_x, n, count, row * m, rows * m, r.copy, r.row);
            transform_inputs(set, &g, &from_x, count, rows, r.copy, r.values);
            vg_source_gather(set, &from_dy, n, count, row * m, rows * m, r.copy, r.row);
            transform_gradients(set, &g, &from_dy, count, rows, r.copy, r.out);
            for (int i = 0; i < vg_conv_gradient_parts(c); i++) {
                vg_unit u = vg_unit_at(c, i);
                gradient_unit(set, c, &g, count * rows * g.tile_columns, &u, r.values, r.out, add,
                              sums, dw);
            }
            add = true;
        }
}

/* ---- what and how much */
/* By how many times tiles of m spare multiplications over the map, cut tiles counted whole. */
static double saving(int m, int p, int q)
{
    if (m == 0)
        return 0;
    double tiles = (double)vg_ceil(p, m) * (double)vg_ceil(q, m);
    return 9.0 * p * q / (tiles * (m + 2) * (m + 2));
}

vg_winograd vg_winograd_choose(const vg_conv *c, int largest)
{
    const double worth = 1.5; /* below, the transforms eat it up */
    const int channels = 16;  /* likewise */
    vg_winograd none = {0};
    if (largest < 2 || c->kernel != 3 || c->stride != 1 || c->dilation != 1 || c->padding > 2 ||
        c->c < channels || c->k < channels)
        return none;
    int forward = 0, data = 0;
    for (int m = 2; m <= largest && m <= 4; m += 2) {
        if (saving(m, c->p, c->q) >= worth && saving(m, c->p, c->q) > saving(forward, c->p, c->q))
            forward = m;
        if (saving(m, c->h, c->w) >= worth && saving(m, c->h, c->w) > saving(data, c->h, c->w))
            data = m;
    }
    return (vg_winograd){forward, data, forward};
}

static size_t forward_scratch(const vg_conv *c, int m)
{
    grid g = grid_of(c, m, VG_TILE_VECTORS * VG_LANES);
    vg_source s = source_of(&g, NULL);
    return input_floats(&g, c) + output_floats(&g, VG_TILE_VECTORS * VG_LANES) +
           vg_source_scratch(&s) + (size_t)c->w * c->x_pixel;
}

size_t vg_winograd_scratch_sink(const vg_conv *c, int m)
{
    grid g = grid_of(c, m, VG_TILE_VECTORS * VG_LANES);
    return forward_scratch(c, m) +
           (size_t)g.images * (size_t)(g.rows * m) * (size_t)c->q * (size_t)c->k;
}

static size_t weight_scratch(const vg_conv *c, int m)
{
    int lanes = vg_vectors(c->k) * VG_LANES;
    grid g = grid_of(c, m, lanes);
    vg_source x = source_of(&g, NULL), dy = gradient_source(&g, c, NULL);
    size_t one = vg_source_scratch(&x), other = vg_source_scratch(&dy);
    size_t row = (size_t)c->w * c->x_pixel, dy_row = (size_t)c->q * c->y_pixel;
    return input_floats(&g, c) + output_floats(&g, lanes) +
           (size_t)g.values * VG_LANES * VG_TILE_VECTORS * VG_LANES + (one > other ? one : other) +
           (row > dy_row ? row : dy_row);
}

size_t vg_winograd_scratch(const vg_conv *c, const vg_winograd *choice)
{
    vg_conv reversed = vg_winograd_reverse(c);
    size_t need[] = {choice->forward ? forward_scratch(c, choice->forward) : 0,
                     choice->data ? forward_scratch(&reversed, choice->data) : 0,
                     choice->weight ? weight_scratch(c, choice->weight) : 0};
    size_t most = need[0] > need[1] ? need[0] : need[1];
    return most > need[2] ? most : need[2];
}
/* NOLINTEND(readability-non-const-parameter) */
