/* Means over whole cells: a pixel belongs to one cell, so that every pixel counts once and no filter
 * has to be chosen. */
#include "glance.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static void add_rows(const float *x, float weight, int width, int height, vg_glance *g)
{
    for (int row = 0; row < height; row++) {
        float *cells = g->luma + (ptrdiff_t)((long)row * g->height / height) * g->width;
        const float *line = x + (size_t)row * (size_t)width;
        for (int c = 0; c < g->width; c++) {
            int end = (int)(((long)c + 1) * width / g->width);
            float sum = 0;
            for (int i = (int)((long)c * width / g->width); i < end; i++)
                sum += line[i];
            cells[c] += weight * sum;
        }
    }
}

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

void vg_glance_make(const float *x, int channels, int width, int height, vg_glance *g)
{
    static const float weights[] = {0.299f, 0.587f, 0.114f};
    g->width = width < VG_GLANCE ? width : VG_GLANCE;
    g->height = height < VG_GLANCE ? height : VG_GLANCE;
    memset(g->luma, 0, sizeof g->luma);
    size_t plane = (size_t)width * (size_t)height;
    for (int c = 0; c < channels; c++)
        add_rows(x + (size_t)c * plane, channels == 3 ? weights[c] : 1, width, height, g);
    for (int y = 0; y < g->height; y++)
        for (int c = 0; c < g->width; c++) {
            long columns = ((long)c + 1) * width / g->width - (long)c * width / g->width;
            /* As many rows r as have floor(r h / height) = y. */
            long rows = (((long)y + 1) * height + g->height - 1) / g->height -
                        ((long)y * height + g->height - 1) / g->height;
            g->luma[y * g->width + c] /= (float)(rows * columns);
        }
    for (int y = 0; y < g->height; y++)
        for (int c = 0; c < g->width; c++) {
            int i = y * g->width + c;
            g->across[i] = (g->luma[y * g->width + clamp(c + 1, g->width)] -
                            g->luma[y * g->width + clamp(c - 1, g->width)]) /
                           2;
            g->down[i] = (g->luma[clamp(y + 1, g->height) * g->width + c] -
                          g->luma[clamp(y - 1, g->height) * g->width + c]) /
                         2;
        }
}

double vg_glance_edge(const vg_glance *g, int i)
{
    double a = (double)g->across[i], d = (double)g->down[i];
    return sqrt(a * a + d * d);
}
