/* Colour jitter on planar floats.
 *
 * torchvision truncates to 8 bits after each operation when its picture is 8-bit; this works like
 * its float path, where nothing is lost between operations. Luma is 0.2989 R + 0.587 G + 0.114 B,
 * torchvision's weights. */
#include "ops/colour.h"

#include <math.h>

static inline float clamp(float v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static inline float luma(float r, float g, float b)
{
    return 0.2989f * r + 0.587f * g + 0.114f * b;
}

void vg_colour_brightness(float *x, int channels, size_t n, double factor)
{
    float f = (float)factor;
    for (size_t i = 0; i < (size_t)channels * n; i++)
        x[i] = clamp(x[i] * f);
}

void vg_colour_contrast(float *x, int channels, size_t n, double factor)
{
    double sum = 0;
    if (channels == 3)
        for (size_t i = 0; i < n; i++)
            sum += (double)luma(x[i], x[n + i], x[2 * n + i]);
    else
        for (size_t i = 0; i < n; i++)
            sum += (double)x[i];
    float f = (float)factor, grey = (float)((1 - factor) * (sum / (double)n));
    for (size_t i = 0; i < (size_t)channels * n; i++)
        x[i] = clamp(f * x[i] + grey);
}

void vg_colour_saturation(float *x, int channels, size_t n, double factor)
{
    if (channels != 3)
        return;
    float f = (float)factor, rest = (float)(1 - factor);
    float *red = x, *green = x + n, *blue = x + 2 * n;
    for (size_t i = 0; i < n; i++) {
        float grey = rest * luma(red[i], green[i], blue[i]);
        red[i] = clamp(f * red[i] + grey);
        green[i] = clamp(f * green[i] + grey);
        blue[i] = clamp(f * blue[i] + grey);
    }
}

/* HSV keeps value and saturation: only where on the wheel between them the three channels stand
 * changes. `wheel` is 6 h in [0, 6). */
static inline float channel_at(float wheel, float offset, float high, float chroma)
{
    float k = wheel + offset;
    if (k >= 6)
        k -= 6;
    float fall = k < 4 - k ? k : 4 - k;
    fall = fall < 0 ? 0 : fall > 1 ? 1 : fall;
    return high - chroma * fall;
}

void vg_colour_hue(float *x, int channels, size_t n, double turns)
{
    if (channels != 3)
        return;
    float shift = (float)(6 * (turns - floor(turns)));
    float *red = x, *green = x + n, *blue = x + 2 * n;
    for (size_t i = 0; i < n; i++) {
        float r = red[i], g = green[i], b = blue[i];
        float high = r > g ? (r > b ? r : b) : (g > b ? g : b);
        float low = r < g ? (r < b ? r : b) : (g < b ? g : b);
        float chroma = high - low;
        if (!(chroma > 0))
            continue;
        float wheel = high == r   ? (g - b) / chroma
                      : high == g ? 2 + (b - r) / chroma
                                  : 4 + (r - g) / chroma;
        wheel += shift;
        if (wheel < 0)
            wheel += 6;
        if (wheel >= 6)
            wheel -= 6;
        red[i] = channel_at(wheel, 5, high, chroma);
        green[i] = channel_at(wheel, 3, high, chroma);
        blue[i] = channel_at(wheel, 1, high, chroma);
    }
}
