"""Zones with two states, taught by two snapshots each, on generated days: how many frames are told rightly."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from quantize.evaluate.samples import Sample, read_shard
from quantize.prototypes.program.session import Program

SIZE = (320, 240)
ZONE = (110, 70, 230, 190)
STAY, STAYS = 20, 6
"""Frames between two changes, and how often it changes."""
SNAPSHOTS = (0.2, 0.7)
"""Times of day."""
KINDS = ("gate", "door", "lamp", "shelf", "shutter")
Pixels = NDArray[np.uint8]


def states(program: Program, data: Path, draws: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Percent of frames whose state is right, for each draw: another place, another thing."""
    scenes = read_shard(data / "val.tar")["coco128_val2017"]
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        kind = KINDS[seed % len(KINDS)]
        place, thing = (_photo(scenes[i]) for i in rng.choice(len(scenes), 2, replace=False))
        looks = [_look(kind, place, thing, is_open, rng) for is_open in (False, True)]
        yield len(SNAPSHOTS), {"both": _told(program, looks, rng)}


def _told(program: Program, looks: list[Pixels], rng: np.random.Generator) -> float:
    folder = program.path("")
    folder.mkdir()
    file = folder / "state.vocab.safetensors"
    corners = ",".join(str(edge) for edge in ZONE)
    for name, look in zip(("closed", "open"), looks, strict=True):
        shots = []
        for day in SNAPSHOTS:
            shots.append(folder / f"{name} {day}.jpg")
            Image.fromarray(_lit(look, day, rng)).save(shots[-1], quality=90)
        program.run("vocab", "add", file, "--name", f"it is {name}", "--kind", "state", *shots, "--box", corners)
    frames = STAY * STAYS
    truth = [i // STAY % 2 == 1 for i in range(frames)]
    (folder / "day.y4m").write_bytes(_film([_lit(looks[is_open], i / frames, rng) for i, is_open in enumerate(truth)]))
    box = [ZONE[0] / SIZE[0], ZONE[1] / SIZE[1], ZONE[2] / SIZE[0], ZONE[3] / SIZE[1]]
    (folder / "edgeclip.toml").write_text(
        f"vocab = {json.dumps(str(file))}\nfps = 1000\nsource = [{{ url = {json.dumps(str(folder / 'day.y4m'))} }}]\n"
        f"[[zone]]\nname = 'it'\nbox = {box}\nprompts = ['open = it is open', 'closed = it is closed']\n"
        "smoothing = 0\nmargin = 0\ndebounce = 0\n"
    )
    lines = program.run("run", "--config", folder / "edgeclip.toml", "--events-only").splitlines()
    changes = {int(line["frame"]): line["state"] == "open" for line in map(json.loads, lines) if line.get("event") == "state"}
    told, right = None, 0
    for frame, is_open in enumerate(truth):
        told = changes.get(frame, told)
        right += told == is_open
    return 100 * right / frames


def _photo(sample: Sample) -> Pixels:
    return np.asarray(Image.fromarray(sample.picture()).resize(SIZE, Image.Resampling.BILINEAR))


def _look(kind: str, place: Pixels, thing: Pixels, is_open: bool, rng: np.random.Generator) -> Pixels:
    """The place with a thing in the zone, in one of its states."""
    x0, y0, x1, y1 = ZONE
    look, colour = place.copy(), rng.integers(30, 200, 3)
    inside = look[y0:y1, x0:x1]
    rows, columns = np.mgrid[0 : y1 - y0, 0 : x1 - x0]
    if kind == "gate":
        pales = (columns % 16 < 7) & ((columns > x1 - x0 - 25) | (not is_open))
        inside[pales] = (60, 75, 60)
    elif kind == "door":
        if not is_open:
            inside[:] = (120, 80, 50)
            inside[(rows - 60) ** 2 + (columns - 100) ** 2 < 30] = (200, 190, 90)
    elif kind == "lamp":
        inside[:] = (60, 60, 65)
        disk = (rows - 60) ** 2 + (columns - 60) ** 2 < 40**2
        inside[disk] = (250, 245, 200) if is_open else (90, 88, 80)
    elif kind == "shelf":
        inside[:] = (150, 130, 100)
        if not is_open:
            small = Image.fromarray(thing).resize((90, 90), Image.Resampling.BILINEAR)
            inside[20:110, 15:105] = np.asarray(small)
    else:
        slats = rows < (25 if is_open else 120)
        inside[slats] = np.where((rows % 12 < 9)[slats][:, None], colour, colour // 2)
    return look


def _lit(look: Pixels, day: float, rng: np.random.Generator) -> Pixels:
    """In the light of a time of day from 0 to 1: dusk is dim and warm, and a shadow moves over the picture."""
    gain, warm = 0.8 + 0.45 * np.sin(2 * np.pi * day), 0.12 * np.cos(2 * np.pi * day)
    at = np.arange(SIZE[0]) / SIZE[0]
    shadow = np.where(np.abs(at - day) < 0.15, 0.7, 1.0)[None, :, None]
    lit = look * gain * shadow * np.array([1 + warm, 1, 1 - warm]) + rng.normal(0, 2.5, look.shape)
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def _film(frames: list[Pixels]) -> bytes:
    out = io.BytesIO()
    out.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F5:1 Ip A1:1 C444\n".encode())
    planes = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
    for frame in frames:
        out.write(b"FRAME\n")
        yuv = np.rint(frame @ planes.T + np.array([16, 128, 128]))
        out.write(np.ascontiguousarray(np.clip(yuv, 0, 255).astype(np.uint8).transpose(2, 0, 1)).tobytes())
    return out.getvalue()
