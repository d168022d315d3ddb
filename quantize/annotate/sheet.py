"""The sample sheet: pictures of the finished shards with boxes, phrases, masks and captions drawn on them."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

CELL, TEXT = 300, 66
COLUMNS = 4
FONT = 11
COLOURS = (
    (230, 60, 60),
    (60, 150, 240),
    (70, 190, 80),
    (240, 170, 30),
    (180, 90, 220),
    (30, 190, 190),
    (240, 110, 180),
    (150, 120, 80),
)
MASK_SHARE = 0.45


def sheet(shards: Sequence[Path], count: int) -> Image.Image | None:
    """`count` pictures, evenly over the shards and over each shard; None when there are none."""
    cells = []
    for i, path in enumerate(shards):
        share = count * (i + 1) // len(shards) - count * i // len(shards)
        cells += [_cell(sample) for sample in _spread(path, share)]
    if not cells:
        return None
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    made = Image.new("RGB", (columns * CELL, rows * (CELL + TEXT)), "white")
    for i, cell in enumerate(cells):
        made.paste(cell, (i % columns * CELL, i // columns * (CELL + TEXT)))
    return made


def _spread(path: Path, count: int) -> list[dict[str, bytes]]:
    """Samples of a shard: extension → content."""
    with tarfile.open(path) as tar:
        members: dict[str, list[tarfile.TarInfo]] = {}
        for member in tar:
            members.setdefault(member.name.partition(".")[0], []).append(member)
        keys = list(members)
        chosen = [keys[i * len(keys) // count] for i in range(min(count, len(keys)))] if len(keys) > count else keys
        return [{m.name.partition(".")[2]: _content(tar, m) for m in members[key]} for key in chosen]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


def _cell(sample: dict[str, bytes]) -> Image.Image:
    meta: dict[str, Any] = json.loads(sample["json"])
    picture = Image.open(io.BytesIO(sample["jpg"])).convert("RGB")
    if "pseudo_mask.png" in sample:
        picture = with_mask(picture, np.asarray(Image.open(io.BytesIO(sample["pseudo_mask.png"]))))
    picture.thumbnail((CELL - 4, CELL - 4))
    if max(picture.size) < CELL - 4:
        scale = (CELL - 4) / max(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    cell = Image.new("RGB", (CELL, CELL + TEXT), "white")
    font = ImageFont.load_default(FONT)
    draw = ImageDraw.Draw(picture)
    for i, box in enumerate(meta.get("pseudo_boxes", [])):
        _box(draw, font, picture.size, box, COLOURS[i % len(COLOURS)])
    cell.paste(picture, (2, 2))
    said = [*meta.get("captions", []), *(f"“{c['text']}” {c['score']:.2f}" for c in meta.get("pseudo_captions", []))]
    tags = ", ".join(tag["name"] for tag in meta.get("tags", []))
    lines = [*wrapped(" / ".join(said), font, CELL - 6)[:3], *wrapped(tags, font, CELL - 6)[:2]]
    ImageDraw.Draw(cell).multiline_text((3, CELL), "\n".join(lines), "black", font, spacing=1)
    return cell


def with_mask(picture: Image.Image, index: NDArray[Any]) -> Image.Image:
    """The picture with a colour over each segment."""
    pixels = np.asarray(picture, np.float32)
    colours = np.array(COLOURS, np.float32)[(index.astype(np.int64) - 1) % len(COLOURS)]
    shown = np.where((index > 0)[..., None], (1 - MASK_SHARE) * pixels + MASK_SHARE * colours, pixels)
    return Image.fromarray(shown.astype(np.uint8))


def _box(
    draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, size: tuple[int, int], box: dict[str, Any],
    colour: tuple[int, int, int],
) -> None:  # fmt: skip
    x0, y0, x1, y1 = (v * side for v, side in zip(box["box"], (*size, *size), strict=True))
    draw.rectangle((x0, y0, x1, y1), outline=colour, width=2)
    phrase = f": {box['phrase']}" if box.get("phrase") else ""
    text = f"{box['name']} {box['score']:.2f}{phrase}"
    left, top, right, bottom = draw.textbbox((x0, max(0, y0 - FONT - 2)), text, font)
    back = max(0.0, right - size[0])
    draw.rectangle((left - back, top - 1, right - back, bottom + 1), fill=colour)
    draw.text((left - back, max(0, y0 - FONT - 2)), text, "white", font)


def wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> list[str]:
    """Words in lines of at most `width` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
