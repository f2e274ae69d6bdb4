"""Writes tests/data/crop.inc: what torchvision's RandomResizedCrop draws, or without torchvision its
documented rule (transforms.RandomResizedCrop.get_params) in numpy.

    python crop.py > ../data/crop.inc
"""
import math
import random

import numpy as np

try:
    import torch
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(1)

    def draw(width, height, scale, ratio):
        top, left, h, w = RandomResizedCrop.get_params(torch.empty(1, height, width), scale, ratio)
        return left, top, w, h
except ImportError:
    dice = random.Random(1)

    def draw(width, height, scale, ratio):
        for _ in range(10):
            area = width * height * dice.uniform(*scale)
            aspect = math.exp(dice.uniform(math.log(ratio[0]), math.log(ratio[1])))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                return dice.randint(0, width - w), dice.randint(0, height - h), w, h
        return fallback(width, height, ratio)


def fallback(width, height, ratio):
    w, h = width, height
    if width / height < ratio[0]:
        h = round(width / ratio[0])
    elif width / height > ratio[1]:
        w = round(height * ratio[1])
    return (width - w) // 2, (height - h) // 2, w, h


def main(count=200000):
    third = 4 / 3
    cases = [
        ("crop=0.08", 500, 375, (0.08, 1), (0.75, third)),
        ("crop=0.08", 375, 500, (0.08, 1), (0.75, third)),
        ("crop=0.25:0.5 crop_ratio=0.5:2", 640, 480, (0.25, 0.5), (0.5, 2)),
        ("crop=0.5:1", 1000, 400, (0.5, 1), (0.75, third)),
        ("crop=0.08", 32, 32, (0.08, 1), (0.75, third)),
        ("crop=0.6:0.9", 200, 100, (0.6, 0.9), (0.75, third)),
    ]
    for words, width, height, scale, ratio in cases:
        crops = np.array([draw(width, height, scale, ratio) for _ in range(count)], float)
        x, y, w, h = crops.T
        area = w * h / (width * height)
        log_ratio = np.log(w / h)
        inner_x, inner_y = w < width, h < height
        place_x = (x[inner_x] / (width - w[inner_x])).mean() if inner_x.any() else 0
        place_y = (y[inner_y] / (height - h[inner_y])).mean() if inner_y.any() else 0
        same = (crops == np.array(fallback(width, height, ratio), float)).all(axis=1).mean()
        numbers = [area.mean(), *np.quantile(area, [0.1, 0.9]), log_ratio.mean(),
                   *np.quantile(log_ratio, [0.1, 0.9]), place_x, place_y, same]
        print('{"%s", %d, %d, %s},' % (words, width, height, ", ".join("%.5f" % v for v in numbers)))


main()
