"""Golden values of tests/test_normalize.c: the pixels are (37 i^2 + 11 i) mod 251 for i = 0..59, read as
two RGB pictures of 5 x 2."""
import numpy as np

i = np.arange(60)
v = ((37 * i * i + 11 * i) % 251).astype(np.float64).reshape(20, 3)
print("mean", v.mean(0), "std", v.std(0), "min", v.min(0), "max", v.max(0))
x = v.T.reshape(-1)  # planar
z = (x - x.mean()) / x.std()
m = (x - x.min()) / (x.max() - x.min())
for name, y in ("zscore", z), ("minmax", m):
    print(name, y[0], y[31], y[59])
