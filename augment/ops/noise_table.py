"""Prints augment/ops/noise_table.h: the inverse of the normal distribution as polynomials (needs numpy, scipy).

For each octave of the tail probability p = q / 2^31, 2^e <= q < 2^(e + 1), e = -1 .. 29, the polynomial of degree 5
in t = q / 2^e - 1.5 through the Chebyshev points. Largest error 4.7e-6. Column: the exponent field of the
float q, modulo 32.
"""
import numpy as np
from numpy.polynomial import polynomial
from scipy.special import ndtri

DEGREE = 5
points = 0.5 * np.cos((np.arange(DEGREE + 1) + 0.5) * np.pi / (DEGREE + 1))
table = np.zeros((DEGREE + 1, 32))
for e in range(-1, 30):
    value = -ndtri(2.0 ** (e - 31) * (points + 1.5))
    table[:, (e + 127) % 32] = polynomial.polyfit(points, value, DEGREE)
print("/* Polynomials of ops/noise.c. Printed by noise_table.py: do not edit. */")
print("#ifndef VG_AUGMENT_OPS_NOISE_TABLE_H\n#define VG_AUGMENT_OPS_NOISE_TABLE_H\n")
print("static const float coefficients[6][32] = {")
for row in table:
    text = ["%.9gf" % v if v and "." in "%.9g" % v else "0.0f" for v in row]
    lines = [", ".join(text[i:i + 6]) for i in range(0, 32, 6)]
    print("    {" + ",\n     ".join(lines) + "},")
print("};\n\n#endif")
