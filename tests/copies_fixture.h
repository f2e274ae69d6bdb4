/* Made-up scenes and what people do to pictures, for the tests of the search for copies. */
#ifndef VG_COPIES_FIXTURE_H
#define VG_COPIES_FIXTURE_H

#include "audit/window.h"
#include "base/rng.h"
#include "test.h"

#include <math.h>
#include <stdbool.h>

/* A scene of 40 coloured discs and boxes on a slope of brightness, of its own for each number. */
static inline void scene_make(vg_image *image, int width, int height, int channels, unsigned number)
{
    vg_error err = {0};
    vg_rng rng = vg_rng_make(number, 0, 0, VG_RNG_SAMPLE_DATA);
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    double slope = vg_rng_uniform(&rng, -40, 40);
    struct {
        double x, y, r, c[3];
        int box;
    } thing[40];
    for (int i = 0; i < 40; i++) {
        thing[i].x = vg_rng_double(&rng);
        thing[i].y = vg_rng_double(&rng);
        thing[i].r = vg_rng_uniform(&rng, 0.02, 0.25);
        thing[i].box = vg_rng_below(&rng, 2) != 0;
        for (int c = 0; c < 3; c++)
            thing[i].c[c] = vg_rng_uniform(&rng, 20, 200);
    }
    uint8_t *p = image->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double u = (x + 0.5) / width, v = (y + 0.5) / height, c[3] = {110, 110, 110};
            for (int i = 0; i < 40; i++) {
                double dx = fabs(u - thing[i].x), dy = fabs(v - thing[i].y);
                if (thing[i].box ? fmax(dx, dy) < thing[i].r * 0.7 : hypot(dx, dy) < thing[i].r)
                    memcpy(c, thing[i].c, sizeof c);
            }
            for (int k = 0; k < channels; k++)
                *p++ = (uint8_t)fmin(fmax(c[k] + slope * (u - 0.5), 0), 255);
        }
}

/* As window.h says: swapped, then mirrored. */
static inline void scene_turn(const vg_image *in, int turn, vg_image *out)
{
    vg_error err = {0};
    bool swap = turn & VG_TURN_SWAP;
    int w = swap ? in->height : in->width, h = swap ? in->width : in->height;
    assert_ok(vg_image_shape(out, w, h, in->channels, &err));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int u = turn & VG_TURN_X ? w - 1 - x : x, v = turn & VG_TURN_Y ? h - 1 - y : y;
            int from = swap ? u * in->width + v : v * in->width + u;
            memcpy(out->data + (size_t)(y * w + x) * (size_t)in->channels,
                   in->data + (size_t)from * (size_t)in->channels, (size_t)in->channels);
        }
}

static inline void scene_crop(const vg_image *in, int x, int y, int w, int h, vg_image *out)
{
    vg_error err = {0};
    vg_view all = vg_image_view(in), part = vg_view_part(&all, x, y, w, h);
    assert_ok(vg_image_shape(out, w, h, in->channels, &err));
    for (int row = 0; row < h; row++)
        memcpy(out->data + (size_t)row * (size_t)w * (size_t)in->channels,
               part.data + (size_t)row * part.stride, (size_t)w * (size_t)in->channels);
}

static inline void scene_brighten(vg_image *image, double gain, double offset)
{
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)fmin(fmax(gain * image->data[i] + offset, 0), 255);
}

/* A black bar with a white pattern in a corner. */
static inline void scene_caption(vg_image *image)
{
    int w = image->width * 4 / 10, h = image->height / 9, top = image->height - 2 * h;
    for (int y = top; y < top + h; y++)
        for (int x = 3; x < 3 + w; x++)
            memset(image->data + (size_t)(y * image->width + x) * (size_t)image->channels,
                   x / 3 % 2 && y > top + 2 ? 255 : 0, (size_t)image->channels);
}

#endif
