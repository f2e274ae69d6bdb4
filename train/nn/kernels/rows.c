/* See rows.h. A group is up to 64 outputs. The inputs pass in runs of blocks whose weights stay in the
 * level-2 cache while all rows go over them; in between the sums rest in y. */
#include "nn/kernels/rows.h"

#include "nn/kernels/conv_geometry.h"

#include <string.h>

/* Weights of one run of blocks. */
enum { RUN_FLOATS = 32 * 1024 };

size_t vg_rows_blocked(int inputs, size_t rows)
{
    return (size_t)vg_vectors(inputs) * VG_LANES * rows;
}

size_t vg_rows_packed(int inputs, int outputs)
{
    return (size_t)vg_vectors(outputs) * VG_LANES * ((size_t)inputs + 1);
}

int vg_rows_groups(int outputs)
{
    return vg_ceil(vg_vectors(outputs), VG_TILE_VECTORS);
}

/* The first vector of a group. */
static int first_of(int vectors, int group)
{
    int first = 0;
    while (group-- > 0)
        first += vg_group_width(vectors, first);
    return first;
}

void vg_rows_pack(int inputs, int outputs, int pixels, const float *weight, const float *bias,
                  float *packed)
{
    int vectors = vg_vectors(outputs), channels = inputs / pixels;
    memset(packed, 0, vg_rows_packed(inputs, outputs) * sizeof *packed);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        int from = first * VG_LANES, lanes = width * VG_LANES;
        int real = outputs - from < lanes ? outputs - from : lanes;
        for (int i = 0; i < inputs; i++, packed += lanes) {
            const float *w = weight + (size_t)from * (size_t)inputs +
                             (size_t)(i % channels) * (size_t)pixels + (size_t)(i / channels);
            for (int l = 0; l < real; l++)
                packed[l] = w[(size_t)l * (size_t)inputs];
        }
    }
    if (bias)
        memcpy(packed, bias, (size_t)outputs * sizeof *packed);
}

/* written through a pointer to a function. NOLINTBEGIN(readability-non-const-parameter) */
void vg_rows_spread(const vg_tile_set *set, const float *x, int inputs, int rows, int first,
                    int count, float *blocked)
{
    set->spread(x, (size_t)inputs, count, inputs, blocked + (size_t)first * VG_LANES,
                (size_t)rows * VG_LANES);
}

/* Vectors [v, v + step) of a group over all rows. */
static void run_rows(const vg_tile_set *set, int rows, int step, const vg_tile *start)
{
    vg_tile tile = *start;
    int most = set->pixels[step - 1], parts = vg_ceil(rows, most);
    int narrow = rows / parts, wide = rows % parts;
    for (int i = 0; i < parts; i++) {
        int pixels = narrow + (i < wide);
        set->tile[0][step - 1][pixels - 1](&tile);
        tile.x += (size_t)pixels * VG_LANES;
        tile.y += (size_t)pixels * tile.y_pixel;
    }
}

void vg_rows_multiply(const vg_tile_set *set, const float *blocked, int rows, int inputs,
                      int outputs, int group, const float *packed, bool relu, float *y)
/* NOLINTEND(readability-non-const-parameter) */
{
    static const int32_t no_offset = 0;
    int vectors = vg_vectors(outputs), first = first_of(vectors, group);
    int width = vg_group_width(vectors, first), lanes = width * VG_LANES;
    int blocks = vg_vectors(inputs), once = RUN_FLOATS / (lanes * VG_LANES);
    int step = set->vectors < width ? set->vectors : width;
    size_t block = (size_t)rows * VG_LANES;
    const float *w = packed + (size_t)first * VG_LANES * (size_t)inputs;
    const float *bias = packed + (size_t)vectors * VG_LANES * (size_t)inputs;
    once = vg_ceil(blocks, vg_ceil(blocks, once));
    for (int b = 0; b < blocks && rows > 0; b += once) {
        bool ends = b + once >= blocks;
        for (int v = 0; v < width; v += step) {
            int at = first + v;
            vg_tile tile = {.x = blocked + (size_t)b * block,
                            .tap = &no_offset,
                            .taps = 1,
                            .blocks = ends ? blocks - b : once,
                            .last = ends ? inputs - (blocks - 1) * VG_LANES : VG_LANES,
                            .x_block = block,
                            .w = w + (size_t)b * VG_LANES * (size_t)lanes + (size_t)v * VG_LANES,
                            .w_step = (size_t)lanes,
                            .y = y + (size_t)at * VG_LANES,
                            .y_pixel = (size_t)outputs,
                            .lanes =
                                at + step < vectors ? VG_LANES : outputs - (vectors - 1) * VG_LANES,
                            .bias = b == 0 ? bias + (size_t)at * VG_LANES : NULL,
                            .relu = relu && ends};
            run_rows(set, rows, step, &tile);
        }
    }
}
