"""Golden values of tests/test_balance.c: class weights scaled to a mean of 1 over the samples."""
import numpy as np

counts = np.array([1204, 610, 12, 0, 3000], float)
here = counts > 0
beta = 0.999
raw = {
    # sklearn.utils.class_weight.compute_class_weight("balanced"): n / (K n_k), K classes that occur
    "inverse": 1 / counts[here],
    "sqrt": 1 / np.sqrt(counts[here]),
    # Cui et al. 2019, "Class-balanced loss based on effective number of samples", eq. 2
    "effective": (1 - beta) / (1 - beta ** counts[here]),
}
for name, w in raw.items():
    w = w * counts.sum() / (w * counts[here]).sum()
    print(name, [f"{v:.12f}" for v in w])
n, K = counts.sum(), here.sum()
assert np.allclose(raw["inverse"] * n / (raw["inverse"] * counts[here]).sum(), n / (K * counts[here]))
