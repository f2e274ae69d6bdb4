/* Sine, cosine, exponential, logarithm and products of affine maps, by series. */
#include "arithmetic.h"

#include <math.h>
#include <string.h>

void vg_sine_cosine(double degrees, double *sine, double *cosine)
{
    double quarter = floor(degrees / 90 + 0.5);
    double x = (degrees - 90 * quarter) * (3.14159265358979323846 / 180), square = x * x;
    double s = x, c = 1, s_term = x, c_term = 1;
    for (int k = 1; k <= 10; k++) {
        c_term *= -square / ((2 * k - 1) * (2 * k));
        s_term *= -square / ((2 * k) * (2 * k + 1));
        c += c_term;
        s += s_term;
    }
    int turn = (int)(quarter - 4 * floor(quarter / 4));
    *sine = turn == 0 ? s : turn == 1 ? c : turn == 2 ? -s : -c;
    *cosine = turn == 0 ? c : turn == 1 ? -s : turn == 2 ? -c : s;
}

void vg_matrix_multiply(double a[6], const double b[6])
{
    double r[6];
    for (int i = 0; i < 6; i += 3) {
        r[i] = a[i] * b[0] + a[i + 1] * b[3];
        r[i + 1] = a[i] * b[1] + a[i + 1] * b[4];
        r[i + 2] = a[i] * b[2] + a[i + 1] * b[5] + a[i + 2];
    }
    memcpy(a, r, sizeof r);
}

double vg_exponential(double x)
{
    const double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
    double k = floor(x * 1.4426950408889634 + 0.5);
    double r = (x - k * ln2_high) - k * ln2_low, sum = 1;
    for (int i = 16; i > 0; i--)
        sum = 1 + sum * r / i;
    return ldexp(sum, (int)k);
}

double vg_logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent); /* [0.5, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    /* ln m = 2 artanh((m - 1) / (m + 1)), the argument within 0.172 */
    double t = (m - 1) / (m + 1), square = t * t, sum = 0;
    for (int i = 23; i > 0; i -= 2)
        sum = 1.0 / i + square * sum;
    return exponent * 0.69314718055994531 + 2 * t * sum;
}
