#!/usr/bin/env python3
"""Golden values of tests/test_mix.c: torchvision's CutMix rectangles for given draws.

    python3 tests/golden/mix.py > tests/data/mix.inc
"""
import random
from unittest import mock

import torch
from torchvision.transforms import v2

random.seed(5)
rows = []
for _ in range(40):
    height, width = random.choice([(1, 1), (1, 9), (28, 28), (32, 48), (225, 224)])
    lam = random.choice([0.0, 1.0, random.random(), random.random(), random.random()])
    x, y = random.randrange(width), random.randrange(height)
    cut = v2.CutMix(num_classes=2)
    places = iter([x, y])
    with mock.patch.object(cut, "_dist", mock.Mock(sample=lambda shape: torch.tensor(lam, dtype=torch.float64))), \
            mock.patch("torch.randint", lambda n, size: torch.tensor([next(places)])):
        made = cut.make_params([torch.zeros(2, 3, height, width)])
    x1, y1, x2, y2 = made["box"]
    rows.append(f"{{{lam!r}, {x}, {y}, {height}, {width}, {{{x1}, {y1}, {x2}, {y2}}}, {made['lam_adjusted']!r}}},")
print("/* lambda, x, y, height, width, {x1, y1, x2, y2}, adjusted lambda; by tests/golden/mix.py */")
print("\n".join(rows))
