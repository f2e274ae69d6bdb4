/* Walks inwards from each side as long as whole rows or columns have the colour of the first corner pixel, then asks
 * whether what comes next differs along most of its length. A shirt on a white ground has white sides too, but its outline
 * is not straight; a letterbox, a scan's margin and a drawn frame are.
 *
 * Sees no frame with a pattern, no rounded corners and no frame at one side alone: a bright sky and a table's edge end in
 * straight lines as well. */
#include "audit/border.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIKE = 10,    /* levels: JPEG's ringing */
    DIFFERENT = 24 /* levels */
};
static const double LEAST_STRAIGHT = 0.6; /* of the line just inside */
static const double MOST_OFF = 0.1;       /* of a line, that ringing or a scratch may change */
static const int BLEND = 3; /* lines inside of which one must differ: resizing blends them */

/* A line of pixels: a row, or a column. */
struct line {
    const uint8_t *at;
    int count;
    size_t step; /* bytes from pixel to pixel */
};

/* Line `k` from the side inwards, without `from` and `to` pixels at its ends; a row counts from the left, a column from
 * the top. */
static struct line line_of(const vg_image *image, int side, int k, int from, int to)
{
    size_t channels = (size_t)image->channels, stride = (size_t)image->width * channels;
    bool row = side == VG_SIDE_TOP || side == VG_SIDE_BOTTOM;
    int lines = row ? image->height : image->width;
    size_t place = (size_t)(side == VG_SIDE_TOP || side == VG_SIDE_LEFT ? k : lines - 1 - k);
    struct line line = {.count = (row ? image->width : image->height) - from - to,
                        .step = row ? channels : stride};
    line.at = image->data + place * (row ? stride : channels) + (size_t)from * line.step;
    return line;
}

static bool differs(const uint8_t *p, const uint8_t *colour, int channels, int limit)
{
    for (int c = 0; c < channels; c++)
        if (abs(p[c] - colour[c]) > limit)
            return true;
    return false;
}

static bool has_colour(struct line line, const uint8_t *colour, int channels)
{
    int off = 0, most = (int)(MOST_OFF * line.count);
    for (int i = 0; i < line.count; i++, line.at += line.step)
        if (differs(line.at, colour, channels, ALIKE) && ++off > most)
            return false;
    return true;
}

static int across(const vg_image *image, int side)
{
    return side == VG_SIDE_TOP || side == VG_SIDE_BOTTOM ? image->height : image->width;
}

/* Whether a straight line at about the same depth is possible at all: asked at a few places of the side, because
 * white grounds are frequent and walking over all of them is dear. */
static bool may_be_straight(const vg_image *image, int side)
{
    enum { PROBES = 16 };
    int most = across(image, side), depths[PROBES], least = most, near = 0;
    struct line first = line_of(image, side, 0, 0, 0);
    for (int i = 0; i < PROBES; i++) {
        size_t place = (2 * (size_t)i + 1) * (size_t)first.count / (2 * (size_t)PROBES);
        int k = 0;
        while (k < most) {
            struct line line = line_of(image, side, k, 0, 0);
            if (differs(line.at + place * line.step, first.at, image->channels, ALIKE))
                break;
            k++;
        }
        if (k == 0)
            return false;
        depths[i] = k;
        least = k < least ? k : least;
    }
    for (int i = 0; i < PROBES; i++)
        near += depths[i] < most && depths[i] <= least + BLEND;
    return 3 * near >= PROBES;
}

/* Lines of the colour of this side's first pixel. */
static int width_at(const vg_image *image, int side)
{
    const uint8_t *colour = line_of(image, side, 0, 0, 0).at;
    int k = 0, most = across(image, side);
    if (!may_be_straight(image, side))
        return 0;
    while (k < most && has_colour(line_of(image, side, k, 0, 0), colour, image->channels))
        k++;
    return k < most ? k : 0;
}

/* Whether the picture begins in a straight line behind the border of this side. */
static bool ends_straight(const vg_image *image, int side, const int widths[VG_SIDES])
{
    bool row = side == VG_SIDE_TOP || side == VG_SIDE_BOTTOM;
    int from = widths[row ? VG_SIDE_LEFT : VG_SIDE_TOP];
    int to = widths[row ? VG_SIDE_RIGHT : VG_SIDE_BOTTOM];
    const uint8_t *colour = line_of(image, side, 0, 0, 0).at;
    for (int k = widths[side]; k < widths[side] + BLEND && k < across(image, side); k++) {
        struct line line = line_of(image, side, k, from, to);
        int off = 0;
        for (int i = 0; i < line.count; i++)
            off += differs(line.at + (size_t)i * line.step, colour, image->channels, DIFFERENT);
        if (off >= LEAST_STRAIGHT * line.count)
            return true;
    }
    return false;
}

static bool same_colour(const vg_image *image, int a, int b)
{
    return !differs(line_of(image, a, 0, 0, 0).at, line_of(image, b, 0, 0, 0).at, image->channels,
                    2 * ALIKE);
}

void vg_border_find(const vg_image *image, uint16_t border[VG_SIDES])
{
    int widths[VG_SIDES];
    memset(border, 0, VG_SIDES * sizeof *border);
    for (int side = 0; side < VG_SIDES; side++)
        widths[side] = width_at(image, side);
    for (int pair = 0; pair < 2; pair++) {
        int a = pair, b = pair + 2;
        if (!widths[a] || !widths[b] || widths[a] + widths[b] >= across(image, a) ||
            !same_colour(image, a, b))
            widths[a] = widths[b] = 0;
    }
    for (int side = 0; side < VG_SIDES; side++)
        if (widths[side] && !ends_straight(image, side, widths))
            return; /* a ground, whatever the other sides look like */
    for (int side = 0; side < VG_SIDES; side++)
        border[side] = (uint16_t)(widths[side] > UINT16_MAX ? UINT16_MAX : widths[side]);
}
