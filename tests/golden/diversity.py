#!/usr/bin/env python3
"""Record network outputs and what an independent implementation measures on them.

    diversity.py COLLAPSE.py FASHION_DIR > tests/data/diversity.txt

COLLAPSE.py is a PyTorch program with the functions named below (entropy, resamples, label_information,
wilson_upper, spread, effective_rank, verdict, run, measure, CASES, PLACES); none of its code is
repeated here beyond the line that puts a function's results together. Outputs are multiples of 1/1024, written as
whole numbers ("nan" for what is not finite), so that both sides measure the same floats.
Some are drawn, some are those of nets that were trained here on Fashion-MNIST.
"""
import importlib.util
import sys
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

spec = importlib.util.spec_from_file_location("collapse", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
sys.modules["collapse"] = peer
spec.loader.exec_module(peer)
peer.PLACES["fashion"] = sys.argv[2]
torch.set_num_threads(1)
rng = np.random.default_rng(20)


def measure(z, y):
    """What the program's measure() says about outputs, from its own parts."""
    n, k = z.shape
    zt = torch.from_numpy(z)
    finite = torch.isfinite(zt).all(1)
    p = F.softmax(torch.where(finite[:, None], zt, torch.zeros(())).double(), 1).numpy()
    pred = p.argmax(1)
    counts, labels = np.bincount(pred, minlength=k), np.bincount(y, minlength=k)
    hy = peer.entropy(labels / n)
    w = peer.resamples(n).astype(float)
    d1s = peer.entropy(w @ p) - w @ peer.entropy(p)
    d4, null = peer.label_information(pred, y, k)
    m = {
        "accuracy": (pred == y).mean(), "balanced": (np.bincount(y[pred == y], minlength=k) / labels).mean(),
        "loss": float(F.cross_entropy(zt.double(), torch.from_numpy(y))),
        "top": counts.max() / n, "label_top": labels.max() / n,
        "d1": (peer.entropy(p.mean(0)) - peer.entropy(p).mean()) / hy,
        "d1_upper": np.quantile(d1s, 0.975) / hy,
        "d2": np.exp(peer.entropy(counts / n)) / np.exp(hy),
        "d3": int((counts / n < peer.MISSING * labels / n).sum()),
        "missing": [c for c in range(k) if peer.wilson_upper(counts[c], n) < peer.MISSING * labels[c] / n],
        "d4": d4, "p": null, "nonfinite": float(1 - finite.float().mean()),
    }
    return dict(m, verdict=peer.verdict(m))


def write(name, z, y):
    q = np.round(z * 1024)
    z = (q / 1024).astype(np.float32)
    m = measure(z, y)
    m["missing"] = "".join("1" if c in m["missing"] else "0" for c in range(z.shape[1]))
    print("outputs", name, *z.shape)
    for key, value in m.items():
        print(key, value if isinstance(value, (str, int)) else f"{value:.12g}")
    print("labels", *y)
    print("logits")
    for row in q:
        print(*("nan" if np.isnan(v) else int(v) for v in row))


def labels(n, k, share=None):
    return np.sort(rng.choice(k, n, p=share)) if share else np.arange(n) % k


def sure(y, k, strength, noise):
    return strength * np.eye(k)[y] + noise * rng.standard_normal((len(y), k))


def outputs():
    y = labels(300, 10)
    yield "skilled", sure(y, 10, 4, 1.5), y
    yield "constant", np.tile(rng.standard_normal(10) + 3 * np.eye(10)[3], (300, 1)), y
    yield "flickering constant", 0.01 * rng.standard_normal((300, 10)), y
    yield "one class", rng.standard_normal((300, 10)) + rng.uniform(3, 10, (300, 1)) * np.eye(10)[3], y
    yield "diverse but wrong", 6 * rng.standard_normal((300, 10)), y
    yield "renamed classes", sure((y + 1) % 10, 10, 8, 1), y
    z = sure(y, 10, 5, 1)
    z[::17] = np.nan
    z[5, 3] = np.nan
    yield "some not finite", z, y
    yield "none finite", np.full((40, 10), np.nan), labels(40, 10)
    y = labels(500, 10)
    z = sure(y, 10, 5, 1)
    z[:, [7, 8]] -= 12
    yield "partial", z, y
    y = labels(200, 2)
    yield "two classes", sure(y, 2, 2, 1), y
    yield "two classes, one named", sure(y, 2, 1, 0.5) + [9, 0], y
    y = labels(300, 2, [0.9, 0.1])
    yield "imbalanced probe", sure(y, 2, 2, 1), y
    y = labels(215, 43)
    yield "many classes", sure(y, 43, 4, 1), y


def trained():
    seen = []
    original = peer.measure

    def capture(net, x, y):
        m = original(net, x, y)
        net.eval()
        with torch.no_grad():
            seen.append((net(x).numpy(), y.numpy()))
        net.train()
        return m
    peer.measure = capture
    for case, twin in ("F01", "clean"), ("F04", "faulty"), ("F10", "faulty"), ("F11", "faulty"), ("F12", "faulty"):
        seen.clear()
        peer.run(replace(peer.CASES[case].twins()[twin], probe=400, epochs=3), 0)
        if case in ("F01", "F10"):
            yield f"{case} {twin} before training", *seen[0]
        yield f"{case} {twin} trained", *seen[-1]


def features():
    low = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 24))
    yield "three directions and noise", low + 0.05 * rng.standard_normal((60, 24)) + 2
    yield "more features than rows", rng.standard_normal((12, 50))
    yield "all the same", np.tile(rng.standard_normal(20), (30, 1))
    yield "nearly the same", np.tile(100 * rng.standard_normal(20), (30, 1)) + rng.standard_normal((30, 20)) / 256
    yield "zeros", np.zeros((10, 8))
    yield "rectified", np.maximum(0, rng.standard_normal((80, 16)) - 1)


for case in [*outputs(), *trained()]:
    write(*case)
for name, h in features():
    q = np.round(h * 1024)
    h = torch.from_numpy((q / 1024))
    print("features", name, *h.shape)
    print(f"spread {peer.spread(h):.12g}\nlevel {float(h.abs().mean()):.12g}\nrank {peer.effective_rank(h):.12g}")
    print("values")
    for row in q:
        print(*(int(v) for v in row))
