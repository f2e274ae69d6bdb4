"""Golden values of tests/test_labels*.c, of the measures in test_balance.c and of test_statistics.c,
from scipy and numpy: python3 tests/golden/labels.py"""
import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon

for k, n in [(0, 10), (10, 10), (8, 10), (1, 2), (300, 100000)]:
    i = stats.binomtest(k, n).proportion_ci(method="exact")
    print(f"exact {k} of {n}: {i.low:.9f} {i.high:.9f}")
for x, df in [(2.5, 3), (30, 9), (1000, 999), (21000, 20000), (500, 1)]:
    print(f"chi2.sf({x}, {df}) = {stats.chi2.sf(x, df):.9e}")

for n in ([1204, 610, 12, 3000], [50, 25, 25], [7, 7, 7]):
    n = np.array(n, float)
    p, K = n / n.sum(), len(n)
    # Zhu et al. 2018: likelihood ratio of equal classes against the counts; a G test
    lrid = -2 * np.sum(n * np.log(1 / (K * p)))
    assert np.isclose(lrid, stats.power_divergence(n, lambda_="log-likelihood").statistic)
    renyi = {1: stats.entropy(p), 2: -np.log(np.sum(p**2)), np.inf: -np.log(p.max())}
    effective = (1 - 0.999**n) / (1 - 0.999)
    print("balance", n, f"lrid {lrid:.9f}", {a: round(1 - h / np.log(K), 12) for a, h in renyi.items()},
          f"effective ratio {effective.max() / effective.min():.9f}")

for a, b in [([500, 300, 200], [90, 70, 40]), ([10000, 10000], [700, 1300]), ([40, 3, 2, 0], [2, 3, 1, 4])]:
    r = stats.chi2_contingency([a, b], correction=False)
    table, e = np.array([a, b], float), r.expected_freq
    N = table.sum()
    residual = (table - e) / np.sqrt(e * (1 - table.sum(1, keepdims=True) / N) * (1 - table.sum(0) / N))
    permuted = np.nan
    if e.min() < 5:
        method = stats.PermutationMethod(n_resamples=99999, batch=1000, rng=np.random.default_rng(1))
        permuted = stats.chi2_contingency([a, b], correction=False, method=method).pvalue
    print("drift", a, b, f"chi2 {r.statistic:.9f} df {r.dof} p {r.pvalue:.9g} permuted {permuted:.4g}",
          f"js {jensenshannon(a, b, base=2):.12f}", "residuals", residual[1].round(9))

# expected runs and their spread in a random order: checked against 200,000 shuffles
rng = np.random.default_rng(1)
labels = np.repeat([0, 1, 2], [12, 7, 3])
n = np.bincount(labels).astype(float)
N, s2, s3 = n.sum(), np.sum(n**2), np.sum(n**3)
mean, variance = N + 1 - s2 / N, (s2 * (s2 + N * (N + 1)) - 2 * N * s3 - N**3) / (N**2 * (N - 1))
runs = [1 + np.count_nonzero(np.diff(rng.permutation(labels))) for _ in range(200000)]
print(f"runs {mean:.9f} sd {np.sqrt(variance):.9f}; seen {np.mean(runs):.3f} {np.std(runs):.3f}")
batch = sum(1 - stats.hypergeom(int(N), int(k), 8).pmf(0) for k in n)
print(f"classes in 8 of them {batch:.9f}")
