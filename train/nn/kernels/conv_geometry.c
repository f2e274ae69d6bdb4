/* The geometry of a direct convolution, and the copy of its source into the scratch. A stride is taken
 * apart here: columns of the same residue lie side by side, so that the kernels always step by one
 * pixel; residues that no tap reads are not copied. */
#include "nn/kernels/conv_geometry.h"

#include <string.h>

void vg_tap_order(const vg_conv *c, int32_t *rs)
{
    int n = 0;
    for (int r = 0; r < c->kernel; r++)
        for (int phase = 0; phase < c->stride; phase++)
            for (int s = 0; s < c->kernel; s++)
                if (s * c->dilation % c->stride == phase)
                    rs[n++] = r * c->kernel + s;
}

int vg_conv_gradient_parts(const vg_conv *c)
{
    return vg_ceil(c->c, VG_LANES) * vg_ceil(vg_vectors(c->k), VG_TILE_VECTORS);
}

vg_unit vg_unit_at(const vg_conv *c, int unit)
{
    int vectors = vg_vectors(c->k), groups = vg_ceil(vectors, VG_TILE_VECTORS);
    vg_unit u = {.block = unit / groups, .width = vg_group_width(vectors, 0)};
    for (int g = 0; g < unit % groups; g++) {
        u.first += u.width;
        u.width = vg_group_width(vectors, u.first);
    }
    int rest = c->c - u.block * VG_LANES;
    u.channels = rest < VG_LANES ? rest : VG_LANES;
    size_t taps = (size_t)c->kernel * (size_t)c->kernel, lanes = (size_t)u.width * VG_LANES;
    u.at = (size_t)u.first * VG_LANES * (size_t)c->c * taps +
           (size_t)u.block * VG_LANES * taps * lanes;
    u.floats = (size_t)u.channels * taps * lanes;
    return u;
}

/* Whether tap r reaches pixels of residue a: the distance is then a multiple of the stride. */
static bool reaches(const vg_conv *c, int a, int r)
{
    return (a + c->padding - r * c->dilation) % c->stride == 0;
}

int vg_class_taps(const vg_conv *c, int a, int b, int32_t *rs)
{
    int n = 0;
    for (int r = c->kernel - 1; r >= 0; r--)
        for (int s = c->kernel - 1; s >= 0 && reaches(c, a, r); s--)
            if (reaches(c, b, s))
                rs[n++] = r * c->kernel + s;
    return n;
}

static int pitch_of(int c)
{
    return c == 1 || c == 3 ? c : VG_LANES;
}

void vg_source_hold(vg_source *s, int images, int rows)
{
    s->images_once = images;
    s->rows_once = rows;
    size_t held = (size_t)(rows - 1) * (size_t)s->stride + (size_t)s->span;
    s->block = held * s->row;
    s->band = (size_t)vg_ceil(s->c, VG_LANES) * s->block;
}

/* Sets the scratch's strides, and how much of the source is held at a time. */
static void lay_out(vg_source *s, int pitch, int rows_most)
{
    s->pitch = pitch;
    s->phase_columns = vg_ceil(s->columns, s->stride);
    s->row = (size_t)s->phase_columns * (size_t)s->stride * (size_t)s->pitch;
    int images = 1, once = s->out_rows;
    size_t blocks = (size_t)vg_ceil(s->c, VG_LANES), per_row = s->row * blocks;
    size_t all = (size_t)(s->out_rows - 1) * (size_t)s->stride + (size_t)s->span;
    if (all * per_row <= VG_BAND_FLOATS) {
        images = (int)(VG_BAND_FLOATS / (all * per_row));
        if (rows_most && images * s->out_rows > rows_most)
            images = rows_most > s->out_rows ? rows_most / s->out_rows : 1;
    } else {
        size_t rows = VG_BAND_FLOATS / per_row;
        int fit = rows > (size_t)s->span ? (int)(rows - (size_t)s->span) / s->stride + 1 : 1;
        fit = rows_most && fit > rows_most ? rows_most : fit;
        int bands = vg_ceil(s->out_rows, fit < s->out_rows ? fit : s->out_rows);
        once = vg_ceil(s->out_rows, bands); /* equal bands, no thin rest */
    }
    vg_source_hold(s, images, once);
}

static void use_phase(uint64_t *phases, int place, int stride)
{
    int phase = place % stride;
    *phases |= phase < 63 ? UINT64_C(1) << phase : UINT64_C(1) << 63;
}

static bool is_used(uint64_t phases, int phase)
{
    return phases >> (phase < 63 ? phase : 63) & 1;
}

static vg_source forward_source(const vg_conv *c, const vg_rows *x, int channel, int count,
                                int pitch, int rows_most)
{
    vg_source s = {.rows = x,
                   .pixel = c->x_pixel,
                   .image = (size_t)c->h * (size_t)c->w * c->x_pixel,
                   .channel = channel,
                   .c = count,
                   .h = c->h,
                   .w = c->w,
                   .stride = c->stride,
                   .top = -c->padding,
                   .left = -c->padding,
                   .span = (c->kernel - 1) * c->dilation + 1,
                   .out_rows = c->p};
    s.columns = (c->q - 1) * c->stride + s.span;
    for (int r = 0; r < c->kernel; r++)
        use_phase(&s.row_phases, r * c->dilation, c->stride);
    s.column_phases = s.row_phases;
    lay_out(&s, pitch, rows_most);
    return s;
}

vg_source vg_source_forward(const vg_conv *c, const vg_rows *x, int channel, int count,
                            int rows_most)
{
    return forward_source(c, x, channel, count, pitch_of(count), rows_most);
}

vg_source vg_source_weights(const vg_conv *c, const vg_rows *x, int channel, int count,
                            int rows_most)
{
    return forward_source(c, x, channel, count, count < VG_LANES ? count : VG_LANES, rows_most);
}

static int floor_div(int a, int b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

vg_source vg_source_backward(const vg_conv *c, const vg_rows *dy)
{
    int top = floor_div(c->padding - (c->kernel - 1) * c->dilation, c->stride);
    int bottom = floor_div(c->stride - 1 + c->padding, c->stride);
    vg_source s = {.rows = dy,
                   .pixel = c->y_pixel,
                   .image = (size_t)c->p * (size_t)c->q * c->y_pixel,
                   .c = c->k,
                   .h = c->p,
                   .w = c->q,
                   .stride = 1,
                   .top = top,
                   .left = top,
                   .span = bottom - top + 1,
                   .out_rows = vg_ceil(c->h, c->stride),
                   .row_phases = 1,
                   .column_phases = 1};
    s.columns = vg_ceil(c->w, c->stride) - 1 + s.span;
    lay_out(&s, pitch_of(s.c), 0);
    return s;
}

bool vg_conv_is_narrow(const vg_conv *c)
{
    double wide = (double)c->w * c->kernel * vg_vectors(c->c);
    double narrow = (double)c->q * vg_vectors(c->c * c->kernel);
    return c->stride == 1 && c->c < VG_LANES && 2 * narrow <= wide;
}

vg_source vg_source_narrow(const vg_conv *c, const vg_rows *dy)
{
    vg_source s = {.rows = dy,
                   .pixel = c->y_pixel,
                   .image = (size_t)c->p * (size_t)c->q * c->y_pixel,
                   .c = c->k,
                   .h = c->p,
                   .w = c->q,
                   .stride = 1,
                   .top = c->padding - (c->kernel - 1) * c->dilation,
                   .span = (c->kernel - 1) * c->dilation + 1,
                   .columns = c->q,
                   .out_rows = c->h,
                   .row_phases = 1,
                   .column_phases = 1};
    lay_out(&s, pitch_of(s.c), 0);
    return s;
}

size_t vg_narrow_scratch(const vg_conv *c)
{
    vg_source s = vg_source_narrow(c, NULL);
    size_t lanes = (size_t)vg_vectors(c->c * c->kernel) * VG_LANES;
    size_t rows = (size_t)s.images_once * (size_t)s.rows_once;
    return vg_source_scratch(&s) + rows * (size_t)c->q * lanes + (size_t)c->w * (size_t)c->c +
           VG_LANES;
}

size_t vg_source_scratch(const vg_source *s)
{
    return (size_t)s->images_once * s->band;
}

/* One source row into every channel block; columns outside are zeros. */
static void gather_row(const vg_tile_set *set, const vg_source *s, const float *src, size_t pixel,
                       float *to)
{
    size_t pitch = (size_t)s->pitch, phase_floats = (size_t)s->phase_columns * pitch;
    int blocks = vg_ceil(s->c, VG_LANES);
    for (int phase = 0; phase < s->stride; phase++, to += phase_floats) {
        if (!is_used(s->column_phases, phase))
            continue;
        /* places j whose column left + j stride + phase exists */
        int first = s->left + phase, from = first < 0 ? vg_ceil(-first, s->stride) : 0;
        int end = s->w > first ? vg_ceil(s->w - first, s->stride) : 0;
        end = end < s->phase_columns ? end : s->phase_columns;
        from = from < end ? from : end;
        for (int b = 0; b < blocks; b++) {
            memset(to + (size_t)b * s->block, 0, (size_t)from * pitch * sizeof *to);
            memset(to + (size_t)b * s->block + (size_t)end * pitch, 0,
                   (size_t)(s->phase_columns - end) * pitch * sizeof *to);
        }
        if (from >= end)
            continue;
        const float *begin = src + (size_t)(first + from * s->stride) * pixel;
        size_t step = (size_t)s->stride * pixel;
        float *place = to + (size_t)from * pitch;
        if (s->pitch == VG_LANES)
            set->spread(begin, step, end - from, s->c, place, s->block);
        else if (step == pitch)
            memcpy(place, begin, (size_t)(end - from) * pitch * sizeof *to);
        else
            for (int j = from; j < end; j++, begin += step, place += pitch)
                for (size_t i = 0; i < pitch; i++)
                    place[i] = begin[i];
    }
}

void vg_source_gather(const vg_tile_set *set, const vg_source *s, int first, int images, int row,
                      int rows, float *scratch, float *room)
{
    int held = (rows - 1) * s->stride + s->span, blocks = vg_ceil(s->c, VG_LANES);
    for (int n = 0; n < images; n++)
        for (int i = 0; i < held; i++) {
            float *to = scratch + (size_t)n * s->band + (size_t)i * s->row;
            int at = s->top + row * s->stride + i;
            if (!is_used(s->row_phases, i % s->stride))
                continue;
            if (at < 0 || at >= s->h) {
                for (int b = 0; b < blocks; b++)
                    memset(to + (size_t)b * s->block, 0, s->row * sizeof *to);
                continue;
            }
            const vg_rows *from = s->rows;
            const float *src = from->row ? from->row(from->context, first + n, at, room)
                                         : from->base + (size_t)(first + n) * s->image +
                                               (size_t)at * (size_t)s->w * s->pixel;
            gather_row(set, s, src + s->channel, from->row ? from->pixel : s->pixel, to);
        }
}
