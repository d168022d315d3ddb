"""Perceptual hash of a picture, by which near duplicates are found."""

from collections.abc import Sequence
from dataclasses import replace

import imagehash
from PIL import Image

from quantize.annotate.record import Record
from quantize.annotate.settings import Settings
from quantize.annotate.stages import Stage


def build(settings: Settings) -> Stage:
    """Needs no settings."""
    return fingerprints


def fingerprints(records: Sequence[Record]) -> list[Record]:
    """64 bits of the lowest frequencies of the grey picture (pHash)."""
    return [replace(r, fingerprint=int(str(imagehash.phash(Image.fromarray(r.picture()))), 16)) for r in records]
