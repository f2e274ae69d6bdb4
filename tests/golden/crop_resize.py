"""Writes tests/data/crop_resize.inc: Pillow's crop().resize() and torchvision's centre crop and pad of a
picture made by a formula.

    python crop_resize.py > ../data/crop_resize.inc
"""
import numpy as np
from PIL import Image


def picture(width, height):
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((x * x * 7 + y * 13 * (c + 1) + x * y * 3 + 31 * c) & 255).astype(np.uint8))


def main():
    for width, height, left, top, w, h, out_w, out_h in [
            (50, 40, 7, 5, 30, 21, 8, 6), (50, 40, 0, 0, 50, 40, 8, 6), (50, 40, 20, 13, 30, 27, 8, 6),
            (50, 40, 11, 3, 4, 5, 8, 6), (50, 40, 3, 30, 8, 6, 8, 6), (50, 40, 49, 39, 1, 1, 8, 6),
            (300, 7, 100, 0, 150, 7, 6, 8)]:
        im = picture(width, height).crop((left, top, left + w, top + h))
        im = im.resize((out_w, out_h), Image.BILINEAR)
        print("{%d, %d, {%d, %d, %d, %d}, %d, %d,\n \"%s\"}," %
              (width, height, left, top, w, h, out_w, out_h, im.tobytes().hex()))


main()
