/* The forward pass and the data gradient: both are a correlation of a zero-rimmed source with packed
 * weights, the second one for each class of pixels modulo the stride.
 *
 * Order of the loops: a band of the source is copied into the level-2 cache; for each group of up to
 * 64 outputs the reduction is cut into runs of channel blocks whose weights stay in the nearest caches
 * while they pass over all pixels of the band, and the chains rest in y from one run to the next. */
#include "nn/kernels/conv_geometry.h"
#include "nn/kernels/conv_thin.h"
#include "nn/kernels/kernels.h"

#include <string.h>

/* Weights of one run of channel blocks: they pass from the level-2 cache through the first. */
enum { RUN_FLOATS = 32 * 1024 };

/* Outputs on their way to a sink. */
enum { SINK_FLOATS = 24 * 1024 };

/* One class of outputs: a grid of pixels with its taps and weights. */
typedef struct grid {
    int k, rows, columns; /* of one image */
    float *y;             /* the first pixel of image 0 */
    size_t pixel, row, image;
    int32_t tap[VG_CONV_TAPS];
    int taps;
    const float *w, *bias;
    bool add, relu; /* add: chains start at y instead of the bias */
    bool join;      /* at the sum of both */
} grid;

/* Cuts `columns` into equal parts that fit the registers. */
static void run_row(const vg_tile_set *set, const vg_tile_fn *kernels, int most, int columns,
                    int pitch, vg_tile *tile)
{
    (void)set;
    const float *x = tile->x;
    float *y = tile->y;
    int parts = vg_ceil(columns, most), width = columns / parts, wide = columns % parts;
    for (int i = 0; i < parts; i++) {
        int pixels = width + (i < wide);
        kernels[pixels - 1](tile);
        tile->x += (size_t)pixels * (size_t)pitch;
        tile->y += (size_t)pixels * tile->y_pixel;
    }
    tile->x = x;
    tile->y = y;
}

/* `width` vectors of outputs from `first` on, over the held rows of the held images. */
static void run_vectors(const vg_tile_set *set, const vg_source *s, const grid *g,
                        const vg_tile *start, int width, int vector, int images, int rows,
                        const float *scratch)
{
    vg_tile tile = *start;
    tile.w += (size_t)vector * VG_LANES;
    const vg_tile_fn *kernels = set->tile[vg_pitch_index(s->pitch)][width - 1];
    int most = set->pixels[width - 1];
    for (int n = 0; n < images; n++)
        for (int r = 0; r < rows; r++) {
            tile.x = scratch + (size_t)n * s->band + (size_t)(r * s->stride) * s->row;
            tile.y =
                start->y + (size_t)n * g->image + (size_t)r * g->row + (size_t)vector * VG_LANES;
            run_row(set, kernels, most, g->columns, s->pitch, &tile);
        }
}

/* One group of outputs: the channel blocks in runs.
 * y is written through a struct. NOLINTBEGIN(readability-non-const-parameter) */
static void run_group(const vg_tile_set *set, const vg_source *s, const grid *g, int first,
                      int width, int images, int rows, float *y, const float *scratch)
/* NOLINTEND(readability-non-const-parameter) */
{
    int blocks = vg_ceil(s->c, VG_LANES), vectors = vg_vectors(g->k);
    size_t block_floats = (size_t)g->taps * VG_LANES * (size_t)width * VG_LANES;
    int once = block_floats ? (int)(RUN_FLOATS / block_floats) : blocks;
    once = once < 1 ? 1 : once;
    int runs = vg_ceil(blocks, once);
    once = vg_ceil(blocks, runs);
    int step = set->vectors < width ? set->vectors : width;
    for (int block = 0; block < blocks; block += once) {
        bool ends = block + once >= blocks;
        int count = ends ? blocks - block : once;
        for (int v = 0; v < width; v += step) {
            bool is_last = first + v + step >= vectors;
            vg_tile tile = {.tap = g->tap,
                            .taps = g->taps,
                            .blocks = count,
                            .last = ends ? s->c - (blocks - 1) * VG_LANES : VG_LANES,
                            .x_block = s->block,
                            .w = g->w + (size_t)first * VG_LANES * (size_t)s->c * (size_t)g->taps +
                                 (size_t)block * block_floats,
                            .w_step = (size_t)width * VG_LANES,
                            .y = y + (size_t)first * VG_LANES,
                            .y_pixel = g->pixel,
                            .lanes = is_last ? g->k - (vectors - 1) * VG_LANES : VG_LANES,
                            .bias = block == 0 && !g->add ? g->bias + (size_t)(first + v) * VG_LANES
                                                          : NULL,
                            .add = g->join,
                            .relu = g->relu && ends};
            run_vectors(set, s, g, &tile, step, v, images, rows,
                        scratch + (size_t)block * s->block);
        }
    }
}

static void run_grid(const vg_tile_set *set, const vg_source *s, const grid *g, int image,
                     int images, int row, int rows, const float *scratch)
{
    if (row >= g->rows || g->columns <= 0)
        return;
    rows = rows < g->rows - row ? rows : g->rows - row;
    float *y = g->y + (size_t)image * g->image + (size_t)row * g->row;
    int vectors = vg_vectors(g->k);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        run_group(set, s, g, first, width, images, rows, y, scratch);
    }
}

/* The source, and how much of it is held: with a sink no more than its rows of outputs stay near. */
static vg_source forward_source(const vg_conv *c, const vg_rows *x, int multiple)
{
    vg_source s = vg_source_forward(c, x, 0, c->c, 0);
    if (!multiple)
        return s;
    int most = (int)(SINK_FLOATS / ((size_t)c->q * (size_t)c->k));
    if (s.rows_once == c->p && c->p <= most) {
        int images = most / c->p;
        vg_source_hold(&s, images < s.images_once ? images : s.images_once, c->p);
        return s;
    }
    int rows = (most < s.rows_once ? most : s.rows_once) / multiple * multiple;
    rows = rows < multiple ? multiple : rows;
    vg_source_hold(&s, 1, rows < c->p ? rows : c->p);
    return s;
}

static size_t band_floats(const vg_conv *c, const vg_source *s)
{
    return (size_t)s->images_once * (size_t)s->rows_once * (size_t)c->q * (size_t)c->k;
}

size_t vg_conv_scratch_sink(const vg_conv *c, int multiple)
{
    vg_source s = forward_source(c, NULL, multiple);
    size_t need = vg_source_scratch(&s) + band_floats(c, &s) + (size_t)c->w * c->x_pixel;
    size_t thin = vg_conv_is_thin(c) ? vg_thin_scratch(c, multiple) : 0;
    return need > thin ? need : thin;
}

/* Whether the registers of a pair of rows do it all: one vector of outputs, one run of channel blocks. */
static bool goes_in_pairs(const vg_tile_set *set, const vg_source *s, const grid *g,
                          const vg_sink *to)
{
    size_t blocks = (size_t)vg_ceil(s->c, VG_LANES);
    return to->largest && set->pair[0] && s->pitch == VG_LANES && s->stride == 1 &&
           vg_vectors(g->k) == 1 && blocks * (size_t)g->taps * VG_LANES * VG_LANES <= RUN_FLOATS;
}

static void run_pairs(const vg_tile_set *set, const vg_source *s, const grid *g, int image,
                      int images, int row, int rows, const vg_sink *to, const float *scratch)
{
    int blocks = vg_ceil(s->c, VG_LANES), pairs = g->columns / 2;
    vg_tile_pair pair = {.tile = {.tap = g->tap,
                                  .taps = g->taps,
                                  .blocks = blocks,
                                  .last = s->c - (blocks - 1) * VG_LANES,
                                  .x_block = s->block,
                                  .w = g->w,
                                  .w_step = VG_LANES,
                                  .y_pixel = (size_t)g->k,
                                  .lanes = g->k,
                                  .bias = g->bias,
                                  .relu = g->relu || to->rectified},
                         .x_row = s->row};
    int parts = vg_ceil(pairs, VG_TILE_PAIRS);
    for (int n = 0; n < images; n++)
        for (int r = 0; r + 1 < rows; r += 2) {
            pair.tile.x = scratch + (size_t)n * s->band + (size_t)r * s->row;
            pair.tile.y = to->largest(to->context, image + n, row + r);
            for (int i = 0; i < parts; i++) {
                int count = pairs / parts + (i < pairs % parts);
                set->pair[count - 1](&pair);
                pair.tile.x += (size_t)(2 * count) * VG_LANES;
                pair.tile.y += (size_t)count * (size_t)g->k;
            }
        }
}

/* What is gathered goes through a band of outputs to the sink. */
static void run_to_sink(const vg_tile_set *set, const vg_source *s, grid *g, int image, int images,
                        int row, int rows, const vg_sink *to, const float *scratch)
{
    if (goes_in_pairs(set, s, g, to)) {
        run_pairs(set, s, g, image, images, row, rows, to, scratch);
        return;
    }
    g->rows = rows;
    g->image = (size_t)rows * g->row;
    run_grid(set, s, g, 0, images, 0, rows, scratch);
    for (int i = 0; i < images; i++)
        to->take(to->context, image + i, row, rows, g->y + (size_t)i * g->image);
}

void vg_conv_forward(const vg_tile_set *set, const vg_conv *c, const vg_rows *x, int images,
                     const float *packed, const vg_sink *y, float *scratch)
{
    if (!y->add && vg_conv_is_thin(c)) {
        vg_thin_forward(set, c, x, images, packed, y, scratch);
        return;
    }
    vg_source s = forward_source(c, x, y->take ? y->multiple : 0);
    size_t pixel = y->take ? (size_t)c->k : c->y_pixel;
    float *band = scratch + vg_source_scratch(&s);
    float *room = y->take ? band + band_floats(c, &s) : band;
    grid g = {.k = c->k,
              .rows = c->p,
              .columns = c->q,
              .y = y->take ? band : y->base,
              .pixel = pixel,
              .row = (size_t)c->q * pixel,
              .image = (size_t)c->p * (size_t)c->q * pixel,
              .taps = c->kernel * c->kernel,
              .w = packed,
              .bias = packed + vg_conv_packed_gradient(c),
              .join = y->add,
              .relu = y->relu};
    vg_tap_order(c, g.tap);
    for (int t = 0; t < g.taps; t++)
        g.tap[t] = vg_source_offset(&s, g.tap[t] / c->kernel * c->dilation,
                                    g.tap[t] % c->kernel * c->dilation);
    for (int n = 0; n < images; n += s.images_once)
        for (int row = 0; row < c->p; row += s.rows_once) {
            int count = s.images_once < images - n ? s.images_once : images - n;
            int rows = s.rows_once < c->p - row ? s.rows_once : c->p - row;
            vg_source_gather(set, &s, n, count, row, rows, scratch, room);
            if (y->take)
                run_to_sink(set, &s, &g, n, count, row, rows, y, scratch);
            else
                run_grid(set, &s, &g, n, count, row, rows, scratch);
        }
}

/* The class of dx's pixels (a + i stride, b + j stride). */
static void class_grid(const vg_conv *c, const vg_source *s, int a, int b, const float *w,
                       float *dx, grid *g)
{
    g->rows = a < c->h ? vg_ceil(c->h - a, c->stride) : 0;
    g->columns = b < c->w ? vg_ceil(c->w - b, c->stride) : 0;
    g->y = dx + ((size_t)a * (size_t)c->w + (size_t)b) * c->x_pixel;
    g->w = w;
    g->taps = vg_class_taps(c, a, b, g->tap);
    for (int t = 0; t < g->taps; t++) {
        int r = g->tap[t] / c->kernel, q = g->tap[t] % c->kernel;
        g->tap[t] = vg_source_offset(s, (a + c->padding - r * c->dilation) / c->stride - s->top,
                                     (b + c->padding - q * c->dilation) / c->stride - s->left);
    }
}

static void backward_band(const vg_tile_set *set, const vg_conv *c, const vg_source *s, int n,
                          int count, int row, int rows, const float *packed, grid *g, float *dx,
                          const float *scratch)
{
    const float *w = packed;
    for (int a = 0; a < c->stride; a++)
        for (int b = 0; b < c->stride; b++) {
            class_grid(c, s, a, b, w, dx, g);
            run_grid(set, s, g, n, count, row, rows, scratch);
            w += (size_t)vg_vectors(c->c) * VG_LANES * (size_t)c->k * (size_t)g->taps;
        }
}

/* Lays the sums z[pixel][column tap][channel] of a row over each other, and brings the row to dx. Whole vectors
 * are read and written, of which what is too much belongs to the next pixel, or nobody. */
typedef float sixteen __attribute__((vector_size(4 * VG_LANES)));
typedef sixteen loose_sixteen __attribute__((aligned(4), may_alias));

VG_KERNEL static void fold_row(const vg_conv *c, const float *restrict z, size_t pixel, bool add,
                               float *restrict row, float *restrict dx)
{
    size_t channels = (size_t)c->c;
    for (int j = 0; j < c->w; j++) {
        sixteen sum = {0};
        for (int s = c->kernel - 1; s >= 0; s--) {
            int q = j + c->padding - s * c->dilation;
            if (q < 0 || q >= c->q)
                continue;
            sum += *(const loose_sixteen *)(z + (size_t)q * pixel + (size_t)s * channels);
        }
        *(loose_sixteen *)(row + (size_t)j * channels) = sum;
    }
    if (!add && c->x_pixel == channels) {
        memcpy(dx, row, (size_t)c->w * channels * sizeof *dx);
        return;
    }
    for (int j = 0; j < c->w; j++, row += channels, dx += c->x_pixel)
        for (size_t i = 0; i < channels; i++)
            dx[i] = add ? dx[i] + row[i] : row[i];
}

static void backward_narrow(const vg_tile_set *set, const vg_conv *c, const vg_rows *dy, int images,
                            const float *packed, bool add, float *dx, float *scratch)
{
    vg_source s = vg_source_narrow(c, dy);
    size_t lanes = (size_t)vg_vectors(c->c * c->kernel) * VG_LANES;
    float *z = scratch + vg_source_scratch(&s);
    float *line = z + (size_t)s.images_once * (size_t)s.rows_once * (size_t)c->q * lanes;
    float *room = line + (size_t)c->w * (size_t)c->c + VG_LANES;
    grid g = {.k = (int)lanes,
              .columns = c->q,
              .y = z,
              .pixel = lanes,
              .row = (size_t)c->q * lanes,
              .taps = c->kernel,
              .w = packed,
              .bias = packed + vg_conv_packed_backward(c) - lanes};
    for (int r = 0; r < c->kernel; r++)
        g.tap[r] = vg_source_offset(&s, (c->kernel - 1 - r) * c->dilation, 0);
    for (int n = 0; n < images; n += s.images_once)
        for (int first = 0; first < c->h; first += s.rows_once) {
            int count = s.images_once < images - n ? s.images_once : images - n;
            g.rows = s.rows_once < c->h - first ? s.rows_once : c->h - first;
            g.image = (size_t)g.rows * g.row;
            vg_source_gather(set, &s, n, count, first, g.rows, scratch, room);
            run_grid(set, &s, &g, 0, count, 0, g.rows, scratch);
            for (int i = 0; i < count; i++)
                for (int r = 0; r < g.rows; r++)
                    fold_row(c, z + (size_t)i * g.image + (size_t)r * g.row, lanes, add, line,
                             dx + ((size_t)(n + i) * (size_t)c->h + (size_t)(first + r)) *
                                      (size_t)c->w * c->x_pixel);
        }
}

void vg_conv_backward_data(const vg_tile_set *set, const vg_conv *c, const vg_rows *dy, int images,
                           const float *packed, bool add, float *dx, float *scratch)
{
    if (vg_conv_is_narrow(c)) {
        backward_narrow(set, c, dy, images, packed, add, dx, scratch);
        return;
    }
    vg_source s = vg_source_backward(c, dy);
    grid g = {.k = c->c,
              .pixel = (size_t)c->stride * c->x_pixel,
              .row = (size_t)c->stride * (size_t)c->w * c->x_pixel,
              .image = (size_t)c->h * (size_t)c->w * c->x_pixel,
              .bias = packed + vg_conv_packed_backward(c) - (size_t)vg_vectors(c->c) * VG_LANES,
              .add = add};
    float *room = scratch + vg_source_scratch(&s);
    for (int n = 0; n < images; n += s.images_once)
        for (int row = 0; row < s.out_rows; row += s.rows_once) {
            int count = s.images_once < images - n ? s.images_once : images - n;
            int rows = s.rows_once < s.out_rows - row ? s.rows_once : s.out_rows - row;
            vg_source_gather(set, &s, n, count, row, rows, scratch, room);
            backward_band(set, c, &s, n, count, row, rows, packed, &g, dx, scratch);
        }
}
