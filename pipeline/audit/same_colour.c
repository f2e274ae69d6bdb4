/* Drawings of one shape on one ground differ in nothing but colour, and are fitted by gain and offset as if they were one
 * picture in another light. A coarse grid is enough to tell; each pixel counts in the cell of its centre. */
#include "audit/same_colour.h"

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

static bool agree(int a, int b, double gain)
{
    double expected = gain * a, off = b - expected;
    double most = 12 + (expected < 0 ? -expected : expected) / 3;
    return off <= most && -off <= most;
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
            double across = window.x0 + (window.x1 - window.x0) * (x + 0.5) / SIDE;
            double down = window.y0 + (window.y1 - window.y0) * (y + 0.5) / SIDE;
            int column = (int)(across * SIDE), row = (int)(down * SIDE);
            column = column < 0 ? 0 : column >= SIDE ? SIDE - 1 : column;
            row = row < 0 ? 0 : row >= SIDE ? SIDE - 1 : row;
            int of_a = row * SIDE + column;
            agreeing += agree(a->blue[of_a], b->blue[of_b], gain) &&
                        agree(a->red[of_a], b->red[of_b], gain);
        }
    return agreeing * 3 >= CELLS * 2;
}
