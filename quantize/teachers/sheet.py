"""Pictures with what teachers said of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quantize.data.shards import Sample
from quantize.data.soft_labels import unpacked
from quantize.teachers.agreement import SURE_BOX, Told
from quantize.teachers.masks import UNSURE

CELL, TEXT, COLUMNS, FONT = 260, 62, 6, 11
COLOURS = np.random.default_rng(5).integers(40, 256, (256, 3))
"""Of a mask's classes."""
LEAST_NAME = 0.15


def _names(told: Told, names: Mapping[str, Sequence[str]], teacher: str, most: int) -> str:
    if teacher not in told:
        return ""
    best = zip(told[teacher]["names"][0][:most].tolist(), told[teacher]["values"][0].tolist(), strict=False)
    return f"{teacher}: " + ", ".join(f"{names[teacher][i]} {value:.2f}" for i, value in best if value >= LEAST_NAME)


def _masked(picture: Image.Image, told: Told, names: Mapping[str, Sequence[str]]) -> tuple[Image.Image, str]:
    if "mosaic" not in told:
        return picture, ""
    cells = told["mosaic"]["cells"][0]
    known = (cells > 0) & (cells < UNSURE)
    colours = Image.fromarray(COLOURS[cells].astype(np.uint8)).resize(picture.size, Image.Resampling.NEAREST)
    opaque = Image.fromarray((known * 90).astype(np.uint8)).resize(picture.size, Image.Resampling.NEAREST)
    classes, count = np.unique(cells[known], return_counts=True)
    said = ", ".join(names["mosaic"][i] for i in classes[np.argsort(-count)][:6])
    return Image.composite(colours, picture, opaque), f"mosaic: {said}"


def _cell(sample: Sample, told: Told, names: Mapping[str, Sequence[str]]) -> Image.Image:
    picture = Image.fromarray(sample.picture)
    scale = (CELL - 4) / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    picture, stuff = _masked(picture, told, names)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT)
    if "picodet" in told:
        found = told["picodet"]
        for box, label, score in zip(unpacked(found["boxes"]), found["labels"], found["scores"], strict=True):
            if score >= SURE_BOX:
                x0, y0, x1, y1 = (box * [*picture.size, *picture.size]).tolist()
                draw.rectangle((x0, y0, x1, y1), outline="red", width=2)
                draw.text((x0 + 3, y0 + 1), f"{names['picodet'][label]} {score:.2f}", "yellow", font)
    cell = Image.new("RGB", (CELL, CELL + TEXT), "white")
    cell.paste(picture, (2, 2))
    said = "; ".join(sample.labels) or " / ".join(sample.captions[:1])
    lines = [said, _names(told, names, "labeler", 4), _names(told, names, "classifier", 3), stuff]
    ImageDraw.Draw(cell).multiline_text((3, CELL), "\n".join(line[:46] for line in lines), "black", font, spacing=1)
    return cell


def sheet(pictures: Sequence[tuple[Sample, Told]], names: Mapping[str, Sequence[str]]) -> Image.Image:
    """One cell a picture: its mask and sure boxes, and below it what people and teachers call it."""
    rows = -(-len(pictures) // COLUMNS)
    made = Image.new("RGB", (min(COLUMNS, len(pictures)) * CELL, rows * (CELL + TEXT)), "white")
    for i, (sample, told) in enumerate(pictures):
        made.paste(_cell(sample, told, names), (i % COLUMNS * CELL, i // COLUMNS * (CELL + TEXT)))
    return made
