/* Sine, cosine and products of affine maps. */
#include "matrix.h"

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
