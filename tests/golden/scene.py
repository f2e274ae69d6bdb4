#!/usr/bin/env python3
"""Makes tests/data/scene.png: a drawn landscape of 96 x 96 pixels with what operations work on: smooth
gradients, fine texture, hard edges, letters' thin lines, saturated and grey areas, deep shadow and white.

usage: python3 tests/golden/scene.py > tests/data/scene.png      (needs NumPy and Pillow)
"""
import io
import sys

import numpy as np
from PIL import Image, ImageDraw

S, Z = 96, 4  # drawn four times as large, then reduced
rng = np.random.default_rng(5)


def clouds(shape, octaves):
    """Smooth noise in 0..1."""
    total = np.zeros(shape)
    for o in range(octaves):
        grid = rng.random((3 * 2**o, 3 * 2**o))
        layer = Image.fromarray((255 * grid).astype("uint8")).resize((shape[1], shape[0]), Image.BICUBIC)
        total += np.asarray(layer, float) / 255 / 2**o
    return (total - total.min()) / (total.max() - total.min())


n = S * Z
y, x = np.mgrid[0:n, 0:n] / n
sky = np.stack([90 + 150 * y, 140 + 80 * y, 215 - 10 * y], 2)
white = np.clip((clouds((n, n), 5) - 0.52) * 3.2, 0, 1)[..., None] * (y < 0.5)[..., None]
picture = sky * (1 - white) + 250 * white
hills = 0.46 + 0.06 * np.sin(7 * x + 1) + 0.03 * np.sin(19 * x)
far = np.stack([96 + 20 * x, 118 + 10 * x, 128 + 0 * x], 2)
picture = np.where((y > hills)[..., None], far, picture)
grass = clouds((n, n), 7)
meadow = np.stack([70 + 60 * grass, 120 + 70 * grass, 40 + 30 * grass], 2)
picture = np.where((y > 0.60 + 0.04 * np.sin(5 * x))[..., None], meadow, picture)

image = Image.fromarray(picture.clip(0, 255).astype("uint8"))
draw = ImageDraw.Draw(image)


def at(*points):
    return [(a * n, b * n) for a, b in points]


draw.ellipse(at((0.70, 0.07), (0.84, 0.21)), fill=(255, 226, 90))
draw.polygon(at((0.30, 0.96), (0.42, 0.96), (0.50, 0.66), (0.47, 0.66)), fill=(188, 160, 120))  # path
draw.rectangle(at((0.42, 0.46), (0.68, 0.70)), fill=(226, 214, 196))  # house
draw.rectangle(at((0.60, 0.46), (0.68, 0.70)), fill=(168, 156, 142))  # its shadow side
draw.polygon(at((0.38, 0.47), (0.52, 0.30), (0.72, 0.47)), fill=(176, 46, 36))  # roof
draw.rectangle(at((0.455, 0.56), (0.52, 0.70)), fill=(20, 18, 22))  # door
for left in (0.545, 0.62):
    draw.rectangle(at((left, 0.52), (left + 0.045, 0.59)), fill=(30, 60, 110))
    draw.line(at((left + 0.022, 0.52), (left + 0.022, 0.59)), fill=(240, 240, 240), width=3)
draw.rectangle(at((0.155, 0.50), (0.185, 0.82)), fill=(84, 56, 32))  # tree
for cx, cy, r, g in ((0.17, 0.40, 0.12, 92), (0.11, 0.46, 0.09, 76), (0.23, 0.47, 0.09, 104), (0.16, 0.34, 0.08, 120)):
    draw.ellipse(at((cx - r, cy - r), (cx + r, cy + r)), fill=(24 + g // 6, g, 30))
for i in range(9):  # fence
    a = 0.72 + 0.032 * i
    draw.line(at((a, 0.70), (a, 0.82)), fill=(245, 245, 245), width=6)
draw.line(at((0.71, 0.74), (1.0, 0.74)), fill=(245, 245, 245), width=5)
for i in range(26):  # flowers
    a, b = 0.52 + 0.46 * rng.random(), 0.84 + 0.14 * rng.random()
    colour = [(230, 40, 60), (250, 210, 40), (190, 60, 200), (255, 255, 255)][i % 4]
    draw.ellipse(at((a - 0.012, b - 0.012), (a + 0.012, b + 0.012)), fill=colour)
small = np.asarray(image.resize((S, S), Image.LANCZOS), float) + rng.normal(0, 0.7, (S, S, 3))
out = io.BytesIO()
Image.fromarray(small.clip(0, 255).round().astype("uint8")).save(out, "PNG", optimize=True)
sys.stdout.buffer.write(out.getvalue())
