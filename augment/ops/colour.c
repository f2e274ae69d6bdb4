/* Colour jitter on planar floats.
 *
 * torchvision truncates to 8 bits after each operation when its picture is 8-bit; this works like
 * its float path, where nothing is lost between operations. Luma is 0.2989 R + 0.587 G + 0.114 B,
 * torchvision's weights.
 *
 * Operations run one after the other over blocks of pixels that stay in the first cache, as loops
 * without branches that compilers vectorize, compiled once for each machine. They are not multiplied
 * into one matrix, because each clamps. The mean for contrast is a sum of integers, so that its
 * value does not depend on how many are added at a time. */
#include "ops/colour.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 };
enum { BRIGHTNESS, CONTRAST, SATURATION, HUE };

/* One operation with its numbers: brightness multiplies, contrast multiplies and adds, saturation
 * mixes with luma, hue shifts by sixths of the wheel. */
typedef struct stage {
    int kind;
    float factor, other;
} stage;

/* One block: its planes, all the same for grey pictures. */
typedef struct block {
    float *plane[3];
    int channels;
} block;

static VG_INLINE void scale_all(const block *b, float factor, float add)
{
    for (int c = 0; c < b->channels; c++) {
        float *restrict v = b->plane[c];
        for (int i = 0; i < BLOCK; i++) {
            float w = factor * v[i] + add;
            w = w < 0 ? 0 : w;
            v[i] = w > 255 ? 255 : w;
        }
    }
}

static VG_INLINE void find_luma(const block *b, float *restrict luma)
{
    const float *restrict red = b->plane[0];
    if (b->channels != 3) {
        for (int i = 0; i < BLOCK; i++)
            luma[i] =
                red[i]; /* NOLINT(clang-analyzer-core.NullDereference): plane 0 is always set */
        return;
    }
    const float *restrict green = b->plane[1], *restrict blue = b->plane[2];
    for (int i = 0; i < BLOCK; i++)
        luma[i] = 0.2989f * red[i] + 0.587f * green[i] + 0.114f * blue[i];
}

static VG_INLINE void saturate(const block *b, float factor, float rest)
{
    float luma[BLOCK];
    find_luma(b, luma);
    for (int c = 0; c < 3; c++) {
        float *restrict v = b->plane[c];
        for (int i = 0; i < BLOCK; i++) {
            float w = factor * v[i] + rest * luma[i];
            w = w < 0 ? 0 : w;
            v[i] = w > 255 ? 255 : w;
        }
    }
}

/* The wheel in sixths, turned by `shift` in [1, 7). Which channel is the highest is told by factors
 * of 1 and 0, because compilers make branches of choices between computed values. */
static VG_INLINE void find_wheel(const block *b, const float *restrict high,
                                 const float *restrict chroma, float shift, float *restrict wheel)
{
    const float *restrict red = b->plane[0], *restrict green = b->plane[1];
    const float *restrict blue = b->plane[2];
    float is_red[BLOCK], not_red[BLOCK], is_green[BLOCK], divisor[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        is_red[i] = high[i] == red[i] ? 1.0f : 0.0f;
    for (int i = 0; i < BLOCK; i++)
        not_red[i] = high[i] == red[i] ? 0.0f : 1.0f;
    for (int i = 0; i < BLOCK; i++)
        is_green[i] = high[i] == green[i] ? 1.0f : 0.0f;
    for (int i = 0; i < BLOCK; i++)
        divisor[i] = chroma[i] > 0 ? chroma[i] : 1; /* grey: any place will do */
    for (int i = 0; i < BLOCK; i++) {
        float second = is_green[i] * not_red[i], third = not_red[i] - second;
        float part = is_red[i] * (green[i] - blue[i]) + second * (blue[i] - red[i]) +
                     third * (red[i] - green[i]);
        wheel[i] = shift + 2 * second + 4 * third + part / divisor[i];
    }
    for (int i = 0; i < BLOCK; i++)
        divisor[i] = wheel[i] >= 6 ? 6.0f : 0.0f;
    for (int i = 0; i < BLOCK; i++)
        wheel[i] -= divisor[i];
}

/* HSV keeps the largest and the least value of the pixel; only the place of its channels between
 * them changes: each is a trapezium over the wheel, here 1 where `slope * (|w - top| - edge)` is
 * above. */
static VG_INLINE void place_channel(const float *restrict wheel, float top, float edge, float slope,
                                    const float *restrict low, const float *restrict chroma,
                                    float *restrict out)
{
    float height[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        float h = slope * (fabsf(wheel[i] - top) - edge);
        height[i] = h < 0 ? 0 : h;
    }
    for (int i = 0; i < BLOCK; i++) {
        float h = height[i] > 1 ? 1 : height[i];
        out[i] = low[i] + chroma[i] * h;
    }
}

static VG_INLINE void turn(const block *b, float shift)
{
    float *restrict red = b->plane[0], *restrict green = b->plane[1], *restrict blue = b->plane[2];
    float high[BLOCK], low[BLOCK], chroma[BLOCK], wheel[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        float most = red[i] > green[i] ? red[i] : green[i];
        high[i] = most > blue[i] ? most : blue[i];
    }
    for (int i = 0; i < BLOCK; i++) {
        float least = red[i] < green[i] ? red[i] : green[i];
        low[i] = least < blue[i] ? least : blue[i];
    }
    for (int i = 0; i < BLOCK; i++)
        chroma[i] = high[i] - low[i];
    find_wheel(b, high, chroma, shift, wheel);
    place_channel(wheel, 3, 1, 1, low, chroma, red);
    place_channel(wheel, 2, 2, -1, low, chroma, green);
    place_channel(wheel, 4, 2, -1, low, chroma, blue);
}

/* The sum of luma in steps of 2^-16, below 2^31 for a block. */
static VG_INLINE int64_t sum_luma(const block *b)
{
    float luma[BLOCK];
    find_luma(b, luma);
    int32_t sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += (int32_t)(luma[i] * 65536.0f);
    return sum;
}

static VG_INLINE void run_stages(const block *b, const stage *stages, int count)
{
    for (int k = 0; k < count; k++) {
        if (stages[k].kind == SATURATION)
            saturate(b, stages[k].factor, stages[k].other);
        else if (stages[k].kind == HUE)
            turn(b, stages[k].other);
        else
            scale_all(b, stages[k].factor, stages[k].other);
    }
}

/* Runs the stages over all blocks; returns the sum of luma after them if it is asked for. */
static VG_INLINE int64_t pass(float *x, int channels, size_t n, const stage *stages, int count,
                              bool summed)
{
    int64_t sum = 0;
    block b = {.channels = channels};
    for (size_t at = 0; at < n; at += BLOCK) {
        float spare[3][BLOCK];
        size_t few = n - at < BLOCK ? n - at : BLOCK;
        if (few < BLOCK)
            memset(spare, 0, sizeof spare); /* black adds nothing to the sum */
        for (int c = 0; c < channels; c++) {
            b.plane[c] = few < BLOCK ? spare[c] : x + (size_t)c * n + at;
            if (few < BLOCK)
                memcpy(spare[c], x + (size_t)c * n + at, few * sizeof *x);
        }
        run_stages(&b, stages, count);
        if (summed) /* behind the picture there may be other than black by now */
            for (int c = 0; c < channels && few < BLOCK; c++)
                memset(spare[c] + few, 0, (BLOCK - few) * sizeof *x);
        if (summed)
            sum += sum_luma(&b);
        for (int c = 0; c < channels && few < BLOCK; c++)
            memcpy(x + (size_t)c * n + at, spare[c], few * sizeof *x);
    }
    return sum;
}

typedef int64_t pass_function(float *x, int channels, size_t n, const stage *stages, int count,
                              bool summed);

static int64_t pass_plain(float *x, int channels, size_t n, const stage *stages, int count,
                          bool summed)
{
    return pass(x, channels, n, stages, count, summed);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static int64_t pass_avx2(float *x, int channels, size_t n, const stage *stages,
                                     int count, bool summed)
{
    return pass(x, channels, n, stages, count, summed);
}

VG_FOR_AVX512 static int64_t pass_avx512(float *x, int channels, size_t n, const stage *stages,
                                         int count, bool summed)
{
    return pass(x, channels, n, stages, count, summed);
}
#endif

static pass_function *choose(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return pass_avx512;
    if (simd == VG_SIMD_AVX2)
        return pass_avx2;
#endif
    (void)simd;
    return pass_plain;
}

void vg_colour_run(vg_simd simd, float *x, int channels, size_t n, const vg_jitter *jitter)
{
    pass_function *run = choose(simd);
    stage stages[4] = {{0}};
    int count = 0;
    for (int i = 0; i < 4; i++) {
        const int kind = jitter->order[i];
        if (kind == BRIGHTNESS && jitter->brightness != 1)
            stages[count++] = (stage){kind, (float)jitter->brightness, 0};
        if (kind == SATURATION && jitter->saturation != 1 && channels == 3)
            stages[count++] =
                (stage){kind, (float)jitter->saturation, (float)(1 - jitter->saturation)};
        if (kind == HUE && jitter->hue != 0 && channels == 3) {
            double sixths = 6 * (jitter->hue - floor(jitter->hue));
            stages[count++] = (stage){kind, 0, (float)(sixths < 1 ? sixths + 6 : sixths)};
        }
        if (kind == CONTRAST && jitter->contrast != 1 && n > 0) {
            double sum = (double)run(x, channels, n, stages, count, true);
            double mean = sum / 65536 / (double)n;
            float grey = (float)((1 - jitter->contrast) * mean);
            count = 0; /* those before are done */
            stages[count++] = (stage){kind, (float)jitter->contrast, grey};
        }
    }
    if (count > 0)
        run(x, channels, n, stages, count, false);
}

void vg_colour_jitter(float *x, int channels, size_t n, const vg_jitter *jitter)
{
    vg_colour_run(vg_simd_best(), x, channels, n, jitter);
}

static const vg_jitter none = {1, 1, 1, 0, {BRIGHTNESS, CONTRAST, SATURATION, HUE}};

void vg_colour_brightness(float *x, int channels, size_t n, double factor)
{
    vg_jitter own = none;
    own.brightness = factor;
    vg_colour_jitter(x, channels, n, &own);
}

void vg_colour_contrast(float *x, int channels, size_t n, double factor)
{
    vg_jitter own = none;
    own.contrast = factor;
    vg_colour_jitter(x, channels, n, &own);
}

void vg_colour_saturation(float *x, int channels, size_t n, double factor)
{
    vg_jitter own = none;
    own.saturation = factor;
    vg_colour_jitter(x, channels, n, &own);
}

void vg_colour_hue(float *x, int channels, size_t n, double turns)
{
    vg_jitter own = none;
    own.hue = turns;
    vg_colour_jitter(x, channels, n, &own);
}
