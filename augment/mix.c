/* MixUp and CutMix.
 *
 * The Beta distribution comes from Johnk's method for alpha up to 1 and from Cheng's BB above
 * ("Generating beta variates with nonintegral shape parameters", CACM 21, 1978), in arithmetic of our
 * own: a last bit that differed between machines could move an edge of the rectangle. Whatever is
 * drawn a fixed number of times is drawn first, so that rejections shift nothing. */
#include "mix.h"

#include "arithmetic.h"

#include <math.h>
#include <string.h>

bool vg_mixing_is_on(const vg_mixing *mixing)
{
    return mixing->chance > 0 && (mixing->mixup > 0 || mixing->cutmix > 0);
}

/* In (0, 1]. */
static double above_zero(vg_rng *rng)
{
    return 1 - vg_rng_double(rng);
}

/* x = u^(1/alpha), y = v^(1/alpha), until x + y <= 1: x / (x + y). In logarithms where both are too small
 * for a double. */
static double johnk(vg_rng *rng, double alpha)
{
    for (;;) {
        double log_x = vg_logarithm(above_zero(rng)) / alpha;
        double log_y = vg_logarithm(above_zero(rng)) / alpha;
        double x = vg_exponential(log_x), y = vg_exponential(log_y);
        if (x + y > 1)
            continue;
        if (x + y > 0)
            return x / (x + y);
        double most = log_x > log_y ? log_x : log_y;
        x = vg_exponential(log_x - most);
        y = vg_exponential(log_y - most);
        return x / (x + y);
    }
}

static double cheng(vg_rng *rng, double alpha)
{
    double sum = 2 * alpha, beta = sqrt((sum - 2) / (2 * alpha * alpha - sum));
    double gamma = alpha + 1 / beta;
    for (;;) {
        double u = above_zero(rng), other = above_zero(rng);
        if (u >= 1)
            continue;
        double v = beta * vg_logarithm(u / (1 - u)), w = alpha * vg_exponential(v);
        double z = u * u * other, r = gamma * v - 1.3862943611198906, s = alpha + r - w;
        if (s + 2.6094379124341003 >= 5 * z ||
            r + sum * vg_logarithm(sum / (alpha + w)) >= vg_logarithm(z))
            return w / (alpha + w);
    }
}

double vg_mix_beta(vg_rng *rng, double alpha)
{
    return alpha > 1 ? cheng(rng, alpha) : johnk(rng, alpha);
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

vg_mixture vg_mix_cut(double lambda, int x, int y, int height, int width)
{
    double half = 0.5 * sqrt(1 - lambda);
    int half_width = (int)(half * width), half_height = (int)(half * height);
    int left = clamp(x - half_width, width), right = clamp(x + half_width, width);
    int top = clamp(y - half_height, height), bottom = clamp(y + half_height, height);
    vg_mixture mix = {VG_MIX_CUT, 1, left, top, right - left, bottom - top};
    mix.share = 1 - (double)mix.width * mix.height / ((double)width * height);
    return mix;
}

vg_mixture vg_mix_draw(const vg_mixing *mixing, uint64_t seed, uint32_t epoch, uint64_t batch,
                       int height, int width)
{
    vg_mixture none = {.kind = VG_MIX_NONE, .share = 1};
    if (!vg_mixing_is_on(mixing))
        return none;
    vg_rng rng = vg_rng_make(seed, epoch, batch, VG_RNG_MIX);
    bool mixes = vg_rng_double(&rng) < mixing->chance;
    bool cuts = vg_rng_u32(&rng) >> 31;
    int x = (int)(vg_rng_double(&rng) * width), y = (int)(vg_rng_double(&rng) * height);
    if (!mixes)
        return none;
    cuts = mixing->mixup > 0 ? cuts && mixing->cutmix > 0 : true;
    double lambda = vg_mix_beta(&rng, cuts ? mixing->cutmix : mixing->mixup);
    if (cuts)
        return vg_mix_cut(lambda, x, y, height, width);
    return (vg_mixture){.kind = VG_MIX_UP, .share = lambda};
}

void vg_mix_sample(const vg_mixture *mix, const float *own, const float *partner,
                   const int shape[3], float *out)
{
    size_t height = (size_t)shape[1], width = (size_t)shape[2];
    size_t count = (size_t)shape[0] * height * width;
    if (mix->kind == VG_MIX_UP) {
        float mine = (float)mix->share, other = (float)(1 - mix->share);
        for (size_t i = 0; i < count; i++)
            out[i] = other * partner[i] + mine * own[i];
        return;
    }
    memcpy(out, own, count * sizeof *out);
    for (size_t c = 0; mix->kind == VG_MIX_CUT && c < (size_t)shape[0]; c++)
        for (int y = mix->y; y < mix->y + mix->height; y++) {
            size_t at = (c * height + (size_t)y) * width + (size_t)mix->x;
            memcpy(out + at, partner + at, (size_t)mix->width * sizeof *out);
        }
}
