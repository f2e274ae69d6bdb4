#!/usr/bin/env python3
"""Golden values for tests/test_tone.c and tests/test_filter.c: torchvision 0.29 and OpenCV 4.

Writes tests/data/pixels.txt: operation, two parameters, channels, height, width; the input's bytes
and the output, both interleaved. posterize, solarize, equalize, autocontrast and adjust_sharpness
are torchvision.transforms.v2.functional's (for bytes, but sharpness and autocontrast for floats);
CLAHE, GaussianBlur and medianBlur are OpenCV's; the rest is written out.
"""
import math
import pathlib

import cv2
import numpy as np
import torch
from torchvision.transforms.v2 import functional as F

rng = np.random.default_rng(5)
out = open(pathlib.Path(__file__).resolve().parent.parent / "data" / "pixels.txt", "w")


def write(name, a, b, x, y):
    h, w = x.shape[:2]
    c = 1 if x.ndim == 2 else 3
    print(name, a, b, c, h, w, file=out)
    print(*x.ravel(), file=out)
    print(*("%.6g" % v for v in np.asarray(y, np.float64).ravel()), file=out)


def tensor(x):
    return torch.from_numpy(x if x.ndim == 3 else x[..., None]).permute(2, 0, 1)


def array(t):
    return t.permute(1, 2, 0).numpy()


def smooth(h, w, c):
    """Few levels in a gradient: histograms with peaks."""
    y, x = np.mgrid[:h, :w]
    g = 60 + 100 * y / h + 40 * np.sin(x / 3)
    p = np.stack([g, g * 0.7 + 20, 255 - g], -1) if c == 3 else g
    return (p + rng.normal(0, 4, p.shape)).clip(0, 255).astype(np.uint8)


pictures = [smooth(12, 17, 3), rng.integers(0, 256, (9, 8, 3)).astype(np.uint8), smooth(11, 10, 1),
            np.full((5, 6), 77, np.uint8), np.array([[200, 10, 90]], np.uint8)]
for p in pictures:
    for bits in (1, 4, 7):
        write("posterize", bits, 0, p, array(F.posterize(tensor(p), bits)))
    for t in (0, 100, 255):
        write("solarize", t, 0, p, array(F.solarize(tensor(p), t)))
    write("equalize", 0, 0, p, array(F.equalize(tensor(p))))
    write("autocontrast", 0, 0, p, array(F.autocontrast(tensor(p).float() / 255)) * 255)
    for g in (0.4, 1.0, 2.2):
        write("gamma", g, 0, p, 255 * (p / 255.0) ** g)
    for s in (0.0, 1.0, 1.9):
        write("sharpness", s, 0, p, array(F.adjust_sharpness(tensor(p).float() / 255, s)) * 255)
    for s in (0.5, 1.5):
        r = math.ceil(3 * s)
        if min(p.shape[:2]) > r:  # OpenCV mirrors only once
            write("gaussian", s, 0, p, cv2.GaussianBlur(p.astype(np.float64), (2 * r + 1,) * 2, s))
    for r in (1, 2):
        write("median", r, 0, p, cv2.medianBlur(p, 2 * r + 1))
    if p.shape[2:] == (3,):
        g = p @ np.array([0.2989, 0.587, 0.114])
        write("grey", 0, 0, p, np.repeat(g[..., None], 3, -1))
for clip, tiles, shape in ((2, 4, (32, 40)), (4, 8, (32, 32)), (0, 2, (20, 24)), (3, 4, (30, 41))):
    p = smooth(*shape, 1)
    write("clahe", clip, tiles, p, cv2.createCLAHE(clip, (tiles, tiles)).apply(p))
