/* Wilson's interval in closed form, Student's quantile by bisection on the incomplete beta series.
 */
#include "base/statistics.h"

#include <math.h>

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
