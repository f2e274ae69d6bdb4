"""Learning rates of PyTorch's ReduceLROnPlateau for given measures, as tests/data/plateau.inc.
Needs torch; run as: python tests/golden/plateau.py > tests/data/plateau.inc"""
import math, random
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

random.seed(3)
falling = [1 / (1 + 0.3 * i) + 0.05 * random.random() for i in range(24)]
flat = [0.5 + 1e-5 * i * (-1) ** i for i in range(24)]
rising = [1 - f for f in falling]
broken = [math.nan if i % 5 == 2 else f for i, f in enumerate(falling)]
cases = [
    (falling, dict(mode="min", factor=0.1, patience=0)),
    (falling, dict(mode="min", factor=0.5, patience=1, threshold=0.05)),
    (falling, dict(mode="min", factor=0.5, patience=1, threshold=0.05, threshold_mode="abs", cooldown=2)),
    (flat, dict(mode="min", factor=0.3, patience=2, cooldown=1, min_lr=0.001)),
    (flat, dict(mode="max", factor=0.3, patience=0, threshold=0.0, min_lr=1e-9)),
    (rising, dict(mode="max", factor=0.5, patience=1, threshold=0.1)),
    (rising, dict(mode="max", factor=0.5, patience=0, threshold=0.03, threshold_mode="abs", cooldown=1)),
    (broken, dict(mode="min", factor=0.5, patience=0)),
]
print("/* made by tests/golden/plateau.py with torch %s */" % torch.__version__)
for values, options in cases:
    w = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = ReduceLROnPlateau(optimizer, **options)
    rates = []
    for v in values:
        scheduler.step(v)
        rates.append(optimizer.param_groups[0]["lr"])
    o = dict(dict(threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0), **options)
    print("{{.factor = %r, .threshold = %r, .absolute = %s, .lowest = %r, .patience = %d, .cooldown = %d}, %s," % (
        o["factor"], o["threshold"], str(o["threshold_mode"] == "abs").lower(), float(o["min_lr"]), o["patience"],
        o["cooldown"], str(o["mode"] == "max").lower()))
    print(" {%s}," % ", ".join("NAN" if math.isnan(v) else repr(v) for v in values))
    print(" {%s}}," % ", ".join(repr(r) for r in rates))
