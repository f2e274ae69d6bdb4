"""Prints the coefficients of train/nn/kernels/activate.c, lowest power first, and the largest relative error of each approximation
before rounding. Needs numpy and scipy.

exp    q in e^r = 1 + r + r^2 q(r), |r| <= log 2 / 2
tanh   q in tanh x = x + x s q(s), s = x^2, |x| <= 0.625
Phi    q in Phi(-x) = q(t) e^(-x^2 / 2), t = 1 / (1 + x / 4), 0 <= x <= 14"""
import numpy
from scipy.optimize import linprog
from scipy.special import erfcx

POINTS, SCALE = 4000, 1e8  # SCALE: the solver's tolerance is absolute


def minimax(f, weight, low, high, degree):
    """The polynomial with the smallest max |weight (p - f)|, by linear programming over Chebyshev polynomials."""
    u = numpy.cos((numpy.arange(POINTS) + 0.5) * numpy.pi / POINTS)
    x = low + (high - low) * (u + 1) / 2
    w = SCALE * weight(x)[:, None]
    rows = numpy.polynomial.chebyshev.chebvander(u, degree) * w
    wanted, one = f(x) * w[:, 0], numpy.ones((POINTS, 1))
    found = linprog(numpy.r_[numpy.zeros(degree + 1), 1], A_ub=numpy.block([[rows, -one], [-rows, -one]]),
                    b_ub=numpy.r_[wanted, -wanted], bounds=[(None, None)] * (degree + 1) + [(0, None)], method="highs")
    p = numpy.polynomial.Chebyshev(found.x[:-1], domain=[low, high])
    return p.convert(kind=numpy.polynomial.Polynomial, domain=[-1, 1], window=[-1, 1]).coef, found.x[-1] / SCALE


def series(x, exact, near):
    """`exact` cancels near 0, where `near` is close enough."""
    small = numpy.abs(x) < 1e-3
    return numpy.where(small, near(x), exact(numpy.where(small, 1, x)))


half = numpy.log(2) / 2 * 1.001
mills = lambda x: 0.5 * erfcx(x / numpy.sqrt(2))
tail = lambda t: mills(4 * (1 / t - 1))
WANTED = (
    ("exp", lambda r: series(r, lambda v: (numpy.expm1(v) - v) / v**2, lambda v: 0.5 + v / 6 + v * v / 24),
     lambda r: r * r + 1e-9, -half, half, 4),
    ("tanh", lambda s: series(s, lambda v: (numpy.tanh(numpy.sqrt(v)) / numpy.sqrt(v) - 1) / v, lambda v: -1 / 3 + 2 / 15 * v),
     lambda s: s + 1e-9, 0, 0.625**2, 4),
    ("Phi", tail, lambda t: 1 / tail(t), 1 / (1 + 14 / 4), 1, 9))
for name, f, weight, low, high, degree in WANTED:
    coefficients, error = minimax(f, weight, low, high, degree)
    print(name, f"{error:.1e}", *(f"{c:.8g}" for c in coefficients))
