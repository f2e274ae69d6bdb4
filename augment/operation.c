/* The table of operations, and one switch that applies a step: what each does is in ops/. */
#include "operation.h"

#include "arithmetic.h"
#include "ops/colour.h"
#include "ops/filter.h"
#include "ops/noise.h"
#include "ops/occlude.h"
#include "ops/sensor.h"
#include "ops/tone.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const vg_operation_info table[VG_OPERATIONS] = {
    [VG_OP_ROTATE] = {"rotate", VG_KIND_GEOMETRY, VG_FORM_SYMMETRIC, -180, 180, 0, false,
                      "degrees"},
    [VG_OP_SHEAR_X] = {"shear_x", VG_KIND_GEOMETRY, VG_FORM_SYMMETRIC, -80, 80, 0, false,
                       "degrees"},
    [VG_OP_SHEAR_Y] = {"shear_y", VG_KIND_GEOMETRY, VG_FORM_SYMMETRIC, -80, 80, 0, false,
                       "degrees"},
    [VG_OP_SHIFT_X] = {"shift_x", VG_KIND_GEOMETRY, VG_FORM_SYMMETRIC, -1, 1, 0, false,
                       "a fraction of the width"},
    [VG_OP_SHIFT_Y] = {"shift_y", VG_KIND_GEOMETRY, VG_FORM_SYMMETRIC, -1, 1, 0, false,
                       "a fraction of the height"},
    [VG_OP_SCALE] = {"scale", VG_KIND_GEOMETRY, VG_FORM_FACTOR, 0.05, 20, 1, false,
                     "a zoom of both sides, below 1 magnifies"},
    [VG_OP_FLIP_H] = {"flip_h", VG_KIND_GEOMETRY, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_FLIP_V] = {"flip_v", VG_KIND_GEOMETRY, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_TURN] = {"turn", VG_KIND_GEOMETRY, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_BRIGHTNESS] = {"brightness", VG_KIND_COLOUR, VG_FORM_FACTOR, 0, 11, 1, false,
                          "a factor"},
    [VG_OP_CONTRAST] = {"contrast", VG_KIND_COLOUR, VG_FORM_FACTOR, 0, 11, 1, false, "a factor"},
    [VG_OP_SATURATION] = {"saturation", VG_KIND_COLOUR, VG_FORM_FACTOR, 0, 11, 1, false,
                          "a factor"},
    [VG_OP_HUE] = {"hue", VG_KIND_COLOUR, VG_FORM_SYMMETRIC, -0.5, 0.5, 0, false,
                   "turns of the colour wheel"},
    [VG_OP_GAMMA] = {"gamma", VG_KIND_COLOUR, VG_FORM_FACTOR, 0.05, 10, 1, false,
                     "an exponent, above 1 darkens"},
    [VG_OP_CHANNEL_SHIFT] = {"channel_shift", VG_KIND_COLOUR, VG_FORM_SYMMETRIC, -255, 255, 0,
                             false, "8-bit steps, the same for all channels"},
    [VG_OP_RGB_SHIFT] = {"rgb_shift", VG_KIND_COLOUR, VG_FORM_EXACT, 0, 255, 0, false,
                         "8-bit steps to either side, each channel its own"},
    [VG_OP_SHUFFLE] = {"shuffle", VG_KIND_COLOUR, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_GREY] = {"grey", VG_KIND_COLOUR, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_INVERT] = {"invert", VG_KIND_COLOUR, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_POSTERIZE] = {"posterize", VG_KIND_COLOUR, VG_FORM_EXACT, 1, 8, 8, true,
                         "bits that are kept"},
    [VG_OP_SOLARIZE] = {"solarize", VG_KIND_COLOUR, VG_FORM_EXACT, 0, 256, 256, false,
                        "the value from which on it inverts"},
    [VG_OP_EQUALIZE] = {"equalize", VG_KIND_COLOUR, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_AUTOCONTRAST] = {"autocontrast", VG_KIND_COLOUR, VG_FORM_NONE, 0, 0, NAN, false,
                            "nothing"},
    [VG_OP_CLAHE] = {"clahe", VG_KIND_COLOUR, VG_FORM_EXACT, 1, 100, NAN, false,
                     "the clip limit, 8 x 8 tiles"},
    [VG_OP_NOISE] = {"noise", VG_KIND_NOISE, VG_FORM_EXACT, 0, 255, 0, false,
                     "sigma in 8-bit steps"},
    [VG_OP_SPECKLE] = {"speckle", VG_KIND_NOISE, VG_FORM_EXACT, 0, 10, 0, false,
                       "sigma as a share of the value"},
    [VG_OP_POISSON] = {"poisson", VG_KIND_NOISE, VG_FORM_EXACT, 1, 1e6, NAN, false,
                       "photons of white, fewer are noisier"},
    [VG_OP_SALT_PEPPER] = {"salt_pepper", VG_KIND_NOISE, VG_FORM_UP_TO, 0, 1, 0, false,
                           "a share of the pixels"},
    [VG_OP_ISO] = {"iso", VG_KIND_NOISE, VG_FORM_EXACT, 0, 255, 0, false,
                   "sigma at white in 8-bit steps"},
    [VG_OP_BLUR] = {"blur", VG_KIND_FILTER, VG_FORM_UP_TO, 0, 20, 0, false, "sigma in pixels"},
    [VG_OP_MOTION] = {"motion", VG_KIND_FILTER, VG_FORM_UP_TO, 0, 100, 0, false,
                      "length in pixels"},
    [VG_OP_MEDIAN] = {"median", VG_KIND_FILTER, VG_FORM_EXACT, 1, 3, NAN, true, "radius in pixels"},
    [VG_OP_SHARPNESS] = {"sharpness", VG_KIND_FILTER, VG_FORM_FACTOR, 0, 11, 1, false,
                         "a factor, 0 smooths, 2 sharpens"},
    [VG_OP_JPEG] = {"jpeg", VG_KIND_FILTER, VG_FORM_EXACT, 1, 100, NAN, true, "the quality"},
    [VG_OP_DOWNSCALE] = {"downscale", VG_KIND_FILTER, VG_FORM_EXACT, 0.01, 1, 1, false,
                         "the side that is left, as a share"},
    [VG_OP_ERASE] = {"erase", VG_KIND_OCCLUDE, VG_FORM_UP_TO, 0, 1, 0, false,
                     "a share of the area, filled with noise"},
    [VG_OP_CUTOUT] = {"cutout", VG_KIND_OCCLUDE, VG_FORM_EXACT, 0, 1, 0, false,
                      "the side of the square as a share of the shorter side"},
    [VG_OP_GRID] = {"grid", VG_KIND_OCCLUDE, VG_FORM_EXACT, 0, 1, 0, false,
                    "the share of a cell's side that is hidden"},
    [VG_OP_IDENTITY] = {"identity", VG_KIND_NOTHING, VG_FORM_NONE, 0, 0, NAN, false, "nothing"},
    [VG_OP_PERSPECTIVE] = {"perspective", VG_KIND_GEOMETRY, VG_FORM_EXACT, 0, 0.6, 0, false,
                           "corners move inwards by up to half of this share of the sides"},
    [VG_OP_ELASTIC] = {"elastic", VG_KIND_GEOMETRY, VG_FORM_UP_TO, 0, 0.2, 0, false,
                       "the typical displacement as a share of the shorter side"},
};

const vg_operation_info *vg_operation_of(vg_operation operation)
{
    return &table[operation];
}

vg_operation vg_operation_named(const char *name, size_t length)
{
    int i = 0;
    while (i < VG_OPERATIONS &&
           (strlen(table[i].name) != length || memcmp(table[i].name, name, length) != 0))
        i++;
    return (vg_operation)i;
}

/* ---- drawing */

vg_step vg_step_with(vg_operation operation, double value, vg_rng *rng)
{
    const vg_operation_info *info = &table[operation];
    vg_step step = {.operation = operation, .v = {(float)value}};
    double draw[3]; /* always three, so that what follows does not depend on the operation */
    for (int i = 0; i < 3; i++)
        draw[i] = vg_rng_double(rng);
    if (info->whole)
        step.v[0] = (float)floor(value + 0.5);
    switch (operation) {
    case VG_OP_TURN: /* one to three quarters */
        step.v[0] = (float)(1 + (int)(3 * draw[0]));
        break;
    case VG_OP_RGB_SHIFT:
        for (int i = 0; i < 3; i++)
            step.v[1 + i] = (float)(value * (2 * draw[i] - 1));
        break;
    case VG_OP_SHUFFLE: /* one of the five that change something */
        step.v[0] = (float)(1 + (int)(5 * draw[0]));
        break;
    case VG_OP_MOTION:
        step.v[1] = (float)(180 * draw[0]);
        break;
    case VG_OP_ERASE: /* ratio of height to width, log-uniform in 0.3 .. 3.3 as in the paper */
        step.v[1] = (float)vg_exponential(vg_logarithm(0.3) +
                                          (vg_logarithm(3.3) - vg_logarithm(0.3)) * draw[0]);
        step.v[2] = (float)draw[1];
        step.v[3] = (float)draw[2];
        break;
    case VG_OP_CUTOUT:
        step.v[1] = (float)draw[0];
        step.v[2] = (float)draw[1];
        break;
    case VG_OP_PERSPECTIVE: /* 48 bits that name a stream: a float holds 24 exactly */
    case VG_OP_ELASTIC:
        step.v[1] = (float)floor(16777216 * draw[0]);
        step.v[2] = (float)floor(16777216 * draw[1]);
        break;
    case VG_OP_GRID: /* cells of an eighth to a half of the shorter side */
        step.v[1] = (float)(0.125 + 0.375 * draw[0]);
        step.v[2] = (float)draw[1];
        step.v[3] = (float)draw[2];
        break;
    default:
        break;
    }
    return step;
}

vg_step vg_step_draw(vg_operation operation, double low, double high, vg_rng *rng)
{
    double u = vg_rng_double(rng), value = low + (high - low) * u;
    if (table[operation].whole) { /* all whole numbers of the range alike */
        value = floor(low + 0.5) + floor((floor(high + 0.5) - floor(low + 0.5) + 1) * u);
        value = value > high ? floor(high + 0.5) : value;
    }
    return vg_step_with(operation, value, rng);
}

bool vg_step_is_neutral(const vg_step *step)
{
    return step->operation == VG_OP_IDENTITY ||
           (double)step->v[0] == table[step->operation].neutral;
}

int vg_step_print(const vg_step *step, char *text, size_t capacity)
{
    const char *name = table[step->operation].name;
    double v = (double)step->v[0];
    const char *sign = v < 0 ? "\u2212" : "+";
    switch (step->operation) {
    case VG_OP_ROTATE:
        return snprintf(text, capacity, "rot %s%.0f°", sign, fabs(v));
    case VG_OP_SHEAR_X:
    case VG_OP_SHEAR_Y:
        return snprintf(text, capacity, "%s %s%.0f°", name, sign, fabs(v));
    case VG_OP_SHIFT_X:
    case VG_OP_SHIFT_Y:
        return snprintf(text, capacity, "%s %s%.0f%%", name, sign, fabs(100 * v));
    case VG_OP_HUE:
    case VG_OP_CHANNEL_SHIFT:
        return snprintf(text, capacity, "%s %s%.3g", name, sign, fabs(v));
    case VG_OP_TURN:
        return snprintf(text, capacity, "turn %.0f°", 90 * v);
    case VG_OP_MOTION:
        return snprintf(text, capacity, "motion %.1f at %.0f°", v, (double)step->v[1]);
    case VG_OP_SALT_PEPPER:
    case VG_OP_ERASE:
    case VG_OP_CUTOUT:
    case VG_OP_GRID:
    case VG_OP_ELASTIC:
        return snprintf(text, capacity, "%s %.3g%%", name, 100 * v);
    default:
        if (table[step->operation].form == VG_FORM_NONE)
            return snprintf(text, capacity, "%s", name);
        return snprintf(text, capacity, "%s %.3g", name, v);
    }
}

/* ---- geometry */

void vg_step_matrix(const vg_step *step, double width, double height, double m[6])
{
    double t[6] = {1, 0, 0, 0, 1, 0}, v = (double)step->v[0], s, c;
    switch (step->operation) {
    case VG_OP_ROTATE:
        vg_sine_cosine(v, &s, &c);
        t[0] = t[4] = c;
        t[1] = -s;
        t[3] = s;
        break;
    case VG_OP_SHEAR_X:
        vg_sine_cosine(v, &s, &c);
        t[1] = s / c;
        break;
    case VG_OP_SHEAR_Y:
        vg_sine_cosine(v, &s, &c);
        t[3] = s / c;
        break;
    case VG_OP_SHIFT_X:
        t[2] = -v * width;
        break;
    case VG_OP_SHIFT_Y:
        t[5] = -v * height;
        break;
    case VG_OP_SCALE:
        t[0] = t[4] = v;
        break;
    case VG_OP_FLIP_H:
        t[0] = -1;
        break;
    case VG_OP_FLIP_V:
        t[4] = -1;
        break;
    case VG_OP_TURN: /* and stretched, so that a turned oblong picture still fills its frame */
        vg_sine_cosine(90 * v, &s, &c);
        t[0] = t[4] = c;
        t[1] = -s * width / height;
        t[3] = s * height / width;
        break;
    default:
        return;
    }
    vg_matrix_multiply(m, t);
}

/* ---- pixels */

static void mean_colour(const vg_pixels *p, float mean[3])
{
    size_t n = vg_pixels_plane(p);
    for (int c = 0; c < p->channels; c++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)p->x[(size_t)c * n + i];
        mean[c] = (float)(sum / (double)n);
    }
}

/* What is hidden shows the picture's mean colour, which is neutral under every normalization; an
 * erased rectangle shows noise, which the paper found better still (Zhong et al.,
 * arXiv:1708.04896). */
static void occlude(const vg_step *step, const vg_pixels *p, const vg_sample_key *key, uint32_t use)
{
    double value = (double)step->v[0], a = (double)step->v[1], b = (double)step->v[2];
    double d = (double)step->v[3], shorter = p->width < p->height ? p->width : p->height;
    float mean[3] = {0};
    if (!(value > 0))
        return;
    mean_colour(p, mean);
    if (step->operation == VG_OP_ERASE) {
        double area = value * p->width * p->height;
        int w = (int)(sqrt(area / a) + 0.5), h = (int)(sqrt(area * a) + 0.5);
        w = w > p->width ? p->width : w;
        h = h > p->height ? p->height : h;
        vg_occlude_noise(p, (int)(b * (p->width - w + 1)), (int)(d * (p->height - h + 1)), w, h,
                         key, use);
    } else if (step->operation == VG_OP_CUTOUT) { /* its centre anywhere, as DeVries and Taylor */
        int side = (int)(value * shorter + 0.5);
        vg_occlude_rectangle(p, (int)(a * p->width) - side / 2, (int)(b * p->height) - side / 2,
                             side, side, mean);
    } else {
        int unit = (int)(a * shorter + 0.5);
        unit = unit < 2 ? 2 : unit;
        vg_occlude_grid(p, unit, 1 - value, (int)(b * unit), (int)(d * unit), mean);
    }
}

static void shuffle(const vg_pixels *p, int which)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    vg_tone_shuffle(p, orders[which]);
}

static void apply_colour(const vg_step *step, const vg_pixels *p)
{
    double v = (double)step->v[0];
    size_t n = vg_pixels_plane(p);
    switch (step->operation) {
    case VG_OP_BRIGHTNESS:
        vg_colour_brightness(p->x, p->channels, n, v);
        break;
    case VG_OP_CONTRAST:
        vg_colour_contrast(p->x, p->channels, n, v);
        break;
    case VG_OP_SATURATION:
        vg_colour_saturation(p->x, p->channels, n, v);
        break;
    case VG_OP_HUE:
        vg_colour_hue(p->x, p->channels, n, v);
        break;
    case VG_OP_GAMMA:
        vg_tone_gamma(p, v);
        break;
    case VG_OP_CHANNEL_SHIFT:
        vg_tone_shift(p, v);
        break;
    case VG_OP_RGB_SHIFT:
        vg_tone_shift_channels(
            p, (const double[3]){(double)step->v[1], (double)step->v[2], (double)step->v[3]});
        break;
    case VG_OP_SHUFFLE:
        shuffle(p, (int)v);
        break;
    case VG_OP_GREY:
        vg_tone_grey(p);
        break;
    case VG_OP_INVERT:
        vg_tone_invert(p);
        break;
    case VG_OP_POSTERIZE:
        vg_tone_posterize(p, (int)v);
        break;
    case VG_OP_SOLARIZE:
        vg_tone_solarize(p, v);
        break;
    case VG_OP_EQUALIZE:
        vg_tone_equalize(p);
        break;
    case VG_OP_AUTOCONTRAST:
        vg_tone_autocontrast(p);
        break;
    default:
        vg_tone_clahe(p, v, 8);
    }
}

static void apply_noise(const vg_step *step, const vg_pixels *p, const vg_sample_key *key,
                        uint32_t use)
{
    double v = (double)step->v[0];
    vg_sample_key own = *key;
    own.seed = vg_mix(key->seed, use);
    switch (step->operation) {
    case VG_OP_NOISE:
        if (v > 0)
            vg_noise_add(p->x, vg_pixels_count(p), v, &own);
        break;
    case VG_OP_SPECKLE:
        vg_sensor_speckle(p, v, key, use);
        break;
    case VG_OP_POISSON:
        vg_sensor_poisson(p, v, key, use);
        break;
    case VG_OP_SALT_PEPPER:
        vg_sensor_salt_pepper(p, v, key, use);
        break;
    default:
        vg_sensor_iso(p, v, key, use);
    }
}

static vg_status apply_filter(const vg_step *step, const vg_pixels *p,
                              vg_recompress_scratch *scratch, vg_error *err)
{
    double v = (double)step->v[0];
    switch (step->operation) {
    case VG_OP_BLUR:
        vg_filter_gaussian(p, v);
        break;
    case VG_OP_MOTION:
        vg_filter_motion(p, v, (double)step->v[1]);
        break;
    case VG_OP_MEDIAN:
        vg_filter_median(p, (int)v);
        break;
    case VG_OP_SHARPNESS:
        vg_filter_sharpness(p, v);
        break;
    case VG_OP_JPEG:
        return vg_recompress(p, (int)v, scratch, err);
    default:
        vg_filter_downscale(p, v);
    }
    return VG_OK;
}

vg_status vg_step_apply(const vg_step *step, const vg_pixels *pixels, const vg_sample_key *key,
                        int place, vg_recompress_scratch *scratch, vg_error *err)
{
    uint32_t use = VG_RNG_PIXELS + 16 * (uint32_t)place;
    if (vg_step_is_neutral(step))
        return VG_OK;
    switch (table[step->operation].kind) {
    case VG_KIND_COLOUR:
        apply_colour(step, pixels);
        break;
    case VG_KIND_NOISE:
        apply_noise(step, pixels, key, use);
        break;
    case VG_KIND_FILTER:
        return apply_filter(step, pixels, scratch, err);
    case VG_KIND_OCCLUDE:
        occlude(step, pixels, key, use);
        break;
    case VG_KIND_GEOMETRY:
    case VG_KIND_NOTHING:
        break;
    }
    return VG_OK;
}
