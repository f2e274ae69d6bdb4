"""Prints augment/ops/noise_table.h: the inverse of the normal distribution as polynomials (needs numpy, scipy).

For each octave of the tail probability p = q / 2^32, 2^e <= q < 2^(e + 1), e = 0 .. 30, the polynomial of degree 3
in m = q / 2^e through the Chebyshev points, moved so that its largest errors are opposite. Column: e modulo 32 as
the exponent field of the float q has it; that of e = 31 (p = 1/2) is 0. Prints the largest error on stderr.
"""
import sys
import numpy as np
from numpy.polynomial import polynomial
from scipy.special import ndtri

DEGREE = 3
points = 1.5 + 0.5 * np.cos((np.arange(DEGREE + 1) + 0.5) * np.pi / (DEGREE + 1))
fine = np.linspace(1, 2, 2001)
table = np.zeros((DEGREE + 1, 32))
worst = 0
for e in range(31):
    column = polynomial.polyfit(points, -ndtri(2.0 ** (e - 32) * points), DEGREE)
    error = polynomial.polyval(fine, column) + ndtri(2.0 ** (e - 32) * fine)
    column[0] -= (error.max() + error.min()) / 2
    worst = max(worst, (error.max() - error.min()) / 2)
    table[:, (e + 127) % 32] = column
print("largest error %.2g" % worst, file=sys.stderr)
print("/* Polynomials of ops/noise.c. Printed by noise_table.py: do not edit. */")
print("#ifndef VG_AUGMENT_OPS_NOISE_TABLE_H\n#define VG_AUGMENT_OPS_NOISE_TABLE_H\n")
print("enum { DEGREE = %d };" % DEGREE)
print("static const float coefficients[DEGREE + 1][32] = {")
for row in table:
    text = ["%.9gf" % v if v and "." in "%.9g" % v else "0.0f" for v in row]
    lines = [", ".join(text[i:i + 6]) for i in range(0, 32, 6)]
    print("    {" + ",\n     ".join(lines) + "},")
print("};\n\n#endif")
