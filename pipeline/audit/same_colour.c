/* Drawings of one shape on one ground differ in nothing but colour, and are fitted by gain and offset as if they were one
 * picture in another light. A coarse grid is enough to tell; each pixel counts in the cell of its centre. */
#include "audit/same_colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = VG_COLOUR_SIDE, CELLS = SIDE * SIDE };

static const int colourless = 3; /* levels */

void vg_colours_make(const vg_image *image, vg_colours *colours)
{
    int64_t blue[CELLS] = {0}, red[CELLS] = {0}, count[CELLS] = {0};
    int width = image->width, height = image->height;
    *colours = (vg_colours){.grey = true};
    if (image->channels != 3)
        return;
    for (int y = 0; y < height; y++) {
        const uint8_t *p = image->data + (size_t)y * (size_t)width * 3;
        int row = (int)((int64_t)y * SIDE / height) * SIDE;
        for (int i = 0, x = 0; i < SIDE; i++) {
            int end = (int)(((int64_t)(i + 1) * width + SIDE - 1) / SIDE), b = 0, r = 0, from = x;
            for (; x < end; x++, p += 3) {
                int luma = (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16;
                r += p[0] - luma;
                b += p[2] - luma;
            }
            blue[row + i] += b;
            red[row + i] += r;
            count[row + i] += x - from;
        }
    }
    for (int i = 0; i < CELLS; i++) {
        int n = (int)count[i];
        if (!n)
            continue; /* a picture of fewer pixels: such cells stay grey in all of its kind */
        colours->blue[i] = (int16_t)(blue[i] / n);
        colours->red[i] = (int16_t)(red[i] / n);
        colours->grey &= abs(colours->blue[i]) < colourless && abs(colours->red[i]) < colourless;
    }
}

/* The cells of a that a cell of b may lie over: what b has there is a mixture of them. */
typedef struct corners {
    int first, last;
} corners;

static corners corners_of(double from, double to, int i)
{
    double at = (from + (to - from) * (i + 0.5) / SIDE) * SIDE - 0.5;
    double before = floor(at + 0.15), after = ceil(at - 0.15); /* nearly on one: that one alone */
    corners c = {(int)before, (int)after};
    c.first = c.first < 0 ? 0 : c.first >= SIDE ? SIDE - 1 : c.first;
    c.last = c.last < 0 ? 0 : c.last >= SIDE ? SIDE - 1 : c.last;
    return c;
}

static bool agree(const int16_t *a, corners across, corners down, int b, double gain)
{
    double low = INT16_MAX, high = INT16_MIN;
    for (int y = down.first; y <= down.last; y++)
        for (int x = across.first; x <= across.last; x++) {
            double value = gain * a[y * SIDE + x];
            low = fmin(low, value);
            high = fmax(high, value);
        }
    return b >= low - 12 - fabs(low) / 3 && b <= high + 12 + fabs(high) / 3;
}

bool vg_same_colour(const vg_colours *a, vg_window_part window, const vg_colours *b, int turn,
                    double gain)
{
    int agreeing = 0;
    if (a->grey || b->grey)
        return true;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int u = turn & VG_TURN_X ? SIDE - 1 - x : x, v = turn & VG_TURN_Y ? SIDE - 1 - y : y;
            int of_b = turn & VG_TURN_SWAP ? u * SIDE + v : v * SIDE + u;
            corners across = corners_of(window.x0, window.x1, x);
            corners down = corners_of(window.y0, window.y1, y);
            agreeing += agree(a->blue, across, down, b->blue[of_b], gain) &&
                        agree(a->red, across, down, b->red[of_b], gain);
        }
    return agreeing * 3 >= CELLS * 2;
}
