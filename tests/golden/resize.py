"""Makes tests/data/resize.bin: Pillow's Image.resize for small pictures, across and then down in two
calls: since version 13 one call exchanges the passes for some shapes.

    python tests/golden/resize.py      (Pillow 13.0.0, NumPy 2.4.6)

Little-endian. For each case: int32 channels, in width, in height, filter (0 box, 1 bilinear,
2 bicubic), out width, out height; double box x, y, w, h; input bytes; output bytes.
"""
import os
import struct

import numpy as np
from PIL import Image

OUT = os.path.join(os.path.dirname(__file__), "..", "data", "resize.bin")
FILTERS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
rng = np.random.default_rng(3)
SIZES = [((31, 23), (7, 5)), ((31, 23), (62, 50)), ((31, 23), (31, 9)), ((31, 23), (8, 23)),
         ((31, 23), (1, 1)), ((1, 1), (5, 4)), ((2, 40), (3, 3)), ((31, 23), (31, 23))]
BOXES = [(2.5, 1.25, 20.3, 17.9), (10, 10, 1, 1), (0, 0, 31, 11.5), (30.5, 22.75, 0.5, 0.25),
         (3, 4, 9, 7)]

with open(OUT, "wb") as f:
    for channels in (1, 3):
        for number, kind in enumerate(FILTERS):
            cases = [(a, b, (0, 0) + a) for a, b in SIZES]
            cases += [((31, 23), (9, 7), box) for box in BOXES]
            for size, out, box in cases:
                # bits of full contrast: the worst case for overshoot and rounding
                pixels = rng.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
                pixels[rng.random(pixels.shape[:2]) < 0.3] = 255
                pixels[rng.random(pixels.shape[:2]) < 0.2] = 0
                image = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
                x, y, w, h = box
                across = image.resize((out[0], size[1]), kind, box=(x, 0, x + w, size[1]))
                done = across.resize(out, kind, box=(0, y, out[0], y + h))
                f.write(struct.pack("<6i4d", channels, *size, number, *out, *box))
                f.write(pixels.tobytes() + np.asarray(done, np.uint8).tobytes())
