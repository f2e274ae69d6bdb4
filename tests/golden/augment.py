#!/usr/bin/env python3
"""Golden values for tests/test_warp.c and tests/test_colour.c, made with scipy and numpy.

Writes tests/data/warp.txt and tests/data/colour.txt. The affine maps are built here from the
documentation of Keras' ImageDataGenerator (matrices in x, y about the centre of the picture), the
resampling is scipy.ndimage.affine_transform of order 1, which is what Keras calls. The colour
operations are torchvision's definitions for float pictures, written out with colorsys for HSV.
"""
import colorsys
import pathlib

import numpy as np
from scipy import ndimage

out = pathlib.Path(__file__).resolve().parent.parent / "data"
rng = np.random.default_rng(1)


def keras_matrix(theta, tx, ty, shear, zx, zy, h, w):
    """Output (x, y, 1) -> input (x, y, 1)."""
    t, s = np.deg2rad(theta), np.deg2rad(shear)
    rotation = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    sheared = np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
    zoom = np.diag([zx, zy, 1])
    to = np.array([[1, 0, (w - 1) / 2], [0, 1, (h - 1) / 2], [0, 0, 1]])
    back = np.array([[1, 0, -(w - 1) / 2], [0, 1, -(h - 1) / 2], [0, 0, 1]])
    return to @ rotation @ shift @ sheared @ zoom @ back


def apply(x, m, mode, cval):
    swap = m[[1, 0, 2]][:, [1, 0, 2]]  # to (row, column)
    mode = {"wrap": "grid-wrap"}.get(mode, mode)  # the definition: period n
    return ndimage.affine_transform(x.astype(np.float64), swap[:2, :2], swap[:2, 2], order=1,
                                    mode=mode, cval=cval)


modes = ["nearest", "constant", "reflect", "wrap"]
cases = [  # theta, shift x, shift y (fractions to the right and down), shear, zx, zy, h, w
    (0, 0.2, 0, 0, 1, 1, 5, 7), (0, 0, -0.3, 0, 1, 1, 5, 7), (90, 0, 0, 0, 1, 1, 6, 6),
    (17, 0, 0, 0, 1, 1, 6, 9), (-33, 0, 0, 0, 1, 1, 9, 5), (0, 0, 0, 20, 1, 1, 7, 7),
    (0, 0, 0, 0, 0.8, 0.9, 6, 8), (0, 0, 0, 0, 1.2, 1.1, 6, 8),
    (25, 0.15, -0.1, 12, 0.85, 1.1, 8, 11), (-40, -0.2, 0.2, -15, 0.8, 0.9, 11, 8),
]
with open(out / "warp.txt", "w") as f:
    for theta, sx, sy, shear, zx, zy, h, w in cases:
        x = rng.integers(0, 256, (h, w))
        m = keras_matrix(theta, -sx * w, -sy * h, shear, zx, zy, h, w)
        for mode in range(4):
            y = apply(x, m, modes[mode], 40.0)
            print(theta, sx, sy, shear, zx, zy, h, w, mode, file=f)
            print(*x.ravel(), file=f)
            print(*("%.4f" % v for v in y.ravel()), file=f)


def grey(p):
    return 0.2989 * p[..., 0] + 0.587 * p[..., 1] + 0.114 * p[..., 2]


def blend(a, b, factor):
    return np.clip(factor * a + (1 - factor) * b, 0, 255)


def hue(p, turns):
    y = np.empty_like(p)
    for i, (r, g, b) in enumerate(p / 255):
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        y[i] = np.array(colorsys.hsv_to_rgb((h + turns) % 1.0, s, v)) * 255
    return y


n = 40
pixels = rng.integers(0, 256, (n, 3)).astype(np.float64)
pixels[:6] = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]
with open(out / "colour.txt", "w") as f:
    print(n, file=f)
    print(*(int(v) for v in pixels.ravel()), file=f)
    for op, factor in [(0, 0.5), (0, 1.7), (1, 0.3), (1, 1.6), (2, 0.0), (2, 0.4), (2, 1.9),
                       (3, 0.1), (3, -0.3), (3, 0.5), (3, 0.0)]:
        y = (blend(pixels, 0, factor) if op == 0 else
             blend(pixels, grey(pixels).mean(), factor) if op == 1 else
             blend(pixels, grey(pixels)[:, None], factor) if op == 2 else hue(pixels, factor))
        print(op, factor, file=f)
        print(*("%.4f" % v for v in y.ravel()), file=f)
