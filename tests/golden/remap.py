"""Writes tests/data/remap.inc: torchvision's perspective, scipy's map_coordinates along a cubic B-spline field in
every fill mode, and points taken by scipy (nearest) and Pillow's enlarging bicubic resize, of a picture made by a formula.

    python remap.py > ../data/remap.inc

perspective: {width, height, 8 coefficients, values}; nan where torchvision blends with what is outside.
"""
import numpy as np, torch
from PIL import Image
from scipy import ndimage
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F
from torchvision.transforms.functional import _get_perspective_coeffs


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return ((x * x * 7 + y * 13 + x * y * 3) & 255).astype(np.uint8)


def numbers(values):
    return ", ".join("NAN" if np.isnan(v) else "%.9g" % v for v in np.ravel(values))


def perspective(width, height, start, end):
    c = _get_perspective_coeffs(start, end)
    image = torch.from_numpy(picture(width, height).astype(np.float64))[None]
    out = F.perspective(image, None, None, InterpolationMode.BILINEAR, fill=None, coefficients=c)[0].numpy()
    y, x = np.mgrid[0:height, 0:width] + 0.5
    d = c[6] * x + c[7] * y + 1
    u, v = (c[0] * x + c[1] * y + c[2]) / d - 0.5, (c[3] * x + c[4] * y + c[5]) / d - 0.5
    out[(u < 0.01) | (v < 0.01) | (u > width - 1.01) | (v > height - 1.01)] = np.nan
    print("{%d, %d, {%s}, {%s}}," % (width, height, numbers(c), numbers(np.round(out, 3))))


def main():
    print("#if defined VG_GOLDEN_PERSPECTIVE")
    perspective(24, 20, [[0, 0], [23, 0], [23, 19], [0, 19]], [[2, 1], [21, 1], [22, 18], [1, 17]])
    perspective(9, 24, [[0, 0], [8, 0], [8, 23], [0, 23]], [[1, 4], [8, 1], [8, 21], [0, 23]])
    print("#elif defined VG_GOLDEN_FIELD")
    width, height, cell, columns, rows = 22, 17, 5.0, 5, 4
    j, i = np.mgrid[0:rows + 3, 0:columns + 3]
    field = [((i * 37 + j * 11) % 17 - 8) * 0.375, ((i * 5 + j * 23) % 13 - 6) * 0.25]
    y, x = np.mgrid[0:height, 0:width].astype(float)
    qx, qy = x - (width - 1) / 2, y - (height - 1) / 2
    at = [np.clip(qy / cell + rows / 2, 0, rows) + 1, np.clip(qx / cell + columns / 2, 0, columns) + 1]
    dx, dy = (ndimage.map_coordinates(f, at, order=3, prefilter=False) for f in field)
    u, v = 1.0 * (qx + dx) + 0.2 * (qy + dy) + 9, 0.9 * (qy + dy) - 0.3 * (qx + dx) + 7
    for order, name in (1, "VG_INTERPOLATION_BILINEAR"), (0, "VG_INTERPOLATION_NEAREST"):
        for mode, fill in (("nearest", "NEAREST"), ("constant", "CONSTANT"), ("reflect", "REFLECT"), ("grid-wrap", "WRAP")):
            out = ndimage.map_coordinates(picture(20, 15).astype(float), [v, u], order=order, mode=mode, cval=77)
            if mode == "constant":  # order 0 fills from half a pixel outside on, order 1 from the outermost centre on
                inside = (u >= 0) & (u <= 19) & (v >= 0) & (v <= 14)
                out = np.where(inside, out, 77)
            print("{%s, VG_FILL_%s, {%s}}," % (name, fill, numbers(np.round(out, 4))))
    print("#elif defined VG_GOLDEN_BICUBIC")
    small = picture(12, 10)
    out = Image.fromarray(small).resize((31, 23), Image.BICUBIC)
    print(numbers(np.asarray(out).astype(float)))
    print("#endif")


main()
