# Golden values of tests/test_against.c: Kolmogorov-Smirnov and the standardized difference by scipy and numpy.
# The p-value is the asymptotic one with Stephens' correction: Q(x), x = (r + 0.12 + 0.11 / r) d, r = sqrt(n m / (n + m)).
import numpy as np
from scipy import special, stats

here = np.float32(0.3 + 0.005 * ((37 * np.arange(60)) % 64)).astype(float)
there = (np.float32(0.3 + 0.005 * ((37 * np.arange(40)) % 64)) + np.float32(0.15)).astype(float)
d = stats.ks_2samp(here, there).statistic
r = np.sqrt(60 * 40 / 100)
print("distance", d)
print("p", special.kolmogorov((r + 0.12 + 0.11 / r) * d))
print("difference", (there.mean() - here.mean()) / np.sqrt((here.var() + there.var()) / 2))
