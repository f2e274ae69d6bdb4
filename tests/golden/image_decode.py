"""Makes tests/data/image/: small JPEG and PNG files and, beside each, the picture that must come out
(binary PGM or PPM). JPEG: written and read by Pillow. PNG: written by the few lines below, because
Pillow writes neither interlaced files nor all depths; expected from the samples by definition
(16 bits: v / 257 rounded; alpha: v * a / 255 rounded), and compared with Pillow where it agrees on
the rules (8 bits and palettes without transparency).

    python tests/golden/image_decode.py      (Pillow 13.0.0, NumPy 2.4.6)
"""
import os
import struct
import zlib

import numpy as np
from PIL import Image

OUT = os.path.join(os.path.dirname(__file__), "..", "data", "image")
W, H = 13, 11
rng = np.random.default_rng(20)


def save_expected(name, pixels):
    pixels = np.asarray(pixels, np.uint8)
    kind = "P6" if pixels.ndim == 3 else "P5"
    with open(f"{OUT}/{name}.ppm", "wb") as f:
        f.write(f"{kind} {pixels.shape[1]} {pixels.shape[0]} 255\n".encode())
        f.write(pixels.tobytes())


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(samples, depth):
    """Rows of a (h, w, c) array as PNG stores them, each with filter type 0."""
    out = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            line = row.astype(">u2").tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).ravel()
            line = np.packbits(bits).tobytes()
        out += b"\0" + line
    return out


def png(name, samples, colour, depth, interlaced=False, before=b"", after=b""):
    h, w = samples.shape[:2]
    if interlaced:
        raw = b""
        for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                             (1, 0, 2, 2), (0, 1, 1, 2)):
            part = samples[y::dy, x::dx]
            if part.size:
                raw += pack(part, depth)
    else:
        raw = pack(samples, depth)
    header = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlaced))
    with open(f"{OUT}/{name}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
                + chunk(b"IDAT", zlib.compress(raw, 9)) + after + chunk(b"IEND", b""))


def to8(samples, depth):
    return np.floor(samples * 255.0 / (2 ** depth - 1) + 0.5)


def over_black(values, alpha):
    return np.floor(values * alpha / 255.0 + 0.5)


def make_png():
    for interlaced in (False, True):
        tail = "-adam7" if interlaced else ""
        for depth in (1, 2, 4, 8, 16):
            s = rng.integers(0, 2 ** depth, (H, W, 1))
            png(f"grey{depth}{tail}", s, 0, depth, interlaced)
            save_expected(f"grey{depth}{tail}", to8(s, depth)[..., 0])
        for depth in (1, 2, 4, 8):
            palette = rng.integers(0, 256, (2 ** depth, 3), dtype=np.uint8)
            s = rng.integers(0, 2 ** depth, (H, W, 1))
            png(f"palette{depth}{tail}", s, 3, depth, interlaced, chunk(b"PLTE", palette.tobytes()))
            save_expected(f"palette{depth}{tail}", palette[s[..., 0]])
            check = np.asarray(Image.open(f"{OUT}/palette{depth}{tail}.png").convert("RGB"))
            assert (check == palette[s[..., 0]]).all()
        for depth in (8, 16):
            s = rng.integers(0, 2 ** depth, (H, W, 4))
            v = to8(s, depth)
            png(f"rgb{depth}{tail}", s[..., :3], 2, depth, interlaced)
            save_expected(f"rgb{depth}{tail}", v[..., :3])
            png(f"rgba{depth}{tail}", s, 6, depth, interlaced)
            save_expected(f"rgba{depth}{tail}", over_black(v[..., :3], v[..., 3:]))
            png(f"grey-alpha{depth}{tail}", s[..., :2], 4, depth, interlaced)
            save_expected(f"grey-alpha{depth}{tail}", over_black(v[..., 0], v[..., 1]))
    # tRNS: alpha of palette entries (fewer than entries), one grey, one colour
    palette = rng.integers(0, 256, (16, 3), dtype=np.uint8)
    alpha = np.full(16, 255)
    alpha[:6] = (0, 255, 128, 1, 254, 77)
    s = rng.integers(0, 16, (H, W, 1))
    png("palette4-trns", s, 3, 4, False, chunk(b"PLTE", palette.tobytes())
        + chunk(b"tRNS", alpha[:6].astype(np.uint8).tobytes()))
    save_expected("palette4-trns", over_black(palette[s[..., 0]], alpha[s]))
    s = rng.integers(0, 4, (H, W, 1))
    png("grey2-trns", s, 0, 2, False, chunk(b"tRNS", struct.pack(">H", 2)))
    save_expected("grey2-trns", np.where(s == 2, 0, to8(s, 2))[..., 0])
    # 16 bits: only the exact colour is transparent, not its neighbour with the same high bytes
    s = rng.integers(0, 65536, (H, W, 3))
    s[0, 0] = s[3, 4] = (40000, 500, 60000)
    s[1, 1] = (40000, 500, 60001)
    png("rgb16-trns", s, 2, 16, False, chunk(b"tRNS", struct.pack(">HHH", 40000, 500, 60000)))
    gone = (s == (40000, 500, 60000)).all(axis=2, keepdims=True)
    save_expected("rgb16-trns", np.where(gone, 0, to8(s, 16)))
    # a gamma and a text that would unpack to 16 MB change nothing; a second frame is not looked at
    s = rng.integers(0, 256, (H, W, 3))
    bomb = b"Comment\0\0" + zlib.compress(b"x" * (16 << 20), 9)
    frame = struct.pack(">IIIIIHHBB", 0, W, H, 0, 0, 1, 10, 0, 0)
    other = zlib.compress(pack(255 - s, 8))
    png("animated-gamma-bomb", s, 2, 8, False,
        chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"gAMA", struct.pack(">I", 100000))
        + chunk(b"zTXt", bomb) + chunk(b"fcTL", frame),
        chunk(b"fcTL", b"\0\0\0\1" + frame[4:]) + chunk(b"fdAT", b"\0\0\0\2" + other))
    save_expected("animated-gamma-bomb", s)


def make_jpeg():
    y, x = np.mgrid[0:29, 0:37]
    rgb = np.stack([127 + 120 * np.sin(x / 5.0), 127 + 120 * np.cos(y / 4.0), (x * 7) % 256], 2)
    rgb = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
    cmyk = np.dstack([np.asarray(rgb), np.clip(200 - 5 * y, 0, 255).astype(np.uint8)])
    cases = {
        "grey": (rgb.convert("L"), {}),
        "rgb": (rgb, {"keep_rgb": True}),
        "444": (rgb, {"subsampling": 0}),
        "422": (rgb, {"subsampling": 1}),
        "420": (rgb, {"subsampling": 2}),
        "progressive": (rgb, {"progressive": True}),
        "cmyk": (Image.frombytes("CMYK", (37, 29), cmyk.tobytes()), {}),
        "restarts": (rgb, {"restart_marker_rows": 1}),
    }
    for name, (image, options) in cases.items():
        image.save(f"{OUT}/{name}.jpg", quality=90, **options)
        back = Image.open(f"{OUT}/{name}.jpg")
        save_expected(name, back if back.mode in ("L", "RGB") else back.convert("RGB"))


def make_orientations():
    s = rng.integers(0, 256, (3, 5, 3), dtype=np.uint8)
    for k in range(1, 9):
        image = Image.fromarray(s)
        exif = Image.Exif()
        exif[0x0112] = k
        image.save(f"{OUT}/orientation{k}.png", exif=exif)
        back = Image.open(f"{OUT}/orientation{k}.png")
        from PIL import ImageOps
        save_expected(f"orientation{k}", ImageOps.exif_transpose(back))


os.makedirs(OUT, exist_ok=True)
make_png()
make_jpeg()
make_orientations()
