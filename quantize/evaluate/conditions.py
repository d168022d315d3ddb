"""What cameras make of a picture: ten conditions, each the same for the same picture."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from quantize.arithmetic.geometry import Floats
from quantize.evaluate.predictor import Picture

Condition = Callable[[Picture, Generator], Picture]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
MOTION = 13
"""Pixels that the camera moves by."""
DEFOCUS = 4.0
NOISE = 25.0
NIGHT_NOISE = 18.0
JPEG_QUALITY = 8
HAZE = (210, 214, 220)


def _bytes(pixels: NDArray[Any]) -> Picture:
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def _luma(picture: Picture) -> Floats:
    return np.asarray(picture @ LUMA, np.float32)


def grey(picture: Picture, rng: Generator) -> Picture:
    """Without colour."""
    return _bytes(np.repeat(_luma(picture)[..., None], 3, axis=2))


def infrared(picture: Picture, rng: Generator) -> Picture:
    """A camera's own lamp at night: grey, bright in the middle, dark at the edges, noisy."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lit = _luma(picture) * np.clip(1.15 - 0.55 * (x**2 + y**2), 0.1, None)
    return _bytes(np.repeat((lit + rng.normal(0, 10, lit.shape))[..., None], 3, axis=2))


def night(picture: Picture, rng: Generator) -> Picture:
    """Little light and much gain: dark, with coloured noise."""
    return _bytes(0.35 * picture.astype(np.float32) + rng.normal(0, NIGHT_NOISE, picture.shape))


def motion(picture: Picture, rng: Generator) -> Picture:
    """The camera pans while the shutter is open."""
    wide = np.pad(picture.astype(np.float32), ((0, 0), (MOTION // 2, MOTION // 2), (0, 0)), "edge")
    return _bytes(np.mean([wide[:, i : i + picture.shape[1]] for i in range(MOTION)], axis=0))


def defocus(picture: Picture, rng: Generator) -> Picture:
    """Out of focus."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(DEFOCUS)))


def fog(picture: Picture, rng: Generator) -> Picture:
    """Haze that grows denser towards the top, where things are far."""
    clear = np.linspace(0.3, 0.65, picture.shape[0], dtype=np.float32)[:, None, None]
    return _bytes(clear * picture + (1 - clear) * np.array(HAZE, np.float32))


def jpeg(picture: Picture, rng: Generator) -> Picture:
    """Compressed until blocks show."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB"))


def enlarged(picture: Picture, rng: Generator) -> Picture:
    """A quarter of the size, enlarged again."""
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((max(1, width // 4), max(1, height // 4)), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def noise(picture: Picture, rng: Generator) -> Picture:
    """A noisy sensor."""
    return _bytes(picture + rng.normal(0, NOISE, picture.shape))


def lamp(picture: Picture, rng: Generator) -> Picture:
    """The white balance of daylight under a warm lamp."""
    return _bytes(picture * np.array([1.12, 0.85, 0.5], np.float32))


CONDITIONS: Mapping[str, Condition] = {
    "grey": grey,
    "infrared night": infrared,
    "noisy night": night,
    f"motion blur {MOTION} px": motion,
    f"defocus σ {DEFOCUS:.0f}": defocus,
    "fog": fog,
    f"JPEG quality {JPEG_QUALITY}": jpeg,
    "quarter size, enlarged": enlarged,
    f"noise σ {NOISE:.0f}": noise,
    "warm lamp": lamp,
}


def seen_in(condition: Condition, picture: Picture, number: int) -> Picture:
    """A picture, the `number`-th of its set, in a condition."""
    return condition(picture, np.random.default_rng([number, 7]))
