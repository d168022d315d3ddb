"""Packs the glyphs that labels need from `unifont.hex` of GNU Unifont: `python pack.py unifont.hex unifont.bin`.

The file, zlib-compressed: one bit for each code point of the Basic Multilingual Plane that has a glyph (8192 bytes, lowest
bit first), one for each whose glyph is 16 pixels wide in place of 8 (8192 bytes), then the glyphs in order: 16 bytes, one
for each row with the leftmost pixel in the highest bit; the right half of wide ones follows the left.
"""

import sys
import zlib
from pathlib import Path

RANGES = """20-24f 300-3ff 400-52f 531-58f 591-5f4 600-6ff 900-97f 10a0-10ff e01-e5b 1e00-1fff 2010-2040 20a0-20bf 2100-214f
2190-2199 2200-226f 3000-30ff 3105-312f ac00-d7a3 fb50-fbff fe70-fefc ff01-ff9f"""
"""Alphabets, Arabic as it is joined, kana, Hangul, punctuation."""


def ideographs() -> set[int]:
    """Those of GB 2312, Shift JIS and the first level of Big5."""
    big5 = [bytes([row, cell]) for row in range(0xA4, 0xC7) for cell in range(0x40, 0xFF)]
    found = {ord(text) for code in big5 if len(text := code.decode("big5", "ignore")) == 1}
    for point in range(0x4E00, 0xA000):
        if any(chr(point).encode(codec, "ignore") for codec in ("gb2312", "shift_jis")):
            found.add(point)
    return {point for point in found if 0x4E00 <= point < 0xA000}


def main() -> None:
    """Runs the command."""
    source, target = map(Path, sys.argv[1:])
    lines = (line.split(":") for line in source.read_text().split())
    glyphs = {int(point, 16): bytes.fromhex(rows) for point, rows in lines}
    bounds = [[int(end, 16) for end in each.split("-")] for each in RANGES.split()]
    points = ideographs() | {point for first, last in bounds for point in range(first, last + 1)}
    present, wide, bitmaps = bytearray(8192), bytearray(8192), bytearray()
    for point in sorted(points & glyphs.keys()):
        glyph = glyphs[point]
        present[point >> 3] |= 1 << (point & 7)
        if len(glyph) == 32:
            wide[point >> 3] |= 1 << (point & 7)
            glyph = glyph[0::2] + glyph[1::2]
        bitmaps += glyph
    target.write_bytes(zlib.compress(bytes(present + wide + bitmaps), 9))


if __name__ == "__main__":
    main()
