/* Activations for the compiler's vectorizer: no branch, no call, no table. The exponential is Cody and Waite's
 * reduction by multiples of log 2 with a polynomial; Phi's tail is that times a polynomial in 1 / (1 + x / 4), so that
 * nothing cancels. tests/golden/polynomials.py computes the coefficients and what they are exact to. */
#include "nn/kernels/activate.h"

#include "nn/kernels/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* x = n log 2 + rest. n comes as an integer modulo 2^32, because NaN has none. */
static const float LOG2_E = 1.44269504F, LOG2_HIGH = 0.693359375F, LOG2_LOW = -2.12194440e-4F;
static const float TO_INTEGER =
    12582912; /* 1.5 times 2^23: what is added to it loses its fraction */

static inline float reduce(float x, uint32_t *n)
{
    float shifted = x * LOG2_E + TO_INTEGER;
    float whole = shifted - TO_INTEGER;
    *n = bits_of(shifted) - bits_of(TO_INTEGER);
    return (x - whole * LOG2_HIGH) - whole * LOG2_LOW;
}

/* e^r - 1 for |r| up to log 2 / 2. */
static inline float small_expm1(float r)
{
    float q = 1.3950602e-3F;
    q = q * r + 8.3689531e-3F;
    q = q * r + 0.041666206F;
    q = q * r + 0.16666518F;
    q = q * r + 0.5F;
    return q * r * r + r;
}

static inline float power_of_2(uint32_t n)
{
    return from_bits((n + 127) << 23);
}

/* 0 and infinity where they belong. */
static inline float whole_exp(float x)
{
    x = x < -104 ? -104 : x;
    x = x > 89 ? 89 : x;
    uint32_t n;
    float e = small_expm1(reduce(x, &n)) + 1;
    uint32_t half = (n + 256) >> 1; /* in two steps: 2^128 is no float */
    return e * power_of_2(half - 128) * power_of_2(n + 128 - half);
}

/* For x <= 0; nothing below e^-87. */
static inline float decay(float x)
{
    x = x < -87 ? -87 : x;
    uint32_t n;
    float e = small_expm1(reduce(x, &n)) + 1;
    return e * power_of_2(n);
}

/* e^x - 1 for x <= 0. */
static inline float negative_expm1(float x)
{
    x = x < -87 ? -87 : x;
    uint32_t n;
    float e = small_expm1(reduce(x, &n));
    float scale = power_of_2(n);
    return scale * e + (scale - 1);
}

/* 1 minus it: in *rest, where a difference would lose digits. */
static inline float sigmoids(float x, float *rest)
{
    float e = decay(-fabsf(x));
    float above = 1 / (1 + e);
    float below = e * above;
    *rest = x < 0 ? above : below;
    return x < 0 ? below : above;
}

static inline float sigmoid_of(float x)
{
    float rest;
    return sigmoids(x, &rest);
}

static inline float tanh_of(float x)
{
    float a = fabsf(x), s = x * x;
    float e = decay(-2 * a);
    float large = (1 - e) / (1 + e);
    float q = -5.7170452e-3F;
    q = q * s + 0.020650588F;
    q = q * s - 0.053743497F;
    q = q * s + 0.13331491F;
    q = q * s - 0.33333284F;
    float small = q * s * x + x;
    large = copysignf(large, x);
    return a < 0.625F ? small : large; /* NaN: large */
}

/* Phi(x), the normal distribution, and with it e^(-x x / 2). */
static inline float normal(float x, float *density)
{
    float t = 1 / (1 + 0.25F * fabsf(x));
    float q = 0.033946667F;
    q = q * t - 0.19617704F;
    q = q * t + 0.39500082F;
    q = q * t - 0.33346847F;
    q = q * t + 0.30448627F;
    q = q * t - 0.020383744F;
    q = q * t + 0.12156784F;
    q = q * t + 0.094820276F;
    q = q * t + 0.10022900F;
    q = q * t - 2.1599972e-5F;
    float e = decay(-0.5F * x * x);
    float below = q * e, above = 1 - below;
    *density = e;
    return x > 0 ? above : below;
}

static const float SELU_SCALE = 1.05070099F, SELU_ALPHA = 1.67326324F;
static const float INVERSE_ROOT_2PI = 0.398942280F;
static const float GELU_FACTOR = 1.59576912F, GELU_CUBE = 0.044715F; /* 2 sqrt(2 / pi) */

static inline float gelu_slope(float x)
{
    float e, p = normal(x, &e);
    return p + x * INVERSE_ROOT_2PI * e;
}

static inline float gelu_value(float x)
{
    float e;
    return x * normal(x, &e);
}

/* (1 + tanh u) / 2 is the sigmoid of 2 u. */
static inline float gelu_tanh_value(float x)
{
    return x * sigmoid_of(GELU_FACTOR * (x + GELU_CUBE * x * x * x));
}

static inline float gelu_tanh_slope(float x)
{
    float rest, s = sigmoids(GELU_FACTOR * (x + GELU_CUBE * x * x * x), &rest);
    return s + x * s * rest * GELU_FACTOR * (1 + 3 * GELU_CUBE * x * x);
}

static inline float silu_value(float x)
{
    return x * sigmoid_of(x);
}

static inline float silu_slope(float x)
{
    float rest, s = sigmoids(x, &rest);
    return s * (1 + x * rest);
}

static inline float sigmoid_slope(float x)
{
    float rest, s = sigmoids(x, &rest);
    return s * rest;
}

static inline float tanh_slope(float x)
{
    float t = tanh_of(x);
    return (1 - t) * (1 + t);
}

static inline float elu_value(float x, float alpha)
{
    float below = alpha * negative_expm1(x > 0 ? 0 : x);
    return x > 0 ? x : below;
}

static inline float elu_slope(float x, float alpha)
{
    float below = alpha * decay(x > 0 ? 0 : x);
    return x > 0 ? 1 : below;
}

static inline float leaky_value(float x, float alpha)
{
    float below = alpha * x;
    return x > 0 ? x : below;
}

/* The loops of an activation with value(x) and slope(x), which may name alpha. */
#define ACTIVATION(name, value, slope)                                                             \
    VG_KERNEL static void name##_forward(const float *restrict x, float *restrict y, size_t n,     \
                                         float alpha)                                              \
    {                                                                                              \
        (void)alpha;                                                                               \
        for (size_t i = 0; i < n; i++) {                                                           \
            float v = x[i];                                                                        \
            y[i] = (value);                                                                        \
        }                                                                                          \
    }                                                                                              \
    VG_KERNEL static void name##_backward(const float *restrict x, const float *restrict dy,       \
                                          float *restrict dx, size_t n, float alpha)               \
    {                                                                                              \
        (void)alpha;                                                                               \
        for (size_t i = 0; i < n; i++) {                                                           \
            float v = x[i];                                                                        \
            (void)v;                                                                               \
            dx[i] = dy[i] * (slope);                                                               \
        }                                                                                          \
    }                                                                                              \
    const vg_activation vg_##name = {name##_forward, name##_backward};

ACTIVATION(leaky, leaky_value(v, alpha), v > 0 ? 1 : alpha)
ACTIVATION(elu, elu_value(v, alpha), elu_slope(v, alpha))
ACTIVATION(selu, SELU_SCALE *elu_value(v, SELU_ALPHA), SELU_SCALE *elu_slope(v, SELU_ALPHA))
ACTIVATION(gelu, gelu_value(v), gelu_slope(v))
ACTIVATION(gelu_tanh, gelu_tanh_value(v), gelu_tanh_slope(v))
ACTIVATION(silu, silu_value(v), silu_slope(v))
ACTIVATION(sigmoid, sigmoid_of(v), sigmoid_slope(v))
ACTIVATION(tanh, tanh_of(v), tanh_slope(v))
ACTIVATION(exp, whole_exp(v), whole_exp(v))
ACTIVATION(scaled, alpha *v, alpha)
