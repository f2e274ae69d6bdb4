#!/usr/bin/env python3
"""Makes augment/font.c from DejaVu Sans (Debian's fonts-dejavu-core, /usr/share/fonts/truetype/dejavu).

The licence of the Bitstream Vera and DejaVu fonts allows copying, modifying and embedding them,
also as bitmaps in a program, as long as they are not sold by themselves:
https://dejavu-fonts.github.io/License.html

usage: python3 augment/font.py > augment/font.c      (needs Pillow)
"""
from PIL import Image, ImageDraw, ImageFont

FOLDER = "/usr/share/fonts/truetype/dejavu/"
FONTS = [("small", "DejaVuSans.ttf", 11), ("text", "DejaVuSans-Bold.ttf", 14),
         ("title", "DejaVuSans-Bold.ttf", 20)]
SIGNS = [0x2013, 0x2026, 0x2192, 0x2212, 0xFFFD]  # – … → − and the replacement box
CODES = [*range(0x20, 0x7F), *range(0xA0, 0x100), *SIGNS]

print("""/* Made by augment/font.py from DejaVu Sans, whose licence (Bitstream Vera's and Arev's terms,
 * DejaVu's changes in the public domain) allows copying, modifying and embedding:
 * https://dejavu-fonts.github.io/License.html. Do not edit. */
/* clang-format off */
#include "font.h"
""")
for name, file, size in FONTS:
    font = ImageFont.truetype(FOLDER + file, size, layout_engine=ImageFont.Layout.BASIC)
    ascent, descent = font.getmetrics()
    print(f"static const vg_glyph {name}[] = {{")
    for code in CODES:
        character = chr(code)
        picture = Image.new("L", (4 * size, 3 * size), 0)
        ImageDraw.Draw(picture).text((size, size), character, font=font, fill=255)
        box = picture.getbbox() or (size, size, size, size)
        ink = picture.crop(box)
        text = "".join(chr(ord("A") + (v * 15 + 127) // 255) for v in ink.tobytes())
        advance = round(font.getlength(character))
        print(f'    {{0x{code:04x}, {box[0] - size}, {box[1] - size}, {ink.width}, {ink.height}, '
              f'{advance}, "{text}"}},')
    print("};")
    print(f"const vg_font vg_font_{name} = {{{name}, sizeof {name} / sizeof *{name}, "
          f"{ascent + descent}}};\n")
