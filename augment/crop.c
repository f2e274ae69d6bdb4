/* Random resized crops with torchvision's semantics.
 *
 * The stream is one of its own, because the number of draws depends on how many tries it takes: the
 * other operations' draws stay what they are. */
#include "crop.h"

#include "arithmetic.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>

enum { TRIES = 10 };

/* Half to even, whatever the rounding mode is. */
static double round_even(double v)
{
    double whole = floor(v), rest = v - whole;
    if (rest > 0.5 || (rest == 0.5 && fmod(whole, 2) != 0))
        return whole + 1;
    return whole;
}

vg_crop vg_crop_fallback(const vg_policy *policy, int width, int height)
{
    double ratio = (double)width / height;
    vg_crop crop = {.width = width, .height = height};
    if (ratio < policy->crop_ratio_low)
        crop.height = (int)round_even(width / policy->crop_ratio_low);
    else if (ratio > policy->crop_ratio_high)
        crop.width = (int)round_even(height * policy->crop_ratio_high);
    crop.width = crop.width < 1 ? 1 : crop.width > width ? width : crop.width;
    crop.height = crop.height < 1 ? 1 : crop.height > height ? height : crop.height;
    crop.x = (width - crop.width) / 2;
    crop.y = (height - crop.height) / 2;
    return crop;
}

vg_crop vg_crop_draw(const vg_policy *policy, const vg_sample_key *key, int width, int height)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_CROP);
    double area = (double)width * height, low = vg_logarithm(policy->crop_ratio_low);
    double high = vg_logarithm(policy->crop_ratio_high);
    for (int i = 0; i < TRIES; i++) {
        double wanted = area * vg_rng_uniform(&rng, policy->crop_low, policy->crop_high);
        double ratio = vg_exponential(vg_rng_uniform(&rng, low, high));
        double w = round_even(sqrt(wanted * ratio)), h = round_even(sqrt(wanted / ratio));
        if (w < 1 || h < 1 || w > width || h > height)
            continue;
        vg_crop crop = {.width = (int)w, .height = (int)h};
        crop.y = (int)vg_rng_below(&rng, (uint64_t)(height - crop.height) + 1);
        crop.x = (int)vg_rng_below(&rng, (uint64_t)(width - crop.width) + 1);
        return crop;
    }
    return vg_crop_fallback(policy, width, height);
}

void vg_crop_least(const vg_policy *policy, int width, int height, int *least_width,
                   int *least_height)
{
    double area = (double)width * height * policy->crop_low * (1 - 4 * DBL_EPSILON);
    vg_crop fallback = vg_crop_fallback(policy, width, height);
    double w = floor(sqrt(area * policy->crop_ratio_low) + 0.49);
    double h = floor(sqrt(area / policy->crop_ratio_high) + 0.49);
    *least_width = w < 1 ? 1 : w < fallback.width ? (int)w : fallback.width;
    *least_height = h < 1 ? 1 : h < fallback.height ? (int)h : fallback.height;
}
