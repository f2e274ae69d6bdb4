/* Rectangles and grids that hide what is below them. */
#include "ops/occlude.h"

#include "base/rng.h"

/* Clips [*start, *start + *length) to [0, n). */
static void clip(int *start, int *length, int n)
{
    long end = (long)*start + *length;
    if (*start < 0)
        *start = 0;
    if (end > n)
        end = n;
    *length = end > *start ? (int)(end - *start) : 0;
}

void vg_occlude_rectangle(const vg_pixels *p, int x, int y, int width, int height,
                          const float value[3])
{
    clip(&x, &width, p->width);
    clip(&y, &height, p->height);
    for (int c = 0; c < p->channels; c++)
        for (int v = 0; v < height; v++) {
            float *row = p->x + (size_t)c * vg_pixels_plane(p) +
                         (size_t)(y + v) * (size_t)p->width + (size_t)x;
            for (int u = 0; u < width; u++)
                row[u] = value[c];
        }
}

void vg_occlude_noise(const vg_pixels *p, int x, int y, int width, int height,
                      const vg_sample_key *key, uint32_t use)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, use);
    clip(&x, &width, p->width);
    clip(&y, &height, p->height);
    for (int c = 0; c < p->channels; c++)
        for (int v = 0; v < height; v++) {
            float *row = p->x + (size_t)c * vg_pixels_plane(p) +
                         (size_t)(y + v) * (size_t)p->width + (size_t)x;
            for (int u = 0; u < width; u++)
                row[u] = 255 * vg_rng_float(&rng);
        }
}

void vg_occlude_grid(const vg_pixels *p, int unit, double keep, int x, int y, const float value[3])
{
    int side = (int)((1 - keep) * unit + 0.5);
    int left = x % unit, top = y % unit;
    left -= left > 0 ? unit : 0;
    top -= top > 0 ? unit : 0;
    for (int v = top; side > 0 && v < p->height; v += unit)
        for (int u = left; u < p->width; u += unit)
            vg_occlude_rectangle(p, u, v, side, side, value);
}
