/* Wilson's interval in closed form, the others by bisection: Student's quantile on the finite sums of
 * its distribution, the exact interval on the incomplete beta function. The incomplete gamma and beta
 * functions by their series and continued fractions (NIST's Digital Library of Mathematical
 * Functions, 8.11.4, 8.9.2 and 8.17.22; the fractions evaluated by Lentz's method). */
#include "base/statistics.h"

#include <math.h>
#include <stdbool.h>

void vg_wilson(double k, double n, double *low, double *high)
{
    if (n <= 0) {
        *low = 0;
        *high = 1;
        return;
    }
    const double z = 1.959963984540054;
    double p = k / n, z2 = z * z / n;
    double centre = p + z2 / 2, half = z * sqrt(p * (1 - p) / n + z2 / (4 * n));
    *low = fmax(0, (centre - half) / (1 + z2));
    *high = fmin(1, (centre + half) / (1 + z2));
}

/* A continued fraction b0 + a1 / (b1 + a2 / (b2 + ...)), term by term. */
typedef struct fraction {
    double value, c, d;
} fraction;

static fraction fraction_begin(double b0)
{
    double value = fabs(b0) < 1e-300 ? 1e-300 : b0;
    return (fraction){value, value, 0};
}

/* False when this term changed nothing any more. */
static bool fraction_step(fraction *f, double a, double b)
{
    double d = b + a * f->d, c = b + a / f->c;
    f->d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    f->c = fabs(c) < 1e-300 ? 1e-300 : c;
    double factor = f->c * f->d;
    f->value *= factor;
    return fabs(factor - 1) > 1e-15;
}

enum { MOST_TERMS = 100000 };

/* The regularized upper incomplete gamma function Q(a, x). */
static double gamma_upper(double a, double x)
{
    double scale = exp(a * log(x) - x - lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int n = 1; n < MOST_TERMS && term > sum * 1e-16; n++) {
            term *= x / (a + n);
            sum += term;
        }
        return fmax(0, 1 - scale * sum);
    }
    fraction f = fraction_begin(x + 1 - a);
    for (int n = 1; n < MOST_TERMS && fraction_step(&f, n * (a - n), x + 1 - a + 2 * n); n++)
        ;
    return scale / f.value;
}

double vg_chi_square_upper(double x, double df)
{
    return x > 0 ? fmin(1, gamma_upper(df / 2, x / 2)) : 1;
}

/* The regularized incomplete beta function I_x(a, b), 0 < x < 1. */
static double beta_lower(double x, double a, double b)
{
    if (x > (a + 1) / (a + b + 2))
        return 1 - beta_lower(1 - x, b, a);
    double scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a;
    fraction f = fraction_begin(1);
    bool more = true;
    for (int m = 0; m < MOST_TERMS && more; m++) {
        if (m)
            more = fraction_step(&f, m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1);
        more &= fraction_step(&f, -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1);
    }
    return scale / f.value;
}

/* The x at which I_x(a, b) is `mass`. */
static double beta_quantile(double mass, double a, double b)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (beta_lower(middle, a, b) < mass)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void vg_exact_interval(double k, double n, double *low, double *high)
{
    const double tail = 0.025;
    if (n <= 0 || k <= 0)
        *low = 0;
    else
        *low = k < n ? beta_quantile(tail, k, n - k + 1) : pow(tail, 1 / n);
    if (n <= 0 || k >= n)
        *high = 1;
    else
        *high = k > 0 ? beta_quantile(1 - tail, k + 1, n - k) : 1 - pow(tail, 1 / n);
}

/* P(|T| <= t) by the finite trigonometric sums of Abramowitz and Stegun, 26.7.3 and 26.7.4. */
static double central_mass(double t, int df)
{
    double theta = atan(t / sqrt((double)df));
    double c2 = cos(theta) * cos(theta), term, sum;
    if (df % 2) {
        sum = 0;
        term = cos(theta);
        for (int i = 1; i <= df - 2; i += 2) {
            sum += term;
            term *= c2 * (i + 1) / (i + 2);
        }
        return 2 / 3.14159265358979323846 * (theta + sin(theta) * sum);
    }
    sum = 0;
    term = 1;
    for (int i = 0; i <= df - 2; i += 2) {
        sum += term;
        term *= c2 * (i + 1) / (i + 2);
    }
    return sin(theta) * sum;
}

double vg_student_t975(int df)
{
    if (df < 1)
        return INFINITY;
    double low = 1.9, high = 13;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (central_mass(middle, df) < 0.95)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
