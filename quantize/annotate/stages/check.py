"""Sound pictures and sound given data: broken pictures are dropped and broken data removed, with the reason."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageOps

from quantize.annotate.record import DECIMALS, Record
from quantize.annotate.settings import Settings

QUALITY = 95
ORIENTATION = 0x0112


def build(settings: Settings) -> "Check":
    """From the settings `min_side` and `max_side`."""
    return Check(settings.min_side, settings.max_side)


@dataclass
class Check:
    """Sides in pixels. Pictures become upright RGB JPEGs; those that are so already keep their bytes."""

    min_side: int
    max_side: int

    def __call__(self, records: Sequence[Record]) -> list[Record]:
        """Drops what cannot be used."""
        return [self._one(record) for record in records]

    def _one(self, record: Record) -> Record:
        try:
            jpeg, size = self._jpeg(record)
        except Exception:  # Pillow alone raises half a dozen types for a broken file
            return replace(record, dropped="corrupt picture")
        if min(size) < self.min_side:
            return replace(record, dropped="small picture")
        given, removed = sound(record.given)
        pseudo = []
        for box in record.pseudo_boxes:
            rect = clipped([round(v, DECIMALS) for v in box.box])
            if rect is None:
                removed.append("pseudo_boxes of the input: empty, inverted or outside")
            else:
                pseudo.append(replace(box, box=rect))
        return replace(record, jpeg=jpeg, given=given, pseudo_boxes=tuple(pseudo), removed=(*record.removed, *removed))

    def _jpeg(self, record: Record) -> tuple[bytes, tuple[int, int]]:
        image = Image.open(io.BytesIO(record.jpeg))
        image.load()
        turned = image.getexif().get(ORIENTATION, 1) != 1
        large = self.max_side > 0 and max(image.size) > self.max_side and not record.companions
        if image.format == "JPEG" and image.mode == "RGB" and not turned and not large:
            return record.jpeg, image.size
        upright = ImageOps.exif_transpose(image).convert("RGB")
        if large:
            upright.thumbnail((self.max_side, self.max_side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        upright.save(buffer, "JPEG", quality=QUALITY)
        return buffer.getvalue(), upright.size


def sound(given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The given data without empty captions, unusable questions and boxes that hold nothing; and what was removed."""
    kept, removed = dict(given), []
    if "captions" in given:
        captions = given["captions"] if isinstance(given["captions"], list) else [given["captions"]]
        kept["captions"] = [c.strip() for c in captions if isinstance(c, str) and c.strip()]
        removed += ["captions: empty"] * (len(captions) - len(kept["captions"]))
    for key, usable, why in (("qa", _question, "unusable"), ("boxes", _box, "empty, inverted or outside")):
        if key in given:
            entries = given[key] if isinstance(given[key], list) else [given[key]]
            found = [usable(entry) for entry in entries]
            kept[key] = [entry for entry in found if entry is not None]
            removed += [f"{key}: {why}"] * found.count(None)
    return kept, removed


def _question(entry: Any) -> dict[str, Any] | None:
    said = isinstance(entry, dict) and isinstance(entry.get("question"), str) and isinstance(entry.get("answer"), str)
    return entry if said else None


def _box(entry: Any) -> dict[str, Any] | None:
    try:
        rect = clipped(entry["box"])
        named = isinstance(entry["name"], str) and entry["name"].strip()
    except (KeyError, TypeError, ValueError):
        return None
    return entry | {"box": list(rect)} if rect and named else None


def clipped(box: Sequence[float]) -> tuple[float, float, float, float] | None:
    """A box of fractions cut to the picture; None when nothing is left of it."""
    x0, y0, x1, y1 = (min(max(float(v), 0.0), 1.0) if math.isfinite(v) else math.nan for v in box)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
